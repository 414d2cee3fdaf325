"""Records of nodes: transitions, lookup, paging, on each kind of database."""

from __future__ import annotations

from concurrent import futures
import dataclasses
import datetime
from typing import Any
from typing import cast
import uuid

import pytest
import sqlalchemy as sa

from ironic_inspector.common import exceptions
from ironic_inspector.common import locks
from ironic_inspector.common import metrics
from ironic_inspector.common import text
from ironic_inspector.db import introspections
from ironic_inspector.db import models
from ironic_inspector.introspection_state import Events
from ironic_inspector.introspection_state import States
from ironic_inspector.node_cache import NodeCache
from ironic_inspector.node_info import NodeInfo

UUID = '1be26c0b-03f2-4d2e-ae87-c02d7f33c123'


def begin(nodes: NodeCache, node_uuid: str = UUID, *events: str) -> NodeInfo:
    info = nodes.begin(node_uuid, manage_boot=True)
    for event in events:
        nodes.transition(info, event)
    return info


def steps(nodes: NodeCache, node_uuid: str = UUID) -> list[introspections.Step]:
    columns = [getattr(models.Transition, field.name) for field in dataclasses.fields(introspections.Step)]
    query = sa.select(*columns).where(models.Transition.node_uuid == node_uuid).order_by(models.Transition.id)
    return nodes.database.read(lambda connection: [introspections.Step(*row) for row in connection.execute(query)])


def test_a_new_node_starts(nodes: NodeCache) -> None:
    info = begin(nodes)
    assert info.record == nodes.record(UUID)
    assert (info.state, info.error, info.finished_at, info.manage_boot) == (States.STARTING, None, None, True)
    assert info.started_at is not None


def test_every_transition_is_recorded_with_its_attempt(nodes: NodeCache) -> None:
    info = begin(nodes, UUID, Events.WAIT)
    first = info.record.attempt_id
    nodes.transition(info, Events.ERROR, 'the fan is loud')
    nodes.transition(info, Events.START)
    assert info.record.attempt_id not in (None, first)
    assert [
        (step.attempt_id == first, step.from_state, step.to_state, step.event, step.reason) for step in steps(nodes)
    ] == [
        (True, None, 'starting', 'start', None),
        (True, 'starting', 'waiting', 'wait', None),
        (True, 'waiting', 'error', 'error', 'the fan is loud'),
        (False, 'error', 'starting', 'start', None),
    ]


def test_the_last_step_is_the_newest(nodes: NodeCache) -> None:
    assert nodes.last_step(UUID) is None
    info = nodes.begin(UUID, manage_boot=True, state=States.ENROLLING)
    first = nodes.last_step(UUID)
    assert first is not None
    assert (first.from_state, first.to_state) == (None, States.ENROLLING)
    nodes.transition(info, Events.ERROR, 'It is broken')
    last = nodes.last_step(UUID)
    assert last is not None
    assert (last.from_state, last.to_state, last.reason) == (States.ENROLLING, States.ERROR, 'It is broken')


def test_the_end_sets_the_time_and_the_error_and_drops_the_attributes(nodes: NodeCache) -> None:
    info = begin(nodes, UUID, Events.WAIT)
    info.add_attribute('mac', ['52:54:00:00:00:01', '52:54:00:00:00:02'])
    assert nodes.active_macs() == {'52:54:00:00:00:01', '52:54:00:00:00:02'}
    nodes.transition(info, Events.ERROR, 'no luck')
    assert info.finished_at is not None
    assert info.error == 'no luck'
    assert nodes.active_macs() == set()


def test_a_new_start_forgets_the_last_attempt_but_its_data(nodes: NodeCache) -> None:
    info = begin(nodes, UUID, Events.WAIT)
    info.set_option('colour', {'a': [1]})
    info.add_attribute('mac', '52:54:00:00:00:01')
    nodes.database.write(lambda connection: introspections.set_data(connection, UUID, '{}', processed=True))
    nodes.transition(info, Events.START)
    again = nodes.get(UUID)
    assert (again.options, again.attributes, again.error, again.finished_at) == ({}, {}, None, None)
    assert nodes.database.read(lambda connection: introspections.get_data(connection, UUID, processed=True)) == '{}'


def test_an_event_that_the_state_does_not_know_changes_nothing(nodes: NodeCache) -> None:
    info = begin(nodes)
    before, story = nodes.record(UUID), steps(nodes)
    with pytest.raises(exceptions.NotAllowedInState, match='starting: finish is not possible'):
        nodes.transition(info, Events.FINISH)
    assert nodes.record(UUID) == before
    assert steps(nodes) == story


def test_of_two_that_saw_the_same_record_one_loses(nodes: NodeCache) -> None:
    begin(nodes, UUID, Events.WAIT)
    one, other = nodes.get(UUID), nodes.get(UUID)
    nodes.transition(one, Events.PROCESS)
    with pytest.raises(exceptions.Busy):
        nodes.transition(other, Events.PROCESS)
    assert len(steps(nodes)) == 3


def test_only_one_of_many_at_once_gets_a_new_node(nodes: NodeCache) -> None:
    def attempt(_number: int) -> bool:
        try:
            nodes.begin(UUID, manage_boot=False)
        except (exceptions.Busy, exceptions.NotAllowedInState):
            return False
        return True

    with futures.ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1
    assert len(steps(nodes)) == 1


def test_a_repeat_of_a_committed_transition_is_no_conflict(nodes: NodeCache) -> None:
    info = begin(nodes)
    before = info.record
    nodes.transition(info, Events.WAIT)
    step = steps(nodes)[-1]
    done = nodes.database.write(lambda connection: introspections.update(connection, before, info.record, step))
    assert done
    assert len(steps(nodes)) == 2


@pytest.mark.parametrize('message', ['a\0b', 'half \ud83d a pair', '\U0001f525 fire', 'x' * 1_000_000])
def test_any_message_can_be_stored(nodes: NodeCache, message: str) -> None:
    info = begin(nodes)
    nodes.transition(info, Events.ERROR, message)
    stored = nodes.record(UUID).error
    assert stored == text.storable(message)
    assert stored


def test_times_keep_their_microseconds(nodes: NodeCache) -> None:
    info = begin(nodes)
    moment = datetime.datetime(2026, 1, 31, 12, 22, 1, 123456)
    nodes.database.write(lambda connection: connection.execute(sa.update(models.Node).values(started_at=moment)))
    assert nodes.record(info.uuid).started_at == moment


class TestFind:
    """Matching a callback to a node."""

    def test_the_node_with_most_matches_wins(self, nodes: NodeCache) -> None:
        one, other = str(uuid.uuid4()), str(uuid.uuid4())
        begin(nodes, one).set_attributes({'mac': ['m1'], 'bmc_address': ['b1']})
        begin(nodes, other).set_attributes({'mac': ['m2', 'm3'], 'bmc_address': ['b2']})
        assert nodes.find({'mac': ['m1', 'm2', 'm3'], 'bmc_address': ['b1', 'b2']}) == other
        assert nodes.find({'mac': [], 'bmc_address': ['b1', 'b1']}) == one

    def test_none_is_an_error_that_names_what_was_sought(self, nodes: NodeCache) -> None:
        begin(nodes).set_attributes({'mac': ['m1']})
        with pytest.raises(exceptions.NotFound, match='mac m2 or bmc_address b9'):
            nodes.find({'mac': ['m2'], 'bmc_address': ['b9']})
        with pytest.raises(exceptions.NotFound, match='whose data have none'):
            nodes.find({'mac': [], 'bmc_address': []})

    def test_a_tie_is_an_error_that_names_the_nodes(self, nodes: NodeCache) -> None:
        pair = sorted(str(uuid.uuid4()) for _ in range(2))
        for node_uuid in pair:
            begin(nodes, node_uuid).set_attributes({'bmc_address': ['b1']})
        with pytest.raises(exceptions.NotFound, match=', '.join(pair)):
            nodes.find({'bmc_address': ['b1']})

    def test_hundreds_of_macs_are_no_problem(self, nodes: NodeCache) -> None:
        macs = [f'm{number}' for number in range(1200)]
        begin(nodes).set_attributes({'mac': macs})
        assert nodes.find({'mac': macs}) == UUID


class TestPage:
    """The list, newest first."""

    def fill(self, nodes: NodeCache, count: int = 25) -> list[str]:
        """Add records: several share a time, some have none. Return their UUIDs in the order of the list."""
        start = datetime.datetime(2026, 1, 1)
        rows = [
            {
                'uuid': str(uuid.uuid4()),
                'state': (States.FINISHED, States.ERROR, States.WAITING)[number % 3],
                'started_at': None if number % 6 == 5 else start + datetime.timedelta(seconds=number // 4),
            }
            for number in range(count)
        ]
        nodes.database.write(lambda connection: connection.execute(sa.insert(models.Node), rows))
        ordered = sorted(
            rows, key=lambda row: (row['started_at'] is not None, row['started_at'] or start, row['uuid']), reverse=True
        )
        return [str(row['uuid']) for row in ordered]

    @pytest.mark.parametrize('size', [1, 4, 7, 25, 26])
    def test_pages_give_every_record_once_and_in_order(self, nodes: NodeCache, size: int) -> None:
        expected = self.fill(nodes)
        seen: list[str] = []
        while page := nodes.page(size, seen[-1] if seen else None):
            assert len(page) <= size
            seen += [record.uuid for record in page]
        assert seen == expected

    def test_states_filter(self, nodes: NodeCache) -> None:
        self.fill(nodes)
        page = nodes.page(100, states=[States.ERROR, States.WAITING])
        assert {record.state for record in page} == {States.ERROR, States.WAITING}
        assert len(page) == 16

    def test_an_unknown_marker_is_an_error(self, nodes: NodeCache) -> None:
        with pytest.raises(exceptions.NotFound):
            nodes.page(10, UUID)


def test_deleting_a_node_takes_all_that_belongs_to_it(nodes: NodeCache) -> None:
    info = begin(nodes, UUID, Events.WAIT)
    info.add_attribute('mac', 'm1')
    info.set_option('a', 1)
    nodes.database.write(lambda connection: introspections.set_data(connection, UUID, '{}', processed=False))
    begin(nodes, str(uuid.uuid4()))
    nodes.delete([UUID])
    assert len(nodes.uuids()) == 1
    assert steps(nodes) == []
    with pytest.raises(exceptions.NotFound):
        nodes.get(UUID)


def test_a_held_node_is_busy(nodes: NodeCache) -> None:
    with nodes.held(UUID), pytest.raises(exceptions.Busy), nodes.held(UUID):
        pytest.fail('had twice')
    with nodes.held(UUID):
        pass


class Recorder(metrics.Metrics):
    """Keeps what it is told of transitions."""

    enabled = True

    def __init__(self) -> None:
        self.told: list[metrics.Transition] = []
        self.begun: list[str] = []

    def began(self, event: str) -> None:
        self.begun.append(event)

    def transition(self, transition: metrics.Transition) -> None:
        self.told.append(transition)


class TestMetrics:
    """What is told to the metrics."""

    def test_only_what_was_committed_counts_with_its_times(self, nodes: NodeCache) -> None:
        recorder = Recorder()
        counting = NodeCache(nodes.database, cast(Any, None), locks.ProcessLocks(), recorder)
        info = begin(counting, UUID, Events.WAIT)
        late = counting.get(UUID)
        nodes.database.write(
            lambda connection: connection.execute(
                sa.update(models.Transition).values(happened_at=datetime.datetime(2026, 1, 1))
            )
        )
        counting.transition(info, Events.PROCESS)
        with pytest.raises(exceptions.Busy):
            counting.transition(late, Events.PROCESS)
        with pytest.raises(exceptions.NotAllowedInState):
            counting.transition(info, Events.WAIT)
        counting.transition(info, Events.FINISH)
        counting.transition(info, Events.REAPPLY)
        assert recorder.begun == [Events.START, Events.REAPPLY]
        assert [(told.before, told.after, told.event) for told in recorder.told] == [
            (States.STARTING, States.WAITING, Events.WAIT),
            (States.WAITING, States.PROCESSING, Events.PROCESS),
            (States.PROCESSING, States.FINISHED, Events.FINISH),
            (States.FINISHED, States.REAPPLYING, Events.REAPPLY),
        ]
        seconds = [told.seconds_before for told in recorder.told]
        assert None not in seconds
        # The step before it was moved into the past.
        assert cast(float, seconds[1]) > 3600
        assert 0 <= cast(float, recorder.told[2].seconds_in_all) < 3600

    def test_nothing_is_asked_where_nothing_is_counted(self, nodes: NodeCache, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(introspections, 'last_step_at', pytest.fail)
        begin(nodes, UUID, Events.WAIT)

    def test_nodes_are_counted_by_state(self, nodes: NodeCache) -> None:
        for _ in range(3):
            begin(nodes, str(uuid.uuid4()), Events.WAIT)
        begin(nodes)
        assert nodes.database.read_once(introspections.has_any)
        assert nodes.database.read_once(introspections.count_by_state) == {States.WAITING: 3, States.STARTING: 1}
