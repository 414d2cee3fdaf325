"""Options of the connection to Ironic, in [ironic]."""

from __future__ import annotations

from oslo_config import cfg

from ironic_inspector.conf import keystoneauth

GROUP = 'ironic'
SERVICE_TYPE = 'baremetal'
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
    keystoneauth.register(conf, GROUP, SERVICE_TYPE)


def list_opts() -> list[cfg.Opt]:
    """Return all options of [ironic], those of the usual authentication plug-ins among them."""
    return keystoneauth.list_opts(OPTS, SERVICE_TYPE)
