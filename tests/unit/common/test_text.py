"""Conversions of text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector.common import text


@given(st.text() | st.none())
def test_any_message_becomes_storable(message: str | None) -> None:
    stored = text.storable(message)
    assert (stored is None) == (message is None)
    if stored is not None:
        assert '\0' not in stored
        stored.encode('utf-8')


def test_a_long_message_says_how_much_is_missing() -> None:
    stored = text.storable('x' * (text.MESSAGE_LENGTH + 7))
    assert stored is not None
    assert stored.endswith('(7 more characters)')


@pytest.mark.parametrize(
    ('value', 'expected'),
    [
        (None, {}),
        ('', {}),
        ('a:1', {'a': '1'}),
        ('a:1,b:x:y', {'a': '1', 'b': 'x:y'}),
        (' a : 1 , nonsense,b:', {'a': '1', 'b': ''}),
        ({'a': 1}, {'a': '1'}),
    ],
)
def test_capabilities_are_read(value: object, expected: dict[str, str]) -> None:
    assert text.parse_capabilities(value) == expected


def test_capabilities_are_written_in_their_order() -> None:
    assert text.format_capabilities({'b': '1', 'a': '2'}) == 'b:1,a:2'
