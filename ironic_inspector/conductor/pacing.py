"""Keeping machines from being switched on all at once."""

from __future__ import annotations

from collections.abc import Callable
import threading
import time

from ironic_inspector.common import exceptions


class Pacer:
    """Gives each caller a turn, a fixed time after the one before."""

    def __init__(self, interval: Callable[[], float], stopping: threading.Event) -> None:
        """Keep `interval()` seconds between two turns; once `stopping` is set nobody waits any more."""
        self._interval = interval
        self._stopping = stopping
        self._lock = threading.Lock()
        self._next_turn = 0.0

    def wait(self) -> None:
        """Return when it is the caller's turn; ShuttingDown if the service ends before."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next_turn)
            self._next_turn = turn + self._interval()
        if self._stopping.wait(max(0.0, turn - now)):
            raise exceptions.ShuttingDown('The service is shutting down: start the introspection once it runs again')
