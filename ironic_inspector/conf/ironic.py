"""Options of the connection to Ironic, in [ironic]."""

from keystoneauth1 import loading
from oslo_config import cfg

GROUP = 'ironic'
OPTS = [
    cfg.IntOpt(
        'retry_interval',
        default=2,
        min=0,
        help='Seconds between two attempts at a request that Ironic refused because the node is locked.',
    ),
    cfg.IntOpt(
        'max_retries',
        default=30,
        min=0,
        help='How often a request is repeated that Ironic refused because the node is locked.',
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    """Register [ironic] with the options of keystoneauth in `conf`."""
    conf.register_opts(OPTS, GROUP)
    loading.register_session_conf_options(conf, GROUP)
    loading.register_auth_conf_options(conf, GROUP)
    loading.register_adapter_conf_options(conf, GROUP)
    conf.set_default('service_type', 'baremetal', GROUP)
    conf.set_default('valid_interfaces', ['internal', 'public'], GROUP)


def list_opts() -> list[cfg.Opt]:
    """Return all options of [ironic], those of the usual authentication plug-ins among them."""
    options = [
        *OPTS,
        *loading.get_session_conf_options(),
        *loading.get_auth_common_conf_options(),
        *loading.get_auth_plugin_conf_options('password'),
        *loading.get_adapter_conf_options(include_deprecated=False),
    ]
    return sorted({option.dest: option for option in options}.values(), key=lambda option: str(option.dest))
