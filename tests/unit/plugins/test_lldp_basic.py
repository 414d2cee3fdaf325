"""The hook `lldp_basic`."""

from __future__ import annotations

from typing import Any

from hypothesis import given
import pytest

from ironic_inspector import utils
from ironic_inspector.fixtures import inventories
from ironic_inspector.plugins.lldp_basic import LLDPBasicProcessingHook
from ironic_inspector.plugins.validate_interfaces import ValidateInterfacesHook
from tests.unit.common import lldp_frames
from tests.unit.plugins import arbitrary
from tests.unit.plugins import lldp_machines
from tests.unit.plugins.lldp_machines import FRAME
from tests.unit.plugins.lldp_machines import machine
from tests.unit.plugins.nodes import Nodes
from tests.unit.plugins.nodes import configured


def processed(nodes: Nodes, data: dict[str, Any]) -> dict[str, Any]:
    """What the hook leaves in `all_interfaces`, by interface."""
    node_info = nodes.enrol()
    configured(LLDPBasicProcessingHook()).before_update(data, node_info)
    assert not node_info.changes()
    entries = data['all_interfaces'].items()
    return {name: entry['lldp_processed'] for name, entry in entries if 'lldp_processed' in entry}


@pytest.mark.parametrize('name', lldp_frames.NAMES)
def test_switches_of_several_vendors(nodes: Nodes, name: str) -> None:
    frame = lldp_frames.load(name)
    assert processed(nodes, machine({'eth0': frame['tlvs']})) == {'eth0': frame['expected']}
    assert processed(nodes, machine(None, {'ib0': frame['tlvs']})) == {'ib0': frame['expected']}


def test_what_was_there_is_replaced(nodes: Nodes) -> None:
    data = machine({'eth0': FRAME})
    data['all_interfaces']['eth0']['lldp_processed'] = {'switch_system_name': 'old', 'switch_port_mtu': 1}
    assert processed(nodes, data)['eth0'] == {
        'switch_chassis_id': '00:00:5e:00:53:e1',
        'switch_port_id': 'eth1',
        'switch_system_name': 'leaf',
    }
    assert data['all_interfaces']['eth0']['mac'] == lldp_machines.ETH0


@pytest.mark.parametrize('accepted', [None, [], 'eth0', {'eth0': None}, {'other': {}}])
def test_only_interfaces_that_were_accepted(nodes: Nodes, accepted: Any) -> None:
    data = machine({'eth0': FRAME})
    data['all_interfaces'] = accepted
    node_info = nodes.enrol()
    configured(LLDPBasicProcessingHook()).before_update(data, node_info)
    assert data['all_interfaces'] == accepted


def test_without_an_inventory(nodes: Nodes) -> None:
    with pytest.raises(utils.Error, match='no inventory'):
        configured(LLDPBasicProcessingHook()).before_update({'lldp_raw': {}}, nodes.enrol())


@pytest.mark.parametrize('name', inventories.names())
def test_every_sample(nodes: Nodes, name: str) -> None:
    data = inventories.load(name)
    configured(ValidateInterfacesHook(), processing__add_ports='all').before_processing(data)
    found = processed(nodes, data)
    raw = data.get('lldp_raw') or {}
    assert found.keys() == {
        interface for interface, tlvs in raw.items() if tlvs and interface in data['all_interfaces']
    }
    assert all({'switch_chassis_id', 'switch_port_id'} <= values.keys() for values in found.values())


@given(data=lldp_machines.hostile())
@arbitrary.SETTINGS
def test_nothing_is_raised(nodes: Nodes, data: dict[str, Any]) -> None:
    nodes.ironic.reset()
    processed(nodes, data)


@given(data=arbitrary.spoiled(('inventory',)), accepted=arbitrary.JSON)
@arbitrary.SETTINGS
def test_only_error_is_raised(nodes: Nodes, data: dict[str, Any], accepted: Any) -> None:
    nodes.ironic.reset()
    try:
        configured(LLDPBasicProcessingHook()).before_update(data | {'all_interfaces': accepted}, nodes.enrol())
    except utils.Error:
        return
