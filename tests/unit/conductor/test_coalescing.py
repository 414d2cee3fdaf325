"""One run for all who ask at the same time."""

from __future__ import annotations

import threading

import pytest

from ironic_inspector.conductor.coalescing import Coalescer
from tests.service import until


def test_each_waits_for_a_run_that_began_after_it_asked() -> None:
    begun, release = threading.Semaphore(0), threading.Semaphore(0)
    runs: list[set[int]] = []
    asked: set[int] = set()

    def work() -> None:
        runs.append(set(asked))
        begun.release()
        assert release.acquire(timeout=30)

    coalescer = Coalescer(work)
    served_by: dict[int, int] = {}

    def ask(number: int) -> None:
        asked.add(number)
        coalescer.run()
        served_by[number] = len(runs)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(50)]
    threads[0].start()
    assert begun.acquire(timeout=30)
    for thread in threads[1:]:
        thread.start()
    until(lambda: len(asked) == 50)
    release.release(50)
    for thread in threads:
        thread.join(30)
    # Not everybody need have come to wait by the time the first run ended.
    assert 2 <= len(runs) < 50
    assert all(number in runs[served_by[number] - 1] for number in range(50))


def test_one_after_the_other_each_gets_a_run() -> None:
    runs: list[None] = []
    coalescer = Coalescer(lambda: runs.append(None))
    for count in range(1, 4):
        coalescer.run()
        assert len(runs) == count


def test_a_failure_goes_to_the_thread_that_it_happened_in() -> None:
    failures = [ValueError(), None]

    def work() -> None:
        failure = failures.pop(0)
        if failure is not None:
            raise failure

    coalescer = Coalescer(work)
    with pytest.raises(ValueError):  # noqa: PT011 (it is the one made above)
        coalescer.run()
    coalescer.run()
    assert failures == []
