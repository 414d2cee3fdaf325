"""Nodes for rules to be applied to, and databases for rules to be kept in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ironic_inspector.db import engine
from ironic_inspector.db import migration
from tests import databases
from tests.databases import database_url
from tests.unit.plugins.conftest import nodes
from tests.unit.plugins.conftest import running_ironic

__all__ = ['database_url', 'nodes', 'running_ironic']


@pytest.fixture
def database(database_url: str) -> Iterator[engine.Database]:
    """A new database of each kind with the newest tables."""
    migration.upgrade(databases.configuration(database_url))
    with databases.opened(database_url) as opened:
        yield opened
