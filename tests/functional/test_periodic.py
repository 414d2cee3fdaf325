"""What the service does by itself: time-outs, and dropping nodes that have left Ironic."""

from __future__ import annotations

from collections.abc import Callable
import functools
import pathlib
import signal

from tests.functional.lab import Lab
from tests.functional.lab import Machine
from tests.service import until

PAGE = 1000
"""Nodes in a page of Ironic's list."""


def known(lab: Lab) -> set[str]:
    """Return the UUIDs of all nodes that the service knows."""
    return {row[0] for row in lab.sql('SELECT uuid FROM nodes')}


def age(lab: Lab, machine: Machine) -> None:
    """Let the introspection of a machine have begun long ago."""
    lab.sql("UPDATE nodes SET started_at = '2020-01-01 00:00:00.000000' WHERE uuid = ?", machine.uuid)


def looks(lab: Lab, more: int = 2) -> None:
    """Wait until the service has looked at Ironic's list some more times."""
    since = lab.ironic.mark()
    assert lab.ironic.wait_for(lambda: lab.ironic.count('GET', '^/v1/nodes$', since=since) >= more, 20)


def test_time_out(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'clean_up_period': 1, 'timeout': 100})
    machine, young, finished, failed = lab.waiting(), lab.waiting(), lab.finished(), lab.failed()
    before = lab.status(failed)['error']
    for old in (machine, finished, failed):
        age(lab, old)
    status = lab.ended(machine)
    assert (status['state'], status['error'], status['finished']) == ('error', 'Introspection timeout', True)
    assert lab.steps(machine)[-1] == ('waiting', 'error', 'timeout')
    assert lab.sql('SELECT * FROM attributes WHERE node_uuid = ?', machine.uuid) == []
    looks(lab)
    assert lab.status(young)['state'] == 'waiting'
    assert lab.status(finished)['state'] == 'finished'
    assert lab.status(failed)['error'] == before
    # Its ramdisk comes too late, and it may start again.
    assert lab.call_back(machine.data()).status_code in (400, 404)
    lab.finished(machine)
    # Somebody still works on a node: it is left to him.
    busy = lab.machine()
    with lab.ironic.fail('PUT', f'{busy.uuid}/states/power', 'hang') as hanging:
        assert lab.start(busy).status_code == 202
        assert lab.ironic.wait_for(lambda: hanging.hits, 10)
        age(lab, busy)
        looks(lab)
        assert lab.status(busy)['state'] == 'starting'
    until(lambda: lab.status(busy)['state'] in ('waiting', 'error'))


def test_no_time_out(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'clean_up_period': 1, 'timeout': 0})
    machine = lab.waiting()
    age(lab, machine)
    looks(lab)
    assert lab.status(machine)['state'] == 'waiting'


def test_nodes_that_have_left_ironic(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'clean_up_period': 1})
    for _ in range(PAGE):
        lab.ironic.add_node()
    # These are on the second page.
    kept, gone, waiting = lab.finished(), lab.finished(), lab.waiting()
    # While Ironic fails, or a page of it, nothing is dropped.
    with lab.ironic.fail('GET', '^/v1/nodes$', 500) as fault:
        lab.ironic.delete_node(gone.uuid)
        lab.ironic.delete_node(waiting.uuid)
        until(lambda: lab.log_of('nothing is cleaned up'))
        assert fault.hits >= 5
        assert known(lab) == {kept.uuid, gone.uuid, waiting.uuid}
    until(lambda: known(lab) == {kept.uuid})
    assert lab.status(kept)['state'] == 'finished'
    assert lab.data(kept).status_code == 200
    for table, column in (('introspection_data', 'uuid'), ('attributes', 'node_uuid'), ('transitions', 'node_uuid')):
        assert {row[0] for row in lab.sql(f'SELECT {column} FROM {table}')} <= {kept.uuid}
    assert lab.inspector.call('GET', f'/v1/introspection/{gone.uuid}').status_code == 404


def test_a_node_that_came_after_the_list_was_made_is_kept(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'clean_up_period': 1})
    machine = lab.finished()
    with lab.ironic.fail('GET', '^/v1/nodes$', 200, body={'nodes': []}):
        looks(lab)
    assert known(lab) == {machine.uuid}


def test_answers_that_make_no_sense_drop_nothing(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'clean_up_period': 1})
    machine = lab.finished()
    for body in (b'<html>Welcome</html>', {'nothing': 'here'}, {'nodes': None}, {'nodes': [7]}):
        with lab.ironic.fail('GET', '^/v1/nodes$', 200, body=body):
            looks(lab)
    assert known(lab) == {machine.uuid}
    # It has not lost heart.
    lab.ironic.delete_node(machine.uuid)
    until(lambda: not known(lab))


def test_no_periodic_work(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'clean_up_period': 0, 'timeout': 1})
    machine = lab.waiting()
    age(lab, machine)
    assert not lab.ironic.wait_for(lambda: lab.ironic.count('GET', '^/v1/nodes$'), 2)
    assert lab.status(machine)['state'] == 'waiting'


def test_a_database_that_fails_at_one_node(make_lab: Callable[..., Lab], tmp_path: pathlib.Path) -> None:
    options = {'pxe_filter': {'driver': 'dnsmasq', 'sync_period': 0}, 'dnsmasq_pxe_filter': {'dhcp_hostsdir': tmp_path}}
    lab = make_lab(DEFAULT={'clean_up_period': 1}, **options)
    machines = [lab.waiting() for _ in range(3)]
    hosts = [tmp_path / machine.mac for machine in machines]
    assert [host.read_text() for host in hosts] == [f'{machine.mac}\n' for machine in machines]
    broken = lab.sql('SELECT uuid FROM nodes')[0][0]
    for event in ('UPDATE', 'DELETE'):
        lab.sql(
            f'CREATE TRIGGER broken_{event} BEFORE {event} ON nodes WHEN OLD.uuid = {broken!r} '
            "BEGIN SELECT RAISE(ABORT, 'Broken'); END"
        )
    lab.inspector.options['DEFAULT']['timeout'] = 1
    lab.inspector.write_config()
    lab.inspector.send_signal(signal.SIGHUP)
    others = [machine for machine in machines if machine.uuid != broken]
    for machine in others:
        assert lab.ended(machine)['error'] == 'Introspection timeout'
        until(functools.partial(lambda mac: 'ignore' in (tmp_path / mac).read_text(), machine.mac))
    assert until(lambda: lab.log_of(f'Node {broken} is left as it is for now'))
    for machine in machines:
        lab.ironic.delete_node(machine.uuid)
    until(lambda: known(lab) == {broken})
    assert lab.log_of('Periodic work failed') == []


def test_periodic_work_that_hangs_does_not_keep_it(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'clean_up_period': 1, 'graceful_shutdown_timeout': 1})
    lab.finished()
    with lab.ironic.fail('GET', '^/v1/nodes$', 'hang') as hanging:
        assert lab.ironic.wait_for(lambda: hanging.hits, 30)
        assert lab.inspector.stop() == 0
        assert lab.log_of('has not ended in time')
    assert lab.log_of('Traceback') == []


def test_periodic_work_that_takes_long_is_left(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'clean_up_period': 1, 'graceful_shutdown_timeout': 0})
    machines = [lab.failed() for _ in range(3)]
    with lab.ironic.fail('GET', f'^/v1/nodes/({"|".join(each.uuid for each in machines)})$', 'hang') as hanging:
        with lab.ironic.fail('GET', '^/v1/nodes$', 200, body={'nodes': []}):
            assert lab.ironic.wait_for(lambda: hanging.hits, 30)
        lab.inspector.send_signal(signal.SIGTERM)
        until(lambda: lab.log_of('Shutting down'))
    assert lab.inspector.wait() == 0
    # Not those after the one that it was at.
    assert hanging.hits == 1
    assert lab.log_of('left to the next start')
    assert lab.log_of('Traceback') == []


def test_nodes_that_nobody_works_on_are_taken_over(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    starting, processing, aborting, enrolling = (lab.waiting() for _ in range(4))
    assert lab.call_back(processing.data()).status_code == 200
    lab.reached(processing, 'finished')
    busy = lab.machine()
    with lab.ironic.fail('PUT', f'{busy.uuid}/states/power', 'hang') as hanging:
        assert lab.start(busy).status_code == 202
        assert lab.ironic.wait_for(lambda: hanging.hits, 10)
        # As a failure of the database leaves them that keeps their ends from being recorded.
        since = lab.ironic.mark()
        for state, machine in (
            ('starting', starting),
            ('processing', processing),
            ('aborting', aborting),
            ('enrolling', enrolling),
        ):
            lab.sql('UPDATE nodes SET state = ?, version_id = ? WHERE uuid = ?', state, f'left-{state}', machine.uuid)
        until(lambda: lab.status(processing)['state'] == 'finished', 60)
        assert lab.ended(aborting)['error'] == 'Canceled by operator'
        assert 'while it enrolled the node' in lab.ended(enrolling)['error']
        lab.reached(starting, 'waiting')
        assert lab.calls(starting, since)
        assert lab.status(busy)['state'] == 'starting'
        assert hanging.hits == 1
    lab.reached(busy, 'waiting')


def test_a_failure_that_cannot_be_recorded_is_made_good(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    machine = lab.machine()
    lab.sql(
        "CREATE TRIGGER refusal BEFORE UPDATE ON nodes WHEN NEW.state = 'error' "
        "BEGIN SELECT RAISE(FAIL, 'the disk is full'); END"
    )
    with lab.ironic.fail('PUT', f'{machine.uuid}/management/boot_device', 500):
        assert lab.start(machine).status_code == 202
        (line,) = until(lambda: lab.log_of('which cannot be recorded'))
        assert 'The boot device could not be set to PXE' in line
        assert lab.status(machine)['state'] == 'starting'
    lab.sql('DROP TRIGGER refusal')
    until(lambda: lab.status(machine)['state'] == 'waiting', 60)
    lab.finished(machine)
