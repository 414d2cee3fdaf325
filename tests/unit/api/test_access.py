"""What [DEFAULT]auth_strategy makes of the options, and what of them stops the start."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from typing import Any

from oslo_config import cfg
import pytest

from ironic_inspector import conf as configuration
from ironic_inspector.api import access
from ironic_inspector.common import exceptions

COMPLETE = {'auth_type': 'password', 'auth_url': 'http://127.0.0.1:1/v3', 'username': 'inspector', 'password': 'secret'}


def configured(folder: pathlib.Path, **options: Any) -> cfg.ConfigOpts:
    """The configuration of a service with options in [keystone_authtoken]."""
    file = folder / 'inspector.conf'
    file.write_text('[keystone_authtoken]\n' + ''.join(f'{name} = {value}\n' for name, value in options.items()))
    conf = cfg.ConfigOpts()
    configuration.register_opts(conf)
    conf(['--config-file', str(file)], project=configuration.PROJECT)
    return conf


def test_complete_options_do_without_asking_keystone(tmp_path: pathlib.Path) -> None:
    access.create(configured(tmp_path, **COMPLETE))


def test_defaults_where_keystone_has_none(tmp_path: pathlib.Path) -> None:
    conf = configured(tmp_path, **COMPLETE)
    access.create(conf)
    group = conf.keystone_authtoken
    assert (group.http_connect_timeout, group.service_type) == (10, 'baremetal-introspection')
    conf = configured(tmp_path, **COMPLETE, http_connect_timeout=3)
    access.create(conf)
    assert conf.keystone_authtoken.http_connect_timeout == 3


@pytest.mark.parametrize(
    ('options', 'reason'),
    [
        ({}, r'\[keystone_authtoken\]auth_type is not set'),
        ({'auth_section': 'ironic'}, r'\[keystone_authtoken\]auth_type is not set'),
        (COMPLETE | {'auth_type': 'passwort'}, r'\[keystone_authtoken\]auth_type: .*passwort'),
        ({'auth_type': 'password'}, r'\[keystone_authtoken\]auth_type: .*auth_url'),
        (COMPLETE | {'memcache_security_strategy': 'ENCRYPT'}, 'memcache_secret_key'),
        (COMPLETE | {'http_request_max_retries': 'x'}, 'http_request_max_retries'),
        (
            COMPLETE | {'memcached_servers': 'h:1', 'memcache_sasl_enabled': True},
            'memcached_servers.*python-binary-memc',
        ),
        (COMPLETE | {'cafile': '/no/such/file'}, 'cafile: /no/such/file cannot be read'),
        (COMPLETE | {'memcache_tls_enabled': True, 'memcache_tls_cafile': '/no/such/file'}, 'No such file'),
    ],
)
def test_options_that_cannot_work(tmp_path: pathlib.Path, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(exceptions.ConfigurationError, match=reason):
        access.create(configured(tmp_path, **options))


def test_the_libraries_of_keystone_are_loaded_by_need() -> None:
    script = (
        'import sys\n'
        'import ironic_inspector.cmd.inspector, ironic_inspector.api.access_basic\n'
        'print([name for name in sys.modules if name.partition(".")[0] in ("keystonemiddleware", "keystoneclient")])'
    )
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, check=True)
    assert done.stdout == '[]\n'
