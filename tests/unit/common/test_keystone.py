"""Finding a service, and requests to it with credentials that may have to be renewed."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from concurrent import futures
import http.server
import json
from pathlib import Path
import threading
from typing import Any

from keystoneauth1 import exceptions as ks_exceptions
from oslo_config import cfg
import pytest
import urllib3

from ironic_inspector.common import exceptions
from ironic_inspector.common import keystone
from ironic_inspector.common.keystone import Endpoint
from ironic_inspector.fixtures.http_server import HttpServer
from ironic_inspector.fixtures.http_server import Incoming
from ironic_inspector.fixtures.http_server import Response


class Tokens:
    """Stands in for keystoneauth's session: the tokens "1", "2" and so on, each until it is invalidated."""

    def __init__(self) -> None:
        self.made = 1
        self._valid = True

    def get_auth_headers(self) -> dict[str, str]:
        if not self._valid:
            self.made += 1
            self._valid = True
        return {'X-Auth-Token': str(self.made)}

    def invalidate(self) -> bool:
        was_valid, self._valid = self._valid, False
        return was_valid


class Password:
    """A session whose credentials are always the same."""

    def get_auth_headers(self) -> dict[str, str]:
        return {'Authorization': 'Basic eDp5'}

    def invalidate(self) -> bool:
        return False


@pytest.fixture
def url() -> Iterator[str]:
    """A service that accepts the token "2"; the first requests are refused together."""
    together = threading.Barrier(4)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            accepted = self.headers.get('X-Auth-Token') == '2'
            if self.headers.get('X-Auth-Token') == '1':
                together.wait(30)
            self.send_response(200 if accepted else 401)
            self.send_header('Content-Length', '0')
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f'http://127.0.0.1:{server.server_port}'
        server.shutdown()
        thread.join(30)


def test_threads_that_are_refused_together_renew_the_token_once(url: str) -> None:
    tokens = Tokens()
    with urllib3.PoolManager(maxsize=4) as connections:
        endpoint = Endpoint(tokens, url, connections, 30, {})
        with futures.ThreadPoolExecutor(4) as pool:
            answers = [asked.result(60) for asked in [pool.submit(endpoint.request, 'GET', '/') for _ in range(4)]]
    assert [answer.status for answer in answers] == [200] * 4
    assert tokens.made == 2


def test_a_password_that_is_refused_is_not_tried_again(url: str) -> None:
    with urllib3.PoolManager() as connections:
        assert Endpoint(Password(), url, connections, 30, {}).request('GET', '/').status == 401


class Cloud:
    """An identity service, Swift's own way to log in, and a service that answers with the request it was sent."""

    def __init__(self) -> None:
        self._server = HttpServer(self._answer, ('127.0.0.1', 0), 4, 'cloud')
        self.logins = 0

    def __enter__(self) -> Cloud:
        self._server.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        return self._server.url

    def _token(self) -> dict[str, Any]:
        urls = {'public': f'{self.url}/public', 'internal': f'{self.url}/v1/AUTH_4711'}
        endpoints = [{'interface': kind, 'region_id': 'R', 'url': url} for kind, url in urls.items()]
        return {
            'methods': ['password'],
            'user': {'id': '1', 'name': 'inspector', 'domain': {'id': 'default'}},
            'project': {'id': '4711', 'name': 'service', 'domain': {'id': 'default'}},
            'issued_at': '2026-01-01T00:00:00.000000Z',
            'expires_at': '2999-01-01T00:00:00.000000Z',
            'catalog': [{'type': 'object-store', 'name': 'swift', 'endpoints': endpoints}],
        }

    def _answer(self, request: Incoming) -> Response:
        if request.path == '/v3/auth/tokens':
            self.logins += 1
            return Response(201, json.dumps({'token': self._token()}).encode(), [('X-Subject-Token', 'of keystone')])
        if request.path == '/v3':
            version = {'id': 'v3.14', 'status': 'stable', 'links': [{'rel': 'self', 'href': f'{self.url}/v3'}]}
            return Response(200, json.dumps({'version': version}).encode())
        if request.path == '/auth/v1.0':
            self.logins += 1
            headers = [('X-Auth-Token', 'of swift'), ('X-Storage-Url', f'{self.url}/v1/AUTH_own')]
            return Response(200, b'', headers)
        names = ('X-Auth-Token', 'Authorization', 'Content-Type', 'X-Extra')
        headers = [(f'Sent-{name}', request.header(name) or '') for name in names]
        return Response(200, json.dumps([request.method, request.path, dict(headers)]).encode() + request.body)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """A cloud of one process."""
    with Cloud() as running:
        yield running


Connect = Callable[..., Endpoint]


@pytest.fixture
def connect(conf: cfg.ConfigOpts, tmp_path: Path) -> Connect:
    """A function that finds the Swift that options in [swift] lead to."""

    def find(**options: str) -> Endpoint:
        file = tmp_path / 'swift.conf'
        file.write_text('\n'.join(['[swift]', *(f'{name} = {value}' for name, value in options.items())]))
        conf(['--config-file', str(file)])
        return keystone.connect(conf, 'swift', versions=None, timeout=30, connections=4)

    return find


def echo(endpoint: Endpoint, **arguments: Any) -> tuple[str, str, dict[str, str]]:
    """Send a request and return what came of it: verb, path and some of the headers."""
    method, path, headers = endpoint.request('GET', '/c', **arguments).json()
    return method, path, headers


def test_a_fixed_address_is_taken_as_it_is(cloud: Cloud, connect: Connect) -> None:
    endpoint = connect(auth_type='none', endpoint_override=f'{cloud.url}/v1/AUTH_x/')
    assert endpoint.url == f'{cloud.url}/v1/AUTH_x'
    method, path, _headers = echo(endpoint)
    assert (method, path) == ('GET', '/v1/AUTH_x/c')


def keystone_login(cloud: Cloud) -> dict[str, str]:
    """Return the options for a login with Keystone."""
    return {
        'auth_type': 'password', 'auth_url': f'{cloud.url}/v3', 'username': 'inspector', 'password': 'secret',
        'user_domain_id': 'default', 'project_name': 'service', 'project_domain_id': 'default',
    }  # fmt: skip


def swift_login(cloud: Cloud) -> dict[str, str]:
    """Return the options for a login with Swift itself."""
    auth_url = f'{cloud.url}/auth/v1.0'
    return {'auth_type': 'v1password', 'auth_url': auth_url, 'username': 'service:inspector', 'password': 'secret'}


@pytest.mark.parametrize(
    ('login', 'account', 'token'),
    [(keystone_login, 'AUTH_4711', 'of keystone'), (swift_login, 'AUTH_own', 'of swift')],
)
def test_a_password(
    cloud: Cloud, connect: Connect, login: Callable[[Cloud], dict[str, str]], account: str, token: str
) -> None:
    endpoint = connect(**login(cloud))
    for _time in range(2):
        _method, path, headers = echo(endpoint)
        assert path == f'/v1/{account}/c'
        assert headers['Sent-X-Auth-Token'] == token
    assert cloud.logins == 1


def test_a_user_and_a_password_in_each_request(cloud: Cloud, connect: Connect) -> None:
    endpoint = connect(auth_type='http_basic', endpoint=f'{cloud.url}/x', username='x', password='y')
    _method, path, headers = echo(endpoint)
    assert path == '/x/c'
    assert headers['Sent-Authorization'] == 'Basic eDp5'


def test_an_address_with_the_project_in_it(cloud: Cloud, connect: Connect) -> None:
    template = f'{cloud.url}/v1/AUTH_%(project_id)s'
    assert connect(**keystone_login(cloud), endpoint_override=template).url == f'{cloud.url}/v1/AUTH_4711'


@pytest.mark.parametrize('part', ['%(project_id)s', '%(magic)s', '%(project_id)', '%(project_id'])
def test_addresses_that_cannot_be_filled_in(cloud: Cloud, connect: Connect, part: str) -> None:
    with pytest.raises(keystone.Failure, match='cannot be filled in'):
        connect(auth_type='none', endpoint_override=f'{cloud.url}/v1/AUTH_{part}')


def test_no_address_at_all(cloud: Cloud, connect: Connect) -> None:
    with pytest.raises(ks_exceptions.EndpointNotFound):
        connect(**keystone_login(cloud), region_name='another')


def test_what_is_sent(cloud: Cloud, connect: Connect) -> None:
    endpoint = connect(auth_type='none', endpoint_override=cloud.url)
    for arguments, sent in (({'body': {'a': 'ä'}}, b'{"a": "\\u00e4"}'), ({'content': b'\xff'}, b'\xff'), ({}, b'')):
        answer = endpoint.request('PUT', '/c', headers={'X-Extra': 'more'}, **arguments)
        assert answer.body.endswith(b'}]' + sent)
        assert b'"Sent-X-Extra": "more"' in answer.body
        assert b'"Sent-Content-Type": "application/json"' in answer.body
    assert b'"text/plain"' in endpoint.request('PUT', '/c', content=b'', headers={'Content-Type': 'text/plain'}).body


@pytest.mark.parametrize(
    ('text', 'says'),
    [
        ('', 'is not set'),
        ('auth_type = magic', 'magic'),
        ('auth_type = password', 'auth_url'),
        ('auth_type = v1password', 'auth_url'),
    ],
)
def test_options_that_cannot_work(conf: cfg.ConfigOpts, tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / 'swift.conf'
    file.write_text(f'[swift]\n{text}\n')
    conf(['--config-file', str(file)])
    with pytest.raises(exceptions.ConfigurationError, match=rf'\[swift\]auth_type.*{says}'):
        keystone.check(conf, 'swift')
