"""Asking for what may take long, or fail, without making many wait for it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
import threading
import time
from typing import Generic
from typing import TypeVar

T = TypeVar('T')


class Probe(Generic[T]):
    """An answer that holds for a while, got by one thread for all who want to know."""

    def __init__(self, ask: Callable[[], T], *, lifetime: float, patience: float) -> None:
        """Get answers by `ask`. They hold for `lifetime` seconds, also if it raised; nobody waits for `patience`."""
        self._ask = ask
        self._lifetime = lifetime
        self._patience = patience
        self._lock = threading.Lock()
        self._answer: futures.Future[T] | None = None
        self._asked_at = 0.0

    def get(self) -> T:
        """Return the answer; raises what `ask` raised, TimeoutError if it has taken longer than the patience."""
        answer, patience = self.begin()
        try:
            return answer.result(max(patience, 0.0))
        except futures.TimeoutError as exc:
            if answer.done():
                raise
            raise TimeoutError(f'there was no answer within {self._patience:g} s') from exc

    def begin(self) -> tuple[futures.Future[T], float]:
        """Ask, if there is no answer that still holds; return what will have it, and the seconds to wait for it."""
        with self._lock:
            now = time.monotonic()
            if self._answer is None or (self._answer.done() and now - self._asked_at >= self._lifetime):
                self._answer, self._asked_at = futures.Future(), now
                # Of its own, and a daemon: what hangs must keep neither work nor the end of the service waiting.
                threading.Thread(target=self._find_out, args=(self._answer,), name='probe', daemon=True).start()
            return self._answer, self._asked_at + self._patience - now

    def _find_out(self, answer: futures.Future[T]) -> None:
        try:
            answer.set_result(self._ask())
        except Exception as exc:  # noqa: BLE001
            # Whatever it is, it is for those who asked.
            answer.set_exception(exc)
