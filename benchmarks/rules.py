"""Rules as an operator with a mixed fleet has them: what most of them look for, a machine of the fleet has not.

The first two conditions of each rule hold, so that all of them count whichever way a service goes through them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

JsonObject = dict[str, Any]

RULES = 100
MATCHING = 4
"""How many of them hold, and set an attribute each."""

_HOLDING: Sequence[JsonObject] = (
    {'op': 'eq', 'field': 'data://inventory.cpu.architecture', 'value': 'x86_64'},
    {'op': 'gt', 'field': 'inventory.memory.physical_mb', 'value': 8192},
    {'op': 'matches', 'field': 'inventory.system_vendor.manufacturer', 'value': '(Dell|HPE?)( Inc)?.*'},
    {'op': 'is-empty', 'field': 'data://error'},
    {'op': 'in-net', 'field': 'inventory.bmc_address', 'value': '10.128.0.0/9'},
    {'op': 'contains', 'field': 'inventory.cpu.flags', 'value': 'aes'},
    {'op': 'eq', 'field': 'node://driver', 'value': 'ipmi'},
    {'op': 'gt', 'field': 'inventory.disks[*].size', 'value': 10**10, 'multiple': 'all'},
    {'op': 'matches', 'field': 'inventory.interfaces[*].mac_address', 'value': '02:5e(:[0-9a-f]{2}){4}'},
    {'op': 'contains', 'field': 'inventory.disks[0].model', 'value': 'PERC', 'multiple': 'first'},
    {'op': 'is-empty', 'field': 'node://properties.root_device'},
    {'op': 'eq', 'field': 'inventory.boot.current_boot_mode', 'value': 'bios', 'invert': True},
)
_LAST: Sequence[JsonObject] = (
    {'op': 'eq', 'field': 'inventory.system_vendor.serial_number', 'value': 'SERIAL%d'},
    {'op': 'contains', 'field': 'inventory.system_vendor.product_name', 'value': 'ProLiant DL%d'},
    {'op': 'in-net', 'field': 'inventory.bmc_address', 'value': '192.0.%d.0/24'},
    {'op': 'matches', 'field': 'node://name', 'value': 'rack%d-.*'},
    {'op': 'contains', 'field': 'inventory.disks[*].serial', 'value': '^S%dN'},
    {'op': 'gt', 'field': 'inventory.interfaces[*].speed_mbps', 'value': 10**6},
    {'op': 'is-empty', 'field': 'inventory.disks'},
)
"""Third conditions, which do not hold."""


def rules() -> list[JsonObject]:
    """Return RULES rules of three conditions, in the form of the API; MATCHING hold for each machine of the fleet."""
    return [_rule(number) for number in range(RULES)]


def attributes() -> set[str]:
    """Return the names of what the rules that hold set in `extra`."""
    return {_attribute(number) for number in range(RULES) if _holds(number)}


def _holds(number: int) -> bool:
    return number % (RULES // MATCHING) == 0


def _attribute(number: int) -> str:
    return f'rule{number}'


def _rule(number: int) -> JsonObject:
    first = number % len(_HOLDING)
    last = _HOLDING[first - 2] if _holds(number) else _numbered(_LAST[number % len(_LAST)], number)
    value = 'of {data[inventory][system_vendor][manufacturer]}'
    return {
        'description': f'Rule {number}',
        'conditions': [_HOLDING[first], _HOLDING[first - 1], last],
        'actions': [{'action': 'set-attribute', 'path': f'/extra/{_attribute(number)}', 'value': value}],
    }


def _numbered(condition: JsonObject, number: int) -> JsonObject:
    value = condition.get('value')
    return {**condition, 'value': value % number} if isinstance(value, str) else condition
