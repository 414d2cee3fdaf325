"""The hook `accelerators`, and the list of devices that comes with the service."""

import json
from pathlib import Path
import re
from typing import Any

from hypothesis import given
import pytest
import yaml

from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.conf import accelerators as options
from ironic_inspector.fixtures import inventories
from ironic_inspector.plugins.accelerators import AcceleratorsHook
from tests.unit.plugins import arbitrary
from tests.unit.plugins.nodes import Nodes
from tests.unit.plugins.nodes import configured
from tests.unit.plugins.nodes import sample

T4 = {'vendor_id': '10de', 'device_id': '1eb8', 'type': 'GPU', 'device_info': 'NVIDIA Corporation Tesla T4'}
OLD = [{'vendor_id': 'dead', 'device_id': 'beef', 'pci_address': '0000:00:00.0'}]


def shipped() -> list[dict[str, str]]:
    devices: list[dict[str, str]] = yaml.safe_load(Path(options.SHIPPED).read_text())['pci_devices']
    return devices


def listing(folder: Path, devices: Any) -> str:
    """Write a file of known devices and return its path."""
    file = folder / 'known.yaml'
    file.write_text(yaml.safe_dump({'pci_devices': devices}))
    return str(file)


def test_known_devices_are_set_with_their_address(nodes: Nodes) -> None:
    node_info = nodes.enrol(properties={'cpus': '1', 'accelerators': OLD})
    configured(AcceleratorsHook()).before_update(sample(), node_info)
    assert nodes.properties(node_info) == {
        'cpus': '1',
        'accelerators': [T4 | {'pci_address': '0000:3b:00.0'}, T4 | {'pci_address': '0000:af:00.0'}],
    }


def test_ids_compare_without_regard_to_case(nodes: Nodes, tmp_path: Path) -> None:
    node_info = nodes.enrol()
    data = {'pci_devices': [{'vendor_id': '10DE', 'product_id': '1EB8', 'bus': '0000:01:00.0'}]}
    configured(AcceleratorsHook()).before_update(data, node_info)
    assert nodes.properties(node_info)['accelerators'] == [T4 | {'pci_address': '0000:01:00.0'}]
    entry = {'vendor_id': '8086', 'device_id': '15AB'}
    data['pci_devices'][0].update(vendor_id='8086', product_id='15ab')
    known = listing(tmp_path, [entry])
    configured(AcceleratorsHook(), accelerators__known_devices=known).before_update(data, node_info)
    assert nodes.properties(node_info)['accelerators'] == [entry | {'pci_address': '0000:01:00.0'}]


@pytest.mark.parametrize(
    'data', [{}, {'pci_devices': []}, {'pci_devices': [{'vendor_id': 'dead', 'product_id': 'beef'}]}]
)
def test_without_a_known_device_nothing_changes(nodes: Nodes, data: dict[str, Any]) -> None:
    node_info = nodes.enrol(properties={'accelerators': OLD})
    configured(AcceleratorsHook()).before_update(data, node_info)
    assert not node_info.changes()


@pytest.mark.parametrize('data', [{}, {'pci_devices': None}])
def test_without_devices_there_is_a_warning(
    nodes: Nodes, data: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    configured(AcceleratorsHook()).before_update(data, nodes.enrol())
    assert 'no PCI devices' in caplog.text


@pytest.mark.parametrize(('present', 'kept'), [(OLD, True), ([], False), (None, False)])
def test_without_overwriting_what_is_there_stays(nodes: Nodes, present: Any, kept: bool) -> None:
    node_info = nodes.enrol(properties={'accelerators': present})
    configured(AcceleratorsHook(), processing__overwrite_existing=False).before_update(sample(), node_info)
    assert (nodes.properties(node_info)['accelerators'] == OLD) is kept


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('gpu', {'NVIDIA Corporation H100 SXM5 80GB': 8, 'NVIDIA Corporation Tesla T4': 1}),
        ('dpu-arm64', {'Mellanox Technologies BlueField-3 integrated ConnectX-7 network controller': 2}),
        ('dell-lldp', {}),
    ],
)
def test_samples(nodes: Nodes, name: str, expected: dict[str, int]) -> None:
    node_info = nodes.enrol()
    data = inventories.load(name)
    configured(AcceleratorsHook()).before_update(data, node_info)
    found = nodes.properties(node_info).get('accelerators', [])
    kinds = [device['device_info'] for device in found]
    assert {kind: kinds.count(kind) for kind in kinds} == expected
    assert {device['pci_address'] for device in found} <= {device['bus'] for device in data['pci_devices']}
    assert len({device['pci_address'] for device in found}) == len(found)


@pytest.mark.parametrize(
    ('devices', 'message'),
    [
        ('10de:1eb8', r"pci_devices must be a list, not '10de:1eb8'"),
        ([7], r'pci_devices\[0\] must be an object, not 7'),
        ([{'product_id': '1eb8'}], r'pci_devices\[0\]\.vendor_id must be text'),
        ([{'vendor_id': '10de', 'product_id': 1}], r'pci_devices\[0\]\.product_id must be text, not 1'),
        ([{'vendor_id': '10de', 'product_id': '1eb8'}], r'pci_devices\[0\]\.bus must be text, not None'),
        ([{'vendor_id': '10de', 'product_id': '1eb8', 'bus': 7}], r'pci_devices\[0\]\.bus must be text, not 7'),
    ],
)
def test_a_wrong_type_is_named(nodes: Nodes, devices: Any, message: str) -> None:
    node_info = nodes.enrol()
    with pytest.raises(utils.Error, match=message):
        configured(AcceleratorsHook()).before_update({'pci_devices': devices}, node_info)
    assert not node_info.changes()


@given(data=arbitrary.spoiled(('pci_devices',)), properties=arbitrary.JSON)
@arbitrary.SETTINGS
def test_only_error_is_raised(nodes: Nodes, data: dict[str, Any], properties: Any) -> None:
    node_info = nodes.enrol(properties={'accelerators': properties})
    try:
        configured(AcceleratorsHook()).before_update(data, node_info)
    except utils.Error:
        assert not node_info.changes()


# The file


def test_all_that_an_entry_says_is_kept(nodes: Nodes, tmp_path: Path) -> None:
    node_info = nodes.enrol()
    entry = {'vendor_id': '10de', 'device_id': '1eb8', 'rack': 'B7'}
    known = listing(tmp_path, [entry, T4])
    configured(AcceleratorsHook(), accelerators__known_devices=known).before_update(sample(), node_info)
    found = nodes.properties(node_info)['accelerators']
    assert found == [entry | {'pci_address': address} for address in ('0000:3b:00.0', '0000:af:00.0')]


def test_a_file_may_list_nothing(nodes: Nodes, tmp_path: Path) -> None:
    node_info = nodes.enrol()
    hook = configured(AcceleratorsHook(), accelerators__known_devices=listing(tmp_path, []))
    hook.before_update(sample(), node_info)
    assert not node_info.changes()


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        (None, 'cannot be read: No such file or directory'),
        (b'\xff\xfe\x00', 'not valid YAML'),
        (b'a: [', 'not valid YAML: while parsing a flow node'),
        (b'!!python/object:os.system {}', 'not valid YAML'),
        (b'', 'a list of devices under pci_devices, not None'),
        (b'abc', "a list of devices under pci_devices, not 'abc'"),
        (b'devices: []', 'a list of devices under pci_devices'),
        (b'pci_devices: 7', 'a list of devices under pci_devices'),
        (b'pci_devices: [7]', r'pci_devices\[0\] must be an object, not 7'),
        (b'pci_devices: [{device_id: "1eb8"}]', r'pci_devices\[0\]\.vendor_id must be four hexadecimal digits'),
        (b'pci_devices: [{vendor_id: 8086, device_id: "1eb8"}]', r'vendor_id must be .* in quotation marks, not 8086'),
        (b'pci_devices: [{vendor_id: "8086", device_id: "0x1eb8"}]', r'pci_devices\[0\]\.device_id must be'),
        (b'pci_devices: [{vendor_id: "8086", device_id: "1eb8\\n"}]', r'pci_devices\[0\]\.device_id must be'),
        (
            b'pci_devices: [{vendor_id: "8086", device_id: "1eb8"}, {vendor_id: "8086", device_id: "1eb9", type: [x]}]',
            r'pci_devices\[1\]\.type must be text',
        ),
        (b'pci_devices: [{vendor_id: "8086", device_id: "1eb8", 7: GPU}]', r'pci_devices\[0\]\.7 must be text'),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_start(tmp_path: Path, text: bytes | None, message: str) -> None:
    file = tmp_path / 'known.yaml'
    if text is not None:
        file.write_bytes(text)
    with pytest.raises(exceptions.ConfigurationError, match=message) as caught:
        configured(AcceleratorsHook(), accelerators__known_devices=str(file))
    assert str(caught.value).startswith('[accelerators]known_devices: ')
    assert str(file) in str(caught.value)
    assert '\n' not in str(caught.value)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(exceptions.ConfigurationError, match=r'\[accelerators\]known_devices.*directory'):
        configured(AcceleratorsHook(), accelerators__known_devices=str(tmp_path))


# The list that comes with the service


def test_the_list_is_well_formed() -> None:
    kinds = [(device['vendor_id'], device['device_id']) for device in shipped()]
    assert len(set(kinds)) == len(kinds)
    for device in shipped():
        assert list(device) == ['vendor_id', 'device_id', 'type', 'device_info']
        assert re.fullmatch('[0-9a-f]{4}:[0-9a-f]{4}', f'{device["vendor_id"]}:{device["device_id"]}')
        assert device['type'] in ('GPU', 'FPGA', 'AICHIP', 'DPU')
        assert device['device_info'].strip() == device['device_info']
        assert device['device_info']
    json.dumps(shipped())


def test_the_devices_of_12_5_are_as_they_were() -> None:
    gv100 = {'vendor_id': '10de', 'device_id': '1df6', 'type': 'GPU', 'device_info': 'NVIDIA Corporation GV100GL'}
    assert shipped()[:2] == [T4, gv100]


@pytest.mark.parametrize(
    'name',
    [
        'A100', 'A10', 'A30', 'A40', 'H100', 'H200', 'L4', 'L40S', 'B200', 'MI210', 'MI250', 'MI300X', 'Flex 170',
        'Gaudi2', 'Gaudi3', 'Alveo U55C', 'BlueField-2', 'BlueField-3',
    ],
)  # fmt: skip
def test_what_operators_meet_is_listed(name: str) -> None:
    assert any(re.search(rf'\b{name}\b', device['device_info']) for device in shipped())
