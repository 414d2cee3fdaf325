"""Introspection data in a real Swift: kept, read, moved, and shared with a real ironic-inspector 12.5."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
from contextlib import ExitStack
import json
from pathlib import Path
import subprocess
from typing import Any

import pytest
import requests

from ironic_inspector.fixtures import fleet
from ironic_inspector.fixtures import inventories
from ironic_inspector.fixtures.ironic import InMemoryIronic
from ironic_inspector.fixtures.swift import InMemorySwift
from tests.e2e import waiting
from tests.e2e.conftest import Http
from tests.functional.lab import Lab
from tests.functional.lab import Machine
from tests.functional.lab import message
from tests.functional.lab import running_lab
from tests.service import BIN
from tools import components
from tools import debian

pytestmark = pytest.mark.xdist_group('swift')

CONTAINER = 'ironic-inspector'


@pytest.fixture(scope='module')
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[components.Swift]:
    """A real Swift that everybody may use."""
    with components.Swift(tmp_path_factory.mktemp('swift')) as running:
        yield running


@pytest.fixture
def make_lab(tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    """A function that starts a service and its in-memory Ironic with options of its own (group={name: value})."""
    with ExitStack() as stack:

        def make(**options: Any) -> Lab:
            return stack.enter_context(running_lab(tmp_path, **options))

        yield make


@pytest.fixture(scope='module')
def lab(swift: components.Swift, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A service that keeps its data in Swift."""
    folder = tmp_path_factory.mktemp('inspector')
    with running_lab(folder, processing={'store_data': 'swift'}, swift=swift.options()) as running:
        yield running


def stored(
    swift: components.Swift, uuid: str, *, processed: bool = True, container: str = CONTAINER
) -> requests.Response:
    """Ask Swift itself for the data of a node."""
    name = f'inspector_data-{uuid}{"" if processed else "-UNPROCESSED"}'
    return requests.get(f'{swift.storage_url}/{container}/{name}', timeout=30)


# Introspections


def test_a_whole_introspection(lab: Lab, swift: components.Swift) -> None:
    machine = lab.finished(mark='ä\u20ac\U0001f600', number=2**70, logs='bG9ncw==')
    sent = machine.data(mark='ä\u20ac\U0001f600', number=2**70)
    assert stored(swift, machine.uuid, processed=False).json() == sent
    assert lab.data(machine, processed=False).json() == sent
    processed = lab.data(machine.name)
    assert processed.headers['Content-Type'] == 'application/json'
    assert processed.json() == stored(swift, machine.uuid).json()
    assert processed.json()['macs'] == [machine.mac]
    assert 'X-Delete-At' not in stored(swift, machine.uuid).headers
    assert lab.sql('SELECT * FROM introspection_data') == []


def test_large_data(lab: Lab, swift: components.Swift) -> None:
    machine = lab.waiting()
    data = machine.data(filling=['x' * 1000] * 4000)
    assert lab.call_back(data).status_code == 200
    lab.reached(machine, 'finished')
    assert lab.data(machine, processed=False).json() == data


def test_new_data_take_the_place_of_old_ones(lab: Lab) -> None:
    machine = lab.finished(run=1)
    lab.finished(machine, run=2)
    assert lab.data(machine).json()['run'] == 2
    assert lab.data(machine, processed=False).json()['run'] == 2


def test_reapplying(lab: Lab, swift: components.Swift) -> None:
    machine = lab.finished()
    lab.ironic.update_node(machine.uuid, properties={'cpus': '1'})
    assert lab.reapply(machine).status_code == 202
    lab.reached(machine, 'finished')
    assert lab.ironic.node(machine.uuid)['properties']['cpus'] == '80'
    assert lab.reapply(machine, json=machine.data(mark=1)).status_code == 202
    lab.reached(machine, 'finished')
    assert stored(swift, machine.uuid, processed=False).json() == machine.data(mark=1)
    assert stored(swift, machine.uuid).json()['mark'] == 1


def test_no_data(lab: Lab) -> None:
    machine = lab.waiting()
    for processed in (True, False):
        answer = lab.data(machine, processed=processed)
        assert answer.status_code == 404
        assert machine.uuid in message(answer)


def test_another_container_and_data_that_expire(make_lab: Callable[..., Lab], swift: components.Swift) -> None:
    container = 'ä b?#'
    options = swift.options() | {'container': container, 'delete_after': 3600}
    lab = make_lab(processing={'store_data': 'swift'}, swift=options)
    machine = lab.finished()
    for processed in (True, False):
        answer = stored(swift, machine.uuid, processed=processed, container='%C3%A4%20b%3F%23')
        left = int(answer.headers['X-Delete-At']) - float(answer.headers['X-Timestamp'])
        assert 3590 <= left <= 3600
    # What expires is gone, and said to be as if it had never been.
    lab.inspector.stop()
    lab.inspector.options['swift']['delete_after'] = 1
    lab.inspector.start()
    lab.finished(machine)
    answer = waiting.until(lambda: lab.data(machine), lambda answer: answer.status_code == 404)
    assert machine.uuid in message(answer)


def test_kill_while_a_node_is_processed(make_lab: Callable[..., Lab], swift: components.Swift) -> None:
    lab = make_lab(processing={'store_data': 'swift'}, swift=swift.options())
    answered, unanswered = lab.waiting(), lab.waiting()
    with (
        lab.ironic.fail('PUT', f'{answered.uuid}/states/power', 'hang') as powering,
        lab.ironic.fail('PATCH', f'{unanswered.uuid}$', 'hang') as writing,
    ):
        assert lab.call_back(answered.data(mark=1)).status_code == 200
        lab.inspector.http.close()
        with contextlib.suppress(requests.RequestException):
            requests.post(f'{lab.inspector.url}/v1/continue', json=unanswered.data(mark=2), timeout=(5, 2))
        assert lab.ironic.wait_for(lambda: powering.hits and writing.hits, 30)
        lab.inspector.kill()
    assert set(lab.sql('SELECT state FROM nodes')) == {('processing',)}
    lab.inspector.start()
    for machine, mark in ((answered, 1), (unanswered, 2)):
        lab.reached(machine, 'finished')
        assert lab.data(machine).json()['mark'] == mark
        assert lab.ironic.node(machine.uuid)['power_state'] == 'power off'


def test_a_swift_that_is_restarted(make_lab: Callable[..., Lab], tmp_path: Path) -> None:
    with components.Swift(tmp_path / 'swift') as swift:
        lab = make_lab(processing={'store_data': 'swift'}, swift=swift.options())
        machine = lab.finished(run=1)
        swift.stop()
        answer = lab.data(machine)
        assert answer.status_code == 503
        assert 'Swift cannot be reached' in message(answer)
        swift.start()
        assert lab.data(machine).json()['run'] == 1
        lab.finished(machine, run=2)


def test_a_user_with_a_password(make_lab: Callable[..., Lab], tmp_path: Path) -> None:
    try:
        debian.require_tools(debian.SWIFT_TOOLS)
    except debian.MissingToolsError as error:
        pytest.skip(str(error))
    with components.Swift(tmp_path / 'swift', tempauth=True) as swift:
        lab = make_lab(processing={'store_data': 'swift'}, swift=swift.options())
        machine = lab.finished(run=1)
        assert lab.data(machine).json()['run'] == 1
        assert stored(swift, machine.uuid).status_code == 401
        # Its tokens do not survive this.
        swift.stop()
        swift.start()
        assert lab.data(machine).json()['run'] == 1
        lab.finished(machine, run=2)
        lab.inspector.stop()
        lab.inspector.options['swift']['password'] = 'wrong'
        lab.inspector.start()
        assert lab.data(machine).status_code == 503


# Moving data


def migrate(lab: Lab, source: str, target: str, *more: str) -> str:
    """Run ironic-inspector-migrate-data beside the service and return what it prints; it has to succeed."""
    command = [BIN / 'ironic-inspector-migrate-data', '--config-file', lab.inspector.config_file]
    done = subprocess.run(
        [*map(str, command), '--from', source, '--to', target, *more], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, '')
    return done.stdout


def change_store(lab: Lab, name: str) -> None:
    """Restart the service with another store."""
    lab.inspector.stop()
    lab.inspector.options['processing']['store_data'] = name
    lab.inspector.start()


def both(lab: Lab, machine: Machine) -> list[Any]:
    """Return the data of a machine, processed and as they were sent."""
    answers = [lab.data(machine, processed=processed) for processed in (True, False)]
    return [answer.json() if answer.ok else answer.status_code for answer in answers]


def test_data_move_to_swift_and_back(make_lab: Callable[..., Lab], swift: components.Swift) -> None:
    options = swift.options() | {'container': 'moved'}
    lab = make_lab(processing={'store_data': 'database'}, swift=options)
    machines = [lab.finished(mark=f'ä{number}') for number in range(3)]
    # Failed after its data were stored as sent.
    machines.append(lab.waiting(properties={'root_device': {'size': '>= 100000'}}))
    assert lab.call_back(machines[-1].data()).status_code == 400
    machines.append(lab.waiting())
    before = [both(lab, machine) for machine in machines]
    assert before[3][0] == 404
    assert before[4] == [404, 404]

    assert '7 migrated' in migrate(lab, 'database', 'swift')
    assert '7 already there' in migrate(lab, 'database', 'swift')
    for machine, data in zip(machines[:3], before, strict=False):
        for processed, expected in zip((True, False), data, strict=True):
            assert stored(swift, machine.uuid, processed=processed, container='moved').json() == expected
    # What comes between the copy and the change.
    lab.finished(machines[1], mark='between')
    before[1] = both(lab, machines[1])
    lab.inspector.stop()
    assert '2 migrated' in migrate(lab, 'database', 'swift', '--overwrite')
    change_store(lab, 'swift')
    assert [both(lab, machine) for machine in machines] == before
    lab.ironic.update_node(machines[3].uuid, properties={})
    assert lab.reapply(machines[3]).status_code == 202
    lab.reached(machines[3], 'finished')
    lab.finished(machines[0], mark='newer')
    machines.append(lab.finished())
    now = [both(lab, machine) for machine in machines]

    # What is newer in Swift survives a mistake.
    assert '2 other data there' in migrate(lab, 'database', 'swift')
    assert [both(lab, machine) for machine in machines] == now

    # The database has data of its own still, which are older.
    lab.sql('DELETE FROM introspection_data')
    assert '10 migrated' in migrate(lab, 'swift', 'database')
    assert '10 already there' in migrate(lab, 'swift', 'database')
    change_store(lab, 'database')
    assert [both(lab, machine) for machine in machines] == now


# With ironic-inspector 12.5

OURS, THEIRS, TAKEN_OVER = fleet.machines(3)


def introspect(service: Http, machine: fleet.Machine) -> None:
    """Take a machine through an introspection."""
    service.start(machine.uuid)
    data = inventories.ramdisk_data(machine.macs[0], bmc_address=machine.bmc_address) | {'mark': 'ä\u20ac'}
    answer = service.post('/v1/continue', json=data)
    assert answer.status_code == 200, answer.text
    service.reach(machine.uuid, 'finished')


def data_of(service: Http, machine: fleet.Machine) -> list[Any]:
    """Return what a service answers for the data of a machine, processed and as they were sent."""
    paths = [f'/v1/introspection/{machine.uuid}/data{kind}' for kind in ('', '/unprocessed')]
    answers = [service.get(path) for path in paths]
    assert [answer.status_code for answer in answers] == [200, 200], [answer.text for answer in answers]
    return [answer.json() for answer in answers]


def test_each_reads_what_the_other_has_written(swift: components.Swift, tmp_path: Path) -> None:
    options: components.Options = {
        'processing': {'store_data': 'swift'},
        'swift': swift.options() | {'container': 'shared'},
    }
    with ExitStack() as stack:
        ironic = stack.enter_context(InMemoryIronic(threads=20))
        ironic.populate_with(fleet.machines(3))
        theirs = stack.enter_context(components.ReferenceInspector(tmp_path / 'theirs', ironic.url, options))
        ours = stack.enter_context(components.Inspector(tmp_path / 'ours', ironic.url, options))
        for machine, writer, reader in ((THEIRS, theirs, ours), (OURS, ours, theirs)):
            introspect(Http(writer.url), machine)
            written = data_of(Http(writer.url), machine)
            assert data_of(Http(reader.url), machine) == written
            for processed, expected in zip((True, False), written, strict=True):
                answer = stored(swift, machine.uuid, processed=processed, container='shared')
                assert json.loads(answer.content) == expected


def test_a_deployment_that_is_taken_over(swift: components.Swift, tmp_path: Path) -> None:
    options: components.Options = {
        'processing': {'store_data': 'swift'},
        'swift': swift.options(),
        'database': {'connection': f'sqlite:///{tmp_path}/inspector.sqlite'},
    }
    with InMemoryIronic(threads=20) as ironic:
        ironic.populate_with(fleet.machines(3))
        with components.ReferenceInspector(tmp_path / 'theirs', ironic.url, options) as theirs:
            introspect(Http(theirs.url), TAKEN_OVER)
            before = data_of(Http(theirs.url), TAKEN_OVER)
        with components.Inspector(tmp_path / 'ours', ironic.url, options) as ours:
            service = Http(ours.url)
            assert data_of(service, TAKEN_OVER) == before
            answer = service.post(f'/v1/introspection/{TAKEN_OVER.uuid}/data/unprocessed')
            assert answer.status_code == 202
            service.reach(TAKEN_OVER.uuid, 'finished')
            assert data_of(service, TAKEN_OVER)[1] == before[1]


# The test double


def test_the_double_answers_as_the_real_one(swift: components.Swift) -> None:
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ('PUT', '/c/o', {'data': b'{}'}),
        ('GET', '/c/o', {}),
        ('PUT', '/c', {}),
        ('PUT', '/c', {}),
        ('GET', '/c/o', {}),
        ('PUT', '/c/o', {'data': b'{}'}),
        ('PUT', '/c/o', {'data': b'{"a": 1}', 'headers': {'X-Delete-After': '100'}}),
        ('GET', '/c/o', {'headers': {'X-Newest': 'true'}}),
        ('GET', '/c/%C3%A4', {}),
    ]
    with InMemorySwift() as double:
        for method, path, arguments in calls:
            # The container of the real one is this test's own.
            answers = [
                requests.request(method, f'{url}/double-{path[1:]}', timeout=30, **arguments)
                for url in (swift.storage_url, double.storage_url)
            ]
            real, doubled = (
                (answer.status_code, answer.content if answer.ok and method == 'GET' else b'') for answer in answers
            )
            assert real == doubled, (method, path)
