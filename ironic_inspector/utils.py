"""What out-of-tree plug-ins import from here; the service's own code uses it as well."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import MutableMapping
import ipaddress
import logging
from typing import TYPE_CHECKING
from typing import Any

from oslo_log import log

from ironic_inspector.common import exceptions
from ironic_inspector.common import text

JsonObject = dict[str, Any]


class Error(exceptions.IntrospectionFailed):
    """What a hook or a rule raises to fail an introspection.

    The message becomes the error of the node, and that of the answer to the ramdisk, whose HTTP status is `code`.
    `node_info` and `data` are accepted for the sake of plug-ins that pass them.
    """

    def __init__(self, msg: Any, code: int = 400, node_info: Any = None, data: Any = None) -> None:  # noqa: ARG002
        super().__init__(text.storable(str(msg)))
        self.http_code = code


if TYPE_CHECKING:
    _LoggerAdapter = logging.LoggerAdapter[Any]
else:
    # Before Python 3.11 it takes no type.
    _LoggerAdapter = logging.LoggerAdapter


class ProcessingLogger(_LoggerAdapter):
    """Puts the node, as far as it is known, in front of each message; call it with node_info= and data=."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Take our arguments out of `kwargs` and return the message with its prefix."""
        name = _node_name(kwargs.pop('node_info', None), kwargs.pop('data', None))
        return f'[{name.replace("%", "%%")}] {msg}', kwargs


def getProcessingLogger(name: str) -> ProcessingLogger:  # noqa: N802
    """Return a logger for the processing of nodes."""
    return ProcessingLogger(log.getLogger(name), {})


def _node_name(node_info: Any, data: Any) -> str:
    if node_info is not None:
        return f'node: {node_info.uuid}'
    if isinstance(data, Mapping):
        mac = get_pxe_mac(data)
        if mac:
            # Not known to be a MAC yet: this way it can't break the log's lines, nor fill them.
            return f'MAC: {ascii(mac[:40])[1:-1]}'
    return 'unidentified node'


def get_inventory(data: Mapping[str, Any], node_info: Any = None) -> JsonObject:  # noqa: ARG001
    """Return the inventory in the data of a ramdisk; Error if there is none, or none of its interfaces."""
    inventory = data.get('inventory')
    if not isinstance(inventory, dict) or not inventory:
        raise Error('The introspection data have no inventory: the ramdisk must send one under "inventory"')
    if not inventory.get('interfaces'):
        raise Error('The inventory has no interfaces: the ramdisk found no network interface')
    return inventory


def get_valid_macs(data: Mapping[str, Any]) -> list[str]:
    """Return the MACs of all valid interfaces, as the hook validate_interfaces left them in `all_interfaces`."""
    return [interface['mac'] for interface in data.get('all_interfaces', {}).values() if interface.get('mac')]


def get_pxe_mac(data: Mapping[str, Any]) -> str | None:
    """Return the MAC in `boot_interface` in lower case; None if it is not known.

    PXELINUX gives it a hardware type and hyphens: 01-aa-bb-cc-dd-ee-ff.
    """
    mac = data.get('boot_interface')
    if not isinstance(mac, str) or not mac:
        return None
    if '-' in mac:
        mac = mac.partition('-')[2].replace('-', ':')
    return mac.lower()


def get_ipmi_address_from_data(data: Mapping[str, Any]) -> str | None:
    """Return the IPv4 address of the BMC that the ramdisk found, None if it found none."""
    return _bmc_address(data, 'bmc_address', ipaddress.IPv4Address)


def get_ipmi_v6address_from_data(data: Mapping[str, Any]) -> str | None:
    """Return the IPv6 address of the BMC that the ramdisk found, None if it found none."""
    return _bmc_address(data, 'bmc_v6address', ipaddress.IPv6Address)


def _bmc_address(
    data: Mapping[str, Any], key: str, kind: type[ipaddress.IPv4Address] | type[ipaddress.IPv6Address]
) -> str | None:
    inventory = data.get('inventory')
    value = inventory.get(key) if isinstance(inventory, dict) else None
    # IPv6 addresses come with the length of their prefix, and perhaps a zone, which may be any text and means nothing
    # outside of the node; 0.0.0.0 and ::/0 stand for a BMC without one.
    try:
        address = kind(str(value or '').partition('/')[0].partition('%')[0])
    except ipaddress.AddressValueError:
        return None
    return None if address.is_unspecified else str(address)
