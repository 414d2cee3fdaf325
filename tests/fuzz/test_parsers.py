"""Bodies as bytes, through what turns them into data; `make fuzz` tries the parsers' own tests harder as well."""

from __future__ import annotations

import contextlib
import random

from hypothesis import given
from hypothesis import seed
from hypothesis import settings
from hypothesis import strategies as st

from ironic_inspector.api import body
from ironic_inspector.common import exceptions
from ironic_inspector.common import jsontext
from ironic_inspector.conductor import known_data
from ironic_inspector.fixtures import inventories
from tests.fuzz import mutations
from tests.fuzz import work


def parse(text: bytes) -> None:
    """Parse a body; fails if anything comes of it but an object that can be checked and stored, or InvalidRequest."""
    with contextlib.suppress(exceptions.InvalidRequest):
        data = body.parse_object(text)
        known_data.faults(data)
        jsontext.dumps(data)


def test_bodies_gone_wrong() -> None:
    samples = [inventories.load(name) for name in inventories.names() if name != 'multipath-300-disks']
    for number in range(work.BODIES):
        parse(mutations.body(samples[number % len(samples)], random.Random(f'{work.SEED}-body-{number}')))


JSON_TOKENS = st.sampled_from(
    [
        *(
            b'{',
            b'}',
            b'[',
            b']',
            b':',
            b',',
            b'"',
            b'"a"',
            b'\\',
            b'\\u',
            b'd800',
            b'0',
            b'-',
            b'1',
            b'.',
            b'e',
            b'E9',
        ),
        *(b'9' * 500, b'NaN', b'Infinity', b'null', b'true', b' ', b'\n', b'\0', b'\xff', b'\xed\xa0\x80', b'[' * 70),
    ]
)


@seed(work.SEED)
@settings(work.UNHURRIED, max_examples=work.BODIES)
@given(st.binary(max_size=50) | st.lists(JSON_TOKENS, max_size=20).map(b''.join))
def test_any_bytes(text: bytes) -> None:
    parse(text)
