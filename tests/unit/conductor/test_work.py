"""Work in progress, and its end."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import threading

import pytest

from ironic_inspector.common import exceptions
from ironic_inspector.conductor.work import Work


@pytest.fixture
def work() -> Iterator[Work]:
    work = Work(2)
    yield work
    work.shutdown()


def test_draining_waits_for_what_goes_on(work: Work) -> None:
    release, begun, drained = threading.Event(), threading.Event(), threading.Event()

    def task() -> None:
        begun.set()
        release.wait(30)

    work.submit(task)
    assert begun.wait(30)

    def drain() -> None:
        if work.drain(30):
            drained.set()

    drainer = threading.Thread(target=drain)
    drainer.start()
    assert not drained.is_set()
    release.set()
    drainer.join(30)
    assert drained.is_set()


def test_no_new_work_is_taken_but_what_goes_on_may_continue(work: Work) -> None:
    done = threading.Event()
    with work.going_on():
        assert not work.drain(0)
        assert work.stopping.is_set()
        work.submit(done.set)
    assert done.wait(30)
    with pytest.raises(exceptions.ShuttingDown), work.going_on():
        pytest.fail('taken')
    assert work.drain(30)


def test_a_failing_task_counts_as_ended_and_ends_nothing_else(work: Work) -> None:
    def fail() -> None:
        raise RuntimeError('a bug')

    work.submit(fail)
    assert work.drain(30)


def test_what_is_handed_over_belongs_to_the_task(work: Work) -> None:
    events: list[str] = []

    def task(what: str, held: contextlib.ExitStack) -> None:
        with held:
            events.append(what)

    with contextlib.ExitStack() as stack:
        stack.callback(events.append, 'released')
        work.hand_over(stack, task, 'worked')
        assert work.drain(30)
    assert events == ['worked', 'released']


def test_what_cannot_be_handed_over_stays_and_sees_the_failure(work: Work) -> None:
    seen: list[str] = []

    @contextlib.contextmanager
    def held() -> Iterator[None]:
        try:
            yield
        except RuntimeError:
            seen.append('failed')
            raise
        finally:
            seen.append('released')

    work.shutdown()
    stack = contextlib.ExitStack()
    stack.enter_context(held())
    with pytest.raises(RuntimeError), stack:
        work.hand_over(stack, pytest.fail)
    assert seen == ['failed', 'released']
    assert work.drain(0)


def test_the_load_tells_what_waits_for_a_thread(work: Work) -> None:
    release = threading.Event()
    begun = threading.Semaphore(0)

    def task() -> None:
        begun.release()
        release.wait(30)

    assert work.load() == (0, 0, 0.0)
    for _ in range(2):
        work.submit(task)
    assert begun.acquire(timeout=30)
    assert begun.acquire(timeout=30)
    work.submit(task)
    first = work.load()
    assert (first.going_on, first.queued) == (3, 1)
    assert work.load().age > first.age > 0
    release.set()
    assert work.drain(30)
    assert work.load() == (0, 0, 0.0)


def test_what_cannot_be_submitted_waits_for_nothing(work: Work) -> None:
    work.shutdown()
    with pytest.raises(RuntimeError):
        work.submit(pytest.fail)
    assert work.load() == (0, 0, 0.0)
