"""The stores of introspection data: what all of them promise, and what each does its own way."""

from __future__ import annotations

from collections.abc import Iterator
import json
from pathlib import Path
import threading
from typing import Any
from typing import cast

from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from oslo_config import cfg
import pytest

from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.common import locks
from ironic_inspector.db import engine
from ironic_inspector.db import introspections
from ironic_inspector.db import migration
from ironic_inspector.fixtures.swift import InMemorySwift
from ironic_inspector.node_cache import NodeCache
from ironic_inspector.plugins import base
from ironic_inspector.plugins import introspection_data
from tests import databases
from tests.databases import sqlite_url

__all__ = ['sqlite_url']

NODE = '4e1b6f0c-0000-4000-8000-000000000001'
OTHER = '4e1b6f0c-0000-4000-8000-000000000002'
FOREIGN = """
import json

class Store:
    kept = {}

    def get(self, node_uuid, processed=True, get_json=False):
        data = self.kept[node_uuid, processed]
        return data if get_json else json.dumps(data)

    def save(self, node_uuid, data, processed=True):
        data['no text'] = True
        self.kept[node_uuid, processed] = data
"""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@pytest.fixture
def database(sqlite_url: str) -> Iterator[engine.Database]:
    """A database with the records of two nodes."""
    migration.upgrade(databases.configuration(sqlite_url))
    with databases.opened(sqlite_url) as database:
        nodes = NodeCache(database, cast(Any, None), locks.ProcessLocks())
        for node_uuid in (NODE, OTHER):
            nodes.begin(node_uuid, manage_boot=False)
        yield database


@pytest.fixture
def swift() -> Iterator[InMemorySwift]:
    """An in-memory Swift over HTTP."""
    with InMemorySwift() as server:
        yield server


@pytest.fixture
def resources(database: engine.Database) -> base.Resources:
    """What stores are given."""
    return base.Resources(database, threading.Event())


def load(conf: cfg.ConfigOpts, resources: base.Resources, name: str) -> base.IntrospectionDataStore:
    return introspection_data.load(conf, resources, name, '[processing]store_data')


@pytest.fixture(params=['database', 'swift', 'foreign'])
def store(
    request: pytest.FixtureRequest,
    conf: cfg.ConfigOpts,
    resources: base.Resources,
    swift: InMemorySwift,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> base.IntrospectionDataStore:
    """Each store that keeps something, one of them written for ironic-inspector."""
    for name, value in swift.options().items():
        conf.set_override(name, value, 'swift')
    module = f'foreign_{id(tmp_path)}'
    (tmp_path / f'{module}.py').write_text(FOREIGN)
    (tmp_path / 'foreign-1.dist-info').mkdir()
    (tmp_path / 'foreign-1.dist-info' / 'METADATA').write_text('Metadata-Version: 2.1\nName: foreign\nVersion: 1\n')
    points = f'[{introspection_data.NAMESPACE}]\nforeign = {module}:Store\n'
    (tmp_path / 'foreign-1.dist-info' / 'entry_points.txt').write_text(points)
    monkeypatch.syspath_prepend(tmp_path)
    return load(conf, resources, request.param)


def without_mark(data: Any) -> Any:
    """Return data without what the foreign store adds."""
    return {key: value for key, value in data.items() if key != 'no text'}


def test_data_come_back_as_they_were(store: base.IntrospectionDataStore) -> None:
    for data in ({'a': [1, None, 'ä\u20ac\U0001f600']}, {}):
        for given_data in (dict(data), json.dumps(data)):
            store.save(NODE, given_data)
            assert without_mark(store.get(NODE, get_json=True)) == data
            assert without_mark(json.loads(store.get(NODE))) == data


def test_processed_and_unprocessed_data_of_nodes_are_apart(store: base.IntrospectionDataStore) -> None:
    for number, (node_uuid, processed) in enumerate([(NODE, True), (NODE, False), (OTHER, True), (OTHER, False)]):
        store.save(node_uuid, {'number': number}, processed=processed)
    kept = [
        store.get(node_uuid, processed=processed, get_json=True)['number']
        for node_uuid in (NODE, OTHER)
        for processed in (True, False)
    ]
    assert kept == [0, 1, 2, 3]
    assert store.get(NODE, get_json=True)['number'] == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(data=st.dictionaries(st.text(), JSON, max_size=4))
def test_any_data(store: base.IntrospectionDataStore, data: dict[str, Any]) -> None:
    store.save(NODE, data, processed=False)
    assert without_mark(store.get(NODE, processed=False, get_json=True)) == without_mark(data)


class OldStore(introspection_data.BaseStorageBackend):
    """Written for ironic-inspector: it has no data, and says so as it is told to."""

    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    def get(self, node_uuid: str, processed: bool = True, get_json: bool = False) -> Any:  # noqa: ARG002
        raise self._failure

    def save(self, node_uuid: str, data: Any, processed: bool = True) -> None:  # noqa: ARG002
        raise self._failure


@pytest.mark.parametrize(
    'failure',
    [
        utils.IntrospectionDataNotFound('The shelf is empty'),
        utils.IntrospectionDataNotFound('The shelf is empty', node_info=None, data={}),
        utils.IntrospectionDataStoreDisabled('The shelf is empty'),
        utils.Error('The shelf is empty', code=404),
        exceptions.NotFound('The shelf is empty'),
    ],
)
def test_a_store_from_elsewhere_without_data(failure: Exception) -> None:
    store = introspection_data.ForeignStore('shelf', OldStore(failure))
    for get_json in (True, False):
        with pytest.raises(exceptions.NotFound, match='The shelf is empty'):
            store.get(NODE, get_json=get_json)
    if isinstance(failure, utils.Error):
        assert failure.http_code == 404


@pytest.mark.parametrize(
    ('failure', 'expected'),
    [
        (utils.Error('The shelf is locked'), utils.Error),
        (utils.IntrospectionDataNotFound('The shelf is locked', code=409), utils.Error),
        (LookupError('The shelf is locked'), exceptions.StoreError),
    ],
)
def test_a_store_from_elsewhere_that_fails(failure: Exception, expected: type[Exception]) -> None:
    store = introspection_data.ForeignStore('shelf', OldStore(failure))
    for use in (lambda: store.get(NODE), lambda: store.save(NODE, '{}')):
        with pytest.raises(expected, match='The shelf is locked'):
            use()


def test_a_base_for_stores_from_elsewhere() -> None:
    with pytest.raises(TypeError, match='abstract'):
        introspection_data.BaseStorageBackend()  # type: ignore[abstract]


@pytest.mark.parametrize('processed', [True, False])
def test_the_same_is_said_of_data_that_are_not_there(
    conf: cfg.ConfigOpts, resources: base.Resources, swift: InMemorySwift, processed: bool
) -> None:
    for name, value in swift.options().items():
        conf.set_override(name, value, 'swift')
    said = []
    for name in ('database', 'swift'):
        with pytest.raises(exceptions.NotFound) as failure:
            load(conf, resources, name).get(NODE, processed=processed)
        said.append(str(failure.value))
    assert said[0] == said[1]
    assert NODE in said[0]


def test_objects_in_swift_have_the_names_of_ironic_inspector(
    conf: cfg.ConfigOpts, resources: base.Resources, swift: InMemorySwift
) -> None:
    for name, value in (swift.options() | {'container': 'mine', 'delete_after': 7}).items():
        conf.set_override(name, value, 'swift')
    store = load(conf, resources, 'swift')
    store.save(NODE, {'a': 1})
    store.save(NODE, '{"a": 2}', processed=False)
    assert {name: json.loads(found.content) for name, found in swift.objects.items()} == {
        ('mine', f'inspector_data-{NODE}'): {'a': 1},
        ('mine', f'inspector_data-{NODE}-UNPROCESSED'): {'a': 2},
    }
    assert {found.delete_after for found in swift.objects.values()} == {7}


DAMAGED = (b'', b'{', b'[]', b'7', b'\xff\xfe', '{"a": 1}'.encode('utf-16'), b'<html></html>', b'[' * 100_000)


@pytest.mark.parametrize('content', DAMAGED, ids=range(len(DAMAGED)))
@pytest.mark.parametrize('get_json', [True, False])
def test_damaged_objects_in_swift(
    conf: cfg.ConfigOpts, resources: base.Resources, swift: InMemorySwift, content: bytes, get_json: bool
) -> None:
    for name, value in swift.options().items():
        conf.set_override(name, value, 'swift')
    swift.put('ironic-inspector', f'inspector_data-{NODE}', content)
    with pytest.raises(exceptions.StoreError, match=f'inspector_data-{NODE}'):
        load(conf, resources, 'swift').get(NODE, get_json=get_json)


def test_damaged_data_in_the_database(conf: cfg.ConfigOpts, resources: base.Resources) -> None:
    resources.database.write(lambda connection: introspections.set_data(connection, NODE, '{', processed=False))
    with pytest.raises(exceptions.StoreError, match=NODE):
        load(conf, resources, 'database').get(NODE, processed=False, get_json=True)


def test_a_store_that_cannot_work_says_so_at_the_start(conf: cfg.ConfigOpts, resources: base.Resources) -> None:
    with pytest.raises(exceptions.ConfigurationError, match=r'\[swift\]auth_type'):
        load(conf, resources, 'swift')
    with pytest.raises(exceptions.ConfigurationError, match=r"\[processing\]store_data: .*'papyrus'.* swift"):
        load(conf, resources, 'papyrus')
