"""Rules as JSON documents."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
import copy
import json
from typing import Any
import uuid

from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector.rules import definition
from tests.unit.plugins import arbitrary
from tests.unit.rules import documents
from tests.unit.rules.documents import ACTION
from tests.unit.rules.documents import CONDITION
from tests.unit.rules.documents import UUID

FULL: dict[str, Any] = {
    'uuid': UUID,
    'description': 'What it is for',
    'scope': 'some',
    'priority': 5,
    'sensitive': False,
    'disabled': True,
    'conditions': [
        {'op': 'eq', 'field': 'node://name', 'multiple': 'all', 'invert': True, 'value': 'x', 'loop': 'data://disks'}
    ],
    'actions': [{'action': 'add-trait', 'name': 'CUSTOM_{item}', 'loop': ['A', 'B']}],
}
OF_12_5 = {
    'uuid': UUID,
    'description': 'What it is for',
    'scope': 'some',
    'conditions': [{'op': 'eq', 'field': 'node://name', 'multiple': 'all', 'invert': True, 'value': 'x'}],
    'actions': [{'action': 'add-trait', 'name': 'CUSTOM_{item}'}],
}


def faults_of(document: Any, *, extended: bool = True) -> str:
    with pytest.raises(definition.InvalidRule) as failure:
        documents.parse(document, extended=extended)
    message = str(failure.value)
    assert message.startswith('The rule is invalid: ')
    return message


def test_a_whole_rule_comes_back_as_it_was_written() -> None:
    rule = documents.parse(FULL)
    assert definition.as_json(rule, extended=True) == FULL | {'built_in': False}
    assert definition.summary(rule, extended=True) == {
        key: FULL[key] for key in ('uuid', 'description', 'scope', 'priority', 'sensitive', 'disabled')
    } | {'built_in': False}


def test_to_older_versions_it_looks_as_it_always_did() -> None:
    assert definition.as_json(documents.parse(FULL), extended=False) == OF_12_5
    assert list(definition.summary(documents.parse(FULL), extended=False)) == ['uuid', 'description', 'scope']


def test_what_is_left_out_has_defaults() -> None:
    rule = documents.parse({'actions': [ACTION], 'conditions': [CONDITION]})
    assert str(uuid.UUID(rule.uuid)) == rule.uuid
    assert (rule.priority, rule.sensitive, rule.disabled, rule.built_in) == (0, False, False, False)
    assert definition.as_json(rule, extended=False) == {
        'uuid': rule.uuid,
        'description': None,
        'scope': None,
        'conditions': [{'op': 'eq', 'field': 'memory_mb', 'multiple': 'any', 'invert': False, 'value': 4096}],
        'actions': [ACTION],
    }


@pytest.mark.parametrize('key', ['uuid', 'description', 'scope', 'priority', 'sensitive', 'disabled'])
def test_null_is_as_good_as_nothing(key: str) -> None:
    left_out, null = documents.parse({'actions': [ACTION]}), documents.parse({'actions': [ACTION], key: None})
    if key != 'uuid':
        assert getattr(null, key) == getattr(left_out, key)
    assert null.uuid


def test_what_the_api_answers_can_be_sent_back() -> None:
    rule = documents.parse(FULL)
    answer = definition.as_json(rule, extended=True) | {'links': [], 'created_at': '2026-01-31T12:22:01'}
    assert documents.parse(answer) == rule


def test_older_versions_leave_out_what_is_not_known() -> None:
    rule = documents.parse({'actions': [ACTION], 'priority': 7, 'sensitive': 'x', 'nonsense': 1}, extended=False)
    assert (rule.priority, rule.sensitive) == (0, False)
    assert "'nonsense': a rule has no such key" in faults_of({'actions': [ACTION], 'nonsense': 1})


def test_a_loop_is_a_parameter_like_any_other_to_older_versions() -> None:
    rule = documents.parse({'actions': [ACTION | {'loop': [1]}]}, extended=False)
    assert rule.actions[0].params['loop'] == [1]
    assert rule.actions[0].loop is None


def test_secrets_are_masked_unless_revealed() -> None:
    rule = documents.parse(FULL | {'sensitive': True})
    shown = definition.as_json(rule, extended=True)
    assert shown['conditions'] == [FULL['conditions'][0] | {'value': '***', 'loop': '***'}]
    assert shown['actions'] == [{'action': 'add-trait', 'name': '***', 'loop': '***'}]
    assert definition.as_json(rule, extended=False)['actions'] == [{'action': 'add-trait', 'name': '***'}]
    assert definition.as_json(rule, extended=True, reveal=True)['actions'] == FULL['actions']


def places(place: str, make: Callable[[Any], dict[str, Any]], *values: Any) -> list[tuple[dict[str, Any], str]]:
    """Return for each value what is made of it, with the place that its fault has."""
    return [(make(value), place) for value in values]


def condition(**part: Any) -> dict[str, Any]:
    return {'conditions': [CONDITION, CONDITION | part]}


def action(**part: Any) -> dict[str, Any]:
    return {'actions': [ACTION, ACTION | part]}


FAULTS = [
    # The last one is longer than what can be stored.
    *places('uuid must be a UUID', lambda value: {'uuid': value}, 7, 1.5, 'x', True, ['x'], 'x' * 36, f'{{{UUID}}}'),
    *places('description must be text', lambda value: {'description': value}, 7, True, [], {}),
    *places('description: it cannot be', lambda value: {'description': value}, '\0', '\ud800', 'x' * 60_001),
    *places('scope must be text of at most 255', lambda value: {'scope': value}, 7, True, [], {}, 'x' * 256),
    *places('scope: it cannot be stored', lambda value: {'scope': value}, '\0', '\ud800'),
    *places('priority must be a whole', lambda value: {'priority': value}, '1', 1.0, True, [], 2**31, -(2**31)),
    *places('sensitive must be true or false', lambda value: {'sensitive': value}, 'true', 1, 0, []),
    *places('disabled must be true or false', lambda value: {'disabled': value}, 'true', 1, 0, []),
    *places('conditions must be a list', lambda value: {'conditions': value}, None, 7, 'x', {}, True),
    *places('actions must be a list', lambda value: {'actions': value}, None, 7, 'x', {}, True),
    ({'actions': []}, 'actions: there must be at least one'),
    ({'actions': [ACTION] * 1001}, 'actions: 1001 are too many: 1000 are allowed'),
    ({'conditions': [CONDITION] * 1001}, 'conditions: 1001 are too many'),
    *places('conditions[1] must be an object', lambda value: {'conditions': [CONDITION, value]}, 7, 'x', [], None),
    *places('actions[1] must be an object', lambda value: {'actions': [ACTION, value]}, 7, 'x', [], None),
    *places('conditions[1].op must be one of', lambda value: condition(op=value), None, 7, 'nope', [], {}, ''),
    *places('conditions[1].field must be text', lambda value: condition(field=value), None, 7, [], {}, True),
    *places('conditions[1].multiple must be one', lambda value: condition(multiple=value), None, 7, 'x', [], {}, ''),
    *places('conditions[1].invert must be true', lambda value: condition(invert=value), None, 7, 'true', [], 0),
    *places('conditions[1].loop must be a list, an', lambda value: condition(loop=value), 7, True, 1.5),
    ({'conditions': [{'field': 'x'}]}, 'conditions[0].op must be one of contains, eq, ge'),
    *places('actions[1].action must be one of', lambda value: action(action=value), None, 7, 'nope', [], {}, ''),
    *places('actions[1].loop must be a list, an', lambda value: action(loop=value), 7, True, 1.5),
    ({'actions': [{}]}, 'actions[0].action must be one of add-trait'),
    *places('actions[1]: it cannot be', lambda value: action(value=value), ['\0'], {'\ud800': 1}, [[]] * 30_000),
    *places('actions[1]: it cannot be', lambda value: action(value=value), ['x' * 30_000] * 3),
    *places('conditions[1]: it cannot be', lambda value: condition(field=value), '\0', 'x' * 60_000),
]


@pytest.mark.parametrize(('changes', 'place'), FAULTS)
def test_faults_name_their_place(changes: dict[str, Any], place: str) -> None:
    message = faults_of({'actions': [ACTION], **changes})
    assert place in message
    assert len(message) < 1000
    assert message.count('; ') == 0, 'one fault is told once'


@pytest.mark.parametrize('document', [None, 7, 'x', True, [], [{'actions': [ACTION]}]])
def test_what_is_no_object(document: Any) -> None:
    assert 'it must be a JSON object' in faults_of(document)


def test_all_faults_are_told_together() -> None:
    message = faults_of(
        {
            'uuid': 7,
            'scope': [],
            'conditions': [CONDITION | {'op': 'nope', 'multiple': 'x'}, 7],
            'actions': [{'action': 'nope'}],
        }
    )
    for place in ('uuid', 'scope', 'conditions[0].op', 'conditions[0].multiple', 'conditions[1]', 'actions[0].action'):
        assert place in message


def test_many_faults_are_counted() -> None:
    message = faults_of({'actions': [7] * 900})
    assert len(message) < 2000
    assert message.endswith('880 more')


def test_texts_as_long_as_can_be() -> None:
    longest = {'description': 'é' * 29_996, 'scope': 'é' * 255, 'priority': 2**31 - 1}
    rule = documents.parse({'actions': [ACTION], **longest})
    assert (rule.description, rule.scope, rule.priority) == tuple(longest.values())
    assert documents.parse({'actions': [ACTION], 'priority': 1 - 2**31}).priority == 1 - 2**31


KEYS = st.sampled_from(
    ['uuid', 'description', 'scope', 'priority', 'sensitive', 'disabled', 'conditions', 'actions', 'links', 'x']
)
PARTS = st.dictionaries(
    st.sampled_from(['op', 'action', 'field', 'value', 'loop', 'multiple', 'invert', 'path', 'x']),
    arbitrary.JSON | st.sampled_from(['eq', 'add-trait', 'any', 'data://a', 'node://b[*]']),
)
DOCUMENTS = arbitrary.JSON | st.dictionaries(KEYS, arbitrary.JSON | st.lists(PARTS | arbitrary.JSON, max_size=3))


@given(DOCUMENTS, st.booleans())
@arbitrary.SETTINGS
def test_only_invalid_rule_is_raised(document: Any, extended: bool) -> None:
    before = copy.deepcopy(document)
    with contextlib.suppress(definition.InvalidRule):
        rule = documents.parse(document, extended=extended)
        json.dumps(definition.as_json(rule, extended=extended), ensure_ascii=False).encode()
    assert repr(document) == repr(before)
