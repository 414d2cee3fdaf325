"""What switches tell a machine: from the callback to the ports in Ironic and the stored data."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import pytest

from tests.functional.lab import Lab
from tests.functional.lab import Machine
from tests.functional.lab import running_lab
from tests.service import InspectorProcess

HOOKS = '$default_processing_hooks,lldp_basic,local_link_connection,physnet_cidr_map'
LEAF = {'switch_id': '00:00:5e:00:53:e1', 'port_id': 'ethernet1/1/7'}
PROCESSED = {
    'switch_chassis_id': '00:00:5e:00:53:e1',
    'switch_port_id': 'ethernet1/1/7',
    'switch_port_description': 'rack 12 slot 7 eno1',
    'switch_system_name': 'leaf-12a',
    'switch_system_description': 'Dell EMC Networking OS10 Enterprise. System Description: OS10 Enterprise. '
    'OS Version: 10.5.4.1',
    'switch_capabilities_support': ['Bridge', 'Router'],
    'switch_capabilities_enabled': ['Bridge', 'Router'],
    'switch_mgmt_addresses': ['192.0.2.250', '2001:db8::250'],
    'switch_port_untagged_vlan_id': 100,
    'switch_port_protocol_vlan_enabled': True,
    'switch_port_protocol_vlan_support': True,
    'switch_port_protocol_vlan_ids': [100],
    'switch_port_vlans': [{'id': 100, 'name': 'provisioning'}, {'id': 200, 'name': 'tenant'}],
    'switch_protocol_identities': ['88cc'],
    'switch_port_management_vlan_id': 1,
    'switch_port_link_aggregation_enabled': False,
    'switch_port_link_aggregation_support': True,
    'switch_port_link_aggregation_id': 0,
    'switch_port_autonegotiation_enabled': True,
    'switch_port_autonegotiation_support': True,
    'switch_port_physical_capabilities': [
        '1000BASE-T fdx',
        '100BASE-TX fdx',
        '100BASE-TX hdx',
        '10BASE-T fdx',
        '10BASE-T hdx',
        'Asym and Sym PAUSE fdx',
    ],
    'switch_port_mau_type': '1000BASE-T full duplex',
    'switch_port_mtu': 9216,
}


@pytest.fixture(scope='module')
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A service with the hooks for LLDP and physical networks."""
    options: dict[str, dict[str, Any]] = {
        'processing': {'processing_hooks': HOOKS},
        'port_physnet': {'cidr_map': '2001:db8::/64:six,198.51.100.0/24:provisioning'},
    }
    with running_lab(tmp_path_factory.mktemp('inspector'), **options) as running:
        yield running


def port(lab: Lab, machine: Machine) -> tuple[Any, Any]:
    """The link and the physical network of a machine's port in Ironic."""
    (found,) = lab.ironic.ports(machine.uuid)
    return found['local_link_connection'], found['physical_network']


def processed(lab: Lab, machine: Machine) -> Any:
    """What the stored data of a machine say of its switch; None if that is nothing."""
    (entry,) = lab.data(machine).json()['all_interfaces'].values()
    return entry.get('lldp_processed')


@pytest.mark.parametrize('known', [True, False])
def test_a_port_is_linked_whether_it_is_new_or_not(lab: Lab, known: bool) -> None:
    machine = lab.finished(lab.machine(port=known))
    assert port(lab, machine) == (LEAF, 'provisioning')
    assert processed(lab, machine) == PROCESSED


def test_the_port_is_written_once(lab: Lab) -> None:
    machine = lab.waiting()
    since = lab.ironic.mark()
    assert lab.call_back(machine.data()).status_code == 200
    lab.reached(machine, 'finished')
    (uuid,) = (found['uuid'] for found in lab.ironic.ports(machine.uuid))
    assert lab.ironic.count('PATCH', f'/v1/ports/{uuid}', since=since) == 1

    since = lab.ironic.mark()
    lab.finished(machine)
    assert lab.ironic.count('PATCH', f'/v1/ports/{uuid}', since=since) == 0


def test_lldp_in_the_inventory(lab: Lab) -> None:
    machine = lab.waiting()
    data = machine.data()
    (data['inventory']['interfaces'][0]['lldp'],) = data.pop('lldp_raw').values()
    assert lab.call_back(data).status_code == 200
    lab.reached(machine, 'finished')
    assert port(lab, machine) == (LEAF, 'provisioning')
    assert processed(lab, machine) == PROCESSED


def test_the_stored_data_lead_to_the_same(lab: Lab) -> None:
    machine = lab.finished()
    stored = lab.data(machine).json()
    assert lab.reapply(machine).status_code == 202
    lab.reached(machine, 'finished')
    assert port(lab, machine) == (LEAF, 'provisioning')
    assert lab.data(machine).json() == stored


@pytest.mark.parametrize(
    'lldp_raw',
    [
        None,
        'none',
        7,
        [1],
        {},
        {'ens1f0': None},
        {'ens1f0': 'x' * 1000},
        {'ens1f0': {'1': '00'}},
        {
            'ens1f0': [
                [1, 'zz'],
                [1],
                7,
                None,
                [[], {}],
                ['1', '04'],
                [1, ''],
                [2, '07ff'],
                [5, 'ff'],
                [127, '0080c202'],
            ]
        },
        {'ens1f0': [[1, '08ff'], [2, '06ff'], [99, 'ff']]},
        {'ens1f0': [[2, '0565746831']]},
        {'ens1f0': [[1, '0501c0000201'], [2, '0565746831']]},
    ],
)
def test_malformed_lldp_fails_nothing(lab: Lab, lldp_raw: Any) -> None:
    machine = lab.finished(lldp_raw=lldp_raw)
    assert port(lab, machine) == ({}, 'provisioning')
    assert 'Traceback' not in lab.inspector.log()


def test_a_flood_of_tlvs_is_no_flood_of_log_lines(lab: Lab) -> None:
    machine = lab.finished(lldp_raw={'ens1f0': [[5, 'ff']] * 200_000})
    lines = [line for line in lab.log_of('LLDP') if machine.uuid in line]
    assert 0 < sum(len(line) for line in lines) < 20_000


def test_existing_values_stay_where_they_are_not_to_be_overwritten(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(
        processing={'processing_hooks': HOOKS, 'overwrite_existing': False},
        port_physnet={'cidr_map': '198.51.100.0/24:provisioning'},
    )
    mine = {'switch_id': '00:00:5e:00:53:01', 'port_id': 'mine'}
    machine = lab.machine(port=False)
    lab.ironic.add_port(machine.uuid, machine.mac, local_link_connection=mine, physical_network='mine')
    lab.finished(machine)
    assert port(lab, machine) == (mine, 'mine')
    assert port(lab, lab.finished()) == (LEAF, 'provisioning')


def test_a_malformed_map_stops_the_start(make_inspector: Callable[..., InspectorProcess]) -> None:
    process = make_inspector(
        start=False, processing={'processing_hooks': HOOKS}, port_physnet={'cidr_map': '10.0.0.0/24:a,10.0.1.1/24:b'}
    )
    process.start(wait=False)
    assert process.wait() == 1
    (line,) = [line for line in process.log().splitlines() if line.startswith('ironic-inspector cannot start')]
    assert "[port_physnet]cidr_map: '10.0.1.1/24:b' must be a subnet and the name of a physical network" in line
    assert 'has host bits set' in line
