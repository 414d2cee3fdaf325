"""Hooks that find physical networks, as plug-ins have them."""

from __future__ import annotations

from typing import Any

import pytest

from ironic_inspector.plugins import base_physnet
from tests.unit.plugins.lldp_machines import ETH0
from tests.unit.plugins.lldp_machines import IB0
from tests.unit.plugins.lldp_machines import machine
from tests.unit.plugins.nodes import Nodes
from tests.unit.plugins.nodes import configured


class RackHook(base_physnet.BasePhysnetHook):
    """As a plug-in has it, written for ironic-inspector 12.5."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None]] = []

    def get_physnet(self, port: Any, iface_name: str, introspection_data: dict[str, Any]) -> str | None:
        self.asked.append((port.address, iface_name, port.physical_network))
        names: dict[str, str | None] = introspection_data['racks']
        return names.get(iface_name)


def physnets(nodes: Nodes, node_info: Any) -> dict[str, Any]:
    return {mac: port['physical_network'] for mac, port in nodes.ports(node_info).items()}


def test_a_plug_in_is_asked_about_each_interface_with_a_port(nodes: Nodes) -> None:
    node_info = nodes.enrol({ETH0: {'physical_network': 'old'}, IB0: {}, '52:54:00:ff:ff:ff': {}})
    hook = configured(RackHook())
    hook.before_update(machine() | {'racks': {'eth0': 'rack-1'}}, node_info)
    assert hook.asked == [(ETH0, 'eth0', 'old'), (IB0, 'ib0', None)]
    assert physnets(nodes, node_info) == {ETH0: 'rack-1', IB0: None, '52:54:00:ff:ff:ff': None}


@pytest.mark.parametrize(
    ('present', 'overwrite', 'expected'),
    [
        ('old', True, 'rack-1'),
        ('old', False, 'old'),
        ('', False, 'rack-1'),
        (None, False, 'rack-1'),
    ],
)
def test_overwriting(nodes: Nodes, present: Any, overwrite: bool, expected: str) -> None:
    node_info = nodes.enrol({ETH0: {'physical_network': present}})
    hook = configured(RackHook(), processing__overwrite_existing=overwrite)
    hook.before_update(machine() | {'racks': {'eth0': 'rack-1'}}, node_info)
    assert physnets(nodes, node_info) == {ETH0: expected}


@pytest.mark.parametrize('found', [None, '', 'old'])
def test_where_nothing_is_new_nothing_is_written(nodes: Nodes, found: str | None) -> None:
    node_info = nodes.enrol({ETH0: {'physical_network': 'old'}})
    configured(RackHook()).before_update(machine() | {'racks': {'eth0': found}}, node_info)
    assert not node_info.changes()


def test_a_hook_that_nobody_has_configured_overwrites(nodes: Nodes) -> None:
    node_info = nodes.enrol({ETH0: {'physical_network': 'old'}})
    RackHook().before_update(machine() | {'racks': {'eth0': 'rack-1'}}, node_info)
    assert physnets(nodes, node_info) == {ETH0: 'rack-1'}


def test_a_port_that_another_hook_has_just_created(nodes: Nodes) -> None:
    node_info = nodes.enrol()
    node_info.create_ports([ETH0])
    configured(RackHook()).before_update(machine() | {'racks': {'eth0': 'rack-1'}}, node_info)
    assert physnets(nodes, node_info) == {ETH0: 'rack-1'}


@pytest.mark.parametrize(
    ('state', 'maintenance', 'expected'),
    [('active', False, None), ('rescue', False, None), ('inspect failed', False, None), ('active', True, 'rack-1')],
)
def test_nodes_that_somebody_uses(nodes: Nodes, state: str, maintenance: bool, expected: str | None) -> None:
    node_info = nodes.enrol({ETH0: {}}, provision_state=state, maintenance=maintenance)
    configured(RackHook()).before_update(machine() | {'racks': {'eth0': 'rack-1'}}, node_info)
    assert physnets(nodes, node_info) == {ETH0: expected}
