"""POST /v1/introspection/{node_id}: what operators start, and what may keep it from starting."""

from __future__ import annotations

from collections.abc import Callable
import itertools
from typing import Any

from oslo_utils import strutils
import pytest

from tests.functional.lab import UNKNOWN
from tests.functional.lab import Lab
from tests.functional.lab import message

START_CALLS = [
    'GET /v1/nodes/{node}',
    'GET /v1/nodes/{node}/validate',
    'GET /v1/ports/detail',
    'PUT /v1/nodes/{node}/management/boot_device',
    'PUT /v1/nodes/{node}/states/power',
]
ALLOWED = ('enroll', 'manageable', 'inspecting', 'inspect wait', 'inspect failed')
IN_USE = ('active', 'rescue')
REFUSED = ('available', 'deploying', 'cleaning', 'error')


@pytest.mark.parametrize('named', [False, True])
def test_a_start_takes_five_calls(lab: Lab, named: bool) -> None:
    machine = lab.machine()
    since = lab.ironic.mark()
    answer = lab.start(machine.name if named else machine)
    assert answer.status_code == 202
    assert answer.json() == {}
    status = lab.reached(machine, 'waiting')
    assert lab.summary(machine, since) == START_CALLS
    assert lab.ironic.boot_device(machine.uuid) == {'boot_device': 'pxe', 'persistent': False}
    assert lab.ironic.node(machine.uuid)['power_state'] == 'power on'
    assert status['finished'] is False
    assert status['finished_at'] is None
    assert status['error'] is None
    assert lab.steps(machine) == [(None, 'starting', 'start'), ('starting', 'waiting', 'wait')]
    attributes = lab.sql('SELECT name, value FROM attributes WHERE node_uuid = ? ORDER BY name', machine.uuid)
    assert attributes == [('bmc_address', machine.bmc), ('mac', machine.mac)]


@pytest.mark.parametrize('word', [*strutils.TRUE_STRINGS, 'True', 'YES'])
def test_every_word_for_true_manages_the_boot(lab: Lab, word: str) -> None:
    machine = lab.machine()
    assert lab.start(machine, manage_boot=word).status_code == 202
    lab.reached(machine, 'waiting')
    assert lab.summary(machine) == START_CALLS


@pytest.mark.parametrize('word', [*strutils.FALSE_STRINGS, 'False', 'NO'])
def test_every_word_for_false_leaves_the_boot_alone(lab: Lab, word: str) -> None:
    machine = lab.machine()
    assert lab.start(machine, manage_boot=word).status_code == 202
    # Everything is done by the time of the answer.
    assert lab.status(machine)['state'] == 'waiting'
    assert lab.summary(machine) == ['GET /v1/nodes/{node}', 'GET /v1/ports/detail']
    assert lab.ironic.node(machine.uuid)['power_state'] == 'power off'


@pytest.mark.parametrize('word', ['', 'maybe', '2', 'None', 'true,false', '\0', 'é'])
def test_other_words_are_refused(lab: Lab, word: str) -> None:
    machine = lab.machine()
    answer = lab.start(machine, manage_boot=word)
    assert answer.status_code == 400
    assert 'manage_boot' in message(answer)
    assert lab.calls(machine) == []


def test_a_service_that_may_not_manage_the_boot(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'can_manage_boot': False})
    machine = lab.machine()
    for query in ({}, {'manage_boot': '1'}):
        answer = lab.start(machine, **query)
        assert answer.status_code == 400
        assert 'can_manage_boot' in message(answer)
    assert lab.start(machine, manage_boot='0').status_code == 202


@pytest.mark.parametrize('state', ALLOWED)
def test_provision_states_that_permit_it(lab: Lab, state: str) -> None:
    lab.waiting(provision_state=state)


@pytest.mark.parametrize('state', IN_USE + REFUSED)
def test_provision_states_that_do_not(lab: Lab, state: str) -> None:
    machine = lab.machine(provision_state=state)
    answer = lab.start(machine)
    assert answer.status_code == 400
    assert repr(state) in message(answer)
    assert 'manageable' in message(answer)
    assert ('permit_active_introspection' in message(answer)) is (state in IN_USE)
    assert lab.inspector.call('GET', f'/v1/introspection/{machine.uuid}').status_code == 404


def test_nodes_in_use_where_that_is_permitted(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(processing={'permit_active_introspection': True})
    for state in IN_USE:
        lab.waiting(provision_state=state)
    for state in REFUSED:
        assert lab.start(lab.machine(provision_state=state)).status_code == 400


def test_a_power_interface_that_is_not_valid(lab: Lab) -> None:
    machine = lab.machine()
    invalid = {'power': {'result': False, 'reason': 'ipmi_username is missing'}, 'management': {'result': True}}
    with lab.ironic.fail('GET', f'{machine.uuid}/validate', 200, body=invalid):
        answer = lab.start(machine)
    assert answer.status_code == 400
    assert 'ipmi_username is missing' in message(answer)
    assert 'driver_info' in message(answer)
    assert lab.inspector.call('GET', f'/v1/introspection/{machine.uuid}').status_code == 404


@pytest.mark.parametrize('interface', ['management', 'boot'])
def test_other_interfaces_need_not_be_valid(lab: Lab, interface: str) -> None:
    machine = lab.machine()
    body = {'power': {'result': True}, interface: {'result': False, 'reason': 'whatever'}}
    with lab.ironic.fail('GET', f'{machine.uuid}/validate', 200, body=body):
        lab.waiting(machine)


@pytest.mark.parametrize('unknown', ['nobody', UNKNOWN, 'detail', 'a%20b'])
def test_unknown_nodes(lab: Lab, unknown: str) -> None:
    answer = lab.start(unknown)
    assert answer.status_code == 404
    assert message(answer)


BMC = {
    'ipv4': ({'ipmi_address': '203.0.113.1'}, ['203.0.113.1']),
    'ipv6': ({'ipmi_address': '2001:DB8::0:1'}, ['2001:db8::1']),
    'ipv6 in brackets': ({'ipmi_address': '[2001:db8::2]'}, ['2001:db8::2']),
    'url': ({'redfish_address': 'https://203.0.113.2/redfish/v1'}, ['203.0.113.2']),
    'url with a port': ({'redfish_address': 'https://root@203.0.113.3:8443'}, ['203.0.113.3']),
    'url with ipv6': ({'redfish_address': 'https://[2001:db8::3]:443/'}, ['2001:db8::3']),
    'no scheme': ({'redfish_address': '//203.0.113.4'}, ['203.0.113.4']),
    'first field that is not empty': (
        {'ipmi_address': '', 'redfish_address': None, 'ilo_address': '203.0.113.5', 'drac_address': '203.0.113.6'},
        ['203.0.113.5'],
    ),
    'ipmi_address comes first': ({'ibmc_address': '203.0.113.8', 'ipmi_address': '203.0.113.7'}, ['203.0.113.7']),
    'drac_host': ({'drac_host': '203.0.113.9'}, ['203.0.113.9']),
    'a number': ({'ipmi_address': 7}, None),
    'bridging off': ({'ipmi_address': '203.0.113.10', 'ipmi_bridging': 'no'}, ['203.0.113.10']),
    'bridging': ({'ipmi_address': '203.0.113.11', 'ipmi_bridging': 'single'}, []),
    'loopback': ({'ipmi_address': '127.0.0.1'}, []),
    'loopback, ipv6': ({'ipmi_address': '::1'}, []),
    'a name that is loopback': ({'ipmi_address': 'localhost'}, []),
    'a name that does not resolve': ({'ipmi_address': 'bmc.invalid'}, []),
    'a label that is too long': ({'ipmi_address': 'a' * 64 + '.invalid'}, []),
    'garbage': ({'ipmi_address': 'http://[::1'}, []),
    'NUL': ({'ipmi_address': 'a\0b'}, []),
    'unknown field': ({'bmc_address': '203.0.113.12'}, []),
    'nothing': ({}, []),
}


@pytest.mark.parametrize(('driver_info', 'expected'), BMC.values(), ids=BMC)
def test_addresses_of_bmcs(lab: Lab, driver_info: dict[str, Any], expected: list[str] | None) -> None:
    machine = lab.machine(driver_info=driver_info)
    assert lab.start(machine).status_code == 202
    # A name is asked for at the DNS server of this machine, which may not answer.
    lab.inspector.wait_for_state(machine.uuid, 'waiting', timeout=120)
    found = lab.sql("SELECT value FROM attributes WHERE node_uuid = ? AND name = 'bmc_address'", machine.uuid)
    if expected is not None:
        assert [value for (value,) in found] == expected


def test_a_node_that_nothing_could_be_recognised_by(lab: Lab) -> None:
    machine = lab.machine(port=False, bmc=False)
    assert lab.start(machine).status_code == 202
    status = lab.ended(machine)
    assert status['state'] == 'error'
    assert 'ports' in status['error']
    assert 'BMC' in status['error']
    assert lab.ironic.node(machine.uuid)['power_state'] == 'power off'
    answer = lab.start(machine, manage_boot='false')
    assert answer.status_code == 400
    assert 'ports' in message(answer)
    assert lab.status(machine)['state'] == 'error'


@pytest.mark.parametrize(
    ('value', 'persistent'),
    [
        ('Always', True), ('always', True), ('True', True), ('true', True), ('1', True), (True, True),
        ('Default', False), ('Never', False), ('False', False), ('', False), (None, False), (False, False), ([], False),
    ],
)  # fmt: skip
def test_persistent_boot_devices(lab: Lab, value: Any, persistent: bool) -> None:
    driver_info = {'force_persistent_boot_device': value}
    machine = lab.waiting(driver_info=driver_info)
    assert lab.ironic.boot_device(machine.uuid) == {'boot_device': 'pxe', 'persistent': persistent}


def test_starting_a_waiting_node_starts_it_anew(lab: Lab) -> None:
    machine = lab.waiting()
    first = lab.status(machine)
    since = lab.ironic.mark()
    lab.waiting(machine)
    assert lab.summary(machine, since) == START_CALLS
    assert lab.status(machine)['started_at'] > first['started_at']
    assert len(lab.sql('SELECT DISTINCT attempt_id FROM transitions WHERE node_uuid = ?', machine.uuid)) == 2


def test_starting_a_node_that_is_being_started(lab: Lab) -> None:
    machine = lab.machine()
    with lab.ironic.fail('PUT', f'{machine.uuid}/states/power', 'hang') as hanging:
        assert lab.start(machine).status_code == 202
        assert lab.ironic.wait_for(lambda: hanging.hits, 10)
        for query in ({}, {'manage_boot': '0'}):
            answer = lab.start(machine, **query)
            assert answer.status_code == 409
            assert 'try again' in message(answer)
        assert lab.status(machine)['state'] == 'starting'
    lab.reached(machine, 'waiting')
    assert lab.steps(machine) == [(None, 'starting', 'start'), ('starting', 'waiting', 'wait')]


def test_starting_a_node_again_forgets_how_it_was_known_but_not_its_data(lab: Lab) -> None:
    machine = lab.finished()
    before = lab.data(machine).json()
    lab.ironic.update_node(machine.uuid, driver_info={'ipmi_address': '203.0.113.99'})
    lab.waiting(machine)
    attributes = lab.sql('SELECT name, value FROM attributes WHERE node_uuid = ? ORDER BY name', machine.uuid)
    assert attributes == [('bmc_address', '203.0.113.99'), ('mac', machine.mac)]
    assert lab.data(machine).json() == before
    status = lab.status(machine)
    assert (status['finished'], status['finished_at'], status['error']) == (False, None, None)


def test_a_restart_drops_options_and_attributes_of_the_last_run(lab: Lab) -> None:
    machine = lab.waiting()
    lab.sql("INSERT INTO options (uuid, name, value) VALUES (?, 'x', '1')", machine.uuid)
    lab.sql("INSERT INTO attributes (uuid, node_uuid, name, value) VALUES ('a', ?, 'mac', 'old')", machine.uuid)
    lab.waiting(machine)
    assert lab.sql('SELECT * FROM options WHERE uuid = ?', machine.uuid) == []
    assert lab.sql('SELECT * FROM attributes WHERE value = ?', 'old') == []


def test_machines_are_not_powered_on_all_at_once(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'introspection_delay': 2})
    machines = [lab.machine() for _ in range(3)]
    for machine in machines:
        assert lab.start(machine).status_code == 202
    for machine in machines:
        lab.reached(machine, 'waiting')
    times = sorted(call.when for call in lab.ironic.calls if call.path.endswith('/states/power'))
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert len(pauses) == 2
    # Each power action is sent when its turn comes; on its way it may lose, or the one before, some of the two seconds.
    assert all(pause > 1 for pause in pauses), pauses


def test_callbacks_do_not_wait_for_the_turns_of_others(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'introspection_delay': 3600, 'max_concurrency': 2, 'graceful_shutdown_timeout': 1})
    first, *others = machines = [lab.machine() for _ in range(5)]
    for machine in machines:
        assert lab.start(machine).status_code == 202
        if machine is first:
            # It has the first turn, those of the others come an hour apart.
            lab.reached(first, 'waiting')
    # All that is left to them is to wait.
    assert lab.ironic.wait_for(lambda: lab.ironic.count('PUT', '/management/boot_device$') == len(machines), 10)
    assert lab.call_back(first.data()).status_code == 200
    lab.reached(first, 'finished')
    assert [lab.status(machine)['state'] for machine in others] == ['starting'] * 4
    # They wait so long that the service ends before, and takes them up when it starts again.
    assert lab.inspector.stop() == 0
    assert lab.sql("SELECT count(*) FROM nodes WHERE state = 'starting'") == [(4,)]
    lab.inspector.options['DEFAULT']['introspection_delay'] = 0
    lab.inspector.start()
    for machine in others:
        lab.reached(machine, 'waiting')
    assert lab.log_of('Traceback') == []
