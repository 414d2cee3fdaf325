"""Discovery: machines that nobody knows become nodes, each of them once, whatever goes wrong meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from concurrent import futures
import dataclasses
import functools
import pathlib
from typing import Any

import pytest
import requests

from ironic_inspector.fixtures.calls import FaultKind
from tests.functional.lab import Json
from tests.functional.lab import Lab
from tests.functional.lab import Machine
from tests.functional.lab import at_once
from tests.functional.lab import message
from tests.functional.lab import running_lab
from tests.service import until

ENROLL = {'node_not_found_hook': 'enroll'}


@pytest.fixture(scope='module')
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A service that enrols machines, for all tests of the module."""
    with running_lab(tmp_path_factory.mktemp('inspector'), processing=ENROLL) as running:
        yield running


def discovered(lab: Lab, machine: Machine, **changes: Any) -> Machine:
    """Let a machine call back and be enrolled; return it with the UUID of its node."""
    answer = lab.call_back(machine.data(**changes))
    assert answer.status_code == 200, answer.text
    known = dataclasses.replace(machine, uuid=answer.json()['uuid'])
    lab.reached(known, 'finished')
    return known


def nodes_of(lab: Lab, machine: Machine) -> list[Json]:
    """Return the nodes of Ironic that could be a machine's: all that are in the provision state enroll."""
    macs = {port['node_uuid']: port['address'] for port in lab.ironic.ports()}
    return [
        node
        for node in lab.ironic.nodes()
        if macs.get(node['uuid']) == machine.mac or node['driver_info'].get('ipmi_address') == machine.bmc
    ]


def without_bmc(machine: Machine) -> Json:
    """Return what a machine sends that knows nothing of its BMC."""
    data = machine.data()
    data['inventory'] |= {'bmc_address': None, 'bmc_v6address': None}
    return data


# What comes of it


def test_a_machine_becomes_a_node(lab: Lab) -> None:
    since = lab.ironic.mark()
    machine = discovered(lab, lab.stranger())
    node = lab.ironic.node(machine.uuid)
    assert (node['driver'], node['provision_state'], node['name']) == ('fake-hardware', 'enroll', None)
    assert node['driver_info'] == {'ipmi_address': machine.bmc}
    assert node['properties']['cpus']
    assert [port['address'] for port in lab.ironic.ports(machine.uuid)] == [machine.mac]
    assert lab.steps(machine) == [
        (None, 'enrolling', 'start'),
        ('enrolling', 'processing', 'process'),
        ('processing', 'finished', 'finish'),
    ]
    assert lab.data(machine).json()['auto_discovered'] is True
    assert 'auto_discovered' not in lab.data(machine, processed=False).json()
    assert [f'{call.method} {call.template}' for call in lab.ironic.calls_since(since)] == [
        'GET /v1/ports',
        'GET /v1/nodes',
        'GET /v1/nodes/{node}',
        'POST /v1/nodes',
        'GET /v1/ports/detail',
        'PATCH /v1/nodes/{node}',
        'POST /v1/ports',
        'PUT /v1/nodes/{node}/states/power',
    ]


def test_a_machine_without_a_bmc(lab: Lab) -> None:
    machine = lab.stranger()
    answer = lab.call_back(without_bmc(machine))
    assert answer.status_code == 200
    node_uuid = answer.json()['uuid']
    lab.reached(node_uuid, 'finished')
    assert lab.ironic.node(node_uuid)['driver_info'] == {}
    assert any(machine.mac in line for line in lab.log_of('no address of the BMC'))


def test_power_is_nothing_that_a_new_node_must_have(lab: Lab) -> None:
    with lab.ironic.fail('PUT', '/states/power$', 400):
        discovered(lab, lab.stranger())


def test_driver_fields_and_version_of_ip_as_configured(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(
        processing=ENROLL,
        discovery={
            'enroll_node_driver': 'ipmi',
            'enroll_node_fields': 'resource_class:baremetal,owner:rack 7,driver_info:x,uuid:x,provision_state:active',
            'enabled_bmc_address_version': '6,4',
        },
    )
    machine = lab.stranger()
    inventory = machine.data()['inventory'] | {'bmc_v6address': '2001:db8::1/64'}
    node = lab.ironic.node(discovered(lab, machine, inventory=inventory).uuid)
    assert node['driver_info'] == {'ipmi_address': '2001:db8::1'}
    assert (node['driver'], node['provision_state']) == ('ipmi', 'enroll')
    assert (node['resource_class'], node['owner']) == ('baremetal', 'rack 7')
    assert len(lab.log_of('is ignored')) == 3


def test_rules_for_discovered_machines_only(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(processing=ENROLL)
    rule = {
        'conditions': [{'field': 'data://auto_discovered', 'op': 'eq', 'value': True}],
        'actions': [{'action': 'set-attribute', 'path': '/driver_info/ipmi_username', 'value': 'admin'}],
    }
    assert lab.inspector.call('POST', '/v1/rules', json=rule).status_code == 201
    found, known = discovered(lab, lab.stranger()), lab.finished(auto_discovered=True)
    assert lab.ironic.node(found.uuid)['driver_info']['ipmi_username'] == 'admin'
    assert 'ipmi_username' not in lab.ironic.node(known.uuid)['driver_info']


def test_a_rebooted_machine_is_told_what_to_do(lab: Lab) -> None:
    machine = discovered(lab, lab.stranger())
    before = lab.ironic.node(machine.uuid)
    for data in (machine.data(), without_bmc(machine)):
        answer = lab.call_back(data)
        assert answer.status_code == 400
        assert f'Node {machine.uuid} has a port with the MAC {machine.mac} already' in message(answer)
    # Even if nothing but our memory says so.
    (port,) = lab.ironic.ports(machine.uuid)
    assert requests.delete(f'{lab.ironic.url}/v1/ports/{port["uuid"]}', timeout=20).ok
    answer = lab.call_back(without_bmc(machine))
    assert answer.status_code == 400
    assert f'Node {machine.uuid} was enrolled for the same machine before' in message(answer)
    assert lab.ironic.node(machine.uuid) == before
    # As it says, an introspection can be started.
    lab.ironic.add_port(machine.uuid, machine.mac)
    lab.finished(machine)


def test_a_node_that_was_deleted_is_enrolled_anew(lab: Lab) -> None:
    machine = discovered(lab, lab.stranger())
    lab.ironic.delete_node(machine.uuid)
    again = discovered(lab, machine)
    assert len(nodes_of(lab, again)) == 1
    assert [step[1] for step in lab.steps(again)] == ['enrolling', 'processing', 'finished']


# What is refused


@pytest.mark.parametrize(
    'driver_info',
    [
        {'ipmi_address': '{v4}'},
        {'redfish_address': 'https://{v4}:8443/redfish'},
        {'ipmi_address': '{v6}'},
        {'drac_address': '[{v6}]'},
    ],
)
def test_a_bmc_that_a_node_has(lab: Lab, driver_info: dict[str, str]) -> None:
    machine = lab.stranger()
    v6 = f'2001:db8::{machine.mac[-2:]}'
    filled = {name: value.format(v4=machine.bmc, v6=v6) for name, value in driver_info.items()}
    known = lab.machine(driver_info=filled)
    before = lab.ironic.nodes()
    answer = lab.call_back(machine.data(inventory=machine.data()['inventory'] | {'bmc_v6address': v6}))
    assert answer.status_code == 400
    assert f'Node {known.uuid} has the BMC address' in message(answer)
    assert lab.log_of(f'Node {known.uuid} has the BMC address')
    assert lab.ironic.nodes() == before


def test_a_mac_that_a_port_has(lab: Lab) -> None:
    known = lab.machine(bmc=False)
    before = lab.ironic.nodes()
    inventory = lab.stranger().data()['inventory']
    inventory['interfaces'].append({'name': 'other', 'mac_address': known.mac.upper()})
    answer = lab.call_back(known.data(inventory=inventory, boot_interface=inventory['interfaces'][0]['mac_address']))
    assert answer.status_code == 400
    assert f'Node {known.uuid} has a port with the MAC {known.mac}' in message(answer)
    assert lab.log_of(f'Node {known.uuid} has a port with the MAC {known.mac}')
    assert lab.ironic.nodes() == before


@pytest.mark.parametrize(
    'data',
    [
        {},
        {'error': 'no disks'},
        {'inventory': {}},
        {'inventory': 7},
        {'inventory': {'interfaces': [], 'bmc_address': '0.0.0.0', 'system_vendor': 'x'}},
        {'inventory': {'interfaces': [{'name': 'eth0', 'mac_address': 'x'}], 'bmc_address': ['192.0.2.1']}},
    ],
)
def test_data_that_name_no_machine(lab: Lab, data: Json) -> None:
    before = lab.ironic.nodes()
    answer = lab.call_back(data)
    assert answer.status_code == 400
    assert 'neither a valid MAC nor the address of a BMC' in message(answer)
    assert lab.ironic.nodes() == before


@pytest.mark.parametrize('serial', [None, '\ud800', 'x' * 100_000])
def test_serial_numbers_of_any_kind(lab: Lab, serial: Any) -> None:
    machine = lab.stranger()
    inventory = machine.data()['inventory']
    inventory['system_vendor'] = {'serial_number': serial}
    discovered(lab, machine, inventory=inventory)


@pytest.mark.parametrize('serial', [7, ['x'], {}])
def test_serial_numbers_of_the_wrong_type(lab: Lab, serial: Any) -> None:
    data = lab.stranger().data()
    data['inventory']['system_vendor'] = {'serial_number': serial}
    answer = lab.call_back(data)
    assert answer.status_code == 400
    assert 'inventory.system_vendor.serial_number must be text' in message(answer)


def test_a_machine_with_a_thousand_interfaces(lab: Lab) -> None:
    machine = lab.stranger()
    inventory = machine.data()['inventory']
    template = inventory['interfaces'][0]
    inventory['interfaces'] += [
        template | {'name': f'vf{number}', 'mac_address': f'02:00:00:00:{number >> 8:02x}:{number & 255:02x}'}
        for number in range(1000)
    ]
    since = lab.ironic.mark()
    discovered(lab, machine, inventory=inventory)
    assert lab.ironic.count('GET', '^/v1/ports$', since=since) <= 2


def test_what_only_the_service_may_say(lab: Lab) -> None:
    machine = lab.finished(auto_discovered=True)
    assert 'auto_discovered' not in lab.data(machine).json()


def test_without_a_hook_nothing_is_enrolled(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    answer = lab.call_back(lab.stranger().data())
    assert answer.status_code == 404
    assert 'No node on introspection' in message(answer)
    assert lab.ironic.calls == []


# Several callbacks at once


def test_callbacks_of_one_machine(lab: Lab) -> None:
    for number in range(6):
        machine = lab.stranger()
        data = machine.data() if number % 2 else without_bmc(machine)
        lab.ironic.latency = 0.03 * (number % 3)
        answers = at_once([functools.partial(lab.call_back, data)] * 6)
        lab.ironic.latency = 0
        statuses = [answer.status_code for answer in answers]
        assert set(statuses) <= {200, 400, 409}
        assert statuses.count(200) == 1
        (node_uuid,) = {answer.json()['uuid'] for answer in answers if answer.ok}
        lab.reached(node_uuid, 'finished')
        assert len(nodes_of(lab, machine)) == 1
        assert len(lab.steps(dataclasses.replace(machine, uuid=node_uuid))) == 3


def test_many_machines(lab: Lab) -> None:
    machines = [lab.stranger() for _ in range(40)]
    found = at_once([functools.partial(discovered, lab, machine) for machine in machines])
    assert len({machine.uuid for machine in found}) == len(machines)
    for machine in found:
        assert [port['address'] for port in lab.ironic.ports(machine.uuid)] == [machine.mac]


# Failures


def test_a_machine_with_an_error_is_enrolled_as_failed(lab: Lab) -> None:
    machine = lab.stranger()
    data = without_bmc(machine)
    for _ in range(2):
        answer = lab.call_back(data | {'error': 'The disks are gone'})
        assert answer.status_code == 400
        assert 'The disks are gone' in message(answer)
    (record,) = lab.inspector.call('GET', '/v1/introspection?state=error&limit=1').json()['introspection']
    assert 'The disks are gone' in record['error']
    node = lab.ironic.node(record['uuid'])
    assert (node['provision_state'], node['driver_info']) == ('enroll', {})
    # Once it has been repaired, the machine goes on with the node that it has got.
    answer = lab.call_back(data)
    assert answer.json() == {'uuid': node['uuid']}
    lab.reached(node['uuid'], 'finished')
    assert [port['address'] for port in lab.ironic.ports(node['uuid'])] == [machine.mac]


def test_a_failed_node_that_somebody_works_with_is_left_alone(lab: Lab) -> None:
    machine = lab.stranger()
    data = without_bmc(machine)
    assert lab.call_back(data | {'error': 'It is broken'}).status_code == 400
    node = lab.ironic.nodes()[-1]
    lab.ironic.update_node(node['uuid'], provision_state='manageable')
    answer = lab.call_back(data)
    assert answer.status_code == 400
    assert f'Node {node["uuid"]} was enrolled for the same machine before' in message(answer)
    assert lab.ironic.ports(node['uuid']) == []


def test_a_failed_node_that_nothing_tells_from_others_can_be_introspected(lab: Lab) -> None:
    machine = lab.stranger()
    data = without_bmc(machine)
    with lab.ironic.fail('POST', PORTS, 400):
        assert lab.call_back(data).status_code == 400
    node = lab.ironic.nodes()[-1]
    assert lab.ironic.ports(node['uuid']) == []
    assert lab.start(node['uuid']).status_code == 202
    lab.reached(node['uuid'], 'waiting')
    assert lab.call_back(data).json() == {'uuid': node['uuid']}
    lab.reached(node['uuid'], 'finished')
    assert [port['address'] for port in lab.ironic.ports(node['uuid'])] == [machine.mac]
    assert 'auto_discovered' not in lab.data(node['uuid']).json()


NODES = '^/v1/nodes$'
NODE = '^/v1/nodes/[^/]+$'
PORTS = '^/v1/ports$'
PORTS_DETAIL = '^/v1/ports/detail$'


@dataclasses.dataclass(frozen=True)
class Case:
    """A fault of Ironic, and what it leads to."""

    method: str
    path: str
    kind: FaultKind
    times: int | None = None
    after: bool = False
    created: bool = False
    """Whether the node is there after it."""
    goes_on: bool = True
    """Whether the next callback of the machine goes on with it."""
    succeeds: bool = False
    """Whether the machine does not notice."""


CASES = [
    Case('GET', PORTS, 403),
    Case('GET', PORTS, 500),
    Case('GET', NODES, 403),
    Case('GET', NODES, 'drop', times=1, succeeds=True),
    Case('GET', NODE, 403),
    Case('POST', NODES, 400),
    Case('POST', NODES, 'drop'),
    Case('POST', NODES, 500, times=2, succeeds=True),
    # Ironic has created it, but the answer was lost.
    Case('POST', NODES, 500, times=1, after=True, succeeds=True),
    Case('POST', NODES, 'drop', times=1, after=True, succeeds=True),
    Case('POST', NODES, 'drop', times=5, after=True, created=True),
    Case('GET', PORTS_DETAIL, 403, created=True, goes_on=False),
    Case('PATCH', NODE, 400, created=True, goes_on=False),
    Case('POST', PORTS, 400, created=True, goes_on=False),
    Case('PUT', '/states/power$', 400, times=1, succeeds=True),
]


@pytest.mark.parametrize('bmc', [True, False], ids=['bmc', 'no bmc'])
@pytest.mark.parametrize('case', CASES, ids=str)
def test_ironic_fails(lab: Lab, case: Case, bmc: bool) -> None:
    machine = lab.stranger()
    data = machine.data() if bmc else without_bmc(machine)
    if case.path == NODES and case.method == 'GET' and not bmc:
        pytest.skip('nobody asks for all nodes then')
    before = {node['uuid'] for node in lab.ironic.nodes()}
    with lab.ironic.fail(case.method, case.path, case.kind, times=case.times, after=case.after):
        answer = lab.call_back(data)
        new = {node['uuid'] for node in lab.ironic.nodes()} - before
        if case.succeeds:
            lab.reached(answer.json()['uuid'], 'finished')
            assert len(new) == 1
            return
    assert answer.status_code == 400
    assert 'Ironic' in message(answer)
    assert len(new) == case.created
    for node_uuid in new:
        status = lab.status(node_uuid)
        assert status['state'] == 'error'
        assert status['error'] in message(answer)
    again = lab.call_back(data)
    if case.goes_on:
        assert again.status_code == 200, again.text
        lab.reached(again.json()['uuid'], 'finished')
    else:
        assert again.status_code == 400
        assert 'start an introspection of that node' in message(again)
        assert new.pop() in message(again)
    assert len({node['uuid'] for node in lab.ironic.nodes()} - before) == 1
    assert lab.log_of('Traceback') == []


def test_a_name_that_is_taken_is_no_lost_answer(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(processing=ENROLL, discovery={'enroll_node_fields': 'name:the-one'})
    discovered(lab, lab.stranger())
    since = lab.ironic.mark()
    answer = lab.call_back(lab.stranger().data())
    assert answer.status_code == 400
    assert 'A node with name the-one already exists' in message(answer)
    assert '[discovery]' in message(answer)
    assert lab.ironic.count('POST', since=since) == 1
    assert len(lab.ironic.nodes()) == 1


def test_an_unknown_driver(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(processing=ENROLL, discovery={'enroll_node_driver': 'magic'}, DEFAULT={'clean_up_period': 1})
    answer = lab.call_back(lab.stranger().data())
    assert answer.status_code == 400
    assert 'driver magic' in message(answer)
    # The record of a node that never was goes as that of any node that is gone.
    until(lambda: lab.sql('SELECT uuid FROM nodes') == [])


# Crashes


def crash(lab: Lab, data: Json, method: str, path: str) -> None:
    """Kill the service while it waits for an answer of Ironic, which comes nevertheless, and start it again."""
    with futures.ThreadPoolExecutor(1) as pool:
        hanging = lab.ironic.fail(method, path, 'hang')
        lost = pool.submit(lab.call_back, data)
        assert lab.ironic.wait_for(lambda: hanging.hits, 10)
        lab.inspector.kill()
        assert lost.exception(20)
    hanging.remove()
    assert lab.ironic.wait_for(lambda: lab.ironic.in_flight == 0, 10)
    lab.inspector.start()


@pytest.mark.parametrize('bmc', [True, False], ids=['bmc', 'no bmc'])
@pytest.mark.parametrize(
    ('method', 'path'),
    [('GET', PORTS), ('GET', NODE), ('POST', NODES)],
    ids=['before the record', 'still before the record', 'before the answer'],
)
def test_a_crash_before_the_data_are_kept(make_lab: Callable[..., Lab], method: str, path: str, bmc: bool) -> None:
    lab = make_lab(processing=ENROLL)
    machine = lab.stranger()
    data = machine.data() if bmc else without_bmc(machine)
    crash(lab, data, method, path)
    assert len(lab.ironic.nodes()) == (method == 'POST')
    if method == 'POST':
        (record,) = lab.inspector.call('GET', '/v1/introspection').json()['introspection']
        assert record['state'] == 'error'
        assert 'boot the ramdisk again' in record['error']
    # The ramdisk sends it again, as it was not answered.
    answer = lab.call_back(data)
    assert answer.status_code == 200
    lab.reached(answer.json()['uuid'], 'finished')
    assert [node['uuid'] for node in lab.ironic.nodes()] == [answer.json()['uuid']]
    assert [port['address'] for port in lab.ironic.ports()] == [machine.mac]


@pytest.mark.parametrize('path', [('PATCH', NODE), ('POST', PORTS)], ids=str)
def test_a_crash_while_the_data_are_processed(make_lab: Callable[..., Lab], path: tuple[str, str]) -> None:
    lab = make_lab(processing=ENROLL)
    machine = lab.stranger()
    crash(lab, without_bmc(machine), *path)
    (node,) = lab.ironic.nodes()
    lab.reached(node['uuid'], 'finished')
    assert [port['address'] for port in lab.ironic.ports()] == [machine.mac]
    assert lab.data(node['uuid']).json()['auto_discovered'] is True
    answer = lab.call_back(without_bmc(machine))
    assert answer.status_code == 400
    assert lab.ironic.nodes()[1:] == []


def test_a_crash_while_data_are_processed_that_are_not_kept(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(processing=ENROLL | {'store_data': 'none'})
    machine = lab.stranger()
    crash(lab, without_bmc(machine), 'PATCH', NODE)
    (node,) = lab.ironic.nodes()
    assert 'start the introspection again' in lab.ended(node['uuid'])['error']
    answer = lab.call_back(without_bmc(machine))
    assert answer.status_code == 400
    assert f'Node {node["uuid"]} was enrolled for the same machine before' in message(answer)
    assert lab.ironic.nodes()[1:] == []


# Hooks from elsewhere

FOREIGN = """
import types
from ironic_inspector import utils

def nothing(introspection_data, **kwargs):
    return None

def plain(introspection_data):
    return None

def fails(introspection_data, **kwargs):
    raise RuntimeError('bang')

def refuses(introspection_data, **kwargs):
    raise utils.Error('No room for it', code=418)

def junk(introspection_data, **kwargs):
    return ['a', 'node']

def finds(introspection_data, **kwargs):
    introspection_data['found'] = True
    return types.SimpleNamespace(uuid=introspection_data['asset'])

constant = 7
"""


@pytest.fixture
def make_foreign_lab(
    make_lab: Callable[..., Lab], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Lab]:
    """A function that starts a service with a hook of a package from elsewhere."""
    package = tmp_path / 'elsewhere'
    metadata = package / 'foreign_hooks-1.0.dist-info'
    metadata.mkdir(parents=True)
    (package / 'foreign_hooks.py').write_text(FOREIGN)
    (metadata / 'METADATA').write_text('Metadata-Version: 2.1\nName: foreign-hooks\nVersion: 1.0\n')
    names = ('nothing', 'plain', 'fails', 'refuses', 'junk', 'finds', 'constant', 'missing')
    lines = [f'{name} = foreign_hooks:{name}' for name in names]
    (metadata / 'entry_points.txt').write_text('\n'.join(['[ironic_inspector.hooks.node_not_found]', *lines, '']))
    monkeypatch.setenv('PYTHONPATH', str(package))
    return lambda name: make_lab(processing={'node_not_found_hook': name})


@pytest.mark.parametrize(
    ('name', 'says'),
    [
        ('nothing', 'The hook nothing has no node for the machine'),
        ('plain', 'The hook plain has no node for the machine'),
        ('junk', 'The hook junk has no node for the machine'),
        ('example', 'The hook example has no node for the machine'),
        ('fails', 'Unexpected exception RuntimeError in hook fails: bang'),
        ('refuses', 'No room for it'),
    ],
)
def test_a_hook_without_a_node(make_foreign_lab: Callable[[str], Lab], name: str, says: str) -> None:
    lab = make_foreign_lab(name)
    answer = lab.call_back(lab.stranger().data(error='It is broken'))
    assert answer.status_code == 400
    assert says in message(answer)
    assert 'It is broken' in message(answer)
    assert lab.log_of(says)
    assert lab.ironic.nodes() == []
    # What is known goes on as ever.
    lab.finished()


def test_a_hook_that_finds_the_node(make_foreign_lab: Callable[[str], Lab]) -> None:
    lab = make_foreign_lab('finds')
    machine = lab.waiting(port=False, bmc=False)
    answer = lab.call_back(machine.data(asset=machine.uuid))
    assert answer.json() == {'uuid': machine.uuid}
    lab.reached(machine, 'finished')
    assert lab.data(machine).json()['found'] is True
    # It is not on introspection any more, and this one never was.
    for node_uuid in (machine.uuid, lab.machine(port=False).uuid):
        assert lab.call_back(machine.data(asset=node_uuid)).status_code == 400
    assert lab.status(machine)['state'] == 'finished'


@pytest.mark.parametrize('name', ['constant', 'missing'])
def test_a_hook_that_is_none(make_foreign_lab: Callable[[str], Lab], name: str) -> None:
    with pytest.raises(AssertionError, match=r'\[processing\]node_not_found_hook'):
        make_foreign_lab(name)
