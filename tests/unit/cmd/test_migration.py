"""ironic-inspector-migrate-data: what it copies, what it leaves alone, what it says."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import dataclasses
import json
from pathlib import Path
import re
import signal
import subprocess
import sys
from typing import Any
from typing import cast
import uuid

from oslo_config import cfg
import pytest

from ironic_inspector.cmd import migration as command
from ironic_inspector.common import exceptions
from ironic_inspector.common import locks
from ironic_inspector.common import swift
from ironic_inspector.db import engine
from ironic_inspector.db import introspections
from ironic_inspector.db import migration
from ironic_inspector.fixtures.swift import InMemorySwift
from ironic_inspector.node_cache import NodeCache
from ironic_inspector.plugins.introspection_data import object_name
from tests import databases

CONTAINER = 'ironic-inspector'
KINDS = (True, False)


@dataclasses.dataclass
class Result:
    """What a run of the command left."""

    status: int
    out: str
    err: str

    def counts(self) -> dict[str, int]:
        """The numbers of the report, by the first words of their lines."""
        return {words: int(number) for number, words in re.findall(r'^ *(\d+) ([a-z]+)', self.out, re.MULTILINE)}


class Stores:
    """A database and a Swift, and what is in them."""

    def __init__(self, database: engine.Database, swift: InMemorySwift) -> None:
        self.database = database
        self.swift = swift
        self._nodes = NodeCache(database, cast(Any, None), locks.ProcessLocks())

    def node(self) -> str:
        """Make a node without data and return its UUID."""
        return self._nodes.begin(str(uuid.uuid4()), manage_boot=False).uuid

    def write(self, node_uuid: str, text: str, *, processed: bool) -> None:
        """Put data into the database."""
        self.database.write(lambda found: introspections.set_data(found, node_uuid, text, processed=processed))

    def filled(self, number: int) -> list[str]:
        """Make nodes with both kinds of data in the database."""
        nodes = [self.node() for _ in range(number)]
        for node_uuid in nodes:
            for processed in KINDS:
                text = json.dumps({'node': node_uuid, 'processed': processed, 'ä': 1})
                self.write(node_uuid, text, processed=processed)
        return nodes

    def read(self, node_uuid: str, *, processed: bool) -> Any:
        """Return data in the database, None if there are none."""
        text = self.database.read(lambda found: introspections.get_data(found, node_uuid, processed=processed))
        return None if text is None else json.loads(text)

    def uuids(self) -> list[str]:
        """Return the UUIDs of all nodes."""
        return self.database.read(introspections.uuids)

    def objects(self) -> dict[str, Any]:
        """Return what is in Swift, by the names of the objects."""
        return {name: json.loads(found.content) for (_container, name), found in self.swift.objects.items()}


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database: SQLite, or of the kind that the test asks for."""
    with databases.new_database(getattr(request, 'param', 'sqlite'), tmp_path) as url:
        yield url


@pytest.fixture
def stores(database_url: str) -> Iterator[Stores]:
    """A database and a Swift, both empty."""
    migration.upgrade(databases.configuration(database_url))
    with databases.opened(database_url) as database, InMemorySwift() as server:
        yield Stores(database, server)


Run = Callable[..., Result]


@pytest.fixture
def run(stores: Stores, database_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the migration with options for [swift]; nothing waits between attempts."""
    monkeypatch.setattr(swift.SwiftClient.__init__, '__defaults__', (0,))

    def migrate(source: str, target: str, *, overwrite: bool = False, **options: Any) -> Result:
        conf = databases.configuration(database_url)
        conf.register_opts(command.OPTS)
        for name, value in {'from': source, 'to': target, 'overwrite': overwrite}.items():
            conf.set_override(name, value)
        for name, value in (stores.swift.options() | options).items():
            conf.set_override(name, value, 'swift')
        status = 0 if command.migrate(conf).is_complete else 1
        captured = capsys.readouterr()
        return Result(status, captured.out, captured.err)

    return migrate


@pytest.mark.parametrize('database_url', databases.KINDS, indirect=True)
def test_all_data_are_copied_and_copied_back(stores: Stores, run: Run) -> None:
    nodes = stores.filled(3)
    empty, half = stores.node(), stores.node()
    stores.write(half, '{"half": true}', processed=False)
    result = run('database', 'swift')
    assert (result.status, result.err) == (0, '')
    assert result.counts() == {'migrated': 7, 'missing': 3}
    expected = {
        object_name(node_uuid, processed=processed): {'node': node_uuid, 'processed': processed, 'ä': 1}
        for node_uuid in nodes
        for processed in KINDS
    } | {object_name(half, processed=False): {'half': True}}
    assert stores.objects() == expected
    # Nothing is missing at the source; and now there is.
    assert stores.read(nodes[0], processed=True) == expected[object_name(nodes[0], processed=True)]
    stores.database.write(lambda found: found.exec_driver_sql('DELETE FROM introspection_data') and None)
    result = run('swift', 'database')
    assert result.counts() == {'migrated': 7, 'missing': 3}
    assert stores.read(half, processed=False) == {'half': True}
    assert stores.read(nodes[2], processed=False) == expected[object_name(nodes[2], processed=False)]
    assert stores.read(empty, processed=True) is None
    assert stores.objects() == expected


def test_a_repetition_changes_nothing(stores: Stores, run: Run) -> None:
    stores.filled(2)
    run('database', 'swift')
    kept = dict(stores.swift.objects)
    result = run('database', 'swift')
    assert result.counts() == {'already': 4}
    assert stores.swift.objects == kept
    assert run('swift', 'database').counts() == {'already': 4}


def test_the_same_data_may_be_written_otherwise(stores: Stores, run: Run) -> None:
    node_uuid = stores.node()
    stores.write(node_uuid, '{"b": 1.0, "a": "ä"}', processed=True)
    written = b'{ "a": "\\u00e4", "b": 1.0 }'
    stores.swift.put(CONTAINER, object_name(node_uuid, processed=True), written)
    assert run('database', 'swift').counts() == {'already': 1, 'missing': 1}
    assert stores.swift.objects[CONTAINER, object_name(node_uuid, processed=True)].content == written


def test_newer_data_at_the_target_stay_unless_they_are_not_wanted(stores: Stores, run: Run) -> None:
    (node_uuid,) = stores.filled(1)
    name = object_name(node_uuid, processed=True)
    stores.swift.put(CONTAINER, name, b'{"newer": 1}')
    result = run('database', 'swift')
    assert (result.status, result.counts()) == (0, {'migrated': 1, 'other': 1})
    assert '--overwrite' in result.out
    assert stores.objects()[name] == {'newer': 1}
    assert run('database', 'swift', overwrite=True).counts() == {'migrated': 1, 'already': 1}
    assert stores.objects()[name]['node'] == node_uuid


def test_what_is_wrong_with_some_data_keeps_no_others(stores: Stores, run: Run) -> None:
    good, damaged, refused, unreadable = sorted(stores.filled(4))
    stores.write(damaged, '{"cut off', processed=False)
    stores.swift.put(CONTAINER, object_name(unreadable, processed=True), b'<html>')
    with stores.swift.fail('PUT', f'{refused}$', 413), stores.swift.fail('PUT', f'{refused}-UNPROCESSED$', 503):
        result = run('database', 'swift')
    assert result.status == 1
    assert result.counts() == {'migrated': 4, 'failed': 4}
    expected = [
        (damaged, 'unprocessed', 'JSON'), (refused, 'unprocessed', '503'), (refused, 'processed', '413'),
        (unreadable, 'processed', 'JSON'),
    ]  # fmt: skip
    for line, words in zip(result.err.splitlines(), expected, strict=True):
        assert all(word in line for word in words), line
    assert (CONTAINER, object_name(good, processed=True)) in stores.swift.objects
    # Later there is nothing wrong any more with one of them.
    result = run('database', 'swift')
    assert result.counts() == {'migrated': 2, 'already': 4, 'failed': 2}


def test_a_swift_that_is_away_ends_it(stores: Stores, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    stores.filled(7)
    result = run('database', 'swift', endpoint_override='http://127.0.0.1:1/v1/AUTH_service')
    assert result.status == 1
    assert result.counts() == {'failed': command.PATIENCE, 'not': 14 - command.PATIENCE}
    assert 'cannot be reached' in result.err
    assert 'Giving up' in result.err.splitlines()[-1]
    assert run('database', 'swift').counts() == {'migrated': 14}


def test_progress_is_told(stores: Stores, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, 'PROGRESS_INTERVAL', -1)
    stores.filled(3)
    lines = run('database', 'swift').out.splitlines()
    assert [line for line in lines if line.startswith('2 of 3 nodes')] == ['2 of 3 nodes, 0 failures'] * 2


def test_no_nodes(stores: Stores, run: Run) -> None:
    result = run('database', 'swift')
    assert result.status == 0
    assert 'no nodes' in result.out
    assert stores.swift.calls() == []


# The command line


def call(*arguments: object) -> Result:
    program = Path(sys.executable).with_name(command.PROG)
    done = subprocess.run([str(program), *map(str, arguments)], capture_output=True, text=True, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """A configuration with an empty database, and a Swift that nobody can reach."""
    url = f'sqlite:///{tmp_path}/inspector.sqlite'
    migration.upgrade(databases.configuration(url))
    path = tmp_path / 'inspector.conf'
    path.write_text(
        f'[database]\nconnection = {url}\n[swift]\nauth_type = none\nendpoint_override = http://127.0.0.1:1/v1/A\n'
    )
    return path


def test_help_says_what_to_do() -> None:
    result = call('--help')
    assert result.status == 0
    assert {'--from', '--to', '--overwrite', '--config-file'} <= set(re.findall(r'--[a-z-]+', result.out))
    assert 'store_data' in result.out
    assert 'Exit status' in result.out


def test_a_run(config_file: Path) -> None:
    result = call('--config-file', config_file, '--from', 'database', '--to', 'swift')
    assert (result.status, result.err) == (0, '')
    assert 'from database to swift' in result.out


@pytest.mark.parametrize(
    ('arguments', 'says'),
    [
        ([], '--from and --to'),
        (['--from', 'swift'], '--from and --to'),
        (['--from', 'swift', '--to', 'swift'], 'must differ'),
        (['--from', 'swift', '--to', 'none'], 'none'),
    ],
)
def test_command_lines_that_make_no_sense(config_file: Path, arguments: list[str], says: str) -> None:
    result = call('--config-file', config_file, *arguments)
    assert result.status == 1
    assert says in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize(
    ('text', 'says'),
    [
        ('[database]\nconnection = sqlite:////nowhere/inspector.sqlite\n', r'\[database\]connection'),
        ('[database]\nconnection = sqlite:///new.sqlite\n', 'ironic-inspector-dbsync upgrade'),
        ('[swift]\nauth_type = password\n', r'\[swift\]auth_type: .*auth_url'),
        ('[swift]\ndelete_after = never\n', 'delete_after'),
    ],
)
def test_configurations_that_cannot_work(config_file: Path, text: str, says: str) -> None:
    other = config_file.with_name('other.conf')
    other.write_text(text.replace('new.sqlite', f'{config_file.parent}/new.sqlite'))
    files = ['--config-file', config_file, '--config-file', other]
    result = call(*files, '--from', 'database', '--to', 'swift')
    assert result.status == 1
    assert re.search(says, result.err)
    assert len(result.err.splitlines()) == 1


def test_an_interruption(stores: Stores, database_url: str, tmp_path: Path) -> None:
    stores.filled(2)
    path = tmp_path / 'inspector.conf'
    options = '\n'.join(f'{name} = {value}' for name, value in stores.swift.options().items())
    path.write_text(f'[database]\nconnection = {database_url}\n[swift]\n{options}\n')
    program = Path(sys.executable).with_name(command.PROG)
    arguments = ['--config-file', str(path), '--from', 'database', '--to', 'swift']
    stores.swift.containers.add(CONTAINER)
    with stores.swift.fail('PUT', f'{max(stores.uuids())}-UNPROCESSED$', 'hang') as hanging:
        running = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert stores.swift.wait_for(lambda: hanging.hits, 60)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert '2 migrated' in out
    assert err.startswith(f'{command.PROG}: Interrupted')
    assert len(err.splitlines()) == 1


def test_a_store_of_the_same_name_is_refused(stores: Stores, run: Run) -> None:
    with pytest.raises(exceptions.ConfigurationError, match='differ'):
        run('swift', 'swift')


def test_options_of_the_command_are_no_options_of_the_service(conf: cfg.ConfigOpts) -> None:
    assert not {option.name for option in command.OPTS} & set(conf)
