"""Where introspection data are kept: nowhere, in the service's database, or in Swift."""

from __future__ import annotations

import abc
from collections.abc import Callable
from collections.abc import Iterator
import contextlib
from http import HTTPStatus
import json
from typing import Any

from oslo_config import cfg
from oslo_log import log
import sqlalchemy as sa

from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.common import jsontext
from ironic_inspector.common import swift
from ironic_inspector.db import engine
from ironic_inspector.db import introspections
from ironic_inspector.plugins import base
from ironic_inspector.plugins import loading

LOG = log.getLogger(__name__)

NAMESPACE = 'ironic_inspector.introspection_data.store'


def load(conf: cfg.ConfigOpts, resources: base.Resources, name: str, option: str) -> base.IntrospectionDataStore:
    """Return the store called `name`, configured.

    ConfigurationError, naming `option`, if it is not installed; also if it cannot work with the configuration.
    """
    store = loading.load(NAMESPACE, name, option)
    if not isinstance(store, base.IntrospectionDataStore):
        return ForeignStore(name, store)
    with loading.preparing(name, option):
        store.configure(conf, resources)
    return store


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

    _database: engine.Database

    def configure(self, conf: cfg.ConfigOpts, resources: base.Resources) -> None:  # noqa: ARG002
        """See IntrospectionDataStore."""
        self._database = resources.database

    def get(self, node_uuid: str, processed: bool = True, get_json: bool = False) -> Any:
        """See IntrospectionDataStore."""
        text = self._database.read(
            lambda connection: introspections.get_data(connection, node_uuid, processed=processed)
        )
        if text is None:
            raise _no_data(node_uuid, processed=processed)
        return parsed(text, f'The data of node {node_uuid} in the database') if get_json else text

    def save(self, node_uuid: str, data: Any, processed: bool = True) -> None:
        """See IntrospectionDataStore."""
        text = _as_text(data)
        self._database.write(
            lambda connection: introspections.set_data(connection, node_uuid, text, processed=processed)
        )

    def saving(self, node_uuid: str, text: str, *, processed: bool) -> Callable[[sa.Connection], None]:
        """Return what saves the data, JSON text, as a part of a transaction that does more."""
        return lambda connection: introspections.set_data(connection, node_uuid, text, processed=processed)


class SwiftStore(base.IntrospectionDataStore):
    """Keeps the data of a node in an object in Swift, and what its ramdisk sent in another one."""

    _client: swift.SwiftClient

    def configure(self, conf: cfg.ConfigOpts, resources: base.Resources) -> None:
        """See IntrospectionDataStore."""
        self._client = swift.SwiftClient(conf, resources.stopping)

    def get(self, node_uuid: str, processed: bool = True, get_json: bool = False) -> Any:
        """See IntrospectionDataStore."""
        name = object_name(node_uuid, processed=processed)
        try:
            content = self._client.get(name)
        except exceptions.NotFound as exc:
            raise _no_data(node_uuid, processed=processed) from exc
        # Anybody with access to the container may have written anything.
        data = parsed(content, f'The object {name} in Swift')
        return data if get_json else content.decode()

    def save(self, node_uuid: str, data: Any, processed: bool = True) -> None:
        """See IntrospectionDataStore."""
        self._client.put(object_name(node_uuid, processed=processed), _as_text(data).encode())


class BaseStorageBackend(abc.ABC):
    """The base that stores written for ironic-inspector may have; new ones have base.IntrospectionDataStore."""

    @abc.abstractmethod
    def get(self, node_uuid: str, processed: bool = True, get_json: bool = False) -> Any:
        """See IntrospectionDataStore; utils.IntrospectionDataNotFound if there are no data."""

    @abc.abstractmethod
    def save(self, node_uuid: str, data: base.JsonObject, processed: bool = True) -> None:
        """See IntrospectionDataStore; the data are an object."""


class ForeignStore(base.IntrospectionDataStore):
    """Stands in front of a store that was written for ironic-inspector: that one can save objects only, no text."""

    def __init__(self, name: str, store: Any) -> None:
        """Use `store`, which has `get` and `save`; the configuration calls it `name`."""
        self._name = name
        self._store = store

    def get(self, node_uuid: str, processed: bool = True, get_json: bool = False) -> Any:
        """See IntrospectionDataStore."""
        try:
            with self._naming():
                found = self._store.get(node_uuid, processed=processed, get_json=get_json)
        except utils.Error as exc:
            if exc.http_code == HTTPStatus.NOT_FOUND:
                raise exceptions.NotFound(str(exc)) from exc
            raise
        data = found if isinstance(found, dict) else parsed(found, f'What the store {self._name} has of {node_uuid}')
        return data if get_json else _as_text(data)

    def save(self, node_uuid: str, data: Any, processed: bool = True) -> None:
        """See IntrospectionDataStore."""
        document = json.loads(data) if isinstance(data, str) else data
        with self._naming():
            self._store.save(node_uuid, document, processed=processed)

    @contextlib.contextmanager
    def _naming(self) -> Iterator[None]:
        """Name the store when it fails."""
        try:
            yield
        except exceptions.InspectorError:
            raise
        except Exception as exc:
            # A foreign store may raise anything.
            LOG.exception('The store %s failed', self._name)
            raise exceptions.StoreError(f'The store {self._name} failed: {exc!r}') from exc


def object_name(node_uuid: str, *, processed: bool) -> str:
    """Return the name of the object in Swift with the data of a node."""
    return f'inspector_data-{node_uuid}{"" if processed else "-UNPROCESSED"}'


def parsed(stored: Any, what: str) -> base.JsonObject:
    """Return introspection data that were stored as JSON text; StoreError about `what` if they are damaged."""
    try:
        data = json.loads(stored.decode() if isinstance(stored, bytes) else stored)
    except (TypeError, ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise exceptions.StoreError(f'{what} cannot be used: what is stored there is not a JSON object')
    return data


def _as_text(data: Any) -> str:
    return data if isinstance(data, str) else jsontext.dumps(data)


def _no_data(node_uuid: str, *, processed: bool) -> exceptions.NotFound:
    kind = 'processed' if processed else 'unprocessed'
    return exceptions.NotFound(
        f'There are no {kind} data of node {node_uuid}: they come with its first successful introspection'
    )
