"""Locks of nodes."""

from __future__ import annotations

import threading

from ironic_inspector.common.locks import ProcessLocks


def test_one_at_a_time_for_each_node() -> None:
    locks = ProcessLocks()
    with locks.held('a') as first, locks.held('a') as second, locks.held('b') as other:
        assert (first, second, other) == (True, False, True)
    assert locks.acquire('a')


def test_a_waiting_thread_gets_the_lock_from_another() -> None:
    locks = ProcessLocks()
    assert locks.acquire('a')
    had: list[bool] = []
    waiting = threading.Thread(target=lambda: had.append(locks.acquire('a', timeout=30)))
    waiting.start()
    releasing = threading.Thread(target=locks.release, args=('a',))
    releasing.start()
    for thread in (releasing, waiting):
        thread.join(30)
    assert had == [True]
    assert not locks.acquire('a')
