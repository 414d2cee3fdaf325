"""The API as a whole: versions, headers, verbs, unknown URLs, request ids, links."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import re
import threading
from typing import Any
import wsgiref.simple_server

import flask
from oslo_config import cfg
import pytest
import requests
from werkzeug import serving
from werkzeug.middleware import dispatcher

from ironic_inspector import conf as configuration
from ironic_inspector.api import app as api_app
from ironic_inspector.api import routes
from ironic_inspector.conductor.manager import ConductorManager
from ironic_inspector.db import engine
from tests.functional.lab import Lab
from tests.functional.lab import message
from tests.service import until

MINIMUM = 'X-OpenStack-Ironic-Inspector-API-Minimum-Version'
MAXIMUM = 'X-OpenStack-Ironic-Inspector-API-Maximum-Version'
VERSION = 'X-OpenStack-Ironic-Inspector-API-Version'
STANDARD = 'OpenStack-API-Version'
REQUEST_ID = 'X-OpenStack-Request-Id'
NEWEST = '1.19'
VERBS = ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')
URLS = sorted({route.path for route in routes.ROUTES})


def of(path: str) -> str:
    """Return a URL that a path of the table stands for."""
    for name in ('<node_id>', '<rule_uuid>'):
        path = path.replace(name, '4e1b6f0c-1111-4000-8000-000000000000')
    return path


def methods_of(path: str) -> set[str]:
    """Return the verbs that a path of the table has."""
    # To the table, a preview of rules is a rule as well.
    paths = {path, '/v1/rules/<rule_uuid>'} if path == '/v1/rules/preview' else {path}
    return {route.method for route in routes.ROUTES if route.path in paths}


def links(document: dict[str, Any]) -> list[str]:
    """Return all links of an answer."""
    (items,) = document.values()
    return [link['href'] for item in items for link in item['links']]


def test_versions(lab: Lab) -> None:
    answer = lab.inspector.call('GET', '/')
    assert answer.status_code == 200
    link = {'rel': 'self', 'href': f'{lab.inspector.url}/v1'}
    assert answer.json() == {'versions': [{'id': NEWEST, 'status': 'CURRENT', 'links': [link]}]}


def test_resources(lab: Lab) -> None:
    answer = lab.inspector.call('GET', '/v1')
    assert answer.status_code == 200
    expected = [
        {'name': name, 'links': [{'rel': 'self', 'href': f'{lab.inspector.url}/v1/{name}'}]}
        for name in ('continue', 'introspection', 'rules')
    ]
    assert sorted(answer.json()['resources'], key=lambda resource: str(resource['name'])) == expected


@pytest.mark.parametrize(
    'path',
    ['/v0', '/v2', '/v1.18', '/v', '/V1', '/nowhere', '/v1/nowhere', '/v1/continue/x', '/v1//introspection',
     '/v1/introspection/x/nowhere', '/v1/introspection/x/data/processed', '/v1/introspection/x/data/unprocessed/x',
     '/static/x', '/favicon.ico'],
)  # fmt: skip
@pytest.mark.parametrize('method', VERBS)
def test_what_is_not_there(lab: Lab, method: str, path: str) -> None:
    answer = lab.inspector.http.request(method, f'{lab.inspector.url}{path}', timeout=30)
    assert answer.status_code == 404
    assert 'GET /v1' in message(answer)
    assert (answer.headers[MINIMUM], answer.headers[MAXIMUM]) == ('1.0', NEWEST)


@pytest.mark.parametrize('path', URLS)
def test_verbs_that_a_url_does_not_have(lab: Lab, path: str) -> None:
    allowed = methods_of(path)
    for method in set(VERBS) - allowed:
        answer = lab.inspector.call(method, of(path))
        assert answer.status_code == 405, (method, path)
        assert message(answer)
        assert allowed <= set(answer.headers['Allow'].split(', '))
        assert (answer.headers[MINIMUM], answer.headers[MAXIMUM]) == ('1.0', NEWEST)


@pytest.mark.parametrize('path', URLS)
def test_a_slash_at_the_end_changes_nothing(lab: Lab, path: str) -> None:
    for method in methods_of(path):
        answers = [lab.inspector.call(method, of(path).rstrip('/') + end, allow_redirects=False) for end in ('', '/')]
        assert answers[0].status_code == answers[1].status_code
        assert answers[0].status_code not in (301, 302, 307, 308)
        if path != '/':
            assert answers[0].content == answers[1].content


@pytest.mark.parametrize('path', URLS)
def test_options_and_head(lab: Lab, path: str) -> None:
    methods = methods_of(path)
    answer = lab.inspector.call('OPTIONS', of(path))
    assert answer.status_code in (200, 204)
    assert methods <= set(answer.headers['Allow'].split(', '))
    assert answer.headers[MAXIMUM] == NEWEST
    head = lab.inspector.call('HEAD', of(path))
    assert head.content == b''
    assert head.headers[MAXIMUM] == NEWEST
    if 'GET' in methods:
        get = lab.inspector.call('GET', of(path))
        assert head.status_code == get.status_code
        assert head.headers['Content-Length'] == get.headers['Content-Length']
    else:
        assert head.status_code == 405


def test_head_of_a_status(lab: Lab) -> None:
    machine = lab.waiting()
    assert lab.inspector.call('HEAD', f'/v1/introspection/{machine.uuid}').status_code == 200


@pytest.mark.parametrize(
    ('headers', 'status'),
    [
        ({}, 200),
        ({VERSION: '1.0'}, 200),
        ({VERSION: NEWEST}, 200),
        ({VERSION: 'latest'}, 200),
        ({VERSION: 'Latest'}, 200),
        ({VERSION: '1.5 '}, 200),
        ({VERSION: '1.18'}, 200),
        ({VERSION: '1.20'}, 406),
        ({VERSION: '0.9'}, 406),
        ({VERSION: '2.0'}, 406),
        ({VERSION: '1.9999'}, 406),
        ({VERSION: ''}, 200),
        ({VERSION: '', STANDARD: 'baremetal-introspection 1.99'}, 406),
        ({VERSION: '1'}, 400),
        ({VERSION: '1.x'}, 400),
        ({VERSION: '1.1.1'}, 400),
        ({VERSION: '-1.0'}, 400),
        ({VERSION: '1.-5'}, 400),
        ({VERSION: 'v1.5'}, 400),
        ({VERSION: '\xb2.\xb3'}, 400),
        ({VERSION: '1.' + '9' * 5000}, 400),
        ({STANDARD: f'baremetal-introspection {NEWEST}'}, 200),
        ({STANDARD: 'baremetal-introspection latest'}, 200),
        ({STANDARD: 'compute 2.79'}, 200),
        ({STANDARD: 'compute 2.79, baremetal-introspection 1.5'}, 200),
        ({STANDARD: 'compute 2.79, baremetal-introspection 1.99'}, 406),
        ({STANDARD: 'baremetal-introspection 9.9'}, 406),
        ({STANDARD: 'baremetal-introspection'}, 400),
        ({STANDARD: 'baremetal-introspection x'}, 400),
        ({VERSION: '1.5', STANDARD: 'baremetal-introspection 1.5'}, 200),
    ],
)
@pytest.mark.parametrize('path', ['/', '/v1', '/v1/introspection'])
def test_versions_that_are_asked_for(lab: Lab, path: str, headers: dict[str, str], status: int) -> None:
    encoded = {name: value.encode('latin-1') for name, value in headers.items()}
    answer = lab.inspector.call('GET', path, headers=encoded)
    assert answer.status_code == status, answer.text
    assert (answer.headers[MINIMUM], answer.headers[MAXIMUM]) == ('1.0', NEWEST)
    if status == 406:
        assert f'1.0 to {NEWEST}' in message(answer)
    elif status == 400:
        assert 'X.Y' in message(answer)


def test_every_answer_has_an_id_that_the_log_knows(lab: Lab) -> None:
    seen = set()
    for method, path, version in [
        ('GET', '/', None),
        ('GET', '/nowhere', None),
        ('PUT', '/v1', None),
        ('GET', '/v1', 'x'),
        ('GET', '/v1', '9.9'),
        ('POST', '/v1/continue', None),
        ('GET', '/v1/introspection/nobody', None),
    ]:
        answer = lab.inspector.call(method, path, headers={VERSION: version} if version else {})
        seen.add(answer.headers[REQUEST_ID])
    assert len(seen) == 7
    assert all(re.fullmatch(r'req-[0-9a-f-]{36}', each) for each in seen)
    machine = lab.machine()
    start = lab.start(machine)
    lab.reached(machine, 'waiting')
    callback = lab.call_back(machine.data())
    lab.reached(machine, 'finished')
    # What goes on in the background belongs to the request as well. It is logged after it can be seen.
    until(lambda: _logged(lab, start, 'starting', 'waiting'))
    until(lambda: _logged(lab, callback, 'processing', 'finished'))


def _logged(lab: Lab, answer: requests.Response, *states: str) -> bool:
    """Tell whether the log says, in lines of the request that got an answer, that a node came to some states."""
    lines = lab.log_of(answer.headers[REQUEST_ID])
    return all(any(f'-> {state}' in line or f'as {state}' in line for line in lines) for state in states)


def test_answers_without_content(lab: Lab) -> None:
    machine = lab.finished()
    answers = [lab.start(machine)]
    lab.reached(machine, 'waiting')
    answers.append(lab.abort(machine))
    for answer in answers:
        assert answer.status_code == 202
        assert answer.headers['Content-Type'] == 'application/json'
        assert answer.headers['Content-Length'] == str(len(answer.content))
        assert answer.json() == {}


# Links

PROXIES = [
    ({'X-Forwarded-Host': 'bare.example'}, 'http://bare.example'),
    ({'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'bare.example'}, 'https://bare.example'),
    ({'X-Forwarded-Host': 'bare.example', 'X-Forwarded-Port': '8443'}, 'http://bare.example:8443'),
    (
        {'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'bare.example', 'X-Forwarded-Prefix': '/introspection'},
        'https://bare.example/introspection',
    ),
    ({'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': '[2001:db8::1]:5050'}, 'https://[2001:db8::1]:5050'),
    # One hop: only the last proxy is believed.
    ({'X-Forwarded-Host': 'evil.example, bare.example'}, 'http://bare.example'),
    ({'X-Forwarded-For': '198.51.100.1'}, None),
    ({'Host': 'direct.example:99'}, 'http://direct.example:99'),
]


@pytest.mark.parametrize(('headers', 'root'), PROXIES)
def test_links_behind_a_proxy(lab: Lab, headers: dict[str, str], root: str | None) -> None:
    root = root or lab.inspector.url
    machine = lab.waiting()
    for path, expected in (('/', '/v1'), ('/v1', '/v1/introspection'), ('/v1/introspection', machine.uuid)):
        found = links(lab.inspector.call('GET', path, headers=headers).json())
        assert all(link.startswith(f'{root}/v1') for link in found), found
        assert any(link.endswith(expected) for link in found), found


@pytest.fixture
def app(lab: Lab) -> Iterator[flask.Flask]:
    """The application on the lab's database, in this process."""
    conf = cfg.ConfigOpts()
    configuration.register_opts(conf)
    conf(['--config-file', str(lab.inspector.config_file)])
    database = engine.Database(conf)
    conductor = ConductorManager(conf, database)
    yield api_app.create_app(conf, conductor)
    conductor.stop(1)
    conductor.close()
    database.dispose()


@contextlib.contextmanager
def served(application: Any) -> Iterator[str]:
    """Serve a WSGI application by another server and yield its address."""
    server = serving.make_server('127.0.0.1', 0, application, request_handler=_Quiet, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f'http://127.0.0.1:{server.server_port}'
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(serving.WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


def test_links_below_another_application(lab: Lab, app: flask.Flask) -> None:
    machine = lab.finished()
    mounted = dispatcher.DispatcherMiddleware(wsgiref.simple_server.demo_app, {'/bare/metal': app})
    with served(mounted) as root, requests.Session() as session:
        for end in ('', '/'):
            assert links(session.get(f'{root}/bare/metal{end}').json()) == [f'{root}/bare/metal/v1']
        found = links(session.get(f'{root}/bare/metal/v1').json())
        assert f'{root}/bare/metal/v1/introspection' in found
        status = session.get(f'{root}/bare/metal/v1/introspection/{machine.uuid}').json()
        assert status['links'][0]['href'] == f'{root}/bare/metal/v1/introspection/{machine.uuid}'
        prefixed = session.get(f'{root}/bare/metal', headers={'X-Forwarded-Prefix': '/outer'})
        assert links(prefixed.json())[0].endswith('/outer/v1')
        assert session.get(f'{root}/v1').status_code == 200
        assert 'Hello' in session.get(f'{root}/v1').text
        missing = session.get(f'{root}/bare/metal/nowhere')
        assert missing.status_code == 404
        assert message(missing)


def test_another_server_takes_the_same_bodies(lab: Lab, app: flask.Flask) -> None:
    machine = lab.finished()
    with served(app) as root, requests.Session() as session:
        chunked = session.post(f'{root}/v1/continue', data=iter([b'{"error":', b' "x"}']))
        assert chunked.status_code in (400, 404)
        assert session.get(f'{root}/v1/introspection/{machine.uuid}/data').json()['macs'] == [machine.mac]
