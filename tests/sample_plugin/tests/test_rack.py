"""The hook, with nodes of an in-memory Ironic."""

from inspector_sample.rack import RackHook
import pytest

from ironic_inspector import utils
from ironic_inspector.fixtures import inventories
from ironic_inspector.fixtures.ironic import InMemoryIronic
from ironic_inspector.fixtures.nodes import Nodes


def introspect(nodes, hostname):
    data = inventories.ramdisk_data()
    data['inventory']['hostname'] = hostname
    node_info = nodes.enrol([data['boot_interface']], properties={'rack': '06'})
    hook = RackHook()
    hook.before_processing(data)
    hook.before_update(data, node_info)
    node_info.write()
    return node_info.uuid


def test_the_rack_is_in_the_host_name():
    with InMemoryIronic() as ironic, Nodes(ironic) as nodes:
        uuid = introspect(nodes, 'r07-u12')
        assert ironic.node(uuid)['properties']['rack'] == '07'


def test_a_host_name_without_rack():
    with InMemoryIronic() as ironic, Nodes(ironic) as nodes, pytest.raises(utils.Error, match='does not tell the rack'):
        introspect(nodes, 'localhost')
