"""The hook `root_disk_selection`."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector import utils
from ironic_inspector.plugins.root_disk_selection import RootDiskSelectionHook
from tests.unit.plugins import arbitrary
from tests.unit.plugins.nodes import GIB
from tests.unit.plugins.nodes import Nodes
from tests.unit.plugins.nodes import configured
from tests.unit.plugins.nodes import sample


@pytest.fixture
def hook() -> RootDiskSelectionHook:
    return configured(RootDiskSelectionHook())


def data_with(disks: list[Any]) -> dict[str, Any]:
    data = sample()
    data['inventory']['disks'] = disks
    return data


# local_gb


def test_the_root_disk_of_the_ramdisk_stays_without_hints(nodes: Nodes, hook: RootDiskSelectionHook) -> None:
    node_info = nodes.enrol(properties={'local_gb': '1', 'skip_block_devices': [{'name': '/dev/sda'}]})
    data = sample()
    hook.before_update(data, node_info)
    assert data['root_disk'] == sample()['root_disk']
    assert data['inventory'] == sample()['inventory']
    assert data['local_gb'] == 99
    assert nodes.properties(node_info)['local_gb'] == '99'


@pytest.mark.parametrize(
    ('size', 'with_spacing', 'without'),
    [(0, 0, 0), (GIB - 1, 0, 0), (GIB, 0, 1), (10 * GIB - 1, 8, 9), (480103981056, 446, 447)],
)
def test_local_gb_counts_whole_gib(nodes: Nodes, size: int, with_spacing: int, without: int) -> None:
    for spacing, expected in ((True, with_spacing), (False, without)):
        node_info = nodes.enrol()
        data = sample() | {'root_disk': {'name': '/dev/sda', 'size': size}}
        configured(RootDiskSelectionHook(), processing__disk_partitioning_spacing=spacing).before_update(
            data, node_info
        )
        assert data['local_gb'] == expected
        assert nodes.properties(node_info)['local_gb'] == str(expected)


@pytest.mark.parametrize('change', [{'root_disk': None}, {'root_disk': {}}])
def test_a_diskless_node_has_no_space(nodes: Nodes, hook: RootDiskSelectionHook, change: dict[str, Any]) -> None:
    node_info = nodes.enrol()
    data = sample() | change
    del data['inventory']['disks']
    hook.before_update(data, node_info)
    assert data['local_gb'] == 0
    assert nodes.properties(node_info) == {'local_gb': '0'}


def test_without_overwriting_local_gb_stays(nodes: Nodes) -> None:
    node_info = nodes.enrol(properties={'local_gb': '7'})
    data = sample()
    configured(RootDiskSelectionHook(), processing__overwrite_existing=False).before_update(data, node_info)
    assert data['local_gb'] == 99
    assert nodes.properties(node_info) == {'local_gb': '7'}


def test_without_overwriting_local_gb_is_set_where_there_is_none(nodes: Nodes) -> None:
    node_info = nodes.enrol()
    configured(RootDiskSelectionHook(), processing__overwrite_existing=False).before_update(sample(), node_info)
    assert nodes.properties(node_info) == {'local_gb': '99'}


# Hints

DISKS = [
    {
        'name': '/dev/sda',
        'size': 100 * GIB,
        'model': 'FAST  Disk 1',
        'vendor': 'ATA',
        'serial': 'A1',
        'wwn': '0x5000c500aaaa0001',
        'wwn_with_extension': '0x5000c500aaaa0001ee',
        'wwn_vendor_extension': '0xee',
        'rotational': True,
        'hctl': '1:0:0:0',
        'by_path': '/dev/disk/by-path/pci-0000:00:1f.2-ata-1',
    },
    {
        'name': '/dev/sdb',
        'size': 480103981056,
        'model': 'Big Disk 2',
        'vendor': 'Dell',
        'serial': ['B1', None, 'B2'],
        'wwn': '0x5000c500aaaa0002',
        'wwn_with_extension': '0x5000c500aaaa0002',
        'wwn_vendor_extension': None,
        'rotational': False,
        'hctl': '2:0:0:0',
        'by_path': None,
    },
    {'name': '/dev/sdc', 'size': 960 * GIB, 'model': '7', 'rotational': 'no'},
]


@pytest.mark.parametrize(
    ('hints', 'name'),
    [
        ({'name': '/dev/sdb'}, '/dev/sdb'),
        ({'name': 's== /DEV/SDB'}, '/dev/sdb'),
        ({'name': 's!= /dev/sda'}, '/dev/sdb'),
        ({'name': '<in> sdc'}, '/dev/sdc'),
        ({'name': '<or> /dev/sdx <or> /dev/sdc'}, '/dev/sdc'),
        ({'size': 100}, '/dev/sda'),
        ({'size': '100'}, '/dev/sda'),
        ({'size': '>= 101'}, '/dev/sdb'),
        ({'size': '>447'}, '/dev/sdb'),
        ({'size': '= 500'}, '/dev/sdc'),
        ({'size': '!= 100'}, '/dev/sdb'),
        ({'size': '<or> 200 <or> 960'}, '/dev/sdc'),
        ({'size': '<range-in> [ 447 448 )'}, '/dev/sdb'),
        ({'size': '<range-in> ( 100 960 ]'}, '/dev/sdb'),
        ({'model': 'big disk 2'}, '/dev/sdb'),
        ({'model': '<or> none such <or> Big Disk 2'}, '/dev/sdb'),
        ({'vendor': 'DELL'}, '/dev/sdb'),
        ({'vendor': 's!= ata'}, '/dev/sdb'),
        ({'vendor': 's> ata'}, '/dev/sdb'),
        ({'serial': 'a1'}, '/dev/sda'),
        ({'serial': 'b2'}, '/dev/sdb'),
        ({'wwn': '0x5000C500AAAA0002'}, '/dev/sdb'),
        ({'wwn_with_extension': '<in> ee'}, '/dev/sda'),
        ({'wwn_vendor_extension': '0xEE'}, '/dev/sda'),
        ({'rotational': False}, '/dev/sdb'),
        ({'rotational': 'true'}, '/dev/sda'),
        ({'rotational': 'no', 'size': '> 500'}, '/dev/sdc'),
        ({'hctl': '2:0:0:0'}, '/dev/sdb'),
        ({'by_path': '/dev/disk/by-path/pci-0000:00:1f.2-ata-1'}, '/dev/sda'),
        ({'name': '/dev/sda', 'rotational': False}, None),
        ({'size': 447}, None),
    ],
    ids=str,
)
def test_the_first_disk_that_fits_all_hints(
    nodes: Nodes, hook: RootDiskSelectionHook, hints: dict[str, Any], name: str | None
) -> None:
    node_info = nodes.enrol(properties={'root_device': hints})
    data = data_with(DISKS)
    if name is None:
        with pytest.raises(utils.Error):
            hook.before_update(data, node_info)
    else:
        hook.before_update(data, node_info)
        assert data['root_disk']['name'] == name
        assert data['local_gb'] == data['root_disk']['size'] // GIB - 1


def test_numbers_in_text_are_compared_as_numbers(nodes: Nodes, hook: RootDiskSelectionHook) -> None:
    node_info = nodes.enrol(properties={'root_device': {'model': '== 7.0'}})
    data = data_with([DISKS[2]])
    hook.before_update(data, node_info)
    assert data['root_disk']['name'] == '/dev/sdc'


def test_no_disk_fits(nodes: Nodes, hook: RootDiskSelectionHook) -> None:
    node_info = nodes.enrol(properties={'root_device': {'size': '> 2000', 'vendor': 'Dell'}})
    with pytest.raises(utils.Error) as failure:
        hook.before_update(data_with(DISKS), node_info)
    message = str(failure.value)
    for part in ('> 2000', 'Dell', '/dev/sda', '100.00 GiB', '/dev/sdb', '447.13 GiB', '/dev/sdc'):
        assert part in message
    assert not node_info.changes()


def test_the_message_names_some_of_many_disks(nodes: Nodes, hook: RootDiskSelectionHook) -> None:
    node_info = nodes.enrol(properties={'root_device': {'serial': 'no'}})
    disks = [{'name': f'/dev/sd{number}', 'size': GIB, 'serial': f's{number}'} for number in range(300)]
    with pytest.raises(utils.Error, match='280 more'):
        hook.before_update(data_with(disks), node_info)


def test_a_size_that_no_disk_has_can_be_told_as_well(nodes: Nodes, hook: RootDiskSelectionHook) -> None:
    node_info = nodes.enrol(properties={'root_device': {'serial': 'no'}})
    with pytest.raises(utils.Error, match='No disk fits'):
        hook.before_update(data_with([{'name': '/dev/sda', 'size': 10**400, 'serial': 's'}]), node_info)


@pytest.mark.parametrize('disks', [None, []])
def test_hints_without_disks(nodes: Nodes, hook: RootDiskSelectionHook, disks: Any) -> None:
    node_info = nodes.enrol(properties={'root_device': {'size': '> 1'}})
    with pytest.raises(utils.Error, match='the disks are: none'):
        hook.before_update(data_with(disks), node_info)


@pytest.mark.parametrize(
    ('hints', 'message'),
    [
        ('/dev/sda', r'properties/root_device must be an object'),
        ({'colour': 'red'}, r'unknown hints: colour\. There are: .*by_path.*wwn'),
        ({'size': 'big'}, r"properties/root_device/size must be a whole number .* not 'big'"),
        ({'size': '>= 1.5'}, r'properties/root_device/size must be a whole number'),
        ({'size': 0}, r'properties/root_device/size must be a whole number'),
        ({'size': True}, r'properties/root_device/size must be a whole number'),
        ({'size': '> 9' + '9' * 5000}, r'properties/root_device/size must be a whole number'),
        ({'size': 's> 10'}, r'properties/root_device/size cannot be compared by s>'),
        ({'size': '<in> 10'}, r'properties/root_device/size cannot be compared by <in>'),
        ({'size': '<range-in> [ 10 ]'}, r'properties/root_device/size must be a range'),
        ({'size': '<range-in> [ 20 10 ]'}, r'properties/root_device/size must be a range'),
        ({'rotational': 'perhaps'}, r"properties/root_device/rotational must be true or false, not 'perhaps'"),
        ({'rotational': [True]}, r'properties/root_device/rotational must be true or false'),
        ({'model': 7}, r'properties/root_device/model must be text, not 7'),
        ({'model': ' '}, r'properties/root_device/model must have a value'),
        ({'model': '<or>'}, r'properties/root_device/model must have a value'),
        ({'model': '== Big Disk 2'}, r'== compares numbers, and .* Text is compared by s=='),
        ({'model': '>= 2'}, r'model compares numbers, but inventory\.disks\[0\]\.model is'),
        ({'model': '<all-in> a b'}, r'properties/root_device/model cannot be compared by <all-in>'),
    ],
    ids=str,
)
def test_an_invalid_hint_is_named(nodes: Nodes, hook: RootDiskSelectionHook, hints: Any, message: str) -> None:
    node_info = nodes.enrol(properties={'root_device': hints})
    with pytest.raises(utils.Error, match=message):
        hook.before_update(data_with(DISKS), node_info)


@pytest.mark.parametrize('size', [None, 'large', -1, 1.5, True, 10**30])
def test_a_size_must_be_bytes(nodes: Nodes, hook: RootDiskSelectionHook, size: Any) -> None:
    with pytest.raises(utils.Error, match=r'root_disk\.size must be a whole number of bytes'):
        hook.before_update(sample() | {'root_disk': {'size': size}}, nodes.enrol())
    node_info = nodes.enrol(properties={'root_device': {'size': '> 1'}})
    with pytest.raises(utils.Error, match=r'inventory\.disks\[0\]\.size must be a whole number of bytes'):
        hook.before_update(data_with([{'name': '/dev/sda', 'size': size}]), node_info)


@pytest.mark.parametrize(
    ('disks', 'message'),
    [
        ({'/dev/sda': {}}, r'inventory\.disks must be a list'),
        ([{}, '/dev/sda'], r"inventory\.disks\[1\] must be an object, not '/dev/sda'"),
        ([{'serial': {}}], r'inventory\.disks\[0\]\.serial must be text'),
        ([{'serial': ['a', ['b']]}], r'inventory\.disks\[0\]\.serial must be text'),
    ],
)
def test_a_wrong_type_is_named(nodes: Nodes, hook: RootDiskSelectionHook, disks: Any, message: str) -> None:
    node_info = nodes.enrol(properties={'root_device': {'serial': 'x'}})
    with pytest.raises(utils.Error, match=message):
        hook.before_update(data_with(disks), node_info)


# Disks to be skipped


@pytest.mark.parametrize(
    ('skip', 'name', 'left'),
    [
        ([{'name': '/dev/sda'}], '/dev/sdb', ['/dev/sdb', '/dev/sdc']),
        ([{'vendor': 'dell'}, {'size': '< 200'}], '/dev/sdc', ['/dev/sdc']),
        ([{'vendor': 'dell', 'rotational': True}], '/dev/sda', ['/dev/sda', '/dev/sdb', '/dev/sdc']),
        ([{'volume_name': 'root'}], '/dev/sda', ['/dev/sda', '/dev/sdb', '/dev/sdc']),
        ([], '/dev/sda', ['/dev/sda', '/dev/sdb', '/dev/sdc']),
    ],
)
def test_disks_are_skipped_before_the_hints_are_matched(
    nodes: Nodes, hook: RootDiskSelectionHook, skip: list[Any], name: str, left: list[str]
) -> None:
    node_info = nodes.enrol(properties={'root_device': {'size': '> 1'}, 'skip_block_devices': skip})
    data = data_with(DISKS)
    hook.before_update(data, node_info)
    assert data['root_disk']['name'] == name
    assert [disk['name'] for disk in data['inventory']['disks']] == left


def test_skipped_disks_are_told_when_none_is_left(nodes: Nodes, hook: RootDiskSelectionHook) -> None:
    properties = {'root_device': {'vendor': 'dell'}, 'skip_block_devices': [{'serial': 'B1'}]}
    node_info = nodes.enrol(properties=properties)
    with pytest.raises(utils.Error, match=r"skipped by skip_block_devices: '/dev/sdb'"):
        hook.before_update(data_with(DISKS), node_info)


@pytest.mark.parametrize(
    ('skip', 'message'),
    [
        ({'name': '/dev/sda'}, r'properties/skip_block_devices must be a list'),
        (['/dev/sda'], r'properties/skip_block_devices\[0\] must be an object'),
        ([{'name': '/dev/sda'}, {}], r'properties/skip_block_devices/1 must be an object with hints'),
        ([{'nam': '/dev/sda'}], r'properties/skip_block_devices/0 has unknown hints: nam'),
    ],
)
def test_invalid_hints_of_what_to_skip(nodes: Nodes, hook: RootDiskSelectionHook, skip: Any, message: str) -> None:
    node_info = nodes.enrol(properties={'root_device': {'size': '> 1'}, 'skip_block_devices': skip})
    with pytest.raises(utils.Error, match=message):
        hook.before_update(data_with(DISKS), node_info)


HINTS = st.fixed_dictionaries(
    {},
    optional={name: st.sampled_from(['a', '<in> s', 's!= x', '>= 1', '<or> a <or> b']) for name in DISKS[0]}
    | {'size': st.sampled_from(['> 1', '<range-in> [ 1 500 ]']), 'rotational': st.booleans()},
)


@given(
    data=arbitrary.spoiled(('inventory.disks', 'root_disk')),
    root_device=HINTS | arbitrary.JSON | st.dictionaries(st.sampled_from(list(DISKS[0])), arbitrary.JSON),
    skip=st.lists(HINTS, max_size=2) | arbitrary.JSON,
)
@arbitrary.SETTINGS
def test_only_error_is_raised(nodes: Nodes, data: dict[str, Any], root_device: Any, skip: Any) -> None:
    node_info = nodes.enrol(properties={'root_device': root_device, 'skip_block_devices': skip})
    try:
        configured(RootDiskSelectionHook()).before_update(data, node_info)
    except utils.Error:
        assert not node_info.changes()
    else:
        assert node_info.fields['properties']['local_gb'] == str(data['local_gb'])
