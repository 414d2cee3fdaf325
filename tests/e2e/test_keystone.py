"""The service with a real Keystone: who may do what, and how everybody finds everybody through its catalog."""

from collections.abc import Callable
from collections.abc import Iterator
import json
from pathlib import Path
import secrets
from typing import Any

from openstack import exceptions
from openstack.connection import Connection
import pytest
import requests

from ironic_inspector.api.routes import ROUTES
from ironic_inspector.fixtures import inventories
from tests.e2e import waiting
from tools import components
from tools import environments
from tools import processes

pytestmark = pytest.mark.xdist_group('keystone')

STATUSES = '/v1/introspection'
USERS: dict[str, tuple[str, str | None]] = {
    'inspector': ('service', 'service'),
    'other-service': ('service', 'demo'),
    'system-admin': ('admin', None),
    'system-reader': ('reader', None),
    'project-reader': ('reader', 'demo'),
    'member': ('member', 'demo'),
    'administrator': ('administrator', 'demo'),
    'operator': ('baremetal_admin', 'demo'),
    'observer': ('baremetal_observer', 'demo'),
}
"""Users with their role and project, None for the whole system."""
ADMINISTRATORS = ('admin', 'inspector', 'other-service', 'system-admin', 'administrator', 'operator')
READERS = (*ADMINISTRATORS, 'system-reader', 'observer')


@pytest.fixture(scope='module')
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[components.Keystone]:
    """A real Keystone with all users."""
    with components.Keystone(tmp_path_factory.mktemp('keystone')) as running:
        for user, (role, project) in USERS.items():
            running.add_user(user, role, project)
        yield running


@pytest.fixture(scope='module')
def guarded_ironic(
    tmp_path_factory: pytest.TempPathFactory, keystone: components.Keystone
) -> Iterator[components.Ironic]:
    """A real Ironic that asks for tokens, and is in the catalog."""
    with components.Ironic(tmp_path_factory.mktemp('ironic'), keystone=keystone) as running:
        keystone.add_endpoint('baremetal', running.url)
        yield running


def options_with(keystone: components.Keystone) -> components.Options:
    """The options of a service that has nothing but its credentials."""
    credentials = keystone.options('inspector', 'service')
    return {
        'DEFAULT': {'auth_strategy': 'keystone'},
        'keystone_authtoken': {**credentials, 'www_authenticate_uri': keystone.url, 'http_request_max_retries': 0},
        'ironic': credentials,
        'oslo_policy': {'enforce_new_defaults': False},
        'processing': {'add_ports': 'all', 'keep_ports': 'all'},
    }


@pytest.fixture(scope='module')
def guarded(
    tmp_path_factory: pytest.TempPathFactory, keystone: components.Keystone, guarded_ironic: components.Ironic
) -> Iterator[components.Inspector]:
    """The service, which finds Ironic in the catalog, and is in there itself."""
    with components.Inspector(tmp_path_factory.mktemp('inspector'), None, options_with(keystone)) as running:
        keystone.add_endpoint('baremetal-introspection', running.url)
        yield running


@pytest.fixture(scope='module')
def reference(
    tmp_path_factory: pytest.TempPathFactory, keystone: components.Keystone, guarded_ironic: components.Ironic
) -> Iterator[components.ReferenceInspector]:
    """ironic-inspector 12.5.0 with the same options."""
    folder = tmp_path_factory.mktemp('reference')
    with components.ReferenceInspector(folder, None, options_with(keystone)) as running:
        yield running


def scope_of(user: str) -> str | None:
    """The project of a user, None for the whole system."""
    return USERS[user][1] if user in USERS else 'admin'


def token_of(keystone: components.Keystone, user: str) -> str:
    """A new token."""
    with Connection(auth=keystone.access(user, scope_of(user))) as connection:
        return str(connection.auth_token)


def ask(
    service: components.Inspector, token: str | None, method: str = 'GET', path: str = STATUSES
) -> requests.Response:
    """Send a request with a token."""
    headers = {'X-Auth-Token': token} if token else {}
    return requests.request(method, service.url + path, headers=headers, timeout=60)


@pytest.fixture
def mac() -> str:
    """A MAC that no other node has."""
    return '52:54:00:' + secrets.token_bytes(3).hex(':')


@pytest.fixture
def guarded_node(guarded_ironic: components.Ironic, mac: str) -> Any:
    """A node of an Ironic that asks for tokens."""
    return guarded_ironic.enrol(f'node-{secrets.token_hex(4)}', [mac])


# Who may do what


@pytest.mark.parametrize('user', ['admin', *USERS])
def test_users(guarded: components.Inspector, keystone: components.Keystone, user: str) -> None:
    token = token_of(keystone, user)

    assert ask(guarded, token).status_code == (200 if user in READERS else 403)
    assert ask(guarded, token, 'GET', '/v1/rules').status_code == (200 if user in ADMINISTRATORS else 403)
    assert ask(guarded, token, 'GET', '/v1').status_code == 200


@pytest.mark.parametrize('user', [None, 'garbage', 'admin', *USERS])
def test_the_same_is_permitted_as_before(
    guarded: components.Inspector,
    reference: components.ReferenceInspector,
    keystone: components.Keystone,
    user: str | None,
) -> None:
    token = token_of(keystone, user) if user in ('admin', *USERS) else user
    for route in ROUTES:
        # What 12.5 did not have, and what needs a body to be refused for.
        if route.since > (1, 18) or (route.method, route.path) == ('POST', '/v1/rules/<rule_uuid>'):
            continue
        path = route.path.replace('<node_id>', 'nobody').replace('<rule_uuid>', 'none')
        statuses = [ask(service, token, route.method, path).status_code for service in (guarded, reference)]
        refused = [status if status in (401, 403) else None for status in statuses]
        assert refused[0] == refused[1], (route.method, route.path)


def test_who_is_nobody_is_told_where_to_log_in(guarded: components.Inspector, keystone: components.Keystone) -> None:
    for token in (None, 'garbage', 'gAAAAABnonsense'):
        answer = ask(guarded, token)
        assert answer.status_code == 401
        assert answer.headers['WWW-Authenticate'] == f'Keystone uri="{keystone.url}"'
        assert 'X-Auth-Token' in answer.json()['error']['message']


def test_a_token_that_is_revoked(guarded: components.Inspector, keystone: components.Keystone) -> None:
    token, other = token_of(keystone, 'admin'), token_of(keystone, 'admin')
    headers = {'X-Auth-Token': other, 'X-Subject-Token': token}
    requests.delete(f'{keystone.url}/auth/tokens', headers=headers, timeout=60).raise_for_status()

    assert ask(guarded, token).status_code == 401
    assert ask(guarded, other).status_code == 200


def test_keystone_goes_away_and_comes_back(guarded: components.Inspector, keystone: components.Keystone) -> None:
    token, known = token_of(keystone, 'system-reader'), token_of(keystone, 'admin')
    assert ask(guarded, known).status_code == 200
    keystone.stop()
    try:
        answer = ask(guarded, token)
        assert answer.status_code == 503
        assert 'Identity service' in answer.json()['error']['message']
        assert ask(guarded, known).status_code == 200
        assert ask(guarded, token, 'GET', '/v1').status_code == 200
        assert ask(guarded, token, 'POST', '/v1/continue').status_code == 400
    finally:
        keystone.start()
    assert ask(guarded, token).status_code == 200


def test_a_token_that_has_expired(guarded: components.Inspector, keystone: components.Keystone) -> None:
    keystone.stop()
    keystone.configure(lifetime=1)
    keystone.start()
    try:
        # openstacksdk takes no token that lives so short.
        token = short_token(keystone)
        headers = {'X-Auth-Token': token, 'X-Subject-Token': token}
        url = f'{keystone.url}/auth/tokens'
        waiting.until(lambda: requests.get(url, headers=headers, timeout=60).status_code, lambda status: status == 401)
    finally:
        keystone.stop()
        keystone.configure()
        keystone.start()

    assert ask(guarded, token).status_code == 401
    assert ask(guarded, token_of(keystone, 'admin')).status_code == 200


def short_token(keystone: components.Keystone) -> str:
    """A new token of the administrator."""
    user = {'name': 'admin', 'domain': {'id': 'default'}, 'password': keystone.password}
    scope = {'project': {'name': 'admin', 'domain': {'id': 'default'}}}
    document = {'auth': {'identity': {'methods': ['password'], 'password': {'user': user}}, 'scope': scope}}
    answer = requests.post(f'{keystone.url}/auth/tokens', json=document, timeout=60)
    answer.raise_for_status()
    return str(answer.headers['X-Subject-Token'])


# Through the catalog


def call_back(service: components.Inspector, mac: str) -> None:
    """Send what a ramdisk sends, which has no token."""
    data = inventories.ramdisk_data(mac, bmc_address=None)
    answer = requests.post(service.callback_url, json=data, timeout=60)
    assert answer.status_code == 200, answer.text


def test_swift(tmp_path: Path, keystone: components.Keystone, guarded_ironic: components.Ironic, mac: str) -> None:
    node = guarded_ironic.enrol(f'node-{secrets.token_hex(4)}', [mac])
    options = options_with(keystone)
    more: components.Options = {
        'swift': keystone.options('inspector', 'service'),
        'processing': {**options['processing'], 'store_data': 'swift'},
    }
    with components.Swift(tmp_path / 'swift', keystone=keystone) as swift:
        keystone.add_endpoint('object-store', f'{swift.url}/v1/AUTH_%(project_id)s')
        with components.Inspector(tmp_path / 'inspector', None, {**options, **more}) as service:
            token = token_of(keystone, 'admin')
            assert ask(service, token, 'POST', f'/v1/introspection/{node.id}').status_code == 202
            path = f'/v1/introspection/{node.id}'
            waiting.until(lambda: ask(service, token, 'GET', path).json(), lambda status: status['state'] == 'waiting')
            call_back(service, mac)
            waiting.until(lambda: ask(service, token, 'GET', path).json(), lambda status: status['state'] == 'finished')
            assert ask(service, token, 'GET', f'{path}/data').json()['macs'] == [mac]
        with keystone.connect() as connection:
            project = connection.identity.find_project('service').id
        stored = f'{swift.url}/v1/AUTH_{project}/ironic-inspector/inspector_data-{node.id}'
        assert requests.get(stored, timeout=60).status_code == 401
        with Connection(auth=keystone.access('inspector', 'service')) as connection:
            owner = {'X-Auth-Token': str(connection.auth_token)}
        assert requests.get(stored, headers=owner, timeout=60).json()['macs'] == [mac]


def test_openstacksdk(
    guarded: components.Inspector, keystone: components.Keystone, guarded_node: Any, mac: str
) -> None:
    with Connection(auth=keystone.access('admin', 'admin'), region_name=keystone.region) as connection:
        proxy = connection.baremetal_introspection
        started = proxy.start_introspection(guarded_node.id)
        waiting.until(lambda: proxy.get_introspection(guarded_node.id), lambda now: now.state == 'waiting')
        call_back(guarded, mac)
        assert proxy.wait_for_introspection(started, timeout=60).state == 'finished'
        assert proxy.get_introspection_data(guarded_node.id)['macs'] == [mac]
    with Connection(auth=keystone.access('system-reader', None), region_name=keystone.region) as connection:
        proxy = connection.baremetal_introspection
        assert proxy.get_introspection(guarded_node.id).state == 'finished'
        with pytest.raises(exceptions.ForbiddenException, match='introspection:data'):
            proxy.get_introspection_data(guarded_node.id)


Run = Callable[..., str]


@pytest.fixture
def run(guarded: components.Inspector, keystone: components.Keystone, tmp_path: Path) -> Run:
    """Run `openstack baremetal introspection ...` as a user; returns what it prints, ProcessError when it fails."""
    environments.ensure(['clients'])
    openstack = environments.Environment('clients').program('openstack')

    def run_command(user: str, *words: object) -> str:
        access = {f'OS_{name.upper()}': value for name, value in keystone.access(user, scope_of(user)).items()}
        environ = {'OS_AUTH_TYPE': 'password', 'OS_REGION_NAME': keystone.region, **access}
        folder = tmp_path / '-'.join([user, *(str(word).strip('/-').replace('/', '_') for word in words)])
        command = [openstack, 'baremetal', 'introspection', *words]
        return processes.run('openstack', command, folder, environ=environ, timeout=120).read_text()

    return run_command


def test_the_commands(
    run: Run, guarded: components.Inspector, keystone: components.Keystone, guarded_node: Any, mac: str, tmp_path: Path
) -> None:
    rule_file = tmp_path / 'rule.json'
    actions = [{'action': 'set-attribute', 'path': '/extra/found', 'value': 'by a rule'}]
    rule_file.write_text(json.dumps([{'description': 'one', 'conditions': [], 'actions': actions}]))

    run('admin', 'rule', 'import', rule_file)
    assert run('admin', 'start', guarded_node.name).strip() == ''
    path = f'/v1/introspection/{guarded_node.id}'
    reader = token_of(keystone, 'system-reader')
    waiting.until(lambda: ask(guarded, reader, 'GET', path).json(), lambda status: status['state'] == 'waiting')
    call_back(guarded, mac)
    waiting.until(lambda: ask(guarded, reader, 'GET', path).json(), lambda status: status['state'] == 'finished')

    assert json.loads(run('system-reader', 'status', guarded_node.id, '-f', 'json'))['state'] == 'finished'
    assert json.loads(run('admin', 'data', 'save', guarded_node.id))['macs'] == [mac]
    for user, words in (('system-reader', ['data', 'save']), ('member', ['status']), ('system-reader', ['abort'])):
        with pytest.raises(processes.ProcessError, match='Access denied by the policy rule'):
            run(user, *words, guarded_node.id)
    run('admin', 'rule', 'purge')
