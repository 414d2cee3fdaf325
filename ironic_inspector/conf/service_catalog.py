"""Options that lead to the service itself, in [service_catalog]: the address under which others reach it."""

from __future__ import annotations

from oslo_config import cfg

from ironic_inspector.conf import keystoneauth

GROUP = 'service_catalog'
SERVICE_TYPE = 'baremetal-introspection'


def register(conf: cfg.ConfigOpts) -> None:
    """Register [service_catalog] with the options of keystoneauth in `conf`."""
    keystoneauth.register(conf, GROUP, SERVICE_TYPE)


def list_opts() -> list[cfg.Opt]:
    """Return all options of [service_catalog], those of the usual authentication plug-ins among them."""
    return keystoneauth.list_opts([], SERVICE_TYPE)
