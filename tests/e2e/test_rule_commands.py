"""Rules, interfaces and data through the commands that python-ironic-inspector-client adds to `openstack`."""

from collections.abc import Iterator
import json
from pathlib import Path
from typing import Any

from openstack import exceptions
from openstack.connection import Connection
import pytest

from ironic_inspector.fixtures import inventories
from tests.e2e.conftest import Http
from tests.e2e.conftest import Run
from tools import components
from tools import processes

pytestmark = pytest.mark.xdist_group('ironic')

RULE: dict[str, Any] = {
    'uuid': 'b34dc9b4-5f4b-4a5e-8f0f-1d2c3b4a5968',
    'description': 'Large machines',
    'scope': 'lab',
    'conditions': [{'op': 'ge', 'field': 'data://memory_mb', 'value': 4096, 'multiple': 'all', 'invert': False}],
    'actions': [{'action': 'set-attribute', 'path': '/extra/size', 'value': '{data[memory_mb]} MiB'}],
}
OTHER: dict[str, Any] = {'actions': [{'action': 'add-trait', 'name': 'CUSTOM_SEEN'}]}
LLDP = [[1, '0400005e005301'], [2, '0565746831'], [5, '6c656166'], [0, '']]
"""The frame of a switch: chassis 00:00:5e:00:53:01, port eth1, system leaf."""


@pytest.fixture(scope='session')
def inspector(tmp_path_factory: pytest.TempPathFactory, ironic: components.Ironic) -> Iterator[components.Inspector]:
    """A service of its own: rules are for all nodes."""
    options = {'processing': {'processing_hooks': '$default_processing_hooks,lldp_basic'}}
    with components.Inspector(tmp_path_factory.mktemp('inspector-with-rules'), ironic.url, options) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_rules(http: Http) -> None:
    http.request('DELETE', '/v1/rules')


def import_rules(run: Run, folder: Path, rules: Any) -> str:
    """Run `rule import` with a file of these rules."""
    path = folder / 'rules.json'
    path.write_text(json.dumps(rules))
    return run('rule', 'import', path)


def test_rules_from_import_to_purge(run: Run, http: Http, node: Any, mac: str, tmp_path: Path) -> None:
    import_rules(run, tmp_path, [RULE, OTHER])

    listed = json.loads(run('rule', 'list', '-f', 'json'))
    assert [rule['Description'] for rule in listed] == ['Large machines', None]
    shown = json.loads(run('rule', 'show', RULE['uuid'], '-f', 'json'))
    assert {key: shown[key] for key in RULE} == RULE
    http.introspect(node.id, mac)
    assert run('rule', 'delete', RULE['uuid']).strip() == ''
    assert len(json.loads(run('rule', 'list', '-f', 'json'))) == 1
    assert run('rule', 'purge').strip() == ''
    assert json.loads(run('rule', 'list', '-f', 'json')) == []


def test_what_imported_rules_do(
    run: Run, http: Http, ironic_api: Connection, node: Any, mac: str, tmp_path: Path
) -> None:
    import_rules(run, tmp_path, [{**RULE, 'scope': None}, OTHER])

    http.introspect(node.id, mac)

    known = ironic_api.baremetal.get_node(node.id)
    assert known.extra['size'] == f'{known.properties["memory_mb"]} MiB'
    assert known.traits == ['CUSTOM_SEEN']


def test_import_of_an_invalid_rule(run: Run, tmp_path: Path) -> None:
    broken = {'actions': [{'action': 'add-trait', 'name': 'CUSTOM_X'}, {'action': 'explode'}]}
    with pytest.raises(processes.ProcessError, match=r'actions\[1\]'):
        import_rules(run, tmp_path, broken)


def test_a_rule_that_is_not_there(run: Run) -> None:
    with pytest.raises(processes.ProcessError, match=RULE['uuid']):
        run('rule', 'show', RULE['uuid'])


def test_interfaces_and_data(run: Run, http: Http, node: Any, mac: str, tmp_path: Path) -> None:
    http.start(node.id)
    data = inventories.ramdisk_data(mac, bmc_address=None)
    [interface] = [each for each in data['inventory']['interfaces'] if each['mac_address'] == mac]
    data['lldp_raw'] = {interface['name']: LLDP}
    assert http.post('/v1/continue', json=data).status_code == 200
    http.reach(node.id, 'finished')

    listed = json.loads(run('interface', 'list', node.id, '-f', 'json'))
    assert [(each['MAC Address'], each['Switch Port ID']) for each in listed] == [(mac, 'eth1')]
    shown = json.loads(run('interface', 'show', node.id, interface['name'], '-f', 'json'))
    assert (shown['mac'], shown['switch_chassis_id']) == (mac, '00:00:5e:00:53:01')
    run('data', 'save', node.id, '--file', tmp_path / 'data.json')
    assert json.loads((tmp_path / 'data.json').read_text())['all_interfaces'].keys() == {interface['name']}


def test_rules_through_openstacksdk(inspector_api: Connection) -> None:
    proxy = inspector_api.baremetal_introspection
    created = proxy.create_introspection_rule(**RULE)

    assert (created.id, created.scope) == (RULE['uuid'], 'lab')
    assert [rule.id for rule in proxy.introspection_rules()] == [RULE['uuid']]
    assert proxy.get_introspection_rule(RULE['uuid']).actions == RULE['actions']
    proxy.delete_introspection_rule(RULE['uuid'], ignore_missing=False)
    with pytest.raises(exceptions.NotFoundException):
        proxy.get_introspection_rule(RULE['uuid'])
