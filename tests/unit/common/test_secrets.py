"""Passwords do not get into messages."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector.common import secrets

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    'sent',
    [
        [{'op': 'add', 'path': '/driver_info/ipmi_password', 'value': 'hidden'}],
        [
            {'op': 'add', 'path': '/name', 'value': 'n'},
            {'op': 'replace', 'path': '/extra/API-Token', 'value': 'hidden'},
        ],
        [
            {
                'op': 'add',
                'path': '/driver_info',
                'value': {'redfish_password': 'hidden', 'deep': [{'secret': 'hidden'}]},
            }
        ],
        {'driver': 'ipmi', 'driver_info': {'ipmi_password': 'hidden'}},
        {'passwords': ['hidden']},
    ],
)
def test_secrets_are_masked(sent: Any) -> None:
    assert secrets.without("Couldn't apply 'hidden'", sent) == "Couldn't apply '***'"


@pytest.mark.parametrize('secret', ['qu"ote', "apo'strophe", 'back\\slash', 'new\nline', 'gr\u00fcn', '\u20ac'])
def test_however_they_are_quoted(secret: str) -> None:
    patch = [{'op': 'add', 'path': '/driver_info/ipmi_password', 'value': secret}]
    for message in (secret, repr(patch), str(patch), json.dumps(patch)):
        assert secret not in secrets.without(message, patch)
        assert '***' in secrets.without(message, patch)


@pytest.mark.parametrize(
    ('secrets_sent', 'message', 'shown'),
    [
        # One begins, ends or goes on as another.
        (['hunter', 'hunter2x'], 'x: hunter2x, hunter', 'x: ***, ***'),
        (['hunter2x', 'hunter'], 'x: hunter2x, hunter', 'x: ***, ***'),
        (['hunter', '2hunter'], 'x: 2hunter, hunter', 'x: ***, ***'),
        (['abcd', 'cdef'], 'x: abcdef', 'x: ***'),
        (['aba'], 'x: ababa', 'x: ***'),
        (['***', 'hidden'], 'x: hidden, ***', 'x: ***, ***'),
        (['a"b', 'b'], 'x: "a\\"b"', 'x: "***"'),
        # Numbers.
        ([12345], "12345, '12345', 1", "***, '***', 1"),
        ([1.5], 'x: 1.5', 'x: ***'),
        ([0, 1], 'x: 0, 1, 10', 'x: ***, ***, 10'),
        ([[12345]], 'x: 12345', 'x: ***'),
        ([True, None], 'x: True, None, 1', 'x: True, None, 1'),
        # What is found in any text.
        (['a'], "Couldn't apply patch: value 'a' of a cable", "Couldn't apply patch: value '***' of *** cable"),
        (['ab'], 'able: ab, "ab", password=ab', 'able: ***, "***", password=***'),
        ([7], 'Port 7 of 17 said 7.', 'Port *** of 17 said ***.'),
        (['!'], 'x: !', 'x: ***'),
        (['*'], 'x: *', 'x: ***'),
        (['abc'], 'xabcx', 'x***x'),
    ],
)
def test_what_is_masked(secrets_sent: list[Any], message: str, shown: str) -> None:
    patch = [{'op': 'add', 'path': f'/driver_info/password{i}', 'value': s} for i, s in enumerate(secrets_sent)]
    assert secrets.without(message, patch) == shown
    assert secrets.without(message, {f'password{i}': secret for i, secret in enumerate(secrets_sent)}) == shown


@given(sent=st.lists(st.text('ab', min_size=3, max_size=4), min_size=1, max_size=4), around=st.text('xyz '))
def test_nothing_of_a_secret_is_left(sent: list[str], around: str) -> None:
    message = around.join(['', *sent, ''])
    left = secrets.without(message, {'passwords': sent})
    assert set(left) <= set('xyz *')
    assert secrets.MASK in left


@pytest.mark.parametrize(
    'sent',
    [
        [{'op': 'add', 'path': '/driver_info/ipmi_address', 'value': 'shown'}],
        [{'op': 'add', 'path': '/properties/cpus', 'value': 'shown'}],
        {'name': 'shown'},
        [{'op': 'add', 'path': '/driver_info/ipmi_password', 'value': ''}],
        [{'op': 'remove', 'path': '/driver_info/ipmi_password'}],
        None,
        'shown',
    ],
)
def test_the_rest_stays(sent: Any) -> None:
    assert secrets.without("Couldn't apply 'shown'", sent) == "Couldn't apply 'shown'"


@given(sent=JSON | st.lists(st.fixed_dictionaries({'op': JSON, 'path': JSON, 'value': JSON}), max_size=3))
def test_anything_can_have_been_sent(sent: Any) -> None:
    secrets.without('message', sent)
