"""What rules do to nodes when a ramdisk calls back, and when data are reapplied."""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
from typing import Any

import pytest

from ironic_inspector.db import engine
from ironic_inspector.rules.book import RuleBook
from tests.functional.lab import Lab
from tests.functional.lab import Machine
from tests.functional.lab import message
from tests.functional.rules import ACTION
from tests.functional.rules import UUID
from tests.functional.rules import ask
from tests.functional.rules import create
from tests.functional.rules import no_rules
from tests.unit.plugins.nodes import configuration
from tests.unit.rules import documents

__all__ = ['no_rules']

pytestmark = pytest.mark.usefixtures('no_rules')

Json = dict[str, Any]

SECRET = 'hunter2-in-a-rule'
ON_PORT: Json = {'action': 'set-port-attribute', 'port_id': '{data[boot_interface]}', 'value': 1}
VALUES: Json = {
    'number': 5,
    'numbers': [1, 5, 9],
    'text': 'Vendor Inc.',
    'address': '192.0.2.7',
    'flags': ['aes', 'vmx'],
    'nothing': None,
    'empty': [],
    'yes': True,
    'no': 'no',
    'disks': [{'name': 'sda', 'size': 10}, {'name': 'sdb', 'size': 20}],
    'named': {'a': {'n': 1}, 'b': {'n': 2}},
}


def applied(lab: Lab, machine: Machine | None = None) -> bool:
    """Introspect a machine, and tell whether the rule with ACTION was applied to it."""
    machine = lab.finished(machine, **VALUES)
    return bool(lab.ironic.node(machine.uuid)['extra'].get('rule') == 'applied')


def fail(lab: Lab, machine: Machine | None = None, **fields: Any) -> tuple[Machine, str]:
    """Introspect a machine that rules fail, and return it with its error."""
    machine = machine or lab.waiting(**fields)
    answer = lab.call_back(machine.data(**VALUES))
    assert answer.status_code == 400, answer.text
    status = lab.status(machine)
    assert status['state'] == 'error'
    assert message(answer) == status['error']
    return machine, str(status['error'])


# Conditions


@pytest.mark.parametrize(
    ('condition', 'holds'),
    [
        ({'op': 'eq', 'field': 'number', 'value': 5}, True),
        ({'op': 'ne', 'field': 'number', 'value': 5}, False),
        ({'op': 'lt', 'field': 'number', 'value': 6}, True),
        ({'op': 'le', 'field': 'number', 'value': 4}, False),
        ({'op': 'gt', 'field': 'number', 'value': 4}, True),
        ({'op': 'ge', 'field': 'number', 'value': 6}, False),
        ({'op': 'in-net', 'field': 'address', 'value': '192.0.2.0/24'}, True),
        ({'op': 'in-net', 'field': 'address', 'value': '198.51.100.0/24'}, False),
        ({'op': 'matches', 'field': 'text', 'value': 'Vendor.*'}, True),
        ({'op': 'matches', 'field': 'text', 'value': 'Vendor'}, False),
        ({'op': 'contains', 'field': 'flags', 'value': 'vmx'}, True),
        ({'op': 'contains', 'field': 'flags', 'value': 'svm'}, False),
        ({'op': 'is-empty', 'field': 'empty'}, True),
        ({'op': 'is-empty', 'field': 'missing'}, True),
        ({'op': 'is-empty', 'field': 'text'}, False),
        ({'op': 'is-none', 'field': 'nothing'}, True),
        ({'op': 'is-none', 'field': 'empty'}, False),
        ({'op': 'is-true', 'field': 'yes'}, True),
        ({'op': 'is-true', 'field': 'no'}, False),
        ({'op': 'is-false', 'field': 'no'}, True),
        ({'op': 'is-false', 'field': 'yes'}, False),
        ({'op': 'one-of', 'field': 'number', 'value': [4, 5]}, True),
        ({'op': 'one-of', 'field': 'number', 'value': ['5']}, False),
        # What cannot be compared fulfils nothing, and fails nothing.
        ({'op': 'lt', 'field': 'text', 'value': 6}, False),
        ({'op': 'lt', 'field': 'text', 'value': 6, 'invert': True}, False),
        ({'op': 'in-net', 'field': 'number', 'value': '::/0'}, False),
        ({'op': 'in-net', 'field': 'number', 'value': '::/0', 'invert': True}, False),
        # Several values.
        ({'op': 'ge', 'field': 'numbers[*]', 'value': 5}, True),
        ({'op': 'ge', 'field': 'numbers[*]', 'value': 5, 'multiple': 'all'}, False),
        ({'op': 'ge', 'field': 'numbers[*]', 'value': 5, 'multiple': 'first'}, False),
        ({'op': 'ge', 'field': 'numbers[*]', 'value': 5, 'multiple': 'first', 'invert': True}, True),
        ({'op': 'ge', 'field': 'numbers[*]', 'value': 5, 'multiple': 'all', 'invert': True}, False),
        ({'op': 'eq', 'field': 'missing', 'value': 5, 'invert': True}, False),
        # The node, as the hooks have left it.
        ({'op': 'eq', 'field': 'node://properties.cpus', 'value': 80}, True),
        ({'op': 'eq', 'field': 'node://provision_state', 'value': 'manageable'}, True),
        ({'op': 'eq', 'field': 'node://is_maintenance', 'value': False}, True),
        ({'op': 'eq', 'field': 'data://cpus', 'value': 80}, True),
        # Loops.
        ({'op': 'gt', 'field': 'item://size', 'value': 15, 'loop': 'data://disks'}, True),
        ({'op': 'gt', 'field': 'item://size', 'value': 15, 'loop': 'data://disks', 'multiple': 'all'}, False),
        ({'op': 'eq', 'field': 'item://key', 'value': 'b', 'loop': 'data://named'}, True),
        ({'op': 'eq', 'field': 'number', 'value': '{item}', 'loop': ['5']}, False),
        ({'op': 'eq', 'field': 'text', 'value': '{item} Inc.', 'loop': ['Other', 'Vendor']}, True),
    ],
)
def test_conditions(lab: Lab, condition: Json, holds: bool) -> None:
    create(lab, ACTION, conditions=[condition])
    assert applied(lab) is holds


def test_the_rule_applies_where_all_conditions_hold(lab: Lab) -> None:
    holds, does_not = {'op': 'eq', 'field': 'number', 'value': 5}, {'op': 'eq', 'field': 'number', 'value': 6}
    for conditions, expected in (([], True), ([holds, holds], True), ([holds, does_not], False)):
        create(lab, ACTION, conditions=conditions, uuid=UUID)
        assert applied(lab) is expected
        ask(lab, 'DELETE', f'/{UUID}')


def test_scopes(lab: Lab) -> None:
    scopes = {'everywhere': None, 'nothing': '', 'here': 'here', 'there': 'there'}
    for name, scope in scopes.items():
        create(lab, ACTION | {'path': f'/extra/{name}'}, scope=scope)
    for properties, expected in (
        ({'inspection_scope': 'here'}, {'everywhere', 'nothing', 'here'}),
        ({'inspection_scope': 'elsewhere'}, {'everywhere', 'nothing'}),
        ({}, {'everywhere', 'nothing'}),
    ):
        machine = lab.finished(lab.machine(properties=properties))
        assert lab.ironic.node(machine.uuid)['extra'].keys() == expected


# Actions


def test_each_action_on_a_node(lab: Lab) -> None:
    create(
        lab,
        {'action': 'set-attribute', 'path': 'extra/text', 'value': '{data[text]} in {node[name]}'},
        {
            'action': 'set-attribute',
            'path': '/extra/deep',
            'value': {'{data[number]}': ['{data[disks][0][name]:>5}', 7]},
        },
        {'action': 'set-attribute', 'path': '/extra/null', 'value': None},
        {'action': 'extend-attribute', 'path': '/extra/list', 'value': '{data[number]}'},
        {'action': 'extend-attribute', 'path': '/extra/list', 'value': '{data[number]}', 'unique': True},
        {'action': 'set-capability', 'name': 'vendor', 'value': '{data[text]}'},
        {'action': 'unset-capability', 'name': 'old'},
        {'action': 'add-trait', 'name': 'CUSTOM_NEW'},
        {'action': 'remove-trait', 'name': 'CUSTOM_OLD'},
        {'action': 'remove-trait', 'name': 'CUSTOM_MISSING'},
        {'action': 'del-attribute', 'path': '/extra/unwanted'},
        {'action': 'del-attribute', 'path': '/extra/missing'},
    )
    properties = {'capabilities': 'old:1,kept:2'}
    machine = lab.machine(extra={'unwanted': 1, 'kept': 2}, properties=properties, traits=['CUSTOM_OLD', 'CUSTOM_KEPT'])
    lab.finished(machine, **VALUES)
    node = lab.ironic.node(machine.uuid)
    assert node['extra'] == {
        'kept': 2,
        'text': f'Vendor Inc. in {machine.name}',
        'deep': {'5': ['  sda', 7]},
        'null': None,
        'list': ['5'],
    }
    assert 'kept:2' in node['properties']['capabilities']
    assert 'vendor:Vendor Inc.' in node['properties']['capabilities']
    assert 'old:1' not in node['properties']['capabilities']
    assert sorted(node['traits']) == ['CUSTOM_KEPT', 'CUSTOM_NEW']


@pytest.mark.parametrize('more', [{}, {'reset_interfaces': False}])
def test_a_new_driver(lab: Lab, more: Json) -> None:
    create(lab, {'action': 'set-attribute', 'path': '/driver', 'value': 'redfish', **more})
    machine = lab.waiting()
    since = lab.ironic.mark()
    assert lab.call_back(machine.data()).status_code == 200
    lab.reached(machine, 'finished')
    assert lab.ironic.node(machine.uuid)['driver'] == 'redfish'
    queries = [call.query for call in lab.calls(machine, since) if call.method == 'PATCH']
    assert len(queries) == 2
    assert ('reset_interfaces' in queries[1]) is (not more)


def test_a_driver_that_the_node_has_already(lab: Lab) -> None:
    create(
        lab,
        {'action': 'set-attribute', 'path': '/driver', 'value': 'redfish'},
        {'action': 'set-attribute', 'path': '/extra/run', 'value': '{data[run]}'},
    )
    machine = lab.finished(run=1)
    lab.finished(machine, run=2)
    node = lab.ironic.node(machine.uuid)
    assert (node['driver'], node['extra']['run']) == ('redfish', '2')


def test_actions_on_ports(lab: Lab) -> None:
    create(
        lab,
        {'action': 'set-port-attribute', 'loop': 'data://inventory.interfaces',
         'port_id': '{item[mac_address]}', 'path': '/extra/{item[name]}', 'value': 'seen'},
        {'action': 'extend-port-attribute', 'port_id': '{data[macs][0]}', 'path': '/extra/list', 'value': 1},
        ON_PORT | {'path': 'physical_network', 'value': 'net'},
        {'action': 'del-port-attribute', 'port_id': '{data[boot_interface]}', 'path': '/extra/unwanted'},
    )  # fmt: skip
    machine = lab.machine(port=False)
    lab.ironic.add_port(machine.uuid, machine.mac, extra={'unwanted': 1, 'kept': 2})
    machine = lab.finished(machine)
    (port,) = lab.ironic.ports(machine.uuid)
    name = machine.data()['inventory']['interfaces'][0]['name']
    assert port['extra'] == {'kept': 2, name: 'seen', 'list': [1]}
    assert port['physical_network'] == 'net'


def test_actions_on_the_data(lab: Lab) -> None:
    create(
        lab,
        {'action': 'set-data', 'path': '/verdict', 'value': {'size': '{data[number]}'}},
        {'action': 'unset-data', 'path': '/disks'},
        {'action': 'unset-data', 'path': '/missing'},
        {'action': 'set-attribute', 'path': '/extra/verdict', 'value': '{data[verdict][size]}'},
    )
    machine = lab.finished(**VALUES)
    kept = lab.data(machine).json()
    assert kept['verdict'] == {'size': '5'}
    assert 'disks' not in kept
    assert kept['macs'] == [machine.mac]
    # What the ramdisk sent stays as it was sent.
    sent = lab.data(machine, processed=False).json()
    assert 'verdict' not in sent
    assert sent['disks'] == VALUES['disks']
    assert lab.ironic.node(machine.uuid)['extra'] == {'verdict': '5'}


def test_log(lab: Lab) -> None:
    create(lab, {'action': 'log', 'message': 'Seen: {data[text]}', 'level': 'warning'})
    machine = lab.finished(**VALUES)
    (line,) = lab.log_of('Seen: Vendor Inc.')
    assert machine.uuid in line
    assert 'WARNING' in line


def test_loops_in_actions(lab: Lab) -> None:
    create(
        lab,
        {'action': 'set-attribute', 'loop': 'data://disks', 'path': '/extra/{item[name]}', 'value': '{item[size]}'},
        {'action': 'add-trait', 'loop': ['A', 'B'], 'name': 'CUSTOM_{item}'},
        {'action': 'set-capability', 'loop': {'x': 1, 'y': 2}, 'name': '{item[key]}', 'value': '{item[value]}'},
        {'action': 'fail', 'loop': 'data://empty', 'message': 'never'},
    )
    node = lab.ironic.node(lab.finished(**VALUES).uuid)
    assert node['extra'] == {'sda': '10', 'sdb': '20'}
    assert sorted(node['traits']) == ['CUSTOM_A', 'CUSTOM_B']
    assert {'x:1', 'y:2'} <= set(node['properties']['capabilities'].split(','))


def test_a_loop_whose_items_have_fields(lab: Lab) -> None:
    create(
        lab,
        {
            'action': 'set-attribute',
            'loop': [{'to': 'vendor', 'what': '{data[text]}'}, {'to': 'first', 'what': '{data[disks][0][name]}'}],
            'path': '/extra/{item[to]}',
            'value': '{item[what]}',
        },
    )
    node = lab.ironic.node(lab.finished(**VALUES).uuid)
    assert node['extra'] == {'vendor': 'Vendor Inc.', 'first': 'sda'}


# Which apply, and when


def test_priority_and_then_age_decide_the_order(lab: Lab) -> None:
    for name, priority in (('a', 0), ('b', 5), ('c', 0), ('d', -5), ('e', 5)):
        create(lab, {'action': 'extend-attribute', 'path': '/extra/order', 'value': name}, priority=priority)
    machine = lab.finished()
    assert lab.ironic.node(machine.uuid)['extra']['order'] == ['b', 'e', 'a', 'c', 'd']


def test_rules_are_chosen_before_any_is_applied(lab: Lab) -> None:
    unset = {'op': 'is-empty', 'field': 'node://extra.rule'}
    create(lab, ACTION, conditions=[unset])
    create(lab, ACTION | {'path': '/extra/second'}, conditions=[unset])
    create(lab, ACTION | {'path': '/extra/never'}, conditions=[unset | {'invert': True}])
    machine = lab.finished()
    assert lab.ironic.node(machine.uuid)['extra'] == {'rule': 'applied', 'second': 'applied'}
    # The second time it is another node.
    lab.finished(machine)
    assert lab.ironic.node(machine.uuid)['extra'].keys() == {'rule', 'second', 'never'}


def test_a_disabled_rule_does_nothing(lab: Lab) -> None:
    create(lab, ACTION, disabled=True, uuid=UUID)
    assert not applied(lab)
    ask(lab, 'PATCH', f'/{UUID}', json={'disabled': False})
    assert applied(lab)
    ask(lab, 'PATCH', f'/{UUID}', json={'disabled': True})
    assert not applied(lab)


def test_reapplying(lab: Lab) -> None:
    machine = lab.finished(**VALUES)
    create(lab, ACTION | {'value': '{data[text]}'}, {'action': 'set-data', 'path': '/again', 'value': True})
    assert lab.reapply(machine).status_code == 202
    lab.reached(machine, 'finished')
    assert lab.ironic.node(machine.uuid)['extra'] == {'rule': 'Vendor Inc.'}
    assert lab.data(machine).json()['again'] is True
    assert lab.reapply(machine, json=machine.data(text='Other')).status_code == 202
    lab.reached(machine, 'finished')
    assert lab.ironic.node(machine.uuid)['extra'] == {'rule': 'Other'}


# Writing


def test_what_rules_set_is_written_together(lab: Lab) -> None:
    for number in range(3):
        create(lab, *[ACTION | {'path': f'/extra/{number}{name}'} for name in 'abc'])
    create(lab, ON_PORT | {'path': '/extra/x'}, ON_PORT | {'path': '/extra/y'})
    machine = lab.waiting()
    since = lab.ironic.mark()
    assert lab.call_back(machine.data()).status_code == 200
    lab.reached(machine, 'finished')
    assert lab.summary(machine, since) == [
        'GET /v1/nodes/{node}',
        'GET /v1/ports/detail',
        'PATCH /v1/nodes/{node}',
        'PATCH /v1/nodes/{node}',
        'PUT /v1/nodes/{node}/states/power',
    ]
    (port,) = lab.ironic.ports(machine.uuid)
    assert lab.ironic.count('PATCH', f'/v1/ports/{port["uuid"]}', since=since) == 1
    assert len(lab.ironic.node(machine.uuid)['extra']) == 9


@pytest.mark.parametrize('rule', [{'conditions': [{'op': 'eq', 'field': 'missing', 'value': 1}]}, {'disabled': True}])
def test_rules_that_do_not_apply_cost_no_call(lab: Lab, rule: Json) -> None:
    create(lab, **rule)
    machine = lab.waiting()
    since = lab.ironic.mark()
    assert lab.call_back(machine.data()).status_code == 200
    lab.reached(machine, 'finished')
    assert lab.summary(machine, since).count('PATCH /v1/nodes/{node}') == 1


def test_rules_that_change_nothing_cost_no_call(lab: Lab) -> None:
    create(lab, ACTION)
    machine = lab.machine(extra={'rule': 'applied'})
    lab.waiting(machine)
    since = lab.ironic.mark()
    assert lab.call_back(machine.data()).status_code == 200
    lab.reached(machine, 'finished')
    assert lab.summary(machine, since).count('PATCH /v1/nodes/{node}') == 1


# Failures


def test_fail(lab: Lab) -> None:
    create(lab, {'action': 'fail', 'message': 'This machine is not ours'})
    machine, error = fail(lab)
    assert error == 'This machine is not ours'
    assert lab.ironic.node(machine.uuid)['properties']['cpus'] == '80'


def test_what_was_set_before_a_failure_is_written(lab: Lab) -> None:
    create(lab, ACTION, priority=1)
    create(lab, ACTION | {'path': '/extra/b'}, {'action': 'fail', 'message': 'no'}, ACTION | {'path': '/extra/c'})
    create(lab, ACTION | {'path': '/extra/d'}, priority=-1)
    machine, _error = fail(lab)
    assert lab.ironic.node(machine.uuid)['extra'] == {'rule': 'applied', 'b': 'applied'}


@pytest.mark.parametrize(
    ('action', 'reason'),
    [
        (ACTION | {'value': '{data[missing][x]}'}, '{data[missing][x]}: there is no data[missing]'),
        (ACTION | {'path': '/extra/x/y'}, 'The patch (add /extra/x/y) does not fit node'),
        ({'action': 'extend-attribute', 'path': '/name', 'value': 1}, '/name is no list that could be extended'),
        ({'action': 'set-data', 'path': '/missing/x', 'value': 1}, 'the data have no place /missing/x'),
        ({'action': 'set-port-attribute', 'port_id': 'x', 'path': 'x', 'value': 1}, 'the node has no port x'),
    ],
)
def test_the_rule_that_fails_names_itself(lab: Lab, action: Json, reason: str) -> None:
    create(lab, action, uuid=UUID, description='Marks it')
    _machine, error = fail(lab)
    assert error.startswith(f'Introspection rule {UUID} (Marks it) failed: ')
    assert reason in error
    assert lab.log_of('Traceback') == []


def test_a_regular_expression_that_would_take_years(lab: Lab) -> None:
    create(lab, conditions=[{'op': 'contains', 'field': 'evil', 'value': '(a|aa)+$'}], uuid=UUID)
    machine = lab.waiting()
    answer = lab.call_back(machine.data(evil='a' * 1000 + '!'))
    assert answer.status_code == 400
    assert f'Introspection rule {UUID} failed: The regular expression' in lab.status(machine)['error']


def test_what_was_set_before_a_failure_is_kept(lab: Lab) -> None:
    create(
        lab,
        ACTION,
        {'action': 'set-data', 'path': '/seen', 'value': True},
        {'action': 'fail', 'message': 'This machine is not ours'},
    )
    machine, _error = fail(lab)
    assert lab.ironic.node(machine.uuid)['extra']['rule'] == 'applied'
    assert lab.data(machine).json()['seen'] is True


def test_what_hooks_have_found_is_written_if_a_condition_fails(lab: Lab) -> None:
    create(lab, conditions=[{'op': 'contains', 'field': 'evil', 'value': '(a|aa)+$'}])
    machine = lab.waiting()
    assert lab.call_back(machine.data(evil='a' * 1000 + '!')).status_code == 400
    assert lab.status(machine)['state'] == 'error'
    assert lab.ironic.node(machine.uuid)['properties']['cpus'] == '80'


def test_a_text_that_is_too_long_to_search_fails_nothing(lab: Lab) -> None:
    create(lab, conditions=[{'op': 'contains', 'field': 'data://$', 'value': 'x'}])
    lab.finished(padding='x' * 300_000)


def test_what_ironic_refuses_of_a_port_fails_nothing(lab: Lab) -> None:
    machine = lab.machine(port=False)
    lab.ironic.add_port(machine.uuid, machine.mac, pxe_enabled=False)
    lab.waiting(machine)
    with lab.ironic.fail('PATCH', '/v1/ports/', 400) as failing:
        assert lab.call_back(machine.data()).status_code == 200
        lab.reached(machine, 'finished')
    assert failing.hits == 1


def test_what_ironic_refuses_names_the_rules(lab: Lab) -> None:
    create(lab, ACTION | {'path': '/no_such_field'}, uuid=UUID, description='Marks it')
    _machine, error = fail(lab)
    assert f'What introspection rules set (those that apply: {UUID} (Marks it)) failed: Ironic answered 400' in error


def test_a_rule_whose_plug_in_is_gone(lab: Lab) -> None:
    conditions = [{'op': 'eq', 'field': 'mark', 'value': 'concerned'}]
    create(lab, ACTION, uuid=UUID, conditions=conditions)
    lab.sql("UPDATE rule_actions SET action = 'gone'")
    lab.sql("UPDATE rules_version SET version = 'changed by hand'")
    machine = lab.waiting()
    assert lab.call_back(machine.data(mark='concerned')).status_code == 400
    error = lab.status(machine)['error']
    assert error.startswith(f'Introspection rule {UUID} cannot be used: correct, disable or delete it: ')
    assert 'actions[0] (gone): there is no such plug-in installed' in error
    # Others go their way, and so does this one as soon as the rule is disabled.
    lab.finished(mark='other')
    assert ask(lab, 'PATCH', f'/{UUID}', json={'priority': 1}).status_code == 400
    assert ask(lab, 'PATCH', f'/{UUID}', json={'disabled': True}).status_code == 200
    lab.finished(machine, mark='concerned')


def test_the_end_of_the_service_is_no_failure_of_the_node(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'graceful_shutdown_timeout': 1})
    create(lab, ON_PORT | {'path': '/extra/x'})
    machine = lab.waiting()
    with lab.ironic.fail('PATCH', '^/v1/ports/', 503) as failing, futures.ThreadPoolExecutor() as pool:
        answer = pool.submit(lab.call_back, machine.data())
        assert lab.ironic.wait_for(lambda: failing.hits, 20)
        assert lab.inspector.stop() == 0
        assert answer.result(30).status_code == 503
    assert lab.sql('SELECT state FROM nodes') == [('processing',)]
    lab.inspector.start()
    lab.reached(machine, 'finished')
    assert lab.ironic.ports(machine.uuid)[0]['extra'] == {'x': 1}


# Secrets


def test_secrets_do_not_get_out(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'debug': True})
    sensitive = {'sensitive': True}
    applies, refused, missing, failing = (
        create(lab, *actions, **sensitive, scope=scope, conditions=conditions)['uuid']
        for scope, actions, conditions in (
            ('applies', [
                {'action': 'set-attribute', 'path': '/driver_info/ipmi_password', 'value': SECRET},
                {'action': 'set-attribute', 'path': '/extra/password', 'value': {'x': SECRET}},
                {'action': 'set-capability', 'name': 'password', 'value': SECRET},
                {'action': 'set-data', 'path': '/password', 'value': SECRET},
            ], [{'op': 'ne', 'field': 'text', 'value': SECRET}, {'op': 'eq', 'field': 'number', 'value': 5}]),
            ('refused', [{'action': 'set-attribute', 'path': '/name', 'value': {SECRET: SECRET}}], []),
            ('missing', [{'action': 'set-attribute', 'path': '/extra/x', 'value': f'{{data[{SECRET}]}}'}], []),
            ('failing', [{'action': 'fail', 'message': SECRET}], []),
        )
    )  # fmt: skip
    machine = lab.waiting(properties={'inspection_scope': 'applies'})
    assert lab.call_back(machine.data(**VALUES)).status_code == 200
    lab.reached(machine, 'finished')
    node = lab.ironic.node(machine.uuid)
    assert node['extra'] == {'password': {'x': SECRET}}
    # One that cannot be compared, in a condition of a sensitive rule.
    create(lab, conditions=[{'op': 'lt', 'field': 'text', 'value': 5}], sensitive=True, scope='applies')
    lab.finished(machine, **VALUES)
    # A patch below what was set.
    create(lab, {'action': 'set-attribute', 'path': '/driver_info/a/b', 'value': 1}, scope='applies', priority=-1)
    _machine, error = fail(lab, lab.waiting(machine))
    assert SECRET not in error
    for scope, rule_uuid in (('missing', missing), ('failing', failing)):
        _machine, error = fail(lab, properties={'inspection_scope': scope})
        assert error == f'Introspection rule {rule_uuid} failed: it is sensitive, so no more is told'
    # Ironic quotes what it refuses.
    _machine, error = fail(lab, properties={'inspection_scope': 'refused'})
    assert error.endswith('a rule is sensitive, so no more is told')
    assert refused in error
    log = lab.inspector.log()
    assert f'Introspection rule {applies} applies' in log
    assert 'DEBUG' in log
    assert SECRET not in log


# Several processes


def test_changes_of_another_process_are_followed(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    lab.finished()
    conf = configuration(database__connection=lab.inspector.options['database']['connection'])
    database = engine.Database(conf)
    other = RuleBook.load(conf, database)
    machine = lab.machine()
    rule = other.create(documents.parse({'uuid': UUID, 'actions': [ACTION]}))
    assert applied(lab, machine)
    other.replace(documents.parse({'uuid': UUID, 'actions': [ACTION | {'value': 'changed'}]}), other.get(rule.uuid))
    assert not applied(lab, machine)
    assert lab.ironic.node(machine.uuid)['extra'] == {'rule': 'changed'}
    other.delete(UUID)
    lab.ironic.update_node(machine.uuid, extra={})
    assert not applied(lab, machine)
    create(lab, ACTION)
    other.delete_all()
    assert not applied(lab, machine)
    database.engine.dispose()


def test_nothing_of_all_this_was_unexpected(lab: Lab) -> None:
    assert lab.log_of('Traceback') == []
    assert lab.log_of('Unexpected') == []
    assert lab.log_of('Logging error') == []
