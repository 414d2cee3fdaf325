"""Mistakes in the configuration stop the start with one line that names the option, and a non-zero status.

More of them are with the parts of the service that they are about.
"""

from __future__ import annotations

import pathlib
import socket
import subprocess
from typing import Any

import pytest

from tests.functional.refused import refusal
from tests.service import BIN
from tests.service import InspectorProcess

Config = dict[str, dict[str, Any]]

WRONG: dict[str, tuple[Config, str]] = {
    'no way to authenticate': ({'ironic': {'auth_type': None}}, '[ironic]auth_type'),
    'an unknown way to authenticate': ({'ironic': {'auth_type': 'papyrus'}}, '[ironic]auth_type'),
    'no URL of Ironic': ({'ironic': {'endpoint_override': 'ironic.example.com'}}, '[ironic]endpoint_override'),
    'a broken URL of Ironic': ({'ironic': {'endpoint_override': 'http://[::1'}}, '[ironic]endpoint_override'),
    'no URL of Keystone': (
        {'ironic': {'auth_type': 'password', 'auth_url': 'nonsense', 'username': 'x', 'password': 'y'}},
        '[ironic]auth_url',
    ),
    'no file of certificates': ({'ironic': {'cafile': '/nowhere.pem'}}, '[ironic]cafile: /nowhere.pem'),
    'no URL of Swift': (
        {'processing': {'store_data': 'swift'}, 'swift': {'auth_type': 'none', 'endpoint_override': 'nonsense'}},
        '[swift]endpoint_override',
    ),
    'a file for ramdisk logs': ({'processing': {'ramdisk_logs_dir': '/etc/passwd'}}, '[processing]ramdisk_logs_dir'),
    'no folder for ramdisk logs': (
        {'processing': {'ramdisk_logs_dir': '/proc/nowhere'}},
        '[processing]ramdisk_logs_dir',
    ),
    'no file for the log': ({'DEFAULT': {'log_file': '/nowhere/inspector.log'}}, '[DEFAULT]log_file'),
    'no folder for the log': ({'DEFAULT': {'log_dir': '/proc/nowhere'}}, '[DEFAULT]log_file and log_dir'),
    'an option in place of a hook': ({'processing': {'processing_hooks': '$no_such_option'}}, 'no_such_option'),
    'no subnet': (
        {
            'processing': {'processing_hooks': '$default_processing_hooks,physnet_cidr_map'},
            'port_physnet': {'cidr_map': '300.0.0.0/8:x'},
        },
        '[port_physnet]cidr_map',
    ),
    'no known devices': (
        {
            'processing': {'processing_hooks': '$default_processing_hooks,accelerators'},
            'accelerators': {'known_devices': '/nowhere.yaml'},
        },
        '[accelerators]known_devices',
    ),
    'not a port': ({'DEFAULT': {'listen_port': 70000}}, 'listen_port'),
    'neither true nor false': ({'processing': {'power_off': 'maybe'}}, 'power_off'),
    'no interfaces to announce on': (
        {'DEFAULT': {'enable_mdns': True}, 'mdns': {'interfaces': 'eth0'}},
        '[mdns]interfaces',
    ),
    'unknown hook': ({'processing': {'processing_hooks': 'ramdisk_error,magic'}}, 'magic'),
    'unknown hook for strangers': ({'processing': {'node_not_found_hook': 'magic'}}, 'node_not_found_hook'),
    'two drivers': (
        {'processing': {'node_not_found_hook': 'enroll'}, 'discovery': {'enroll_node_fields': 'driver:ipmi'}},
        'enroll_node_driver',
    ),
    'an unknown version of IP': (
        {'discovery': {'enabled_bmc_address_version': '4,5'}},
        'enabled_bmc_address_version',
    ),
    'ports neither added nor kept': (
        {'processing': {'add_ports': 'disabled', 'keep_ports': 'added'}},
        'keep_ports',
    ),
    'unknown store': ({'processing': {'store_data': 'papyrus'}}, 'store_data'),
    'unknown filter': ({'pxe_filter': {'driver': 'cheesecloth'}}, 'cheesecloth'),
    'machines both denied and discovered': (
        {'pxe_filter': {'deny_unknown_macs': True}, 'processing': {'node_not_found_hook': 'enroll'}},
        'deny_unknown_macs',
    ),
    'no folder for the filter': (
        {'pxe_filter': {'driver': 'dnsmasq'}, 'dnsmasq_pxe_filter': {'dhcp_hostsdir': '/proc/nowhere'}},
        'dhcp_hostsdir',
    ),
    'no interface for the filter': (
        {'pxe_filter': {'driver': 'iptables'}, 'iptables': {'dnsmasq_interface': 'br 0'}},
        'dnsmasq_interface',
    ),
    'unknown field in the name of logs': ({'processing': {'ramdisk_logs_filename_format': '{name}'}}, 'name'),
    'malformed name of logs': (
        {'processing': {'ramdisk_logs_filename_format': '{uuid'}},
        'ramdisk_logs_filename_format',
    ),
    'a name of logs that looks inside': (
        {'processing': {'ramdisk_logs_filename_format': '{uuid.x}'}},
        'filename_format',
    ),
    'keystone': ({'DEFAULT': {'auth_strategy': 'keystone'}}, 'auth_strategy'),
    'unknown strategy': ({'DEFAULT': {'auth_strategy': 'trust'}}, 'auth_strategy'),
    'several processes': ({'DEFAULT': {'standalone': False}}, 'standalone'),
    'TLS': ({'DEFAULT': {'use_ssl': True}}, 'use_ssl'),
    'not a number': ({'DEFAULT': {'timeout': 'long'}}, 'timeout'),
    'too few threads': ({'DEFAULT': {'max_concurrency': 1}}, 'max_concurrency'),
    'unknown ports to add': ({'processing': {'add_ports': 'some'}}, 'add_ports'),
    'an address of somebody else': ({'DEFAULT': {'listen_address': '198.51.100.1'}}, '198.51.100.1'),
    'malformed alias': ({'pci_devices': {'alias': '{'}}, 'alias'),
    'no file for logging': ({'DEFAULT': {'log_config_append': '/nowhere/logging.ini'}}, 'logging.ini'),
    'a database without its driver': ({'database': {'connection': 'postgresql+pg8000://x'}}, 'pg8000'),
    'not a database': ({'database': {'connection': 'papyrus://x'}}, 'connection'),
    'no folder for the database': ({'database': {'connection': 'sqlite:////nowhere/at/all.sqlite'}}, 'database'),
    'a folder for a database': ({'database': {'connection': 'sqlite:////tmp'}}, 'database'),
    'a socket in no folder': ({'DEFAULT': {'listen_unix_socket': '/nowhere/at/all.socket'}}, '/nowhere'),
}


@pytest.fixture(scope='module')
def synced(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A database of the newest revision."""
    process = InspectorProcess(tmp_path_factory.mktemp('database'), 'http://127.0.0.1:1')
    process.sync_database()
    return process.folder / 'inspector.sqlite'


@pytest.mark.parametrize(('options', 'says'), WRONG.values(), ids=WRONG)
def test_a_wrong_configuration(tmp_path: pathlib.Path, synced: pathlib.Path, options: Config, says: str) -> None:
    options = options | {'DEFAULT': {'auth_strategy': 'http_basic'} | options.get('DEFAULT', {})}
    users = tmp_path / 'htpasswd'
    users.write_text('operator:$2y$05$' + '.' * 53 + '\n')
    options['DEFAULT']['http_basic_auth_user_file'] = users
    process = InspectorProcess(tmp_path, 'http://127.0.0.1:1', {'database': {'connection': f'sqlite:///{synced}'}})
    for group, values in options.items():
        process.options.setdefault(group, {}).update(values)
    try:
        assert says in refusal(process)
    finally:
        process.kill()


def test_a_port_that_is_taken(tmp_path: pathlib.Path, synced: pathlib.Path) -> None:
    process = InspectorProcess(tmp_path, 'http://127.0.0.1:1', {'database': {'connection': f'sqlite:///{synced}'}})
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(('127.0.0.1', process.port))
        other.listen()
        assert str(process.port) in refusal(process)


def test_databases_that_are_not_ready(tmp_path: pathlib.Path) -> None:
    process = InspectorProcess(tmp_path, 'http://127.0.0.1:1')
    assert 'ironic-inspector-dbsync upgrade' in refusal(process)
    process.log_file.unlink()
    (tmp_path / 'inspector.sqlite').write_bytes(b'This is no database, but long enough to be taken for one.' * 100)
    assert 'database' in refusal(process)


def test_a_configuration_file_that_is_not_there(tmp_path: pathlib.Path) -> None:
    process = InspectorProcess(tmp_path, 'http://127.0.0.1:1')
    process.config_file = tmp_path / 'other.conf'
    process.write_config()
    process.config_file.write_text('[DEFAULT\nx\n')
    process.write_config = lambda: None  # type: ignore[method-assign]
    assert 'other.conf' in refusal(process)


@pytest.mark.parametrize(
    ('program', 'words'),
    [
        ('ironic-inspector', ['SIGHUP', 'Exit status']),
        ('ironic-inspector-api-wsgi', ['SIGHUP', 'Exit status']),
        ('ironic-inspector-dbsync', ['upgrade', 'Exit status']),
        ('ironic-inspector-migrate-data', ['--overwrite', 'Exit status']),
        ('ironic-inspector-status', ['upgrade check', 'Exit status']),
    ],
)
def test_help(program: str, words: list[str]) -> None:
    done = subprocess.run([BIN / program, '--help'], capture_output=True, text=True, check=True)
    text = ' '.join(done.stdout.split())
    assert [word for word in words if word not in text] == []
