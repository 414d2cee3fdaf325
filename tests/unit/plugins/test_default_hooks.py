"""The default hooks together, in their order, on what machines of all kinds send."""

from collections.abc import Iterator
import json
from typing import Any

from hypothesis import given
import pytest

from ironic_inspector import utils
from ironic_inspector.fixtures import inventories
from ironic_inspector.plugins import base
from ironic_inspector.plugins.capabilities import CapabilitiesHook
from ironic_inspector.plugins.pci_devices import PciDevicesHook
from ironic_inspector.plugins.ramdisk_error import RamdiskErrorHook
from ironic_inspector.plugins.root_disk_selection import RootDiskSelectionHook
from ironic_inspector.plugins.scheduler import SchedulerHook
from ironic_inspector.plugins.validate_interfaces import ValidateInterfacesHook
from tests.unit.plugins import arbitrary
from tests.unit.plugins.nodes import Nodes
from tests.unit.plugins.nodes import configured

HOOKS = (
    RamdiskErrorHook,
    RootDiskSelectionHook,
    SchedulerHook,
    ValidateInterfacesHook,
    CapabilitiesHook,
    PciDevicesHook,
)
COMBINATIONS = [
    (add_ports, keep_ports)
    for add_ports in ('all', 'active', 'pxe', 'disabled')
    for keep_ports in ('all', 'present', 'added')
    if (add_ports, keep_ports) != ('disabled', 'added')
]
STALE = '52:54:00:ff:ff:ff'


def default_hooks(**options: Any) -> Iterator[base.ProcessingHook]:
    alias = json.dumps({'vendor_id': '10de', 'product_id': '1eb8', 'name': 'gpu'})
    for hook in HOOKS:
        yield configured(hook(), pci_devices__alias=[alias], capabilities__boot_mode=True, **options)


def run(data: dict[str, Any], node_info: Any, **options: Any) -> None:
    hooks = list(default_hooks(**options))
    for hook in hooks:
        hook.before_processing(data)
    for hook in hooks:
        hook.before_update(data, node_info)


@pytest.mark.parametrize(('add_ports', 'keep_ports'), COMBINATIONS)
@pytest.mark.parametrize('name', inventories.names())
def test_every_sample_passes(nodes: Nodes, name: str, add_ports: str, keep_ports: str) -> None:
    data = inventories.load(name)
    sent = inventories.load(name)
    sent['inventory'].setdefault('disks', [])
    node_info = nodes.enrol({STALE: {}})
    run(data, node_info, processing__add_ports=add_ports, processing__keep_ports=keep_ports)

    properties = nodes.properties(node_info)
    assert properties['cpus'] == str(sent['inventory']['cpu']['count'])
    assert properties['cpu_arch'] == sent['inventory']['cpu']['architecture']
    assert properties['memory_mb'] == str(sent['inventory']['memory']['physical_mb'])
    disk = sent.get('root_disk')
    assert properties['local_gb'] == (str(disk['size'] // 1024**3 - 1) if disk else '0')

    ports = set(nodes.ports(node_info))
    assert (STALE in ports) is (keep_ports == 'all')
    assert ports - {STALE} == (set() if add_ports == 'disabled' else set(data['macs']))
    assert {key: data[key] for key in sent} == sent
    json.dumps(data, allow_nan=False)


@pytest.mark.parametrize('name', inventories.names())
def test_twice_is_harmless(nodes: Nodes, name: str) -> None:
    node_info = nodes.enrol()
    run(inventories.load(name), node_info)
    node_info.write()
    before = nodes.ironic.node(node_info.uuid), nodes.ironic.ports(node_info.uuid)
    run(inventories.load(name), node_info)
    assert not node_info.changes()
    assert (nodes.ironic.node(node_info.uuid), nodes.ironic.ports(node_info.uuid)) == before


@given(data=arbitrary.spoiled(('inventory', 'root_disk', 'boot_interface', 'pci_devices', 'error')))
@arbitrary.SETTINGS
def test_only_error_is_raised(nodes: Nodes, data: dict[str, Any]) -> None:
    nodes.ironic.reset()
    node_info = nodes.enrol(properties={'root_device': {'size': '> 1', 'serial': 's!= x', 'rotational': False}})
    try:
        run(data, node_info)
    except utils.Error:
        return
    assert node_info.fields['properties']['local_gb'].isdigit()
