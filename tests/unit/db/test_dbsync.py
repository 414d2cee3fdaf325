"""ironic-inspector-dbsync, from its command line to what it prints and leaves in the database."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
import logging
import os
from pathlib import Path
import shutil
import subprocess
import sys
from typing import Final

import pytest

from ironic_inspector.cmd import dbsync
from ironic_inspector.db import migration
from tests import databases

CHECKOUT: Final = Path(__file__).resolve().parents[3]
NEWEST: Final = migration.scripts().get_heads()[0]
PARENT: Final = migration.scripts().get_revision(NEWEST).down_revision


@dataclass(frozen=True)
class Result:
    """What a run of the command left."""

    status: int
    out: str
    err: str


Dbsync = Callable[..., Result]


def write_config(url: str, folder: Path, **options: object) -> Path:
    """Write a configuration file for the database at `url` with more options of [database]; returns its path."""
    settings = {'connection': url.replace('$', '$$'), 'max_retries': 1, 'retry_interval': 0, **options}
    path = folder / 'inspector.conf'
    path.write_text('\n'.join(['[database]', *(f'{name} = {value}' for name, value in settings.items())]) + '\n')
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Dbsync]:
    """Run dbsync in this process; afterwards logging is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, 'excepthook', sys.excepthook)

    def run_dbsync(*arguments: object) -> Result:
        try:
            status = dbsync.main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = int(end.code or 0)
        captured = capsys.readouterr()
        return Result(status, captured.out, captured.err)

    yield run_dbsync
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.fixture
def on_database(run: Dbsync, database_url: str, tmp_path: Path) -> Dbsync:
    """Run dbsync on an empty database of each kind."""
    config = write_config(database_url, tmp_path)
    return lambda *arguments: run('--config-file', config, *arguments)


@pytest.fixture
def on_sqlite(run: Dbsync, sqlite_url: str, tmp_path: Path) -> Dbsync:
    """Run dbsync on an empty SQLite database."""
    config = write_config(sqlite_url, tmp_path)
    return lambda *arguments: run('--config-file', config, *arguments)


def assert_fails(result: Result, *parts: str) -> None:
    """Assert that the command failed and said why in one line of its own."""
    assert result.status == 1
    last = result.err.splitlines()[-1]
    assert last.startswith('ironic-inspector-dbsync: ')
    for part in parts:
        assert part in last
    assert 'Traceback' not in result.err
    assert result.out == ''


def test_upgrade_of_an_empty_database(on_database: Dbsync) -> None:
    result = on_database('upgrade')

    assert result.status == 0
    assert result.out.splitlines()[0].startswith('Upgraded to b55109d5063a: ')
    assert result.out.splitlines()[-1].startswith(f'Upgraded to {NEWEST}: ')
    assert result.err == ''
    assert on_database('current').out == f'{NEWEST} (head)\n'


def test_upgrade_of_a_current_database(on_sqlite: Dbsync) -> None:
    on_sqlite('upgrade')

    assert on_sqlite('upgrade') == Result(0, 'Nothing to upgrade.\n', '')


def test_upgrade_to_a_revision(on_sqlite: Dbsync) -> None:
    assert on_sqlite('upgrade', '--revision', 'b55109d5063a').status == 0

    assert on_sqlite('current').out == 'b55109d5063a\n'


def test_upgrade_to_a_revision_without_a_value_means_the_newest(on_sqlite: Dbsync) -> None:
    on_sqlite('upgrade', '--revision')

    assert on_sqlite('current').out == f'{NEWEST} (head)\n'


def test_upgrade_to_an_unknown_revision(on_database: Dbsync) -> None:
    assert_fails(on_database('upgrade', '--revision', 'ffffffffffff'), 'ffffffffffff')

    assert on_database('current').out == ''


def test_upgrade_of_a_database_that_is_older_than_12_5(on_sqlite: Dbsync, sqlite_url: str) -> None:
    with databases.connected(sqlite_url) as connection:
        connection.exec_driver_sql('CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)')
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('bf8dec16023c')")

    assert_fails(on_sqlite('upgrade'), 'bf8dec16023c', 'with ironic-inspector 12.5 first')
    assert on_sqlite('current').out == 'bf8dec16023c\n'


def test_current_of_an_empty_database(on_database: Dbsync) -> None:
    assert on_database('current') == Result(0, '', '')


def test_history(on_sqlite: Dbsync) -> None:
    lines = on_sqlite('history').out.splitlines()

    assert lines[0].startswith(f'{PARENT} -> {NEWEST} (head), ')
    assert lines[-2].startswith('b55109d5063a -> 4e1be77a2c0c, ')
    assert lines[-1].startswith('<base> -> b55109d5063a, ')


def test_heads(on_sqlite: Dbsync) -> None:
    assert on_sqlite('heads') == Result(0, f'{NEWEST} (head)\n', '')


def test_branches(on_sqlite: Dbsync) -> None:
    assert on_sqlite('branches') == Result(0, '', '')


def test_show(on_sqlite: Dbsync) -> None:
    result = on_sqlite('show', '--revision', 'head')

    assert result.status == 0
    assert f'Rev: {NEWEST} (head)' in result.out
    assert f'Parent: {PARENT}' in result.out


def test_show_of_an_unknown_revision(on_sqlite: Dbsync) -> None:
    assert_fails(on_sqlite('show', '--revision', 'ffffffffffff'), 'ffffffffffff')


def test_stamp(on_database: Dbsync, database_url: str) -> None:
    assert on_database('stamp', '--revision', 'b55109d5063a').status == 0

    assert on_database('current').out == 'b55109d5063a\n'
    assert databases.describe_schema(database_url) == {}


def test_stamp_with_an_unknown_revision(on_sqlite: Dbsync) -> None:
    assert_fails(on_sqlite('stamp', '--revision', 'ffffffffffff'), 'ffffffffffff')


@pytest.mark.parametrize('command', ['stamp', 'show'])
def test_revision_is_required(on_sqlite: Dbsync, command: str) -> None:
    result = on_sqlite(command)

    assert result.status == 2
    assert '--revision' in result.err


def test_without_a_command(on_sqlite: Dbsync) -> None:
    result = on_sqlite()

    assert result.status == 2
    assert 'required: command' in result.err


def test_help_lists_the_commands(run: Dbsync) -> None:
    result = run('--help')

    assert result.status == 0
    for command in dbsync.COMMANDS:
        assert command in result.out


def test_config_dir(run: Dbsync, sqlite_url: str, tmp_path: Path) -> None:
    folder = tmp_path / 'conf.d'
    folder.mkdir()
    write_config(sqlite_url, folder)

    assert run('--config-dir', folder, 'upgrade').status == 0

    with databases.opened(sqlite_url) as database:
        migration.check_is_current(database)


@pytest.mark.parametrize(
    ('url', 'part'),
    [
        ('mysql+pymysql://root@127.0.0.1:1/inspector', '127.0.0.1'),
        ('postgresql+psycopg2://postgres@127.0.0.1:1/inspector', '127.0.0.1'),
        ('sqlite:////nonexistent/inspector.sqlite', 'unable to open database file'),
        ('nonsense', 'URL'),
        ('nosuchdatabase://127.0.0.1/inspector', 'nosuchdatabase'),
        ('postgresql+pg8000://127.0.0.1/inspector', 'pg8000'),
    ],
)
def test_database_that_cannot_be_used(run: Dbsync, tmp_path: Path, url: str, part: str) -> None:
    config = write_config(url, tmp_path)

    assert_fails(run('--config-file', config, 'upgrade'), '[database]connection', part)


def test_password_is_not_shown(run: Dbsync, tmp_path: Path) -> None:
    config = write_config('mysql+pymysql://root:quite-secret@127.0.0.1:1/inspector', tmp_path)

    assert 'quite-secret' not in run('--config-file', config, 'upgrade').err


def test_missing_config_file(run: Dbsync, tmp_path: Path) -> None:
    assert_fails(run('--config-file', tmp_path / 'absent.conf', 'upgrade'), 'absent.conf')


def test_malformed_config_file(run: Dbsync, tmp_path: Path) -> None:
    config = tmp_path / 'inspector.conf'
    config.write_text('nonsense\n')

    assert_fails(run('--config-file', config, 'upgrade'), 'inspector.conf')


def test_malformed_option(run: Dbsync, sqlite_url: str, tmp_path: Path) -> None:
    config = write_config(sqlite_url, tmp_path, max_retries='many')

    assert_fails(run('--config-file', config, 'upgrade'), 'max_retries')


def test_malformed_logging_configuration(run: Dbsync, sqlite_url: str, tmp_path: Path) -> None:
    config = write_config(sqlite_url, tmp_path)

    assert_fails(run('--config-file', config, '--log-config-append', tmp_path / 'absent.ini', 'upgrade'), 'absent.ini')


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the program that may be written to."""
    copy = tmp_path / 'checkout'
    for name in ('alembic', 'ironic_inspector'):
        shutil.copytree(CHECKOUT / name, copy / name, ignore=shutil.ignore_patterns('__pycache__'))
    return copy


def start(checkout: Path, *arguments: object) -> subprocess.Popen[str]:
    """Start dbsync as a process of its own from `checkout`."""
    # What pip recorded about an installation from the original may stand next to it.
    path = f'{checkout}{os.pathsep}{CHECKOUT}'
    return subprocess.Popen(
        [sys.executable, '-m', 'ironic_inspector.cmd.dbsync', *map(str, arguments)],
        cwd=checkout,
        env={**os.environ, 'PYTHONPATH': path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize('options', [(), ('--autogenerate',)])
def test_revision(checkout: Path, sqlite_url: str, tmp_path: Path, options: tuple[str, ...]) -> None:
    config = write_config(sqlite_url, tmp_path)
    start(checkout, '--config-file', config, 'upgrade').communicate()

    process = start(checkout, '--config-file', config, 'revision', '-m', 'More of it', *options)
    _, err = process.communicate()

    assert process.returncode == 0, err
    (made,) = checkout.glob('alembic/versions/*_more_of_it.py')
    assert f"down_revision = '{NEWEST}'" in made.read_text()
    out, err = start(checkout, '--config-file', config, 'upgrade').communicate()
    assert out.endswith(': More of it\n'), err


def test_two_upgrades_at_once(sqlite_url: str, tmp_path: Path) -> None:
    config = write_config(sqlite_url, tmp_path)

    processes = [start(CHECKOUT, '--config-file', config, 'upgrade') for _ in range(2)]
    results = [(process.communicate(), process.returncode) for process in processes]

    assert [status for _, status in results] == [0, 0], results
    assert sorted(out == 'Nothing to upgrade.\n' for (out, _), _ in results) == [False, True]
