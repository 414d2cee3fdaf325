"""The rules in the documentation: the service takes them, and they do what is said of them."""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import pytest

from tests.functional.lab import Lab
from tests.functional.rules import create
from tests.functional.rules import no_rules
from tests.functional.rules import preview
from tests.service import until

__all__ = ['no_rules']

pytestmark = pytest.mark.usefixtures('no_rules')

Json = dict[str, Any]

PAGES = pathlib.Path(__file__).parents[2] / 'doc' / 'source'
BLOCK = re.compile(r'^( *)\.\. code-block:: json\n\1   :name: (\S+)\n\n((?:(?:\1   .*)?\n)+)', re.MULTILINE)


def documented(page: str) -> dict[str, Json]:
    """Return the named JSON documents in a page."""
    return {name: json.loads(text) for _, name, text in BLOCK.findall((PAGES / f'{page}.rst').read_text())}


def applied(lab: Lab, rule: Json, data: Json, **node: Any) -> Json:
    """Create a rule, and return what it would change for a machine that sent `data` more than usual."""
    machine = lab.machine(**node)
    created = create(lab, *rule['actions'], **{key: value for key, value in rule.items() if key != 'actions'})
    sent = machine.data()
    inventory = {**sent['inventory'], **data.pop('inventory', {})}
    told = preview(lab, node=machine.uuid, rule=created['uuid'], data={**sent, **data, 'inventory': inventory})
    [one] = told['rules']
    assert one['applies'], one
    changes: Json = one['changes']
    return changes


def test_first_rule_of_the_page_on_rules(lab: Lab) -> None:
    data = {'inventory': {'system_vendor': {'manufacturer': 'Vendor'}, 'bmc_address': '192.0.2.7'}}

    changes = applied(lab, documented('rules')['a-rule'], data, driver='redfish', driver_info={})

    assert {change['path']: change['value'] for change in changes['node']} == {
        '/driver_info/redfish_address': 'https://192.0.2.7',
    }


def test_action_with_a_loop(lab: Lab) -> None:
    machine = lab.machine()
    data = machine.data()
    data['inventory']['interfaces'] = data['inventory']['interfaces'][:1]
    rule = {'actions': [documented('rules')['an-action-with-a-loop']]}

    [one] = preview(lab, node=machine.uuid, rule=rule, data=data)['rules']

    [port] = one['changes']['ports']
    assert port['patch'] == [{'op': 'add', 'path': '/extra/name', 'value': data['inventory']['interfaces'][0]['name']}]


def test_preview_of_the_page_on_rules(lab: Lab) -> None:
    body = documented('rules')['a-preview']
    machine = lab.machine(name=body['node'])
    lab.finished(machine)

    [one] = preview(lab, **body)['rules']

    assert one['applies']
    assert one['changes']['added_traits'] == ['CUSTOM_X']


def test_rule_of_the_tutorial(lab: Lab) -> None:
    changes = applied(lab, documented('tutorial')['first-rule'], {'memory_mb': 24576, 'cpus': 2})

    assert changes['node'] == [{'op': 'add', 'path': '/extra/purpose', 'value': 'tests, 2 CPUs'}]
    assert changes['added_traits'] == ['CUSTOM_SMALL']


def test_rule_that_came_from_ironic(lab: Lab) -> None:
    data = {'inventory': {'system_vendor': {'manufacturer': 'Vendor'}, 'bmc_address': '192.0.2.7'}}

    rule = documented('builtin-inspection')['rule-for-this-service']
    changes = applied(lab, rule, data, driver='ipmi', driver_info={})

    assert {change['path']: change['value'] for change in changes['node']} == {
        '/driver_info/ipmi_address': '192.0.2.7',
        '/properties/capabilities': 'vendor:known',
    }
    assert changes['data'] == [{'op': 'add', 'path': '/checked', 'value': 'by a rule'}]


def test_both_rules_say_the_same_in_the_same_order() -> None:
    theirs, ours = documented('builtin-inspection').values()

    assert (theirs['description'], theirs['priority']) == (ours['description'], ours['priority'])
    inverted = ['!' * condition.get('invert', False) + condition['op'] for condition in ours['conditions']]
    assert inverted == [condition['op'] for condition in theirs['conditions']]
    names = {'set-data': 'set-plugin-data'}
    actions = [names.get(action['action'], action['action']) for action in ours['actions']]
    assert actions == [action['op'] for action in theirs['actions']]


def test_data_of_ironic_can_be_processed(lab: Lab) -> None:
    machine = lab.machine()
    sent = machine.data()
    kept_by_ironic = {'inventory': sent.pop('inventory'), 'plugin_data': sent}
    path = f'/v1/introspection/{machine.uuid}/data/unprocessed'
    body = {**kept_by_ironic['plugin_data'], 'inventory': kept_by_ironic['inventory']}

    # Without a record of the node there is nothing to process them for.
    assert lab.inspector.call('POST', path, json=body).status_code == 404

    assert lab.inspector.call('POST', f'/v1/introspection/{machine.uuid}').status_code == 202
    lab.inspector.wait_for_state(machine.uuid, 'waiting')
    assert lab.inspector.call('POST', f'/v1/introspection/{machine.uuid}/abort').status_code == 202
    lab.inspector.wait_for_state(machine.uuid, 'error')
    assert lab.inspector.call('POST', path, json=body).status_code == 202
    until(lambda: lab.inspector.status(machine.uuid)['state'] == 'finished')
