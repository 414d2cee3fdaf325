"""The bounds on the memory of request bodies."""

from __future__ import annotations

import threading

import pytest

from ironic_inspector.api.budget import Budget
from ironic_inspector.api.budget import Room
from ironic_inspector.common import exceptions


def test_who_wants_more_than_is_free_is_turned_away() -> None:
    budget = Budget(100, patience=0)
    with budget.share(60), budget.share(40), pytest.raises(exceptions.Overloaded), budget.share(1):
        pytest.fail('had')
    with budget.share(100):
        pass


def test_one_that_is_larger_than_all_gets_all() -> None:
    budget = Budget(100, patience=0)
    with budget.share(1000), pytest.raises(exceptions.Overloaded), budget.share(1):
        pytest.fail('had')


def test_what_is_given_back_goes_to_who_waits() -> None:
    budget = Budget(100, patience=30)
    had = threading.Event()

    def want() -> None:
        with budget.share(50):
            had.set()

    with budget.share(80):
        waiting = threading.Thread(target=want)
        waiting.start()
        assert not had.is_set()
    assert had.wait(30)
    waiting.join(30)


def test_a_share_can_end_before_its_block_and_ends_once() -> None:
    budget = Budget(100, patience=0)
    with budget.share(60) as end_share:
        end_share()
        end_share()
        with budget.share(100), pytest.raises(exceptions.Overloaded), budget.share(1):
            pytest.fail('had')
    with budget.share(100):
        pass


def test_the_end_of_a_burst_is_told_and_nothing_smaller() -> None:
    told: list[str] = []
    budget = Budget(100, patience=0, relieve=lambda: told.append('over'))
    with budget.share(50):
        pass
    assert told == []
    with budget.share(40), budget.share(40):
        assert told == []
    assert told == ['over']
    with budget.share(10):
        pass
    assert told == ['over']


def test_each_has_some_room_and_all_share_the_rest() -> None:
    room = Room(100, own=10)
    first, second, third = room.share(), room.share(), room.share()
    first.grow(5)
    first.grow(65)
    second.grow(50)
    with pytest.raises(exceptions.Overloaded):
        second.grow(1)
    third.grow(10)
    with pytest.raises(exceptions.Overloaded):
        third.grow(1)
    first.end()
    third.grow(60)
    for share in (first, second, third):
        share.end()
    room.share().grow(110)
