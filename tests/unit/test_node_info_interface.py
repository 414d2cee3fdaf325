"""What plug-ins written for ironic-inspector do with a node: the names, arguments and results they count on.

`IRONIC` stands for the client that plug-ins used to pass on; nobody looks at it any more.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from concurrent import futures
import datetime
from typing import Any

from oslo_config import cfg
import pytest

from ironic_inspector import conf as configuration
from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.fixtures.ironic import InMemoryIronic
from ironic_inspector.introspection_state import Events
from ironic_inspector.node_cache import NodeCache
from ironic_inspector.node_info import NodeInfo
from tests.unit.plugins.nodes import Nodes

IRONIC = object()
UUID = '1be26c0b-03f2-4d2e-ae87-c02d7f33c123'
MAC, OTHER, NEW = '52:54:00:00:00:01', '52:54:00:00:00:02', '52:54:00:00:00:0a'


@pytest.fixture
def machines(ironic: InMemoryIronic) -> Iterator[Nodes]:
    """Nodes of an in-memory Ironic in the hands of a plug-in."""
    made = Nodes(ironic)
    yield made
    made.close()


@pytest.fixture
def node_info(machines: Nodes) -> NodeInfo:
    """A node with two ports."""
    return machines.enrol(
        {MAC: {'extra': {'a': 1}}, OTHER: {}},
        name='machine',
        properties={'cpus': '4', 'capabilities': 'boot_mode:uefi,profile:compute'},
        extra={'list': [1, {'x': 'y'}], 'a/b': 'slash', 'none': None},
        instance_uuid=UUID,
        driver_info={'ipmi_address': '192.0.2.1'},
    )


def sent(ironic: InMemoryIronic, node_info: NodeInfo) -> dict[str, Any]:
    """Write what a plug-in changed and return the node that Ironic has then."""
    node_info.write()
    return dict(ironic.node(node_info.uuid))


def sent_ports(ironic: InMemoryIronic, node_info: NodeInfo) -> dict[str, dict[str, Any]]:
    """Write what a plug-in changed and return the ports that Ironic has then, by their MAC."""
    node_info.write()
    return {port['address']: port for port in ironic.ports(node_info.uuid)}


def add(path: str, value: Any) -> dict[str, Any]:
    return {'op': 'add', 'path': path, 'value': value}


# The introspection


def test_the_state_of_the_introspection(nodes: NodeCache) -> None:
    node_info = nodes.begin(UUID, manage_boot=False)
    assert (node_info.uuid, node_info.state, node_info.error, node_info.manage_boot) == (UUID, 'starting', None, False)
    assert isinstance(node_info.started_at, datetime.datetime)
    assert node_info.started_at.tzinfo is None
    assert node_info.finished_at is None
    assert UUID in str(node_info)
    nodes.transition(node_info, Events.ERROR, 'no luck')
    assert (node_info.state, node_info.error) == ('error', 'no luck')
    assert isinstance(node_info.finished_at, datetime.datetime)


def test_options(nodes: NodeCache) -> None:
    node_info = nodes.begin(UUID, manage_boot=True)
    assert node_info.options == {}
    node_info.set_option('a', {'b': [1, None]})
    node_info.set_option(name='c', value=None)
    assert node_info.options == {'a': {'b': [1, None]}, 'c': None}
    node_info.set_option('a', 'other')
    assert nodes.get(UUID).options == node_info.options == {'a': 'other', 'c': None}


def test_attributes(nodes: NodeCache) -> None:
    node_info = nodes.begin(UUID, manage_boot=True)
    assert node_info.attributes == {}
    node_info.add_attribute('mac', MAC)
    node_info.add_attribute('mac', [OTHER])
    node_info.add_attribute(name='slot', value=7)
    node_info.add_attribute('rack', ('B', 7, None))
    node_info.add_attribute('nothing', None)
    assert {name: sorted(values) for name, values in node_info.attributes.items()} == {
        'mac': [MAC, OTHER],
        'slot': ['7'],
        'rack': ['7', 'B'],
    }
    assert nodes.get(UUID).attributes == node_info.attributes
    assert nodes.find({'slot': ['7']}) == UUID


# The node


@pytest.mark.parametrize('arguments', [((), {}), ((IRONIC,), {}), ((), {'ironic': IRONIC})])
def test_the_node_is_openstacksdks(node_info: NodeInfo, arguments: tuple[Any, Any]) -> None:
    node = node_info.node(*arguments[0], **arguments[1])
    assert (node.id, node.name, node.instance_id, node.is_maintenance) == (node_info.uuid, 'machine', UUID, False)
    assert node.properties['cpus'] == '4'
    assert node.driver_info == {'ipmi_address': '192.0.2.1'}
    assert node.extra['list'] == [1, {'x': 'y'}]
    assert node_info.node() is node


def test_a_patch_shows_at_once(ironic: InMemoryIronic, node_info: NodeInfo) -> None:
    assert node_info.patch([add('/properties/a', 1)]) is None  # type: ignore[func-returns-value]
    node_info.patch([add('properties/b', {'x': [1]})], IRONIC)
    node_info.patch(
        patches=[{'op': 'replace', 'path': '/driver', 'value': 'ipmi'}], ironic=IRONIC, reset_interfaces=True
    )
    node_info.patch([{'op': 'remove', 'path': '/extra/list'}, {'op': 'test', 'path': '/properties/cpus', 'value': '4'}])
    node = node_info.node()
    assert (node.properties['a'], node.properties['b'], node.driver) == (1, {'x': [1]}, 'ipmi')
    assert 'list' not in node.extra
    assert ironic.count('PATCH') == 0
    assert sent(ironic, node_info)['properties']['b'] == {'x': [1]}
    assert ironic.count('PATCH') == 1


@pytest.mark.parametrize('operation', ['remove', 'replace'])
def test_a_patch_that_does_not_fit(node_info: NodeInfo, operation: str) -> None:
    with pytest.raises(exceptions.InspectorError, match='/properties/none'):
        node_info.patch([add('/properties/a', 1), {'op': operation, 'path': '/properties/none', 'value': 1}])
    assert not node_info.changes()


def test_the_patch_stays_the_plug_ins_own(ironic: InMemoryIronic, node_info: NodeInfo) -> None:
    value = [1]
    patch = [add('extra/mine', value)]
    node_info.patch(patch)
    value.append(2)
    assert patch == [add('extra/mine', [1, 2])]
    assert sent(ironic, node_info)['extra']['mine'] == [1]


def test_a_value_changed_in_place_and_patched_is_written(ironic: InMemoryIronic, node_info: NodeInfo) -> None:
    extra = node_info.node().extra
    extra['mine'] = 1
    assert 'mine' not in node_info.fields['extra']
    node_info.patch([add('/extra', extra)])
    assert sent(ironic, node_info)['extra']['mine'] == 1
    values = node_info.get_by_path('/extra/list')
    values.append(2)
    node_info.patch([add('/extra/list', values)])
    assert sent(ironic, node_info)['extra']['list'] == [1, {'x': 'y'}, 2]
    assert ironic.count('PATCH') == 2


def test_properties(ironic: InMemoryIronic, node_info: NodeInfo) -> None:
    node_info.update_properties(cpus=8, memory_mb='1')
    node_info.update_properties(ironic=IRONIC, arch='x')
    node_info.update_properties(IRONIC, local_gb='9', self='odd')
    node_info.update_properties()
    expected = {'cpus': 8, 'memory_mb': '1', 'arch': 'x', 'local_gb': '9', 'self': 'odd'}
    assert expected.items() <= node_info.node().properties.items()
    assert expected.items() <= sent(ironic, node_info)['properties'].items()


def test_capabilities(ironic: InMemoryIronic, node_info: NodeInfo) -> None:
    node_info.update_capabilities(boot_mode='bios', gpus=2, fast=True, nothing=None)
    assert node_info.node().properties['capabilities'] == 'boot_mode:bios,profile:compute,gpus:2,fast:True'
    node_info.update_capabilities(ironic=IRONIC, profile=None)
    node_info.update_capabilities(IRONIC, gpus=0)
    assert sent(ironic, node_info)['properties']['capabilities'] == 'boot_mode:bios,gpus:0,fast:True'


def test_traits(ironic: InMemoryIronic, node_info: NodeInfo) -> None:
    node_info.add_trait('CUSTOM_A')
    node_info.add_trait('CUSTOM_B', ironic=IRONIC)
    node_info.add_trait(trait='CUSTOM_C')
    node_info.remove_trait('CUSTOM_B', IRONIC)
    node_info.remove_trait('CUSTOM_ABSENT')
    assert sorted(sent(ironic, node_info)['traits']) == ['CUSTOM_A', 'CUSTOM_C']


# Paths


@pytest.mark.parametrize(
    ('path', 'value'),
    [
        ('/properties/cpus', '4'),
        ('properties/cpus', '4'),
        ('/extra/list', [1, {'x': 'y'}]),
        ('/extra/list/1/x', 'y'),
        ('/extra/none', None),
        ('/extra/a~1b', 'slash'),
        ('/name', 'machine'),
        ('/owner', None),
        ('/driver_info', {'ipmi_address': '192.0.2.1'}),
        ('driver_info/', {'ipmi_address': '192.0.2.1'}),
        ('/maintenance', False),
        # As openstacksdk calls them.
        ('/is_maintenance', False),
        ('/instance_id', UUID),
    ],
)
def test_values_by_path(node_info: NodeInfo, path: str, value: Any) -> None:
    assert node_info.get_by_path(path) == value


MISSING = [
    '', '/', '/nope', '/nope/x', '/patch', '/_info', '/properties/nope', '/properties/cpus/x', '/extra/none/x',
    '/extra/list/7', '/extra/list/x', '/extra/list/1/nope', '/owner/x',
]  # fmt: skip


@pytest.mark.parametrize('path', MISSING)
def test_no_value_by_a_path(node_info: NodeInfo, path: str) -> None:
    with pytest.raises(KeyError):
        node_info.get_by_path(path)
    with pytest.raises(KeyError):
        node_info.replace_field(path, lambda value: value)
    assert not node_info.changes()


def test_fields_are_replaced_by_what_a_function_makes_of_them(ironic: InMemoryIronic, node_info: NodeInfo) -> None:
    node_info.replace_field('/properties/cpus', lambda cpus: str(int(cpus) * 2))
    node_info.replace_field('extra/list', func=lambda values: [*values, 2])
    node_info.replace_field('/extra/new', lambda values: [*values, 3], default=[])
    node_info.replace_field('/extra/made', repr, default=None, ironic=IRONIC)
    node_info.replace_field('/name', lambda name: f'{name}-2')
    assert node_info.node().properties['cpus'] == '8'
    node = sent(ironic, node_info)
    assert (node['properties']['cpus'], node['name']) == ('8', 'machine-2')
    assert node['extra'] == {
        'list': [1, {'x': 'y'}, 2], 'a/b': 'slash', 'none': None, 'new': [3], 'made': 'None',
    }  # fmt: skip


def test_a_function_may_change_its_argument(ironic: InMemoryIronic, node_info: NodeInfo) -> None:
    def append(values: list[Any]) -> list[Any]:
        values.append('end')
        return values

    default: list[Any] = []
    node_info.replace_field('/extra/list', append)
    node_info.replace_field('/extra/new', append, default=default)
    assert default == []
    extra = sent(ironic, node_info)['extra']
    assert (extra['list'], extra['new']) == ([1, {'x': 'y'}, 'end'], ['end'])


def test_what_a_function_leaves_as_it_is_is_not_written(node_info: NodeInfo) -> None:
    node_info.replace_field('/extra/list', lambda value: value)
    node_info.replace_field('/extra/new', lambda value: value, default=7)
    assert not node_info.changes()
    assert 'new' not in node_info.node().extra


# Ports


@pytest.mark.parametrize('arguments', [((), {}), ((IRONIC,), {}), ((), {'ironic': IRONIC})])
def test_the_ports_are_openstacksdks(node_info: NodeInfo, arguments: tuple[Any, Any]) -> None:
    ports = node_info.ports(*arguments[0], **arguments[1])
    assert sorted(ports) == [MAC, OTHER]
    port = ports[MAC]
    assert (port.address, port.node_id, port.is_pxe_enabled, port.extra) == (MAC, node_info.uuid, True, {'a': 1})
    assert port.id


def test_ports_are_created(ironic: InMemoryIronic, node_info: NodeInfo) -> None:
    node_info.create_ports([NEW.upper(), MAC.upper()])
    node_info.create_ports(
        [{'mac': '52:54:00:00:00:0b', 'ip': '192.0.2.7', 'client_id': 'ff:01', 'pxe': False}], IRONIC
    )
    node_info.create_ports(ports=({'mac': '52:54:00:00:00:0c', 'unknown': 1},), ironic=IRONIC)

    def check() -> None:
        ports = node_info.ports()
        assert sorted(ports) == [MAC, OTHER, NEW, '52:54:00:00:00:0b', '52:54:00:00:00:0c']
        found = [(ports[mac].is_pxe_enabled, ports[mac].extra) for mac in sorted(ports)[2:]]
        assert found == [(True, {}), (False, {'client-id': 'ff:01'}), (True, {})]
        assert all(port.id and port.node_id == node_info.uuid for port in ports.values())
        assert all(port.local_link_connection == {} for port in ports.values())

    check()
    assert ironic.count('POST') == 0
    ids = {mac: port.id for mac, port in node_info.ports().items()}
    made = sent_ports(ironic, node_info)
    assert ironic.count('POST') == 3
    check()
    assert {mac: port['uuid'] for mac, port in made.items()} == ids


def test_a_new_port_is_patched_before_ironic_has_it(ironic: InMemoryIronic, node_info: NodeInfo) -> None:
    node_info.create_ports([NEW])
    link = {'port_id': 'Ethernet1', 'switch_id': '52:54:00:ff:00:01'}
    node_info.patch_port(NEW, [add(f'/local_link_connection/{key}', value) for key, value in link.items()])
    node_info.patch_port(node_info.ports()[NEW], [add('/physical_network', 'net'), add('/extra/a', 1)])
    port = sent_ports(ironic, node_info)[NEW]
    assert ironic.count('POST') == 1
    assert ironic.count('PATCH') == 0
    assert (port['local_link_connection'], port['physical_network'], port['extra']) == (link, 'net', {'a': 1})


def test_ports_are_patched(ironic: InMemoryIronic, node_info: NodeInfo) -> None:
    port = node_info.ports()[MAC]
    node_info.patch_port(port, [add('/extra/b', 2)])
    node_info.patch_port(MAC.upper(), [add('extra/c', 3)], IRONIC)
    node_info.patch_port(port=MAC, patches=[{'op': 'replace', 'path': '/pxe_enabled', 'value': False}], ironic=IRONIC)
    found = node_info.ports()[MAC]
    assert (found.extra, found.is_pxe_enabled) == ({'a': 1, 'b': 2, 'c': 3}, False)
    # The object in the plug-in's hands is its own.
    assert port.extra == {'a': 1}
    ports = sent_ports(ironic, node_info)
    assert ironic.count('PATCH') == 1
    assert (ports[MAC]['extra'], ports[OTHER]['extra']) == ({'a': 1, 'b': 2, 'c': 3}, {})


def test_a_ports_value_changed_in_place_and_patched_is_written(ironic: InMemoryIronic, node_info: NodeInfo) -> None:
    port = node_info.ports()[MAC]
    port.extra['b'] = 2
    assert node_info.ports()[MAC].extra == {'a': 1}
    node_info.patch_port(port, [add('/extra', port.extra)])
    assert sent_ports(ironic, node_info)[MAC]['extra'] == {'a': 1, 'b': 2}


def test_ports_are_deleted(ironic: InMemoryIronic, node_info: NodeInfo) -> None:
    node_info.delete_port(node_info.ports()[MAC])
    assert list(node_info.ports()) == [OTHER]
    node_info.create_ports([NEW])
    node_info.delete_port(OTHER.upper(), IRONIC)
    node_info.delete_port(port=NEW, ironic=IRONIC)
    assert node_info.ports() == {}
    assert sent_ports(ironic, node_info) == {}
    assert ironic.count('POST') == 0


@pytest.mark.parametrize(
    'use',
    [
        lambda node_info: node_info.patch_port(NEW, [add('/extra/a', 1)]),
        lambda node_info: node_info.delete_port(NEW),
    ],
)
def test_a_port_that_is_not_there(node_info: NodeInfo, use: Callable[[NodeInfo], None]) -> None:
    with pytest.raises(KeyError):
        use(node_info)
    assert not node_info.changes()


def test_the_cache_is_dropped_when_asked_for(ironic: InMemoryIronic, node_info: NodeInfo) -> None:
    node_info.update_properties(cpus='8')
    assert node_info.ports()
    ironic.update_node(node_info.uuid, name='renamed')
    ironic.add_port(node_info.uuid, NEW)
    assert node_info.node().name == 'machine'
    node_info.invalidate_cache()
    assert (node_info.node().name, node_info.node().properties['cpus']) == ('renamed', '8')
    assert NEW in node_info.ports()
    ironic.update_node(node_info.uuid, name='again')
    node_info.invalidate_cache(ironic=IRONIC)
    assert node_info.get_by_path('/name', ironic=IRONIC) == 'again'


def test_reading_costs_two_calls_of_ironic(ironic: InMemoryIronic, node_info: NodeInfo) -> None:
    for _ in range(3):
        node_info.node()
        node_info.ports()
        node_info.get_by_path('/properties/cpus')
        node_info.update_properties(cpus='8')
        node_info.patch_port(MAC, [add('/extra/b', 2)])
    assert ironic.count() == 2


# utils


@pytest.mark.parametrize(
    ('arguments', 'code'),
    [
        ({}, 400),
        ({'code': 404}, 404),
        ({'node_info': None, 'data': {'a': 1}}, 400),
        ({'code': 409, 'log_level': 'debug', 'data': None}, 409),
    ],
)
def test_an_error(arguments: dict[str, Any], code: int) -> None:
    error = utils.Error('The fan is loud', **arguments)
    assert isinstance(error, Exception)
    assert (str(error), error.http_code) == ('The fan is loud', code)


def test_an_error_with_its_arguments_in_their_order() -> None:
    assert utils.Error('The fan is loud', 409, 'debug').http_code == 409


@pytest.mark.parametrize('sent', [{}, {'disks': None}, {'disks': []}])
def test_an_inventory_always_has_disks(sent: dict[str, Any]) -> None:
    data = {'inventory': {'interfaces': [{'name': 'eth0'}], **sent}}
    inventory = utils.get_inventory(data, node_info=None)
    assert inventory['disks'] == []
    assert inventory is data['inventory']


def test_the_macs_of_all_interfaces() -> None:
    interfaces = {'eth0': {'mac': MAC, 'ip': None}, 'eth1': {'mac': None}, 'eth2': {}}
    assert utils.get_valid_macs({'all_interfaces': interfaces}) == [MAC]
    for nothing in ({}, {'all_interfaces': None}, {'all_interfaces': [7]}, {'all_interfaces': {'eth0': 'x'}}):
        assert utils.get_valid_macs(nothing) == []


def test_threads_for_plug_ins() -> None:
    configuration.register_opts(cfg.CONF)
    pool = utils.executor()
    assert utils.executor() is pool
    future = pool.submit(pow, 2, 5)
    assert isinstance(future, futures.Future)
    assert future.result(10) == 32
