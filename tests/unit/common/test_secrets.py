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
