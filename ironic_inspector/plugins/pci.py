"""PCI devices, as the collector `pci-devices` of ironic-python-agent lists them.

Each is an object of text: `vendor_id`, `product_id`, `class` and `revision` in hexadecimal, `bus`, its address such as
0000:3b:00.0, and `numa_node_id`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from ironic_inspector import utils
from ironic_inspector.plugins import base
from ironic_inspector.plugins import checks

LOG = utils.getProcessingLogger(__name__)

Kind = tuple[str, str]
"""The ids of vendor and product, in lower case."""


@dataclasses.dataclass(frozen=True)
class Device:
    """A device that stands at `place` of the data."""

    fields: base.JsonObject
    place: str

    def text(self, key: str) -> str:
        """Return the text under `key`; Error if there is none."""
        value = self.fields.get(key)
        if not isinstance(value, str):
            raise utils.Error(checks.fault(f'{self.place}.{key}', 'text', value))
        return value

    @property
    def kind(self) -> Kind:
        """What device it is; Error if it does not say so."""
        return kind(self.text('vendor_id'), self.text('product_id'))


def kind(vendor_id: str, product_id: str) -> Kind:
    """Return the kind of device that has these ids."""
    return vendor_id.lower(), product_id.lower()


def devices(introspection_data: base.JsonObject, node_info: Any) -> list[Device]:
    """Return the devices of a node; none, with a warning, if the ramdisk did not list them.

    Error if they are anything but a list of objects.
    """
    if introspection_data.get('pci_devices') is None:
        LOG.warning('The ramdisk sent no PCI devices: its collector pci-devices is off', node_info=node_info)
        return []
    found = checks.as_objects(introspection_data['pci_devices'], 'pci_devices')
    return [Device(fields, f'pci_devices[{index}]') for index, fields in enumerate(found)]
