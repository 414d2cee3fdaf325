"""The types of what is known in introspection data."""

from __future__ import annotations

from collections.abc import Iterator
import copy
from typing import Any

from hypothesis import given
from hypothesis import settings
import jsonschema
import pytest

from ironic_inspector.conductor import known_data
from ironic_inspector.fixtures import inventories
from ironic_inspector.plugins import checks
from tests.unit.plugins import arbitrary

JsonObject = dict[str, Any]
VALIDATOR = jsonschema.Draft202012Validator(known_data.SCHEMA)
SAMPLES = {name: inventories.load(name) for name in inventories.names()}


def with_value(place: tuple[str | int, ...], value: Any) -> JsonObject:
    """Return a sample with another value at a place."""
    data = inventories.ramdisk_data()
    *parents, last = place
    parent: Any = data
    for key in parents:
        parent = parent[key]
    parent[last] = value
    return data


def places(schema: JsonObject, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield all places of the schema; of a list the first item."""
    if place:
        yield place
    for name, member in schema.get('properties', {}).items():
        yield from places(member, (*place, name))
    if schema.get('items', {}).get('properties'):
        yield from places(schema['items'], (*place, 0))


def text(place: tuple[str | int, ...]) -> str:
    """Write a place as messages do."""
    parts = (f'[{part}]' if isinstance(part, int) else f'.{part}' for part in place)
    return ''.join(parts).removeprefix('.')


PLACES = [place for place in places(known_data.SCHEMA) if place[-1] != 0]
ITEMS = [place for place in places(known_data.SCHEMA) if place[-1] == 0]


@pytest.mark.parametrize('name', SAMPLES)
def test_what_machines_send_is_right(name: str) -> None:
    assert known_data.faults(SAMPLES[name]) == []


@pytest.mark.parametrize('place', PLACES, ids=text)
def test_null_is_right_anywhere(place: tuple[str | int, ...]) -> None:
    assert known_data.faults(with_value(place, None)) == []


@pytest.mark.parametrize('place', PLACES, ids=text)
def test_a_wrong_type_is_named_anywhere(place: tuple[str | int, ...]) -> None:
    data = with_value(place, [[7]])
    assert len(known_data.faults(data)) == 1
    (fault,) = known_data.faults(data)
    assert fault.startswith(text(place)), fault
    assert ' must be ' in fault


@pytest.mark.parametrize('place', ITEMS, ids=text)
@pytest.mark.parametrize('value', [None, 'x', 7, []])
def test_a_record_must_be_an_object(place: tuple[str | int, ...], value: Any) -> None:
    assert known_data.faults(with_value(place, value)) == [f'{text(place)} must be an object, not {value!r}']


@pytest.mark.parametrize(
    ('place', 'value', 'expected'),
    [
        (('inventory',), 7, 'inventory must be an object, not 7'),
        (('boot_interface',), 5, 'boot_interface must be text, not 5'),
        (('error',), {'x': 1}, "error must be text, not {'x': 1}"),
        (('inventory', 'disks', 0, 'size'), 1.5, 'inventory.disks[0].size must be a whole number, not 1.5'),
        (('inventory', 'disks', 0, 'size'), True, 'inventory.disks[0].size must be a whole number, not True'),
        (('inventory', 'disks', 0, 'serial'), 7, 'inventory.disks[0].serial must be text or a list, not 7'),
        (('inventory', 'disks', 0, 'serial'), ['a', 7], 'inventory.disks[0].serial[1] must be text, not 7'),
        (('inventory', 'cpu', 'count'), [8], 'inventory.cpu.count must be a number or text, not [8]'),
        (('inventory', 'cpu', 'count'), True, 'inventory.cpu.count must be a number or text, not True'),
        (('inventory', 'cpu', 'flags'), ['vmx', None], 'inventory.cpu.flags[1] must be text, not None'),
    ],
)
def test_messages(place: tuple[str | int, ...], value: Any, expected: str) -> None:
    assert known_data.faults(with_value(place, value)) == [expected]


def test_every_fault_is_told() -> None:
    data = inventories.ramdisk_data() | {'boot_interface': 5, 'pci_devices': [{'bus': []}, 'x'], 'root_disk': 'sda'}
    data['inventory'] |= {'memory': [], 'hostname': 7, 'system_vendor': {'firmware': {'version': {}}}}
    data['inventory']['interfaces'].append({'name': ['eth9'], 'mac_address': 7})
    assert sorted(fault.partition(' ')[0] for fault in known_data.faults(data)) == [
        'boot_interface',
        'inventory.hostname',
        'inventory.interfaces[1].mac_address',
        'inventory.interfaces[1].name',
        'inventory.memory',
        'inventory.system_vendor.firmware.version',
        'pci_devices[0].bus',
        'pci_devices[1]',
        'root_disk',
    ]


def test_a_flood_of_faults_is_cut() -> None:
    assert len(known_data.faults({'inventory': {'interfaces': [7] * 100_000}})) == checks.LISTED


@pytest.mark.parametrize(
    'data',
    [
        {},
        {'inventory': {'interfaces': []}},
        {'inventory': {'cpu': {'count': '4', 'frequency': 2400.0}, 'memory': {'physical_mb': '2048'}}},
        {'inventory': {'disks': [{'serial': ['a', None, 'b'], 'rotational': 'no', 'size': 10**30}]}},
        {'inventory': {'interfaces': [{'lldp': 'x'}], 'ours': 7}, 'lldp_raw': [7], 'logs': 7, 'data': 7, 'ours': []},
    ],
)
def test_what_hooks_can_do_with_is_right(data: JsonObject) -> None:
    assert known_data.faults(data) == []


def without_whole_floats(value: Any) -> Any:
    # To JSON Schema 1.0 is an integer, to Python's parsers it is none.
    if isinstance(value, float):
        return 0.5 if value.is_integer() else value
    if isinstance(value, dict):
        return {key: without_whole_floats(item) for key, item in value.items()}
    return [without_whole_floats(item) for item in value] if isinstance(value, list) else value


@given(arbitrary.spoiled(('inventory', 'root_disk', 'boot_interface', 'pci_devices', 'error')))
@settings(arbitrary.SETTINGS, max_examples=200)
def test_it_finds_what_the_schema_forbids(data: JsonObject) -> None:
    data = without_whole_floats(data)
    before = copy.deepcopy(data)
    found = known_data.faults(data)
    expected = list(VALIDATOR.iter_errors(data))
    assert repr(data) == repr(before)
    assert len(found) == min(len(expected), checks.LISTED)
    assert {fault.partition(' must be ')[0] for fault in found} <= {text(tuple(error.path)) for error in expected}


@given(arbitrary.JSON)
@settings(max_examples=200)
def test_anything_can_be_checked(inventory: Any) -> None:
    data = without_whole_floats({'inventory': inventory})
    assert bool(known_data.faults(data)) is not VALIDATOR.is_valid(data)
