"""Rules as people write them: JSON documents, checked as a whole before anything is done with them.

    {"uuid"?, "description"?, "scope"?, "conditions"?: [...], "actions": [...],
     "priority"?, "sensitive"?, "disabled"?}
    condition: {"op", "field", "multiple"?, "invert"?, "loop"?, and what the operator needs}
    action:    {"action", "loop"?, and what the action needs}

`priority`, `sensitive`, `disabled` and `loop`, and some operators and actions, are new since 12.5: they
are the extended form.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
from typing import Any

from oslo_utils import uuidutils

from ironic_inspector.common import exceptions
from ironic_inspector.db.rules import Action
from ironic_inspector.db.rules import Condition
from ironic_inspector.db.rules import Rule
from ironic_inspector.plugins import checks

JsonObject = dict[str, Any]

MULTIPLE = ('any', 'all', 'first')
MASK = '***'
"""What stands in place of a value that is not to be seen."""

MAX_SCOPE = 255
_MAX_UUID = 36
_MAX_TEXT = 60_000
"""Bytes of a description, or of the parameters of a condition or an action: what every database can hold."""
_MAX_PRIORITY = 2**31 - 1
MAX_PARTS = 1000
"""Conditions, or actions, of a rule."""
_ODD = 'it cannot be stored: it is too long, or holds NUL or half a character'
_CONDITION_KEYS = frozenset({'op', 'field', 'multiple', 'invert'})
_EXTENDED_KEYS = ('priority', 'sensitive', 'disabled')
_READ_ONLY_KEYS = frozenset({'links', 'built_in', 'created_at'})
"""In what the API answers; harmless in what is sent back to it."""
_KEYS = frozenset({'uuid', 'description', 'scope', 'conditions', 'actions', *_EXTENDED_KEYS, *_READ_ONLY_KEYS})


class InvalidRule(exceptions.InvalidRequest):
    """A rule cannot be used; the message names every place where something is wrong with it."""

    code = 'invalid-rule'

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(f'The rule is invalid: {checks.listed(faults)}')


def summary(rule: Rule, *, extended: bool) -> JsonObject:
    """Return a rule as lists in the API show it."""
    shown: JsonObject = {'uuid': rule.uuid, 'description': rule.description, 'scope': rule.scope}
    if extended:
        shown |= {
            'priority': rule.priority,
            'sensitive': rule.sensitive,
            'disabled': rule.disabled,
            'built_in': rule.built_in,
        }
    return shown


def as_json(rule: Rule, *, extended: bool, reveal: bool = False) -> JsonObject:
    """Return a whole rule as the API shows it; `reveal` with its values even if they are secrets."""

    def completed(shown: JsonObject, part: Condition | Action) -> JsonObject:
        masked = rule.sensitive and not reveal
        shown |= dict.fromkeys(part.params, MASK) if masked else part.params
        if extended and part.loop is not None:
            shown['loop'] = MASK if masked else part.loop
        return shown

    conditions = [
        completed({'op': part.op, 'field': part.field, 'multiple': part.multiple, 'invert': part.invert}, part)
        for part in rule.conditions
    ]
    actions = [completed({'action': part.action}, part) for part in rule.actions]
    return summary(rule, extended=extended) | {'conditions': conditions, 'actions': actions}


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """The names of the operators and actions that a rule may use."""

    operators: frozenset[str]
    actions: frozenset[str]

    def with_names_in(self, rule: Rule) -> Vocabulary:
        """Return the vocabulary with the names that a rule uses."""
        return Vocabulary(
            self.operators | {part.op for part in rule.conditions},
            self.actions | {part.action for part in rule.actions},
        )


def parse(document: Any, *, vocabulary: Vocabulary, extended: bool, built_in: bool = False) -> Rule:
    """Return the rule that a JSON document describes; its UUID is a new one if it names none.

    `extended` admits what is new since 12.5; without it, keys that are not known are left out, as they always were.
    Parameters are not looked at: compiling the rule does that. InvalidRule lists all faults.
    """
    if not isinstance(document, dict):
        raise InvalidRule([f'it must be a JSON object, not {checks.shown(document)}'])
    faults = list(_faults_of_rule(document, extended=extended))
    conditions = _items(document.get('conditions', []), 'conditions', faults)
    actions = _items(document.get('actions', []), 'actions', faults)
    if document.get('actions', []) == []:
        faults.append('actions: there must be at least one')
    for index, item in conditions:
        faults += _faults_of_condition(item, f'conditions[{index}]', vocabulary.operators, extended=extended)
    for index, item in actions:
        faults += _faults_of_action(item, f'actions[{index}]', vocabulary.actions, extended=extended)
    if faults:
        raise InvalidRule(faults)
    settings = {key: document[key] for key in _EXTENDED_KEYS if extended and document.get(key) is not None}
    return Rule(
        uuid=document.get('uuid') or uuidutils.generate_uuid(),
        description=document.get('description'),
        scope=document.get('scope'),
        conditions=tuple(_condition(item, extended=extended) for _index, item in conditions),
        actions=tuple(_action(item, extended=extended) for _index, item in actions),
        built_in=built_in,
        **settings,
    )


def _items(value: Any, key: str, faults: list[str]) -> list[tuple[int, JsonObject]]:
    """Return the objects in a list with their places; whatever else there is, is a fault."""
    if not isinstance(value, list):
        faults.append(checks.fault(key, 'a list', value))
        return []
    if len(value) > MAX_PARTS:
        faults.append(f'{key}: {len(value)} are too many: {MAX_PARTS} are allowed')
        return []
    faults += [
        checks.fault(f'{key}[{index}]', 'an object', item)
        for index, item in enumerate(value)
        if not isinstance(item, dict)
    ]
    return [(index, item) for index, item in enumerate(value) if isinstance(item, dict)]


def _faults_of_rule(document: JsonObject, *, extended: bool) -> Iterator[str]:
    rule_uuid, description, scope = (document.get(key) for key in ('uuid', 'description', 'scope'))
    # Nothing is a UUID to be made up; an empty text was taken for it as well.
    if rule_uuid and not (uuidutils.is_uuid_like(rule_uuid) and len(rule_uuid) <= _MAX_UUID):
        yield checks.fault('uuid', 'a UUID', rule_uuid)
    if description is not None and not isinstance(description, str):
        yield checks.fault('description', 'text', description)
    elif description and not _is_storable(description):
        yield f'description: {_ODD}'
    if scope is not None and (not isinstance(scope, str) or len(scope) > MAX_SCOPE):
        yield checks.fault('scope', f'text of at most {MAX_SCOPE} characters', scope)
    elif scope and not _is_storable(scope):
        yield f'scope: {_ODD}'
    if extended:
        yield from _faults_of_extensions(document)


def _faults_of_extensions(document: JsonObject) -> Iterator[str]:
    priority = document.get('priority')
    if priority is not None and (type(priority) is not int or abs(priority) > _MAX_PRIORITY):
        yield checks.fault('priority', f'a whole number from -{_MAX_PRIORITY} to {_MAX_PRIORITY}', priority)
    for key in ('sensitive', 'disabled'):
        if document.get(key) is not None and not isinstance(document[key], bool):
            yield checks.fault(key, 'true or false', document[key])
    for key in sorted(document.keys() - _KEYS):
        yield f'{checks.shown(key)}: a rule has no such key'


def _faults_of_condition(item: JsonObject, place: str, known: Collection[str], *, extended: bool) -> Iterator[str]:
    yield from _faults_of_name(item, 'op', place, known)
    if not isinstance(item.get('field'), str):
        yield checks.fault(f'{place}.field', 'text, a JSON path', item.get('field'))
    if item.get('multiple', 'any') not in MULTIPLE:
        yield checks.fault(f'{place}.multiple', f'one of {", ".join(MULTIPLE)}', item['multiple'])
    if not isinstance(item.get('invert', False), bool):
        yield checks.fault(f'{place}.invert', 'true or false', item['invert'])
    yield from _faults_of_parameters(item, place, extended=extended)


def _faults_of_action(item: JsonObject, place: str, known: Collection[str], *, extended: bool) -> Iterator[str]:
    yield from _faults_of_name(item, 'action', place, known)
    yield from _faults_of_parameters(item, place, extended=extended)


def _faults_of_name(item: JsonObject, key: str, place: str, known: Collection[str]) -> Iterator[str]:
    if not isinstance(item.get(key), str) or item[key] not in known:
        yield checks.fault(f'{place}.{key}', f'one of {", ".join(sorted(known))}', item.get(key))


def _faults_of_parameters(item: JsonObject, place: str, *, extended: bool) -> Iterator[str]:
    if not _is_storable(item):
        yield f'{place}: {_ODD}'
    if extended and not isinstance(item.get('loop'), (list, dict, str, type(None))):
        yield checks.fault(f'{place}.loop', 'a list, an object, or the path of one', item['loop'])


def _is_storable(value: Any) -> bool:
    """Tell whether every database can hold the texts in a value."""
    size, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            try:
                size += len(item.encode())
            except UnicodeEncodeError:
                return False
            if '\0' in item:
                return False
        elif isinstance(item, Mapping):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item
        size += 8
    return size <= _MAX_TEXT


def _condition(item: JsonObject, *, extended: bool) -> Condition:
    loop = item.get('loop') if extended else None
    keys = {*_CONDITION_KEYS, 'loop'} if extended else _CONDITION_KEYS
    return Condition(
        op=item['op'],
        field=item['field'],
        multiple=item.get('multiple', 'any'),
        invert=item.get('invert', False),
        params={key: value for key, value in item.items() if key not in keys},
        loop=loop,
    )


def _action(item: JsonObject, *, extended: bool) -> Action:
    loop = item.get('loop') if extended else None
    keys = {'action', 'loop'} if extended else {'action'}
    return Action(
        action=item['action'], params={key: value for key, value in item.items() if key not in keys}, loop=loop
    )
