"""POST /v1/introspection/{node_id}/data/unprocessed: processing data once more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functional.lab import UNKNOWN
from tests.functional.lab import Lab
from tests.functional.lab import message


@pytest.mark.parametrize('named', [False, True])
@pytest.mark.parametrize('body', [{}, {'data': b''}, {'data': b' \n'}])
def test_stored_data(lab: Lab, named: bool, body: dict[str, Any]) -> None:
    machine = lab.finished()
    before = lab.status(machine)
    lab.ironic.update_node(machine.uuid, properties={'cpus': '1'}, power_state='power on')
    since = lab.ironic.mark()
    answer = lab.reapply(machine.name if named else machine, **body)
    assert answer.status_code == 202
    assert answer.json() == {}
    status = lab.reached(machine, 'finished')
    assert status['started_at'] > before['finished_at']
    assert status['finished_at'] > status['started_at']
    node = lab.ironic.node(machine.uuid)
    assert node['properties']['cpus'] == '80'
    # No power action, and no lookup.
    assert node['power_state'] == 'power on'
    assert lab.ironic.count('PUT', since=since) == 0
    assert lab.steps(machine)[-2:] == [('finished', 'reapplying', 'reapply'), ('reapplying', 'finished', 'finish')]


def test_data_in_the_request(lab: Lab) -> None:
    machine = lab.finished()
    # Whose data they are is not asked: they may be those of a sister machine.
    other = lab.machine()
    data = other.data(mark='mine', logs='bG9ncw==')
    assert lab.reapply(machine, json=data).status_code == 202
    lab.reached(machine, 'finished')
    kept = lab.data(machine, processed=False).json()
    assert kept['mark'] == 'mine'
    assert 'logs' not in kept
    assert lab.data(machine).json()['macs'] == [other.mac]
    assert lab.reapply(machine).status_code == 202
    lab.reached(machine, 'finished')
    assert lab.data(machine).json()['mark'] == 'mine'


def test_a_node_that_has_failed(lab: Lab) -> None:
    machine = lab.waiting(properties={'root_device': {'size': '>= 100000'}})
    assert lab.call_back(machine.data()).status_code == 400
    lab.ironic.update_node(machine.uuid, properties={})
    assert lab.reapply(machine).status_code == 202
    lab.reached(machine, 'finished')


def test_data_that_fail_again(lab: Lab) -> None:
    machine = lab.finished()
    assert lab.reapply(machine, json=machine.data(error='It still burns')).status_code == 202
    status = lab.ended(machine)
    assert status['state'] == 'error'
    assert 'It still burns' in status['error']
    assert lab.reapply(machine, json=machine.data()).status_code == 202
    lab.reached(machine, 'finished')


@pytest.mark.parametrize('data', [{}, {'inventory': 7}, {'inventory': {'interfaces': []}}])
def test_data_of_the_wrong_form(lab: Lab, data: dict[str, Any]) -> None:
    machine = lab.finished()
    assert lab.reapply(machine, json=data).status_code == 202
    status = lab.ended(machine)
    assert status['state'] == 'error'
    assert 'inventory' in status['error']


@pytest.mark.parametrize('body', [b'[]', b'7', b'null', b'"x"', b'{', b'\xff', b'{"x": NaN}'])
def test_bodies_that_are_no_object(lab: Lab, body: bytes) -> None:
    machine = lab.finished()
    before = lab.status(machine)
    answer = lab.reapply(machine, data=body)
    assert answer.status_code == 400
    assert message(answer)
    assert lab.status(machine) == before


def test_a_node_that_is_awaited(lab: Lab) -> None:
    machine = lab.finished()
    lab.waiting(machine)
    bodies: list[dict[str, Any]] = [{}, {'json': machine.data()}]
    for body in bodies:
        answer = lab.reapply(machine, **body)
        assert answer.status_code == 400
        assert 'waiting' in message(answer)
    assert lab.status(machine)['state'] == 'waiting'


def test_a_node_without_data(lab: Lab) -> None:
    machine = lab.failed()
    answer = lab.reapply(machine)
    assert answer.status_code == 404
    assert 'no unprocessed data' in message(answer)
    assert lab.status(machine)['state'] == 'error'


@pytest.mark.parametrize('node', ['nobody', UNKNOWN])
def test_an_unknown_node(lab: Lab, node: str) -> None:
    bodies: list[dict[str, Any]] = [{}, {'json': {}}]
    for body in bodies:
        answer = lab.reapply(node, **body)
        assert answer.status_code == 404
        assert message(answer)


def test_a_node_that_is_busy(lab: Lab) -> None:
    machine = lab.finished()
    with lab.ironic.fail('GET', f'/v1/nodes/{machine.uuid}$', 'hang') as hanging:
        assert lab.reapply(machine).status_code == 202
        assert lab.ironic.wait_for(lambda: hanging.hits, 10)
        assert lab.status(machine)['state'] == 'reapplying'
        for answer in (lab.reapply(machine), lab.reapply(machine, json=machine.data()), lab.abort(machine)):
            assert answer.status_code == 409
            assert 'try again' in message(answer)
    lab.reached(machine, 'finished')


def test_a_node_that_left_ironic(lab: Lab) -> None:
    machine = lab.finished()
    lab.ironic.delete_node(machine.uuid)
    assert lab.reapply(machine).status_code == 202
    status = lab.ended(machine)
    assert status['state'] == 'error'
    assert machine.uuid in status['error']
