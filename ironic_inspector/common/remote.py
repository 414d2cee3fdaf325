"""Asking another service and not giving up at once: one connection for all threads, and retries."""

from __future__ import annotations

from collections.abc import Callable
import threading
import time
from typing import Any
from typing import TypeVar

from oslo_log import log
import tenacity

from ironic_inspector.common import exceptions
from ironic_inspector.common import keystone

LOG = log.getLogger(__name__)

T = TypeVar('T')
F = TypeVar('F', bound=Exception)


class Connection:
    """A service that is looked for when it is first asked, by one thread for all, and anew after each failure."""

    def __init__(self, connect: Callable[[], keystone.Endpoint]) -> None:
        """Find the service by `connect`."""
        self._connect = connect
        self._lock = threading.Lock()
        self._endpoint: keystone.Endpoint | None = None
        self._failure: Exception | None = None
        self._failed_at = 0.0

    def request(self, method: str, path: str, **kwargs: Any) -> keystone.Answer:
        """Send a request, see keystone.Endpoint.request. Raises keystone.Failure."""
        endpoint = None
        try:
            endpoint = self._found()
            return endpoint.request(method, path, **kwargs)
        except keystone.Failure:
            self._forget(endpoint)
            raise

    def _found(self) -> keystone.Endpoint:
        asked_at = time.monotonic()
        with self._lock:
            if self._endpoint is None:
                # Of all threads that wait here one finds out that the service does not answer; the others take its
                # word.
                if self._failure and self._failed_at > asked_at:
                    raise self._failure
                try:
                    self._endpoint = self._connect()
                except keystone.Failure as exc:
                    self._failure, self._failed_at = exc, time.monotonic()
                    raise
            return self._endpoint

    def _forget(self, failed: keystone.Endpoint | None) -> None:
        # Addresses and versions may have changed while the service was away. Another thread may have found out already.
        with self._lock:
            if self._endpoint is failed:
                self._endpoint = None


def persist(
    attempt: Callable[[], T],
    pause: Callable[[F, int], float | None],
    *,
    failure: type[F],
    stopping: threading.Event,
    title: str,
) -> T:
    """Return what `attempt` returns, calling it again when it raises `failure`, as long as `pause` says so.

    `pause` is told the failure and how many attempts there were, and returns the seconds to the next one, None to let
    the failure be raised. Once `stopping` is set there is no next one: ShuttingDown. The log has each failure under
    `title`.
    """

    def to_the_next(state: tenacity.RetryCallState) -> float | None:
        exc = state.outcome.exception() if state.outcome else None
        return pause(exc, state.attempt_number) if isinstance(exc, failure) and not stopping.is_set() else None

    def tell(state: tenacity.RetryCallState) -> None:
        exc = state.outcome.exception() if state.outcome else None
        LOG.info('%s: %s (attempt %d)', title, exc, state.attempt_number)

    retrying = tenacity.Retrying(
        retry=lambda state: to_the_next(state) is not None,
        wait=lambda state: to_the_next(state) or 0.0,
        before_sleep=tell,
        sleep=tenacity.sleep_using_event(stopping),
        reraise=True,
    )
    try:
        return retrying(attempt)
    except failure as exc:
        if stopping.is_set():
            raise exceptions.ShuttingDown(f'The service is shutting down; {exc}') from exc
        raise
