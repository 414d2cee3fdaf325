"""The work that goes on in the process: who does it, and how it comes to an end."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from concurrent import futures
import contextlib
import threading
import time
from typing import Any

from oslo_context import context as log_context
from oslo_log import log

from ironic_inspector.common import exceptions
from ironic_inspector.common import metrics

LOG = log.getLogger(__name__)

_ENDING = 'The service is shutting down: send the request again once it is back'


class _Threads:
    """Threads that take their tasks from one queue."""

    def __init__(self, most: int, name: str) -> None:
        # Not futurist's: its plain pool starts a thread for each task until it has all of them, and its dynamic one
        # loses count of the threads that it lets go.
        self.executor = futures.ThreadPoolExecutor(most, thread_name_prefix=name)
        # When each task that no thread has taken yet was handed in, the first one first.
        self.queued: dict[object, float] = {}


class Work:
    """A pool of threads, and a count of what is going on in it and in the threads of the API.

    Beside the pool there is one thread for tasks that wait for their turn: those whose turn has not come keep no
    thread of the pool.
    """

    def __init__(self, max_workers: int) -> None:
        """Make a pool of at most `max_workers` threads, which start as they are needed."""
        self._pool = _Threads(max_workers, 'work')
        self._line = _Threads(1, 'line')
        self._changed = threading.Condition()
        self._running = 0
        self._draining = False
        self.stopping = threading.Event()
        """Set when even work in progress has to stop: nothing may wait for anything then."""

    @contextlib.contextmanager
    def going_on(self) -> Iterator[None]:
        """Count what happens in the `with` block as work; ShuttingDown if no new work is taken any more."""
        with self._changed:
            if self._draining:
                raise exceptions.ShuttingDown(_ENDING)
            self._running += 1
        try:
            yield
        finally:
            self._end_one()

    def submit(self, task: Callable[..., Any], *args: Any) -> None:
        """Run a task in the pool. It is part of the work in progress, so it is taken whenever that goes on."""
        self._submit(self._pool, task, args)

    def hand_over(self, stack: contextlib.ExitStack, task: Callable[..., Any], *args: Any) -> None:
        """Run a task in the pool with all that `stack` holds: as its last argument, a stack that it has to close.

        If no thread can be had for it, `stack` keeps what it holds: who asked for the task sees it fail and cleans up.
        """
        self._hand_over(self._pool, stack, task, args)

    def line_up(self, stack: contextlib.ExitStack, task: Callable[..., Any], *args: Any) -> None:
        """As `hand_over`, but in a thread beside the pool, once all tasks that were lined up before have ended.

        For tasks that wait and then hand over what they waited for.
        """
        self._hand_over(self._line, stack, task, args)

    def load(self) -> metrics.Load:
        """Return how much there is to do."""
        with self._changed:
            queued = self._pool.queued
            first = next(iter(queued.values()), None)
            age = 0.0 if first is None else time.monotonic() - first
            return metrics.Load(self._running, len(queued), age)

    @property
    def draining(self) -> bool:
        """Whether no new work is taken any more."""
        return self._draining

    def drain(self, timeout: float | None) -> bool:
        """Take no new work and wait until what goes on has ended, at most `timeout` seconds; tell whether it has.

        If it has not, `stopping` is set.
        """
        with self._changed:
            self._draining = True
            done = self._changed.wait_for(lambda: not self._running, timeout)
        self.stopping.set()
        return done

    def shutdown(self, *, wait: bool = True) -> None:
        """Let the threads end."""
        # In this order: the one hands over to the other.
        for threads in (self._line, self._pool):
            threads.executor.shutdown(wait=wait)

    def _hand_over(
        self, threads: _Threads, stack: contextlib.ExitStack, task: Callable[..., Any], args: tuple[Any, ...]
    ) -> None:
        held = stack.pop_all()
        try:
            self._submit(threads, task, (*args, held))
        except BaseException:
            stack.push(held)
            raise

    def _submit(self, threads: _Threads, task: Callable[..., Any], args: tuple[Any, ...]) -> None:
        ticket = object()
        with self._changed:
            self._running += 1
            threads.queued[ticket] = time.monotonic()
        try:
            threads.executor.submit(self._run, threads, ticket, log_context.get_current(), task, args)
        except BaseException as exc:
            # The executor queues a task before it starts a thread, which may fail. One of its other threads will come
            # upon the task and find no ticket; one that has been quicker does the task, as was asked.
            if not self._take(threads, ticket):
                return
            self._end_one()
            if self.stopping.is_set():
                # Whatever it was about has not failed.
                raise exceptions.ShuttingDown(_ENDING) from exc
            raise

    def _take(self, threads: _Threads, ticket: object) -> bool:
        """Take the ticket of a task; tell whether it was still there."""
        with self._changed:
            return threads.queued.pop(ticket, None) is not None

    def _run(
        self,
        threads: _Threads,
        ticket: object,
        request: log_context.RequestContext | None,
        task: Callable[..., Any],
        args: tuple[Any, ...],
    ) -> None:
        if not self._take(threads, ticket):
            return
        try:
            # What is logged belongs to the request that asked for it.
            (request or log_context.RequestContext()).update_store()
            task(*args)
        except exceptions.InspectorError as exc:
            LOG.error('%s', exc)
        except BaseException:
            # The edge of a thread: whoever submitted the task has long been answered. A plug-in may even have called
            # sys.exit(), of which the executor would say nothing.
            LOG.exception('Unexpected failure')
        finally:
            self._end_one()

    def _end_one(self) -> None:
        with self._changed:
            self._running -= 1
            self._changed.notify_all()
