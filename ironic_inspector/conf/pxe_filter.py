"""Options of the PXE filters, in [pxe_filter]."""

from oslo_config import cfg

OPTS = [
    cfg.StrOpt(
        'driver',
        default='iptables',
        help='Name of the PXE filter driver: iptables, nftables, dnsmasq, noop, or one that another package brings.',
    ),
    cfg.IntOpt(
        'sync_period',
        default=15,
        min=0,
        help='Seconds between two synchronisations of the filter with Ironic. 0: only as introspections change.',
    ),
    cfg.BoolOpt(
        'deny_unknown_macs',
        default=False,
        help='Whether machines that Ironic has no port for never get an address. If not, they get one while any '
        'introspection goes on, so that nodes need no ports before it; machines are discovered that way as well, so '
        'this and [processing]node_not_found_hook exclude each other.',
    ),
]
