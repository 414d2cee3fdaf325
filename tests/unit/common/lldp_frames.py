"""LLDP frames for tests: ``tests/data/lldp/*.json``, each with its TLVs and what is to be made of them.

They are composed by hand in the manner of the vendors that they are named after: which TLVs there are, in which order
and form. Addresses are from the ranges for documentation.
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

from hypothesis import strategies as st

JsonObject = dict[str, Any]
Tlv = tuple[int, bytes]

_FOLDER = pathlib.Path(__file__).parents[2] / 'data' / 'lldp'

NAMES = sorted(path.stem for path in _FOLDER.glob('*.json'))


def load(name: str) -> JsonObject:
    """Return a frame, {tlvs: [[type, hexadecimal digits]], expected: {name: value}}."""
    frame: JsonObject = json.loads((_FOLDER / f'{name}.json').read_text())
    return frame


def octets(name: str) -> list[Tlv]:
    """Return the TLVs of a frame with their values as octets."""
    return [(kind, bytes.fromhex(digits)) for kind, digits in load(name)['tlvs']]


@st.composite
def mutated(draw: st.DrawFn) -> list[Tlv]:
    """Frames with TLVs whose values are cut, grown or changed in places, or have got another type."""
    frame = draw(st.lists(st.sampled_from([tlv for name in NAMES for tlv in octets(name)]), max_size=12))
    result = []
    for kind, octets_of_value in frame:
        value = bytearray(octets_of_value)
        for _ in range(draw(st.integers(0, 2))):
            place = draw(st.integers(0, len(value)))
            value[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
        result.append((draw(st.just(kind) | st.integers(-1, 200)), bytes(value)))
    return result
