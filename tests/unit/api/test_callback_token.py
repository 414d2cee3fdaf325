"""Tokens are taken out of URLs before anything sees them that could log them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib import parse

from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector.api import callback_token


def passed_on(query: str, **environ: Any) -> dict[str, Any]:
    """What the application behind the middleware sees of a request."""
    seen: list[dict[str, Any]] = []

    def application(environ: dict[str, Any], _start_response: Any) -> Iterable[bytes]:
        seen.append(environ)
        return [b'answer']

    sent = {'QUERY_STRING': query, **environ}
    assert callback_token.Hide(application)(sent, None) == [b'answer']  # type: ignore[arg-type]
    # Servers look into their own for their logs.
    assert seen[0] is sent
    return sent


@pytest.mark.parametrize(
    ('query', 'rest'),
    [
        ('token=secret', ''),
        ('a=b&token=secret&c', 'a=b&c'),
        ('token=secret&token=secret', ''),
        ('%74%6fken=secret', ''),
        ('a=b', 'a=b'),
        ('tokens=a&Token=b', 'tokens=a&Token=b'),
        ('', ''),
        ('&&', '&&'),
    ],
)
def test_what_is_left(query: str, rest: str) -> None:
    environ = passed_on(query, REQUEST_URI=f'/v1/continue?{query}', RAW_URI=f'/v1/continue?{query}')
    assert environ['QUERY_STRING'] == rest
    if 'secret' in query:
        expected = f'/v1/continue?{rest}' if rest else '/v1/continue'
        assert (environ['REQUEST_URI'], environ['RAW_URI']) == (expected, expected)


@given(token=st.text(min_size=6), others=st.dictionaries(st.text(), st.text(), max_size=3))
def test_nothing_of_the_token_is_left(token: str, others: dict[str, str]) -> None:
    others.pop('token', None)
    query = parse.urlencode({**others, 'token': token}, quote_via=parse.quote)
    environ = passed_on(query, RAW_URI=f'/?{query}')
    assert environ['QUERY_STRING'] == parse.urlencode(others, quote_via=parse.quote)
    assert environ['RAW_URI'].partition('?')[2] == environ['QUERY_STRING']
    assert token in environ.values()


@given(query=st.text())
def test_any_query_is_passed_on(query: str) -> None:
    passed_on(query, REQUEST_URI=query)
