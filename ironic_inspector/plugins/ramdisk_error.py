"""The hook `ramdisk_error`: fails the introspection of a node whose ramdisk reports an error."""

from __future__ import annotations

from typing import Any

from ironic_inspector import utils
from ironic_inspector.plugins import base
from ironic_inspector.plugins import checks


class RamdiskErrorHook(base.ProcessingHook):
    """Reads `error` of the data."""

    def before_processing(self, introspection_data: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        """Raise Error with what the ramdisk reported, if anything."""
        error = introspection_data.get('error')
        if error:
            reason = error if isinstance(error, str) else checks.shown(error)
            raise utils.Error(f'The ramdisk reported an error: {reason}')
