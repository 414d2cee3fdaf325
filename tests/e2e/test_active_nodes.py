"""Introspection of nodes that somebody uses, on a real Ironic: they are looked at and left as they are."""

from collections.abc import Iterator
import secrets
from typing import Any

from openstack.connection import Connection
import pytest

from ironic_inspector.fixtures import inventories
from tests.e2e.conftest import Enrol
from tests.e2e.conftest import Http
from tools import components

pytestmark = pytest.mark.xdist_group('ironic')

BMC = '192.0.2.78'


@pytest.fixture(scope='module')
def permitting(tmp_path_factory: pytest.TempPathFactory, ironic: components.Ironic) -> Iterator[components.Inspector]:
    """The service, which may introspect nodes in use and would power off and tidy up any other."""
    options = {
        'processing': {
            'permit_active_introspection': True,
            'power_off': True,
            'add_ports': 'all',
            'keep_ports': 'added',
        }
    }
    with components.Inspector(tmp_path_factory.mktemp('permitting'), ironic.url, options) as running:
        yield running


@pytest.fixture
def service(permitting: components.Inspector) -> Http:
    """The same over plain HTTP."""
    return Http(permitting.url)


@pytest.fixture
def node_in_use(request: pytest.FixtureRequest, enrol: Enrol, ironic_api: Connection, mac: str) -> Iterator[Any]:
    """A node that is switched on and has two ports, in the provision state of the parameter, by default active."""
    baremetal = ironic_api.baremetal
    other_mac = '52:54:01:' + secrets.token_bytes(3).hex(':')
    node = enrol(f'used-{secrets.token_hex(4)}', [mac, other_mac], driver_info={'ipmi_address': BMC})
    for port in baremetal.ports(node_id=node.id, address=mac):
        baremetal.update_port(port, is_pxe_enabled=False)
    baremetal.set_node_provision_state(node, 'provide', wait=True, timeout=60)
    baremetal.set_node_provision_state(node, 'active', wait=True, timeout=60)
    try:
        if getattr(request, 'param', 'active') == 'rescue':
            baremetal.set_node_provision_state(node, 'rescue', rescue_password='secret', wait=True, timeout=60)
        baremetal.set_node_power_state(node, 'power on', wait=True, timeout=60)
        yield baremetal.get_node(node.id)
    finally:
        baremetal.set_node_provision_state(node, 'deleted', wait=True, timeout=60)


def undisturbed(ironic_api: Connection, before: Any) -> dict[str, Any]:
    """The properties of a node, which is otherwise as it was."""
    baremetal = ironic_api.baremetal
    node = baremetal.get_node(before.id)
    for name in ('provision_state', 'power_state', 'target_power_state', 'driver_info', 'instance_info', 'extra'):
        assert getattr(node, name) == getattr(before, name), name
    assert node.power_state == 'power on'
    properties: dict[str, Any] = node.properties
    return properties


def ports(ironic_api: Connection, node: Any) -> list[dict[str, Any]]:
    """The ports of a node with all their fields, by MAC."""
    found = [port.to_dict() for port in ironic_api.baremetal.ports(node_id=node.id, details=True)]
    return sorted(found, key=lambda port: str(port['address']))


@pytest.mark.parametrize('node_in_use', ['active', 'rescue'], indirect=True)
def test_a_start_without_boot_management(service: Http, ironic_api: Connection, node_in_use: Any, mac: str) -> None:
    before = ports(ironic_api, node_in_use)
    answer = service.post(f'/v1/introspection/{node_in_use.id}?manage_boot=false')
    assert answer.status_code == 202, answer.text
    service.reach(node_in_use.id, 'waiting')
    undisturbed(ironic_api, node_in_use)

    assert service.call_back(mac).json() == {'uuid': node_in_use.id}

    service.reach(node_in_use.id, 'finished')
    assert undisturbed(ironic_api, node_in_use)['cpus'] == '80'
    assert ports(ironic_api, node_in_use) == before


@pytest.mark.parametrize('node_in_use', ['active', 'rescue'], indirect=True)
@pytest.mark.parametrize('known_by', ['mac', 'bmc'])
def test_a_callback_that_nobody_asked_for(
    service: Http, ironic_api: Connection, node_in_use: Any, mac: str, known_by: str
) -> None:
    before = ports(ironic_api, node_in_use)
    new_mac = mac[:-1] + ('1' if mac[-1] == '0' else '0')
    data = {
        'mac': inventories.ramdisk_data(mac, bmc_address=None),
        'bmc': inventories.ramdisk_data(new_mac, bmc_address=BMC),
    }[known_by]
    for _ in range(2):
        answer = service.post('/v1/continue', json=data)
        assert answer.json() == {'uuid': node_in_use.id}
        service.reach(node_in_use.id, 'finished')
    assert undisturbed(ironic_api, node_in_use)['cpus'] == '80'
    # An interface that Ironic had not known is added; what it knew stays as it was.
    now = ports(ironic_api, node_in_use)
    assert [port for port in now if port['address'] != new_mac] == before
    assert len(now) == len(before) + (known_by == 'bmc')


def test_an_abort_without_boot_management(service: Http, ironic_api: Connection, node_in_use: Any) -> None:
    service.post(f'/v1/introspection/{node_in_use.id}?manage_boot=false')
    service.reach(node_in_use.id, 'waiting')
    assert service.post(f'/v1/introspection/{node_in_use.id}/abort').status_code == 202
    assert service.reach(node_in_use.id, 'error')['error'] == 'Canceled by operator'
    undisturbed(ironic_api, node_in_use)


def test_where_it_is_not_permitted(http: Http, ironic_api: Connection, node_in_use: Any, mac: str) -> None:
    answer = http.post(f'/v1/introspection/{node_in_use.id}?manage_boot=false')
    assert answer.status_code == 400
    assert '[processing]permit_active_introspection' in answer.json()['error']['message']
    assert http.call_back(mac).status_code == 404
    assert undisturbed(ironic_api, node_in_use) == node_in_use.properties
