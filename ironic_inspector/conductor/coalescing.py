"""One run for all who ask at the same time."""

from __future__ import annotations

from collections.abc import Callable
import threading


class Coalescer:
    """Does the same work for many threads: each waits for a run that began after it asked, not for one of its own."""

    def __init__(self, work: Callable[[], object]) -> None:
        """Prepare for runs of `work`, of which there is one at a time."""
        self._work = work
        self._changed = threading.Condition()
        self._running = False
        self._begun = 0
        self._ended = 0

    def run(self) -> None:
        """Return when a run that began after this call has ended; what it raises goes to the thread that it ran in."""
        with self._changed:
            wanted = self._begun + 1
            self._changed.wait_for(lambda: self._ended >= wanted or not self._running)
            if self._ended >= wanted:
                return
            self._running = True
            self._begun += 1
        try:
            self._work()
        finally:
            with self._changed:
                self._running = False
                self._ended = self._begun
                self._changed.notify_all()
