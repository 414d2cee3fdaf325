"""Options of the hook `physnet_cidr_map`, in [port_physnet]."""

from oslo_config import cfg

OPTS = [
    cfg.ListOpt(
        'cidr_map',
        default=[],
        help='Physical networks of ports by subnet, as in 10.0.0.0/24:netA,2001:db8::/64:netB. The first subnet that '
        'has an IP address of the interface counts.',
    ),
]
