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
        ('ironic', 'retry_interval', 2),
        ('ironic', 'max_retries', 30),
        ('ironic', 'service_type', 'baremetal'),
        ('ironic', 'valid_interfaces', ['internal', 'public']),
        ('database', 'connection', 'sqlite:///ironic_inspector.sqlite'),
        ('pxe_filter', 'driver', 'iptables'),
        ('pxe_filter', 'sync_period', 15),
        ('oslo_middleware', 'max_request_body_size', 32 * 1024 * 1024),
    ],
)
def test_defaults_that_deployments_count_on(conf: cfg.ConfigOpts, group: str | None, name: str, default: Any) -> None:
    assert (conf[group] if group else conf)[name] == default


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


@pytest.mark.parametrize(
    ('name', 'value'),
    [('auth_strategy', 'keystone'), ('auth_strategy', 'http_basic'), ('standalone', False), ('use_ssl', True)],
)
def test_what_is_not_supported_yet_is_refused(conf: cfg.ConfigOpts, name: str, value: Any) -> None:
    conf.set_override('auth_strategy', 'noauth')
    configuration.check(conf)
    conf.set_override(name, value)
    with pytest.raises(exceptions.ConfigurationError, match=f'{name}'):
        configuration.check(conf)


def test_every_registered_option_is_listed(conf: cfg.ConfigOpts) -> None:
    listed = {(group, option.dest) for group, options in opts.list_opts() for option in options}
    for group in ('processing', 'pxe_filter', 'capabilities', 'pci_devices'):
        assert {(group, name) for name in conf[group]} <= listed


def test_the_sample_is_what_the_code_says(tmp_path: pathlib.Path) -> None:
    sample = tmp_path / 'sample'
    generator = pathlib.Path(sys.executable).with_name('oslo-config-generator')
    subprocess.run(
        [generator, '--config-file', ROOT / 'etc/config-generator.conf', '--output-file', sample],
        check=True,
        capture_output=True,
    )
    # What comes from libraries, most of [ironic] among it, changes with their versions.
    kept = _own_options((ROOT / 'etc/ironic-inspector.conf.sample').read_text())
    made = _own_options(sample.read_text())
    assert made == kept, 'run: oslo-config-generator --config-file etc/config-generator.conf'


def _own_options(sample: str) -> list[str]:
    groups = re.split(r'^(?=\[)', sample, flags=re.MULTILINE)
    parts = [part for group in groups if not group.startswith('[ironic]') for part in group.split('#\n# From ')]
    return [part.rstrip('#\n ') for part in parts if part.startswith('ironic_inspector')]
