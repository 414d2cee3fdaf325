"""Under what Ethernet address a DHCP server meets a port of InfiniBand, as the kernel of this host knows it."""

from __future__ import annotations

from collections.abc import Iterable
import pathlib
import re

from oslo_log import log

LOG = log.getLogger(__name__)

NEIGHBOURS = '/sys/class/net/{interface}/eth/neighs'
"""A line for each neighbour of an Ethernet over InfiniBand interface: EMAC=<6 bytes> IMAC=<20 bytes, the GUID last>."""
_NEIGHBOUR = re.compile(
    r'emac=((?:[0-9a-f]{2}:){5}[0-9a-f]{2})\s+imac=(?:[0-9a-f]{2}:)*((?:[0-9a-f]{2}:){7}[0-9a-f]{2})\b'
)


def ethernet_addresses(interfaces: Iterable[str], path: str = NEIGHBOURS) -> dict[str, str]:
    """Return the Ethernet MACs of the neighbours of Ethernet over InfiniBand interfaces, by their GUIDs.

    An interface that cannot be looked at is logged and left out.
    """
    found = {}
    for interface in interfaces:
        try:
            lines = pathlib.Path(path.format(interface=interface)).read_text(errors='replace').lower()
        except OSError as exc:
            LOG.error('[iptables]ethoib_interfaces: the neighbours of %s cannot be read: %s', interface, exc)
            continue
        found.update({guid: mac for mac, guid in _NEIGHBOUR.findall(lines)})
    return found
