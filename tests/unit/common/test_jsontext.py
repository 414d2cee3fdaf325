"""Writing JSON."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector.common import jsontext

DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=[])),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
)


@given(DOCUMENTS)
def test_what_is_written_reads_as_it_was(document: Any) -> None:
    assert json.loads(jsontext.dumps(document)) == document


@pytest.mark.parametrize('document', [2**80, {'half': '\ud83d'}, {1: 2}])
def test_what_orjson_does_not_write_is_written_all_the_same(document: Any) -> None:
    assert jsontext.dumps(document) == json.dumps(document)


def test_nul_is_escaped_for_the_sake_of_databases() -> None:
    assert jsontext.dumps('a\0b') == '"a\\u0000b"'


@pytest.mark.parametrize('document', [object(), {'a': {1, 2}}, {(1, 2): 3}])
def test_what_is_no_json_is_an_error(document: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        jsontext.dumps(document)
