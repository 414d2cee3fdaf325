"""The hook `pci_devices`."""

import json
from typing import Any

from hypothesis import given
import pytest

from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.plugins.pci_devices import PciDevicesHook
from tests.unit.plugins import arbitrary
from tests.unit.plugins.nodes import Nodes
from tests.unit.plugins.nodes import configured
from tests.unit.plugins.nodes import sample


def hook_for(*aliases: tuple[str, str, str], **options: Any) -> PciDevicesHook:
    texts = [
        json.dumps({'vendor_id': vendor, 'product_id': product, 'name': name}) for vendor, product, name in aliases
    ]
    return configured(PciDevicesHook(), pci_devices__alias=texts, **options)


def test_devices_are_counted_by_the_name_of_their_alias(nodes: Nodes) -> None:
    node_info = nodes.enrol(properties={'capabilities': 'other:1'})
    hook_for(('10de', '1eb8', 'gpu'), ('8086', '1521', 'nic'), ('8086', 'ffff', 'absent')).before_update(
        sample(), node_info
    )
    assert nodes.capabilities(node_info) == {'other': '1', 'gpu': '2', 'nic': '1'}


def test_a_name_may_stand_for_several_kinds(nodes: Nodes) -> None:
    node_info = nodes.enrol()
    hook_for(('10de', '1eb8', 'any'), ('8086', '1521', 'any')).before_update(sample(), node_info)
    assert nodes.capabilities(node_info) == {'any': '3'}


def test_a_kind_may_have_several_names(nodes: Nodes) -> None:
    node_info = nodes.enrol()
    hook_for(('10de', '1eb8', 'gpu'), ('10de', '1eb8', 't4'), ('10de', '1eb8', 'gpu')).before_update(
        sample(), node_info
    )
    assert nodes.capabilities(node_info) == {'gpu': '2', 't4': '2'}


def test_ids_compare_without_regard_to_case(nodes: Nodes) -> None:
    node_info = nodes.enrol()
    hook_for(('10DE', '1EB8', 'gpu')).before_update(sample(), node_info)
    assert nodes.capabilities(node_info) == {'gpu': '2'}


@pytest.mark.parametrize('devices', [[], [{'vendor_id': 'dead', 'product_id': 'beef', 'class': '0c0330'}]])
def test_without_a_match_nothing_changes(nodes: Nodes, devices: list[Any]) -> None:
    node_info = nodes.enrol(properties={'capabilities': 'gpu:4'})
    hook_for(('10de', '1eb8', 'gpu')).before_update(sample() | {'pci_devices': devices}, node_info)
    assert not node_info.changes()


def test_without_devices_there_is_a_warning(nodes: Nodes, caplog: pytest.LogCaptureFixture) -> None:
    data = sample()
    del data['pci_devices']
    hook_for(('10de', '1eb8', 'gpu')).before_update(data, nodes.enrol())
    assert 'no PCI devices' in caplog.text


def test_without_aliases_the_devices_are_not_looked_at(nodes: Nodes, caplog: pytest.LogCaptureFixture) -> None:
    configured(PciDevicesHook()).before_update({'pci_devices': 'nonsense'}, nodes.enrol())
    configured(PciDevicesHook()).before_update({}, nodes.enrol())
    assert not caplog.records


def test_without_overwriting_a_count_stays(nodes: Nodes) -> None:
    node_info = nodes.enrol(properties={'capabilities': 'gpu:1'})
    hook = hook_for(('10de', '1eb8', 'gpu'), ('8086', '1521', 'nic'), processing__overwrite_existing=False)
    hook.before_update(sample(), node_info)
    assert nodes.capabilities(node_info) == {'gpu': '1', 'nic': '1'}


@pytest.mark.parametrize(
    ('devices', 'message'),
    [
        ('10de:1eb8', r"pci_devices must be a list, not '10de:1eb8'"),
        ([7], r'pci_devices\[0\] must be an object, not 7'),
        (
            [{'vendor_id': '10de', 'product_id': '1eb8'}, {'product_id': '1eb8'}],
            r'pci_devices\[1\]\.vendor_id must be text',
        ),
        ([{'vendor_id': '10de', 'product_id': 1}], r'pci_devices\[0\]\.product_id must be text, not 1'),
    ],
)
def test_a_wrong_type_is_named(nodes: Nodes, devices: Any, message: str) -> None:
    with pytest.raises(utils.Error, match=message):
        hook_for(('10de', '1eb8', 'gpu')).before_update(sample() | {'pci_devices': devices}, nodes.enrol())


@pytest.mark.parametrize(
    'alias',
    [
        'gpu',
        '[]',
        '{}',
        '{"vendor_id": "10de", "product_id": "1eb8"}',
        '{"vendor_id": "10de", "product_id": "1eb8", "name": "gpu", "numa_policy": "required"}',
        '{"vendor_id": "10de", "product_id": 1234, "name": "gpu"}',
        '{"vendor_id": "10de", "product_id": "1eb8", "name": ""}',
        '{"vendor_id": "10de", "product_id": "1eb8", "name": "a:b"}',
    ],
)
def test_a_malformed_alias_stops_the_start(alias: str) -> None:
    with pytest.raises(exceptions.ConfigurationError, match=r'\[pci_devices\]alias'):
        configured(PciDevicesHook(), pci_devices__alias=[alias])


@given(data=arbitrary.spoiled(('pci_devices',)))
@arbitrary.SETTINGS
def test_only_error_is_raised(nodes: Nodes, data: dict[str, Any]) -> None:
    node_info = nodes.enrol()
    try:
        hook_for(('10de', '1eb8', 'gpu'), ('8086', '1521', 'nic')).before_update(data, node_info)
    except utils.Error:
        assert not node_info.changes()
