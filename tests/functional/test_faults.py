"""An Ironic that is away, slow, broken or busy: what the service makes of it, and how often it asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

from ironic_inspector.fixtures.calls import FaultKind
from ironic_inspector.fixtures.ironic import InMemoryIronic
from tests.functional.lab import Lab
from tests.functional.lab import Machine
from tests.functional.lab import at_once
from tests.functional.lab import message
from tools.processes import reserve_port

TRIES = 5
"""How often a request is sent in all that Ironic cannot answer."""
LOCKED_TRIES = 4
"""The same while the node is locked: the tests' configuration has [ironic]max_retries = 3."""

NODE = r'^/v1/nodes/{}$'
VALIDATE = r'^/v1/nodes/{}/validate$'
BOOT_DEVICE = r'^/v1/nodes/{}/management/boot_device$'
POWER = r'^/v1/nodes/{}/states/power$'
PORTS = r'^/v1/ports/detail$'

LOCKED = {'error_message': '{"faultstring": "Node n is locked by host h, please retry after the current operation …"}'}
NAME_TAKEN = {'error_message': '{"faultstring": "A node with name blocked-1 already exists."}'}


class Case(NamedTuple):
    """A fault of one of Ironic's resources, and what it leads to."""

    method: str
    path: str
    kind: FaultKind
    times: int | None
    tries: int
    """How often the service asks."""
    status: int
    """What it answers."""
    state: str | None
    """What state it leaves the node in; None if the node is not known to it."""
    says: str = ''
    """What the operator reads."""
    body: Any = None
    """What Ironic answers, if not what suits the kind."""


Act = Callable[[Lab, Machine], Any]


def outcome(lab: Lab, case: Case, prepare: Act, act: Act) -> tuple[str, str] | None:
    """Let a machine meet a fault; return what is wrong with what came of it: expected and found."""
    machine = lab.machine()
    prepare(lab, machine)
    since = lab.ironic.mark()
    path = case.path.format(machine.uuid)
    with lab.ironic.fail(case.method, path, case.kind, times=case.times, body=case.body):
        answer = act(lab, machine)
        status: dict[str, Any] = {'state': None, 'error': None}
        if case.state is not None:
            status = lab.reached(machine, case.state) if case.state != 'error' else lab.ended(machine)
        tries = lab.ironic.count(case.method, path, since=since)
    # Who asked is told; who was answered before it happened, reads it in the status.
    said = message(answer) if answer.status_code >= 400 else status['error'] or ''
    if answer.status_code >= 400 and case.state == 'error' and status['error'] != said:
        said = f'the answer {said}, but the status {status["error"]}'
    expected = (case.tries, case.status, case.state)
    found = (tries, answer.status_code, status['state'])
    if expected == found and case.says in said:
        return None
    return f'{case}', f'{found}: {said}'


def check(lab: Lab, cases: list[Case], prepare: Act, act: Act) -> None:
    """Try cases, all at once but for those whose faults concern all machines."""
    special = [case for case in cases if '{}' in case.path]
    calls = [lambda case=case: outcome(lab, case, prepare, act) for case in special]
    results = at_once(calls)
    results += [outcome(lab, case, prepare, act) for case in cases if case not in special]
    assert [result for result in results if result] == []


def test_starting(lab: Lab) -> None:
    check(
        lab,
        [
            Case('GET', NODE, 500, 2, 3, 202, 'waiting'),
            Case('GET', NODE, 503, None, TRIES, 400, None, 'Ironic answered 503'),
            Case('GET', NODE, 403, None, 1, 400, None, 'Ironic answered 403'),
            Case('GET', NODE, 404, None, 1, 404, None, '404'),
            Case('GET', NODE, 'drop', 1, 2, 202, 'waiting'),
            Case('GET', NODE, 'drop', None, TRIES, 400, None, 'Ironic cannot be reached'),
            Case('GET', VALIDATE, 500, 2, 3, 202, 'waiting'),
            Case('GET', VALIDATE, 500, None, TRIES, 400, None, 'Ironic answered 500'),
            Case('GET', VALIDATE, 409, 2, 3, 202, 'waiting'),
            Case('PUT', BOOT_DEVICE, 500, 4, 5, 202, 'waiting'),
            Case('PUT', BOOT_DEVICE, 500, None, TRIES, 202, 'error', 'management interface'),
            Case('PUT', BOOT_DEVICE, 400, None, TRIES, 202, 'error', 'management interface'),
            Case('PUT', BOOT_DEVICE, 409, 3, 4, 202, 'waiting'),
            Case('PUT', BOOT_DEVICE, 409, None, LOCKED_TRIES, 202, 'error', 'Ironic answered 409'),
            Case('PUT', POWER, 500, 1, 2, 202, 'waiting'),
            Case('PUT', POWER, 500, None, TRIES, 202, 'error', 'power interface'),
            Case('PUT', POWER, 409, 2, 3, 202, 'waiting'),
            Case('PUT', POWER, 409, None, LOCKED_TRIES, 202, 'error', 'power interface'),
            Case('PUT', POWER, 404, None, 1, 202, 'error', '404'),
            Case('PUT', POWER, 'drop', 2, 3, 202, 'waiting'),
            Case('PUT', POWER, 'drop', None, TRIES, 202, 'error', 'Ironic cannot be reached'),
            Case('GET', PORTS, 500, 2, 3, 202, 'waiting'),
            Case('GET', PORTS, 500, None, TRIES, 202, 'error', 'Ironic answered 500'),
        ],
        lambda _lab, _machine: None,
        lambda lab, machine: lab.start(machine),
    )


def test_calling_back(lab: Lab) -> None:
    check(
        lab,
        [
            Case('GET', NODE, 500, 2, 3, 200, 'finished'),
            Case('GET', NODE, 500, None, TRIES, 400, 'error', 'Ironic answered 500'),
            Case('GET', NODE, 403, None, 1, 400, 'error', 'Ironic answered 403'),
            Case('GET', NODE, 'drop', 1, 2, 200, 'finished'),
            Case('PATCH', NODE, 500, 2, 3, 200, 'finished'),
            Case('PATCH', NODE, 500, None, TRIES, 400, 'error', 'Ironic answered 500'),
            Case('PATCH', NODE, 400, None, 1, 400, 'error', 'Ironic answered 400'),
            Case('PATCH', NODE, 409, 2, 3, 200, 'finished', body=LOCKED),
            Case('PATCH', NODE, 409, None, LOCKED_TRIES, 400, 'error', 'is locked by host', LOCKED),
            Case('PATCH', NODE, 409, None, 1, 400, 'error', 'A node with name', NAME_TAKEN),
            Case('PATCH', NODE, 'drop', 1, 2, 200, 'finished'),
            Case('PUT', POWER, 500, 2, 3, 200, 'finished'),
            Case('PUT', POWER, 500, None, TRIES, 200, 'error', 'power interface'),
            Case('PUT', POWER, 409, None, LOCKED_TRIES, 200, 'error', 'Ironic answered 409'),
            Case('PUT', POWER, 'drop', 2, 3, 200, 'finished'),
            Case('GET', PORTS, 500, 2, 3, 200, 'finished'),
            Case('GET', PORTS, 500, None, TRIES, 400, 'error', 'Ironic answered 500'),
        ],
        lambda lab, machine: lab.waiting(machine),
        lambda lab, machine: lab.call_back(machine.data()),
    )


def test_reapplying(lab: Lab) -> None:
    check(
        lab,
        [
            Case('GET', NODE, 500, 2, 3, 202, 'finished'),
            Case('GET', NODE, 500, None, TRIES, 202, 'error', 'Ironic answered 500'),
            Case('PATCH', NODE, 409, 2, 3, 202, 'finished', body=LOCKED),
            Case('PATCH', NODE, 409, None, LOCKED_TRIES, 202, 'error', 'is locked by host', LOCKED),
            Case('PATCH', NODE, 409, None, 1, 202, 'error', 'A node with name', NAME_TAKEN),
            Case('PATCH', NODE, 'drop', None, TRIES, 202, 'error', 'Ironic cannot be reached'),
            Case('PUT', POWER, 500, None, 0, 202, 'finished'),
        ],
        lambda lab, machine: lab.finished(machine),
        lambda lab, machine: lab.reapply(machine, json=machine.data() | {'pci_devices': []} | _other_cpus(machine)),
    )


def _other_cpus(machine: Machine) -> dict[str, Any]:
    inventory = machine.data()['inventory']
    inventory['cpu']['count'] += 1
    return {'inventory': inventory}


def test_aborting(lab: Lab) -> None:
    check(
        lab,
        [
            Case('PUT', POWER, 500, None, TRIES, 202, 'error', 'Canceled by operator'),
            Case('PUT', POWER, 409, None, LOCKED_TRIES, 202, 'error', 'Canceled by operator'),
            Case('PUT', POWER, 404, None, 1, 202, 'error', 'Canceled by operator'),
            Case('PUT', POWER, 'drop', 2, 3, 202, 'error', 'Canceled by operator'),
        ],
        lambda lab, machine: lab.waiting(machine),
        lambda lab, machine: lab.abort(machine),
    )


def test_a_node_that_somebody_locks_for_a_while(lab: Lab) -> None:
    machine = lab.machine()
    with lab.ironic.lock_node(machine.uuid):
        assert lab.start(machine).status_code == 202
        assert lab.ironic.wait_for(lambda: lab.ironic.count('PUT', machine.uuid), 10)
    lab.reached(machine, 'waiting')
    since = lab.ironic.mark()
    lock = lab.ironic.lock_node(machine.uuid)

    def unlock() -> None:
        assert lab.ironic.wait_for(lambda: lab.ironic.count('PATCH', machine.uuid, since=since), 10)
        lock.__exit__(None, None, None)

    lock.__enter__()
    answer, _nothing = at_once([lambda: lab.call_back(machine.data()), unlock])
    assert answer.status_code == 200
    lab.reached(machine, 'finished')


def test_answers_that_are_not_ironics(lab: Lab) -> None:
    machine = lab.machine()
    for body in (b'<html>Welcome</html>', b'', b'[]', b'7'):
        with lab.ironic.fail('GET', NODE.format(machine.uuid), 200, body=body):
            answer = lab.start(machine)
        assert answer.status_code == 400
        assert 'endpoint_override' in message(answer)
    with lab.ironic.fail('PATCH', NODE.format(machine.uuid), 200, body=b'<html>Welcome</html>'):
        lab.waiting(machine)
        assert lab.call_back(machine.data()).status_code == 400
    assert lab.status(machine)['state'] == 'error'


def test_errors_that_are_not_ironics(lab: Lab) -> None:
    machine = lab.machine()
    for body in (b'<html>Bad gateway</html>', b'', b'\xff', b'{"error_message": 7}', b'[]', b'{"error_message": "{}"}'):
        with lab.ironic.fail('GET', NODE.format(machine.uuid), 418, body=body):
            answer = lab.start(machine)
        assert answer.status_code == 400, answer.text
        assert '418' in message(answer)


def test_an_ironic_that_does_not_answer_in_time(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(ironic={'timeout': 1})
    machine = lab.machine()
    with lab.ironic.fail('PUT', POWER.format(machine.uuid), 'hang', times=2) as hanging:
        assert lab.start(machine).status_code == 202
        # Meanwhile the others go on.
        lab.finished()
        lab.reached(machine, 'waiting')
        assert hanging.hits == 2
    with lab.ironic.fail('PATCH', NODE.format(machine.uuid), 'hang') as hanging:
        answer = lab.call_back(machine.data())
        assert answer.status_code == 400
        assert 'Ironic' in message(answer)
        assert hanging.hits == TRIES
    assert lab.status(machine)['state'] == 'error'


def test_an_ironic_that_is_down_and_comes_back(make_lab: Callable[..., Lab]) -> None:
    port = reserve_port()
    lab = make_lab(ironic={'endpoint_override': f'http://127.0.0.1:{port}'})
    machine = lab.machine()
    # It was not there when the service started.
    for answer in at_once(
        [
            lambda: lab.start(machine),
            lambda: lab.start('some-name'),
            lambda: lab.inspector.call('GET', '/v1/introspection/some-name'),
        ]
    ):
        assert answer.status_code == 400
        assert 'Ironic cannot be reached' in message(answer)
    assert lab.inspector.call('GET', '/v1/introspection').json() == {'introspection': []}
    for number in range(3):
        # Each time a new one, at the same address.
        with InMemoryIronic(port=port) as ironic:
            node = ironic.add_node(uuid=machine.uuid, driver_info={'ipmi_address': machine.bmc})
            ironic.add_port(node['uuid'], machine.mac)
            lab.finished(machine, run=number)
