"""Changing a rule by a patch."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector.common import exceptions
from ironic_inspector.rules import definition
from ironic_inspector.rules import patches
from tests.unit.plugins import arbitrary
from tests.unit.rules import documents
from tests.unit.rules.documents import ACTION
from tests.unit.rules.documents import CONDITION
from tests.unit.rules.documents import UUID

SECRET = 'hunter2'
SECRET_ACTION = {'action': 'set-attribute', 'path': '/driver_info/password', 'value': SECRET}
SECRET_CONDITION = {'op': 'eq', 'field': 'serial', 'value': SECRET}
OPEN = documents.rule(ACTION, conditions=[CONDITION], uuid=UUID, description='before', priority=3)
SENSITIVE = documents.rule(
    SECRET_ACTION, ACTION, SECRET_ACTION, conditions=[SECRET_CONDITION], uuid=UUID, sensitive=True
)


def changed(rule: Any, patch: Any) -> Any:
    """Return the rule that a patch makes of another one, as it is written."""
    return definition.as_json(documents.parse(patches.apply(rule, patch)), extended=True, reveal=True)


def refused(rule: Any, patch: Any) -> str:
    with pytest.raises(exceptions.InvalidRequest) as failure:
        documents.parse(patches.apply(rule, patch))
    assert SECRET not in str(failure.value)
    return str(failure.value)


def whole(rule: Any) -> dict[str, Any]:
    return definition.as_json(rule, extended=True, reveal=True)


@pytest.mark.parametrize('rule', [OPEN, SENSITIVE])
@pytest.mark.parametrize('patch', [[], {}, {'uuid': UUID}, {'links': [], 'built_in': False}])
def test_patches_that_change_nothing(rule: Any, patch: Any) -> None:
    assert changed(rule, patch) == whole(rule)


@pytest.mark.parametrize('rule', [OPEN, SENSITIVE])
@pytest.mark.parametrize(
    ('patch', 'changes'),
    [
        ({'description': 'after', 'disabled': True}, {'description': 'after', 'disabled': True}),
        ({'priority': None, 'description': None}, {'priority': 0, 'description': None}),
        ({'conditions': []}, {'conditions': []}),
        ({'conditions': None}, {'conditions': []}),
        ({'actions': [ACTION]}, {'actions': [ACTION]}),
        ([{'op': 'replace', 'path': '/description', 'value': 'after'}], {'description': 'after'}),
        ([{'op': 'add', 'path': '/scope', 'value': 'x'}, {'op': 'remove', 'path': '/priority'}],
         {'scope': 'x', 'priority': 0}),
        ([{'op': 'test', 'path': '/uuid', 'value': UUID}, {'op': 'replace', 'path': '/disabled', 'value': True}],
         {'disabled': True}),
        ([{'op': 'remove', 'path': '/conditions/0'}], {'conditions': []}),
        ([{'op': 'replace', 'path': '/actions', 'value': [ACTION]}], {'actions': [ACTION]}),
    ],
)  # fmt: skip
def test_changes(rule: Any, patch: Any, changes: dict[str, Any]) -> None:
    assert changed(rule, patch) == whole(rule) | changes


def test_parts_of_parts() -> None:
    patch = [
        {'op': 'replace', 'path': '/conditions/0/value', 'value': 1},
        {'op': 'add', 'path': '/actions/-', 'value': ACTION},
        {'op': 'add', 'path': '/actions/0/reset_interfaces', 'value': False},
    ]
    result = changed(OPEN, patch)
    assert result['conditions'][0]['value'] == 1
    assert result['actions'] == [ACTION | {'reset_interfaces': False}, ACTION]


@pytest.mark.parametrize('rule', [OPEN, SENSITIVE])
@pytest.mark.parametrize(
    ('patch', 'message'),
    [
        (None, 'must be a list of operations, or an object'),
        (7, 'must be a list of operations, or an object'),
        ('x', 'must be a list of operations, or an object'),
        ([7], '[0].op must be an operation: add, remove, replace, test, not None'),
        ([{}], '[0].op must be an operation'),
        ([[]], '[0].op must be an operation'),
        ([{'op': 'test', 'path': '/uuid', 'value': UUID}, {'op': 'frob', 'path': '/x'}], '[1].op must be an operation'),
        ([{'op': []}], '[0].op must be an operation'),
        # Whoever copies what is copied soon has more than the memory can hold.
        ([{'op': 'copy', 'from': '', 'path': '/x'}], '[0].op must be an operation'),
        ([{'op': 'move', 'from': '/actions/0', 'path': '/x'}], '[0].op must be an operation'),
        ([{'op': 'add'}], 'does not fit the rule'),
        ([{'op': 'add', 'path': 7, 'value': 1}], 'does not fit the rule'),
        ([{'op': 'add', 'path': '/x/y', 'value': 1}], 'does not fit the rule'),
        ([{'op': 'add', 'path': 'x', 'value': 1}], 'does not fit the rule'),
        ([{'op': 'add', 'path': '/description'}], 'does not fit the rule'),
        ([{'op': 'remove', 'path': '/conditions/7'}], 'does not fit the rule'),
        ([{'op': 'replace', 'path': '/actions/x', 'value': 1}], 'does not fit the rule'),
        ([{'op': 'test', 'path': '/description', 'value': 'other'}], 'does not fit the rule'),
        ([{'op': 'test', 'path': '/actions/0/value', 'value': 'guess'}], 'does not fit the rule'),
        ([{'op': 'replace', 'path': '', 'value': []}], 'it must be a JSON object'),
        ([{'op': 'remove', 'path': '/actions'}], 'actions: there must be at least one'),
        ({'actions': None}, 'actions: there must be at least one'),
        ({'nonsense': 1}, "'nonsense': a rule has no such key"),
        ({'priority': 'x'}, 'priority must be a whole number'),
    ],
)
def test_what_is_no_patch_of_the_rule(rule: Any, patch: Any, message: str) -> None:
    reason = refused(rule, patch)
    assert message in reason
    assert len(reason) < 1000


# Secrets


@pytest.mark.parametrize(
    ('patch', 'actions'),
    [
        ([{'op': 'remove', 'path': '/actions/0'}], [ACTION, SECRET_ACTION]),
        ([{'op': 'remove', 'path': '/actions/1'}], [SECRET_ACTION, SECRET_ACTION]),
        ([{'op': 'add', 'path': '/actions/0', 'value': ACTION}], [ACTION, SECRET_ACTION, ACTION, SECRET_ACTION]),
        ([{'op': 'replace', 'path': '/actions/2', 'value': ACTION}], [SECRET_ACTION, ACTION, ACTION]),
    ],
)
def test_parts_of_a_sensitive_rule_can_be_kept_taken_away_and_replaced(patch: Any, actions: Any) -> None:
    assert changed(SENSITIVE, patch)['actions'] == actions


@pytest.mark.parametrize(
    'patch',
    [
        [{'op': 'replace', 'path': '/actions/0/path', 'value': '/extra/open'}],
        [{'op': 'replace', 'path': '/actions/0/value', 'value': 'new'}],
        [{'op': 'replace', 'path': '/actions/0/action', 'value': 'log'}],
        [{'op': 'add', 'path': '/actions/0/more', 'value': 'new'}],
        [{'op': 'replace', 'path': '/conditions/0/op', 'value': 'in-net'}],
        [{'op': 'replace', 'path': '/conditions/0/invert', 'value': True}],
        # As the API shows them.
        {'actions': [SECRET_ACTION | {'path': '***', 'value': '***'}]},
        {'conditions': [SECRET_CONDITION | {'value': '***'}]},
        [{'op': 'add', 'path': '/actions/-', 'value': ACTION | {'value': '***'}}],
    ],
)
def test_parts_of_a_sensitive_rule_are_not_changed_in_part(patch: Any) -> None:
    assert 'the rule is sensitive: replace this as a whole, with its values, or keep it' in refused(SENSITIVE, patch)


@pytest.mark.parametrize('sensitive', [False, None])
def test_a_sensitive_rule_stays_so_for_as_long_as_it_has_secrets(sensitive: bool | None) -> None:
    message = 'sensitive: a rule with secrets cannot be opened'
    assert message in refused(SENSITIVE, {'sensitive': sensitive})
    assert message in refused(SENSITIVE, {'sensitive': sensitive, 'conditions': []})
    assert message in refused(SENSITIVE, {'sensitive': sensitive, 'actions': [ACTION]})
    assert message in refused(SENSITIVE, [{'op': 'remove', 'path': '/sensitive'}])
    opened = changed(SENSITIVE, {'sensitive': sensitive, 'conditions': [], 'actions': [ACTION]})
    assert (opened['sensitive'], opened['actions']) == (False, [ACTION])


def test_a_rule_may_become_sensitive() -> None:
    assert changed(OPEN, {'sensitive': True}) == whole(OPEN) | {'sensitive': True}


POINTERS = st.sampled_from(
    ['', '/actions', '/actions/0', '/actions/-', '/actions/0/value', '/conditions/0/op', '/description', '/sensitive',
     '/conditions', '/uuid', '/', 'x', '/actions/0/', '/actions/1/path']
)  # fmt: skip
PARTS = st.sampled_from([ACTION, CONDITION, [ACTION], [], True, False, None, '***', 'x', {'action': 'log'}])
OPERATIONS = st.fixed_dictionaries(
    {'op': st.sampled_from(['add', 'remove', 'replace', 'test', 'move', 'copy']), 'path': POINTERS},
    optional={'value': PARTS | arbitrary.JSON, 'from': POINTERS},
)
KEYS = st.sampled_from(['actions', 'conditions', 'sensitive', 'description', 'x'])
PATCHES = arbitrary.JSON | st.lists(OPERATIONS, max_size=4) | st.dictionaries(KEYS, PARTS | arbitrary.JSON, max_size=3)


@given(st.sampled_from([OPEN, SENSITIVE]), PATCHES)
@arbitrary.SETTINGS
def test_only_invalid_request_is_raised_and_no_secret_told(rule: Any, patch: Any) -> None:
    before, sent = copy.deepcopy(rule), repr(patch)
    try:
        told: Any = documents.parse(patches.apply(rule, patch))
    except exceptions.InvalidRequest as failure:
        told = str(failure)
    else:
        # What is open now has none of what was secret, and what is secret is masked.
        told = definition.as_json(told, extended=True)
    assert SECRET not in repr(told)
    assert rule == before
    assert repr(patch) == sent
