"""What the service does by itself: time-outs, and dropping nodes that have left Ironic."""

from __future__ import annotations

from collections.abc import Callable

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
