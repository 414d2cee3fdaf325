"""What a PXE filter is: it keeps the DHCP server deaf to nodes that must not boot the ramdisk."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Any


class FilterDriver(abc.ABC):
    """A PXE filter. One object for the whole process; called by one thread at a time.

    Whatever it raises is logged with its name, and has no other effect unless the method says so.
    """

    @abc.abstractmethod
    def init_filter(self) -> None:
        """Prepare the filter, once, when the service starts. What it raises stops the start."""

    @abc.abstractmethod
    def sync(self, ironic: Any) -> None:
        """Bring the filter in line with Ironic and with the introspections that go on.

        `ironic` is openstacksdk's proxy of the Bare Metal service, which looks for Ironic when it is first used. When
        this raises, the filter has to be as it was before; there will be another attempt.
        """

    @abc.abstractmethod
    def tear_down_filter(self) -> None:
        """Clean up when the service ends."""

    def get_periodic_sync_task(self) -> Callable[[], object] | None:
        """Return what is to be called, without arguments, time and again; None if nothing is.

        It is called every [pxe_filter]sync_period seconds, or with the spacing that `futurist.periodics.periodic` has
        given it.
        """
        return None
