"""Options of the PXE filter dnsmasq, in [dnsmasq_pxe_filter]."""

from oslo_config import cfg

OPTS = [
    cfg.StrOpt(
        'dhcp_hostsdir',
        default='/var/lib/ironic-inspector/dhcp-hostsdir',
        help='Folder of the files that tell dnsmasq whom to serve: the --dhcp-hostsdir of dnsmasq, which must be able '
        'to read it. Nobody else should write there.',
    ),
    cfg.BoolOpt(
        'purge_dhcp_hostsdir',
        default=True,
        help='Whether to clear the folder of what is not of use any more when the service starts. To be switched off '
        'where several processes of the service share the folder.',
    ),
    cfg.StrOpt(
        'dnsmasq_start_command',
        default='',
        help='Shell command that starts dnsmasq, run when the service starts. It has to return once dnsmasq is up.',
    ),
    cfg.StrOpt(
        'dnsmasq_stop_command',
        default='',
        help='Shell command that stops dnsmasq, run when the service ends.',
    ),
]
