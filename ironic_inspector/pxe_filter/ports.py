"""Ironic's ports as the filter knows them between two lists of Ironic."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
import threading
from typing import Any

from ironic_inspector.pxe_filter import policy


class PortCache:
    """Keeps the last list of Ironic's ports, with what has been learned of since. For use by many threads."""

    def __init__(self, fetch: Callable[[], Iterable[dict[str, Any]]]) -> None:
        """Get the list from `fetch`, which returns ports with at least `address` and `extra`, or raises."""
        self._fetch = fetch
        self._fetching = threading.Lock()
        self._lock = threading.Lock()
        self._listed: policy.KnownPorts | None = None
        self._late = policy.KnownPorts()
        """What has been learned of since the last list was begun."""

    @property
    def listed(self) -> bool:
        """Whether the list could be had at least once."""
        return self._listed is not None

    def current(self) -> policy.KnownPorts:
        """Return the ports known now; the list is fetched if there is none yet."""
        with self._lock:
            if self._listed is not None:
                return self._listed
        return self.refresh()

    def refresh(self) -> policy.KnownPorts:
        """Fetch the list; if that raises, all stays as it was."""
        with self._fetching:
            with self._lock:
                self._late = policy.KnownPorts()
            listed = policy.known_ports((port.get('address'), port.get('extra')) for port in self._fetch())
            with self._lock:
                # Ports that came while the list was made need not be in it.
                self._listed = listed | self._late
                return self._listed

    def add(self, ports: Iterable[dict[str, Any]]) -> None:
        """Learn of ports that Ironic has by now."""
        known = policy.known_ports((port.get('address'), port.get('extra')) for port in ports)
        with self._lock:
            self._late |= known
            if self._listed is not None and not known.macs <= self._listed.macs:
                self._listed |= known
