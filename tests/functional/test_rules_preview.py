"""POST /v1/rules/preview: what rules would do to a node, and that nothing is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
import uuid

import jsonpatch
import pytest

from ironic_inspector.fixtures import inventories
from tests.functional.lab import UNKNOWN
from tests.functional.lab import Lab
from tests.functional.lab import Machine
from tests.functional.lab import message
from tests.functional.rules import ACTION
from tests.functional.rules import UUID
from tests.functional.rules import ask
from tests.functional.rules import create
from tests.functional.rules import no_rules
from tests.functional.rules import preview

__all__ = ['no_rules']

pytestmark = pytest.mark.usefixtures('no_rules')

Json = dict[str, Any]

ON_PORT: Json = {'action': 'set-port-attribute', 'port_id': '{data[boot_interface]}'}
RULE: Json = {
    'conditions': [{'op': 'ge', 'field': 'data://numbers[*]', 'value': 5}],
    'actions': [
        ACTION,
        {'action': 'set-attribute', 'path': '/driver', 'value': 'redfish'},
        {'action': 'set-capability', 'name': 'a', 'value': '{data[numbers][0]}'},
        {'action': 'add-trait', 'name': 'CUSTOM_NEW'},
        {'action': 'remove-trait', 'name': 'CUSTOM_OLD'},
        {'action': 'del-attribute', 'path': '/extra/unwanted'},
        ON_PORT | {'path': '/extra/x', 'value': '{data[numbers][1]}'},
        {'action': 'set-data', 'path': '/verdict', 'value': ['{node[name]}']},
        {'action': 'unset-data', 'path': '/numbers/0'},
    ],
}


def rows(lab: Lab) -> dict[str, list[Any]]:
    """Return everything in the database."""
    tables = [name for (name,) in lab.sql("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: lab.sql(f'SELECT * FROM {name}') for name in tables}


def untouched(lab: Lab, work: Callable[[], Json]) -> Json:
    """Return what a preview tells; fail if anything but the log differs afterwards."""
    before, nodes, ports, since = rows(lab), lab.ironic.nodes(), lab.ironic.ports(), lab.ironic.mark()
    told = work()
    assert {call.method for call in lab.ironic.calls_since(since)} <= {'GET'}
    assert (lab.ironic.nodes(), lab.ironic.ports()) == (nodes, ports)
    assert rows(lab) == before
    return told


def machine_to_preview(lab: Lab) -> Machine:
    """Return a machine that has been introspected."""
    machine = lab.machine(extra={'unwanted': 1, 'kept': 2}, traits=['CUSTOM_OLD'])
    return lab.finished(machine, numbers=[1, 5, 9])


def refused(lab: Lab, status: int = 400, **body: Any) -> str:
    answer = ask(lab, 'POST', '/preview', json=body)
    assert answer.status_code == status, answer.text
    return message(answer)


def test_what_is_told_is_what_happens(lab: Lab) -> None:
    machine = machine_to_preview(lab)
    kept = lab.data(machine).json()
    before, (port,) = lab.ironic.node(machine.uuid), lab.ironic.ports(machine.uuid)
    told = untouched(lab, lambda: preview(lab, rule=RULE, node=machine.uuid))
    assert told['error'] is None
    (rule,) = told['rules']
    assert (rule['in_scope'], rule['applies'], rule['error']) == (True, True, None)
    (condition,) = rule['conditions']
    assert (condition['values'], condition['results'], condition['result']) == ([1, 5, 9], [False, True, True], True)
    assert rule['actions'] == RULE['actions']
    changes = rule['changes']
    assert changes['reset_interfaces'] is True
    assert (changes['added_traits'], changes['removed_traits']) == (['CUSTOM_NEW'], ['CUSTOM_OLD'])
    assert changes['ports'] == [{'uuid': port['uuid'], 'patch': [{'op': 'add', 'path': '/extra/x', 'value': '5'}]}]

    create(lab, **{'uuid': UUID, **RULE})
    since = lab.ironic.mark()
    lab.reapply(machine)
    lab.reached(machine, 'finished')
    after = lab.ironic.node(machine.uuid)
    expected = jsonpatch.apply_patch(before, changes['node'])
    for field in ('extra', 'driver', 'properties', 'name', 'driver_info'):
        assert after[field] == expected[field], field
    assert after['traits'] == ['CUSTOM_NEW']
    assert lab.ironic.ports(machine.uuid)[0]['extra'] == {'x': '5'}
    assert lab.data(machine).json() == jsonpatch.apply_patch(kept, changes['data'])
    # Nothing was left to the hooks: it is one PATCH, with all that was told.
    assert lab.ironic.count('PATCH', f'/v1/nodes/{machine.uuid}', since=since) == 1


def test_all_rules(lab: Lab) -> None:
    unset = {'op': 'is-empty', 'field': 'node://extra.rule'}
    create(lab, ACTION | {'value': 'second'}, conditions=[unset])
    create(lab, ACTION | {'value': 'first'}, priority=1, conditions=[unset])
    create(lab, disabled=True)
    create(lab, scope='elsewhere')
    create(lab, conditions=[unset | {'invert': True}])
    machine = lab.finished(lab.machine(extra={'rule': ''}))
    lab.ironic.update_node(machine.uuid, extra={})
    told = untouched(lab, lambda: preview(lab, node=machine.name))
    assert [(rule['in_scope'], rule['applies']) for rule in told['rules']] == [
        (True, True), (True, True), (True, False), (False, False), (True, False),
    ]  # fmt: skip
    assert [rule['changes'] and rule['changes']['node'][0]['value'] for rule in told['rules']] == [
        'first', 'second', None, None, None,
    ]  # fmt: skip


def test_a_stored_rule_even_if_it_is_disabled(lab: Lab) -> None:
    create(lab, uuid=UUID, disabled=True)
    (rule,) = preview(lab, rule=UUID, data={})['rules']
    assert (rule['uuid'], rule['applies']) == (UUID, True)


def test_other_data(lab: Lab) -> None:
    machine = machine_to_preview(lab)
    told = untouched(lab, lambda: preview(lab, rule=RULE, node=machine.uuid, data=machine.data(numbers=[7, 8])))
    (rule,) = told['rules']
    assert rule['conditions'][0]['values'] == [7, 8]
    assert rule['changes']['ports'][0]['patch'] == [{'op': 'add', 'path': '/extra/x', 'value': '8'}]
    sent = {'numbers': [7, 8]}
    assert jsonpatch.apply_patch(sent, rule['changes']['data']) == {'numbers': [8], 'verdict': [machine.name]}


@pytest.mark.parametrize('name', inventories.names())
def test_data_without_a_node(lab: Lab, name: str) -> None:
    rule = {
        'conditions': [{'op': 'is-empty', 'field': 'node://name'}],
        'actions': [
            {'action': 'set-attribute', 'path': '/extra/cpus', 'value': '{data[inventory][cpu][count]}'},
        ],
    }
    data = inventories.load(name)
    since = lab.ironic.mark()
    told = untouched(lab, lambda: preview(lab, rule=rule, data=data))
    assert lab.ironic.calls_since(since) == []
    (patch,) = told['rules'][0]['changes']['node']
    assert patch == {'op': 'add', 'path': '/extra/cpus', 'value': str(data['inventory']['cpu']['count'])}


def test_a_rule_that_would_fail(lab: Lab) -> None:
    machine = machine_to_preview(lab)
    rule = {'actions': [ACTION, {'action': 'fail', 'message': 'not ours'}]}
    told = untouched(lab, lambda: preview(lab, rule=rule, node=machine.uuid))
    assert told['error'] == told['rules'][0]['error'] == 'not ours'
    assert told['rules'][0]['changes']['node'] == [{'op': 'add', 'path': '/extra/rule', 'value': 'applied'}]


def test_a_condition_that_would_fail(lab: Lab) -> None:
    rule = {'conditions': [{'op': 'matches', 'field': 'x', 'value': '(a|aa)+$'}], 'actions': [ACTION]}
    told = preview(lab, rule=rule, data={'x': 'a' * 1000 + '!'})
    assert 'takes more than' in told['error']
    assert told['rules'][0]['conditions'][0]['error'] == told['error']
    assert told['rules'][0]['changes'] is None


def test_a_node_on_introspection(lab: Lab) -> None:
    machine = lab.waiting()
    told = untouched(lab, lambda: preview(lab, rule={'actions': [ACTION]}, node=machine.uuid, data={}))
    assert told['rules'][0]['applies']
    assert lab.status(machine)['state'] == 'waiting'


# What cannot be previewed


@pytest.mark.parametrize(
    ('body', 'reason'),
    [
        ({}, 'A preview needs a node, introspection data, or both'),
        ({'rule': {'actions': [ACTION]}}, 'A preview needs a node'),
        ({'node': None, 'data': None}, 'A preview needs a node'),
        ({'data': {}, 'x': 1}, "There is no 'x': a preview takes rule, node, data"),
        ({'data': []}, 'data must be an object, introspection data'),
        ({'data': 'x'}, 'data must be an object'),
        ({'node': 7}, 'node must be the UUID or name of a node'),
        ({'node': ''}, 'node must be the UUID or name of a node'),
        ({'node': {}, 'data': {}}, 'node must be the UUID or name of a node'),
        ({'rule': 7, 'data': {}}, 'it must be a JSON object'),
        ({'rule': [], 'data': {}}, 'it must be a JSON object'),
        ({'rule': {}, 'data': {}}, 'actions: there must be at least one'),
        ({'rule': {'actions': [{'action': 'nope'}]}, 'data': {}}, 'actions[0].action must be one of'),
        ({'rule': {'actions': [ACTION | {'value': '{x}'}]}, 'data': {}}, 'actions[0] (set-attribute): value: {x}'),
    ],
)
def test_bodies_that_are_wrong(lab: Lab, body: Json, reason: str) -> None:
    assert reason in refused(lab, **body)


@pytest.mark.parametrize('node', [UNKNOWN, 'nobody', '..', '\0', '\ud800', 'x' * 5000, 'a/b'])
def test_a_node_that_ironic_does_not_know(lab: Lab, node: str) -> None:
    assert refused(lab, 404, node=node, data={})


@pytest.mark.parametrize('rule', [UNKNOWN, 'nothing', ''])
def test_a_rule_that_there_is_not(lab: Lab, rule: str) -> None:
    assert 'There is no rule' in refused(lab, 404, rule=rule, data={})


def test_a_node_without_data(lab: Lab) -> None:
    machine = lab.machine()
    assert refused(lab, 404, node=machine.uuid)
    assert preview(lab, node=machine.uuid, data={}) == {'rules': [], 'error': None}


def test_ironic_is_away(lab: Lab) -> None:
    machine = machine_to_preview(lab)
    with lab.ironic.fail('GET', f'/v1/nodes/{machine.uuid}', 418):
        assert 'Ironic answered 418' in refused(lab, node=machine.uuid)
    on_port = {'actions': [{'action': 'del-port-attribute', 'port_id': machine.mac, 'path': '/extra/x'}]}
    with lab.ironic.fail('GET', '/v1/ports', 418):
        assert 'Ironic answered 418' in preview(lab, rule=on_port, node=machine.uuid)['error']


def test_a_rule_whose_plug_in_is_gone(lab: Lab) -> None:
    create(lab, uuid=UUID)
    lab.sql("UPDATE rule_actions SET action = 'gone'")
    lab.sql('UPDATE rules_version SET version = ?', str(uuid.uuid4()))
    told = preview(lab, data={})
    assert 'there is no such plug-in installed' in told['error']
    assert 'there is no such plug-in installed' in refused(lab, rule=UUID, data={})


def test_a_rule_in_a_file(make_lab: Callable[..., Lab], tmp_path: Any) -> None:
    file = tmp_path / 'rules.yaml'
    file.write_text(f'- uuid: {UUID}\n  actions: [{{action: add-trait, name: CUSTOM_FILE}}]\n')
    lab = make_lab(inspection_rules={'built_in_rules': file})
    for chosen in ({}, {'rule': UUID}):
        (rule,) = preview(lab, data={}, **chosen)['rules']
        assert (rule['built_in'], rule['changes']['added_traits']) == (True, ['CUSTOM_FILE'])


def test_nothing_of_all_this_was_unexpected(lab: Lab) -> None:
    assert lab.log_of('Traceback') == []
    assert lab.log_of('Unexpected') == []
    assert lab.log_of('Logging error') == []
