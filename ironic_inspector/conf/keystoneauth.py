"""Options of keystoneauth, in the groups that lead to other services."""

from __future__ import annotations

from collections.abc import Iterable

from keystoneauth1 import loading
from oslo_config import cfg

INTERFACES = ['internal', 'public']
"""Which of the addresses in the catalog are used, best first."""


def register(conf: cfg.ConfigOpts, group: str, service_type: str) -> None:
    """Register the options of keystoneauth in a group of `conf`, by default for the service of `service_type`."""
    loading.register_session_conf_options(conf, group)
    loading.register_auth_conf_options(conf, group)
    loading.register_adapter_conf_options(conf, group)
    conf.set_default('service_type', service_type, group)
    conf.set_default('valid_interfaces', INTERFACES, group)


def list_opts(own: Iterable[cfg.Opt], service_type: str) -> list[cfg.Opt]:
    """Return `own` options and those of keystoneauth, the usual authentication plug-in's among them, by their names."""
    options = [
        *loading.get_session_conf_options(),
        *loading.get_auth_common_conf_options(),
        *loading.get_auth_plugin_conf_options('password'),
        *loading.get_adapter_conf_options(include_deprecated=False),
    ]
    cfg.set_defaults(options, service_type=service_type, valid_interfaces=INTERFACES)
    return sorted({option.dest: option for option in [*own, *options]}.values(), key=lambda option: str(option.dest))
