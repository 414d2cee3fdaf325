"""What stops the start of a service that has to speak TLS."""

from __future__ import annotations

from collections.abc import Callable
import pathlib
import ssl
from typing import Any

from oslo_config import cfg
import pytest

from ironic_inspector.api import tls
from ironic_inspector.common import exceptions
from tests.certificates import Authority


@pytest.fixture
def files(tmp_path: pathlib.Path) -> dict[str, str]:
    """Files by their names, most of them useless."""
    authority = Authority(tmp_path)
    cert, key = authority.issue('server')
    nothing = tmp_path / 'nothing'
    nothing.write_text('nothing\n')
    return {
        'cert': str(cert),
        'key': str(key),
        'ca': str(authority.certificate),
        'other key': str(authority.issue('other')[1]),
        'locked key': str(authority.issue('locked', b'password')[1]),
        'nothing': str(nothing),
        'folder': str(tmp_path),
        'missing': str(tmp_path / 'missing'),
    }


Make = Callable[..., ssl.SSLContext]


@pytest.fixture
def make(conf: cfg.ConfigOpts, files: dict[str, str]) -> Make:
    """A function that makes a context of options; files are given by their names."""

    def make_context(**options: str) -> ssl.SSLContext:
        for name, value in options.items():
            conf.set_override(name, files.get(value, value), 'ssl')
        return tls.server_context(conf)

    return make_context


@pytest.mark.parametrize(
    ('options', 'reason'),
    [
        ({'key_file': 'key'}, r'\[ssl\]cert_file is not set'),
        ({'cert_file': 'cert'}, r'\[ssl\]key_file is not set'),
        ({'cert_file': 'missing', 'key_file': 'key'}, 'cert_file: .*/missing cannot be read: No such file'),
        ({'cert_file': 'folder', 'key_file': 'key'}, 'cert_file: .* cannot be read'),
        ({'cert_file': 'nothing', 'key_file': 'key'}, 'cert_file: .*/nothing is no file with certificates'),
        ({'cert_file': 'key', 'key_file': 'key'}, 'cert_file: .*/server.key is no file with certificates'),
        ({'cert_file': 'cert', 'key_file': 'missing'}, 'key_file: .*/missing cannot be read: No such file'),
        ({'cert_file': 'cert', 'key_file': 'nothing'}, 'key_file: .*/nothing is no file with the key'),
        ({'cert_file': 'cert', 'key_file': 'other key'}, 'key_file: .*/other.key is no file with the key'),
        ({'cert_file': 'cert', 'key_file': 'locked key'}, 'key_file: .*/locked.key .* without a password'),
        ({'cert_file': 'cert', 'key_file': 'key', 'ca_file': 'missing'}, 'ca_file: .*/missing cannot be read'),
        ({'cert_file': 'cert', 'key_file': 'key', 'ca_file': 'nothing'}, 'ca_file: .*/nothing is no file'),
        ({'cert_file': 'cert', 'key_file': 'key', 'ciphers': 'none'}, 'ciphers: none is no list'),
    ],
)
def test_what_is_wrong_is_named(make: Make, options: dict[str, str], reason: str) -> None:
    with pytest.raises(exceptions.ConfigurationError, match=reason):
        make(**options)


def test_by_default_clients_need_no_certificate(make: Make) -> None:
    context = make(cert_file='cert', key_file='key')
    assert context.verify_mode is ssl.CERT_NONE
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_with_a_ca_clients_need_a_certificate(make: Make) -> None:
    assert make(cert_file='cert', key_file='key', ca_file='ca').verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ('written', 'oldest', 'newest'),
    [
        ('SSLv23', ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED),
        ('tlsv1_2', ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2),
        ('TLSv1_3', ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3),
    ],
)
def test_versions(make: Make, written: str, oldest: Any, newest: Any) -> None:
    context = make(cert_file='cert', key_file='key', version=written)
    assert (context.minimum_version, context.maximum_version) == (oldest, newest)


@pytest.mark.parametrize('written', ['TLSv1', 'SSLv3', 'TLSv1_1'])
def test_versions_that_are_broken(make: Make, written: str) -> None:
    with pytest.raises(ValueError, match=f'SSLv23.* but found {written!r}'):
        make(cert_file='cert', key_file='key', version=written)
