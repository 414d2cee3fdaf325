"""The hook `pci_devices`: counts PCI devices of the kinds that the operator named."""

from __future__ import annotations

import collections
import json
from typing import Any

from oslo_config import cfg

from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.plugins import base
from ironic_inspector.plugins import node_capabilities
from ironic_inspector.plugins import pci

LOG = utils.getProcessingLogger(__name__)

_ALIAS_KEYS = ('vendor_id', 'product_id', 'name')


class PciDevicesHook(base.ProcessingHook):
    """Sets a capability, the number of devices, for each alias that matches some of `pci_devices` in the data."""

    _aliases: dict[pci.Kind, set[str]]
    """Names by kind of device."""
    _overwrite: bool

    def configure(self, conf: cfg.ConfigOpts) -> None:
        """Read [pci_devices]alias, and [processing]overwrite_existing; ConfigurationError if an alias is malformed."""
        self._aliases = {}
        for text in conf.pci_devices.alias:
            alias = _parse(text)
            kind = pci.kind(alias['vendor_id'], alias['product_id'])
            self._aliases.setdefault(kind, set()).add(alias['name'])
        self._overwrite = conf.processing.overwrite_existing

    def before_update(self, introspection_data: base.JsonObject, node_info: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Count the devices; devices of one name are added up, whichever alias they match."""
        if not self._aliases:
            return
        counts: collections.Counter[str] = collections.Counter()
        for device in pci.devices(introspection_data, node_info):
            counts.update(self._aliases.get(device.kind, ()))
        node_capabilities.merge(
            node_info, {name: str(count) for name, count in counts.items()}, overwrite=self._overwrite
        )
        LOG.info('PCI devices found: %s', dict(counts), node_info=node_info)


def _parse(text: str) -> dict[str, str]:
    try:
        alias = json.loads(text)
    except ValueError as exc:
        raise exceptions.ConfigurationError(f'[pci_devices]alias: {text!r} is not JSON: {exc}') from exc
    if not isinstance(alias, dict) or alias.keys() != set(_ALIAS_KEYS) or not all(map(_is_text, alias.values())):
        raise exceptions.ConfigurationError(
            f'[pci_devices]alias: {text!r} must be a JSON object with exactly {", ".join(_ALIAS_KEYS)}, all text'
        )
    if not node_capabilities.is_valid(alias['name']):
        raise exceptions.ConfigurationError(
            f'[pci_devices]alias: {alias["name"]!r} cannot be the name of a capability: it has a colon or a comma'
        )
    return alias


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
