"""Locks on nodes: whoever works on a node holds its lock."""

from __future__ import annotations

import abc
from collections.abc import Iterator
import contextlib
import threading


class NodeLocks(abc.ABC):
    """Hands out the lock of each node. A lock may be released by another thread than the one that took it."""

    @abc.abstractmethod
    def acquire(self, node_uuid: str, timeout: float = 0) -> bool:
        """Take the lock of a node, waiting at most `timeout` seconds for it; tell whether it was had."""

    @abc.abstractmethod
    def release(self, node_uuid: str) -> None:
        """Give the lock of a node back."""

    @contextlib.contextmanager
    def held(self, node_uuid: str, timeout: float = 0) -> Iterator[bool]:
        """Hold the lock of a node in a `with` block, which gets told whether it was had."""
        acquired = self.acquire(node_uuid, timeout)
        try:
            yield acquired
        finally:
            if acquired:
                self.release(node_uuid)


class ProcessLocks(NodeLocks):
    """Locks for threads of one process."""

    def __init__(self) -> None:
        self._held: set[str] = set()
        self._changed = threading.Condition()

    def acquire(self, node_uuid: str, timeout: float = 0) -> bool:
        """See NodeLocks."""
        with self._changed:
            if not self._changed.wait_for(lambda: node_uuid not in self._held, timeout):
                return False
            self._held.add(node_uuid)
            return True

    def release(self, node_uuid: str) -> None:
        """See NodeLocks."""
        with self._changed:
            self._held.discard(node_uuid)
            self._changed.notify_all()
