"""The hook `validate_interfaces`: which interfaces a node has, and which of them are its ports in Ironic."""

from __future__ import annotations

from collections.abc import Collection
import ipaddress
import re
from typing import Any

from oslo_config import cfg

from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.common import ironic
from ironic_inspector.plugins import base
from ironic_inspector.plugins import checks
from ironic_inspector.plugins.interfaces import can_be_moved

LOG = utils.getProcessingLogger(__name__)

_MAC = re.compile('[0-9a-f]{2}(?::[0-9a-f]{2}){5}')
_TEXT_FIELDS = ('name', 'mac_address', 'ipv4_address', 'ipv6_address', 'client_id')

Interfaces = dict[str, base.JsonObject]


class ValidateInterfacesHook(base.ProcessingHook):
    """Finds the interfaces of a node, then makes the node's ports fit them.

    It puts into the data: `all_interfaces`, an object {ip, mac, client_id, pxe} by the interface's name, where `pxe` is
    null if it is not known which interface the node booted from; `interfaces`, those of them that [processing]add_ports
    selects; their MACs as `macs`; and the BMC's `ipmi_address` and `ipmi_v6address`, null if there is none.
    """

    _add_ports: str
    _keep_ports: str
    _overwrite: bool
    _update_pxe_enabled: bool

    def configure(self, conf: cfg.ConfigOpts) -> None:
        """Read add_ports, keep_ports, overwrite_existing and update_pxe_enabled from [processing]."""
        self._add_ports = conf.processing.add_ports
        self._keep_ports = conf.processing.keep_ports
        self._overwrite = conf.processing.overwrite_existing
        self._update_pxe_enabled = conf.processing.update_pxe_enabled
        if self._add_ports == 'disabled' and self._keep_ports == 'added':
            raise exceptions.ConfigurationError(
                '[processing]keep_ports = added cannot be used with [processing]add_ports = disabled: '
                'set keep_ports to all or present'
            )

    def before_processing(self, introspection_data: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        """Fill in what is known about interfaces and BMC; Error if no interface is suitable.

        Whatever is valid is there also when Error is raised, so that the failure can be told to the right node. The
        service refuses wrong types by itself (conductor/known_data.py): interfaces that have some are left out.
        """
        # What a ramdisk sends under these names is nothing that the service may rely on.
        introspection_data.update(all_interfaces={}, interfaces={}, macs=[])
        introspection_data['ipmi_address'] = utils.get_ipmi_address_from_data(introspection_data)
        introspection_data['ipmi_v6address'] = utils.get_ipmi_v6address_from_data(introspection_data)
        pxe_mac = utils.get_pxe_mac(introspection_data)
        inventory = utils.get_inventory(introspection_data)
        found = _read(inventory['interfaces'], pxe_mac)
        refused = {name: reason for name, interface in found.items() if (reason := self._unsuitable(name, interface))}
        suitable = {name: interface for name, interface in found.items() if name not in refused}
        introspection_data['all_interfaces'] = found
        introspection_data['interfaces'] = suitable
        introspection_data['macs'] = [interface['mac'] for interface in suitable.values()]
        if not suitable:
            reasons = checks.listed([f'{checks.shown(name)} {reason}' for name, reason in refused.items()])
            raise utils.Error(
                f'No interface is suitable by [processing]add_ports = {self._add_ports}: '
                f'{reasons or "none has a name and a valid MAC"}'
            )
        if pxe_mac is None and self._add_ports == 'pxe':
            LOG.warning(
                'It is not known which interface the node booted from: all with an IP address are taken',
                data=introspection_data,
            )
        LOG.debug(
            'Interfaces that are used: %s',
            checks.listed([checks.shown(name) for name in suitable]),
            data=introspection_data,
        )

    def before_update(self, introspection_data: base.JsonObject, node_info: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Create ports, delete ports and correct their `pxe_enabled`, as the options say."""
        interfaces: Interfaces = introspection_data['interfaces']
        if self._add_ports != 'disabled':
            self._create_ports(interfaces, node_info)
        state = node_info.fields.get('provision_state')
        if state in ironic.IN_USE:
            LOG.debug('The existing ports are left alone: the node is %s', state, node_info=node_info)
            return
        if self._keep_ports == 'present':
            _keep_only({interface['mac'] for interface in introspection_data['all_interfaces'].values()}, node_info)
        elif self._keep_ports == 'added':
            _keep_only(introspection_data['macs'], node_info)
        if self._overwrite and self._update_pxe_enabled and can_be_moved(node_info):
            _correct_pxe_enabled(interfaces, node_info)

    def _unsuitable(self, name: str, interface: base.JsonObject) -> str | None:
        """Say why an interface is not to become a port; None if it is."""
        ip = interface['ip']
        if name == 'lo' or (ip and ipaddress.ip_address(ip).is_loopback):
            return 'is a loopback interface'
        if self._add_ports == 'pxe' and interface['pxe'] is False:
            return f'({interface["mac"]}) is not the interface that the node booted from'
        if self._add_ports != 'all' and not ip:
            return f'({interface["mac"]}) has no IP address'
        return None

    def _create_ports(self, interfaces: Interfaces, node_info: Any) -> None:
        ports: Interfaces = {}
        for interface in interfaces.values():
            pxe = interface['pxe'] if self._update_pxe_enabled else None
            # VLANs and bonds share the MAC of their interface.
            ports.setdefault(interface['mac'], {**interface, 'pxe': pxe})
        node_info.create_ports(list(ports.values()))


def _read(records: Any, pxe_mac: str | None) -> Interfaces:
    """Return the valid interfaces of an inventory by their names."""
    found: Interfaces = {}
    ignored: list[str] = []
    for record in filter(_is_record, records if isinstance(records, list) else ()):
        name, mac = record.get('name'), (record.get('mac_address') or '').lower()
        if name and _MAC.fullmatch(mac):
            found[name] = {
                'ip': _ip(record, ignored),
                'mac': mac,
                'client_id': record.get('client_id') or None,
                'pxe': None if pxe_mac is None else mac == pxe_mac,
            }
        elif mac or not name:
            ignored.append(f'interface {checks.shown(name)} with the MAC {checks.shown(mac)}')
    if ignored:
        LOG.warning('Ignored in the inventory, as it is not valid: %s', checks.listed(ignored))
    return found


def _is_record(record: Any) -> bool:
    if not isinstance(record, dict):
        return False
    return all(isinstance(record.get(key), (str, type(None))) for key in _TEXT_FIELDS)


def _ip(record: base.JsonObject, ignored: list[str]) -> str | None:
    """Return the address of an interface without its zone, IPv4 before IPv6; None if it has none that is valid.

    Adds those that are not to `ignored`.
    """
    for key in ('ipv4_address', 'ipv6_address'):
        address: str = (record.get(key) or '').partition('%')[0]
        try:
            ipaddress.ip_address(address)
        except ValueError:
            if address:
                ignored.append(f'{key} {checks.shown(address)} of {checks.shown(record["name"])}')
        else:
            return address
    return None


def _keep_only(macs: Collection[str], node_info: Any) -> None:
    for mac in [mac for mac in node_info.port_fields if mac not in macs]:
        LOG.info('The port %s is deleted: the node has no such interface to keep', mac, node_info=node_info)
        node_info.delete_port(mac)


def _correct_pxe_enabled(interfaces: Interfaces, node_info: Any) -> None:
    for interface in interfaces.values():
        mac, pxe = interface['mac'], interface['pxe']
        port = node_info.port_fields.get(mac)
        if port is None or pxe is None or port.get('pxe_enabled') is pxe:
            continue
        LOG.info('The port %s gets pxe_enabled = %s', mac, pxe, node_info=node_info)
        node_info.patch_port(mac, [{'op': 'add', 'path': '/pxe_enabled', 'value': pxe}])
