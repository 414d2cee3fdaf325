"""The filter for networks where nothing has to be filtered."""

from __future__ import annotations

from typing import Any

from ironic_inspector.pxe_filter import interface


class NoopFilter(interface.FilterDriver):
    """Lets every node boot."""

    def init_filter(self) -> None:
        """See FilterDriver: nothing to prepare."""

    def sync(self, ironic: Any) -> None:
        """See FilterDriver: nothing to do."""

    def tear_down_filter(self) -> None:
        """See FilterDriver: nothing to clean up."""
