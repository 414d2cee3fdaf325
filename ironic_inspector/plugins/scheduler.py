"""The hook `scheduler`: CPUs, architecture and memory, as schedulers look for them in the properties of nodes."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg

from ironic_inspector import utils
from ironic_inspector.plugins import base
from ironic_inspector.plugins import checks

LOG = utils.getProcessingLogger(__name__)


class SchedulerHook(base.ProcessingHook):
    """Takes `cpus`, `cpu_arch` and `memory_mb` from the inventory into the data and the node's properties."""

    _overwrite: bool

    def configure(self, conf: cfg.ConfigOpts) -> None:
        """Read [processing]overwrite_existing."""
        self._overwrite = conf.processing.overwrite_existing

    def before_update(self, introspection_data: base.JsonObject, node_info: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Set what the inventory has; a value that is missing or malformed is left out with a warning."""
        inventory = utils.get_inventory(introspection_data, node_info)
        read = {
            'cpus': _count(inventory, 'cpu', 'count'),
            'cpu_arch': _text(inventory, 'cpu', 'architecture'),
            'memory_mb': _count(inventory, 'memory', 'physical_mb'),
        }
        found = {key: value for key, value in read.items() if value is not None}
        for key in read.keys() - found.keys():
            LOG.warning(
                'The inventory has no valid value for %s: cpu is %s, memory is %s',
                key,
                checks.shown(inventory.get('cpu')),
                checks.shown(inventory.get('memory')),
                node_info=node_info,
            )
        introspection_data.update(found)
        LOG.debug('Found: %s', found, node_info=node_info)
        properties = node_info.fields.get('properties') or {}
        new = {key: str(value) for key, value in found.items() if self._overwrite or not properties.get(key)}
        if new:
            node_info.update_properties(**new)


def _value(inventory: base.JsonObject, section: str, key: str) -> Any:
    content = inventory.get(section)
    return content.get(key) if isinstance(content, dict) else None


def _count(inventory: base.JsonObject, section: str, key: str) -> int | None:
    value = _value(inventory, section, key)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return number if number > 0 else None


def _text(inventory: base.JsonObject, section: str, key: str) -> str | None:
    value = _value(inventory, section, key)
    return value if isinstance(value, str) and value else None
