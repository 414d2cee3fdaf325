"""Request bodies."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector.api import body
from ironic_inspector.common import exceptions


def nested(levels: int) -> bytes:
    return b'{"a":' + b'[' * (levels - 1) + b']' * (levels - 1) + b'}'


@pytest.mark.parametrize(
    ('sent', 'reason'),
    [
        (b'', 'no body'),
        (b' \n', 'no body'),
        (b'\xff\xfe', 'not UTF-8'),
        (b'{"a": "\xff"}', 'not UTF-8'),
        (b'{', 'not JSON'),
        (b"{'a': 1}", 'not JSON'),
        (b'{"a": NaN}', 'NaN is not a JSON number'),
        (b'{"a": [-Infinity]}', '-Infinity is not a JSON number'),
        (b'{"a": 1} x', 'not JSON'),
        (b'[1]', 'not a list'),
        (b'"x"', 'not text'),
        (b'7', 'not a number'),
        (b'null', 'not null'),
        (b'false', 'not true or false'),
        (nested(body.MAX_DEPTH + 1), 'deeper than'),
        (nested(1000), 'deeper than'),
        (b'[' * 100_000, 'deeper than|not JSON'),
        (nested(100_000), 'deeper than'),
        (b'{"a": ' + b'9' * 5000 + b'}', 'not JSON'),
    ],
)
def test_what_is_no_json_object_is_refused_with_the_reason(sent: bytes, reason: str) -> None:
    with pytest.raises(exceptions.InvalidRequest, match=reason):
        body.parse_object(sent)


def test_the_deepest_that_is_allowed() -> None:
    assert body.parse_object(nested(body.MAX_DEPTH)) == json.loads(nested(body.MAX_DEPTH))


@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
            lambda children: st.lists(children) | st.dictionaries(st.text(), children),
        ),
    )
)
def test_any_object_arrives_as_it_was_sent(document: dict[str, Any]) -> None:
    assert body.parse_object(json.dumps(document).encode()) == document


@given(st.binary(max_size=200))
def test_anything_else_is_an_invalid_request(sent: bytes) -> None:
    with contextlib.suppress(exceptions.InvalidRequest):
        assert isinstance(body.parse_object(sent), dict)
