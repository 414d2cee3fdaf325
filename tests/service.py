"""The service in a process of its own, for tests that talk to it over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
import functools
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

import requests

from tests import contract
from tools.processes import reserve_port

BIN = pathlib.Path(sys.executable).parent
START_TIMEOUT = 60.0


def until(condition: Any, timeout: float = 30.0, interval: float = 0.02) -> Any:
    """Return the first true value that `condition()` gives; fail if there is none within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f'{condition} did not come true within {timeout} s'
        pause.wait(interval)


@functools.cache
def _new_database() -> bytes:
    """Return the file of an SQLite database at the newest revision."""
    with tempfile.TemporaryDirectory() as folder:
        config, database = pathlib.Path(folder, 'conf'), pathlib.Path(folder, 'inspector.sqlite')
        config.write_text(f'[database]\nconnection = sqlite:///{database}\n')
        command = [str(BIN / 'ironic-inspector-dbsync'), '--config-file', str(config), 'upgrade']
        subprocess.run(command, check=True, capture_output=True)
        return database.read_bytes()


class InspectorProcess:
    """`ironic-inspector` with a configuration of its own, on a free port."""

    def __init__(
        self, folder: pathlib.Path, ironic_url: str, options: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        """Write a configuration into `folder`; `options` (group: name: value) come on top of what tests need."""
        self.folder = folder
        self.port = reserve_port()
        self.url = f'http://127.0.0.1:{self.port}'
        self.config_file = folder / 'ironic-inspector.conf'
        self.log_file = folder / 'ironic-inspector.log'
        self.options: dict[str, dict[str, Any]] = {
            'DEFAULT': {
                'auth_strategy': 'noauth',
                'listen_address': '127.0.0.1',
                'listen_port': self.port,
                'introspection_delay': 0,
                # Housekeeping asks Ironic at a time of its own, in the midst of what a test counts.
                'clean_up_period': 0,
                'debug': False,
            },
            'ironic': {'auth_type': 'none', 'endpoint_override': ironic_url, 'retry_interval': 1, 'max_retries': 3},
            'database': {'connection': f'sqlite:///{folder}/inspector.sqlite'},
            'processing': {'store_data': 'database'},
            'pxe_filter': {'driver': 'noop'},
        }
        for group, values in (options or {}).items():
            self.options.setdefault(group, {}).update(values)
        self.prefix: list[str] = []
        """A command that runs the service, such as one that changes the network namespace."""
        self._process: subprocess.Popen[bytes] | None = None
        self.http = requests.Session()
        self.http.trust_env = False

    def write_config(self) -> None:
        """Write the configuration file."""
        lines = []
        for group, values in self.options.items():
            lines.append(f'[{group}]')
            lines += [f'{name} = {value}' for name, value in values.items() if value is not None]
        self.config_file.write_text('\n'.join(lines) + '\n')

    def sync_database(self) -> None:
        """Bring the database to the newest revision."""
        self.write_config()
        own = self.folder / 'inspector.sqlite'
        if self.options['database'] == {'connection': f'sqlite:///{own}'} and not own.exists():
            # Made once in each process of tests: to make it takes longer than most of them.
            own.write_bytes(_new_database())
        else:
            self._call('ironic-inspector-dbsync', 'upgrade')

    def start(self, *, wait: bool = True) -> InspectorProcess:
        """Start the process and wait until it answers."""
        self.write_config()
        with self.log_file.open('ab') as log:
            self._process = subprocess.Popen(
                [*self.prefix, str(BIN / 'ironic-inspector'), '--config-file', str(self.config_file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # SIGABRT then shows what each thread does.
                env=os.environ | {'PYTHONFAULTHANDLER': '1'},
            )
        if wait:
            until(self._is_up, START_TIMEOUT)
        return self

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log()
        try:
            return self.http.get(self.url, timeout=5).ok
        except requests.RequestException:
            return False

    def send_signal(self, number: int) -> None:
        """Send the process a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, timeout: float = 60.0) -> int:
        """Wait for the process to end and return its exit status; fails, saying what its threads do, if it goes on."""
        assert self._process is not None
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGABRT)
            self._process.wait()
            raise AssertionError(f'The service has not ended after {timeout} s:\n{self.log()[-8000:]}') from None

    def stop(self) -> int:
        """End the process as an operator does."""
        if self._process is None or self._process.poll() is not None:
            return -1
        self.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End the process as a power failure does."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """The id of the process."""
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        """Return what the process has logged so far."""
        return self.log_file.read_text(errors='replace')

    # Requests

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Send a request; fails if the answer is none that the description of the API has."""
        answer = self.http.request(method, self.url + path, timeout=120, **kwargs)
        contract.of_the_code().check(answer)
        return answer

    def status(self, node_id: str) -> dict[str, Any]:
        """Return the status of a node."""
        answer = self.call('GET', f'/v1/introspection/{node_id}')
        assert answer.status_code == 200, answer.text
        status: dict[str, Any] = answer.json()
        return status

    def wait_for_state(self, node_id: str, *states: str, timeout: float = 30.0) -> dict[str, Any]:
        """Wait until a node is in one of `states` and return its status."""

        def reached() -> dict[str, Any] | None:
            status = self.status(node_id)
            assert status['state'] in states or status['state'] != 'error', status
            return status if status['state'] in states else None

        result: dict[str, Any] = until(reached, timeout)
        return result

    def _call(self, command: str, *arguments: str) -> None:
        subprocess.run(
            [str(BIN / command), '--config-file', str(self.config_file), *arguments],
            check=True,
            capture_output=True,
            env=os.environ | {'PYTHONWARNINGS': 'ignore'},
        )
