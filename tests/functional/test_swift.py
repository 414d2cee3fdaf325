"""Data kept in Swift: what becomes of introspections when it is away, slow or broken. tests/e2e has a real one."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import json
import pathlib
import threading
from typing import Any

import pytest
import requests

from ironic_inspector.fixtures.swift import InMemorySwift
from tests.functional.lab import Lab
from tests.functional.lab import Machine
from tests.functional.lab import at_once
from tests.functional.lab import message
from tests.functional.lab import running_lab
from tests.functional.refused import refusal
from tests.service import InspectorProcess
from tools.processes import reserve_port

CONTAINER = 'ironic-inspector'
ATTEMPTS = 5
PROCESSED = r'/inspector_data-{}$'
UNPROCESSED = r'/inspector_data-{}-UNPROCESSED$'


@pytest.fixture(scope='module')
def swift() -> Iterator[InMemorySwift]:
    """An in-memory Swift; tests leave no fault behind."""
    with InMemorySwift() as server:
        yield server


@pytest.fixture(scope='module')
def lab(swift: InMemorySwift, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A service that keeps its data in `swift`."""
    folder = tmp_path_factory.mktemp('inspector')
    with running_lab(folder, processing={'store_data': 'swift'}, swift=swift.options()) as running:
        yield running


@pytest.fixture
def make_swift_lab(make_lab: Callable[..., Lab], swift: InMemorySwift) -> Callable[..., Lab]:
    """A function that starts a service that keeps its data in `swift`, with more options for [swift]."""
    return lambda **options: make_lab(processing={'store_data': 'swift'}, swift=swift.options() | options)


def kept(swift: InMemorySwift, machine: Machine, *, processed: bool = True) -> Any:
    """Return the data of a machine as Swift has them."""
    name = f'inspector_data-{machine.uuid}{"" if processed else "-UNPROCESSED"}'
    return json.loads(swift.objects[CONTAINER, name].content)


def in_background(call: Callable[[], Any]) -> threading.Thread:
    """Send a request whose answer may never come."""

    def run() -> None:
        with contextlib.suppress(requests.RequestException):
            call()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_data_are_kept_in_two_objects(lab: Lab, swift: InMemorySwift) -> None:
    machine = lab.finished(mark='ä', logs='bG9ncw==')
    assert kept(swift, machine, processed=False) == machine.data(mark='ä')
    assert kept(swift, machine) == lab.data(machine).json()
    assert kept(swift, machine)['macs'] == [machine.mac]
    assert lab.data(machine, processed=False).json() == machine.data(mark='ä')
    assert lab.data(machine.name).headers['Content-Type'] == 'application/json'
    assert lab.sql('SELECT * FROM introspection_data') == []


def test_two_writes_and_nothing_else(lab: Lab, swift: InMemorySwift) -> None:
    lab.finished()
    machine = lab.finished()
    calls = [(call.method, call.path.rpartition('/')[2]) for call in swift.calls(text=machine.uuid)]
    assert calls == [
        ('PUT', f'inspector_data-{machine.uuid}-UNPROCESSED'),
        ('PUT', f'inspector_data-{machine.uuid}'),
    ]


def test_data_stay_until_others_come(lab: Lab) -> None:
    machine = lab.finished(run=1)
    lab.waiting(machine)
    assert lab.data(machine).json()['run'] == 1
    assert lab.call_back(machine.data(run=2, error='x')).status_code == 400
    assert lab.data(machine).json()['run'] == 1
    lab.finished(machine, run=3)
    assert lab.data(machine, processed=False).json()['run'] == 3


def test_data_that_are_not_there(lab: Lab) -> None:
    machine = lab.waiting()
    for processed in (True, False):
        answer = lab.data(machine, processed=processed)
        assert answer.status_code == 404
        assert machine.uuid in message(answer)
    assert lab.call_back(machine.data(error='x')).status_code == 400
    assert lab.reapply(machine).status_code == 404


def test_reapplying(lab: Lab, swift: InMemorySwift) -> None:
    machine = lab.finished()
    lab.ironic.update_node(machine.uuid, properties={'cpus': '1'})
    assert lab.reapply(machine).status_code == 202
    lab.reached(machine, 'finished')
    assert lab.ironic.node(machine.uuid)['properties']['cpus'] == '80'
    assert lab.reapply(machine, json=machine.data(mark=1, logs='bG9ncw==')).status_code == 202
    lab.reached(machine, 'finished')
    assert kept(swift, machine, processed=False) == machine.data(mark=1)
    assert kept(swift, machine)['mark'] == 1


@pytest.mark.parametrize('fault', [500, 503, 429, 'drop'])
@pytest.mark.parametrize('path', [PROCESSED, UNPROCESSED])
def test_short_failures_are_not_noticed(lab: Lab, swift: InMemorySwift, path: str, fault: Any) -> None:
    machine = lab.waiting()
    with swift.fail('PUT', path.format(machine.uuid), fault, times=1) as failing:
        assert lab.call_back(machine.data()).status_code == 200
        assert failing.hits == 1
    lab.reached(machine, 'finished')
    assert kept(swift, machine)['macs'] == [machine.mac]


@pytest.mark.parametrize('path', [PROCESSED, UNPROCESSED])
@pytest.mark.parametrize(('fault', 'says', 'tries'), [(503, '503', ATTEMPTS), (403, 'credentials', 1)])
def test_a_callback_that_cannot_be_stored_fails_its_node(
    lab: Lab, swift: InMemorySwift, path: str, fault: int, says: str, tries: int
) -> None:
    machine = lab.waiting()
    with swift.fail('PUT', path.format(machine.uuid), fault) as failing:
        # No 5xx: the ramdisk would only send the same again, for a node that expects no data any more.
        answer = lab.call_back(machine.data())
        assert answer.status_code == 400
        assert failing.hits == tries
    status = lab.status(machine)
    assert status['state'] == 'error'
    assert status['error'] == message(answer)
    assert 'could not be stored' in status['error']
    assert says in status['error']
    # Nothing was written to Ironic for data that are not kept.
    assert lab.ironic.count('PATCH', machine.uuid) == 0
    lab.finished(machine)


def test_data_can_be_processed_once_swift_is_back(lab: Lab, swift: InMemorySwift) -> None:
    machine = lab.waiting()
    with swift.fail('PUT', PROCESSED.format(machine.uuid), 500):
        assert lab.call_back(machine.data(mark=1)).status_code == 400
    assert lab.reapply(machine).status_code == 202
    lab.reached(machine, 'finished')
    assert lab.data(machine).json()['mark'] == 1


@pytest.mark.parametrize('fault', [503, 403, 'drop'])
def test_reading_while_swift_fails(lab: Lab, swift: InMemorySwift, fault: Any) -> None:
    machine = lab.finished()
    before = lab.status(machine)
    with swift.fail('*', machine.uuid, fault):
        answers = at_once(
            [lambda: lab.data(machine), lambda: lab.data(machine, processed=False), lambda: lab.reapply(machine)]
        )
        answers.append(lab.reapply(machine, json=machine.data(mark='other')))
    for answer in answers:
        assert answer.status_code == 503, answer.text
        assert 'Swift' in message(answer)
    # Who asked for it may try again; nothing has happened to the node.
    assert lab.status(machine) == before
    assert 'mark' not in lab.data(machine, processed=False).json()


def test_reapplied_data_that_cannot_be_stored_fail_the_node(lab: Lab, swift: InMemorySwift) -> None:
    machine = lab.finished()
    with swift.fail('PUT', PROCESSED.format(machine.uuid), 507):
        assert lab.reapply(machine).status_code == 202
        status = lab.ended(machine)
    assert status['state'] == 'error'
    assert '507' in status['error']


@pytest.mark.parametrize('content', [b'', b'<html>Welcome</html>', b'[]', b'\xff', b'{"cut": '])
def test_damaged_objects(lab: Lab, swift: InMemorySwift, content: bytes) -> None:
    machine = lab.finished()
    before = lab.status(machine)
    for suffix in ('', '-UNPROCESSED'):
        swift.put(CONTAINER, f'inspector_data-{machine.uuid}{suffix}', content)
    for answer in (lab.data(machine), lab.data(machine, processed=False), lab.reapply(machine)):
        assert answer.status_code == 503
        assert f'inspector_data-{machine.uuid}' in message(answer)
    assert lab.status(machine) == before
    lab.finished(machine)


def test_a_swift_that_does_not_answer_in_time(make_swift_lab: Callable[..., Lab], swift: InMemorySwift) -> None:
    lab = make_swift_lab(timeout=1)
    machine = lab.waiting()
    with swift.fail('PUT', UNPROCESSED.format(machine.uuid), 'hang', times=1) as hanging:
        assert lab.call_back(machine.data()).status_code == 200
        assert hanging.hits == 1
    lab.reached(machine, 'finished')
    with swift.fail('GET', machine.uuid, 'hang') as hanging:
        answer = lab.data(machine)
        assert answer.status_code == 503
        assert 'cannot be reached' in message(answer)
        assert hanging.hits == ATTEMPTS


def test_a_swift_that_is_down_and_comes_back(make_lab: Callable[..., Lab]) -> None:
    port = reserve_port()
    url = f'http://127.0.0.1:{port}/v1/AUTH_service'
    # It was not there when the service started.
    lab = make_lab(processing={'store_data': 'swift'}, swift={'auth_type': 'none', 'endpoint_override': url})
    machine = lab.failed()
    assert lab.data(machine).status_code == 503
    lab.waiting(machine)
    assert lab.call_back(machine.data()).status_code == 400
    assert 'Swift cannot be reached' in lab.status(machine)['error']
    for number in range(2):
        # Each time a new one, at the same address, without anything in it.
        with InMemorySwift(port=port):
            lab.finished(machine, run=number)
            assert lab.data(machine).json()['run'] == number
    assert lab.data(machine).status_code == 503


def test_a_stop_while_swift_fails_leaves_the_callback_to_the_ramdisk(
    make_lab: Callable[..., Lab], swift: InMemorySwift
) -> None:
    lab = make_lab(processing={'store_data': 'swift'}, swift=swift.options(), DEFAULT={'graceful_shutdown_timeout': 1})
    machine = lab.waiting()
    with swift.fail('PUT', machine.uuid, 503):
        sending = in_background(lambda: lab.call_back(machine.data()))
        assert swift.wait_for(lambda: len(swift.calls('PUT', machine.uuid)) > 0, 10)
        assert lab.inspector.stop() == 0
        sending.join()
    lab.inspector.start()
    assert lab.status(machine)['state'] == 'waiting'
    assert lab.call_back(machine.data()).status_code == 200
    lab.reached(machine, 'finished')


# Crashes


@pytest.mark.parametrize(
    ('method', 'path', 'stored', 'state'),
    [
        ('PUT', UNPROCESSED, False, 'waiting'),
        ('PUT', PROCESSED, True, 'processing'),
    ],
)
def test_a_crash_while_data_are_written(
    make_swift_lab: Callable[..., Lab], swift: InMemorySwift, method: str, path: str, stored: bool, state: str
) -> None:
    lab = make_swift_lab()
    machine = lab.waiting()
    with swift.fail(method, path.format(machine.uuid), 'hang') as hanging:
        sending = in_background(lambda: lab.call_back(machine.data(mark=1)))
        assert swift.wait_for(lambda: hanging.hits, 10)
        assert lab.sql('SELECT state FROM nodes') == [(state,)]
        lab.inspector.kill()
        sending.join()
    lab.inspector.start()
    if not stored:
        # It was not answered: the ramdisk sends it again.
        assert lab.status(machine)['state'] == 'waiting'
        assert lab.call_back(machine.data(mark=1)).status_code == 200
    lab.reached(machine, 'finished')
    assert lab.data(machine).json()['mark'] == 1


def test_a_crash_after_the_answer_while_swift_goes_away_as_well(
    make_swift_lab: Callable[..., Lab], swift: InMemorySwift
) -> None:
    lab = make_swift_lab()
    machine = lab.waiting()
    with lab.ironic.fail('PUT', f'{machine.uuid}/states/power', 'hang') as hanging:
        assert lab.call_back(machine.data(mark=1)).status_code == 200
        assert lab.ironic.wait_for(lambda: hanging.hits, 10)
        lab.inspector.kill()
    with swift.fail('*', machine.uuid, 503):
        # The start does not wait for what it takes over.
        lab.inspector.start()
        assert lab.status(machine)['state'] == 'processing'
        status = lab.ended(machine)
    assert status['state'] == 'error'
    assert '503' in status['error']
    # What was answered is not lost.
    assert lab.reapply(machine).status_code == 202
    lab.reached(machine, 'finished')
    assert lab.data(machine).json()['mark'] == 1


def test_a_crash_after_which_the_data_have_expired(make_swift_lab: Callable[..., Lab], swift: InMemorySwift) -> None:
    lab = make_swift_lab(delete_after=60)
    machine = lab.waiting()
    with lab.ironic.fail('PUT', f'{machine.uuid}/states/power', 'hang') as hanging:
        assert lab.call_back(machine.data()).status_code == 200
        assert lab.ironic.wait_for(lambda: hanging.hits, 10)
        lab.inspector.kill()
    assert swift.objects.pop((CONTAINER, f'inspector_data-{machine.uuid}-UNPROCESSED')).delete_after == 60
    lab.inspector.start()
    status = lab.ended(machine)
    assert status['state'] == 'error'
    assert 'start the introspection again' in status['error']


# What keeps the service from starting


@pytest.mark.parametrize(
    ('options', 'says'),
    [
        ({'auth_type': None}, '[swift]auth_type'),
        ({'auth_type': 'password'}, 'auth_url'),
        ({'container': 'a/b'}, '[swift]container'),
        ({'delete_after': -1}, 'delete_after'),
        ({'delete_after': 'never'}, 'delete_after'),
    ],
)
def test_a_wrong_configuration(
    tmp_path: pathlib.Path, swift: InMemorySwift, options: dict[str, Any], says: str
) -> None:
    process = InspectorProcess(tmp_path, 'http://127.0.0.1:1')
    process.sync_database()
    process.options |= {'processing': {'store_data': 'swift'}, 'swift': swift.options() | options}
    try:
        assert says in refusal(process)
    finally:
        process.kill()
