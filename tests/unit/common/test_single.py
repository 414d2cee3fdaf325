"""Who is the only process on a database."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import os
import pathlib
import subprocess
import sys

import pytest

from ironic_inspector.common import exceptions
from ironic_inspector.common import single
from tests import databases

CHILD = """
import sys
from ironic_inspector.common import single
from tests import databases
held = single.claim(databases.configuration(sys.argv[1]), 0)
print('held', flush=True)
sys.stdin.read()
"""


@pytest.fixture
def undo() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


def claim(url: str) -> single.Claim:
    """Claim a database for this process, without waiting."""
    return single.claim(databases.configuration(url), 0)


def is_taken(url: str) -> bool:
    """Tell whether a claim of a database is refused."""
    try:
        claim(url).give_up()
    except exceptions.ConfigurationError as exc:
        return 'another process of the service works on this database' in str(exc)
    return False


@contextlib.contextmanager
def another_process(url: str, *prefix: str) -> Iterator[subprocess.Popen[bytes]]:
    """Let a process that `prefix` starts hold the claim of a database for the length of a `with` block."""
    command = [*prefix, sys.executable, '-c', CHILD, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b'held\n'
        try:
            yield process
        finally:
            process.kill()


SAME = [
    ['mysql+pymysql://u:p@localhost/i', 'mysql+pymysql://u:p@127.0.0.1/i', 'mysql://x@LOCALHOST:3306/i?charset=utf8',
     'mariadb+pymysql://u:p@[::1]/i', 'mysql+pymysql:///i'],
    ['postgresql://u@localhost/i', 'postgresql+psycopg2://127.0.0.1:5432/i', 'postgresql+psycopg:///i',
     'postgresql:///i?host=/var/run/postgresql'],
    ['mysql+pymysql://u@db.example/i', 'mysql+pymysql://v@DB.example:3306/i'],
]  # fmt: skip
"""Several ways to write the same database."""

OTHERS = [
    'mysql+pymysql://u@localhost/j',
    'mysql+pymysql://u@localhost:3307/i',
    'mysql+pymysql://u@localhost/i?unix_socket=/run/a',
    'mysql+pymysql://u@localhost/i?unix_socket=/run/b',
    'mysql+pymysql://u@db.example/i',
    'mysql+pymysql://u@192.0.2.1/i',
    'postgresql://u@localhost/i',
]
"""Databases that differ from each other, and from the first of SAME."""


@pytest.mark.parametrize('urls', SAME, ids=lambda urls: urls[0])
def test_the_same_database_on_a_server(urls: list[str], undo: contextlib.ExitStack) -> None:
    for url in urls:
        mine = claim(url)
        assert [is_taken(other) for other in urls] == [True] * len(urls)
        mine.give_up()
    assert not is_taken(urls[0])


def test_other_databases_on_servers(undo: contextlib.ExitStack) -> None:
    for url in (SAME[0][0], *OTHERS):
        undo.callback(claim(url).give_up)


def test_the_same_file(tmp_path: pathlib.Path, undo: contextlib.ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'link').symlink_to(tmp_path / 'i.sqlite')
    monkeypatch.chdir(tmp_path)
    undo.callback(claim(f'sqlite:///{tmp_path}/i.sqlite').give_up)
    for same in (f'{tmp_path}/i.sqlite', f'{tmp_path}/link', 'i.sqlite', 'file:i.sqlite?mode=rw&uri=true'):
        assert is_taken(f'sqlite:///{same}')
    assert not is_taken(f'sqlite:///{tmp_path}/j.sqlite')


def test_databases_in_memory_are_private(undo: contextlib.ExitStack) -> None:
    with another_process('sqlite://'), another_process('sqlite:///file::memory:?uri=true'):
        for url in ('sqlite://', 'sqlite:///:memory:'):
            claim(url).give_up()


@pytest.mark.parametrize('url', ['sqlite:///{}/i.sqlite', 'mysql+pymysql://u@localhost/{}'])
def test_a_process_holds_it_until_it_ends(url: str, tmp_path: pathlib.Path) -> None:
    url = url.format(tmp_path)
    with another_process(url):
        assert is_taken(url)
    assert not is_taken(url)


def test_a_file_is_one_in_all_network_namespaces(tmp_path: pathlib.Path) -> None:
    elsewhere = ['unshare', '--net'] if os.geteuid() == 0 else ['unshare', '--map-root-user', '--net']
    if subprocess.run([*elsewhere, 'true'], check=False, capture_output=True).returncode:
        pytest.skip('no network namespace can be made here')
    url = f'sqlite:///{tmp_path}/i.sqlite'
    with another_process(url, *elsewhere):
        assert is_taken(url)


def test_a_file_that_cannot_be_locked(tmp_path: pathlib.Path) -> None:
    with pytest.raises(exceptions.ConfigurationError, match=r'\[database\]connection: the file /.*: No such file'):
        claim(f'sqlite:///{tmp_path}/nowhere/i.sqlite')
