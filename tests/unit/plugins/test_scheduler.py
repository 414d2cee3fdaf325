"""The hook `scheduler`."""

from typing import Any

from hypothesis import given
import pytest

from ironic_inspector import utils
from ironic_inspector.plugins.scheduler import SchedulerHook
from tests.unit.plugins import arbitrary
from tests.unit.plugins.nodes import Nodes
from tests.unit.plugins.nodes import configured
from tests.unit.plugins.nodes import sample


def test_values_go_to_the_data_and_as_text_to_the_node(nodes: Nodes) -> None:
    node_info = nodes.enrol(properties={'cpus': '1', 'other': 'stays'})
    data = sample()
    configured(SchedulerHook()).before_update(data, node_info)
    assert (data['cpus'], data['cpu_arch'], data['memory_mb']) == (8, 'x86_64', 4096)
    assert nodes.properties(node_info) == {'cpus': '8', 'cpu_arch': 'x86_64', 'memory_mb': '4096', 'other': 'stays'}


def test_without_overwriting_a_value_stays(nodes: Nodes) -> None:
    node_info = nodes.enrol(properties={'cpus': '1', 'cpu_arch': ''})
    data = sample()
    configured(SchedulerHook(), processing__overwrite_existing=False).before_update(data, node_info)
    assert data['cpus'] == 8
    assert nodes.properties(node_info) == {'cpus': '1', 'cpu_arch': 'x86_64', 'memory_mb': '4096'}


@pytest.mark.parametrize('value', [None, 'many', '', 0, -4, True, [8], {'count': 8}, float('nan'), float('inf')])
def test_a_malformed_number_is_left_out(nodes: Nodes, value: Any, caplog: pytest.LogCaptureFixture) -> None:
    node_info = nodes.enrol()
    data = sample()
    data['inventory']['cpu']['count'] = value
    configured(SchedulerHook()).before_update(data, node_info)
    assert 'cpus' not in data
    assert nodes.properties(node_info) == {'cpu_arch': 'x86_64', 'memory_mb': '4096'}
    assert 'no valid value for cpus' in caplog.text


@pytest.mark.parametrize(('section', 'left'), [('cpu', {'memory_mb'}), ('memory', {'cpus', 'cpu_arch'})])
@pytest.mark.parametrize('content', [None, {}, [], 'text'])
def test_a_missing_section_is_left_out(nodes: Nodes, section: str, left: set[str], content: Any) -> None:
    node_info = nodes.enrol()
    data = sample()
    data['inventory'][section] = content
    configured(SchedulerHook()).before_update(data, node_info)
    assert nodes.properties(node_info).keys() == left


def test_numbers_may_be_text(nodes: Nodes) -> None:
    node_info = nodes.enrol()
    data = sample()
    data['inventory']['memory']['physical_mb'] = '2048'
    configured(SchedulerHook()).before_update(data, node_info)
    assert data['memory_mb'] == 2048


def test_what_the_ramdisk_sends_beside_the_inventory_does_not_count(nodes: Nodes) -> None:
    node_info = nodes.enrol()
    data = sample() | {'cpu_arch': 'vax'}
    data['inventory']['cpu'] = None
    configured(SchedulerHook()).before_update(data, node_info)
    assert 'cpu_arch' not in nodes.properties(node_info)


@given(data=arbitrary.spoiled(('inventory',)))
@arbitrary.SETTINGS
def test_only_error_is_raised(nodes: Nodes, data: dict[str, Any]) -> None:
    node_info = nodes.enrol()
    try:
        configured(SchedulerHook()).before_update(data, node_info)
    except utils.Error:
        return
    assert all(isinstance(value, str) for value in node_info.fields['properties'].values())
