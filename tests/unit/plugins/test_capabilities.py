"""The hook `capabilities`."""

from typing import Any

from hypothesis import given
import pytest

from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.plugins.capabilities import CapabilitiesHook
from tests.unit.plugins import arbitrary
from tests.unit.plugins.nodes import Nodes
from tests.unit.plugins.nodes import configured
from tests.unit.plugins.nodes import sample


def test_cpu_flags_are_merged_into_the_capabilities(nodes: Nodes) -> None:
    node_info = nodes.enrol(properties={'capabilities': 'cpu_vt:maybe,profile:compute'})
    configured(CapabilitiesHook()).before_update(sample(), node_info)
    assert nodes.capabilities(node_info) == {'cpu_vt': 'true', 'cpu_aes': 'true', 'profile': 'compute'}


@pytest.mark.parametrize(
    ('flag', 'name'),
    [
        ('vmx', 'cpu_vt'),
        ('svm', 'cpu_vt'),
        ('aes', 'cpu_aes'),
        ('pse', 'cpu_hugepages'),
        ('pdpe1gb', 'cpu_hugepages_1g'),
        ('smx', 'cpu_txt'),
    ],
)
def test_flags_by_default(nodes: Nodes, flag: str, name: str) -> None:
    node_info = nodes.enrol()
    data = sample()
    data['inventory']['cpu']['flags'] = ['fpu', flag]
    configured(CapabilitiesHook()).before_update(data, node_info)
    assert nodes.capabilities(node_info) == {name: 'true'}


def test_flags_are_an_option(nodes: Nodes) -> None:
    node_info = nodes.enrol()
    hook = configured(CapabilitiesHook(), capabilities__cpu_flags={'fpu': 'floats', 'nope': 'nothing'})
    hook.before_update(sample(), node_info)
    assert nodes.capabilities(node_info) == {'floats': 'true'}


@pytest.mark.parametrize('mode', ['bios', 'uefi'])
def test_the_boot_mode_if_wanted(nodes: Nodes, mode: str) -> None:
    node_info = nodes.enrol()
    data = sample()
    data['inventory']['boot']['current_boot_mode'] = mode
    hook = configured(CapabilitiesHook(), capabilities__boot_mode=True, capabilities__cpu_flags={})
    hook.before_update(data, node_info)
    assert nodes.capabilities(node_info) == {'boot_mode': mode}


@pytest.mark.parametrize('boot', [None, {}, {'current_boot_mode': None}])
def test_an_unknown_boot_mode_is_left_out(nodes: Nodes, boot: Any, caplog: pytest.LogCaptureFixture) -> None:
    node_info = nodes.enrol()
    data = sample()
    data['inventory']['boot'] = boot
    configured(CapabilitiesHook(), capabilities__boot_mode=True).before_update(data, node_info)
    assert 'boot_mode' not in nodes.capabilities(node_info)
    assert 'boot mode' in caplog.text


@pytest.mark.parametrize('cpu', [None, {}, {'flags': None}, {'flags': []}])
def test_without_flags_nothing_changes(nodes: Nodes, cpu: Any, caplog: pytest.LogCaptureFixture) -> None:
    node_info = nodes.enrol(properties={'capabilities': 'a:b'})
    data = sample()
    data['inventory']['cpu'] = cpu
    configured(CapabilitiesHook()).before_update(data, node_info)
    assert not node_info.changes()
    assert 'no CPU flags' in caplog.text


def test_without_overwriting_a_capability_stays(nodes: Nodes) -> None:
    node_info = nodes.enrol(properties={'capabilities': 'cpu_vt:false'})
    configured(CapabilitiesHook(), processing__overwrite_existing=False).before_update(sample(), node_info)
    assert nodes.capabilities(node_info) == {'cpu_vt': 'false', 'cpu_aes': 'true'}


@pytest.mark.parametrize(
    ('section', 'content', 'message'),
    [
        ('boot', 'uefi', r"inventory\.boot must be an object, not 'uefi'"),
        ('boot', {'current_boot_mode': 7}, r'inventory\.boot\.current_boot_mode must be .*, not 7'),
        ('boot', {'current_boot_mode': 'bios,admin:true'}, r'inventory\.boot\.current_boot_mode must be'),
        ('cpu', [], r'inventory\.cpu must be an object'),
        ('cpu', {'flags': 'vmx aes'}, r"inventory\.cpu\.flags must be a list, not 'vmx aes'"),
        ('cpu', {'flags': ['vmx', ['aes']]}, r'inventory\.cpu\.flags\[1\] must be text'),
    ],
)
def test_a_wrong_type_is_named(nodes: Nodes, section: str, content: Any, message: str) -> None:
    node_info = nodes.enrol()
    data = sample()
    data['inventory'][section] = content
    with pytest.raises(utils.Error, match=message):
        configured(CapabilitiesHook(), capabilities__boot_mode=True).before_update(data, node_info)


@pytest.mark.parametrize('name', ['', 'a:b', 'a,b'])
def test_a_name_that_no_capability_can_have_is_refused(name: str) -> None:
    with pytest.raises(exceptions.ConfigurationError, match=r'\[capabilities\]cpu_flags'):
        configured(CapabilitiesHook(), capabilities__cpu_flags={'vmx': name})


@given(data=arbitrary.spoiled(('inventory',)), capabilities=arbitrary.JSON)
@arbitrary.SETTINGS
def test_only_error_is_raised(nodes: Nodes, data: dict[str, Any], capabilities: Any) -> None:
    node_info = nodes.enrol(properties={'capabilities': capabilities})
    try:
        configured(CapabilitiesHook(), capabilities__boot_mode=True).before_update(data, node_info)
    except utils.Error:
        assert not node_info.changes()
