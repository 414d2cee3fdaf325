"""One answer for all who ask, and nobody waits for long."""

from __future__ import annotations

import threading

import pytest

from ironic_inspector.common.probe import Probe
from tests.functional.lab import at_once


def test_the_answer_holds_for_its_lifetime() -> None:
    answers = iter(range(10))
    lasting = Probe(lambda: next(answers), lifetime=3600, patience=30)
    assert [lasting.get(), lasting.get()] == [0, 0]
    fleeting = Probe(lambda: next(answers), lifetime=0, patience=30)
    assert [fleeting.get(), fleeting.get()] == [1, 2]


def test_many_who_ask_at_once_get_one_answer() -> None:
    asked: list[int] = []
    release = threading.Event()

    def ask() -> int:
        asked.append(1)
        assert release.wait(30)
        return len(asked)

    probe = Probe(ask, lifetime=3600, patience=30)
    probe.begin()
    release.set()
    assert at_once([probe.get] * 8) == [1] * 8
    assert asked == [1]


def test_a_failure_is_an_answer() -> None:
    def ask() -> None:
        raise LookupError('no luck')

    probe = Probe(ask, lifetime=3600, patience=30)
    for _ in range(2):
        with pytest.raises(LookupError, match='no luck'):
            probe.get()


def test_a_timeout_of_what_was_asked_is_its_own() -> None:
    def ask() -> None:
        raise TimeoutError('the cable is cut')

    with pytest.raises(TimeoutError, match='cable'):
        Probe(ask, lifetime=3600, patience=30).get()


def test_what_hangs_is_waited_for_once_and_counts_when_it_comes() -> None:
    release, asked = threading.Event(), []

    def ask() -> str:
        asked.append(1)
        assert release.wait(30)
        return 'late'

    probe = Probe(ask, lifetime=3600, patience=0.05)
    for _ in range(3):
        with pytest.raises(TimeoutError, match=r'within 0\.05 s'):
            probe.get()
    assert asked == [1]
    answer, patience = probe.begin()
    assert patience < 0
    release.set()
    assert answer.result(30) == 'late'
    assert probe.get() == 'late'
