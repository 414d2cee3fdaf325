"""The hook `capabilities`: boot mode and features of the CPU."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg

from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.plugins import base
from ironic_inspector.plugins import checks
from ironic_inspector.plugins import node_capabilities

LOG = utils.getProcessingLogger(__name__)


class CapabilitiesHook(base.ProcessingHook):
    """Merges `boot_mode`, if wanted, and what the CPU's flags stand for into the node's capabilities."""

    _boot_mode: bool
    _cpu_flags: dict[str, str]
    _overwrite: bool

    def configure(self, conf: cfg.ConfigOpts) -> None:
        """Read [capabilities] and [processing]overwrite_existing; ConfigurationError for a name that is invalid."""
        self._boot_mode = conf.capabilities.boot_mode
        self._cpu_flags = dict(conf.capabilities.cpu_flags)
        self._overwrite = conf.processing.overwrite_existing
        for flag, name in self._cpu_flags.items():
            if not node_capabilities.is_valid(name):
                raise exceptions.ConfigurationError(
                    f'[capabilities]cpu_flags: {name!r}, for the flag {flag!r}, cannot be the name of a capability'
                )

    def before_update(self, introspection_data: base.JsonObject, node_info: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Set the capabilities that were found."""
        inventory = utils.get_inventory(introspection_data, node_info)
        found: dict[str, str] = {}
        if self._boot_mode:
            found |= _boot_mode(inventory, node_info)
        if self._cpu_flags:
            flags = _cpu_flags(inventory, node_info)
            found |= {name: 'true' for flag, name in self._cpu_flags.items() if flag in flags}
        node_capabilities.merge(node_info, found, overwrite=self._overwrite)
        LOG.debug('Capabilities found: %s', found, node_info=node_info)


def _boot_mode(inventory: base.JsonObject, node_info: Any) -> dict[str, str]:
    mode = checks.as_object(inventory.get('boot'), 'inventory.boot').get('current_boot_mode')
    if mode is None:
        LOG.warning('The inventory does not say which boot mode the node is in', node_info=node_info)
        return {}
    if not isinstance(mode, str) or not node_capabilities.is_valid(mode):
        raise utils.Error(checks.fault('inventory.boot.current_boot_mode', 'the name of a boot mode', mode))
    return {'boot_mode': mode}


def _cpu_flags(inventory: base.JsonObject, node_info: Any) -> set[str]:
    cpu = checks.as_object(inventory.get('cpu'), 'inventory.cpu')
    flags = checks.as_list(cpu.get('flags'), 'inventory.cpu.flags')
    if not flags:
        LOG.warning('The inventory has no CPU flags', node_info=node_info)
    for index, flag in enumerate(flags):
        if not isinstance(flag, str):
            raise utils.Error(checks.fault(f'inventory.cpu.flags[{index}]', 'text', flag))
    return set(flags)
