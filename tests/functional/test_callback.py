"""POST /v1/continue: what ramdisks send, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
import json
from typing import Any

import pytest

from tests.functional.lab import Lab
from tests.functional.lab import at_once
from tests.functional.lab import message
from tests.service import until

CALLBACK_CALLS = [
    'GET /v1/nodes/{node}',
    'GET /v1/ports/detail',
    'PATCH /v1/nodes/{node}',
    'PUT /v1/nodes/{node}/states/power',
]


def test_a_callback_takes_four_calls(lab: Lab) -> None:
    machine = lab.waiting()
    since = lab.ironic.mark()
    answer = lab.call_back(machine.data())
    assert answer.status_code == 200
    assert answer.json() == {'uuid': machine.uuid}
    status = lab.reached(machine, 'finished')
    assert lab.summary(machine, since) == CALLBACK_CALLS
    assert status['finished'] is True
    assert status['error'] is None
    assert status['started_at'] < status['finished_at']
    node = lab.ironic.node(machine.uuid)
    assert node['power_state'] == 'power off'
    assert {'cpus', 'cpu_arch', 'memory_mb', 'local_gb'} <= node['properties'].keys()
    assert lab.steps(machine)[-2:] == [('waiting', 'processing', 'process'), ('processing', 'finished', 'finish')]
    assert lab.sql('SELECT * FROM attributes WHERE node_uuid = ?', machine.uuid) == []


@pytest.mark.parametrize('content_type', [None, 'text/plain', 'application/x-www-form-urlencoded', 'garbage'])
def test_any_content_type_is_read_as_json(lab: Lab, content_type: str | None) -> None:
    machine = lab.waiting()
    body = json.dumps(machine.data()).encode()
    headers = {} if content_type is None else {'Content-Type': content_type}
    answer = lab.inspector.call('POST', '/v1/continue', data=body, headers=headers)
    assert answer.status_code == 200, answer.text


def test_new_interfaces_become_ports(lab: Lab) -> None:
    machine = lab.waiting(port=False)
    assert lab.call_back(machine.data()).status_code == 200
    lab.reached(machine, 'finished')
    assert [port['address'] for port in lab.ironic.ports(machine.uuid)] == [machine.mac]


# Lookup


def test_a_mac_alone_is_enough(lab: Lab) -> None:
    machine = lab.waiting(bmc=False)
    data = machine.data()
    data['inventory']['bmc_address'] = None
    assert lab.call_back(data).json() == {'uuid': machine.uuid}


def test_macs_compare_without_regard_to_case(lab: Lab) -> None:
    machine = lab.waiting(bmc=False)
    data = machine.data(boot_interface='01-' + machine.mac.upper().replace(':', '-'))
    data['inventory']['interfaces'][0]['mac_address'] = machine.mac.upper()
    assert lab.call_back(data).json() == {'uuid': machine.uuid}


@pytest.mark.parametrize(
    ('known', 'key', 'sent'),
    [
        ('203.0.113.1', 'bmc_address', '203.0.113.1'),
        ('2001:DB8:0::1', 'bmc_v6address', '2001:db8::1/64'),
        ('https://[2001:db8::2]/redfish', 'bmc_v6address', '2001:db8:0:0::2'),
    ],
)
def test_a_bmc_alone_is_enough(lab: Lab, known: str, key: str, sent: str) -> None:
    machine = lab.waiting(port=False, driver_info={'ipmi_address': known})
    data = machine.data()
    data['inventory'].update({'bmc_address': None, key: sent})
    assert lab.call_back(data).json() == {'uuid': machine.uuid}


@pytest.mark.parametrize('address', ['', '0.0.0.0', None])
def test_a_bmc_without_an_address_matches_nothing(lab: Lab, address: str | None) -> None:
    lab.waiting(port=False)
    data = lab.machine().data()
    data['inventory'].update(bmc_address=address, bmc_v6address='::/0')
    assert lab.call_back(data).status_code == 404


def test_the_node_that_shares_most_is_taken(lab: Lab) -> None:
    machine, other = lab.waiting(), lab.waiting()
    data = machine.data()
    data['inventory']['interfaces'].append(
        {'name': 'other', 'mac_address': other.mac, 'ipv4_address': '198.51.100.7', 'has_carrier': True}
    )
    assert lab.call_back(data).json() == {'uuid': machine.uuid}
    assert lab.status(other)['state'] == 'waiting'


def test_a_tie_is_nobody(lab: Lab) -> None:
    machine, other = lab.waiting(), lab.waiting()
    data = machine.data()
    data['inventory']['bmc_address'] = other.bmc
    answer = lab.call_back(data)
    assert answer.status_code == 404
    assert machine.uuid in message(answer)
    assert other.uuid in message(answer)
    assert {lab.status(node)['state'] for node in (machine, other)} == {'waiting'}


def test_an_unknown_machine_is_told_what_was_looked_for(lab: Lab) -> None:
    machine = lab.machine()
    answer = lab.call_back(machine.data(error='The disk burns'))
    assert answer.status_code == 404
    text = message(answer)
    assert machine.mac in text
    assert machine.bmc in text
    assert 'start an introspection' in text
    assert 'The disk burns' in text


def test_a_node_that_is_not_on_introspection_is_not_found(lab: Lab) -> None:
    machine = lab.finished()
    steps = lab.steps(machine)
    assert lab.call_back(machine.data()).status_code in (400, 404)
    assert lab.steps(machine) == steps


# Twice, early, late


def test_the_same_callback_many_times_at_once_is_processed_once(lab: Lab) -> None:
    machine = lab.waiting()
    since = lab.ironic.mark()
    answers = at_once([lambda: lab.call_back(machine.data())] * 8)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 200
    # The others are told to come back, or that there is nothing to do any more.
    assert set(statuses[1:]) <= {400, 404, 409}, statuses
    lab.reached(machine, 'finished')
    assert lab.summary(machine, since) == CALLBACK_CALLS
    assert [event for _before, _after, event in lab.steps(machine)] == ['start', 'wait', 'process', 'finish']


def test_a_callback_during_the_processing_of_another(lab: Lab) -> None:
    machine = lab.waiting()
    with lab.ironic.fail('PUT', f'{machine.uuid}/states/power', 'hang') as hanging:
        assert lab.call_back(machine.data()).status_code == 200
        assert lab.ironic.wait_for(lambda: hanging.hits, 10)
        assert lab.status(machine)['state'] == 'processing'
        answer = lab.call_back(machine.data())
        assert answer.status_code == 409
        assert message(answer)
    lab.reached(machine, 'finished')


def test_a_callback_during_the_start_is_processed_when_that_has_ended(lab: Lab) -> None:
    machine = lab.machine()
    with lab.ironic.fail('PUT', f'{machine.uuid}/states/power', 'hang') as hanging:
        assert lab.start(machine).status_code == 202
        assert lab.ironic.wait_for(lambda: hanging.hits, 10)

        def release() -> None:
            until(lambda: lab.log_of(f'Node {machine.uuid} called back before'))
            assert lab.status(machine)['state'] == 'starting'
            hanging.release()

        answer, _nothing = at_once([lambda: lab.call_back(machine.data()), release])
        assert answer.status_code == 200, answer.text
    lab.reached(machine, 'finished')


def test_a_late_callback_after_an_abort(lab: Lab) -> None:
    machine = lab.waiting()
    assert lab.abort(machine).status_code == 202
    lab.ended(machine)
    assert lab.call_back(machine.data()).status_code in (400, 404)
    assert lab.status(machine)['error'] == 'Canceled by operator'


# Failures


def test_what_the_ramdisk_reports_is_kept(lab: Lab) -> None:
    machine = lab.waiting()
    answer = lab.call_back(machine.data(error='No space left on the ramdisk'))
    assert answer.status_code == 400
    status = lab.status(machine)
    assert status['state'] == 'error'
    assert status['finished'] is True
    for text in (message(answer), status['error']):
        assert 'No space left on the ramdisk' in text
    assert lab.steps(machine)[-1] == ('waiting', 'error', 'error')


def test_all_failures_are_told_together(lab: Lab) -> None:
    machine = lab.waiting()
    data = machine.data(error='Out of memory')
    data['inventory']['interfaces'].append(7)
    data['inventory']['interfaces'].append({'name': 'eth9', 'mac_address': 8})
    answer = lab.call_back(data)
    assert answer.status_code == 400
    for text in (message(answer), lab.status(machine)['error']):
        assert 'Out of memory' in text
        assert 'interfaces[1]' in text
        assert 'interfaces[2]' in text


def test_hooks_that_fail_on_the_node(lab: Lab) -> None:
    machine = lab.waiting(properties={'root_device': {'size': '>= 100000'}})
    answer = lab.call_back(machine.data())
    assert answer.status_code == 400
    status = lab.status(machine)
    assert status['state'] == 'error'
    assert status['error'] == message(answer)
    assert 'root device hints' in status['error']
    # The machine stays on for a look at it.
    assert lab.ironic.node(machine.uuid)['power_state'] == 'power on'
    assert 'cpus' not in lab.ironic.node(machine.uuid)['properties']


def test_a_node_that_was_given_to_somebody_meanwhile(lab: Lab) -> None:
    machine = lab.waiting()
    lab.ironic.update_node(machine.uuid, provision_state='active')
    since = lab.ironic.mark()
    answer = lab.call_back(machine.data())
    assert answer.status_code == 400
    assert "'active'" in message(answer)
    assert lab.status(machine)['state'] == 'error'
    assert lab.summary(machine, since) == ['GET /v1/nodes/{node}']


def test_a_node_that_left_ironic_meanwhile(lab: Lab) -> None:
    machine = lab.waiting()
    lab.ironic.delete_node(machine.uuid)
    answer = lab.call_back(machine.data())
    assert answer.status_code == 400
    assert machine.uuid in message(answer)
    assert lab.status(machine)['state'] == 'error'


# Power off


def stays_on(lab: Lab, query: dict[str, Any], **node: Any) -> None:
    machine = lab.machine(power_state='power on', **node)
    assert lab.start(machine, **query).status_code == 202
    lab.reached(machine, 'waiting')
    since = lab.ironic.mark()
    assert lab.call_back(machine.data()).status_code == 200
    lab.reached(machine, 'finished')
    assert lab.summary(machine, since) == CALLBACK_CALLS[:3]
    assert lab.ironic.node(machine.uuid)['power_state'] == 'power on'


def test_machines_that_the_service_does_not_power(lab: Lab) -> None:
    stays_on(lab, {'manage_boot': '0'})


def test_machines_in_use_stay_on(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(processing={'permit_active_introspection': True})
    for state in ('active', 'rescue'):
        stays_on(lab, {}, provision_state=state)


def test_machines_stay_on_where_that_is_wanted(make_lab: Callable[..., Lab]) -> None:
    stays_on(make_lab(processing={'power_off': False}), {})


@pytest.mark.parametrize(('provision_state', 'state'), [('enroll', 'finished'), ('manageable', 'error')])
def test_a_machine_that_cannot_be_powered_off(lab: Lab, provision_state: str, state: str) -> None:
    machine = lab.waiting(provision_state=provision_state)
    with lab.ironic.fail('PUT', f'{machine.uuid}/states/power', 400):
        assert lab.call_back(machine.data()).status_code == 200
        status = lab.ended(machine)
    assert status['state'] == state
    if state == 'error':
        assert 'powered off' in status['error']
        assert 'driver_info' in status['error']
    # What was found is there in any case.
    assert 'cpus' in lab.ironic.node(machine.uuid)['properties']
    assert lab.data(machine).status_code == 200
