"""The service inside real WSGI servers: an introspection through each, how it ends, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
import os
from pathlib import Path
import signal
from typing import ClassVar

import pytest
import requests

from ironic_inspector.fixtures import inventories
from ironic_inspector.fixtures.ironic import InMemoryIronic
from tests.service import until
from tools import components
from tools import processes

MAC = '52:54:00:12:34:56'


class _Server(components.Inspector):
    """The service in a WSGI server, below `prefix`, started with further arguments of that server."""

    environment: ClassVar[str | None] = 'wsgi'
    # Tests look at how it ends.
    grace: ClassVar[float] = 60
    ending: ClassVar[str]
    """What the server writes when it has been told to end."""

    def __init__(
        self,
        folder: Path,
        ironic_url: str,
        options: components.Options | None = None,
        *,
        prefix: str = '',
        arguments: Sequence[str] = (),
        workers: int = 1,
    ) -> None:
        super().__init__(folder, ironic_url, options)
        self.url += prefix
        self._prefix = prefix
        self._arguments = arguments
        self._workers = workers

    @property
    def log(self) -> str:
        """What the server and the service have written so far."""
        return (self.folder / f'{type(self).__name__.lower()}.log').read_text(errors='replace')

    def launch(self) -> processes.Process:
        """Start it without waiting for an answer; it ends with the test at the latest."""
        process = processes.Process(type(self).__name__.lower(), self.command(), self.folder, grace=self.grace)
        self._running.callback(process.stop)
        return process


class Gunicorn(_Server):
    """gunicorn, which imports the application and gets the configuration by an environment variable."""

    ending = 'Handling signal: term'

    def command(self) -> Sequence[str | Path]:
        configured = f'OS_IRONIC_INSPECTOR_CONFIG_FILES={self.config}'
        return [
            'env', configured, self.program('gunicorn'), '--no-control-socket', '--bind', f'127.0.0.1:{self.port}',
            '--workers', str(self._workers), '--threads', '8', '--env', f'SCRIPT_NAME={self._prefix}', *self._arguments,
            'ironic_inspector.wsgi:application',
        ]  # fmt: skip


class Uwsgi(_Server):
    """uWSGI, which loads the application from the file of the program, or below a prefix by its name."""

    ending = 'Gracefully killing worker'

    def command(self) -> Sequence[str | Path]:
        program = self.program('ironic-inspector-api-wsgi')
        mount = ['--manage-script-name', '--mount', f'{self._prefix}=ironic_inspector.wsgi:application']
        where = mount if self._prefix else ['--file', program]
        return [
            self.program('uwsgi'), '--http-socket', f'127.0.0.1:{self.port}', '--master', '--need-app',
            '--processes', str(self._workers), '--threads', '8',
            '--hook-master-start', 'unix_signal:15 gracefully_kill_them_all', '--pyargv',
            f'--config-file {self.config}', *where, *self._arguments,
        ]  # fmt: skip


LAZY = ['--lazy-apps']
SERVERS = [pytest.param(Gunicorn, [], id='gunicorn'), pytest.param(Uwsgi, LAZY, id='uwsgi')]
Make = Callable[..., _Server]


@pytest.fixture
def ironic() -> Iterator[InMemoryIronic]:
    """An in-memory Ironic."""
    with InMemoryIronic() as server:
        yield server


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What ends with the test."""
    with ExitStack() as undo:
        yield undo


def enrol(server: _Server, ironic: InMemoryIronic, mac: str = MAC) -> tuple[str, str]:
    """Enrol a machine; return its UUID, and the address of its introspection."""
    node = ironic.add_node(driver_info={})
    ironic.add_port(node['uuid'], mac)
    return node['uuid'], f'{server.url}/v1/introspection/{node["uuid"]}'


def introspect(server: _Server, ironic: InMemoryIronic, mac: str = MAC) -> None:
    """Take a new node through an introspection."""
    _uuid, url = enrol(server, ironic, mac)
    assert requests.post(url, timeout=60).status_code == 202
    until(lambda: requests.get(url, timeout=60).json()['state'] == 'waiting')
    answer = requests.post(server.callback_url, json=inventories.ramdisk_data(mac, bmc_address=None), timeout=60)
    assert answer.status_code == 200, answer.text
    until(lambda: requests.get(url, timeout=60).json()['state'] == 'finished')


@pytest.mark.parametrize('prefix', ['', '/baremetal/introspection'])
@pytest.mark.parametrize(('kind', 'arguments'), SERVERS)
def test_an_introspection(
    kind: type[_Server], arguments: list[str], prefix: str, ironic: InMemoryIronic, tmp_path: Path
) -> None:
    with kind(tmp_path, ironic.url, prefix=prefix, arguments=arguments) as server:
        introspect(server, ironic)
        [status] = requests.get(f'{server.url}/v1/introspection', timeout=60).json()['introspection']
        assert status['links'][0]['href'] == f'{server.url}/v1/introspection/{status["uuid"]}'
        answer = requests.get(f'{server.url}/v1/nowhere', timeout=60)
        assert (answer.status_code, list(answer.json())) == (404, ['error'])
    assert 'The service has ended' in server.log
    assert 'Traceback' not in server.log


@pytest.mark.parametrize(('kind', 'arguments'), SERVERS)
def test_work_in_progress_is_ended_first(
    kind: type[_Server], arguments: list[str], ironic: InMemoryIronic, stack: ExitStack, tmp_path: Path
) -> None:
    server = stack.enter_context(kind(tmp_path, ironic.url, arguments=arguments))
    uuid, url = enrol(server, ironic)
    with ironic.fail('PUT', f'{uuid}/states/power', 'hang') as hanging:
        assert requests.post(url, timeout=60).status_code == 202
        assert ironic.wait_for(lambda: hanging.hits, 30)
        _end(server)
        until(lambda: 'Shutting down' in server.log)
    until(lambda: 'The service has ended' in server.log)
    server.stop()
    server.start()
    assert requests.get(url, timeout=60).json()['state'] == 'waiting'


@pytest.mark.parametrize(('kind', 'arguments'), SERVERS)
def test_a_request_in_progress_is_answered_first(
    kind: type[_Server], arguments: list[str], ironic: InMemoryIronic, stack: ExitStack, tmp_path: Path
) -> None:
    server = stack.enter_context(kind(tmp_path, ironic.url, arguments=arguments))
    uuid, url = enrol(server, ironic)
    client = stack.enter_context(ThreadPoolExecutor(1))
    with ironic.fail('GET', f'nodes/{uuid}', 'hang') as hanging:
        answer = client.submit(requests.post, url, timeout=60)
        assert ironic.wait_for(lambda: hanging.hits, 30)
        _end(server)
        until(lambda: kind.ending in server.log)
    assert answer.result().status_code == 202
    until(lambda: 'The service has ended' in server.log)


def _end(server: _Server) -> None:
    """Tell the master process of the server to end, as an init system does."""
    worker = int(server.log.rpartition(' INFO ironic_inspector.cmd.wsgi')[0].rpartition('\n')[2].split()[2])
    [master] = Path(f'/proc/{worker}/stat').read_text().rpartition(') ')[2].split()[1:2]
    os.kill(int(master), signal.SIGTERM)


def test_gunicorn_reloads(ironic: InMemoryIronic, tmp_path: Path) -> None:
    with Gunicorn(tmp_path, ironic.url, arguments=['--pid', 'gunicorn.pid']) as server:
        introspect(server, ironic)
        os.kill(int((tmp_path / 'gunicorn.pid').read_text()), signal.SIGHUP)
        until(lambda: server.log.count('The service is up') == 2)
        introspect(server, ironic, '52:54:00:12:34:57')


@pytest.mark.parametrize(('kind', 'arguments'), SERVERS)
def test_a_second_worker_is_refused(
    kind: type[_Server], arguments: list[str], ironic: InMemoryIronic, stack: ExitStack, tmp_path: Path
) -> None:
    server = kind(tmp_path, ironic.url, arguments=arguments, workers=2)
    stack.callback(server.stop)
    server.prepare()
    assert server.launch().wait(90) not in (0, None), server.log
    lines = [line for line in server.log.splitlines() if 'cannot start' in line]
    assert len(lines) == 1, server.log
    assert '[database]connection' in lines[0]
    assert '--workers 1 --threads' in lines[0]
    assert 'Traceback' not in server.log


@pytest.mark.parametrize(
    ('kind', 'arguments'), [pytest.param(Gunicorn, ['--preload'], id='gunicorn'), pytest.param(Uwsgi, [], id='uwsgi')]
)
def test_a_worker_that_was_forked_late_says_so(
    kind: type[_Server], arguments: list[str], ironic: InMemoryIronic, stack: ExitStack, tmp_path: Path
) -> None:
    server = kind(tmp_path, ironic.url, arguments=arguments)
    stack.callback(server.stop)
    server.prepare()
    server.launch()
    status, text = until(lambda: _answer(server.url))
    assert (status, 'forked after' in text) == (503, True), text
    assert 'forked after' in server.log


def _answer(url: str) -> tuple[int, str] | None:
    try:
        answer = requests.get(url, timeout=60)
    except requests.ConnectionError:
        return None
    return answer.status_code, answer.json()['error']['message']


@pytest.mark.parametrize(('kind', 'arguments'), SERVERS)
def test_a_wrong_configuration_stops_the_server(
    kind: type[_Server], arguments: list[str], ironic: InMemoryIronic, stack: ExitStack, tmp_path: Path
) -> None:
    server = kind(tmp_path, ironic.url, {'processing': {'processing_hooks': 'magic'}}, arguments=arguments)
    stack.callback(server.stop)
    server.prepare()
    assert server.launch().wait(60) not in (0, None), server.log
    lines = [line for line in server.log.splitlines() if 'ironic-inspector-api-wsgi cannot start: ' in line]
    assert len(lines) == 1, server.log
    assert "[processing]processing_hooks: there is no 'magic' installed" in lines[0]
    assert 'Traceback' not in server.log


def test_the_program_by_itself_is_the_service(ironic: InMemoryIronic, tmp_path: Path) -> None:
    class Alone(_Server):
        def command(self) -> Sequence[str | Path]:
            return [self.program('ironic-inspector-api-wsgi'), '--config-file', self.config]

    with Alone(tmp_path, ironic.url) as server:
        introspect(server, ironic)
