"""What is announced by mDNS, and options with which nothing can be."""

from __future__ import annotations

import sys
from typing import Any

from oslo_config import cfg
import pytest

from ironic_inspector import conf as configuration
from ironic_inspector.common import exceptions
from ironic_inspector.common import mdns

Options = dict[str, dict[str, Any]]


def make_conf(**options: dict[str, Any]) -> cfg.ConfigOpts:
    """Return a configuration with these options (group={name: value})."""
    conf = cfg.ConfigOpts()
    configuration.register_opts(conf)
    conf([], default_config_files=[])
    conf.set_override('enable_mdns', True)
    for group, values in options.items():
        for name, value in values.items():
            conf.set_override(name, value, None if group == 'DEFAULT' else group)
    return conf


def test_nothing_is_announced_by_default() -> None:
    conf = make_conf(DEFAULT={'enable_mdns': False}, mdns={'interfaces': ['nonsense']})
    assert mdns.create(conf, listens=True) is None


@pytest.mark.parametrize(
    ('options', 'listens', 'says'),
    [
        ({'mdns': {'interfaces': ['eth0']}}, True, "interfaces: 'eth0' is no IP address"),
        ({'mdns': {'params': {'path': '/x'}}}, True, 'params: path is set by the service itself'),
        ({'mdns': {'params': {'protocol': 'ftp'}}}, True, 'params: protocol'),
        ({'mdns': {'params': {'a=b': 'c'}}}, True, 'params'),
        ({'mdns': {'params': {'': 'c'}}}, True, 'params'),
        ({'mdns': {'params': {'é': 'c'}}}, True, 'params'),
        ({'mdns': {'params': {'ipa_x': 'é' * 125}}}, True, 'params: ipa_x is too long'),
        ({'service_catalog': {'endpoint_override': 'inspector.example.com:5050'}}, True, 'endpoint_override'),
        ({'service_catalog': {'endpoint_override': 'ftp://inspector.example.com'}}, True, 'endpoint_override'),
        ({'service_catalog': {'endpoint_override': 'http://inspector.example.com:x'}}, True, 'endpoint_override'),
        ({'service_catalog': {'endpoint_override': 'http://[::1'}}, True, 'endpoint_override'),
        ({'service_catalog': {'auth_type': 'papyrus'}}, True, r'\[service_catalog\]auth_type'),
        ({}, False, 'endpoint_override'),
        ({'DEFAULT': {'listen_unix_socket': '/run/inspector.socket'}}, True, 'endpoint_override'),
    ],
)
def test_options_that_cannot_work(options: Options, listens: bool, says: str) -> None:
    with pytest.raises(exceptions.ConfigurationError, match=says):
        mdns.create(make_conf(**options), listens=listens)


def test_options_that_can_work() -> None:
    assert mdns.create(make_conf(mdns={'params': {'ipa_x': 'y' * 249}, 'interfaces': ['::1']}), listens=True)
    assert mdns.create(make_conf(service_catalog={'endpoint_override': 'https://bare.example/x'}), listens=False)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'zeroconf', None)
    with pytest.raises(exceptions.ConfigurationError, match=r'enable_mdns: .*zeroconf.*pip install'):
        mdns.create(make_conf(), listens=True)


@pytest.mark.parametrize(
    ('url', 'location'),
    [
        ('http://192.0.2.1', mdns.Location('http', '192.0.2.1', 80, '', ('192.0.2.1',))),
        ('https://192.0.2.1/a/b/', mdns.Location('https', '192.0.2.1', 443, '/a/b', ('192.0.2.1',))),
        ('http://[2001:db8::1]:5050/', mdns.Location('http', '2001:db8::1', 5050, '', ('2001:db8::1',))),
    ],
)
def test_locations_of_urls(url: str, location: mdns.Location) -> None:
    assert mdns._location_of(url) == location


def test_the_name_of_the_machine() -> None:
    address = mdns._location_of('http://192.0.2.1')
    # Ramdisks use the address in place of names in .local, and all other names as they are.
    assert mdns._server(address).endswith('-80.local.')
    assert mdns._server(mdns.Location('https', 'bare.example', 443, '', ('192.0.2.1',))) == 'bare.example.'


@pytest.mark.parametrize(
    ('listen', 'local', 'expected'),
    [
        ('192.0.2.9', ['192.0.2.1'], ['192.0.2.9']),
        ('127.0.0.1', ['192.0.2.1'], ['127.0.0.1']),
        ('0.0.0.0', ['127.0.0.1', '192.0.2.10', '192.0.2.9', '2001:db8::1'], ['192.0.2.9', '192.0.2.10']),
        (
            '::',
            ['::1', '2001:db8::1', 'fe80::1', '127.0.0.1', '192.0.2.1', '169.254.0.1'],
            ['192.0.2.1', '2001:db8::1'],
        ),
        ('::', ['127.0.0.1', '::1'], ['127.0.0.1', '::1']),
        ('::', [], []),
    ],
)
def test_addresses_of_a_server(
    monkeypatch: pytest.MonkeyPatch, listen: str, local: list[str], expected: list[str]
) -> None:
    monkeypatch.setattr(mdns, '_local_addresses', lambda: local)
    assert mdns._listening_addresses(listen, []) == expected


def test_addresses_are_those_of_the_interfaces_that_were_asked_for() -> None:
    assert mdns._listening_addresses('::', ['192.0.2.7']) == ['192.0.2.7']
    assert mdns._listening_addresses('192.0.2.1', ['192.0.2.7']) == ['192.0.2.1']
