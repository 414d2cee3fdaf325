"""What is known of Ironic's ports between two lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ironic_inspector.common import exceptions
from ironic_inspector.common.ironic import IronicClient
from ironic_inspector.fixtures.ironic import InMemoryIronic
from ironic_inspector.pxe_filter.ports import PortCache
from tests.unit.pxe_filter.policies import MACS

A, B, C = MACS[:3]


def port(mac: str) -> dict[str, Any]:
    return {'address': mac, 'extra': {}}


def test_the_list_is_fetched_once() -> None:
    lists = iter([[port(A)], [port(B)]])
    cache = PortCache(lambda: next(lists))
    assert cache.listed is False
    assert [cache.current().macs for _ in range(2)] == [{A}, {A}]
    assert [cache.listed] == [True]
    assert cache.refresh().macs == {B}
    assert cache.current().macs == {B}


def test_what_is_learned_is_known_until_the_next_list() -> None:
    lists = iter([[port(A)], [port(A)]])
    cache = PortCache(lambda: next(lists))
    cache.add([port(C)])
    assert cache.current().macs == {A}
    cache.add([port(B)])
    assert cache.current().macs == {A, B}
    assert cache.refresh().macs == {A}


def test_what_is_learned_while_the_list_is_made_stays_known() -> None:
    def fetch() -> Iterator[dict[str, Any]]:
        yield port(A)
        cache.add([port(B)])

    cache = PortCache(fetch)
    assert cache.current().macs == {A, B}


def test_a_failure_changes_nothing() -> None:
    def fetch() -> Iterator[dict[str, Any]]:
        yield port(A)
        if cache.listed:
            raise exceptions.IronicError('It is away')

    cache = PortCache(fetch)
    cache.current()
    cache.add([port(B)])
    with pytest.raises(exceptions.IronicError):
        cache.refresh()
    assert cache.current().macs == {A, B}


def test_the_list_of_ironic(ironic: InMemoryIronic, client: IronicClient) -> None:
    node = ironic.add_node()
    macs = {f'52:54:00:00:{number >> 8:02x}:{number & 255:02x}' for number in range(2500)}
    for mac in macs:
        ironic.add_port(node['uuid'], mac, extra={'client-id': 'ff:' * 12 + '00:11:22:33:44:55:66:77'})
    ironic.clear_calls()
    known = PortCache(client.all_ports).current()
    assert known.macs == macs
    assert set(known.guids) == macs
    assert set(known.guids.values()) == {'00:11:22:33:44:55:66:77'}
    assert [call.path for call in ironic.calls] == ['/v1/ports'] * 3
    assert all('fields=uuid%2Caddress%2Cextra' in call.query for call in ironic.calls)
