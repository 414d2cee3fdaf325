"""Where introspection data are kept: nowhere, or in the service's database."""

from __future__ import annotations

from collections.abc import Callable
import json
from typing import Any

import sqlalchemy as sa

from ironic_inspector.common import exceptions
from ironic_inspector.common import jsontext
from ironic_inspector.db import engine
from ironic_inspector.db import introspections
from ironic_inspector.plugins import base

NAMESPACE = 'ironic_inspector.introspection_data.store'


class NoStore(base.IntrospectionDataStore):
    """Keeps nothing."""

    def get(self, node_uuid: str, processed: bool = True, get_json: bool = False) -> Any:  # noqa: ARG002
        """See IntrospectionDataStore: there never are any data."""
        raise exceptions.NotFound(
            f'There are no introspection data of node {node_uuid}: the service keeps none ([processing]store_data)'
        )

    def save(self, node_uuid: str, data: Any, processed: bool = True) -> None:
        """See IntrospectionDataStore: the data are dropped."""


class DatabaseStore(base.IntrospectionDataStore):
    """Keeps the data in the service's database."""

    def __init__(self) -> None:
        """Make a store; it needs `use` before it can work."""
        self._database: engine.Database | None = None

    def use(self, database: engine.Database) -> None:
        """Work on `database`."""
        self._database = database

    def get(self, node_uuid: str, processed: bool = True, get_json: bool = False) -> Any:
        """See IntrospectionDataStore."""
        text = self._db.read(lambda connection: introspections.get_data(connection, node_uuid, processed=processed))
        if text is None:
            kind = 'processed' if processed else 'unprocessed'
            raise exceptions.NotFound(
                f'There are no {kind} data of node {node_uuid}: they come with its first successful introspection'
            )
        return json.loads(text) if get_json else text

    def save(self, node_uuid: str, data: Any, processed: bool = True) -> None:
        """See IntrospectionDataStore."""
        text = data if isinstance(data, str) else jsontext.dumps(data)
        self._db.write(lambda connection: introspections.set_data(connection, node_uuid, text, processed=processed))

    def saving(self, node_uuid: str, text: str, *, processed: bool) -> Callable[[sa.Connection], None]:
        """Return what saves the data, JSON text, as a part of a transaction that does more."""
        return lambda connection: introspections.set_data(connection, node_uuid, text, processed=processed)

    @property
    def _db(self) -> engine.Database:
        if self._database is None:
            raise RuntimeError('DatabaseStore.use() was not called')
        return self._database
