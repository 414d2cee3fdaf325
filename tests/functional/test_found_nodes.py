"""Functions that find or create the nodes of machines that match none, as they were written for 12.5."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.functional import elsewhere
from tests.functional.lab import UNKNOWN
from tests.functional.lab import Lab
from tests.functional.lab import at_once
from tests.functional.lab import message
from tests.functional.lab import running_lab

SOURCE = """
from ironic_inspector import node_cache


def by_asset(introspection_data, **kwargs):
    asset = introspection_data['asset']
    if asset == 'new':
        return node_cache.create_node(introspection_data['driver'], provision_state='enroll')
    return node_cache.add_node(asset, 'enrolling', manage_boot=introspection_data['manage'])
"""


@pytest.fixture(scope='module')
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A service that uses the function."""
    folder = tmp_path_factory.mktemp('elsewhere')
    elsewhere.install(folder, SOURCE, {'hooks.node_not_found': {'by-asset': 'by_asset'}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('PYTHONPATH', str(folder))
        processing = {'node_not_found_hook': 'by-asset', 'add_ports': 'all', 'keep_ports': 'all'}
        with running_lab(tmp_path_factory.mktemp('inspector'), processing=processing) as running:
            yield running


@pytest.mark.parametrize('manage', [True, False])
def test_a_node_that_was_never_introspected(lab: Lab, manage: bool) -> None:
    machine = lab.machine(port=False, power_state='power on')
    stranger = lab.stranger()
    answer = lab.call_back(stranger.data(asset=machine.uuid, manage=manage))
    assert answer.json() == {'uuid': machine.uuid}
    lab.reached(machine, 'finished')
    assert lab.steps(machine) == [
        (None, 'waiting', 'start'),
        ('waiting', 'processing', 'process'),
        ('processing', 'finished', 'finish'),
    ]
    assert [port['address'] for port in lab.ironic.ports(machine.uuid)] == [stranger.mac]
    assert lab.ironic.node(machine.uuid)['power_state'] == ('power off' if manage else 'power on')
    assert 'auto_discovered' not in lab.data(machine).json()


@pytest.mark.parametrize('before', ['finished', 'failed'])
def test_a_node_that_was_introspected(lab: Lab, before: str) -> None:
    machine = getattr(lab, before)(lab.machine(bmc=False))
    kept = lab.data(machine)
    steps = len(lab.steps(machine))
    assert lab.call_back(lab.stranger().data(asset=machine.uuid, manage=False)).status_code == 200
    lab.reached(machine, 'finished')
    assert [to_state for _from, to_state, _event in lab.steps(machine)[steps:]] == [
        'starting', 'waiting', 'processing', 'finished',
    ]  # fmt: skip
    assert lab.status(machine)['error'] is None
    assert kept.status_code == (200 if before == 'finished' else 404)


def test_a_node_on_introspection(lab: Lab) -> None:
    machine = lab.waiting(port=False)
    assert lab.call_back(lab.stranger().data(asset=machine.uuid, manage=False)).status_code == 200
    lab.reached(machine, 'finished')
    # The introspection is the operator's, who said that it may.
    assert lab.ironic.node(machine.uuid)['power_state'] == 'power off'


def test_a_node_that_somebody_works_on(lab: Lab) -> None:
    machine = lab.waiting(port=False)
    data = lab.stranger().data(asset=machine.uuid, manage=False)
    with lab.ironic.fail('GET', f'/v1/nodes/{machine.uuid}', 'hang') as hanging:

        def second() -> requests.Response:
            assert lab.ironic.wait_for(lambda: hanging.hits, 20)
            answer = lab.call_back(data)
            hanging.release()
            return answer

        answers = at_once([lambda: lab.call_back(data), second])
    assert [answer.status_code for answer in answers] == [200, 409]
    lab.reached(machine, 'finished')


def test_a_node_that_is_not_there(lab: Lab) -> None:
    answer = lab.call_back(lab.stranger().data(asset=UNKNOWN, manage=False))
    assert answer.status_code == 400
    assert UNKNOWN in message(answer)
    assert lab.status(UNKNOWN)['state'] == 'error'


def test_what_is_not_a_node(lab: Lab) -> None:
    answer = lab.call_back(lab.stranger().data(asset='junk', manage=False))
    assert answer.status_code == 400
    assert "Unexpected exception ValueError in hook by-asset: 'junk' is not the UUID of a node" in message(answer)


def test_a_new_node(lab: Lab) -> None:
    stranger = lab.stranger()
    answer = lab.call_back(stranger.data(asset='new', driver='fake-hardware'))
    assert answer.status_code == 200
    uuid = answer.json()['uuid']
    lab.reached(uuid, 'finished')
    assert lab.ironic.node(uuid)['provision_state'] == 'enroll'
    assert [port['address'] for port in lab.ironic.ports(uuid)] == [stranger.mac]


def test_a_new_node_that_ironic_refuses(lab: Lab) -> None:
    before = lab.ironic.nodes()
    answer = lab.call_back(lab.stranger().data(asset='new', driver='magic'))
    assert answer.status_code == 400
    assert 'The hook by-asset has no node for the machine' in message(answer)
    assert lab.log_of('Ironic did not create a node of driver magic')
    assert lab.ironic.nodes() == before


def test_ironic_is_away(lab: Lab) -> None:
    with lab.ironic.fail('POST', '/v1/nodes', 'drop'):
        answer = lab.call_back(lab.stranger().data(asset='new', driver='fake-hardware'))
    assert answer.status_code == 400
    assert lab.call_back(lab.stranger().data(asset='new', driver='fake-hardware')).status_code == 200
