"""What a machine is looked up by: the MACs and BMC addresses in what its ramdisk sent."""

from __future__ import annotations

from typing import Any

from oslo_utils import netutils

from ironic_inspector import utils
from ironic_inspector.node_cache import BMC_ATTRIBUTE
from ironic_inspector.node_cache import MAC_ATTRIBUTE

JsonObject = dict[str, Any]


def attributes_in(data: JsonObject) -> dict[str, list[str]]:
    """Return the lookup attributes, lists of values by name, that introspection data hold."""
    return {MAC_ATTRIBUTE: _macs(data), BMC_ATTRIBUTE: _bmc_addresses(data)}


def _macs(data: JsonObject) -> list[str]:
    """Return the MACs to look a node up by: of the interfaces that a hook found, or of all there are.

    Without that hook both are just what the ramdisk sent, of any form.
    """
    known, inventory = data.get('all_interfaces'), data.get('inventory')
    if isinstance(known, dict):
        found: list[Any] = [item.get('mac') for item in known.values() if isinstance(item, dict)]
    else:
        interfaces = inventory.get('interfaces') if isinstance(inventory, dict) else None
        items = interfaces if isinstance(interfaces, list) else []
        found = [item.get('mac_address') for item in items if isinstance(item, dict)]
    return [mac.lower() for mac in found if isinstance(mac, str) and netutils.is_valid_mac(mac)]


def _bmc_addresses(data: JsonObject) -> list[str]:
    found = (utils.get_ipmi_address_from_data(data), utils.get_ipmi_v6address_from_data(data))
    return [address for address in found if address]
