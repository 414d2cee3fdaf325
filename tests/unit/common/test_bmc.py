"""The addresses of a BMC."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from ironic_inspector.common import bmc

FIELDS = ['redfish_address', 'ilo_address', 'drac_host', 'drac_address', 'ibmc_address']


@pytest.mark.parametrize(
    ('driver_info', 'expected'),
    [
        ({}, []),
        (None, []),
        ({'ipmi_address': '192.0.2.1'}, ['192.0.2.1']),
        ({'ipmi_address': ' 192.0.2.1 '}, ['192.0.2.1']),
        ({'ipmi_address': '2001:DB8::1'}, ['2001:db8::1']),
        ({'ipmi_address': '[2001:db8::1]'}, ['2001:db8::1']),
        ({'redfish_address': 'https://192.0.2.1:8443/redfish'}, ['192.0.2.1']),
        ({'redfish_address': 'https://[2001:db8::1]:8443'}, ['2001:db8::1']),
        ({'redfish_address': '//192.0.2.1'}, ['192.0.2.1']),
        ({'redfish_address': 'http://['}, []),
        ({'redfish_address': 'http://'}, []),
        ({'ipmi_address': '', 'ilo_address': '192.0.2.2', 'drac_host': '192.0.2.3'}, ['192.0.2.2']),
        ({'ipmi_address': '192.0.2.1', 'redfish_address': '192.0.2.2'}, ['192.0.2.1']),
        ({'ibmc_address': '192.0.2.5'}, ['192.0.2.5']),
        ({'other_address': '192.0.2.5'}, []),
        ({'ipmi_address': '127.0.0.1'}, []),
        ({'ipmi_address': '::1'}, []),
        ({'ipmi_address': '192.0.2.1', 'ipmi_bridging': 'no'}, ['192.0.2.1']),
        ({'ipmi_address': '192.0.2.1', 'ipmi_bridging': 'single'}, []),
        ({'ipmi_address': 17}, []),
        ({'ipmi_address': 'x' * 300}, []),
        ({'ipmi_address': 'a..b'}, []),
    ],
)
def test_addresses(driver_info: Any, expected: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, *_args: Any, **_kwargs: Any) -> Any:
        raise socket.gaierror(f'{host} unknown')

    monkeypatch.setattr(socket, 'getaddrinfo', resolve)
    assert bmc.addresses({'uuid': 'u', 'driver_info': driver_info}, FIELDS) == expected


def test_of_a_name_one_address_of_each_kind_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = ['127.0.0.1', '192.0.2.9', '2001:db8::9', '192.0.2.8', '2001:db8::8']
    monkeypatch.setattr(
        socket, 'getaddrinfo', lambda *_args, **_kwargs: [(0, 0, 6, '', (address, 0)) for address in answers]
    )
    assert bmc.addresses({'driver_info': {'ipmi_address': 'bmc.example'}}, FIELDS) == ['192.0.2.9', '2001:db8::9']


def test_owners_of_addresses() -> None:
    nodes = [
        {'uuid': 'a', 'driver_info': {'ipmi_address': '192.0.2.1'}},
        {'uuid': 'b', 'driver_info': {'redfish_address': 'https://[2001:db8::1]:8443'}},
        {'uuid': 'c', 'driver_info': {'ipmi_address': '192.0.2.2'}},
        {'uuid': 'd', 'driver_info': {}},
    ]
    assert bmc.owners(nodes, ['192.0.2.1', '2001:db8::1'], FIELDS) == {'a', 'b'}
    assert bmc.owners(nodes, ['192.0.2.9'], FIELDS) == set()
    assert bmc.owners(nodes, [], FIELDS) == set()
