"""Child processes that end with their parent, and what is needed to talk to them: ports, environment, readiness."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import os
from pathlib import Path
import signal
import socket
import subprocess
import sys
import time
from types import TracebackType
import urllib.error
import urllib.request

_GUARD = Path(__file__).with_name('guard.py')
_LOG_TAIL_LINES = 15


class ProcessError(Exception):
    """A child process failed, or was not ready in time. The message ends with its last output and where the rest is."""


def reserve_port() -> int:
    """A TCP port of 127.0.0.1 that nobody uses and that the kernel gives to nobody else for a minute.

    A connection made and closed leaves the port in TIME_WAIT: a server (they all set SO_REUSEADDR) may listen on it,
    but neither another reservation nor an outgoing connection is given it.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(('127.0.0.1', 0))
        listener.listen(1)
        port = int(listener.getsockname()[1])
        with socket.create_connection(('127.0.0.1', port)) as client:
            served, _ = listener.accept()
            served.close()
            client.recv(1)
    return port


def child_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what would mislead another environment's Python or OpenStack clients.

    A proxy of the user's stays configured, but not for this machine itself.
    """
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(('OS_', 'PYTHON', 'PYTEST_')) and name != 'VIRTUAL_ENV'
    }
    direct = '127.0.0.1,localhost'
    for name in ('no_proxy', 'NO_PROXY'):
        environ[name] = ','.join(filter(None, (environ.get(name), direct)))
    environ['PYTHONUNBUFFERED'] = '1'
    return environ | dict(extra or {})


def answers(url: str) -> bool:
    """Whether an HTTP server answers this URL with a success."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5):
            return True
    except (OSError, urllib.error.HTTPError):
        return False


class Process:
    """A running command with its output in a file; use it in a `with` block.

    It ends, with everything it started, at the end of the block or when this process dies, however it dies.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[object],
        folder: Path,
        *,
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        grace: float = 10,
    ) -> None:
        """Start `command`; its output is appended to `folder`/`name`.log. `grace`: seconds from SIGTERM to SIGKILL."""
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.log = folder / f'{name}.log'
        self._grace = grace
        guard = [sys.executable, '-I', '-S', str(_GUARD), str(grace)]
        with self.log.open('ab') as output:
            self._guard = subprocess.Popen(
                [*guard, *(str(part) for part in command)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd or folder,
                env=child_environment(environ),
                # The terminal's Ctrl-C is for the parent, which then ends its children in good order.
                start_new_session=True,
            )

    def __enter__(self) -> 'Process':
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait(self, timeout: float) -> int | None:
        """The command's exit status (128 + N after signal N), or None when it still runs after `timeout` seconds."""
        try:
            return self._guard.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def wait_ready(self, ready: Callable[[], bool], timeout: float) -> None:
        """Return when `ready` does; ProcessError when the command ends before, or after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not ready():
            if (status := self.wait(0.1)) is not None:
                raise self.failure(f'ended with status {status} instead of serving')
            if time.monotonic() > deadline:
                raise self.failure(f'was not ready after {timeout:g} s')

    def failure(self, what: str) -> ProcessError:
        """An error about this command that shows the end of its output."""
        lines = self.log.read_text(errors='replace').splitlines()[-_LOG_TAIL_LINES:]
        return ProcessError('\n'.join([f'{self.name} {what}.', *lines, f'All of its output: {self.log}']))

    def stop(self) -> None:
        """End the command and all that it started; harmless when it has ended already."""
        if self._guard.stdin:
            self._guard.stdin.close()
        try:
            self._guard.wait(self._grace + 5)
        except subprocess.TimeoutExpired:
            os.killpg(self._guard.pid, signal.SIGKILL)
            self._guard.wait()


def run(
    name: str,
    command: Sequence[object],
    folder: Path,
    *,
    timeout: float,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Path:
    """Run a command to its end and return the file that holds its output; ProcessError unless it succeeds in time."""
    with Process(name, command, folder, environ=environ, cwd=cwd) as process:
        status = process.wait(timeout)
        if status is None:
            raise process.failure(f'did not end within {timeout:g} s')
        if status:
            raise process.failure(f'failed with status {status}')
        return process.log
