"""A configuration, an in-memory Ironic with a client, and a database with the records of nodes."""

from __future__ import annotations

from collections.abc import Iterator
import threading

from oslo_config import cfg
import pytest

from ironic_inspector import conf as configuration
from ironic_inspector.common import locks
from ironic_inspector.common.ironic import IronicClient
from ironic_inspector.db import migration
from ironic_inspector.fixtures.ironic import InMemoryIronic
from ironic_inspector.node_cache import NodeCache
from tests import databases
from tests.databases import database_url

__all__ = ['database_url']


@pytest.fixture
def conf() -> cfg.ConfigOpts:
    """The configuration with its defaults."""
    conf = cfg.ConfigOpts()
    configuration.register_opts(conf)
    conf([], project=configuration.PROJECT, default_config_files=[], default_config_dirs=[])
    return conf


@pytest.fixture
def ironic() -> Iterator[InMemoryIronic]:
    """An in-memory Ironic over HTTP."""
    with InMemoryIronic(threads=20) as server:
        yield server


@pytest.fixture
def client(conf: cfg.ConfigOpts, ironic: InMemoryIronic) -> IronicClient:
    """A client of `ironic` that does not wait between attempts."""
    conf.set_override('auth_type', 'none', 'ironic')
    conf.set_override('endpoint_override', ironic.url, 'ironic')
    conf.set_override('retry_interval', 0, 'ironic')
    conf.set_override('max_retries', 3, 'ironic')
    return IronicClient(conf, threading.Event(), attempt_interval=0)


@pytest.fixture
def nodes(database_url: str, client: IronicClient) -> Iterator[NodeCache]:
    """The records of nodes in a new database; the test runs once with each kind."""
    migration.upgrade(databases.configuration(database_url))
    with databases.opened(database_url) as database:
        yield NodeCache(database, client, locks.ProcessLocks())
