"""Options of /healthcheck, in [healthcheck]: ours, and those of oslo.middleware, which the service obeys as well."""

from __future__ import annotations

from oslo_config import cfg
from oslo_middleware import opts

GROUP = 'healthcheck'
OPTS = [
    cfg.BoolOpt(
        'enabled',
        default=False,
        help='Whether /healthcheck says, without authentication, if the database, Ironic and the conductor are well: '
        'with the status 200 or 503.',
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    """Register all options of the group."""
    conf.register_opts(OPTS, GROUP)
    for _group, options in opts.list_opts_healthcheck():
        conf.register_opts(options, GROUP)
