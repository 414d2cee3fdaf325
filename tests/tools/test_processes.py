"""Child processes end with their parent, whatever ends that, and take along what they have started."""

from collections.abc import Callable
import contextlib
import os
from pathlib import Path
import signal
import subprocess
import sys
import threading
import time

import pytest

from tools import processes

# Starts a process of its own that has left the group, tells both ids, and then waits for its end.
_FAMILY = """
import os, pathlib, subprocess, sys, signal
child = subprocess.Popen(['sleep', '600'], start_new_session=True)
pathlib.Path('family.part').write_text(f'{os.getpid()} {child.pid}')
os.rename('family.part', 'family')
if sys.argv[1:] == ['stubborn']:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.pause()
"""


def until(condition: Callable[[], bool], timeout: float = 20) -> None:
    """Wait for a condition; AssertionError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        pause.wait(0.02)


def runs(pid: int) -> bool:
    """Whether a process exists (a zombie, which only its parent can remove, does not count)."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return ') Z ' not in Path(f'/proc/{pid}/stat').read_text()
    return False


def family(folder: Path) -> list[int]:
    """The processes that _FAMILY has made in this folder, once they are there."""
    until((folder / 'family').exists)
    return [int(pid) for pid in (folder / 'family').read_text().split()]


def test_the_end_of_the_block_ends_all_that_was_started(tmp_path: Path) -> None:
    with processes.Process('family', [sys.executable, '-c', _FAMILY], tmp_path):
        pids = family(tmp_path)
        assert all(runs(pid) for pid in pids)

    assert not any(runs(pid) for pid in pids)


def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, '-c', _FAMILY, 'stubborn']
    with processes.Process('family', command, tmp_path, grace=0.2):
        pids = family(tmp_path)

    assert not any(runs(pid) for pid in pids)


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_a_parent_that_is_killed(tmp_path: Path, number: signal.Signals) -> None:
    parent_code = (
        'import pathlib, sys; from tools import processes\n'
        'processes.Process("family", [sys.executable, "-c", sys.argv[1]], pathlib.Path(sys.argv[2])).wait(600)\n'
    )
    checkout = Path(processes.__file__).parents[1]
    command = [sys.executable, '-c', parent_code, _FAMILY, str(tmp_path)]
    with subprocess.Popen(command, cwd=checkout, stderr=subprocess.DEVNULL) as parent:
        pids = family(tmp_path)
        os.kill(parent.pid, number)

    until(lambda: not any(runs(pid) for pid in pids))


def test_run_returns_where_the_output_is(tmp_path: Path) -> None:
    assert processes.run('greet', ['echo', 'hello'], tmp_path, timeout=10).read_text() == 'hello\n'


def test_run_says_what_failed_and_shows_the_output(tmp_path: Path) -> None:
    with pytest.raises(processes.ProcessError, match=r'(?s)^build failed with status 3\..*no such thing.*build\.log'):
        processes.run('build', ['sh', '-c', 'echo no such thing >&2; exit 3'], tmp_path, timeout=10)


def test_run_is_bounded_in_time(tmp_path: Path) -> None:
    with pytest.raises(processes.ProcessError, match=r'did not end within 0\.1 s'):
        processes.run('slow', ['sleep', '600'], tmp_path, timeout=0.1)


def test_waiting_for_a_server_that_ended_shows_why(tmp_path: Path) -> None:
    command = ['sh', '-c', 'echo address in use; exit 1']
    with (
        processes.Process('server', command, tmp_path) as server,
        pytest.raises(processes.ProcessError, match=r'(?s)ended with status 1 instead of serving.*address in use'),
    ):
        server.wait_ready(lambda: False, timeout=10)


def test_reserved_ports_differ() -> None:
    ports = [processes.reserve_port() for _ in range(50)]

    assert len(set(ports)) == 50


def test_clients_settings_do_not_reach_the_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('OS_AUTH_URL', 'http://192.0.2.1/')
    monkeypatch.setenv('PYTHONPATH', '/elsewhere')
    monkeypatch.setenv('no_proxy', 'example.org')

    environ = processes.child_environment({'EXTRA': '1'})

    assert environ.keys().isdisjoint({'OS_AUTH_URL', 'PYTHONPATH'})
    assert (environ['EXTRA'], environ['no_proxy']) == ('1', 'example.org,127.0.0.1,localhost')
