"""Nodes that somebody uses: introspected only where permitted, and never disturbed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.functional.lab import Lab
from tests.functional.lab import at_once
from tests.functional.lab import message

PERMITTED = {'permit_active_introspection': True, 'power_off': True, 'keep_ports': 'added'}


@pytest.fixture
def permitting(make_lab: Callable[..., Lab]) -> Lab:
    return make_lab(processing=PERMITTED)


@pytest.mark.parametrize('state', ['active', 'rescue'])
@pytest.mark.parametrize('known_by', ['port', 'bmc'])
def test_a_callback_that_nobody_asked_for(permitting: Lab, state: str, known_by: str) -> None:
    machine = permitting.machine(
        port=known_by == 'port', bmc=known_by == 'bmc', provision_state=state, power_state='power on'
    )
    permitting.ironic.add_port(machine.uuid, '52:54:00:ff:ff:ff')
    answer = permitting.call_back(machine.data())
    assert answer.json() == {'uuid': machine.uuid}
    permitting.reached(machine, 'finished')
    assert permitting.steps(machine) == [
        (None, 'starting', 'start'),
        ('starting', 'waiting', 'wait'),
        ('waiting', 'processing', 'process'),
        ('processing', 'finished', 'finish'),
    ]
    node = permitting.ironic.node(machine.uuid)
    assert node['power_state'] == 'power on'
    assert node['properties']['cpus']
    assert '52:54:00:ff:ff:ff' in {port['address'] for port in permitting.ironic.ports(machine.uuid)}
    # And once more, now that the node has a record.
    assert permitting.call_back(machine.data()).status_code == 200
    permitting.reached(machine, 'finished')


def test_where_it_is_not_permitted_nobody_asks_ironic(lab: Lab) -> None:
    machine = lab.machine(provision_state='active')
    mark = lab.ironic.mark()
    assert lab.call_back(machine.data()).status_code == 404
    assert lab.ironic.count(since=mark) == 0


def test_a_node_that_is_not_in_use_has_to_be_started(permitting: Lab) -> None:
    machine = permitting.machine(provision_state='manageable')
    answer = permitting.call_back(machine.data())
    assert answer.status_code == 404
    assert 'start an introspection' in message(answer)


def test_two_nodes_that_match_are_none(permitting: Lab) -> None:
    machine = permitting.machine(port=False, provision_state='active')
    twin = permitting.machine(port=False, provision_state='active', driver_info={'ipmi_address': machine.bmc})
    answer = permitting.call_back(machine.data())
    assert answer.status_code == 404
    assert machine.uuid in message(answer)
    assert twin.uuid in message(answer)


def test_an_ironic_that_is_away_leaves_nothing_behind(permitting: Lab) -> None:
    machine = permitting.machine(provision_state='active')
    with permitting.ironic.fail('GET', '/v1/ports', 500):
        answer = permitting.call_back(machine.data())
    assert answer.status_code == 404
    assert 'Ironic answered 500' in message(answer)
    assert permitting.inspector.call('GET', '/v1/introspection').json() == {'introspection': []}


def test_a_second_callback_is_told_to_come_again(permitting: Lab) -> None:
    machine = permitting.machine(provision_state='active')

    def again() -> int:
        assert permitting.ironic.wait_for(lambda: hanging.hits, 10)
        status = permitting.call_back(machine.data()).status_code
        hanging.remove()
        return status

    with permitting.ironic.fail('PATCH', machine.uuid, 'hang') as hanging:
        first, second = at_once([lambda: permitting.call_back(machine.data()), again])
    assert (first.status_code, second) == (200, 409)
    permitting.reached(machine, 'finished')
