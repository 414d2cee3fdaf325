"""Who may do what: tokens of Keystone, passwords, nobody asked."""

from __future__ import annotations

import base64
from collections.abc import Callable
from collections.abc import Iterator
from concurrent import futures
import contextlib
import pathlib
from typing import Any

import bcrypt
import pytest
import requests

from ironic_inspector.api.routes import ROUTES
from ironic_inspector.api.routes import Route
from ironic_inspector.fixtures.keystone import InMemoryKeystone
from tests.functional.lab import UNKNOWN
from tests.functional.lab import Lab
from tests.functional.lab import message
from tests.functional.lab import running_lab
from tests.service import InspectorProcess
from tests.service import until
from tools.processes import reserve_port

STATUSES = '/v1/introspection'
PUBLIC = {'introspection', 'introspection:version', 'introspection:continue'}
EVERYTHING = {route.policy for route in ROUTES}
READING = PUBLIC | {'introspection:status'}
PERMITTED: dict[str, set[str]] = {
    'nobody': PUBLIC,
    'garbage': PUBLIC,
    'expired': PUBLIC,
    'revoked': PUBLIC,
    'admin': EVERYTHING,
    'ADMIN': EVERYTHING,
    'service': EVERYTHING,
    'administrator': EVERYTHING,
    'baremetal_admin': EVERYTHING,
    'system admin': EVERYTHING,
    'system reader': READING,
    'baremetal_observer': READING,
    'reader': PUBLIC,
    'member': PUBLIC,
    'system member': PUBLIC,
    'no role': PUBLIC,
}
"""What each kind of caller may do, by the policy rules."""
STRANGERS = ('nobody', 'garbage', 'expired', 'revoked')


@pytest.fixture(scope='module')
def keystone() -> Iterator[InMemoryKeystone]:
    """An in-memory Keystone for all tests of the module, which leave no fault behind."""
    with InMemoryKeystone() as server:
        yield server


def with_keystone(keystone: InMemoryKeystone, **options: Any) -> dict[str, dict[str, Any]]:
    """The options of a service that checks tokens with `keystone`."""
    group = {**keystone.options(), 'www_authenticate_uri': keystone.url, 'http_request_max_retries': 0, **options}
    return {'DEFAULT': {'auth_strategy': 'keystone'}, 'keystone_authtoken': group}


@pytest.fixture(scope='module')
def guarded(tmp_path_factory: pytest.TempPathFactory, keystone: InMemoryKeystone) -> Iterator[Lab]:
    """A service that checks tokens with `keystone`."""
    with running_lab(tmp_path_factory.mktemp('inspector'), **with_keystone(keystone)) as running:
        yield running


def token_of(keystone: InMemoryKeystone, caller: str) -> str | None:
    """The token of a kind of caller."""
    if caller == 'nobody':
        return None
    if caller == 'garbage':
        return 'gAAAAABgarbage'
    if caller == 'expired':
        return keystone.issue('admin', lifetime=-60)
    if caller == 'revoked':
        token = keystone.issue('admin')
        keystone.revoke(token)
        return token
    scope, _space, role = caller.rpartition(' ')
    return keystone.issue(*([] if caller == 'no role' else [role]), system=scope == 'system')


def path_of(route: Route) -> str:
    """A URL of a route that leads to nothing that there is."""
    return route.path.replace('<node_id>', UNKNOWN).replace('<rule_uuid>', UNKNOWN)


def ask(lab: Lab | InspectorProcess, token: str | None, method: str = 'GET', path: str = STATUSES) -> requests.Response:
    """Send a request with a token."""
    inspector = lab.inspector if isinstance(lab, Lab) else lab
    return inspector.call(method, path, headers={} if token is None else {'X-Auth-Token': token})


@pytest.mark.parametrize('caller', PERMITTED)
def test_every_route_for_every_kind_of_caller(guarded: Lab, keystone: InMemoryKeystone, caller: str) -> None:
    token = token_of(keystone, caller)
    for route in ROUTES:
        answer = ask(guarded, token, route.method, path_of(route))
        at = f'{caller}: {route.method} {route.path}'
        if route.policy in PERMITTED[caller]:
            assert answer.status_code in (200, 204, 400, 404), at
        elif caller in STRANGERS:
            assert answer.status_code == 401, at
            assert answer.headers['WWW-Authenticate'] == f'Keystone uri="{keystone.url}"', at
            assert 'X-Auth-Token' in message(answer), at
        else:
            assert answer.status_code == 403, at
            assert route.policy in message(answer), at
        assert answer.headers['X-OpenStack-Request-Id'].startswith('req-'), at
        assert 'X-OpenStack-Ironic-Inspector-API-Maximum-Version' in answer.headers, at


def test_reading_is_not_more_with_head(guarded: Lab, keystone: InMemoryKeystone) -> None:
    assert ask(guarded, None, 'HEAD').status_code == 401
    assert ask(guarded, keystone.issue('member'), 'HEAD').status_code == 403
    assert ask(guarded, keystone.issue('admin'), 'HEAD').status_code == 200


@pytest.mark.parametrize('token', [None, 'garbage'])
@pytest.mark.parametrize(
    ('method', 'path', 'status'), [('OPTIONS', '/v1/rules', 200), ('PUT', '/v1/rules', 405), ('GET', '/v2', 404)]
)
def test_what_urls_there_are_is_no_secret(guarded: Lab, token: str | None, method: str, path: str, status: int) -> None:
    assert ask(guarded, token, method, path).status_code == status


def test_a_trailing_slash_opens_nothing(guarded: Lab) -> None:
    assert ask(guarded, None, 'GET', '/v1/rules/').status_code == 401


def test_nobody_becomes_somebody_by_headers(guarded: Lab, keystone: InMemoryKeystone) -> None:
    pretended = {
        'X-Identity-Status': 'Confirmed',
        'X-Roles': 'admin',
        'X-Role': 'admin',
        'X-User-Id': 'me',
        'X-Project-Id': 'mine',
        'OpenStack-System-Scope': 'all',
    }
    assert guarded.inspector.call('GET', STATUSES, headers=pretended).status_code == 401
    mine = pretended | {'X-Auth-Token': keystone.issue('member')}
    assert guarded.inspector.call('GET', STATUSES, headers=mine).status_code == 403


@pytest.mark.parametrize(
    'token',
    ['', '\xe9', 'a b', '\x01', '../../v3/users', '%00', '"', 'x' * 16384, 'x' * 20000, '{"a": 1}', 'None'],
)
def test_what_is_no_token(guarded: Lab, token: str) -> None:
    answer = guarded.inspector.call('GET', STATUSES, headers={'X-Auth-Token': token.encode('latin-1')})
    assert answer.status_code == 401
    message(answer)


def test_a_refused_body_in_chunks_does_not_become_the_next_request(guarded: Lab) -> None:
    chunks = (b'GET / HTTP/1.1\r\nHost: x\r\n\r\n' for _number in range(3))
    assert guarded.inspector.call('POST', '/v1/rules', data=chunks).status_code == 401
    assert ask(guarded, None).status_code == 401


def test_the_log_says_who_it_was_and_not_the_token(make_lab: Callable[..., Lab], keystone: InMemoryKeystone) -> None:
    options = with_keystone(keystone)
    options['DEFAULT']['debug'] = True
    lab = make_lab(**options)
    machine = lab.machine()
    token = keystone.issue('admin', user='jane')
    assert ask(lab, token, 'POST', f'/v1/introspection/{machine.uuid}').status_code == 202
    until(lambda: lab.sql('SELECT state FROM nodes') == [('waiting',)])
    assert any('introspection begins' in line for line in lab.log_of('id-of-jane'))
    assert token not in lab.inspector.log()


def test_an_application_credential_with_access_rules(guarded: Lab, keystone: InMemoryKeystone) -> None:
    rules = [{'service': 'baremetal-introspection', 'method': 'GET', 'path': '/v1/introspection'}]
    keystone.add_endpoint('baremetal-introspection', guarded.inspector.url)
    token = keystone.issue('admin', access_rules=rules)
    assert ask(guarded, token).status_code == 200
    assert ask(guarded, token, 'GET', '/v1/rules').status_code == 401


def test_access_rules_hold_whatever_prefix_is_claimed(guarded: Lab, keystone: InMemoryKeystone) -> None:
    rules = [{'service': 'baremetal-introspection', 'method': 'GET', 'path': '/v1/introspection/**'}]
    keystone.add_endpoint('baremetal-introspection', guarded.inspector.url)
    headers = {'X-Auth-Token': keystone.issue('admin', access_rules=rules)}
    assert guarded.inspector.call('GET', '/v1/introspection/nobody', headers=headers).status_code == 404
    for prefix in ('/v1/introspection', '/v1/introspection/', '/v1/introspection/x'):
        answer = guarded.inspector.call('GET', '/v1/rules', headers={**headers, 'X-Forwarded-Prefix': prefix})
        assert answer.status_code == 401


def test_access_rules_and_a_path_that_is_not_utf_8(guarded: Lab, keystone: InMemoryKeystone) -> None:
    rules = [{'service': 'baremetal-introspection', 'method': 'GET', 'path': '/v1/introspection/**'}]
    keystone.add_endpoint('baremetal-introspection', guarded.inspector.url)
    token = keystone.issue('admin', access_rules=rules)
    assert ask(guarded, token, 'GET', '/v1/introspection/%ff').status_code == 404
    assert ask(guarded, token, 'GET', '/v1/rules/%ff').status_code == 401


# Keystone is away


@contextlib.contextmanager
def lab_of_its_own(folder: pathlib.Path, **options: Any) -> Iterator[tuple[Lab, InMemoryKeystone]]:
    """A service with a Keystone of its own."""
    with InMemoryKeystone() as keystone, running_lab(folder, **with_keystone(keystone, **options)) as lab:
        yield lab, keystone


def test_keystone_comes_and_goes(tmp_path: pathlib.Path) -> None:
    port = reserve_port()
    with InMemoryKeystone(port=port) as keystone:
        options = with_keystone(keystone)
    with running_lab(tmp_path, **options) as lab:
        assert ask(lab, 'gAAAAABnew').status_code == 503
        with InMemoryKeystone(port=port) as keystone:
            known = keystone.issue('admin')
            assert ask(lab, known).status_code == 200

        answer = ask(lab, 'gAAAAABnew')
        assert answer.status_code == 503
        assert 'Identity service' in message(answer)
        # Neither is new to the service.
        assert ask(lab, known).status_code == 200
        assert ask(lab, None).status_code == 401
        # What is public stays so, whatever token is sent along.
        for token in (None, 'gAAAAABnew'):
            assert ask(lab, token, 'GET', '/').status_code == 200
            assert ask(lab, token, 'GET', '/v1').status_code == 200
            assert ask(lab, token, 'POST', '/v1/continue').status_code == 400
        assert lab.log_of('Traceback') == []

        with InMemoryKeystone(port=port) as keystone:
            assert ask(lab, keystone.issue('admin')).status_code == 200


@pytest.mark.parametrize(
    ('method', 'status'), [('GET', 500), ('GET', 503), ('GET', 401), ('GET', 'drop'), ('POST', 401), ('POST', 503)]
)
def test_keystone_does_not_do_its_work(tmp_path: pathlib.Path, method: str, status: Any) -> None:
    with lab_of_its_own(tmp_path) as (lab, keystone):
        with keystone.fail(method, '/auth/tokens', status):
            answer = ask(lab, keystone.issue('admin'))
            assert answer.status_code == 503
            assert 'Identity service' in message(answer)
        assert ask(lab, keystone.issue('admin')).status_code == 200
        assert lab.log_of('Traceback') == []


def test_keystone_hangs_and_callbacks_go_on(tmp_path: pathlib.Path) -> None:
    with lab_of_its_own(tmp_path, http_connect_timeout=120) as (lab, keystone):
        machine = lab.machine()
        admin = keystone.issue('admin')
        assert ask(lab, admin, 'POST', f'/v1/introspection/{machine.uuid}').status_code == 202
        until(lambda: ask(lab, admin, 'GET', f'/v1/introspection/{machine.uuid}').json()['state'] == 'waiting')
        with keystone.fail('GET', '/auth/tokens', 'hang') as hanging, futures.ThreadPoolExecutor(60) as pool:
            asking = [pool.submit(_ask_alone, lab, f'gAAAAAB{number}') for number in range(60)]
            assert keystone.wait_for(lambda: hanging.hits >= 32, 30)
            # More than there are threads wait; still there is one for this.
            assert lab.call_back(machine.data()).status_code == 200
            hanging.release()
            statuses = {asked.result(60) for asked in asking}
        assert statuses <= {401, 503}


def _ask_alone(lab: Lab, token: str) -> int:
    """Send a request in a connection of its own."""
    url = lab.inspector.url + STATUSES
    return requests.get(url, headers={'X-Auth-Token': token}, timeout=120).status_code


def test_keystone_is_not_waited_for_without_end(tmp_path: pathlib.Path) -> None:
    with lab_of_its_own(tmp_path, http_connect_timeout=1) as (lab, keystone):
        with keystone.fail('GET', '/auth/tokens', 'hang'):
            assert ask(lab, keystone.issue('admin')).status_code == 503
        # On a busy machine, a second may be short for a Keystone that answers.
        until(lambda: ask(lab, keystone.issue('admin')).status_code == 200)


def test_tokens_are_checked_while_memcached_is_away(tmp_path: pathlib.Path) -> None:
    with lab_of_its_own(tmp_path, memcached_servers='127.0.0.1:1') as (lab, keystone):
        assert ask(lab, keystone.issue('admin')).status_code == 200
        assert ask(lab, keystone.issue('member')).status_code == 403
        assert lab.log_of('Traceback') == []


def test_the_service_finds_ironic_through_the_catalog(tmp_path: pathlib.Path) -> None:
    with InMemoryKeystone() as keystone:
        ironic = {**keystone.options(), 'endpoint_override': None}
        with running_lab(tmp_path, ironic=ironic, **with_keystone(keystone)) as lab:
            keystone.add_endpoint('baremetal', lab.ironic.url)
            machine = lab.machine()
            admin = keystone.issue('admin')
            assert ask(lab, admin, 'POST', f'/v1/introspection/{machine.uuid}').status_code == 202
            until(lambda: lab.sql('SELECT state FROM nodes') == [('waiting',)])


# What stops the start


def test_without_any_options_of_keystone(make_inspector: Callable[..., InspectorProcess]) -> None:
    inspector = make_inspector(start=False, DEFAULT={'auth_strategy': None})
    inspector.start(wait=False)
    assert inspector.wait() == 1
    assert '[keystone_authtoken]auth_type is not set' in inspector.log().splitlines()[-1]


# Passwords


def digest(password: str, prefix: str = '2y') -> str:
    """What htpasswd -B writes for a password."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode().replace('$2b$', f'${prefix}$')


def basic(user: str, password: str) -> dict[str, str]:
    """The header that sends a user name and a password."""
    return {'Authorization': 'Basic ' + base64.b64encode(f'{user}:{password}'.encode()).decode()}


@pytest.fixture(scope='module')
def htpasswd(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A file with some users."""
    file = tmp_path_factory.mktemp('passwords') / 'htpasswd'
    lines = [f'admin:{digest("right")}', '', '# others', f'jörg:{digest("schön", "2b")}', f'long:{digest("x" * 72)}']
    file.write_text('\n'.join(lines), encoding='utf-8')
    return file


@pytest.fixture(scope='module')
def locked(tmp_path_factory: pytest.TempPathFactory, htpasswd: pathlib.Path) -> Iterator[Lab]:
    """A service with passwords."""
    options = {'auth_strategy': 'http_basic', 'http_basic_auth_user_file': str(htpasswd)}
    with running_lab(tmp_path_factory.mktemp('inspector'), DEFAULT=options) as running:
        yield running


@pytest.mark.parametrize('route', ROUTES, ids=lambda route: route.endpoint)
def test_every_route_with_and_without_a_password(locked: Lab, route: Route) -> None:
    for headers, known in (({}, False), (basic('admin', 'wrong'), False), (basic('admin', 'right'), True)):
        answer = locked.inspector.call(route.method, path_of(route), headers=headers)
        if known or route.policy in PUBLIC:
            assert answer.status_code in (200, 204, 400, 404)
        else:
            assert answer.status_code == 401
            assert answer.headers['WWW-Authenticate'] == 'Basic realm="ironic-inspector", charset="UTF-8"'
            message(answer)


@pytest.mark.parametrize(
    ('user', 'password', 'status'),
    [
        ('admin', 'right', 200),
        ('jörg', 'schön', 200),
        ('long', 'x' * 72, 200),
        # bcrypt looks no further, and neither does htpasswd.
        ('long', 'x' * 100, 200),
        ('admin', '', 401),
        ('admin', 'right\0', 401),
        ('admin', 'right ', 401),
        ('Admin', 'right', 401),
        ('', '', 401),
        ('# others', '', 401),
        ('nobody', 'right', 401),
        ('jörg', 'right', 401),
    ],
)
def test_users_and_passwords(locked: Lab, user: str, password: str, status: int) -> None:
    assert locked.inspector.call('GET', STATUSES, headers=basic(user, password)).status_code == status


@pytest.mark.parametrize(
    'header',
    [
        'Basic',
        'Basic ',
        'Basic ===',
        'Basic YWRtaW4=',
        'Basic \xe9',
        'Bearer YWRtaW46cmlnaHQ=',
        'YWRtaW46cmlnaHQ=',
        'Basic YWRtaW46cmlnaHQ= more',
        f'Basic {"QUFB" * 10000}',
    ],
)
def test_what_is_no_password(locked: Lab, header: str) -> None:
    answer = locked.inspector.call('GET', STATUSES, headers={'Authorization': header.encode('latin-1')})
    assert answer.status_code == 401
    message(answer)


def test_the_scheme_is_written_in_any_case(locked: Lab) -> None:
    headers = {'Authorization': 'bAsIc YWRtaW46cmlnaHQ='}
    assert locked.inspector.call('GET', STATUSES, headers=headers).status_code == 200


def test_the_password_file_is_followed(make_lab: Callable[..., Lab], tmp_path: pathlib.Path) -> None:
    file = tmp_path / 'htpasswd'
    file.write_text(f'first:{digest("1")}\n')
    lab = make_lab(DEFAULT={'auth_strategy': 'http_basic', 'http_basic_auth_user_file': str(file)})

    def status_for(user: str, password: str) -> int:
        return lab.inspector.call('GET', STATUSES, headers=basic(user, password)).status_code

    assert (status_for('first', '1'), status_for('second', '2')) == (200, 401)
    file.write_text(f'second:{digest("2")}\n')
    assert (status_for('first', '1'), status_for('second', '2')) == (401, 200)
    # Nobody who may have been taken out gets in while it cannot be read.
    file.write_text('second:plain\n')
    answer = lab.inspector.call('GET', STATUSES, headers=basic('second', '2'))
    assert answer.status_code == 503
    assert 'password file' in message(answer)
    assert lab.log_of('line 1 is not USER:DIGEST')
    assert lab.inspector.call('GET', '/v1').status_code == 200
    file.unlink()
    assert status_for('second', '2') == 503
    file.write_text(f'third:{digest("3")}\n')
    assert (status_for('second', '2'), status_for('third', '3')) == (401, 200)
    file.write_text('')
    assert status_for('third', '3') == 401
    assert lab.log_of('Traceback') == []


def test_a_wrong_password_file_stops_the_start(
    make_inspector: Callable[..., InspectorProcess], tmp_path: pathlib.Path
) -> None:
    file = tmp_path / 'htpasswd'
    file.write_text('admin:plain\n')
    options = {'auth_strategy': 'http_basic', 'http_basic_auth_user_file': str(file)}
    inspector = make_inspector(start=False, DEFAULT=options)
    inspector.start(wait=False)
    assert inspector.wait() == 1
    last = inspector.log().splitlines()[-1]
    assert f'[DEFAULT]http_basic_auth_user_file: {file}: line 1 is not USER:DIGEST' in last
    assert 'Traceback' not in inspector.log()


# Nobody asked


def test_an_open_service_warns(lab: Lab) -> None:
    until(lambda: lab.log_of('auth_strategy is noauth'))
    assert ask(lab, 'garbage').status_code == 200
