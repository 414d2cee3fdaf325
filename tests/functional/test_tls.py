"""The API over TLS, and over a unix socket."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import http.client
import json
import pathlib
import socket
import ssl
import stat
from typing import Any

import pytest
import requests

from ironic_inspector.fixtures.ironic import InMemoryIronic
from tests.certificates import Authority
from tests.functional.lab import Lab
from tests.functional.lab import message
from tests.service import InspectorProcess
from tests.service import until


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder for certificates."""
    return tmp_path_factory.mktemp('certificates')


@pytest.fixture(scope='module')
def authority(folder: pathlib.Path) -> Authority:
    """The CA of servers and clients."""
    return Authority(folder)


@pytest.fixture(scope='module')
def server_files(authority: Authority) -> tuple[pathlib.Path, pathlib.Path]:
    """Certificate and key of the service."""
    return authority.issue('server')


def ssl_options(files: tuple[pathlib.Path, pathlib.Path], **options: Any) -> dict[str, dict[str, Any]]:
    """The options of a service with a certificate and its key."""
    return {'DEFAULT': {'use_ssl': True}, 'ssl': {'cert_file': str(files[0]), 'key_file': str(files[1]), **options}}


class TlsInspector(InspectorProcess):
    """`ironic-inspector` that speaks TLS, and who trusts its CA."""

    def __init__(self, folder: pathlib.Path, ironic_url: str, authority: Authority, **options: Any) -> None:
        """See InspectorProcess."""
        super().__init__(folder, ironic_url, options)
        self.url = self.url.replace('http:', 'https:')
        self.http.verify = str(authority.certificate)


@contextlib.contextmanager
def running(folder: pathlib.Path, authority: Authority, **options: Any) -> Iterator[Lab]:
    """Run a service that speaks TLS."""
    with InMemoryIronic() as ironic:
        inspector = TlsInspector(folder, ironic.url, authority, **options)
        try:
            inspector.sync_database()
            yield Lab(ironic, inspector.start())
        finally:
            inspector.kill()


@pytest.fixture(scope='module')
def encrypted(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority, server_files: tuple[pathlib.Path, pathlib.Path]
) -> Iterator[Lab]:
    """A service that speaks TLS with everybody."""
    with running(tmp_path_factory.mktemp('inspector'), authority, **ssl_options(server_files)) as lab:
        yield lab


def connected(lab: Lab) -> socket.socket:
    """A TCP connection to a service."""
    return socket.create_connection(('127.0.0.1', lab.inspector.port), timeout=60)


def test_an_introspection(encrypted: Lab) -> None:
    machine = encrypted.finished()
    status = encrypted.status(machine)
    assert status['links'][0]['href'] == f'{encrypted.inspector.url}/v1/introspection/{machine.uuid}'
    until(lambda: encrypted.log_of(f'listens on {encrypted.inspector.url}'))


def test_a_large_body(encrypted: Lab) -> None:
    machine = encrypted.waiting()
    assert encrypted.call_back(machine.data(padding='x' * 3_000_000)).status_code == 200
    encrypted.reached(machine, 'finished')
    assert len(encrypted.data(machine).json()['padding']) == 3_000_000


def test_who_does_not_trust_the_certificate_does_not_connect(encrypted: Lab) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(encrypted.inspector.url, timeout=60)


def test_plain_http_is_told_what_to_do(encrypted: Lab) -> None:
    for _time in range(3):
        answer = requests.get(encrypted.inspector.url.replace('https', 'http'), timeout=60)
        assert answer.status_code == 400
        assert 'https' in message(answer)
    assert encrypted.inspector.call('GET', '/').status_code == 200


@pytest.mark.parametrize('sent', [b'', b'\0' * 10, b'\x16\x03\x01\xff\xff', b'\x80.\x01\x03\x00', b'SSH-2.0-x\r\n'])
def test_what_is_no_tls(encrypted: Lab, sent: bytes) -> None:
    # It may be gone before all of this is done.
    with connected(encrypted) as sock, contextlib.suppress(OSError):
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(4096):
            pass
    assert encrypted.inspector.call('GET', '/').status_code == 200
    assert encrypted.log_of('Traceback') == []


def test_who_is_slow_about_it_keeps_nobody_out(encrypted: Lab) -> None:
    with contextlib.ExitStack() as stack:
        for _number in range(10):
            stack.enter_context(connected(encrypted)).sendall(b'\x16\x03\x01')
        # A new connection each: all of them are accepted, and shake hands, while the others say nothing.
        for _number in range(5):
            url = encrypted.inspector.url
            assert requests.get(url, verify=encrypted.inspector.http.verify, timeout=5).status_code == 200


@pytest.mark.parametrize('version', [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=['1.2', '1.3'])
def test_versions(encrypted: Lab, authority: Authority, version: ssl.TLSVersion) -> None:
    assert _shakes_hands(encrypted, authority, version)


def _shakes_hands(lab: Lab, authority: Authority, version: ssl.TLSVersion) -> bool:
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.minimum_version = context.maximum_version = version
    try:
        with connected(lab) as sock, context.wrap_socket(sock, server_hostname='localhost') as secure:
            secure.sendall(b'GET / HTTP/1.0\r\n\r\n')
            return secure.recv(12).startswith(b'HTTP/1.')
    except ssl.SSLError:
        return False


def test_one_version_and_other_ciphers(
    tmp_path: pathlib.Path, authority: Authority, server_files: tuple[pathlib.Path, pathlib.Path]
) -> None:
    options = ssl_options(server_files, version='tlsv1_2', ciphers='ECDHE+CHACHA20')
    with running(tmp_path, authority, **options) as lab:
        assert _shakes_hands(lab, authority, ssl.TLSVersion.TLSv1_2)
        assert not _shakes_hands(lab, authority, ssl.TLSVersion.TLSv1_3)
        context = ssl.create_default_context(cafile=str(authority.certificate))
        with connected(lab) as sock, context.wrap_socket(sock, server_hostname='localhost') as secure:
            cipher = secure.cipher()
        assert cipher
        assert 'CHACHA20' in cipher[0]


def test_clients_with_certificates(
    tmp_path: pathlib.Path, folder: pathlib.Path, authority: Authority, server_files: tuple[pathlib.Path, pathlib.Path]
) -> None:
    strangers = Authority(folder, 'other-ca')
    known, unknown = authority.issue('client'), strangers.issue('stranger')
    options = ssl_options(server_files, ca_file=str(authority.certificate))
    with InMemoryIronic() as ironic:
        inspector = TlsInspector(tmp_path, ironic.url, authority, **options)
        inspector.http.cert = (str(known[0]), str(known[1]))
        try:
            inspector.sync_database()
            lab = Lab(ironic, inspector.start())
            lab.finished()
            for certificate in (None, (str(unknown[0]), str(unknown[1]))):
                with pytest.raises(requests.exceptions.ConnectionError):
                    requests.get(inspector.url, verify=inspector.http.verify, cert=certificate, timeout=60)
            until(lambda: lab.log_of('TLS with the client 127.0.0.1 failed'))
            assert lab.log_of('Traceback') == []
            assert inspector.call('GET', '/').status_code == 200
        finally:
            inspector.kill()


def test_a_wrong_file_stops_the_start(make_inspector: Callable[..., InspectorProcess], tmp_path: pathlib.Path) -> None:
    inspector = make_inspector(start=False, **ssl_options((tmp_path / 'missing', tmp_path / 'key')))
    inspector.start(wait=False)
    assert inspector.wait() == 1
    assert f'[ssl]cert_file: {tmp_path}/missing cannot be read' in inspector.log().splitlines()[-1]
    assert 'Traceback' not in inspector.log()


# Unix sockets


class _UnixConnection(http.client.HTTPConnection):
    """HTTP through a unix socket, with TLS or without."""

    def __init__(self, path: pathlib.Path, context: ssl.SSLContext | None) -> None:
        super().__init__('localhost')
        self._path = path
        self._context = context

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))
        if self._context:
            self.sock = self._context.wrap_socket(self.sock, server_hostname='localhost')


@pytest.mark.parametrize('secure', [False, True])
def test_a_unix_socket(
    make_inspector: Callable[..., InspectorProcess],
    tmp_path: pathlib.Path,
    authority: Authority,
    server_files: tuple[pathlib.Path, pathlib.Path],
    secure: bool,
) -> None:
    path = tmp_path / 'socket'
    options = ssl_options(server_files) if secure else {'DEFAULT': {}}
    options['DEFAULT'] |= {'listen_unix_socket': str(path), 'listen_unix_socket_mode': '660'}
    inspector = make_inspector(start=False, **options)
    inspector.start(wait=False)
    until(lambda: 'The service is up' in inspector.log())
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    context = ssl.create_default_context(cafile=str(authority.certificate)) if secure else None
    connection = _UnixConnection(path, context)
    for _time in range(2):
        connection.request('GET', '/v1')
        answer = connection.getresponse()
        assert answer.status == 200
        assert len(json.loads(answer.read())['resources']) == 3
    connection.close()
    assert inspector.stop() == 0
    assert not path.exists()


def test_a_unix_socket_belongs_to_one_service(
    make_inspector: Callable[..., InspectorProcess], tmp_path: pathlib.Path
) -> None:
    path = tmp_path / 'socket'
    first, second, third = (make_inspector(start=False, DEFAULT={'listen_unix_socket': path}) for _time in range(3))
    path.write_text('precious')
    first.start(wait=False)
    assert first.wait() == 1
    assert f'[DEFAULT]listen_unix_socket: {path} is there' in first.log()
    assert path.read_text() == 'precious'
    path.unlink()
    second.start(wait=False)
    until(lambda: 'The service is up' in second.log())
    third.start(wait=False)
    assert third.wait() == 1
    assert f'[DEFAULT]listen_unix_socket: another process listens on {path}' in third.log()
    connection = _UnixConnection(path, None)
    connection.request('GET', '/v1')
    assert connection.getresponse().status == 200
    connection.close()
    # Left alone if it belongs to somebody else now, and taken if nobody is there any more.
    path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
    assert second.stop() == 0
    assert path.is_socket()
    first.start(wait=False)
    until(lambda: 'The service is up' in first.log())
    assert first.stop() == 0
    assert not path.exists()
