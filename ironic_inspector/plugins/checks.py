"""What the hooks that come with the service say about data of the wrong shape."""

from __future__ import annotations

from collections.abc import Sequence
import reprlib
from typing import Any

from ironic_inspector import utils

JsonObject = dict[str, Any]

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 100

LARGEST_SIZE = 2**63
"""Bytes that no disk has."""
LISTED = 20
"""Things of a kind that a message names at most."""


def shown(value: Any) -> str:
    """Return a short form of a value for messages, however long or deep it is."""
    return _REPR.repr(value)


def fault(place: str, expected: str, value: Any) -> str:
    """Say that the value at `place` in the data is not what it has to be."""
    return f'{place} must be {expected}, not {shown(value)}'


def as_object(value: Any, place: str) -> JsonObject:
    """Return `value` if it is a JSON object, an empty one if it is null; else raise Error."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise utils.Error(fault(place, 'an object', value))
    return value


def as_list(value: Any, place: str) -> list[Any]:
    """Return `value` if it is a list, an empty one if it is null; else raise Error."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise utils.Error(fault(place, 'a list', value))
    return value


def as_objects(value: Any, place: str) -> list[JsonObject]:
    """Return `value` if it is a list of JSON objects, an empty one if it is null; else raise Error."""
    items = as_list(value, place)
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise utils.Error(fault(f'{place}[{index}]', 'an object', item))
    return items


def as_bytes(value: Any, place: str) -> int:
    """Return `value` if it is the size of a disk in bytes; else raise Error."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < LARGEST_SIZE:
        raise utils.Error(fault(place, 'a whole number of bytes', value))
    return value


def listed(parts: Sequence[str]) -> str:
    """Return the parts of a message in one line, and how many there are more."""
    more = len(parts) - LISTED
    return '; '.join(parts[:LISTED]) + (f'; {more} more' if more > 0 else '')
