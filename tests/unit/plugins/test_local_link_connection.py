"""The hook `local_link_connection`."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector.plugins.lldp_basic import LLDPBasicProcessingHook
from ironic_inspector.plugins.local_link_connection import GenericLocalLinkConnectionHook
from tests.unit.common import lldp_frames
from tests.unit.plugins import arbitrary
from tests.unit.plugins import lldp_machines
from tests.unit.plugins.lldp_machines import ETH0
from tests.unit.plugins.lldp_machines import FRAME
from tests.unit.plugins.lldp_machines import IB0
from tests.unit.plugins.lldp_machines import OTHER_FRAME
from tests.unit.plugins.lldp_machines import machine
from tests.unit.plugins.nodes import Nodes
from tests.unit.plugins.nodes import configured

LEAF = {'switch_id': '00:00:5e:00:53:e1', 'port_id': 'eth1'}
SPINE = {'switch_id': '00:00:5e:00:53:e2', 'port_id': 'eth2'}
OLD = {'switch_id': '00:00:5e:00:53:01', 'port_id': 'old', 'switch_info': 'mine'}


def links(nodes: Nodes, node_info: Any, data: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The links of the ports in Ironic after the hook has been run."""
    options = {f'processing__{name}': value for name, value in options.items()}
    configured(GenericLocalLinkConnectionHook(), **options).before_update(data, node_info)
    return {mac: port['local_link_connection'] for mac, port in nodes.ports(node_info).items()}


def link(nodes: Nodes, data: dict[str, Any], present: dict[str, Any] | None = None, **options: Any) -> Any:
    """The link of eth0 in Ironic after the hook has been run, where it was `present` before."""
    nodes.ironic.reset()
    node_info = nodes.enrol({ETH0: {'local_link_connection': present or {}}})
    return links(nodes, node_info, data, **options)[ETH0]


def with_ids(chassis: Any, port: Any) -> dict[str, Any]:
    data = machine()
    data['all_interfaces']['eth0']['lldp_processed'] = {'switch_chassis_id': chassis, 'switch_port_id': port}
    return data


@pytest.mark.parametrize('first', [[], [LLDPBasicProcessingHook()]])
def test_from_raw_and_from_processed_data(nodes: Nodes, first: list[Any]) -> None:
    data = machine({'eth0': FRAME}, {'ib0': OTHER_FRAME})
    node_info = nodes.enrol({ETH0: {}, IB0: {}})
    for hook in first:
        configured(hook).before_update(data, node_info)
    assert links(nodes, node_info, data) == {ETH0: LEAF, IB0: SPINE}


@pytest.mark.parametrize('name', [name for name in lldp_frames.NAMES if name != 'voice-access-switch'])
def test_switches_of_several_vendors(nodes: Nodes, name: str) -> None:
    frame = lldp_frames.load(name)
    assert link(nodes, machine({'eth0': frame['tlvs']})) == {
        'switch_id': frame['expected']['switch_chassis_id'],
        'port_id': frame['expected']['switch_port_id'],
    }


def test_processed_data_go_before_raw_ones(nodes: Nodes) -> None:
    data = with_ids('00:00:5e:00:53:EE', 'p1') | {'lldp_raw': {'eth0': FRAME}}
    assert link(nodes, data) == {'switch_id': '00:00:5e:00:53:EE', 'port_id': 'p1'}


@pytest.mark.parametrize('processed', [None, [], {}, {'switch_port_id': None}, {'switch_system_name': 'x'}])
def test_processed_data_without_ids_leave_it_to_the_raw_ones(nodes: Nodes, processed: Any) -> None:
    data = machine({'eth0': FRAME})
    data['all_interfaces']['eth0']['lldp_processed'] = processed
    assert link(nodes, data) == LEAF


@pytest.mark.parametrize(
    'chassis',
    [
        '192.0.2.1',
        'leaf',
        '',
        None,
        7,
        ['00:00:5e:00:53:e1'],
        '00-00-5e-00-53-e1',
        '00:00:5e:00:53:e1\n',
        '0:0:0:0:0:1',
    ],
)
def test_a_chassis_id_that_is_no_mac(nodes: Nodes, chassis: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level('INFO')
    # Ironic refuses a link that has a port without its switch, and with it the whole introspection.
    assert link(nodes, with_ids(chassis, 'p1')) == {}
    assert 'is left alone' in caplog.text
    assert link(nodes, with_ids(chassis, 'p1'), OLD) == OLD | {'port_id': 'p1'}


@pytest.mark.parametrize('port', ['', None, 7, ['p1']])
def test_a_port_id_that_is_no_text(nodes: Nodes, port: Any) -> None:
    data = with_ids('00:00:5e:00:53:e1', port)
    assert link(nodes, data) == {}
    assert link(nodes, data, OLD) == OLD | {'switch_id': '00:00:5e:00:53:e1'}


@pytest.mark.parametrize('frame', [[[1, '08ff'], [2, '05ff']], [[1, '']], [[2, '0565746831'], [1, 'zz']], 'x'])
def test_malformed_ids(nodes: Nodes, frame: Any) -> None:
    assert link(nodes, machine({'eth0': frame})) == {}


@pytest.mark.parametrize(
    ('present', 'overwrite', 'expected'),
    [
        (OLD, True, OLD | LEAF),
        (OLD, False, OLD),
        (
            {'hostname': 'nic', 'port_id': 'old'},
            False,
            {'hostname': 'nic', 'port_id': 'old', 'switch_id': LEAF['switch_id']},
        ),
        ({'network_type': 'unmanaged', 'port_id': ''}, False, {'network_type': 'unmanaged', **LEAF}),
        ({}, False, LEAF),
    ],
)
def test_overwriting(nodes: Nodes, present: dict[str, Any], overwrite: bool, expected: dict[str, Any]) -> None:
    assert link(nodes, machine({'eth0': FRAME}), present, overwrite_existing=overwrite) == expected


def test_a_link_that_is_null(nodes: Nodes) -> None:
    node_info = nodes.enrol({ETH0: {'local_link_connection': None}})
    assert links(nodes, node_info, machine({'eth0': FRAME})) == {ETH0: LEAF}


def test_a_port_that_another_hook_has_just_created(nodes: Nodes) -> None:
    node_info = nodes.enrol()
    node_info.create_ports([ETH0])
    assert links(nodes, node_info, machine({'eth0': FRAME})) == {ETH0: LEAF}


def test_only_ports_that_ironic_has(nodes: Nodes) -> None:
    node_info = nodes.enrol({IB0: {}})
    assert links(nodes, node_info, machine({'eth0': FRAME})) == {IB0: {}}


def test_what_fits_is_not_written(nodes: Nodes) -> None:
    node_info = nodes.enrol({ETH0: {'local_link_connection': LEAF}})
    configured(GenericLocalLinkConnectionHook()).before_update(machine({'eth0': FRAME}), node_info)
    assert not node_info.changes()


@given(
    data=lldp_machines.hostile(),
    processed=st.none()
    | arbitrary.JSON
    | st.fixed_dictionaries({'switch_chassis_id': arbitrary.JSON, 'switch_port_id': arbitrary.JSON}),
)
@arbitrary.SETTINGS
def test_nothing_is_raised(nodes: Nodes, data: dict[str, Any], processed: Any) -> None:
    nodes.ironic.reset()
    data['all_interfaces']['eth0']['lldp_processed'] = processed
    node_info = nodes.enrol({ETH0: {}, IB0: {'local_link_connection': OLD}})
    links(nodes, node_info, data)


@pytest.mark.parametrize(
    ('state', 'maintenance', 'expected'),
    [
        ('active', False, {}),
        ('rescue', False, {}),
        ('inspect failed', False, {}),
        ('active', True, LEAF),
        ('enroll', False, LEAF),
    ],
)
def test_nodes_that_somebody_uses(nodes: Nodes, state: str, maintenance: bool, expected: Any) -> None:
    node_info = nodes.enrol({ETH0: {}}, provision_state=state, maintenance=maintenance)
    assert links(nodes, node_info, machine({'eth0': FRAME}))[ETH0] == expected
