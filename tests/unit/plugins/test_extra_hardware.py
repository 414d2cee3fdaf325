"""The hook `extra_hardware`."""

import json
from typing import Any

from hypothesis import given
import pytest

from ironic_inspector.fixtures import inventories
from ironic_inspector.plugins.extra_hardware import ExtraHardwareHook
from tests.unit.plugins import arbitrary
from tests.unit.plugins.nodes import Nodes
from tests.unit.plugins.nodes import configured

ROW = ['disk', 'sda', 'size', '10']


def run(data: dict[str, Any], nodes: Nodes, *, strict: bool = False) -> dict[str, Any]:
    node_info = nodes.enrol()
    hook = configured(ExtraHardwareHook(), extra_hardware__strict=strict)
    hook.before_processing(data)
    hook.before_update(data, node_info)
    assert not node_info.changes()
    return data


@pytest.mark.parametrize('strict', [False, True])
def test_lists_of_four_become_nested_objects(nodes: Nodes, strict: bool) -> None:
    rows = [ROW, ['disk', 'sda', 'model', 'Disk A'], ['disk', 'sdb', 'size', '20'], ['cpu', 'logical', 'number', 8]]
    assert run({'data': rows, 'other': 1}, nodes, strict=strict) == {
        'extra': {
            'disk': {'sda': {'size': 10, 'model': 'Disk A'}, 'sdb': {'size': 20}},
            'cpu': {'logical': {'number': 8}},
        },
        'other': 1,
    }


@pytest.mark.parametrize(
    ('value', 'expected'),
    [
        ('10', 10),
        ('-5', -5),
        (' 7 ', 7),
        ('010', 10),
        ('0x10', '0x10'),
        ('1.5', '1.5'),
        ('1e3', '1e3'),
        ('', ''),
        ('9' * 30, int('9' * 30)),
        # More digits than Python reads at once.
        ('9' * 5000, '9' * 5000),
        (1.9, 1.9),
        (True, True),
        (None, None),
        ([1], [1]),
        ({'a': 1}, {'a': 1}),
    ],
)
def test_text_of_a_whole_number_becomes_a_number(nodes: Nodes, value: Any, expected: Any) -> None:
    found = run({'data': [['a', 'b', 'c', value]]}, nodes)['extra']['a']['b']['c']
    assert found == expected
    assert type(found) is type(expected)


def test_the_last_of_several_values_counts(nodes: Nodes) -> None:
    assert run({'data': [ROW, ['disk', 'sda', 'size', '11']]}, nodes) == {'extra': {'disk': {'sda': {'size': 11}}}}


@pytest.mark.parametrize('strict', [False, True])
def test_no_rows_are_an_empty_object(nodes: Nodes, strict: bool) -> None:
    assert run({'data': [], 'extra': {'old': 1}}, nodes, strict=strict) == {'extra': {}}


@pytest.mark.parametrize('strict', [False, True])
def test_without_data_there_is_a_warning(nodes: Nodes, strict: bool, caplog: pytest.LogCaptureFixture) -> None:
    assert run({'other': 1}, nodes, strict=strict) == {'other': 1}
    assert 'no extra hardware data' in caplog.text


@pytest.mark.parametrize('rows', ['x', 7, None, {'a': 1}, ['abcd'], [{'a': 1, 'b': 2, 'c': 3, 'd': 4}], [ROW, 7]])
def test_another_form_is_left_alone_or_dropped(nodes: Nodes, rows: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert run({'data': rows, 'other': 1}, nodes) == {'data': rows, 'other': 1}
    assert 'left as they are' in caplog.text
    assert run({'data': rows, 'other': 1}, nodes, strict=True) == {'other': 1}
    assert 'dropped' in caplog.text


def test_rows_of_other_lengths(nodes: Nodes, caplog: pytest.LogCaptureFixture) -> None:
    rows = [ROW, ['disk', 'sda'], [], ['disk', 'sda', 'model', 'Disk A', 'more']]
    expected = {'disk': {'sda': {'size': 10, 'model': 'Disk A'}}}
    assert run({'data': rows}, nodes) == {'extra': expected}
    assert "2 items, such as ['disk', 'sda']; []" in caplog.text
    assert run({'data': rows}, nodes, strict=True) == {}


@pytest.mark.parametrize('strict', [False, True])
@pytest.mark.parametrize('name', [None, 7, True, ['a'], {}])
def test_what_is_no_name_is_ignored(nodes: Nodes, name: Any, strict: bool, caplog: pytest.LogCaptureFixture) -> None:
    for position in range(3):
        row: list[Any] = ['a', 'b', 'c', 'd']
        row[position] = name
        assert run({'data': [ROW, row]}, nodes, strict=strict) == {'extra': {'disk': {'sda': {'size': 10}}}}
    assert '1 items' in caplog.text


def test_a_sample(nodes: Nodes) -> None:
    extra = run(inventories.load('dell-lldp'), nodes)['extra']
    assert extra['system']['product']['vendor'] == 'Dell Inc.'
    assert extra['firmware']['bios']['version'] == '2.19.1'


@pytest.mark.parametrize('strict', [False, True])
@given(data=arbitrary.spoiled(('data',)))
@arbitrary.SETTINGS
def test_nothing_is_raised(nodes: Nodes, strict: bool, data: dict[str, Any]) -> None:
    run(data, nodes, strict=strict)
    json.dumps(data)
    assert 'data' not in data or not strict
