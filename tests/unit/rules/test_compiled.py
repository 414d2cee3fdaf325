"""Rules ready to be applied: which values count, loops, failures, secrets, plug-ins from elsewhere."""

from __future__ import annotations

import contextlib
import copy
import json
import logging
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.db import rules as db_rules
from ironic_inspector.node_info import NodeInfo
from ironic_inspector.plugins import base
from ironic_inspector.rules import compiled
from ironic_inspector.rules import definition
from ironic_inspector.rules import facts as rule_facts
from ironic_inspector.rules import places
from ironic_inspector.rules.facts import Facts
from tests.unit.plugins import arbitrary
from tests.unit.plugins.nodes import Nodes
from tests.unit.rules import arbitrary as arbitrary_rules
from tests.unit.rules import documents
from tests.unit.rules.documents import ACTION
from tests.unit.rules.documents import CONDITION
from tests.unit.rules.documents import UUID
from tests.unit.rules.documents import ready

DATA: dict[str, Any] = {
    'memory_mb': 4096,
    'numbers': [1, 5, 9],
    'mixed': ['x', 5],
    'nothing': None,
    'disks': [{'name': 'sda', 'size': 10}, {'name': 'sdb', 'size': 20}, {'name': 'sdc'}],
    'interfaces': {'eth0': {'mac': 'a'}, 'eth1': {'mac': 'b'}},
}


def check(nodes: Nodes, data: dict[str, Any] | None = None, **condition: Any) -> bool:
    """Tell whether a rule with this one condition holds, and that it is explained in the same way."""
    rule, info = ready(conditions=[condition]), nodes.enrol(resource_class='large', properties={'cpus': '8'})
    facts = Facts(DATA if data is None else data, info.fields)
    holds = rule.holds(info, facts)
    assert [outcome.holds for outcome in rule.explain(info, facts)] == [holds]
    return holds


def apply(rule: compiled.AnyRule, info: NodeInfo, data: dict[str, Any] | None = None) -> None:
    rule.apply(info, Facts(copy.deepcopy(DATA) if data is None else data, info.fields))


class Failing(base.RuleActionPlugin):
    """Fails as it is told to."""

    failure: Exception = RuntimeError('out of paper')

    def apply(self, node_info: Any, params: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        raise self.failure


class Nasty(base.RuleConditionPlugin):
    """Has a bug in each method that it has to have."""

    OPTIONAL_PARAMS = ('fine',)

    def validate(self, params: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        if 'fine' not in params:
            raise AttributeError('a bug in validate')

    def check(self, node_info: Any, field: Any, params: base.JsonObject, **kwargs: Any) -> bool:  # noqa: ARG002
        raise LookupError('a bug in check')


class Recording(base.RuleActionPlugin):
    """Changes what it is given, and keeps it."""

    OPTIONAL_PARAMS = ('plain', 'formatted')
    FORMATTED_PARAMS = ('formatted',)

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def apply(self, node_info: Any, params: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        self.seen.append(copy.deepcopy(params))
        params['plain']['list'].append('changed')
        params['formatted']['list'].append('changed')
        params['more'] = 'changed'


class OldCondition(base.RuleConditionPlugin):
    """Written for ironic-inspector 12.5: it asks the node."""

    def check(self, node_info: Any, field: Any, params: base.JsonObject, **kwargs: Any) -> bool:  # noqa: ARG002
        return bool(node_info.node().name == params['value'] and field)


# Which values count


@pytest.mark.parametrize(
    ('field', 'holds'),
    [
        ('numbers[*]', {'any': True, 'all': False, 'first': False}),
        ('numbers[1]', {'any': True, 'all': True, 'first': True}),
        ('numbers[1:]', {'any': True, 'all': True, 'first': True}),
        ('numbers[0]', {'any': False, 'all': False, 'first': False}),
        ('missing', {'any': False, 'all': False, 'first': False}),
        ('mixed[*]', {'any': True, 'all': False, 'first': False}),
    ],
)
@pytest.mark.parametrize('multiple', ['any', 'all', 'first'])
def test_several_values(nodes: Nodes, field: str, holds: dict[str, bool], multiple: str) -> None:
    assert check(nodes, op='ge', field=field, value=5, multiple=multiple) is holds[multiple]


@pytest.mark.parametrize(
    ('field', 'holds'),
    [
        ('numbers[*]', {'any': True, 'all': False, 'first': True}),
        ('numbers[1:]', {'any': False, 'all': False, 'first': False}),
        ('numbers[0]', {'any': True, 'all': True, 'first': True}),
        # Nothing found, and what cannot be compared, fulfils no condition, inverted or not.
        ('missing', {'any': False, 'all': False, 'first': False}),
        ('mixed[*]', {'any': False, 'all': False, 'first': False}),
    ],
)
@pytest.mark.parametrize('multiple', ['any', 'all', 'first'])
def test_inverted(nodes: Nodes, field: str, holds: dict[str, bool], multiple: str) -> None:
    assert check(nodes, op='ge', field=field, value=5, multiple=multiple, invert=True) is holds[multiple]


def test_schemes(nodes: Nodes) -> None:
    assert check(nodes, op='eq', field='memory_mb', value=4096)
    assert check(nodes, op='eq', field='data://memory_mb', value=4096)
    assert check(nodes, op='eq', field='node://resource_class', value='large')
    assert check(nodes, op='eq', field='node://properties.cpus', value='8')
    assert not check(nodes, op='eq', field='node://memory_mb', value=4096)


@pytest.mark.parametrize(
    ('name', 'same'),
    [('id', 'uuid'), ('is_maintenance', 'maintenance'), ('is_protected', 'protected'), ('driver', 'driver')],
)
def test_fields_of_nodes_by_either_name(nodes: Nodes, name: str, same: str) -> None:
    info = nodes.enrol()
    for field in (name, same):
        rule = ready(conditions=[{'op': 'eq', 'field': f'node://{field}', 'value': info.fields[same]}])
        assert rule.holds(info, Facts({}, info.fields))


def test_all_conditions_have_to_hold(nodes: Nodes) -> None:
    info = nodes.enrol()
    holding, other = CONDITION, CONDITION | {'value': 1}
    for conditions, holds in (
        ([], True), ([holding, holding], True), ([holding, other], False), ([other, holding], False)
    ):  # fmt: skip
        assert ready(conditions=conditions).holds(info, Facts(DATA, info.fields)) is holds


@pytest.mark.parametrize(
    ('scope', 'properties', 'holds'),
    [
        (None, {}, True),
        ('', {'inspection_scope': 'x'}, True),
        ('x', {'inspection_scope': 'x'}, True),
        ('x', {'inspection_scope': 'y'}, False),
        ('x', {'inspection_scope': 7}, False),
        ('x', {}, False),
        ('x', None, False),
    ],
)
def test_scope(nodes: Nodes, scope: str | None, properties: dict[str, Any] | None, holds: bool) -> None:
    info, fields = nodes.enrol(), {'properties': properties}
    rule = ready(scope=scope)
    assert rule.is_for(Facts({}, fields)) is holds
    assert rule.holds(info, Facts({}, fields)) is holds


def test_disabled(nodes: Nodes) -> None:
    info = nodes.enrol()
    assert not ready(disabled=True).holds(info, Facts(DATA, info.fields))


# Loops


@pytest.mark.parametrize(
    ('loop', 'field', 'value', 'holds'),
    [
        ('data://disks', 'item://size', 20, {'any': True, 'all': False, 'first': False}),
        ('data://disks[:2]', 'item://size', 10, {'any': True, 'all': True, 'first': True}),
        ('disks[*].size', 'item://$', 15, {'any': True, 'all': False, 'first': False}),
        ('disks[0]', 'item://value', 10, {'any': True, 'all': False, 'first': False}),
        ('disks[*]', 'item://size', 10, {'any': True, 'all': False, 'first': True}),
        ('data://missing', 'item://size', 10, {'any': False, 'all': False, 'first': False}),
        ([], 'item://size', 10, {'any': False, 'all': False, 'first': False}),
        ([1, 2], 'memory_mb', 4096, {'any': True, 'all': True, 'first': True}),
        ([5, 50], 'item://`this`', 10, {'any': True, 'all': False, 'first': False}),
        ({'a': 5, 'b': 50}, 'item://value', 10, {'any': True, 'all': False, 'first': False}),
        ('data://memory_mb', 'item://$', 10, {'any': True, 'all': True, 'first': True}),
        ('node://properties', 'item://value', 8, {'any': True, 'all': True, 'first': True}),
    ],
)
@pytest.mark.parametrize('multiple', ['any', 'all', 'first'])
def test_loops_in_conditions(
    nodes: Nodes, loop: Any, field: str, value: Any, holds: dict[str, bool], multiple: str
) -> None:
    assert check(nodes, op='ge', field=field, value=value, multiple=multiple, loop=loop) is holds[multiple]


def test_the_items_of_an_object(nodes: Nodes) -> None:
    assert check(nodes, op='eq', field='item://key', value='eth1', loop='data://interfaces')
    assert check(nodes, op='eq', field='item://value.mac', value='b', loop='data://interfaces')


def test_an_inverted_condition_in_a_loop(nodes: Nodes) -> None:
    loop: dict[str, Any] = {'op': 'eq', 'field': 'item://name', 'value': 'sda', 'loop': 'data://disks', 'invert': True}
    assert check(nodes, **loop)
    assert not check(nodes, **loop, multiple='all')


def test_nothing_in_an_item(nodes: Nodes) -> None:
    assert check(nodes, op='is-empty', field='item://size', loop='data://disks')
    assert not check(nodes, op='is-empty', field='item://size', loop='data://disks', multiple='all')


def test_fields_in_the_value_of_a_loop(nodes: Nodes) -> None:
    disks = [{'name': 'sda', 'path': '/dev/sda'}, {'name': 'sdb', 'path': '/dev/x'}]
    loop = {'op': 'eq', 'field': 'item://path', 'value': '/dev/{item[name]}', 'loop': 'data://disks'}
    assert check(nodes, {'disks': disks}, **loop)
    assert not check(nodes, {'disks': disks}, **loop, multiple='all')
    # Outside of a loop a value is what it is.
    assert check(nodes, {'path': '{item}'}, op='eq', field='path', value='{item}')


def test_fields_in_the_items_of_a_loop(nodes: Nodes) -> None:
    info = nodes.enrol(name='machine')
    loop = [{'path': 'size', 'value': '{data[disks][0][size]} GB'}, {'path': '{node[name]}', 'value': '{{}}'}]
    apply(
        ready(
            {'action': 'set-attribute', 'loop': loop, 'path': '/extra/{item[path]}', 'value': '{item[value]}'},
            {'action': 'extend-attribute', 'loop': {'{node[name]}': ['{data[memory_mb]}']}, 'path': '/extra/items',
             'value': '{item[key]}: {item[value][0]}'},
            # What is found is not looked at again.
            {'action': 'set-data', 'path': '/odd', 'value': ['{{data[memory_mb]}}']},
            {'action': 'set-attribute', 'loop': 'data://odd', 'path': '/extra/odd', 'value': '{item}'},
        ),
        info,
    )  # fmt: skip
    assert info.fields['extra'] == {
        'size': '10 GB',
        'machine': '{}',
        'items': ['machine: 4096'],
        'odd': '{data[memory_mb]}',
    }
    wanted: dict[str, Any] = {'op': 'eq', 'field': 'item://$', 'value': '4096', 'loop': ['{data[memory_mb]}']}
    assert check(nodes, **wanted)
    with pytest.raises(utils.Error, match=r'failed: \{data\[x\]\}: there is no data\[x\]'):
        check(nodes, **wanted | {'loop': ['{data[x]}']})


def test_loops_in_actions(nodes: Nodes) -> None:
    info = nodes.enrol()
    apply(
        ready(
            {'action': 'set-attribute', 'loop': 'data://disks[:2]', 'path': '/extra/{item[name]}',
             'value': {'size of {item[name]}': '{item[size]} of {data[memory_mb]}'}},
            {'action': 'extend-attribute', 'loop': ['x', 'y'], 'path': '/extra/list', 'value': '{item}'},
            {'action': 'set-capability', 'loop': {'k': 'v'}, 'name': '{item[key]}', 'value': '{item[value]}'},
            {'action': 'add-trait', 'loop': 'data://missing', 'name': '{item}'},
        ),
        info,
    )  # fmt: skip
    assert info.fields['extra'] == {
        'sda': {'size of sda': '10 of 4096'},
        'sdb': {'size of sdb': '20 of 4096'},
        'list': ['x', 'y'],
    }
    assert info.fields['properties'] == {'capabilities': 'k:v'}
    assert not info.changes().added_traits


def test_an_action_may_change_what_its_loop_goes_through(nodes: Nodes) -> None:
    info, data = nodes.enrol(), {'list': ['a', 'b']}
    apply(ready({'action': 'set-data', 'loop': 'data://list', 'path': '/list/-', 'value': '{item}{item}'}), info, data)
    assert data == {'list': ['a', 'b', 'aa', 'bb']}


def test_loops_are_bounded(nodes: Nodes) -> None:
    info, most = nodes.enrol(), {'list': [1] * places.MAX_ITEMS}
    more = {'list': [1] * (places.MAX_ITEMS + 1)}
    rule = ready(
        {'action': 'set-data', 'loop': 'data://list', 'path': '/x', 'value': 1},
        conditions=[{'op': 'eq', 'field': 'item://$', 'value': 1, 'loop': 'data://list'}],
    )
    assert rule.holds(info, Facts(most, info.fields))
    apply(rule, info, most)
    for work in (lambda: rule.holds(info, Facts(more, info.fields)), lambda: apply(rule, info, more)):
        with pytest.raises(utils.Error, match='the loop has 1001 items: 1000 are allowed'):
            work()


# What cannot be a rule


@pytest.mark.parametrize(
    ('part', 'message'),
    [
        ({'field': 'foo://a'}, "conditions[0] (eq): field: 'foo://a': the scheme must be data:// or node://"),
        ({'field': 'item://a'}, 'the scheme must be data:// or node://'),
        ({'field': 'item:/a'}, "conditions[0] (eq): field: The JSON path 'item:/a' is not valid at character 6"),
        ({'field': ''}, 'conditions[0] (eq): field: The JSON path'),
        ({'field': 'a[['}, 'conditions[0] (eq): field: The JSON path'),
        ({'field': 'other://a', 'loop': [1]}, 'the scheme must be data:// or node:// or item://'),
        ({'loop': 'item://a'}, 'conditions[0] (eq): loop: '),
        ({'loop': 'a[['}, 'conditions[0] (eq): loop: The JSON path'),
        ({'value': None}, 'conditions[0] (eq): it needs value'),
        ({'more': 1, 'less': 2}, 'conditions[0] (eq): it takes no less, more'),
        ({'loop': ['{item}']}, "conditions[0] (eq): loop: {item} refers to 'item'"),
        ({'loop': [1], 'value': '{nope}'}, "conditions[0] (eq): value: {nope} refers to 'nope'"),
        ({'loop': [1], 'value': '{item.x}'}, 'conditions[0] (eq): value: {item.x} asks for an attribute'),
        ({'op': 'matches', 'value': '('}, 'conditions[0] (matches): The regular expression'),
    ],
)
def test_faults_of_conditions(part: dict[str, Any], message: str) -> None:
    with pytest.raises(definition.InvalidRule) as failure:
        ready(conditions=[CONDITION | part])
    assert message in str(failure.value)


@pytest.mark.parametrize(
    ('part', 'message'),
    [
        ({'path': None}, 'actions[0] (set-attribute): it needs path'),
        ({'more': 1}, 'actions[0] (set-attribute): it takes no more'),
        ({'value': '{nope}'}, "actions[0] (set-attribute): value: {nope} refers to 'nope'"),
        ({'value': ['{item}']}, "actions[0] (set-attribute): value: {item} refers to 'item'"),
        ({'loop': [1], 'path': '{nope}'}, "actions[0] (set-attribute): path: {nope} refers to 'nope'"),
        ({'loop': {'a': ['{']}}, "actions[0] (set-attribute): loop: '{' is no format string"),
        ({'loop': 'x://y'}, "actions[0] (set-attribute): loop: 'x://y': the scheme must be data:// or node://"),
    ],
)
def test_faults_of_actions(part: dict[str, Any], message: str) -> None:
    with pytest.raises(definition.InvalidRule) as failure:
        ready(ACTION | part)
    assert message in str(failure.value)


def test_all_faults_are_told_together() -> None:
    with pytest.raises(definition.InvalidRule) as failure:
        ready(ACTION | {'x': 1}, ACTION, ACTION | {'y': 1}, conditions=[CONDITION, CONDITION | {'field': '['}])
    for place in ('conditions[1] (eq): ', 'actions[0] (set-attribute): ', 'actions[2] (set-attribute): '):
        assert place in str(failure.value)


@pytest.mark.parametrize('parameter', ['value', 'unheard-of'])
def test_null_for_a_parameter_is_as_good_as_nothing(parameter: str) -> None:
    ready(conditions=[{'op': 'is-empty', 'field': 'x', parameter: None}])


# What fails


def test_the_rule_that_fails_names_itself(nodes: Nodes) -> None:
    rule = ready(ACTION | {'value': '{data[missing]}'}, uuid=UUID, description='Marks it')
    with pytest.raises(utils.Error) as failure:
        apply(rule, nodes.enrol())
    assert str(failure.value) == (
        f'Introspection rule {UUID} (Marks it) failed: {{data[missing]}}: there is no data[missing]'
    )


def test_a_failing_condition_names_its_rule(nodes: Nodes) -> None:
    info = nodes.enrol()
    rule = ready(conditions=[{'op': 'contains', 'field': 'x', 'value': '(a|aa)+$'}], uuid=UUID)
    with pytest.raises(utils.Error, match=f'Introspection rule {UUID} failed: The regular expression .* more than'):
        rule.holds(info, Facts({'x': 'a' * 100 + 'b'}, info.fields))


def test_what_changed_before_a_failure_is_left(nodes: Nodes) -> None:
    info = nodes.enrol()
    with pytest.raises(utils.Error, match='enough'):
        apply(ready(ACTION, {'action': 'fail', 'message': 'enough'}, ACTION | {'path': '/extra/more'}), info)
    assert info.fields['extra'] == {'rule': 'applied'}


@pytest.mark.parametrize(
    ('failure', 'reason'),
    [
        (RuntimeError('out of paper'), 'out of paper'),
        (KeyError('tray'), "there is no 'tray'"),
        (ValueError('the tray is no tray'), 'the tray is no tray'),
        (exceptions.IronicError('Ironic answered 500'), 'Ironic answered 500'),
        (RuntimeError(), 'RuntimeError'),
    ],
)
def test_actions_from_elsewhere_may_raise_anything(
    nodes: Nodes, failure: Exception, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    action = Failing()
    action.failure = failure
    with pytest.raises(utils.Error) as raised:
        apply(ready({'action': 'fail-so'}, installed=documents.plugins(fail_so=action), uuid=UUID), nodes.enrol())
    assert str(raised.value) == f'Introspection rule {UUID} failed: {reason}'
    expected = not isinstance(failure, (ValueError, exceptions.InspectorError))
    assert ('Traceback' in caplog.text) is expected


@pytest.mark.parametrize('failure', [utils.Error('their words', code=409), exceptions.ShuttingDown('the end')])
def test_what_others_decide_is_theirs(nodes: Nodes, failure: Exception) -> None:
    action = Failing()
    action.failure = failure
    with pytest.raises(type(failure)) as raised:
        apply(ready({'action': 'fail-so'}, installed=documents.plugins(fail_so=action)), nodes.enrol())
    assert raised.value is failure


def test_conditions_from_elsewhere_may_raise_anything(nodes: Nodes) -> None:
    info, installed = nodes.enrol(), documents.plugins(nasty=Nasty())
    condition = {'op': 'nasty', 'field': 'memory_mb'}
    with pytest.raises(definition.InvalidRule, match=r'conditions\[0\] \(nasty\): a bug in validate'):
        ready(conditions=[condition], installed=installed)
    rule = ready(conditions=[condition | {'fine': True}], installed=installed, uuid=UUID)
    with pytest.raises(utils.Error, match=f'Introspection rule {UUID} failed: a bug in check'):
        rule.holds(info, Facts(DATA, info.fields))


def test_conditions_written_for_12_5(nodes: Nodes) -> None:
    info, installed = nodes.enrol(name='machine'), documents.plugins(old=OldCondition())
    for condition, holds in (
        ({'field': 'memory_mb', 'value': 'machine'}, True),
        ({'field': 'memory_mb', 'value': 'other'}, False),
        ({'field': 'item://$', 'value': '{item}', 'loop': ['other', 'machine']}, True),
    ):
        rule = ready(conditions=[{'op': 'old', **condition}], installed=installed)
        assert rule.holds(info, Facts(DATA, info.fields)) is holds


def test_a_rule_is_never_changed_by_being_applied(nodes: Nodes) -> None:
    recording = Recording()
    action = {'action': 'record', 'plain': {'list': ['{data}']}, 'formatted': {'list': ['{data[memory_mb]}']}}
    rule = ready(action, installed=documents.plugins(record=recording))
    before = copy.deepcopy(rule.written)
    for _ in range(2):
        apply(rule, nodes.enrol())
    assert recording.seen == [{'plain': {'list': ['{data}']}, 'formatted': {'list': ['4096']}}] * 2
    assert rule.written == before


def test_conditions_are_bounded_in_time(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_facts, 'MAX_SECONDS', -1.0)
    info = nodes.enrol()
    for field in ('memory_mb', 'missing'):
        with pytest.raises(utils.Error, match='the conditions of rules take more than'):
            ready(conditions=[CONDITION | {'field': field}]).holds(info, Facts(DATA, info.fields))


# What is told of conditions


def test_outcomes(nodes: Nodes) -> None:
    info = nodes.enrol()
    rule = ready(
        conditions=[
            {'op': 'ge', 'field': 'numbers[*]', 'value': 5},
            {'op': 'is-empty', 'field': 'missing', 'invert': True},
            {'op': 'ge', 'field': 'item://size', 'value': 15, 'loop': 'data://disks', 'multiple': 'all'},
            {'op': 'eq', 'field': 'missing', 'value': 5},
        ]
    )
    assert rule.explain(info, Facts(DATA, info.fields)) == [
        compiled.Outcome([1, 5, 9], [False, True, True], holds=True),
        compiled.Outcome([None], [False], holds=False),
        compiled.Outcome(DATA['disks'], [False, True, False], holds=False),
        compiled.Outcome([], [], holds=False),
    ]


@pytest.mark.parametrize(
    ('texts', 'multiple', 'outcome'),
    [
        (['b', 'slow'], 'any', True),
        (['slow', 'b'], 'any', None),
        (['c', 'slow'], 'any', None),
        (['c', 'slow'], 'all', False),
        (['b', 'slow'], 'all', None),
        (['c', 'slow'], 'first', False),
        (['b', 'slow'], 'first', True),
        (['slow', 'b'], 'first', None),
    ],
)
def test_a_failure_that_comes_too_late_to_matter_is_none(
    nodes: Nodes, texts: list[str], multiple: str, outcome: bool | None
) -> None:
    info = nodes.enrol()
    data = {'x': ['a' * 100 + '!' if text == 'slow' else text for text in texts]}
    rule = ready(conditions=[{'op': 'contains', 'field': 'x[*]', 'value': '(a|aa)+$|b', 'multiple': multiple}])
    (explained,) = rule.explain(info, Facts(data, info.fields))
    if outcome is None:
        assert 'takes more than' in str(explained.error)
        with pytest.raises(utils.Error):
            rule.holds(info, Facts(data, info.fields))
    else:
        assert (explained.holds, explained.error) == (outcome, None)
        assert rule.holds(info, Facts(data, info.fields)) is outcome


# Secrets

SECRET = 'hunter2'


@pytest.mark.parametrize(
    'action',
    [
        {'action': 'fail', 'message': SECRET},
        {'action': 'set-attribute', 'path': f'/extra/{SECRET}/x/y', 'value': SECRET},
        {'action': 'set-attribute', 'path': '/extra/x', 'value': f'{{data[{SECRET}]}}'},
        {'action': 'set-port-attribute', 'port_id': SECRET, 'path': '/extra/x', 'value': SECRET},
        {'action': 'fail-so', 'secret': SECRET},
    ],
)
def test_a_sensitive_action_that_fails_tells_nothing(
    nodes: Nodes, action: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    failing = Failing()
    failing.failure, failing.OPTIONAL_PARAMS = RuntimeError(SECRET), ('secret',)
    rule = ready(action, sensitive=True, uuid=UUID, installed=documents.plugins(fail_so=failing))
    with pytest.raises(utils.Error) as failure:
        apply(rule, nodes.enrol())
    assert str(failure.value) == f'Introspection rule {UUID} failed: it is sensitive, so no more is told'
    assert failure.value.__suppress_context__
    assert SECRET not in caplog.text


def test_a_sensitive_condition_tells_nothing(nodes: Nodes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    info, data = nodes.enrol(), {'x': SECRET, 'a': 'a' * 100 + '!'}
    conditions = [
        {'op': 'eq', 'field': 'x', 'value': 7},
        {'op': 'in-net', 'field': 'item://$', 'value': '192.0.2.0/24', 'loop': [SECRET]},
        {'op': 'contains', 'field': 'a', 'value': f'{SECRET}|(a|aa)+$'},
    ]
    rule = ready(conditions=conditions, sensitive=True, uuid=UUID)
    outcomes = rule.explain(info, Facts(data, info.fields))
    assert [outcome.error for outcome in outcomes] == [
        None, None, f'Introspection rule {UUID} failed: it is sensitive, so no more is told',
    ]  # fmt: skip
    assert 'it is sensitive, so no more is told' in caplog.text
    assert SECRET not in caplog.text


def test_a_sensitive_rule_has_no_action_that_tells() -> None:
    with pytest.raises(definition.InvalidRule, match=r'actions\[1\] \(log\): a sensitive rule cannot have it'):
        ready(ACTION, {'action': 'log', 'message': SECRET}, sensitive=True)


# Rules that cannot be used any more


def stored(**changes: Any) -> db_rules.Rule:
    """Return a rule whose plug-ins were installed once."""
    fields: dict[str, Any] = {
        'uuid': UUID,
        'conditions': [db_rules.Condition('eq', 'memory_mb', {'value': 4096})],
        'actions': [db_rules.Action('gone', {'value': SECRET})],
    }
    return db_rules.Rule(**(fields | changes))


@pytest.mark.parametrize('sensitive', [False, True])
def test_a_broken_rule_fails_what_it_would_apply_to(nodes: Nodes, sensitive: bool) -> None:
    info = nodes.enrol()
    rule = compiled.compile_any(stored(sensitive=sensitive), documents.plugins())
    assert isinstance(rule, compiled.BrokenRule)
    facts = Facts(DATA, info.fields)
    for work in (lambda: rule.holds(info, facts), lambda: rule.explain(info, facts), lambda: rule.apply(info, facts)):
        with pytest.raises(utils.Error) as failure:
            work()
        assert str(failure.value).startswith(
            f'Introspection rule {UUID} cannot be used: correct, disable or delete it: '
        )
        assert ('actions[0] (gone): there is no such plug-in installed' in str(failure.value)) is not sensitive


@pytest.mark.parametrize(
    'changes',
    [
        {'disabled': True},
        {'scope': 'elsewhere'},
        {'conditions': [db_rules.Condition('eq', 'memory_mb', {'value': 1})]},
    ],
)
def test_a_broken_rule_leaves_others_alone(nodes: Nodes, changes: dict[str, Any]) -> None:
    info = nodes.enrol()
    rule = compiled.compile_any(stored(**changes), documents.plugins())
    assert not rule.holds(info, Facts(DATA, info.fields))


def test_a_broken_condition_fails_all_nodes(nodes: Nodes) -> None:
    info = nodes.enrol()
    conditions = [db_rules.Condition('gone', 'memory_mb', {}), db_rules.Condition('eq', 'memory_mb', {'value': 1})]
    rule = compiled.compile_any(stored(conditions=conditions), documents.plugins())
    with pytest.raises(utils.Error, match=r'conditions\[0\] \(gone\): there is no such plug-in'):
        rule.holds(info, Facts(DATA, info.fields))


# Anything at all


NAMES = sorted(documents.plugins().conditions)
ACTIONS = sorted(documents.plugins().actions)
TEXTS = st.sampled_from(
    ['{data[a]}', '{item}', '{item[a]}', '{data[b]:>9}', '{node[uuid]}', '/extra/{item}', '{', 'a', '/extra/a',
     '/extra/a/b', 'extra', '/', '~5', '/driver', 'a/-', '52:54:00:aa:bb:01', '192.0.2.0/24', '(a', 'a|b', '1', 'info']
)  # fmt: skip
MOSTLY_TEXTS = st.one_of(TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, arbitrary.JSON)
VALUES = TEXTS | arbitrary.JSON
PATHS = arbitrary_rules.PATHS | st.builds(
    '{}://{}'.format, st.sampled_from(['data', 'node', 'item', 'x']), arbitrary_rules.PATHS
)
LOOPS = st.none() | PATHS | st.lists(VALUES, max_size=3) | st.dictionaries(TEXTS, VALUES, max_size=2)
CONDITIONS = st.fixed_dictionaries(
    {'op': st.sampled_from(NAMES), 'field': PATHS},
    optional={
        'value': VALUES | st.lists(VALUES, max_size=2),
        'multiple': st.sampled_from(['any', 'all', 'first']),
        'invert': st.booleans(),
        'loop': LOOPS,
    },
)
ANY_ACTIONS = st.fixed_dictionaries(
    {'action': st.sampled_from(ACTIONS)},
    optional={
        'unique': st.booleans() | VALUES,
        'loop': LOOPS,
    },
)
PARAMETERS = st.fixed_dictionaries(dict.fromkeys(('path', 'value', 'name', 'message', 'port_id'), MOSTLY_TEXTS))
RULES = st.fixed_dictionaries(
    {
        'actions': st.lists(
            st.builds(lambda *parts: parts[0] | parts[1], PARAMETERS, ANY_ACTIONS), min_size=1, max_size=2
        )
    },
    optional={'conditions': st.lists(CONDITIONS, max_size=2), 'sensitive': st.booleans()},
)
FOUND = st.dictionaries(st.sampled_from(['a', 'b', 'x']), arbitrary_rules.DOCUMENTS, max_size=3)


def fitting(action: dict[str, Any]) -> dict[str, Any]:
    """Return an action with those of its parameters that it takes, so that more of them are valid."""
    plugin = documents.plugins().actions[action['action']]
    known = {'action', 'loop', *plugin.REQUIRED_PARAMS, *plugin.OPTIONAL_PARAMS}
    return {key: value for key, value in action.items() if key in known}


@given(RULES, FOUND)
@arbitrary.SETTINGS
def test_any_rule_on_any_data(nodes: Nodes, document: dict[str, Any], data: dict[str, Any]) -> None:
    document = document | {'actions': [fitting(action) for action in document['actions']]}
    before = copy.deepcopy(document)
    installed = documents.plugins()
    try:
        written = documents.parse(document)
        rule = compiled.Rule(written, installed)
    except definition.InvalidRule:
        return
    json.dumps(definition.as_json(written, extended=True))
    nodes.ironic.reset()
    info = nodes.enrol(ports={'52:54:00:aa:bb:01': {}})
    facts = Facts(data, info.fields)
    with contextlib.suppress(utils.Error):
        holds = rule.holds(info, facts)
        assert holds == (all(outcome.holds for outcome in rule.explain(info, facts)) and rule.is_for(facts))
        rule.apply(info, facts)
    json.dumps(data)
    assert repr(document) == repr(before)
    assert documents.parse(before | {'uuid': written.uuid}) == written
