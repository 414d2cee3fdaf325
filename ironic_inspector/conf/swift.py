"""Options of the data store `swift`, in [swift]."""

from __future__ import annotations

from oslo_config import cfg

from ironic_inspector.conf import keystoneauth

GROUP = 'swift'
SERVICE_TYPE = 'object-store'
OPTS = [
    cfg.IntOpt(
        'delete_after',
        default=0,
        min=0,
        help='Seconds after which Swift deletes the data of an introspection. 0: never.',
    ),
    cfg.StrOpt(
        'container',
        default='ironic-inspector',
        help='Name of the container for the data; it is created when it is missing.',
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    """Register [swift] with the options of keystoneauth in `conf`."""
    conf.register_opts(OPTS, GROUP)
    keystoneauth.register(conf, GROUP, SERVICE_TYPE)


def list_opts() -> list[cfg.Opt]:
    """Return all options of [swift], those of the usual authentication plug-ins among them."""
    return keystoneauth.list_opts(OPTS, SERVICE_TYPE)
