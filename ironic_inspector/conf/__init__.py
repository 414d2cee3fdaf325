"""Configuration of the service: each module holds the options of one group."""

from __future__ import annotations

from collections.abc import Sequence

from oslo_config import cfg
from oslo_db import options as db_options
from oslo_log import _options as log_options
from oslo_log import log
from oslo_policy import opts as policy_options

from ironic_inspector import version
from ironic_inspector.common import exceptions
from ironic_inspector.common import log_lines
from ironic_inspector.conf import accelerators
from ironic_inspector.conf import capabilities
from ironic_inspector.conf import cors
from ironic_inspector.conf import default
from ironic_inspector.conf import discovery
from ironic_inspector.conf import dnsmasq_pxe_filter
from ironic_inspector.conf import extra_hardware
from ironic_inspector.conf import healthcheck
from ironic_inspector.conf import inspection_rules
from ironic_inspector.conf import iptables
from ironic_inspector.conf import ironic
from ironic_inspector.conf import mdns
from ironic_inspector.conf import metrics
from ironic_inspector.conf import oslo_middleware
from ironic_inspector.conf import pci_devices
from ironic_inspector.conf import port_physnet
from ironic_inspector.conf import processing
from ironic_inspector.conf import pxe_filter
from ironic_inspector.conf import service_catalog
from ironic_inspector.conf import ssl
from ironic_inspector.conf import swift

PROJECT = 'ironic-inspector'


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register every option of the service, and of the libraries it configures, in `conf`.

    Doing it twice is harmless.
    """
    log.register_options(conf)
    conf.register_opts(default.OPTS)
    conf.register_opts(processing.OPTS, 'processing')
    ironic.register(conf)
    conf.register_opts(inspection_rules.OPTS, 'inspection_rules')
    swift.register(conf)
    conf.register_opts(mdns.OPTS, 'mdns')
    service_catalog.register(conf)
    conf.register_opts(pxe_filter.OPTS, 'pxe_filter')
    conf.register_opts(dnsmasq_pxe_filter.OPTS, 'dnsmasq_pxe_filter')
    conf.register_opts(iptables.OPTS, 'iptables')
    conf.register_opts(ssl.OPTS, ssl.GROUP)
    conf.register_opts(metrics.OPTS, metrics.GROUP)
    healthcheck.register(conf)
    cors.register(conf)
    set_policy_defaults(conf)
    conf.register_opts(capabilities.OPTS, 'capabilities')
    conf.register_opts(pci_devices.OPTS, 'pci_devices')
    conf.register_opts(port_physnet.OPTS, 'port_physnet')
    conf.register_opts(accelerators.OPTS, 'accelerators')
    conf.register_opts(extra_hardware.OPTS, 'extra_hardware')
    conf.register_opts(discovery.OPTS, 'discovery')
    conf.register_opts(db_options.database_opts, 'database')
    conf.register_opts(oslo_middleware.list_opts(), oslo_middleware.GROUP)
    set_library_defaults()


def set_library_defaults() -> None:
    """Change the defaults of library options where the service needs others."""
    cfg.set_defaults(db_options.database_opts, connection='sqlite:///ironic_inspector.sqlite')
    set_policy_defaults(cfg.ConfigOpts())
    cors.set_defaults()
    # oslo.log writes so where a line is about something: here that is always a node.
    cfg.set_defaults(log_options.log_opts, instance_uuid_format='[node: %(uuid)s] ')
    # What stevedore warns of, a plug-in that is not there, is said again by whoever looked for it.
    levels = ['openstack=WARN', 'alembic=WARN', 'stevedore=ERROR']
    log.set_defaults(default_log_levels=[*log.get_default_log_levels(), *levels])


def set_policy_defaults(conf: cfg.ConfigOpts) -> None:
    """Register the options of oslo.policy in `conf`, with defaults that still permit what 12.5 did."""
    policy_options.set_defaults(conf, enforce_new_defaults=False)


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

    To ignore it would leave the state of nodes to chance.
    """
    if not conf.standalone:
        raise exceptions.ConfigurationError('[DEFAULT]standalone: false is not supported yet')
    if conf.pxe_filter.deny_unknown_macs and conf.processing.node_not_found_hook:
        raise exceptions.ConfigurationError(
            '[pxe_filter]deny_unknown_macs: as no unknown machine gets an address then, none can be discovered; set '
            'either this or [processing]node_not_found_hook'
        )


def load(
    conf: cfg.ConfigOpts,
    argv: Sequence[str],
    prog: str | None = None,
    description: str | None = None,
    epilog: str | None = None,
) -> cfg.ConfigOpts:
    """Read the configuration files and the command line `argv` into `conf` and set logging up.

    `description` and `epilog` stand before and after the options in the answer to --help.
    Raises the errors of oslo.config for a file or an option that is wrong, and LogConfigError or ConfigurationError
    where the log cannot be had as the options say; exits for --help and --version.
    """
    register_opts(conf)
    conf(
        list(argv),
        project=PROJECT,
        prog=prog,
        version=version.release(),
        description=description,
        epilog=epilog,
    )
    check_values(conf)
    try:
        log.setup(conf, 'ironic_inspector')
        log_lines.protect(conf, 'ironic_inspector')
    except OSError as exc:
        raise exceptions.ConfigurationError(f'[DEFAULT]log_file and log_dir: {exc}') from exc
    return conf
