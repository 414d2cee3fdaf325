"""/v1/rules: list, create, show, change, delete; by version of the API."""

from __future__ import annotations

from collections.abc import Callable
import re
from typing import Any
import uuid

import pytest
import requests

from tests.functional.lab import Lab
from tests.functional.lab import at_once
from tests.functional.lab import message
from tests.functional.rules import ACTION
from tests.functional.rules import CONDITION
from tests.functional.rules import NEWEST
from tests.functional.rules import OF_12_5
from tests.functional.rules import OTHER
from tests.functional.rules import UUID
from tests.functional.rules import ask
from tests.functional.rules import create
from tests.functional.rules import no_rules

__all__ = ['no_rules']

pytestmark = pytest.mark.usefixtures('no_rules')

OLD_VERSIONS = ('1.0', '1.2', '1.5', '1.6', '1.15', OF_12_5)
RULE = {
    'uuid': UUID,
    'description': 'What it is for',
    'scope': 'some',
    'conditions': [{'op': 'eq', 'field': 'node://name', 'multiple': 'all', 'invert': True, 'value': 'x'}],
    'actions': [ACTION],
}
EXTENSIONS = {'priority': 0, 'sensitive': False, 'disabled': False, 'built_in': False}
LINKS = [{'rel': 'self', 'href': f'/v1/rules/{UUID}'}]


def without_body(answer: requests.Response) -> bool:
    return (answer.status_code, answer.content, answer.headers.get('Content-Length')) == (204, b'', '0')


# As 12.5 answered


@pytest.mark.parametrize('version', OLD_VERSIONS)
def test_a_rule_in_older_versions(lab: Lab, version: str) -> None:
    answer = ask(lab, 'POST', version=version, json=RULE)
    assert answer.status_code == (201 if float(version[2:]) >= 6 else 200)
    assert answer.json() == RULE | {'links': LINKS}
    assert ask(lab, 'GET', f'/{UUID}', version=version).json() == RULE | {'links': LINKS}
    in_short = {'uuid': UUID, 'description': 'What it is for', 'scope': 'some', 'links': LINKS}
    assert ask(lab, 'GET', version=version).json() == {'rules': [in_short]}
    assert without_body(ask(lab, 'DELETE', f'/{UUID}', version=version))
    assert ask(lab, 'GET', version=version).json() == {'rules': []}


@pytest.mark.parametrize('version', [OF_12_5, NEWEST])
def test_defaults(lab: Lab, version: str) -> None:
    created = ask(lab, 'POST', version=version, json={'actions': [ACTION], 'conditions': [CONDITION]}).json()
    assert str(uuid.UUID(created.pop('uuid'))) == created.pop('links')[0]['href'].rpartition('/')[2]
    assert created == {
        'description': None,
        'scope': None,
        **(EXTENSIONS if version == NEWEST else {}),
        'conditions': [CONDITION | {'multiple': 'any', 'invert': False}],
        'actions': [ACTION],
    }


@pytest.mark.parametrize('version', OLD_VERSIONS)
def test_older_versions_know_nothing_new(lab: Lab, version: str) -> None:
    # Keys that they do not know are left out, as they always were.
    answer = ask(lab, 'POST', version=version, json=RULE | {'priority': 7, 'sensitive': True, 'disabled': True})
    assert answer.json() == RULE | {'links': LINKS}
    assert ask(lab, 'GET', f'/{UUID}').json() == RULE | EXTENSIONS | {'links': LINKS}
    for wrong in (
        {'actions': [{'action': 'del-attribute', 'path': 'x'}]},
        {'actions': [ACTION], 'conditions': [{'op': 'is-true', 'field': 'x'}]},
        {'actions': [ACTION | {'loop': [1]}]},
        {'actions': [ACTION], 'conditions': [CONDITION | {'loop': [1]}]},
    ):
        answer = ask(lab, 'POST', version=version, json=wrong)
        assert answer.status_code == 400
        assert 'loop' in message(answer) or 'must be one of' in message(answer)
    for method, path in (('PATCH', f'/{UUID}'), ('POST', '/preview')):
        answer = ask(lab, method, path, version=version, json={})
        assert answer.status_code == 404
        assert f'needs version {NEWEST} of the API' in message(answer)


def test_what_is_new_looks_harmless_in_older_versions(lab: Lab) -> None:
    create(
        lab,
        {'action': 'set-data', 'loop': ['secret'], 'path': 'x', 'value': 'secret'},
        uuid=UUID,
        priority=7,
        sensitive=True,
        disabled=True,
    )
    shown = ask(lab, 'GET', f'/{UUID}', version=OF_12_5)
    assert shown.json() == {
        'uuid': UUID,
        'description': None,
        'scope': None,
        'conditions': [],
        'actions': [{'action': 'set-data', 'path': '***', 'value': '***'}],
        'links': LINKS,
    }
    assert without_body(ask(lab, 'DELETE', f'/{UUID}', version=OF_12_5))


# Since 1.19


def test_a_rule_from_its_creation_to_its_end(lab: Lab) -> None:
    document = RULE | {
        'priority': -5,
        'sensitive': False,
        'disabled': True,
        'conditions': [RULE['conditions'][0] | {'loop': 'data://x'}],  # type: ignore[operator]
        'actions': [ACTION | {'loop': {'a': [1, None]}}],
    }
    answer = ask(lab, 'POST', json=document)
    assert answer.status_code == 201
    shown = document | {'built_in': False, 'links': LINKS}
    assert answer.json() == shown
    assert ask(lab, 'GET', f'/{UUID}').json() == shown
    (listed,) = ask(lab, 'GET').json()['rules']
    assert listed == {key: value for key, value in shown.items() if key not in ('conditions', 'actions')}
    changed = ask(lab, 'PATCH', f'/{UUID}', json={'disabled': False})
    assert changed.status_code == 200
    assert changed.json() == shown | {'disabled': False}
    # What is shown can be sent again.
    assert without_body(ask(lab, 'DELETE', f'/{UUID}'))
    assert ask(lab, 'POST', json=changed.json()).json() == changed.json()


def test_rules_are_listed_oldest_first(lab: Lab) -> None:
    made = [create(lab, priority=priority)['uuid'] for priority in (0, 9, -9, 5)]
    ask(lab, 'PATCH', f'/{made[0]}', json={'description': 'changed'})
    assert [rule['uuid'] for rule in ask(lab, 'GET').json()['rules']] == made


def test_links_are_relative_to_the_host(lab: Lab) -> None:
    for headers in ({'X-Forwarded-Host': 'bare.example', 'X-Forwarded-Prefix': '/introspection'}, {}):
        for document in (
            lab.inspector.call('POST', '/v1/rules', headers=headers, json={'actions': [ACTION], 'uuid': UUID}).json(),
            lab.inspector.call('GET', f'/v1/rules/{UUID}', headers=headers).json(),
            *lab.inspector.call('GET', '/v1/rules', headers=headers).json()['rules'],
        ):
            href = headers.get('X-Forwarded-Prefix', '') + LINKS[0]['href']
            assert document['links'] == [{'rel': 'self', 'href': href}]
        ask(lab, 'DELETE', f'/{UUID}')


def test_deleting_all(lab: Lab) -> None:
    for _ in range(3):
        create(lab)
    for _ in range(2):
        assert without_body(ask(lab, 'DELETE'))
        assert ask(lab, 'GET').json() == {'rules': []}


@pytest.mark.parametrize('rule_uuid', [UUID, 'x', 'x' * 300, '%00', '%ff', 'preview', '*', UUID.upper()])
@pytest.mark.parametrize('version', [OF_12_5, NEWEST])
def test_rules_that_there_are_not(lab: Lab, rule_uuid: str, version: str) -> None:
    for method in ('GET', 'DELETE'):
        answer = ask(lab, method, f'/{rule_uuid}', version=version)
        assert answer.status_code == 404
        assert 'There is no rule' in message(answer)
    if version == NEWEST:
        assert ask(lab, 'PATCH', f'/{rule_uuid}', json={}).status_code == 404


# What openstacksdk sends


@pytest.mark.parametrize('version', [OF_12_5, NEWEST])
def test_the_uuid_in_the_url(lab: Lab, version: str) -> None:
    for body in ({}, {'uuid': None}, {'uuid': UUID}):
        answer = ask(lab, 'POST', f'/{UUID}', version=version, json={'actions': [ACTION], **body})
        assert answer.status_code == 201
        assert answer.json()['uuid'] == UUID
        ask(lab, 'DELETE', f'/{UUID}')


@pytest.mark.parametrize('body', [{'uuid': OTHER}, {'uuid': 7}, {'uuid': ['x' * 5000]}])
def test_another_uuid_in_the_url(lab: Lab, body: dict[str, Any]) -> None:
    answer = ask(lab, 'POST', f'/{UUID}', json={'actions': [ACTION], **body})
    assert answer.status_code == 400
    assert f'uuid must be that in the URL, {UUID}' in message(answer)
    assert len(message(answer)) < 500


def test_something_else_in_the_url(lab: Lab) -> None:
    answer = ask(lab, 'POST', '/no-uuid', json={'actions': [ACTION]})
    assert answer.status_code == 400
    assert 'uuid must be a UUID' in message(answer)


# What cannot be


@pytest.mark.parametrize('version', [OF_12_5, NEWEST])
def test_a_uuid_that_is_taken(lab: Lab, version: str) -> None:
    create(lab, uuid=UUID)
    for path in ('', f'/{UUID}'):
        answer = ask(lab, 'POST', path, version=version, json={'actions': [ACTION], 'uuid': UUID})
        assert answer.status_code == 409
        assert UUID in message(answer)


def test_a_uuid_that_many_want(lab: Lab) -> None:
    url = f'{lab.inspector.url}/v1/rules'
    answers = at_once(
        [lambda: requests.post(url, json={'actions': [ACTION], 'uuid': UUID}, timeout=60).status_code] * 8
    )
    assert sorted(answers) == [201] + [409] * 7


@pytest.mark.parametrize(
    ('changes', 'places'),
    [
        ({'actions': []}, ['actions: there must be at least one']),
        ({'actions': None}, ['actions must be a list']),
        ({'uuid': 'x'}, ["uuid must be a UUID, not 'x'"]),
        ({'description': {}}, ['description must be text']),
        ({'scope': 5}, ['scope must be text']),
        ({'scope': 'x' * 256}, ['scope must be text of at most 255 characters']),
        ({'conditions': {}}, ['conditions must be a list']),
        ({'conditions': [5]}, ['conditions[0] must be an object']),
        ({'conditions': [CONDITION, CONDITION | {'op': 'x'}]}, ['conditions[1].op must be one of', "not 'x'"]),
        ({'conditions': [CONDITION | {'field': 'x://y'}]}, ['conditions[0] (ge): field', 'data:// or node://']),
        ({'conditions': [CONDITION | {'field': 'a..'}]}, ['conditions[0] (ge): field', 'is not valid at character 4']),
        ({'conditions': [CONDITION | {'multiple': 'x'}]}, ['conditions[0].multiple must be one of any, all, first']),
        ({'conditions': [CONDITION | {'invert': 'x'}]}, ['conditions[0].invert must be true or false']),
        ({'conditions': [CONDITION | {'value': None}]}, ['conditions[0] (ge): it needs value']),
        ({'conditions': [CONDITION | {'x': 1}]}, ['conditions[0] (ge): it takes no x']),
        ({'conditions': [CONDITION | {'op': 'in-net'}]}, ['conditions[0] (in-net): value: 1 is no IP network']),
        ({'conditions': [CONDITION | {'op': 'matches', 'value': '('}]}, ['conditions[0] (matches)', "'('"]),
        ({'conditions': [CONDITION | {'op': 'is-empty'}]}, ['conditions[0] (is-empty): it takes no value']),
        ({'actions': [{'action': 'x'}]}, ['actions[0].action must be one of', "not 'x'"]),
        ({'actions': [ACTION, {'action': 'fail'}]}, ['actions[1] (fail): it needs message']),
        ({'actions': [ACTION | {'value': '{data.x}'}]}, ['actions[0] (set-attribute): value: {data.x}', 'attribute']),
        ({'actions': [ACTION | {'value': '{x}'}]}, ['actions[0] (set-attribute): value: {x}', 'must be doubled']),
        ({'actions': [ACTION | {'path': 7}]}, ['actions[0] (set-attribute): path: it must be text']),
        ({'actions': [ACTION | {'value': '\0'}]}, ['actions[0]: it cannot be stored']),
        ({'description': '\ud800'}, ['description: it cannot be stored']),
        (
            {'conditions': [CONDITION | {'x': 1}, CONDITION | {'field': '('}], 'actions': [ACTION | {'x': 1}]},
            ['conditions[0] (ge)', 'conditions[1] (ge)', 'actions[0] (set-attribute)'],
        ),
    ],
)
@pytest.mark.parametrize('version', ['1.5', OF_12_5, NEWEST])
def test_invalid_rules(lab: Lab, changes: dict[str, Any], places: list[str], version: str) -> None:
    answer = ask(lab, 'POST', version=version, json={'actions': [ACTION], **changes})
    assert answer.status_code == 400
    for place in places:
        assert place in message(answer)
    assert ask(lab, 'GET').json() == {'rules': []}


@pytest.mark.parametrize(
    ('changes', 'place'),
    [
        ({'priority': '1'}, 'priority must be a whole number'),
        ({'sensitive': 1}, 'sensitive must be true or false'),
        ({'disabled': 'yes'}, 'disabled must be true or false'),
        ({'x': 1}, "'x': a rule has no such key"),
        ({'actions': [ACTION | {'loop': 7}]}, 'actions[0].loop must be a list, an object, or the path of one'),
        ({'conditions': [CONDITION | {'loop': 'a..'}]}, 'conditions[0] (ge): loop: The JSON path'),
        ({'sensitive': True, 'actions': [{'action': 'log', 'message': 'x'}]}, 'actions[0] (log): a sensitive rule'),
    ],
)
def test_what_is_new_and_invalid(lab: Lab, changes: dict[str, Any], place: str) -> None:
    answer = ask(lab, 'POST', json={'actions': [ACTION], **changes})
    assert answer.status_code == 400
    assert place in message(answer)


@pytest.mark.parametrize('body', [b'', b'{', b'[]', b'7', b'null', b'"x"', b'\xff', b'{"actions": [NaN]}', b'[' * 9999])
@pytest.mark.parametrize('path', ['', f'/{UUID}', '/preview'])
def test_bodies_that_are_no_object(lab: Lab, body: bytes, path: str) -> None:
    answer = ask(lab, 'POST', path, data=body)
    assert answer.status_code == 400
    assert len(message(answer)) < 500


@pytest.mark.parametrize('version', [OF_12_5, NEWEST])
@pytest.mark.parametrize('op', ['matches', 'contains'])
def test_parameters_that_12_5_did_not_look_at(lab: Lab, op: str, version: str) -> None:
    condition = {'op': op, 'field': 'x', 'value': 'y', 'multiple': 'any', 'invert': False, 'comment': 'for the vendor'}
    answer = ask(lab, 'POST', version=version, json={'uuid': UUID, 'actions': [ACTION], 'conditions': [condition]})
    assert answer.status_code == 201
    assert ask(lab, 'GET', f'/{UUID}', version=version).json()['conditions'] == [condition]


# PATCH


def test_a_json_patch(lab: Lab) -> None:
    create(lab, ACTION, ACTION, uuid=UUID, conditions=[CONDITION])
    patch = [
        {'op': 'test', 'path': '/priority', 'value': 0},
        {'op': 'replace', 'path': '/priority', 'value': 5},
        {'op': 'remove', 'path': '/actions/1'},
        {'op': 'add', 'path': '/conditions/-', 'value': {'op': 'is-empty', 'field': 'x'}},
    ]
    changed = ask(lab, 'PATCH', f'/{UUID}', json=patch)
    assert changed.status_code == 200
    shown = changed.json()
    assert (shown['priority'], shown['actions'], len(shown['conditions'])) == (5, [ACTION], 2)
    assert ask(lab, 'GET', f'/{UUID}').json() == shown


@pytest.mark.parametrize(
    ('patch', 'place'),
    [
        ({'uuid': OTHER}, 'The UUID of a rule cannot be changed'),
        ({'uuid': None}, 'The UUID of a rule cannot be changed'),
        ({'actions': []}, 'actions: there must be at least one'),
        ({'actions': [ACTION | {'value': '{x}'}]}, 'actions[0] (set-attribute): value: {x}'),
        ({'priority': 'high'}, 'priority must be a whole number'),
        ([{'op': 'frobnicate', 'path': '/x'}], '[0].op must be an operation'),
        ([{'op': 'replace', 'path': '/x/y', 'value': 1}], 'The patch does not fit the rule'),
        ([{'op': 'test', 'path': '/priority', 'value': 1}], 'The patch does not fit the rule'),
        (7, 'A patch must be a list of operations'),
        ('x', 'A patch must be a list of operations'),
        (None, 'The request has no body'),
    ],
)
def test_invalid_patches(lab: Lab, patch: Any, place: str) -> None:
    before = create(lab, uuid=UUID)
    answer = ask(lab, 'PATCH', f'/{UUID}', json=patch)
    assert answer.status_code == 400
    assert place in message(answer)
    assert ask(lab, 'GET', f'/{UUID}').json() == before


def test_changes_at_the_same_time(lab: Lab) -> None:
    create(lab, uuid=UUID, description='')
    url = f'{lab.inspector.url}/v1/rules/{UUID}'

    def append() -> int:
        done = 0
        while done < 5:
            before = requests.get(url, timeout=60).json()['description']
            patch = [
                {'op': 'test', 'path': '/description', 'value': before},
                {'op': 'replace', 'path': '/description', 'value': before + 'x'},
            ]
            status = requests.patch(url, json=patch, timeout=60).status_code
            assert status in (200, 400, 409), status
            done += status == 200
        return done

    assert sum(at_once([append] * 4)) == 20
    # None of them was lost.
    assert ask(lab, 'GET', f'/{UUID}').json()['description'] == 'x' * 20


# Secrets


def test_secrets_are_shown_to_nobody(lab: Lab) -> None:
    secret = 'hunter2-of-the-api'
    action = {'action': 'set-attribute', 'path': '/driver_info/password', 'value': [secret], 'loop': [secret]}
    condition = {'op': 'eq', 'field': 'item://$', 'value': secret, 'loop': [secret]}
    answers = [
        ask(lab, 'POST', json={'uuid': UUID, 'actions': [action], 'conditions': [condition], 'sensitive': True}),
        ask(lab, 'GET'),
        *(ask(lab, 'GET', f'/{UUID}', version=version) for version in (None, '1.5', OF_12_5)),
        ask(lab, 'PATCH', f'/{UUID}', json={'description': 'changed'}),
        ask(lab, 'PATCH', f'/{UUID}', json={'sensitive': False}),
        ask(lab, 'PATCH', f'/{UUID}', json=[{'op': 'test', 'path': '/actions/0/value', 'value': 'x'}]),
        ask(lab, 'PATCH', f'/{UUID}', json=[{'op': 'replace', 'path': '/actions/0/value/0', 'value': '{'}]),
        ask(lab, 'PATCH', f'/{UUID}', json=[{'op': 'replace', 'path': '/conditions/0/op', 'value': 'in-net'}]),
        ask(lab, 'POST', json={'uuid': UUID, 'actions': [ACTION]}),
        ask(lab, 'POST', '/preview', json={'rule': UUID, 'data': {}}),
        ask(lab, 'POST', '/preview', json={'data': {}}),
    ]
    statuses = [201, 200, 200, 200, 200, 200, 400, 400, 400, 400, 409, 200, 200]
    assert [answer.status_code for answer in answers] == statuses
    for answer in answers:
        assert secret not in answer.text
    masked = answers[0].json()
    assert masked['actions'] == [action | dict.fromkeys(('path', 'value', 'loop'), '***')]
    assert masked['conditions'][0]['value'] == masked['conditions'][0]['loop'] == '***'
    assert lab.log_of(secret) == []
    # Still there, for all that.
    assert secret in str(lab.sql('SELECT params FROM rule_actions'))


# The file


def test_rules_in_a_file(make_lab: Callable[..., Lab], tmp_path: Any) -> None:
    file = tmp_path / 'rules.yaml'
    file.write_text(
        f'- uuid: {UUID}\n  description: From a file\n  actions: [{{action: add-trait, name: CUSTOM_FILE}}]\n'
    )
    lab = make_lab(inspection_rules={'built_in_rules': file})
    create(lab, uuid=OTHER)
    listed = ask(lab, 'GET').json()['rules']
    assert [(rule['uuid'], rule['built_in']) for rule in listed] == [(UUID, True), (OTHER, False)]
    shown = ask(lab, 'GET', f'/{UUID}').json()
    assert (shown['built_in'], shown['description']) == (True, 'From a file')
    for method, body in (('DELETE', None), ('PATCH', {'description': 'x'})):
        answer = ask(lab, method, f'/{UUID}', json=body)
        assert answer.status_code == 403
        assert '[inspection_rules]built_in_rules' in message(answer)
    assert ask(lab, 'POST', json={'actions': [ACTION], 'uuid': UUID}).status_code == 409
    # Older versions do not know that there is such a thing.
    assert [rule['uuid'] for rule in ask(lab, 'GET', version=OF_12_5).json()['rules']] == [OTHER]
    for method in ('GET', 'DELETE'):
        answer = ask(lab, method, f'/{UUID}', version=OF_12_5)
        assert answer.status_code == 404
        assert f'ask for version {NEWEST}' in message(answer)
    assert without_body(ask(lab, 'DELETE'))
    assert [rule['uuid'] for rule in ask(lab, 'GET').json()['rules']] == [UUID]
    machine = lab.finished()
    assert lab.ironic.node(machine.uuid)['traits'] == ['CUSTOM_FILE']


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        (None, 'cannot be read'),
        ('[', 'is not YAML'),
        ('rules: []', 'must hold a list of rules'),
        ('- actions: [{action: nope}]', r'rule 1: The rule is invalid: actions\[0\]\.action'),
        ('- actions: [{action: fail, message: 2026-01-31}]', 'rule 1: it is not JSON'),
    ],
)
def test_a_file_that_is_wrong_stops_the_start(
    make_inspector: Callable[..., Any], tmp_path: Any, content: str | None, reason: str
) -> None:
    file = tmp_path / 'rules.yaml'
    if content is not None:
        file.write_text(content)
    inspector = make_inspector(start=False, inspection_rules={'built_in_rules': file})
    inspector.start(wait=False)
    assert inspector.wait() != 0
    assert re.search(rf'\[inspection_rules\]built_in_rules: .*{reason}', inspector.log())
    assert 'Traceback' not in inspector.log()


def test_nothing_of_all_this_was_unexpected(lab: Lab) -> None:
    assert lab.log_of('Traceback') == []
    assert lab.log_of('Unexpected failure') == []
    assert lab.log_of('Logging error') == []
