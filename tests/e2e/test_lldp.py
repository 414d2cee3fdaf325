"""A real LLDP daemon as the switch, the real ramdisk code on its ports, and a real Ironic that gets the result."""

from __future__ import annotations

from collections.abc import Iterator
import json
import os
from pathlib import Path
import shlex
import subprocess
import tempfile
from typing import Any

from openstack.connection import Connection
import pytest

from ironic_inspector.fixtures import inventories
from tests.e2e import network
from tests.e2e.conftest import Http
from tools import components
from tools import debian
from tools import environments
from tools import processes

pytestmark = pytest.mark.xdist_group('ironic')

HOOKS = '$default_processing_hooks,lldp_basic,local_link_connection,physnet_cidr_map'
CHASSIS = '02:00:5e:00:53:e0'
SECOND_PORT = '02:00:5e:00:53:e1'

# All in a nameless network namespace, which is gone with the last process in it.
LINKS = f"""
{network.ENABLE_IPV6}
ip link add sw0 address {CHASSIS} type veth peer name nic0
ip link add sw1 address {SECOND_PORT} type veth peer name nic1
for interface in sw0 sw1 nic0 nic1; do ip link set $interface up; done
ip address add 192.0.2.250/24 dev sw0
ip address add 2001:db8::250/64 dev sw0 nodad
"""
SWITCH = """
configure system hostname "leaf-1.example.org"
configure system description "A switch, of this test"
configure system capabilities enabled bridge,router
configure lldp tx-interval 1
configure ports sw0 lldp portidsubtype local "Ethernet1/7"
configure ports sw0 lldp portdescription "rack 12 slot 7"
configure ports sw0 lldp custom-tlv add oui 00,80,c2 subtype 1 oui-info 00,64
configure ports sw0 lldp custom-tlv add oui 00,80,c2 subtype 3 oui-info 00,64,03,70,78,65
configure ports sw0 lldp custom-tlv add oui 00,80,c2 subtype 3 oui-info 00,65,07,73,74,6f,72,61,67,65
configure ports sw0 lldp custom-tlv add oui 00,12,0f subtype 4 oui-info 24,00
configure ports sw0 lldp custom-tlv add oui 00,12,bb subtype 5 oui-info 31
"""
COLLECT = """
import json
from ironic_python_agent import config
from ironic_python_agent import hardware
with open('frames.json', 'w') as file:
    json.dump(hardware.GenericHardwareManager().collect_lldp_data(['nic0', 'nic1']), file)
"""


@pytest.fixture(scope='module')
def frames() -> Any:
    """What the ramdisk code has received from the switch on nic0 and nic1, as it posts it."""
    try:
        debian.require_tools(debian.LLDP_TOOLS)
    except debian.MissingToolsError as error:
        pytest.skip(str(error))
    environ = os.environ | debian.tools_path()
    probe = ['unshare', '--net', 'ip', 'link', 'add', 'sw0', 'type', 'veth', 'peer', 'name', 'nic0']
    probed = subprocess.run(probe, env=environ, capture_output=True, text=True, check=False)
    if probed.returncode:
        pytest.skip(f'no network namespace with interfaces can be made here: {probed.stderr.strip()}')
    ipa = environments.Environment('ipa')
    environments.ensure([ipa.name])
    script = (
        f'{LINKS}\n'
        "lldpd -d -O lldpd.conf -u lldpd.socket -I 'sw*' -C sw0 -m '192.0.2.*,2001:db8:*' &\n"
        f'{shlex.quote(str(ipa.python))} collect.py'
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # lldpd has a user of its own, who may not enter the folders of pytest.
        folder.chmod(0o755)
        (folder / 'lldpd.conf').write_text(SWITCH)
        (folder / 'collect.py').write_text(COLLECT)
        command = ['unshare', '--net', 'sh', '-e', '-c', script]
        log = processes.run('switch', command, folder, timeout=90, environ=debian.tools_path())
        received = json.loads((folder / 'frames.json').read_text())
        assert all(received.values()), log.read_text()
    return received


@pytest.fixture(scope='module')
def switched_inspector(
    tmp_path_factory: pytest.TempPathFactory, ironic: components.Ironic
) -> Iterator[components.Inspector]:
    """The service with the hooks for LLDP and physical networks."""
    options = {
        'processing': {'add_ports': 'all', 'processing_hooks': HOOKS},
        'port_physnet': {'cidr_map': '198.51.100.0/24:provisioning'},
    }
    with components.Inspector(tmp_path_factory.mktemp('inspector'), ironic.url, options) as running:
        yield running


def introspect(inspector: components.Inspector, node: Any, mac: str, frames: Any) -> dict[str, Any]:
    """Introspect a node whose NICs of that MAC and the next are nic0 and nic1, and return the stored data."""
    data = inventories.ramdisk_data(mac, macs=[next_to(mac)], bmc_address=None)
    data['lldp_raw'] = {'ens1f0': frames['nic0'], 'ens1f1': frames['nic1']}
    http = Http(inspector.url)
    http.start(node.id)
    answer = http.post('/v1/continue', json=data)
    assert answer.status_code == 200, answer.text
    http.reach(node.id, 'finished')
    stored: dict[str, Any] = http.get(f'/v1/introspection/{node.id}/data').json()
    return stored


def next_to(mac: str) -> str:
    return f'{mac[:-2]}{int(mac[-2:], 16) ^ 1:02x}'


def test_what_the_switch_was_told_to_say(
    switched_inspector: components.Inspector, node: Any, mac: str, frames: Any
) -> None:
    stored = introspect(switched_inspector, node, mac, frames)

    first = stored['all_interfaces']['ens1f0']['lldp_processed']
    second = stored['all_interfaces']['ens1f1']['lldp_processed']
    # These two say what Linux tells lldpd of the machine and of veth.
    assert {'Bridge', 'Router'} <= set(first.pop('switch_capabilities_support'))
    assert first.pop('switch_port_mau_type') == second['switch_port_mau_type']
    assert first == {
        'switch_chassis_id': CHASSIS,
        'switch_port_id': 'Ethernet1/7',
        'switch_port_description': 'rack 12 slot 7',
        'switch_system_name': 'leaf-1.example.org',
        'switch_system_description': 'A switch, of this test',
        'switch_capabilities_enabled': ['Bridge', 'Router'],
        'switch_mgmt_addresses': ['192.0.2.250', '2001:db8::250'],
        'switch_port_untagged_vlan_id': 100,
        'switch_port_vlans': [{'id': 100, 'name': 'pxe'}, {'id': 101, 'name': 'storage'}],
        'switch_port_link_aggregation_enabled': False,
        'switch_port_link_aggregation_support': True,
        'switch_port_link_aggregation_id': 0,
        'switch_port_autonegotiation_enabled': False,
        'switch_port_autonegotiation_support': False,
        'switch_port_physical_capabilities': [],
        'switch_port_mtu': 9216,
    }
    assert (second['switch_chassis_id'], second['switch_port_id']) == (CHASSIS, SECOND_PORT)
    assert second['switch_system_name'] == 'leaf-1.example.org'
    assert 'switch_port_vlans' not in second


def test_the_ports_in_ironic_are_linked(
    switched_inspector: components.Inspector, ironic_api: Connection, node: Any, mac: str, frames: Any
) -> None:
    introspect(switched_inspector, node, mac, frames)

    ports = {port.address: port for port in ironic_api.baremetal.ports(node_id=node.id, details=True)}
    assert {address: port.local_link_connection for address, port in ports.items()} == {
        mac: {'switch_id': CHASSIS, 'port_id': 'Ethernet1/7'},
        next_to(mac): {'switch_id': CHASSIS, 'port_id': SECOND_PORT},
    }
    assert ports[mac].physical_network == 'provisioning'
    assert ports[next_to(mac)].physical_network is None


def test_a_switch_that_ironic_cannot_name_fails_nothing(
    switched_inspector: components.Inspector, ironic_api: Connection, node: Any, mac: str, frames: Any
) -> None:
    without_mac = [[1, '0501c00002fa'], *frames['nic0'][1:]]
    introspect(switched_inspector, node, mac, {'nic0': without_mac, 'nic1': [[1, 'zz'], *frames['nic1'][1:]]})

    links = [port.local_link_connection for port in ironic_api.baremetal.ports(node_id=node.id, details=True)]
    assert links == [{}, {}]
