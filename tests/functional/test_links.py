"""Links in answers, whatever a client or its proxy says of the host, the port and the root."""

from __future__ import annotations

from collections.abc import Callable
import json
import pathlib
import socket
from typing import Any

import pytest

from tests.functional.lab import Lab
from tests.functional.rules import ACTION
from tests.functional.rules import UUID
from tests.functional.rules import ask
from tests.service import InspectorProcess
from tests.service import until

PATHS = ('/', '/v1', '/v1/introspection', '/v1/openapi.json')


def get(where: Any, path: str, *headers: str, version: str = '1.1') -> tuple[int, Any]:
    """Send a request as it is to a port here, or a socket's path; return the status and the document of the answer."""
    local = isinstance(where, pathlib.Path)
    with socket.socket(socket.AF_UNIX if local else socket.AF_INET) as connection:
        connection.settimeout(30)
        connection.connect(str(where) if local else ('127.0.0.1', where))
        lines = [f'GET {path} HTTP/{version}', *headers, 'Connection: close', '', '']
        connection.sendall('\r\n'.join(lines).encode('latin-1'))
        with connection.makefile('rb') as stream:
            head, _blank, body = stream.read().partition(b'\r\n\r\n')
    return int(head.split()[1]), json.loads(body)


def root_in(answer: tuple[int, Any]) -> str:
    """Return what a link to version 1 begins with."""
    status, document = answer
    assert status == 200, document
    href: str = document['versions'][0]['links'][0]['href']
    assert href.endswith('/v1')
    return href.removesuffix('/v1')


@pytest.mark.parametrize(
    ('headers', 'root'),
    [
        (['Host: my_host:5050'], 'http://my_host:5050'),
        (['Host: ironic_inspector'], 'http://ironic_inspector'),
        (['Host: _x.example.'], 'http://_x.example.'),
        (['Host: Bare.Example:5050'], 'http://Bare.Example:5050'),
        # Not what a browser would show for it.
        (['Host: xn--bcher-kva.example'], 'http://xn--bcher-kva.example'),
        (['Host: 192.0.2.1:80'], 'http://192.0.2.1'),
        (['Host: bare.example:'], 'http://bare.example'),
        (['Host: bare.example:443', 'X-Forwarded-Proto: HTTPS'], 'https://bare.example'),
        (['Host: bare.example:80', 'X-Forwarded-Proto: https'], 'https://bare.example:80'),
        (['Host: [2001:db8::1]'], 'http://[2001:db8::1]'),
        (['Host: [fe80::1%25eth0]:5050'], 'http://[fe80::1%25eth0]:5050'),
        (['Host: x y', 'X-Forwarded-Host: bare_metal', 'X-Forwarded-Port: 65535'], 'http://bare_metal:65535'),
    ],
)
def test_hosts(lab: Lab, headers: list[str], root: str) -> None:
    assert root_in(get(lab.inspector.port, '/', *headers)) == root


@pytest.mark.parametrize(
    'headers',
    [
        ['Host: bare.example', 'X-Forwarded-Port: abc'],
        ['Host: bare.example', 'X-Forwarded-Port: -1'],
        ['Host: bare.example', 'X-Forwarded-Port: 0'],
        ['Host: bare.example', 'X-Forwarded-Port: 65536'],
        ['Host: bare.example', 'X-Forwarded-Host: x@evil.example'],
        ['Host: bare.example', 'X-Forwarded-Host: \xe9'],
        ['Host: bare.example', 'X-Forwarded-Proto: javascript'],
        ['Host: :5050'],
        ['Host: -'],
        ['Host: x/y'],
        ['Host: x y'],
        ['Host: [::1'],
        ['Host: [::1]x'],
        ['Host: []'],
        ['Host: x, y'],
    ],
)
def test_what_is_no_host_is_refused_where_there_would_be_links(lab: Lab, headers: list[str]) -> None:
    for path in PATHS:
        status, document = get(lab.inspector.port, path, *headers)
        assert status == 400, document
        assert 'proxy' in document['error']['message']
    # Elsewhere it does not matter.
    assert get(lab.inspector.port, '/v1/rules', *headers)[0] == 200


@pytest.mark.parametrize(('headers', 'version'), [(['Host:'], '1.1'), ([], '1.0')])
def test_without_a_host(lab: Lab, headers: list[str], version: str) -> None:
    root = root_in(get(lab.inspector.port, '/', *headers, version=version))
    assert root == f'http://localhost:{lab.inspector.port}'
    forwarded = get(lab.inspector.port, '/', *headers, 'X-Forwarded-Port: 99', version=version)
    assert root_in(forwarded) == 'http://localhost:99'


def test_at_a_unix_socket(make_inspector: Callable[..., InspectorProcess], tmp_path: pathlib.Path) -> None:
    path = tmp_path / 'socket'
    inspector = make_inspector(start=False, DEFAULT={'listen_unix_socket': path}).start(wait=False)
    until(lambda: 'The service is up' in inspector.log())
    assert root_in(get(path, '/', version='1.0')) == 'http://localhost'
    assert root_in(get(path, '/', 'Host:')) == 'http://localhost'
    assert root_in(get(path, '/', 'Host: bare.example')) == 'http://bare.example'


@pytest.mark.parametrize(
    ('told', 'root'),
    [
        ('introspection', '/introspection'),
        ('/introspection/', '/introspection'),
        ('//evil.example/x', '/evil.example/x'),
        ('.evil.example', '/.evil.example'),
        ('@evil.example', '/@evil.example'),
        (':1', '/:1'),
        ('/a%20b', '/a%20b'),
        ('/gr\xc3\xbcn', '/gr%C3%BCn'),
        ('/\xff', '/%FF'),
        ('/', ''),
        # No path, so that there is none.
        ('/a?b', ''),
        ('/a#b', ''),
        ('/a b', ''),
        ('/%zz', ''),
        ('[p', ''),
        ('\\p', ''),
        # One hop: only the last proxy is believed.
        ('/evil, /introspection', '/introspection'),
    ],
)
@pytest.mark.parametrize('host', ['bare.example:5050', 'bare.example', '[2001:db8::1]:5050'])
def test_prefixes(lab: Lab, host: str, told: str, root: str) -> None:
    headers = (f'Host: {host}', f'X-Forwarded-Prefix: {told}')
    assert root_in(get(lab.inspector.port, '/', *headers)) == f'http://{host}{root}'
    for path in PATHS:
        assert get(lab.inspector.port, path, *headers)[0] == 200


def test_rules_below_a_prefix(lab: Lab) -> None:
    assert ask(lab, 'POST', json={'actions': [ACTION], 'uuid': UUID}).status_code == 201
    for told in ('introspection', '/introspection', '/introspection/'):
        _status, document = get(lab.inspector.port, '/v1/rules', 'Host: bare.example', f'X-Forwarded-Prefix: {told}')
        assert [rule['links'][0]['href'] for rule in document['rules']] == [f'/introspection/v1/rules/{UUID}']
