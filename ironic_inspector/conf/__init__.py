"""Configuration of the service: each module holds the options of one group."""

from __future__ import annotations

from collections.abc import Sequence

from oslo_config import cfg
from oslo_db import options as db_options
from oslo_log import log

from ironic_inspector import version
from ironic_inspector.common import exceptions
from ironic_inspector.conf import capabilities
from ironic_inspector.conf import default
from ironic_inspector.conf import ironic
from ironic_inspector.conf import oslo_middleware
from ironic_inspector.conf import pci_devices
from ironic_inspector.conf import processing
from ironic_inspector.conf import pxe_filter

PROJECT = 'ironic-inspector'


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register every option of the service, and of the libraries it configures, in `conf`.

    Doing it twice is harmless.
    """
    log.register_options(conf)
    conf.register_opts(default.OPTS)
    conf.register_opts(processing.OPTS, 'processing')
    ironic.register(conf)
    conf.register_opts(pxe_filter.OPTS, 'pxe_filter')
    conf.register_opts(capabilities.OPTS, 'capabilities')
    conf.register_opts(pci_devices.OPTS, 'pci_devices')
    conf.register_opts(db_options.database_opts, 'database')
    conf.register_opts(oslo_middleware.list_opts(), oslo_middleware.GROUP)
    set_library_defaults()


def set_library_defaults() -> None:
    """Change the defaults of library options where the service needs others."""
    cfg.set_defaults(db_options.database_opts, connection='sqlite:///ironic_inspector.sqlite')
    log.set_defaults(default_log_levels=[*log.get_default_log_levels(), 'openstack=WARN', 'alembic=WARN'])


def check_values(conf: cfg.ConfigOpts) -> None:
    """Raise an error of oslo.config if an option has a value that it cannot have.

    oslo.config itself looks at a value only when somebody asks for it.
    """
    for group in (None, *conf):
        values = conf if group is None else conf[group]
        if isinstance(values, (cfg.ConfigOpts, cfg.ConfigOpts.GroupAttr)):
            for name in values:
                values[name]


def check(conf: cfg.ConfigOpts) -> None:
    """Refuse, with a ConfigurationError that names the option, what this version of the service cannot do yet.

    To ignore it would leave the API open, or the state of nodes to chance.
    """
    if conf.auth_strategy != 'noauth':
        raise exceptions.ConfigurationError(
            f'[DEFAULT]auth_strategy: {conf.auth_strategy} is not supported yet; with noauth, let only people that you '
            'trust reach the API'
        )
    if not conf.standalone:
        raise exceptions.ConfigurationError('[DEFAULT]standalone: false is not supported yet')
    if conf.processing.node_not_found_hook:
        raise exceptions.ConfigurationError(
            f'[processing]node_not_found_hook: {conf.processing.node_not_found_hook} is not supported yet'
        )
    if conf.use_ssl:
        raise exceptions.ConfigurationError(
            '[DEFAULT]use_ssl: true is not supported yet; put a reverse proxy that does TLS in front of the service'
        )


def load(conf: cfg.ConfigOpts, argv: Sequence[str], prog: str | None = None) -> cfg.ConfigOpts:
    """Read the configuration files and the command line `argv` into `conf` and set logging up.

    Raises the errors of oslo.config for a file or an option that is wrong; exits for --help and --version.
    """
    register_opts(conf)
    conf(list(argv), project=PROJECT, prog=prog, version=version.release())
    check_values(conf)
    log.setup(conf, 'ironic_inspector')
    return conf
