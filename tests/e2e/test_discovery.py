"""Discovery on real input: machines that the real Ironic knows nothing of become nodes of it."""

from collections.abc import Iterator
import os
from pathlib import Path
from typing import Any

from openstack.connection import Connection
import pytest

from ironic_inspector.fixtures import inventories
from tests.e2e.conftest import Enrol
from tests.e2e.conftest import Http
from tools import components
from tools import processes

pytestmark = pytest.mark.xdist_group('ironic')

BMC = '192.0.2.77'


@pytest.fixture(scope='module')
def discovering(tmp_path_factory: pytest.TempPathFactory, ironic: components.Ironic) -> Iterator[components.Inspector]:
    """The service, which enrols whoever calls back."""
    options = {
        'processing': {'node_not_found_hook': 'enroll', 'add_ports': 'all'},
        'discovery': {'enroll_node_fields': 'resource_class:found,automated_clean:false'},
    }
    with components.Inspector(tmp_path_factory.mktemp('discovering'), ironic.url, options) as running:
        yield running


@pytest.fixture
def service(discovering: components.Inspector) -> Http:
    """The same over plain HTTP."""
    return Http(discovering.url)


@pytest.fixture(autouse=True)
def _nodes_go(ironic_api: Connection) -> Iterator[None]:
    """Delete the nodes that a test has let be found."""
    before = {node.id for node in ironic_api.baremetal.nodes()}
    yield
    for node in ironic_api.baremetal.nodes():
        if node.id not in before:
            ironic_api.baremetal.delete_node(node.id)


def nodes(ironic_api: Connection) -> list[Any]:
    """All nodes, with all their fields."""
    return list(ironic_api.baremetal.nodes(details=True))


def test_this_machine_is_found(
    discovering: components.Inspector,
    service: Http,
    ironic_api: Connection,
    machine_macs: list[str],
    tmp_path: Path,
) -> None:
    components.collect_introspection_data(discovering.callback_url, tmp_path)

    (node,) = nodes(ironic_api)
    service.reach(node.id, 'finished')
    node = ironic_api.baremetal.get_node(node.id)
    assert (node.provision_state, node.driver, node.resource_class) == ('enroll', 'fake-hardware', 'found')
    assert node.is_automated_clean_enabled is False
    assert node.properties['cpus'] == str(os.cpu_count())
    assert node.properties['cpu_arch'] == os.uname().machine
    assert int(node.properties['memory_mb']) > 0
    ports = list(ironic_api.baremetal.ports(node_id=node.id))
    assert sorted(port.address for port in ports) == sorted(machine_macs)
    data = service.get(f'/v1/introspection/{node.id}/data').json()
    assert data['auto_discovered'] is True
    assert node.driver_info.get('ipmi_address') == (data['ipmi_address'] or data['ipmi_v6address'])

    # Its next boot finds that it is known.
    with pytest.raises(processes.ProcessError, match=f'Node {node.id} has a port with the MAC'):
        components.collect_introspection_data(discovering.callback_url, tmp_path)
    assert len(nodes(ironic_api)) == 1


def test_a_server_that_was_found_can_be_used(service: Http, ironic_api: Connection, mac: str) -> None:
    answer = service.post('/v1/continue', json=inventories.ramdisk_data(mac, bmc_address=BMC))
    assert answer.status_code == 200, answer.text
    node_uuid = answer.json()['uuid']
    service.reach(node_uuid, 'finished')
    node = ironic_api.baremetal.get_node(node_uuid)
    assert node.driver_info == {'ipmi_address': BMC}

    ironic_api.baremetal.set_node_provision_state(node, 'manage', wait=True, timeout=60)
    service.introspect(node_uuid, mac)

    assert [port.address for port in ironic_api.baremetal.ports(node_id=node_uuid)] == [mac]
    assert ironic_api.baremetal.get_node(node_uuid).power_state == 'power off'


def test_a_server_that_ironic_knows_is_refused(service: Http, ironic_api: Connection, enrol: Enrol, mac: str) -> None:
    by_mac = enrol('by-mac', [mac], manage=False)
    by_bmc = enrol('by-bmc', [], manage=False, driver_info={'redfish_address': f'https://{BMC}'})
    other = mac[:-1] + ('1' if mac[-1] == '0' else '0')
    for data, node, what in (
        (inventories.ramdisk_data(other, macs=[mac], bmc_address=None), by_mac, f'a port with the MAC {mac}'),
        (inventories.ramdisk_data(other, bmc_address=BMC), by_bmc, f'the BMC address {BMC}'),
    ):
        answer = service.post('/v1/continue', json=data)
        assert answer.status_code == 400
        assert f'Node {node.id} has {what} already' in answer.json()['error']['message']
    assert len(nodes(ironic_api)) == 2
    assert [port.address for port in ironic_api.baremetal.ports()] == [mac]


def test_a_failed_server_keeps_its_node(service: Http, ironic_api: Connection, mac: str) -> None:
    data = inventories.ramdisk_data(mac, bmc_address=None)
    for _ in range(2):
        answer = service.post('/v1/continue', json=data | {'error': 'The disks are gone'})
        assert answer.status_code == 400
    (failed,) = nodes(ironic_api)
    status = service.get(f'/v1/introspection/{failed.id}').json()
    assert (status['state'], 'The disks are gone' in status['error']) == ('error', True)

    answer = service.post('/v1/continue', json=data)

    assert answer.json() == {'uuid': failed.id}
    service.reach(failed.id, 'finished')
    assert [port.address for port in ironic_api.baremetal.ports(node_id=failed.id)] == [mac]


@pytest.mark.parametrize(
    ('option', 'value', 'says'),
    [
        ('enroll_node_driver', 'magic', 'supports driver magic'),
        ('enroll_node_fields', 'extra:text', "'text' is not of type 'object'"),
    ],
)
def test_a_node_that_ironic_does_not_take(
    ironic: components.Ironic, ironic_api: Connection, tmp_path: Path, mac: str, option: str, value: str, says: str
) -> None:
    options = {'processing': {'node_not_found_hook': 'enroll'}, 'discovery': {option: value}}
    with components.Inspector(tmp_path, ironic.url, options) as running:
        answer = Http(running.url).post('/v1/continue', json=inventories.ramdisk_data(mac))
    assert answer.status_code == 400
    message = answer.json()['error']['message']
    assert 'check what [discovery] says of it' in message
    assert says in message
    assert nodes(ironic_api) == []
