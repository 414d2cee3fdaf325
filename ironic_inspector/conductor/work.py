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


class Work:
    """A pool of threads, and a count of what is going on in it and in the threads of the API."""

    def __init__(self, max_workers: int) -> None:
        """Make a pool of at most `max_workers` threads, which start as they are needed."""
        # Not futurist's: its plain pool starts a thread for each task until it has all of them, and its dynamic one
        # loses count of the threads that it lets go.
        self._pool = futures.ThreadPoolExecutor(max_workers, thread_name_prefix='work')
        self._changed = threading.Condition()
        self._running = 0
        self._draining = False
        # When each task that no thread has taken yet was handed in, the first one first.
        self._queued: dict[object, float] = {}
        self.stopping = threading.Event()
        """Set when even work in progress has to stop: nothing may wait for anything then."""

    @contextlib.contextmanager
    def going_on(self) -> Iterator[None]:
        """Count what happens in the `with` block as work; ShuttingDown if no new work is taken any more."""
        with self._changed:
            if self._draining:
                raise exceptions.ShuttingDown('The service is shutting down: send the request again once it is back')
            self._running += 1
        try:
            yield
        finally:
            self._end_one()

    def submit(self, task: Callable[..., Any], *args: Any) -> None:
        """Run a task in the pool. It is part of the work in progress, so it is taken whenever that goes on."""
        ticket = object()
        with self._changed:
            self._running += 1
            self._queued[ticket] = time.monotonic()
        try:
            self._pool.submit(self._run, ticket, log_context.get_current(), task, args)
        except BaseException:
            self._queued.pop(ticket, None)
            self._end_one()
            raise

    def hand_over(self, stack: contextlib.ExitStack, task: Callable[..., Any], *args: Any) -> None:
        """Run a task in the pool with all that `stack` holds: as its last argument, a stack that it has to close.

        If no thread can be had for it, `stack` keeps what it holds: who asked for the task sees it fail and cleans up.
        """
        held = stack.pop_all()
        try:
            self.submit(task, *args, held)
        except BaseException:
            stack.push(held)
            raise

    def load(self) -> metrics.Load:
        """Return how much there is to do."""
        with self._changed:
            first = next(iter(self._queued.values()), None)
            age = 0.0 if first is None else time.monotonic() - first
            return metrics.Load(self._running, len(self._queued), age)

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
        """Let the threads of the pool end."""
        self._pool.shutdown(wait=wait)

    def _run(
        self,
        ticket: object,
        request: log_context.RequestContext | None,
        task: Callable[..., Any],
        args: tuple[Any, ...],
    ) -> None:
        with self._changed:
            self._queued.pop(ticket, None)
        try:
            # What is logged belongs to the request that asked for it.
            (request or log_context.RequestContext()).update_store()
            task(*args)
        except exceptions.InspectorError as exc:
            LOG.error('%s', exc)
        except Exception:
            # The edge of a thread: whoever submitted the task has long been answered.
            LOG.exception('Unexpected failure')
        finally:
            self._end_one()

    def _end_one(self) -> None:
        with self._changed:
            self._running -= 1
            self._changed.notify_all()
