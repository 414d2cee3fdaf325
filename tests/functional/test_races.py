"""Several requests for one node at the same time: one wins, and the others are told."""

from __future__ import annotations

from collections.abc import Callable
import functools
import itertools
import sqlite3
import threading

from tests.functional.lab import Lab
from tests.functional.lab import Machine
from tests.functional.lab import at_once
from tests.functional.lab import message
from tests.service import until

ROUNDS = 12


def is_sound(lab: Lab, machine: Machine) -> bool:
    """Tell whether the story of a machine is one chain, and its record the end of it."""
    steps = lab.steps(machine)
    chained = all(earlier[1] == later[0] for earlier, later in itertools.pairwise(steps))
    return chained and steps[-1][1] == lab.status(machine)['state']


def test_many_starts_of_one_node(lab: Lab) -> None:
    machine = lab.machine()
    answers = at_once([functools.partial(lab.start, machine)] * 10)
    statuses = {answer.status_code for answer in answers}
    assert 202 in statuses
    assert statuses <= {202, 409}
    lab.reached(machine, 'waiting')
    assert is_sound(lab, machine)
    assert lab.sql("SELECT value FROM attributes WHERE node_uuid = ? AND name = 'mac'", machine.uuid) == [
        (machine.mac,)
    ]
    lab.finished(machine)


def test_an_abort_and_a_callback(lab: Lab) -> None:
    for _ in range(ROUNDS):
        machine = lab.waiting()
        abort, callback = at_once(
            [functools.partial(lab.abort, machine), functools.partial(lab.call_back, machine.data())]
        )
        state = lab.ended(machine)['state']
        if state == 'finished':
            assert callback.status_code == 200
            assert abort.status_code in (400, 409)
        else:
            assert abort.status_code == 202
            assert callback.status_code in (400, 404, 409)
        assert is_sound(lab, machine)


def test_a_start_and_a_callback(lab: Lab) -> None:
    for _ in range(ROUNDS):
        machine = lab.waiting()
        start, callback = at_once(
            [functools.partial(lab.start, machine), functools.partial(lab.call_back, machine.data())]
        )
        assert start.status_code in (202, 409)
        assert callback.status_code in (200, 400, 404, 409)
        until(lambda machine=machine: lab.status(machine)['state'] in ('waiting', 'finished'))
        assert is_sound(lab, machine)


def test_a_start_and_a_reapply(lab: Lab) -> None:
    machine = lab.finished()
    for _ in range(ROUNDS):
        answers = at_once([functools.partial(lab.start, machine), functools.partial(lab.reapply, machine)])
        assert 202 in {answer.status_code for answer in answers}
        assert {answer.status_code for answer in answers} <= {202, 400, 409}
        until(lambda: lab.status(machine)['state'] in ('waiting', 'finished'))
        assert is_sound(lab, machine)
        if lab.status(machine)['state'] == 'waiting':
            lab.finished(machine)


def test_the_log_knows_of_no_bug(lab: Lab) -> None:
    test_an_abort_and_a_callback(lab)
    assert lab.log_of('Traceback') == []


def test_a_database_that_somebody_else_holds(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    machine = lab.machine()
    other = sqlite3.connect(lab.inspector.folder / 'inspector.sqlite', check_same_thread=False)
    other.isolation_level = None
    other.execute('BEGIN IMMEDIATE')

    def release() -> None:
        # By then the start has come as far as its first write.
        assert lab.ironic.wait_for(lambda: lab.ironic.count('GET', '/validate$'), 10)
        threading.Event().wait(1)
        other.execute('ROLLBACK')

    answer, _nothing = at_once([functools.partial(lab.start, machine), release])
    other.close()
    assert answer.status_code == 202
    lab.reached(machine, 'waiting')
    assert lab.log_of('locked') == []


def test_a_database_that_lost_a_table(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    machine = lab.finished()
    lab.waiting(machine)
    lab.sql('ALTER TABLE introspection_data RENAME TO elsewhere')
    for answer in (lab.data(machine), lab.call_back(machine.data())):
        assert answer.status_code == 500
        # What is wrong is for the log alone.
        assert 'introspection_data' not in message(answer)
        assert 'SELECT' not in message(answer)
        assert any('introspection_data' in line for line in lab.log_of(answer.headers['X-OpenStack-Request-Id']))
    assert lab.status(machine)['state'] == 'error'
    lab.sql('ALTER TABLE elsewhere RENAME TO introspection_data')
    lab.finished(machine)
