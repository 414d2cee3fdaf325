"""The service through python-ironic-inspector-client's library."""

from collections.abc import Callable
from collections.abc import Iterator
import json
from pathlib import Path
from typing import Any

from openstack.connection import Connection
import pytest

from tests.e2e.conftest import Http
from tools import components
from tools import environments
from tools import processes

pytestmark = pytest.mark.xdist_group('ironic')

Call = Callable[..., dict[str, Any]]

RULE: dict[str, Any] = {
    'uuid': '3f0f8a0e-52a5-4a0b-9d3c-6a5d7c0d7e11',
    'description': 'Large machines',
    'conditions': [{'op': 'ge', 'field': 'data://memory_mb', 'value': 1, 'multiple': 'all', 'invert': False}],
    'actions': [{'action': 'set-attribute', 'path': '/extra/size', 'value': 'large'}],
}


@pytest.fixture
def call(inspector: components.Inspector, tmp_path: Path) -> Call:
    """Call a method of the library's client: {'result': ...}, or {'error': exception's name, 'message': ...}."""
    environments.ensure(['clients'])
    python = environments.Environment('clients').python
    script = Path(__file__).with_name('client_library.py')

    def call_method(method: str, **arguments: Any) -> dict[str, Any]:
        command = [python, script, inspector.url, method, json.dumps(arguments)]
        output = processes.run(f'{method}', command, tmp_path, timeout=60).read_text()
        answer: dict[str, Any] = json.loads(output.splitlines()[-1])
        return answer

    return call_method


def test_introspection_from_start_to_data(call: Call, http: Http, node: Any, mac: str) -> None:
    assert call('introspect', node_id=node.name) == {'result': None}
    http.reach(node.id, 'waiting')
    http.call_back(mac)

    finished = call('wait_for_finish', node_ids=[node.id], retry_interval=1, max_retries=60)['result']

    assert finished[node.id]['error'] is None
    status = call('get_status', node_id=node.name)['result']
    assert (status['uuid'], status['state'], status['finished']) == (node.id, 'finished', True)
    assert call('get_data', node_id=node.id)['result']['macs'] == [mac]
    assert 'macs' not in call('get_data', node_id=node.id, processed=False)['result']
    assert call('list_statuses', limit=1)['result'] == [status]


def test_reprocess(call: Call, http: Http, node: Any, mac: str) -> None:
    before = http.introspect(node.id, mac)

    assert call('reprocess', node_id=node.id) == {'result': None}

    after = http.reach(node.id, 'finished')
    assert after['started_at'] > before['started_at']


def test_interfaces(call: Call, http: Http, node: Any, mac: str) -> None:
    http.introspect(node.id, mac)

    [[name, address]] = call('get_all_interface_data', node_ident=node.id, field_sel=['interface', 'mac'])['result']

    assert address == mac
    interface = call('get_interface_data', node_ident=node.id, interface=name, field_sel=['interface', 'mac'])
    assert interface['result'] == {'interface': name, 'mac': mac}


def test_abort(call: Call, http: Http, node: Any) -> None:
    http.start(node.id)

    assert call('abort', node_id=node.id) == {'result': None}

    assert http.reach(node.id, 'error')['error'] == 'Canceled by operator'


@pytest.fixture
def _no_rules(http: Http) -> Iterator[None]:
    """After the test the service has no rules any more: they are for all nodes."""
    yield
    assert http.request('DELETE', '/v1/rules').status_code == 204


@pytest.mark.usefixtures('_no_rules')
def test_rules(call: Call, http: Http, ironic_api: Connection, node: Any, mac: str) -> None:
    created = call('rules.create', **RULE)['result']

    assert {key: created[key] for key in RULE} == RULE
    assert call('rules.get', uuid=RULE['uuid'])['result'] == created
    in_short = {key: created[key] for key in ('uuid', 'description', 'scope', 'links')}
    assert call('rules.get_all')['result'] == [in_short]
    http.introspect(node.id, mac)
    assert ironic_api.baremetal.get_node(node.id).extra['size'] == 'large'
    assert call('rules.delete', uuid=RULE['uuid']) == {'result': None}
    assert call('rules.get_all')['result'] == []


@pytest.mark.usefixtures('_no_rules')
def test_rules_from_documents(call: Call) -> None:
    documents: list[dict[str, Any]] = [{**RULE, 'scope': 'lab'}, {'actions': RULE['actions']}]
    imported = [call('rules.from_json', json_rule=document)['result'] for document in documents]

    assert (imported[0]['scope'], imported[1]['conditions']) == ('lab', [])
    assert [rule['uuid'] for rule in call('rules.get_all')['result']] == [rule['uuid'] for rule in imported]
    assert call('rules.delete_all') == {'result': None}
    assert call('rules.get_all')['result'] == []


@pytest.mark.usefixtures('_no_rules')
def test_rules_that_cannot_be(call: Call) -> None:
    taken = {'conditions': [], 'actions': RULE['actions'], 'uuid': RULE['uuid']}
    assert call('rules.create', **taken)['result']['uuid'] == RULE['uuid']
    broken = {'conditions': [], 'actions': [*RULE['actions'], {'action': 'explode'}]}
    for document, reason in ((taken, RULE['uuid']), (broken, 'actions[1]')):
        answer = call('rules.create', **document)
        assert answer['error'] == 'ClientError'
        assert reason in answer['message']


@pytest.mark.parametrize('method', ['rules.get', 'rules.delete'])
def test_unknown_rule(call: Call, method: str) -> None:
    answer = call(method, uuid=RULE['uuid'])

    assert answer['error'] == 'ClientError'
    assert RULE['uuid'] in answer['message']


@pytest.mark.parametrize('method', ['introspect', 'get_status', 'get_data', 'abort', 'reprocess'])
def test_unknown_node(call: Call, method: str) -> None:
    answer = call(method, node_id='no-such-node')

    assert answer['error'] == 'ClientError'
    assert 'no-such-node' in answer['message']
