"""The hook `physnet_cidr_map`."""

from __future__ import annotations

from typing import Any

from hypothesis import given
import pytest

from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.plugins import interfaces
from ironic_inspector.plugins.physnet_cidr_map import PhysnetCidrMapHook
from tests.unit.plugins import arbitrary
from tests.unit.plugins.lldp_machines import ETH0
from tests.unit.plugins.lldp_machines import IB0
from tests.unit.plugins.lldp_machines import machine
from tests.unit.plugins.nodes import Nodes
from tests.unit.plugins.nodes import configured

MAP = ['192.0.2.0/24:netA', '2001:db8::/64:netB', '192.0.0.0/16:wide']


def hook_with(cidr_map: list[str], **options: Any) -> PhysnetCidrMapHook:
    return configured(PhysnetCidrMapHook(), port_physnet__cidr_map=cidr_map, **options)


def addressed(ipv4: Any = None, ipv6: Any = None) -> dict[str, Any]:
    """A machine whose eth0 has these addresses."""
    data = machine()
    data['inventory']['interfaces'][0].update(ipv4_address=ipv4, ipv6_address=ipv6)
    return data


def physnet(nodes: Nodes, data: dict[str, Any], hook: PhysnetCidrMapHook, present: Any = None) -> Any:
    """The physical network of eth0 in Ironic after the hook has been run, where it was `present` before."""
    node_info = nodes.enrol({ETH0: {'physical_network': present}})
    hook.before_update(data, node_info)
    return nodes.ports(node_info)[ETH0]['physical_network']


@pytest.mark.parametrize(
    ('ipv4', 'ipv6', 'cidr_map', 'expected'),
    [
        ('192.0.2.5', None, MAP, 'netA'),
        ('192.0.3.5', None, MAP, 'wide'),
        ('198.51.100.5', None, MAP, None),
        (None, '2001:db8::5', MAP, 'netB'),
        (None, '2001:db8::5%eth0', MAP, 'netB'),
        (None, '2001:db8:1::5', MAP, None),
        ('192.0.2.5', None, MAP[::-1], 'wide'),
        ('192.0.2.5', '2001:db8::5', MAP[1:2] + MAP[:1], 'netA'),
        ('198.51.100.5', '2001:db8::5', MAP, 'netB'),
        ('nonsense', '2001:db8::5', MAP, 'netB'),
        ('', None, MAP, None),
        (None, None, MAP, None),
        (7, ['2001:db8::5'], MAP, None),
        ('192.0.2.5', None, [], None),
        ('192.0.2.5', None, ['192.0.2.5:single'], 'single'),
        ('192.0.2.5', None, ['192.0.2.0/255.255.255.0:mask'], 'mask'),
        ('192.0.2.5', None, [' 192.0.2.0/24 : blanks '], 'blanks'),
    ],
)
def test_by_address(nodes: Nodes, ipv4: Any, ipv6: Any, cidr_map: list[str], expected: str | None) -> None:
    assert physnet(nodes, addressed(ipv4, ipv6), hook_with(cidr_map)) == expected


def test_each_interface_with_a_port(nodes: Nodes) -> None:
    node_info = nodes.enrol({ETH0: {}, IB0: {}, '52:54:00:ff:ff:ff': {}})
    hook_with(MAP).before_update(machine(), node_info)
    found = {mac: port['physical_network'] for mac, port in nodes.ports(node_info).items()}
    assert found == {ETH0: 'netA', IB0: 'netB', '52:54:00:ff:ff:ff': None}


@pytest.mark.parametrize(
    ('present', 'overwrite', 'expected'),
    [('old', True, 'netA'), ('old', False, 'old'), ('', False, 'netA'), (None, False, 'netA')],
)
def test_overwriting(nodes: Nodes, present: Any, overwrite: bool, expected: str) -> None:
    hook = hook_with(MAP, processing__overwrite_existing=overwrite)
    assert physnet(nodes, addressed('192.0.2.5'), hook, present) == expected


def test_what_fits_is_not_written(nodes: Nodes) -> None:
    node_info = nodes.enrol({ETH0: {'physical_network': 'netA'}})
    hook_with(MAP).before_update(addressed('192.0.2.5'), node_info)
    assert not node_info.changes()


def test_for_one_interface() -> None:
    hook, data = hook_with(MAP), addressed('192.0.2.5')
    assert hook.get_physnet(None, 'eth0', data) == 'netA'
    assert hook.get_physnet(None, 'other', data) is None
    assert 'eth0' in interfaces.known(data)


@pytest.mark.parametrize(
    ('item', 'reason'),
    [
        ('nonsense', 'does not appear to be'),
        ('192.0.2.0/24', 'does not appear to be'),
        ('2001:db8::/64', 'does not appear to be'),
        ('192.0.2.0/33:a', 'does not appear to be'),
        ('192.0.2.5/24:a', 'has host bits set'),
        ('192.0.2.0/24:a:b', 'does not appear to be'),
        (':a', 'does not appear to be'),
        ('192.0.2.0/24:', 'must name a physical network'),
        ('192.0.2.0/24: ', 'must name a physical network'),
        (f'192.0.2.0/24:{"x" * 65}', 'in at most 64 characters'),
    ],
)
def test_a_malformed_map_stops_the_start(item: str, reason: str) -> None:
    with pytest.raises(exceptions.ConfigurationError) as failure:
        hook_with(['10.0.0.0/8:fine', item])
    assert str(failure.value).startswith(f'[port_physnet]cidr_map: {item!r} must ')
    assert reason in str(failure.value)


@pytest.mark.parametrize('state', ['active', 'rescue', 'inspect failed'])
def test_ports_that_ironic_does_not_let_move(nodes: Nodes, state: str) -> None:
    node_info = nodes.enrol({ETH0: {}}, provision_state=state)
    hook_with(MAP).before_update(addressed('192.0.2.5'), node_info)
    assert not node_info.changes()


@given(data=arbitrary.spoiled(('inventory',)), accepted=arbitrary.JSON)
@arbitrary.SETTINGS
def test_only_error_is_raised(nodes: Nodes, data: dict[str, Any], accepted: Any) -> None:
    nodes.ironic.reset()
    node_info = nodes.enrol({ETH0: {}})
    accepted = accepted or {'eth0': {}, 'ib0': {}}
    try:
        hook_with(MAP).before_update(data | {'all_interfaces': accepted}, node_info)
    except utils.Error:
        assert not node_info.changes()
