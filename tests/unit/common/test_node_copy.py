"""The local copy of a node: changed at once, written in one go."""

from __future__ import annotations

import pytest

from ironic_inspector.common import exceptions
from ironic_inspector.common.ironic import IronicClient
from ironic_inspector.common.node_copy import NodeCopy
from ironic_inspector.fixtures.ironic import InMemoryIronic

MAC = '52:54:00:00:00:01'


@pytest.fixture
def uuid(ironic: InMemoryIronic) -> str:
    node = ironic.add_node(properties={'cpus': '4', 'cpu_arch': 'x86_64'}, extra={'list': [1]})
    ironic.add_port(node['uuid'], MAC.upper())
    return str(node['uuid'])


@pytest.fixture
def node_copy(client: IronicClient, uuid: str) -> NodeCopy:
    return NodeCopy(uuid, client)


def add(path: str, value: object) -> dict[str, object]:
    return {'op': 'add', 'path': path, 'value': value}


def test_changes_show_at_once_and_go_out_in_one_patch(ironic: InMemoryIronic, node_copy: NodeCopy, uuid: str) -> None:
    node_copy.patch([add('/properties/cpus', '8'), add('/extra/list/-', 2)])
    node_copy.patch([add('/properties/cpus', '16'), {'op': 'remove', 'path': '/properties/cpu_arch'}])
    assert node_copy.node['properties'] == {'cpus': '16'}
    assert node_copy.resource.properties == {'cpus': '16'}
    assert ironic.count('PATCH') == 0
    node_copy.write()
    assert ironic.count('PATCH') == 1
    assert ironic.node(uuid)['properties'] == {'cpus': '16'}
    assert ironic.node(uuid)['extra'] == {'list': [1, 2]}


def test_what_is_as_it_was_is_not_written(ironic: InMemoryIronic, node_copy: NodeCopy) -> None:
    node_copy.patch([add('/properties/cpus', '8')])
    node_copy.patch([add('/properties/cpus', '4')])
    node_copy.patch_port(MAC, [add('/pxe_enabled', node_copy.ports[MAC]['pxe_enabled'])])
    assert not node_copy.changes()
    node_copy.write()
    assert ironic.count('PATCH') == 0


def test_a_second_write_sends_only_what_came_since(ironic: InMemoryIronic, node_copy: NodeCopy) -> None:
    node_copy.patch([add('/properties/cpus', '8')])
    node_copy.write()
    node_copy.patch([add('/properties/memory_mb', '1')])
    assert node_copy.write().node == [add('/properties/memory_mb', '1')]
    assert not node_copy.write()
    assert ironic.count('PATCH') == 2


def test_a_patch_that_does_not_fit_changes_nothing(node_copy: NodeCopy) -> None:
    with pytest.raises(exceptions.InvalidRequest, match='does not fit'):
        node_copy.patch([add('/properties/cpus', '8'), {'op': 'remove', 'path': '/properties/nothing'}])
    assert not node_copy.changes()


def test_ports_are_created_changed_and_deleted(ironic: InMemoryIronic, node_copy: NodeCopy, uuid: str) -> None:
    created = node_copy.add_port('52:54:00:00:00:02', {'pxe_enabled': False})
    node_copy.patch_port('52:54:00:00:00:02', [add('/physical_network', 'net')])
    node_copy.delete_port(MAC)
    assert list(node_copy.ports) == ['52:54:00:00:00:02']
    node_copy.write()
    (port,) = ironic.ports(uuid)
    assert (port['uuid'], port['pxe_enabled'], port['physical_network']) == (created['uuid'], False, 'net')
    node_copy.patch_port('52:54:00:00:00:02', [add('/pxe_enabled', True)])
    node_copy.write()
    assert ironic.ports(uuid)[0]['pxe_enabled'] is True
    assert ironic.count('POST') == 1


def test_a_port_whose_mac_is_taken_is_left_out(ironic: InMemoryIronic, node_copy: NodeCopy, uuid: str) -> None:
    other = ironic.add_node()
    ironic.add_port(other['uuid'], '52:54:00:00:00:02')
    node_copy.add_port('52:54:00:00:00:02', {})
    node_copy.write()
    assert len(ironic.ports(uuid)) == 1
    assert list(node_copy.ports) == [MAC]
    assert ironic.count('POST') == 1


def test_what_ironic_refuses_of_a_port_may_be_left_out(ironic: InMemoryIronic, node_copy: NodeCopy) -> None:
    patch = [add('/local_link_connection', {'switch_id': 'odd'})]
    node_copy.patch_port(MAC, patch)
    with ironic.fail('PATCH', '/v1/ports/', 400), pytest.raises(exceptions.IronicError):
        node_copy.write()
    with ironic.fail('PATCH', '/v1/ports/', 400):
        node_copy.write(tolerant=True)
    assert not node_copy.changes()
    node_copy.patch_port(MAC, patch)
    with ironic.fail('PATCH', '/v1/ports/', 403), pytest.raises(exceptions.IronicError):
        node_copy.write(tolerant=True)


def test_a_port_that_is_gone_already_is_no_error(ironic: InMemoryIronic, node_copy: NodeCopy, uuid: str) -> None:
    node_copy.delete_port(MAC)
    with ironic.fail('DELETE', '/v1/ports/', 404):
        node_copy.write()
    assert not node_copy.changes()


def test_a_new_port_has_what_ironic_will_give_it(ironic: InMemoryIronic, node_copy: NodeCopy, uuid: str) -> None:
    mac = '52:54:00:00:00:02'
    node_copy.add_port(mac, {})
    fields = ('description', 'extra', 'is_smartnic', 'local_link_connection', 'physical_network', 'pxe_enabled')
    for field in fields:
        value = node_copy.ports[mac][field]
        node_copy.patch_port(mac, [{'op': 'replace', 'path': f'/{field}', 'value': value}])
    (port,) = node_copy.changes().new_ports
    assert port.keys() == {'uuid', 'node_uuid', 'address'}
    before = {field: node_copy.ports[mac][field] for field in fields}
    node_copy.write()
    assert {field: node_copy.ports[mac][field] for field in fields} == before


@pytest.fixture
def ipmi(ironic: InMemoryIronic, client: IronicClient) -> NodeCopy:
    """A node with interfaces that are the default of no driver."""
    fields = {'driver': 'ipmi', 'boot_interface': 'mine', 'raid_interface': 'mine'}
    return NodeCopy(ironic.add_node(**fields)['uuid'], client)


def interfaces(ironic: InMemoryIronic, node_copy: NodeCopy) -> tuple[str, str, str]:
    node = ironic.node(node_copy.uuid)
    return node['driver'], node['boot_interface'], node['raid_interface']


def test_a_driver_that_is_what_it_was_resets_nothing(ironic: InMemoryIronic, ipmi: NodeCopy) -> None:
    ipmi.patch([add('/driver', 'ipmi')], reset_interfaces=True)
    ipmi.patch([add('/extra/a', 1)])
    assert ipmi.write().reset_interfaces is False
    assert interfaces(ironic, ipmi) == ('ipmi', 'mine', 'mine')


def test_a_new_driver_resets_what_is_not_chosen_after_it(ironic: InMemoryIronic, ipmi: NodeCopy) -> None:
    default = ironic.add_node(driver='redfish')['raid_interface']
    ipmi.patch([add('/driver', 'redfish')], reset_interfaces=True)
    ipmi.patch([add('/boot_interface', 'mine')])
    assert ipmi.changes().node == [add('/driver', 'redfish'), add('/boot_interface', 'mine')]
    ipmi.write()
    assert interfaces(ironic, ipmi) == ('redfish', 'mine', default)
    assert not ipmi.changes()
    assert ironic.count('PATCH') == 2


def test_what_was_chosen_before_a_new_driver_is_lost(ironic: InMemoryIronic, ipmi: NodeCopy) -> None:
    default = ironic.add_node(driver='redfish')
    ipmi.patch([add('/boot_interface', 'other')])
    ipmi.patch([add('/driver', 'redfish')], reset_interfaces=True)
    ipmi.write()
    assert interfaces(ironic, ipmi) == ('redfish', default['boot_interface'], default['raid_interface'])
    assert ironic.count('PATCH') == 1


def test_interfaces_that_come_with_the_driver_in_one_patch(ironic: InMemoryIronic, ipmi: NodeCopy) -> None:
    ipmi.patch([add('/boot_interface', 'other'), add('/driver', 'redfish')], reset_interfaces=True)
    ipmi.write()
    assert interfaces(ironic, ipmi)[:2] == ('redfish', 'other')
    assert ironic.count('PATCH') == 1


def test_traits(ironic: InMemoryIronic, node_copy: NodeCopy, uuid: str) -> None:
    node_copy.set_trait('CUSTOM_A', present=True)
    node_copy.set_trait('CUSTOM_B', present=False)
    node_copy.write()
    assert ironic.node(uuid)['traits'] == ['CUSTOM_A']
    assert not node_copy.changes()


def test_a_key_that_ironic_takes_in_no_path_goes_with_its_field(
    ironic: InMemoryIronic, node_copy: NodeCopy, uuid: str
) -> None:
    node_copy.patch([add('/extra/a~1b c', 1), add('/properties/cpus', '8')])
    node_copy.write()
    assert ironic.node(uuid)['extra'] == {'list': [1], 'a/b c': 1}
    assert ironic.count('PATCH') == 1


def test_changes_are_told_without_their_values(node_copy: NodeCopy) -> None:
    assert str(node_copy.changes()) == 'nothing'
    node_copy.patch([add('/driver_info/password', 'secret'), {'op': 'remove', 'path': '/properties/cpus'}])
    port = node_copy.add_port('52:54:00:00:00:02', {})
    node_copy.patch_port(MAC, [add('/physical_network', 'net')])
    node_copy.set_trait('CUSTOM_A', present=True)
    told = str(node_copy.changes())
    assert told == (
        'add /driver_info/password, remove /properties/cpus, create port 52:54:00:00:00:02, '
        f'port {node_copy.ports[MAC]["uuid"]}: add /physical_network, add trait CUSTOM_A'
    )
    assert 'secret' not in told
    assert port['uuid'] not in told


def test_forgetting_fetches_again(ironic: InMemoryIronic, node_copy: NodeCopy, uuid: str) -> None:
    assert node_copy.node['properties']['cpus'] == '4'
    ironic.update_node(uuid, properties={'cpus': '99'})
    assert node_copy.node['properties']['cpus'] == '4'
    node_copy.forget()
    assert node_copy.node['properties']['cpus'] == '99'
