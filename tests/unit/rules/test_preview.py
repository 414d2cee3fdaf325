"""What rules would do, told without doing it."""

from __future__ import annotations

from collections.abc import Iterable
import copy
import dataclasses
import json
from typing import Any

from hypothesis import given
import pytest

from ironic_inspector import utils
from ironic_inspector.db import engine
from ironic_inspector.plugins import base
from ironic_inspector.rules import compiled
from ironic_inspector.rules import definition
from ironic_inspector.rules import preview
from ironic_inspector.rules.facts import Facts
from tests.unit.plugins import arbitrary
from tests.unit.plugins.nodes import Nodes
from tests.unit.rules import documents
from tests.unit.rules import test_compiled
from tests.unit.rules.documents import ACTION
from tests.unit.rules.documents import CONDITION
from tests.unit.rules.documents import UUID
from tests.unit.rules.documents import ready

MAC = '52:54:00:aa:bb:01'
SECRET = 'hunter2'
NOTHING: dict[str, Any] = {
    'node': [],
    'reset_interfaces': False,
    'ports': [],
    'created_ports': [],
    'deleted_ports': [],
    'added_traits': [],
    'removed_traits': [],
    'data': [],
}
UNTOLD = 'it is sensitive, so no more is told'


class Options(base.RuleActionPlugin):
    """Does what goes to the database at once in a real application."""

    CAN_BE_PREVIEWED = True

    def apply(self, node_info: Any, params: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        node_info.set_option('x', {'y': 1})
        assert node_info.options['x'] == {'y': 1}
        node_info.add_attribute('mac', MAC)
        node_info.set_attributes({'mac': [MAC]})
        node_info.invalidate_cache()


class Foreign(base.RuleActionPlugin):
    """Does more than change the node, as actions that were written for 12.5 may."""

    def apply(self, node_info: Any, params: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        raise AssertionError('It has been carried out')


@pytest.fixture
def database(nodes: Nodes) -> engine.Database:
    """A database without tables: nobody may look into it."""
    return nodes._database


def previewed(
    nodes: Nodes,
    database: engine.Database,
    rules: Iterable[compiled.AnyRule],
    data: dict[str, Any] | None = None,
    *,
    even_disabled: bool = False,
    **fields: Any,
) -> dict[str, Any]:
    """Preview rules on a new node with a port and return what is told; nothing may be written meanwhile."""
    nodes.ironic.reset()
    info = nodes.enrol(ports={MAC: {'extra': {'a': 1}}}, **fields)
    before = nodes.ironic.node(info.uuid), nodes.ironic.ports(info.uuid)
    data = {'a': 1, 'list': [1]} if data is None else data
    sent, since = copy.deepcopy(data), nodes.ironic.mark()
    node = preview.PreviewedNode.of_node(nodes.client.get_node(info.uuid), database, nodes.client)
    report = preview.preview(rules, node, data, even_disabled=even_disabled)
    assert (nodes.ironic.node(info.uuid), nodes.ironic.ports(info.uuid)) == before
    assert nodes.ironic.count('GET', since=since) == nodes.ironic.count(since=since)
    assert repr(data) == repr(sent)
    json.dumps(report)
    return report


def test_a_rule_that_applies(nodes: Nodes, database: engine.Database) -> None:
    rule = ready(
        {'action': 'set-attribute', 'path': '/extra/x', 'value': '{data[a]}'},
        {'action': 'add-trait', 'name': 'CUSTOM_X'},
        {'action': 'remove-trait', 'name': 'CUSTOM_Y'},
        {'action': 'set-port-attribute', 'port_id': MAC, 'path': '/extra/b', 'value': 2},
        {'action': 'set-data', 'path': '/list/-', 'value': 2},
        conditions=[{'op': 'ge', 'field': 'list[*]', 'value': 1}],
        uuid=UUID,
        priority=3,
    )
    report = previewed(nodes, database, [rule])
    (told,) = report['rules']
    (port,) = told['changes'].pop('ports')
    assert port['patch'] == [{'op': 'add', 'path': '/extra/b', 'value': 2}]
    assert report == {
        'rules': [
            definition.as_json(rule.written, extended=True)
            | {
                'conditions': [
                    {'op': 'ge', 'field': 'list[*]', 'multiple': 'any', 'invert': False, 'value': 1,
                     'values': [1], 'results': [True], 'result': True, 'error': None}
                ],
                'in_scope': True,
                'applies': True,
                'error': None,
                'changes': {
                    'node': [{'op': 'add', 'path': '/extra/x', 'value': '1'}],
                    'reset_interfaces': False,
                    'created_ports': [],
                    'deleted_ports': [],
                    'added_traits': ['CUSTOM_X'],
                    'removed_traits': ['CUSTOM_Y'],
                    'data': [{'op': 'add', 'path': '/list/1', 'value': 2}],
                },
            }
        ],
        'error': None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ('changes', 'in_scope'),
    [
        ({'conditions': [CONDITION]}, True),
        ({'conditions': [{'op': 'is-empty', 'field': 'missing'}, CONDITION]}, True),
        ({'scope': 'elsewhere'}, False),
        ({'disabled': True}, True),
    ],
)
def test_a_rule_that_does_not(nodes: Nodes, database: engine.Database, changes: dict[str, Any], in_scope: bool) -> None:
    (told,) = previewed(nodes, database, [ready(**changes)])['rules']
    assert (told['in_scope'], told['applies'], told['changes'], told['error']) == (in_scope, False, None, None)


def test_a_rule_that_is_disabled_can_be_tried(nodes: Nodes, database: engine.Database) -> None:
    (told,) = previewed(nodes, database, [ready(disabled=True)], even_disabled=True)['rules']
    assert told['applies']
    assert told['changes']['node'] == [{'op': 'add', 'path': '/extra/rule', 'value': 'applied'}]


def test_each_rule_has_changes_of_its_own(nodes: Nodes, database: engine.Database) -> None:
    unset = [{'op': 'is-empty', 'field': 'node://extra.rule'}]
    rules = [
        ready(conditions=unset),
        ready(ACTION),
        ready(ACTION | {'path': '/extra/more', 'value': '{node[extra][rule]}'}, conditions=unset),
    ]
    told = previewed(nodes, database, rules)['rules']
    assert [each['changes']['node'] for each in told] == [
        [{'op': 'add', 'path': '/extra/rule', 'value': 'applied'}],
        [],
        [{'op': 'add', 'path': '/extra/more', 'value': 'applied'}],
    ]


def test_a_change_of_the_driver(nodes: Nodes, database: engine.Database) -> None:
    driver = {'action': 'set-attribute', 'path': '/driver', 'value': 'ipmi'}
    told = previewed(nodes, database, [ready(driver), ready()])['rules']
    assert [each['changes']['reset_interfaces'] for each in told] == [True, False]


def test_a_rule_that_fails_ends_it(nodes: Nodes, database: engine.Database) -> None:
    rules = [
        ready(),
        ready(ACTION | {'path': '/extra/x'}, {'action': 'fail', 'message': 'enough'}, ACTION | {'path': '/extra/y'}),
        ready(ACTION | {'path': '/extra/z'}),
    ]
    report = previewed(nodes, database, rules)
    assert report['error'] == 'enough'
    assert [each['error'] for each in report['rules']] == [None, 'enough', None]
    assert [each['applies'] for each in report['rules']] == [True, True, True]
    changes = [each['changes'] and each['changes']['node'] for each in report['rules']]
    assert changes[1] == [{'op': 'add', 'path': '/extra/x', 'value': 'applied'}]
    assert changes[2] is None


def test_a_condition_that_cannot_be_checked(nodes: Nodes, database: engine.Database) -> None:
    slow = {'op': 'contains', 'field': 'text', 'value': '(a|aa)+$'}
    data = {'text': 'a' * 100 + '!'}
    report = previewed(nodes, database, [ready(), ready(conditions=[slow], uuid=UUID)], data)
    assert report['error'].startswith(f'Introspection rule {UUID} failed: The regular expression')
    assert [each['changes'] for each in report['rules']] == [None, None]
    (condition,) = report['rules'][1]['conditions']
    assert (condition['values'], condition['results'], condition['result']) == ([], [], False)
    assert condition['error'] == report['rules'][1]['error'] == report['error']
    # One before it that does not hold spares it.
    report = previewed(nodes, database, [ready(conditions=[CONDITION, slow])], data)
    assert report['error'] is report['rules'][0]['error'] is None
    assert report['rules'][0]['conditions'][1]['error']
    # And so does a scope.
    assert previewed(nodes, database, [ready(conditions=[slow], scope='elsewhere')], data)['error'] is None


def test_a_rule_that_cannot_be_used(nodes: Nodes, database: engine.Database) -> None:
    broken = compiled.compile_any(test_compiled.stored(conditions=()), documents.plugins())
    report = previewed(nodes, database, [broken, ready()])
    assert 'there is no such plug-in installed' in report['error']
    assert [each['applies'] for each in report['rules']] == [False, True]
    assert [each['changes'] for each in report['rules']] == [None, None]
    disabled = compiled.compile_any(test_compiled.stored(disabled=True), documents.plugins())
    assert previewed(nodes, database, [disabled])['error'] is None


def test_nothing_goes_to_the_database(nodes: Nodes, database: engine.Database) -> None:
    options = ready({'action': 'set-options'}, installed=documents.plugins(set_options=Options()))
    info = nodes.enrol()
    node = preview.PreviewedNode.of_node(nodes.client.get_node(info.uuid), database, nodes.client)
    node._options = {}
    report = preview.preview([options, ready()], node, {})
    assert report['error'] is None
    assert report['rules'][1]['changes']['node']


def test_without_a_node(nodes: Nodes, database: engine.Database) -> None:
    rules = [
        ready(),
        ready({'action': 'set-capability', 'name': 'a', 'value': 'b'}),
        ready({'action': 'set-attribute', 'path': '/driver_info/address', 'value': '{data[a]}'}),
        ready(conditions=[{'op': 'is-empty', 'field': 'node://name'}]),
        ready(scope='some'),
    ]
    since = nodes.ironic.mark()
    node = preview.PreviewedNode.of_nothing(database, nodes.client)
    report = preview.preview(rules, node, {'a': 1})
    assert nodes.ironic.count(since=since) == 0
    assert report['error'] is None
    assert [each['applies'] for each in report['rules']] == [True, True, True, True, False]
    assert report['rules'][1]['changes']['node'] == [{'op': 'add', 'path': '/properties/capabilities', 'value': 'a:b'}]
    port = ready({'action': 'set-port-attribute', 'port_id': MAC, 'path': '/extra/b', 'value': 2})
    assert 'the node has no port' in preview.preview([port], node, {})['error']


# Secrets


def test_a_sensitive_rule_shows_no_values(nodes: Nodes, database: engine.Database) -> None:
    rule = ready(
        {'action': 'set-attribute', 'path': '/driver_info/password', 'value': SECRET},
        {'action': 'set-attribute', 'path': '/extra/nested', 'value': {'x': [SECRET]}},
        {'action': 'add-trait', 'name': f'CUSTOM_{SECRET}'},
        {'action': 'remove-trait', 'name': f'CUSTOM_{SECRET}_2'},
        {'action': 'set-port-attribute', 'port_id': MAC, 'path': '/extra/b', 'value': SECRET},
        {'action': 'set-data', 'path': '/y', 'value': SECRET},
        conditions=[{'op': 'eq', 'field': 'x', 'value': SECRET}],
        sensitive=True,
    )
    report = previewed(nodes, database, [rule], {'x': SECRET})
    assert SECRET not in json.dumps(report)
    (told,) = report['rules']
    assert told['applies']
    assert told['conditions'][0]['values'] == told['conditions'][0]['value'] == '***'
    assert told['changes']['node'] == [
        {'op': 'add', 'path': '/driver_info/password', 'value': '***'},
        {'op': 'add', 'path': '/extra/nested', 'value': '***'},
    ]
    assert told['changes']['data'] == [{'op': 'add', 'path': '/y', 'value': '***'}]


def test_a_rule_after_a_sensitive_one_shows_none_either(nodes: Nodes, database: engine.Database) -> None:
    rules = [
        ready(ACTION | {'path': '/extra/before', 'value': 'open'}),
        ready(ACTION | {'path': '/extra/a', 'value': {'password': SECRET}}, sensitive=True),
        # The whole of /extra/a is written.
        ready(ACTION | {'path': '/extra/a/b', 'value': 1}),
    ]
    report = previewed(nodes, database, rules)
    assert SECRET not in json.dumps(report)
    assert [each['changes']['node'][0]['value'] for each in report['rules']] == ['open', '***', '***']


def test_a_sensitive_rule_does_not_say_why_it_fails(nodes: Nodes, database: engine.Database) -> None:
    rules = [
        ready({'action': 'fail', 'message': SECRET}, sensitive=True),
        ready(conditions=[{'op': 'contains', 'field': 'x', 'value': f'{SECRET}|(a|aa)+$'}], sensitive=True),
        compiled.compile_any(test_compiled.stored(sensitive=True, conditions=()), documents.plugins()),
    ]
    for rule in rules:
        report = previewed(nodes, database, [rule], {'x': 'a' * 100 + '!'})
        assert SECRET not in json.dumps(report)
        assert report['error'].endswith(UNTOLD)


# The same as in earnest


@given(test_compiled.RULES, test_compiled.FOUND)
@arbitrary.SETTINGS
def test_what_is_told_is_what_happens(nodes: Nodes, document: dict[str, Any], data: dict[str, Any]) -> None:
    document = document | {'actions': [test_compiled.fitting(action) for action in document['actions']]}
    try:
        written = dataclasses.replace(documents.parse(document), sensitive=False)
        rule = compiled.Rule(written, documents.plugins())
    except definition.InvalidRule:
        return
    nodes.ironic.reset()
    info = nodes.enrol(ports={MAC: {}})
    node = preview.PreviewedNode.of_node(nodes.client.get_node(info.uuid), nodes._database, nodes.client)
    report = preview.preview([rule], node, data)
    (told,) = report['rules']
    json.dumps(report)

    facts = Facts(copy.deepcopy(data), info.fields)
    error = None
    try:
        if rule.holds(info, facts):
            assert told['applies']
            rule.apply(info, facts)
        else:
            assert not told['applies']
    except utils.Error as failure:
        error = str(failure)
    assert report['error'] == error
    changes = told['changes'] or NOTHING
    done = info.changes()
    assert changes['node'] == done.node
    assert {port['uuid']: port['patch'] for port in changes['ports']} == done.ports
    assert sorted(changes['added_traits']) == sorted(done.added_traits)
    assert bool(changes['data']) == (repr(facts.data) != repr(data))


def test_actions_that_may_do_more_are_not_carried_out(nodes: Nodes, database: engine.Database) -> None:
    foreign = ready({'action': 'foreign'}, ACTION, installed=documents.plugins(foreign=Foreign()))
    report = previewed(nodes, database, [foreign, ready()])
    first, second = report['rules']
    assert (first['applies'], first['changes'], report['error']) == (True, None, None)
    assert 'foreign cannot be previewed' in first['error']
    assert second['changes']['node']
