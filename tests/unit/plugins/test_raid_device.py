"""The hook `raid_device`."""

from typing import Any

from hypothesis import given
import pytest

from ironic_inspector import utils
from ironic_inspector.fixtures import inventories
from ironic_inspector.node_info import NodeInfo
from ironic_inspector.plugins import base
from ironic_inspector.plugins.raid_device import RaidDeviceDetection
from ironic_inspector.plugins.root_disk_selection import RootDiskSelectionHook
from ironic_inspector.plugins.scheduler import SchedulerHook
from tests.unit.plugins import arbitrary
from tests.unit.plugins.nodes import GIB
from tests.unit.plugins.nodes import Nodes
from tests.unit.plugins.nodes import configured
from tests.unit.plugins.nodes import sample

KEPT = {'block_devices': {'serials': ['A', 'B']}}


def machine(*serials: Any) -> dict[str, Any]:
    """Return the data of a machine with disks of these serial numbers, and without a root disk."""
    data = sample()
    data['inventory']['disks'] = [
        {'name': f'/dev/sd{index}', 'size': 100 * GIB, 'serial': serial} for index, serial in enumerate(serials)
    ]
    del data['root_disk']
    return data


def run(data: dict[str, Any], node_info: NodeInfo, *others: base.ProcessingHook) -> None:
    hooks = [configured(RaidDeviceDetection()), *others]
    for hook in hooks:
        hook.before_processing(data)
    for hook in hooks:
        hook.before_update(data, node_info)


def test_the_first_introspection_keeps_the_serial_numbers(nodes: Nodes) -> None:
    node_info = nodes.enrol(extra={'mine': 1})
    run(machine('A', 'B', None, ''), node_info)
    assert 'root_device' not in nodes.properties(node_info)
    assert nodes.ironic.node(node_info.uuid)['extra'] == {'mine': 1, **KEPT}


@pytest.mark.parametrize('serials', [('A', 'B', 'C'), ('C', 'B', 'A', 'B'), ('C',)])
def test_the_second_finds_the_new_disk(nodes: Nodes, serials: tuple[str, ...]) -> None:
    node_info = nodes.enrol(extra={'mine': 1, **KEPT}, properties={'cpus': '1'})
    run(machine(*serials), node_info)
    assert nodes.properties(node_info) == {'cpus': '1', 'root_device': {'serial': 'C'}}
    assert nodes.ironic.node(node_info.uuid)['extra'] == {'mine': 1}


@pytest.mark.parametrize(
    ('serials', 'warning'),
    [
        (('A', 'B'), 'No disk is new'),
        (('B',), 'No disk is new'),
        ((), 'no disk with a serial number'),
        ((None, ''), 'no disk with a serial number'),
        (('A', 'B', 'C', 'D'), "Several disks are new, the root device stays unknown: 'C'; 'D'"),
    ],
)
def test_otherwise_there_is_a_warning(
    nodes: Nodes, serials: tuple[Any, ...], warning: str, caplog: pytest.LogCaptureFixture
) -> None:
    node_info = nodes.enrol(extra=KEPT)
    run(machine(*serials), node_info)
    assert not node_info.changes()
    assert warning in caplog.text


@pytest.mark.parametrize('extra', [{}, KEPT])
def test_root_device_hints_stay(nodes: Nodes, extra: dict[str, Any]) -> None:
    node_info = nodes.enrol(extra=extra, properties={'root_device': {'serial': 'Z'}})
    run(machine('A', 'B', 'C'), node_info)
    assert not node_info.changes()


def test_a_disk_with_several_serial_numbers(nodes: Nodes) -> None:
    node_info = nodes.enrol()
    run(machine(['A1', 'A2'], 'B'), node_info)
    assert node_info.fields['extra'] == {'block_devices': {'serials': ['A1', 'A2', 'B']}}
    # Known by one of them, it is the same disk.
    run(machine(['A3', 'A2'], 'B', ['C1', 'C2']), node_info)
    assert nodes.properties(node_info) == {'root_device': {'serial': 'C1'}}


def test_a_disk_with_several_paths(nodes: Nodes) -> None:
    node_info = nodes.enrol()
    run(machine('A', 'A', 'B', 'A'), node_info)
    assert node_info.fields['extra'] == KEPT
    run(machine('A', 'A', 'B', ['C0', 'C'], 'C', 'C'), node_info)
    assert nodes.properties(node_info) == {'root_device': {'serial': 'C'}}


def test_what_ironic_inspector_kept(nodes: Nodes) -> None:
    node_info = nodes.enrol(extra={'block_devices': {'serials': ['A', ['B1', 'B2'], 'A']}})
    run(machine('A', 'B1', 'C'), node_info)
    assert nodes.properties(node_info) == {'root_device': {'serial': 'C'}}


def test_a_sample(nodes: Nodes) -> None:
    volume = inventories.load('dell-lldp')['inventory']['disks'][1]
    before = inventories.load('dell-lldp')
    before['inventory']['disks'].remove(volume)
    node_info = nodes.enrol()
    run(before, node_info)
    run(inventories.load('dell-lldp'), node_info, configured(RootDiskSelectionHook()))
    properties = nodes.properties(node_info)
    assert properties['root_device'] == {'serial': volume['serial']}
    assert properties['local_gb'] == str(volume['size'] // GIB - 1)


@pytest.mark.parametrize(('sent', 'expected'), [({}, 1), ({'local_gb': None}, 1), ({'local_gb': 0}, 1)])
def test_a_local_gb_is_faked_where_it_is_missing(sent: dict[str, Any], expected: int) -> None:
    data = machine() | sent
    configured(RaidDeviceDetection()).before_processing(data)
    assert data['local_gb'] == expected


def test_a_local_gb_that_is_there_stays() -> None:
    data = machine() | {'local_gb': 7}
    configured(RaidDeviceDetection()).before_processing(data)
    assert data['local_gb'] == 7


@pytest.mark.parametrize('first', [True, False])
@pytest.mark.parametrize(('serials', 'kept', 'local_gb'), [((), {}, 0), (('A', 'B', 'C'), KEPT, 99)])
def test_the_order_of_the_hooks_that_want_a_disk_does_not_matter(
    nodes: Nodes, first: bool, serials: tuple[str, ...], kept: dict[str, Any], local_gb: int
) -> None:
    hooks: list[base.ProcessingHook] = [configured(RootDiskSelectionHook()), configured(SchedulerHook())]
    hooks.insert(0 if first else 2, configured(RaidDeviceDetection()))
    node_info = nodes.enrol(extra=kept)
    data = machine(*serials)
    if serials:
        data['root_disk'] = data['inventory']['disks'][0]
    for hook in hooks:
        hook.before_processing(data)
    for hook in hooks:
        hook.before_update(data, node_info)
    properties = nodes.properties(node_info)
    # Once it is known, what the disk really has replaces what was faked.
    assert data['local_gb'] == local_gb
    assert (properties['local_gb'], properties['cpus'], properties['memory_mb']) == (str(local_gb), '8', '4096')
    assert properties.get('root_device') == ({'serial': 'C'} if serials else None)
    if serials:
        assert data['root_disk']['serial'] == ('C' if first else 'A')


@pytest.mark.parametrize(
    ('disks', 'message'),
    [
        ('sda', r"inventory\.disks must be a list, not 'sda'"),
        ([7], r'inventory\.disks\[0\] must be an object, not 7'),
        ([{'serial': 'A'}, {'serial': 7}], r'inventory\.disks\[1\]\.serial must be text, not 7'),
        ([{'serial': ['A', 7]}], r'inventory\.disks\[0\]\.serial must be text'),
        ([{'serial': {'A': 1}}], r'inventory\.disks\[0\]\.serial must be text'),
    ],
)
def test_a_wrong_type_is_named(nodes: Nodes, disks: Any, message: str) -> None:
    node_info = nodes.enrol(extra=KEPT)
    data = sample()
    data['inventory']['disks'] = disks
    with pytest.raises(utils.Error, match=message):
        run(data, node_info)
    assert not node_info.changes()


@pytest.mark.parametrize('kept', [{}, [], 'x', {'serials': None}, {'serials': 'AB'}, {'other': []}])
def test_something_else_under_the_name_is_told(nodes: Nodes, kept: Any) -> None:
    node_info = nodes.enrol(extra={'block_devices': kept})
    with pytest.raises(utils.Error, match=r'extra/block_devices of the node must be .*: remove it'):
        run(machine('A'), node_info)
    assert not node_info.changes()


@given(data=arbitrary.spoiled(('inventory.disks', 'local_gb')), kept=arbitrary.JSON)
@arbitrary.SETTINGS
def test_only_error_is_raised(nodes: Nodes, data: dict[str, Any], kept: Any) -> None:
    for extra in ({}, KEPT, {'block_devices': kept}, {'block_devices': {'serials': kept}}):
        node_info = nodes.enrol(extra=extra)
        try:
            run(data, node_info)
        except utils.Error:
            assert not node_info.changes()
        assert data['local_gb']
