"""The types of what the service knows in introspection data, and what is wrong with those of a ramdisk.

Known is what hooks look at and what ironic-python-agent sends beside it in the inventory. Null stands for a value that
is not known, anywhere. Numbers that a hook takes as text, too, may be text. Left out are:

- LLDP data, which come from switches, and `data`, which may have any form: their hooks skip what they cannot read;
- `logs`, which never fail a node;
- whatever else there is, such as `numa_topology`, which is only kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
import itertools
from typing import Any
from typing import NamedTuple

from ironic_inspector.plugins import checks

JsonObject = dict[str, Any]


def _object(**properties: JsonObject) -> JsonObject:
    return {'type': ['object', 'null'], 'properties': properties}


def _record(**properties: JsonObject) -> JsonObject:
    return {'type': 'object', 'properties': properties}


def _list(items: JsonObject) -> JsonObject:
    return {'type': ['array', 'null'], 'items': items}


_TEXT: JsonObject = {'type': ['string', 'null']}
_FLAG: JsonObject = {'type': ['boolean', 'null']}
_NUMBER: JsonObject = {'type': ['number', 'string', 'null']}
# A disk with several paths has several of them.
_TEXTS: JsonObject = {'type': ['string', 'array', 'null'], 'items': _TEXT}
_DISK = {
    'name': _TEXTS,
    'model': _TEXTS,
    'size': {'type': ['integer', 'null']},
    # Any word for true or false will do.
    'rotational': {'type': ['boolean', 'string', 'integer', 'null']},
    'wwn': _TEXTS,
    'serial': _TEXTS,
    'vendor': _TEXTS,
    'wwn_with_extension': _TEXTS,
    'wwn_vendor_extension': _TEXTS,
    'hctl': _TEXTS,
    'by_path': _TEXTS,
    'logical_sectors': _NUMBER,
    'physical_sectors': _NUMBER,
    'tran': _TEXT,
}
_INTERFACE = {
    'name': _TEXT,
    'mac_address': _TEXT,
    'ipv4_address': _TEXT,
    'ipv6_address': _TEXT,
    'client_id': _TEXT,
    'has_carrier': _FLAG,
    'vendor': _TEXT,
    'product': _TEXT,
    'biosdevname': _TEXT,
    'speed_mbps': _NUMBER,
    'pci_address': _TEXT,
    'driver': _TEXT,
}
_INVENTORY = _object(
    interfaces=_list(_record(**_INTERFACE)),
    disks=_list(_record(**_DISK)),
    cpu=_object(
        model_name=_TEXT,
        frequency=_NUMBER,
        count=_NUMBER,
        socket_count=_NUMBER,
        architecture=_TEXT,
        flags=_list({'type': 'string'}),
    ),
    memory=_object(total=_NUMBER, physical_mb=_NUMBER),
    bmc_address=_TEXT,
    bmc_v6address=_TEXT,
    bmc_mac=_TEXT,
    system_vendor=_object(
        product_name=_TEXT,
        serial_number=_TEXT,
        manufacturer=_TEXT,
        firmware=_object(vendor=_TEXT, version=_TEXT, build_date=_TEXT),
    ),
    boot=_object(current_boot_mode=_TEXT, pxe_interface=_TEXT),
    hostname=_TEXT,
)

SCHEMA = _record(
    inventory=_INVENTORY,
    root_disk=_object(**_DISK),
    boot_interface=_TEXT,
    error=_TEXT,
    pci_devices=_list(
        _record(
            vendor_id=_TEXT,
            product_id=_TEXT,
            revision=_TEXT,
            bus=_TEXT,
            numa_node_id=_NUMBER,
            **{'class': _TEXT},
        )
    ),
)
"""The known data as a JSON Schema (2020-12), of which only `type`, `properties` and `items` are used."""


def faults(data: JsonObject) -> list[str]:
    """Return what has a wrong type in the data of a ramdisk (parsed JSON), each with its place; none if all is well.

    No more than one message can hold are looked for.
    """
    return list(itertools.islice(_faults(data, _KNOWN, ''), checks.LISTED))


class _Part(NamedTuple):
    """A place of the schema, in the form that is quickest to check with: there can be thousands of values."""

    types: frozenset[type]
    """Python's types of the values that are allowed."""
    final: frozenset[type]
    """Those of them that need no further look."""
    expected: str
    members: Mapping[str, _Part]
    item: _Part | None


_TYPES: Mapping[str, tuple[frozenset[type], str]] = {
    'object': (frozenset({dict}), 'an object'),
    'array': (frozenset({list}), 'a list'),
    'string': (frozenset({str}), 'text'),
    'boolean': (frozenset({bool}), 'true or false'),
    'integer': (frozenset({int}), 'a whole number'),
    'number': (frozenset({int, float}), 'a number'),
    'null': (frozenset({type(None)}), ''),
}


def _part(schema: JsonObject) -> _Part:
    kinds = [schema['type']] if isinstance(schema['type'], str) else schema['type']
    types = frozenset[type]().union(*(_TYPES[kind][0] for kind in kinds))
    members = {name: _part(member) for name, member in schema.get('properties', {}).items()}
    item = _part(schema['items']) if 'items' in schema else None
    return _Part(
        types=types,
        final=types - ({dict} if members else set()) - ({list} if item else set()),
        expected=' or '.join(_TYPES[kind][1] for kind in kinds if kind != 'null'),
        members=members,
        item=item,
    )


_KNOWN = _part(SCHEMA)


def _faults(value: Any, part: _Part, place: str) -> Iterator[str]:
    kind = type(value)
    if kind not in part.types:
        yield checks.fault(place, part.expected, value)
    elif kind is dict:
        members = part.members
        for key, item in value.items():
            member = members.get(key)
            if member is not None and type(item) not in member.final:
                yield from _faults(item, member, f'{place}.{key}' if place else key)
    elif kind is list and part.item is not None:
        member, final = part.item, part.item.final
        for index, item in enumerate(value):
            if type(item) not in final:
                yield from _faults(item, member, f'{place}[{index}]')
