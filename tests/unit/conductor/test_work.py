"""Work in progress, and its end."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import sys
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


def fail_to_start(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Let no thread of the pool start any more, as where the system has no more of them to give."""

    def start(thread: threading.Thread) -> None:
        if not thread.name.startswith('work'):
            return start_thread(thread)
        meanwhile()
        raise RuntimeError("can't start new thread")

    start_thread = threading.Thread.start
    monkeypatch.setattr(threading.Thread, 'start', start)


def test_a_task_that_got_no_thread_is_done_by_none_later(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    with contextlib.ExitStack() as stack, monkeypatch.context() as patch:
        fail_to_start(patch)
        stack.callback(events.append, 'released')
        with pytest.raises(RuntimeError):
            work.hand_over(stack, lambda _held: events.append('worked'))
    assert work.load() == (0, 0, 0.0)
    # Its thread finds the other task in the queue first.
    work.submit(events.append, 'next')
    assert work.drain(30)
    work.shutdown()
    assert events == ['released', 'next']
    assert work.load() == (0, 0, 0.0)


def test_a_task_that_a_thread_has_taken_already_has_not_failed(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    release, released = threading.Event(), threading.Event()
    work.submit(release.wait, 30)

    def task(held: contextlib.ExitStack) -> None:
        with held:
            events.append('worked')

    def meanwhile() -> None:
        release.set()
        assert released.wait(30)

    fail_to_start(monkeypatch, meanwhile)
    with contextlib.ExitStack() as stack:
        stack.callback(released.set)
        stack.callback(events.append, 'released')
        work.hand_over(stack, task)
    assert work.drain(30)
    assert events == ['worked', 'released']
    assert work.load() == (0, 0, 0.0)


def test_what_ends_a_thread_is_logged(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    work.submit(sys.exit, 'a plug-in said so')
    assert work.drain(30)
    work.shutdown()
    assert 'SystemExit: a plug-in said so' in caplog.text


def test_what_waits_in_line_keeps_no_thread_of_the_pool(work: Work) -> None:
    events: list[int] = []
    turn = threading.Event()

    def wait(number: int, held: contextlib.ExitStack) -> None:
        with held:
            assert turn.wait(30)
            events.append(number)

    for number in range(5):
        with contextlib.ExitStack() as stack:
            stack.callback(events.append, -number)
            work.line_up(stack, wait, number)
    done = threading.Event()
    work.submit(done.set)
    try:
        assert done.wait(10)
        assert events == []
        # They are work in progress, but wait for no thread.
        assert not work.drain(0)
        assert work.load().queued == 0
        assert work.load().going_on >= 5
    finally:
        turn.set()
    assert work.drain(30)
    assert events == [0, 0, 1, -1, 2, -2, 3, -3, 4, -4]


def test_what_comes_too_late_to_be_handed_over_has_not_failed(work: Work) -> None:
    with work.going_on():
        assert not work.drain(0)
        work.shutdown()
        for hand_over in (work.hand_over, work.line_up):
            with pytest.raises(exceptions.ShuttingDown):
                hand_over(contextlib.ExitStack(), pytest.fail)
    assert work.load() == (0, 0, 0.0)
