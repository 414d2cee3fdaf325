"""Options of the PXE filters iptables and nftables, in [iptables]."""

from oslo_config import cfg

OPTS = [
    cfg.StrOpt(
        'dnsmasq_interface',
        default='br-ctlplane',
        help='Interface that the DHCP server listens on.',
    ),
    cfg.StrOpt(
        'firewall_chain',
        default='ironic-inspector',
        help='Name of the chain (iptables) or table (nftables) that the filter has for itself.',
    ),
    cfg.ListOpt(
        'ethoib_interfaces',
        default=[],
        help='Ethernet over InfiniBand interfaces of this host, from which the Ethernet addresses of InfiniBand ports '
        'are learned (/sys/class/net/<interface>/eth/neighs).',
    ),
    cfg.StrOpt(
        'ip_version',
        default='4',
        choices=[('4', 'DHCP'), ('6', 'DHCPv6')],
        help='Version of IP whose DHCP is filtered.',
    ),
]
