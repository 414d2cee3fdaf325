"""Base classes of plug-ins."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

from oslo_config import cfg

JsonObject = dict[str, Any]


class ProcessingHook:
    """A step in the processing of what a ramdisk sent.

    One object serves all nodes and threads: it must not keep anything of a node in itself. A hook fails an
    introspection by raising `ironic_inspector.utils.Error`.
    """

    dependencies: Sequence[str] = ()
    """Names of hooks that have to be enabled, and to stand before this one."""

    def configure(self, conf: cfg.ConfigOpts) -> None:
        """Prepare the hook for a configuration, once, before the service starts.

        Raises ironic_inspector.common.exceptions.ConfigurationError if it cannot work; the service does not start then.
        """

    def before_processing(self, introspection_data: JsonObject, **kwargs: Any) -> None:
        """Work on the data of a node that is not known yet. May change them in place."""

    def before_update(self, introspection_data: JsonObject, node_info: Any, **kwargs: Any) -> None:
        """Work on the data and the node (`ironic_inspector.node_info.NodeInfo`). May change both in place."""


class IntrospectionDataStore(abc.ABC):
    """A place for introspection data."""

    @abc.abstractmethod
    def get(self, node_uuid: str, processed: bool = True, get_json: bool = False) -> Any:
        """Return the data of a node, as JSON text or, with `get_json`, as an object.

        `processed` chooses between what the hooks made of them and what the ramdisk sent. Raises
        ironic_inspector.common.exceptions.NotFound if there are none.
        """

    @abc.abstractmethod
    def save(self, node_uuid: str, data: Any, processed: bool = True) -> None:
        """Keep the data of a node, an object or its JSON text, in place of those kept before."""
