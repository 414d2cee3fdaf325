"""Mistakes in the configuration stop the start with one line that names the option, and a non-zero status.

More of them are in test_process_life.py, and with the parts of the service that they are about.
"""

from __future__ import annotations

import pathlib
import subprocess
from typing import Any

import pytest

from tests.functional.test_process_life import refusal
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
