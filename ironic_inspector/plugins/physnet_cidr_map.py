"""The hook `physnet_cidr_map`: physical networks of ports by the IP addresses of their interfaces."""

from __future__ import annotations

from collections.abc import Iterator
import ipaddress
from typing import Any

from oslo_config import cfg

from ironic_inspector.common import exceptions
from ironic_inspector.plugins import base
from ironic_inspector.plugins import base_physnet
from ironic_inspector.plugins import interfaces

_MAX_LENGTH = 64
"""Characters of a physical network's name in Ironic."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class PhysnetCidrMapHook(base_physnet.BasePhysnetHook):
    """Takes the network of the first subnet that has an interface's IPv4 address, or else its IPv6 one."""

    _subnets: list[tuple[Network, str]]

    def configure(self, conf: cfg.ConfigOpts) -> None:
        """Read [port_physnet]cidr_map; ConfigurationError if it is malformed."""
        super().configure(conf)
        self._subnets = [_parse(item) for item in conf.port_physnet.cidr_map]

    def before_update(self, introspection_data: base.JsonObject, node_info: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """See BasePhysnetHook; openstacksdk's ports, which take much memory, are not needed here."""
        if not interfaces.can_be_moved(node_info):
            return
        for _name, mac, record in interfaces.with_ports(introspection_data, node_info.port_fields):
            self._set(mac, self._physnet(record), node_info)

    def get_physnet(self, port: Any, iface_name: str, introspection_data: base.JsonObject) -> str | None:  # noqa: ARG002
        """See BasePhysnetHook."""
        return self._physnet(interfaces.known(introspection_data).get(iface_name, {}))

    def _physnet(self, record: base.JsonObject) -> str | None:
        matches = (name for address in _addresses(record) for subnet, name in self._subnets if address in subnet)
        return next(matches, None)


def _addresses(record: base.JsonObject) -> Iterator[Address]:
    for key in ('ipv4_address', 'ipv6_address'):
        # What comes after the percent sign is a zone, which means nothing outside of the node.
        text = str(record.get(key) or '').partition('%')[0]
        try:
            yield ipaddress.ip_address(text)
        except ValueError:
            continue


def _parse(item: str) -> tuple[Network, str]:
    cidr, _, name = (part.strip() for part in item.rpartition(':'))
    try:
        subnet = ipaddress.ip_network(cidr)
    except ValueError as exc:
        raise exceptions.ConfigurationError(
            f'[port_physnet]cidr_map: {item!r} must be a subnet and the name of a physical network, as in '
            f'10.0.0.0/24:name: {exc}'
        ) from exc
    if not 0 < len(name) <= _MAX_LENGTH:
        raise exceptions.ConfigurationError(
            f'[port_physnet]cidr_map: {item!r} must name a physical network, in at most {_MAX_LENGTH} characters'
        )
    return subnet, name
