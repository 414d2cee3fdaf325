"""What a PXE filter is: it keeps the DHCP server deaf to nodes that must not boot the ramdisk."""

from __future__ import annotations

import abc
from typing import Any


class FilterDriver(abc.ABC):
    """A PXE filter. One object for the whole process; called by one thread at a time."""

    @abc.abstractmethod
    def init_filter(self) -> None:
        """Prepare the filter, once, when the service starts. May raise to stop the start."""

    @abc.abstractmethod
    def sync(self, ironic: Any) -> None:
        """Bring the filter in line with Ironic (its client is `ironic`) and with the introspections that go on."""

    @abc.abstractmethod
    def tear_down_filter(self) -> None:
        """Clean up when the service ends."""

    def get_periodic_sync_task(self) -> Any | None:
        """Return what is to be called every [pxe_filter]sync_period seconds; None if nothing is."""
        return None
