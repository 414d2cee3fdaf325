"""The addresses of a node's BMC."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import ipaddress
import socket
from typing import Any
from urllib import parse

from oslo_log import log

LOG = log.getLogger(__name__)

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def addresses(node: Mapping[str, Any], fields: Sequence[str]) -> list[str]:
    """Return at most one IPv4 and one IPv6 address of the BMC of `node` (Ironic's JSON).

    The first of ipmi_address and `fields` that driver_info has is taken: an address, a name, or a URL with one of them.
    Names are resolved, which may take as long as the resolver does. Loopback addresses do not count, and neither does
    a BMC behind another one (ipmi_bridging).
    """
    driver_info = node.get('driver_info') or {}
    if str(driver_info.get('ipmi_bridging') or 'no').lower() != 'no':
        return []
    value = next((driver_info[name] for name in ('ipmi_address', *fields) if driver_info.get(name)), None)
    if value is None:
        return []
    host = _host(str(value))
    found: dict[int, str] = {}
    for address in _resolve(host, node):
        if not address.is_loopback:
            # A zone, as link-local addresses have it, is a matter of the machine that names it.
            found.setdefault(address.version, str(address).partition('%')[0])
    return [found[version] for version in sorted(found)]


def owners(nodes: Iterable[Mapping[str, Any]], wanted: Collection[str], fields: Sequence[str]) -> set[str]:
    """Return the UUIDs of those nodes whose BMC has one of the addresses `wanted`; see `addresses`."""
    return {node['uuid'] for node in nodes if not set(wanted).isdisjoint(addresses(node, fields))}


def _host(value: str) -> str:
    if '//' in value:
        try:
            return parse.urlsplit(value).hostname or ''
        except ValueError:
            return ''
    return value.strip().strip('[]')


def _resolve(host: str, node: Mapping[str, Any]) -> list[IpAddress]:
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        pass
    try:
        answers = socket.getaddrinfo(host or '.', None, proto=socket.SOL_TCP)
        return [ipaddress.ip_address(str(answer[4][0])) for answer in answers]
    except (OSError, ValueError) as exc:
        LOG.warning(
            'The BMC address %r of node %s cannot be resolved (%s): the node can only be recognised by its MACs',
            host,
            node.get('uuid'),
            exc,
        )
        return []
