"""POST /v1/introspection/{node_id}/abort."""

from __future__ import annotations

import pytest

from tests.functional.lab import UNKNOWN
from tests.functional.lab import Lab
from tests.functional.lab import message

CANCELED = 'Canceled by operator'


@pytest.mark.parametrize('named', [False, True])
def test_a_waiting_node(lab: Lab, named: bool) -> None:
    machine = lab.waiting()
    since = lab.ironic.mark()
    answer = lab.abort(machine.name if named else machine)
    assert answer.status_code == 202
    assert answer.json() == {}
    status = lab.ended(machine)
    assert (status['state'], status['error'], status['finished']) == ('error', CANCELED, True)
    assert status['finished_at'] is not None
    assert lab.ironic.node(machine.uuid)['power_state'] == 'power off'
    assert lab.summary(machine, since)[-1] == 'PUT /v1/nodes/{node}/states/power'
    assert lab.ironic.count('PUT', since=since) == 1
    assert lab.steps(machine)[-2:] == [('waiting', 'aborting', 'abort'), ('aborting', 'error', 'abort_end')]
    assert lab.sql('SELECT * FROM attributes WHERE node_uuid = ?', machine.uuid) == []


def test_a_node_that_the_service_does_not_power(lab: Lab) -> None:
    machine = lab.machine(power_state='power on')
    assert lab.start(machine, manage_boot='0').status_code == 202
    since = lab.ironic.mark()
    assert lab.abort(machine).status_code == 202
    assert lab.ended(machine)['error'] == CANCELED
    assert lab.calls(machine, since) == []


@pytest.mark.parametrize('state', ['active', 'rescue'])
def test_a_node_that_has_been_deployed_stays_on(lab: Lab, state: str) -> None:
    machine = lab.waiting()
    lab.ironic.update_node(machine.uuid, provision_state=state, power_state='power on')
    assert lab.abort(machine).status_code == 202
    assert lab.ended(machine)['error'] == CANCELED
    assert lab.ironic.node(machine.uuid)['power_state'] == 'power on'


def test_a_node_that_has_failed(lab: Lab) -> None:
    machine = lab.failed()
    assert lab.abort(machine).status_code == 202
    assert lab.ended(machine)['state'] == 'error'
    assert lab.steps(machine)[-1] == ('error', 'error', 'abort')


def test_a_node_that_has_finished(lab: Lab) -> None:
    machine = lab.finished()
    before = lab.status(machine), lab.steps(machine)
    answer = lab.abort(machine)
    assert answer.status_code == 400
    assert 'finished' in message(answer)
    assert (lab.status(machine), lab.steps(machine)) == before


@pytest.mark.parametrize('node', ['nobody', UNKNOWN])
def test_an_unknown_node(lab: Lab, node: str) -> None:
    answer = lab.abort(node)
    assert answer.status_code == 404
    assert message(answer)


def test_a_node_that_was_never_introspected(lab: Lab) -> None:
    assert lab.abort(lab.machine()).status_code == 404


def test_a_node_that_is_busy(lab: Lab) -> None:
    machine = lab.machine()
    with lab.ironic.fail('PUT', f'{machine.uuid}/states/power', 'hang') as hanging:
        lab.start(machine)
        assert lab.ironic.wait_for(lambda: hanging.hits == 1, 10)
        assert lab.abort(machine).status_code == 409
        hanging.release()
        lab.reached(machine, 'waiting')
    with lab.ironic.fail('PUT', f'{machine.uuid}/states/power', 'hang') as hanging:
        assert lab.abort(machine).status_code == 202
        assert lab.ironic.wait_for(lambda: hanging.hits == 1, 10)
        assert lab.status(machine)['state'] == 'aborting'
        # Nothing else may begin meanwhile.
        for answer in (lab.abort(machine), lab.start(machine), lab.reapply(machine, json=machine.data())):
            assert answer.status_code == 409
            assert 'try again' in message(answer)
        assert lab.call_back(machine.data()).status_code == 409
    assert lab.ended(machine)['error'] == CANCELED


def test_after_an_abort_it_starts_anew(lab: Lab) -> None:
    machine = lab.waiting()
    assert lab.abort(machine).status_code == 202
    lab.ended(machine)
    lab.finished(machine)
