"""Options of the PXE filters, in [pxe_filter]."""

from oslo_config import cfg

OPTS = [
    cfg.StrOpt('driver', default='iptables', help='Name of the PXE filter driver.'),
    cfg.IntOpt(
        'sync_period',
        default=15,
        min=0,
        help='Seconds between two synchronisations of the filter with Ironic. 0: only as introspections change.',
    ),
]
