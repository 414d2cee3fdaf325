"""Options of the service itself, in [DEFAULT]."""

from typing import Any

from oslo_config import cfg
from oslo_config import types


class FileMode(types.ConfigType):
    """Permissions of a file, written as an octal number."""

    def __init__(self) -> None:
        super().__init__(type_name='octal integer value')

    def __call__(self, value: Any) -> int:
        """Return the permissions; ValueError if they are not an octal number from 0 to 7777."""
        mode = value if isinstance(value, int) else int(str(value), 8)
        if not 0 <= mode <= 0o7777:
            raise ValueError(f'{value} is no octal number from 0 to 7777')
        return mode

    def _formatter(self, value: int) -> str:
        return f'{value:o}'


OPTS = [
    cfg.StrOpt('listen_address', default='::', help='Address that the API listens on.'),
    cfg.PortOpt('listen_port', default=5050, help='Port that the API listens on.'),
    cfg.StrOpt(
        'listen_unix_socket',
        help='Path of a unix socket for the API to listen on, instead of an address and a port.',
    ),
    cfg.Opt(
        'listen_unix_socket_mode',
        type=FileMode(),
        sample_default='660',
        help='Permissions of the unix socket, as an octal number.',
    ),
    cfg.StrOpt(
        'auth_strategy',
        default='keystone',
        choices=[
            ('noauth', 'everyone may do everything'),
            ('keystone', 'tokens of the Identity service'),
            ('http_basic', 'user name and password'),
        ],
        help='How the API finds out who its users are.',
    ),
    cfg.StrOpt(
        'http_basic_auth_user_file',
        default='/etc/ironic-inspector/htpasswd',
        help='File with the users for http_basic, as htpasswd -B writes it: passwords digested by bcrypt.',
    ),
    cfg.BoolOpt('use_ssl', default=False, help='Whether the API is served over TLS, see [ssl].'),
    cfg.IntOpt(
        'timeout',
        default=3600,
        max=315576000,
        mutable=True,
        help='Seconds after which an introspection that is still active counts as failed. 0: never.',
    ),
    cfg.IntOpt(
        'clean_up_period',
        default=60,
        min=0,
        help='Seconds between two looks for timed out introspections and for nodes that have left Ironic. 0: none.',
    ),
    cfg.IntOpt(
        'max_concurrency',
        default=1000,
        min=2,
        help='Most threads that work on nodes at once.',
    ),
    cfg.IntOpt(
        'introspection_delay',
        default=5,
        min=0,
        mutable=True,
        help='Seconds between the power actions of two nodes, so that machines do not all boot at once.',
    ),
    cfg.ListOpt(
        'ipmi_address_fields',
        default=['redfish_address', 'ilo_address', 'drac_host', 'drac_address', 'ibmc_address'],
        help='Fields of driver_info that may hold the address of the BMC, in order, after ipmi_address.',
    ),
    cfg.StrOpt(
        'rootwrap_config',
        default='/etc/ironic-inspector/rootwrap.conf',
        help='Configuration file of rootwrap, through which the PXE filters iptables and nftables run their commands '
        'where the service is neither root nor has CAP_NET_ADMIN.',
    ),
    cfg.IntOpt('api_max_limit', default=1000, min=1, help='Most items in one page of a list.'),
    cfg.BoolOpt(
        'can_manage_boot',
        default=True,
        help='Whether the service may power nodes and set their boot device. If not, introspection has to be '
        'started with manage_boot=false.',
    ),
    cfg.BoolOpt(
        'enable_mdns',
        default=False,
        help='Whether to announce the API by multicast DNS, so that ramdisks booted with '
        'ipa-inspection-callback-url=mdns find it, see [mdns]. What is announced is the address in [service_catalog]: '
        'its endpoint_override, or where auth_type is set what the catalog has; and otherwise the address that the '
        'service listens on.',
    ),
    cfg.BoolOpt(
        'standalone',
        default=True,
        help='Whether API and conductor are one process, without a message broker.',
    ),
    cfg.IntOpt(
        'graceful_shutdown_timeout',
        default=60,
        min=0,
        help='Seconds that work in progress gets to end after SIGTERM. With what is still running then the service '
        'goes on when it starts again. 0: wait without limit.',
    ),
]
