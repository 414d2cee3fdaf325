"""Options: their names and defaults, the sample that is shipped, what stops the start."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
from typing import Any

from oslo_config import cfg
import pytest

from ironic_inspector import conf as configuration
from ironic_inspector.common import exceptions
from ironic_inspector.conf import opts

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize(
    ('group', 'name', 'default'),
    [
        (None, 'listen_address', '::'),
        (None, 'listen_port', 5050),
        (None, 'auth_strategy', 'keystone'),
        (None, 'http_basic_auth_user_file', '/etc/ironic-inspector/htpasswd'),
        (None, 'timeout', 3600),
        (None, 'clean_up_period', 60),
        (None, 'use_ssl', False),
        (None, 'max_concurrency', 1000),
        (None, 'introspection_delay', 5),
        (None, 'api_max_limit', 1000),
        (None, 'can_manage_boot', True),
        (None, 'standalone', True),
        ('processing', 'add_ports', 'pxe'),
        ('processing', 'keep_ports', 'all'),
        ('processing', 'overwrite_existing', True),
        ('processing', 'store_data', 'none'),
        ('processing', 'disk_partitioning_spacing', True),
        ('processing', 'ramdisk_logs_filename_format', '{uuid}_{dt:%Y%m%d-%H%M%S.%f}.tar.gz'),
        ('processing', 'power_off', True),
        ('processing', 'permit_active_introspection', False),
        ('processing', 'update_pxe_enabled', True),
        ('processing', 'callback_token', None),
        ('oslo_policy', 'policy_file', 'policy.yaml'),
        ('oslo_policy', 'enforce_new_defaults', False),
        ('ssl', 'cert_file', None),
        ('ssl', 'key_file', None),
        ('ssl', 'ca_file', None),
        ('port_physnet', 'cidr_map', []),
        ('discovery', 'enroll_node_driver', 'fake-hardware'),
        ('discovery', 'enroll_node_fields', {}),
        ('discovery', 'enabled_bmc_address_version', ['4', '6']),
        ('ironic', 'retry_interval', 2),
        ('ironic', 'max_retries', 30),
        ('ironic', 'service_type', 'baremetal'),
        ('ironic', 'valid_interfaces', ['internal', 'public']),
        ('swift', 'delete_after', 0),
        ('swift', 'container', 'ironic-inspector'),
        ('swift', 'service_type', 'object-store'),
        ('swift', 'valid_interfaces', ['internal', 'public']),
        ('database', 'connection', 'sqlite:///ironic_inspector.sqlite'),
        ('pxe_filter', 'driver', 'iptables'),
        ('pxe_filter', 'sync_period', 15),
        ('pxe_filter', 'deny_unknown_macs', False),
        ('dnsmasq_pxe_filter', 'dhcp_hostsdir', '/var/lib/ironic-inspector/dhcp-hostsdir'),
        ('dnsmasq_pxe_filter', 'purge_dhcp_hostsdir', True),
        ('dnsmasq_pxe_filter', 'dnsmasq_start_command', ''),
        ('dnsmasq_pxe_filter', 'dnsmasq_stop_command', ''),
        ('iptables', 'dnsmasq_interface', 'br-ctlplane'),
        ('iptables', 'firewall_chain', 'ironic-inspector'),
        ('iptables', 'ethoib_interfaces', []),
        ('iptables', 'ip_version', '4'),
        (None, 'rootwrap_config', '/etc/ironic-inspector/rootwrap.conf'),
        ('oslo_middleware', 'max_request_body_size', 32 * 1024 * 1024),
        ('extra_hardware', 'strict', False),
        ('healthcheck', 'enabled', False),
        ('healthcheck', 'detailed', False),
        ('metrics', 'enabled', False),
        ('cors', 'allowed_origin', None),
        ('cors', 'max_age', 3600),
        ('cors', 'allow_methods', ['GET', 'POST', 'PUT', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS']),
        (
            'cors',
            'allow_headers',
            ['X-Auth-Token', 'Authorization', 'OpenStack-API-Version']
            + [f'X-OpenStack-Ironic-Inspector-API-{name}Version' for name in ('Minimum-', 'Maximum-', '')],
        ),
    ],
)
def test_defaults_that_deployments_count_on(conf: cfg.ConfigOpts, group: str | None, name: str, default: Any) -> None:
    assert (conf[group] if group else conf)[name] == default


def test_the_known_accelerators_are_those_that_come_with_the_service(conf: cfg.ConfigOpts) -> None:
    assert pathlib.Path(conf.accelerators.known_devices) == ROOT / 'ironic_inspector/known_accelerators.yaml'


def test_the_default_hooks(conf: cfg.ConfigOpts) -> None:
    assert conf.processing.processing_hooks == (
        'ramdisk_error,root_disk_selection,scheduler,validate_interfaces,capabilities,pci_devices'
    )


@pytest.mark.parametrize(('text', 'mode'), [('660', 0o660), ('0o600', 0o600), ('0777', 0o777)])
def test_the_mode_of_the_socket_is_octal(conf: cfg.ConfigOpts, tmp_path: pathlib.Path, text: str, mode: int) -> None:
    file = tmp_path / 'i.conf'
    file.write_text(f'[DEFAULT]\nlisten_unix_socket_mode = {text}\n')
    conf(['--config-file', str(file)])
    assert conf.listen_unix_socket_mode == mode


@pytest.mark.parametrize('text', ['888', 'rw', '-1', '77777'])
def test_a_mode_that_is_none(conf: cfg.ConfigOpts, tmp_path: pathlib.Path, text: str) -> None:
    file = tmp_path / 'i.conf'
    file.write_text(f'[DEFAULT]\nlisten_unix_socket_mode = {text}\n')
    conf(['--config-file', str(file)])
    with pytest.raises(cfg.ConfigFileValueError, match='listen_unix_socket_mode'):
        configuration.check_values(conf)


@pytest.mark.parametrize(
    'line', ['[DEFAULT]\nmax_concurrency = 1', '[processing]\nadd_ports = some', '[ironic]\nmax_retries = x']
)
def test_every_value_is_looked_at_before_the_start(conf: cfg.ConfigOpts, tmp_path: pathlib.Path, line: str) -> None:
    file = tmp_path / 'i.conf'
    file.write_text(line)
    conf(['--config-file', str(file)])
    with pytest.raises(cfg.ConfigFileValueError, match=line.split()[1]):
        configuration.check_values(conf)


def test_what_is_not_supported_yet_is_refused(conf: cfg.ConfigOpts) -> None:
    configuration.check(conf)
    conf.set_override('standalone', False)
    with pytest.raises(exceptions.ConfigurationError, match='standalone'):
        configuration.check(conf)


def test_machines_cannot_be_both_denied_and_discovered(conf: cfg.ConfigOpts) -> None:
    conf.set_override('auth_strategy', 'noauth')
    conf.set_override('deny_unknown_macs', True, 'pxe_filter')
    configuration.check(conf)
    conf.set_override('node_not_found_hook', 'enroll', 'processing')
    with pytest.raises(exceptions.ConfigurationError, match=r'deny_unknown_macs: .*node_not_found_hook'):
        configuration.check(conf)


def test_every_registered_option_is_listed(conf: cfg.ConfigOpts) -> None:
    listed = {(group, option.dest) for group, options in opts.list_opts() for option in options}
    for group in (
        'processing',
        'pxe_filter',
        'dnsmasq_pxe_filter',
        'iptables',
        'ssl',
        'metrics',
        'capabilities',
        'pci_devices',
        'accelerators',
        'extra_hardware',
    ):
        assert {(group, name) for name in conf[group]} <= listed


def test_the_sample_is_what_the_code_says(tmp_path: pathlib.Path) -> None:
    sample = tmp_path / 'sample'
    generator = pathlib.Path(sys.executable).with_name('oslo-config-generator')
    subprocess.run(
        [generator, '--config-file', ROOT / 'etc/config-generator.conf', '--output-file', sample],
        check=True,
        capture_output=True,
    )
    # What comes from libraries, most of [ironic] and [swift] among it, changes with their versions.
    kept = _own_options((ROOT / 'etc/ironic-inspector.conf.sample').read_text())
    made = _own_options(sample.read_text())
    assert made == kept, 'run: oslo-config-generator --config-file etc/config-generator.conf'


def _own_options(sample: str) -> list[str]:
    groups = re.split(r'^(?=\[)', sample, flags=re.MULTILINE)
    parts = [
        part for group in groups if not group.startswith(('[ironic]', '[swift]')) for part in group.split('#\n# From ')
    ]
    return [part.rstrip('#\n ') for part in parts if part.startswith('ironic_inspector')]
