"""What out-of-tree plug-ins import from here; the service's own code uses it as well."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import MutableMapping
from concurrent import futures
import functools
import ipaddress
import logging
from typing import TYPE_CHECKING
from typing import Any

from oslo_config import cfg
from oslo_context import context as log_context
from oslo_log import log

from ironic_inspector.common import exceptions
from ironic_inspector.common import text

JsonObject = dict[str, Any]


class Error(exceptions.IntrospectionFailed):
    """What a hook or a rule raises to fail an introspection.

    The message becomes the error of the node, and that of the answer to the ramdisk, whose HTTP status is `code`.
    `log_level`, `node_info` and `data` are accepted for the sake of plug-ins that pass them.
    """

    def __init__(
        self,
        msg: Any,
        code: int = 400,
        log_level: str = 'error',  # noqa: ARG002
        node_info: Any = None,  # noqa: ARG002
        data: Any = None,  # noqa: ARG002
    ) -> None:
        super().__init__(text.storable(str(msg)))
        self.http_code = code


class _NoData(Error):
    """What data stores from elsewhere raise where they have no data to return."""

    code = 'not-found'

    def __init__(self, msg: Any, code: int = 404, **kwargs: Any) -> None:
        super().__init__(msg, code, **kwargs)


class IntrospectionDataNotFound(_NoData):
    """There are no introspection data of a node."""


class IntrospectionDataStoreDisabled(_NoData):
    """Introspection data are kept nowhere."""


if TYPE_CHECKING:
    _LoggerAdapter = logging.LoggerAdapter[Any]
else:
    # Before Python 3.11 it takes no type.
    _LoggerAdapter = logging.LoggerAdapter


class ProcessingLogger(_LoggerAdapter):
    """Puts the node, as far as it is known, in front of each message; call it with node_info= and data=."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Take our arguments out of `kwargs` and return the message with its prefix."""
        node_info, data = kwargs.pop('node_info', None), kwargs.pop('data', None)
        context = log_context.get_current()
        if node_info is not None and context is not None and context.resource_uuid == _uuid_of(node_info):
            # The line names it already.
            return msg, kwargs
        name = _node_name(node_info, data)
        return f'[{name.replace("%", "%%")}] {msg}', kwargs


def getProcessingLogger(name: str) -> ProcessingLogger:  # noqa: N802
    """Return a logger for the processing of nodes."""
    return ProcessingLogger(log.getLogger(name), {})


@functools.cache
def executor() -> futures.ThreadPoolExecutor:
    """Return the pool of threads for what plug-ins do beside the processing of nodes; made when first asked for.

    The service's own work has another pool, which such work cannot fill.
    """
    return futures.ThreadPoolExecutor(cfg.CONF.max_concurrency, thread_name_prefix='plug-in')


def _node_name(node_info: Any, data: Any) -> str:
    if node_info is not None:
        return f'node: {_uuid_of(node_info)}'
    if isinstance(data, Mapping):
        mac = get_pxe_mac(data)
        if mac:
            # Not known to be a MAC yet: this way it can't break the log's lines, nor fill them.
            return f'MAC: {ascii(mac[:40])[1:-1]}'
    return 'unidentified node'


def _uuid_of(node_info: Any) -> Any:
    """Return the UUID of a NodeInfo or of openstacksdk's Node, which plug-ins may have instead."""
    return getattr(node_info, 'uuid', None) or getattr(node_info, 'id', node_info)


def get_inventory(data: Mapping[str, Any], node_info: Any = None) -> JsonObject:  # noqa: ARG001
    """Return the inventory in the data of a ramdisk; Error if there is none, or none of its interfaces.

    It has `disks` from then on: an empty list if the ramdisk sent none.
    """
    inventory = data.get('inventory')
    if not isinstance(inventory, dict) or not inventory:
        raise Error('The introspection data have no inventory: the ramdisk must send one under "inventory"')
    if not inventory.get('interfaces'):
        raise Error('The inventory has no interfaces: the ramdisk found no network interface')
    if inventory.get('disks') is None:
        inventory['disks'] = []
    return inventory


def get_valid_macs(data: Mapping[str, Any]) -> list[str]:
    """Return the MACs of all valid interfaces, as the hook validate_interfaces left them in `all_interfaces`."""
    # Without that hook they are what the ramdisk sent, if anything, of any form.
    interfaces = data.get('all_interfaces')
    found = interfaces.values() if isinstance(interfaces, Mapping) else ()
    return [interface['mac'] for interface in found if isinstance(interface, Mapping) and interface.get('mac')]


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
