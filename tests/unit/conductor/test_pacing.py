"""Turns, a fixed time apart."""

from __future__ import annotations

import threading

import pytest

from ironic_inspector.common import exceptions
from ironic_inspector.conductor.pacing import Pacer


class Waits(threading.Event):
    """An event that notes how long it was waited for, instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        return self.is_set()


def test_turns_keep_their_distance() -> None:
    stopping = Waits()
    pacer = Pacer(lambda: 100.0, stopping)
    for _ in range(3):
        pacer.wait()
    first, second, third = stopping.seconds
    assert first == 0
    assert 90 < second <= 100
    assert 190 < third <= 200


def test_without_an_interval_nobody_waits() -> None:
    stopping = Waits()
    pacer = Pacer(lambda: 0.0, stopping)
    for _ in range(3):
        pacer.wait()
    assert stopping.seconds == [0, 0, 0]


def test_nobody_waits_once_the_service_stops() -> None:
    stopping = threading.Event()
    pacer = Pacer(lambda: 3600.0, stopping)
    pacer.wait()
    stopping.set()
    with pytest.raises(exceptions.ShuttingDown):
        pacer.wait()
