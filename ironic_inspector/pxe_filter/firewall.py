"""What the filters in the firewall have in common: whose packets are looked at, and with what rights."""

from __future__ import annotations

import dataclasses
import re

from oslo_config import cfg

from ironic_inspector.common import exceptions
from ironic_inspector.pxe_filter import commands

DHCP_PORTS = {'4': 67, '6': 547}
"""UDP ports of DHCP servers by the version of IP."""
_INTERFACE = re.compile(r'[A-Za-z0-9_.:+@-]{1,15}')
# Both programs take it; iptables allows the fewest characters.
_CHAIN = re.compile(r'[A-Za-z][A-Za-z0-9_.-]{0,27}')
_BUILT_IN = frozenset({'INPUT', 'FORWARD', 'OUTPUT', 'filter', 'nat', 'mangle', 'raw', 'security'})


@dataclasses.dataclass(frozen=True)
class Place:
    """Where in the firewall the filter is."""

    chain: str
    """Name of the chain or table that is the filter's own."""
    interface: str
    ip_version: str
    """4 or 6."""

    @property
    def port(self) -> int:
        """UDP port of the DHCP server."""
        return DHCP_PORTS[self.ip_version]


def place(conf: cfg.ConfigOpts) -> Place:
    """Return where [iptables] wants the filter; ConfigurationError if a name cannot be one."""
    options = conf.iptables
    if not _INTERFACE.fullmatch(options.dnsmasq_interface):
        raise exceptions.ConfigurationError(
            f'[iptables]dnsmasq_interface: {options.dnsmasq_interface!r} is no name of a network interface'
        )
    if not _CHAIN.fullmatch(options.firewall_chain) or options.firewall_chain in _BUILT_IN:
        raise exceptions.ConfigurationError(
            f'[iptables]firewall_chain: {options.firewall_chain!r} is no name for a chain: it takes a letter and then '
            'up to 27 letters, digits and any of "_.-", and must not be the name of a chain or table of the system'
        )
    return Place(options.firewall_chain, options.dnsmasq_interface, options.ip_version)


def unusable(driver: str, package: str, failure: commands.CommandError) -> exceptions.ConfigurationError:
    """Return the error that stops the start where the firewall cannot be administered."""
    return exceptions.ConfigurationError(
        f'[pxe_filter]driver: {driver} cannot work here: {failure}. It needs {package}, and the rights of root, '
        'CAP_NET_ADMIN as an ambient capability, or sudo for ironic-inspector-rootwrap; with [pxe_filter]driver = noop '
        'nothing is filtered'
    )
