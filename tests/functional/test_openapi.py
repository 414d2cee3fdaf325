"""The description of the API that the service gives, and a walk through all of the API that holds it to that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator
import requests

from ironic_inspector.plugins import loading
from ironic_inspector.rules import book
from tests.contract import Contract
from tests.functional.lab import UNKNOWN
from tests.functional.lab import Lab
from tests.functional.lab import message

VERSION = 'X-OpenStack-Ironic-Inspector-API-Version'
RULE = {'conditions': [{'op': 'is-empty', 'field': 'nothing'}], 'actions': [{'action': 'fail', 'message': 'no'}]}


def description(lab: Lab, **headers: str) -> dict[str, Any]:
    answer = lab.inspector.call('GET', '/v1/openapi.json', headers=headers)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_the_service_describes_itself(lab: Lab) -> None:
    document = description(lab)
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert document['servers'] == [{'url': lab.inspector.url}]
    schemas = document['components']['schemas']
    operators = loading.load_all(book.CONDITIONS_NAMESPACE)
    assert set(schemas['NewCondition']['properties']['op']['enum']) == set(operators)


def test_servers_behind_a_proxy(lab: Lab) -> None:
    proxy = {'X-Forwarded-Host': 'metal.example', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Prefix': '/inspector'}
    assert description(lab, **proxy)['servers'] == [{'url': 'https://metal.example/inspector'}]
    # What one request says is not kept for others.
    assert description(lab)['servers'] == [{'url': lab.inspector.url}]


def test_older_versions_do_not_have_it(lab: Lab) -> None:
    for version, status in (('1.18', 404), ('1.19', 200), ('latest', 200)):
        answer = lab.inspector.call('GET', '/v1/openapi.json', headers={VERSION: version})
        assert answer.status_code == status


def test_what_the_configuration_says(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'api_max_limit': 7}, processing={'callback_token': 'kRt5xQ9w'})
    document = description(lab)
    assert document['components']['parameters']['limit']['schema']['maximum'] == 7
    assert document['paths']['/v1/continue']['post']['security'] == [{'callback_token': []}]
    assert 'kRt5xQ9w' not in str(document)


class _Walk:
    """Requests whose answers are held against the description that the service gives of itself."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.contract = Contract(description(lab))
        self.seen: set[tuple[str, int]] = set()

    def __call__(self, expected: int, method: str, path: str, **kwargs: Any) -> requests.Response:
        answer = self._lab.inspector.call(method, path, **kwargs)
        assert answer.status_code == expected, f'{method} {path}: {answer.status_code} {answer.text}'
        self.contract.check(answer)
        endpoint = self.contract.endpoint(method, path)
        assert endpoint is not None
        self.seen.add((endpoint, expected))
        if expected >= 400:
            message(answer)
        return answer

    def promised(self) -> set[tuple[str, int]]:
        """Return all answers of the description that are no errors."""
        methods = ('get', 'post', 'patch', 'put', 'delete')
        return {
            (f'{method.upper()} {path.replace("{", "<").replace("}", ">")}', int(status))
            for path, item in self.contract.document['paths'].items()
            for method in methods
            for status in item.get(method, {}).get('responses', ())
            if int(status) < 400
        }


def test_a_walk_through_the_whole_api(lab: Lab) -> None:
    walk = _Walk(lab)
    for path in ('/', '/v1', '/v1/openapi.json'):
        walk(200, 'GET', path)
        walk(406, 'GET', path, headers={VERSION: '1.999'})
        walk(400, 'GET', path, headers={VERSION: 'newest'})
    _introspect(lab, walk)
    _rule(lab, walk)
    assert walk.promised() == {(endpoint, status) for endpoint, status in walk.seen if status < 400}


def _introspect(lab: Lab, walk: _Walk) -> None:
    machine = lab.machine()
    node = f'/v1/introspection/{machine.uuid}'
    walk(404, 'GET', node)
    walk(404, 'POST', '/v1/continue', json=machine.data())
    walk(400, 'POST', '/v1/continue', json=[])
    walk(404, 'POST', f'/v1/introspection/{UNKNOWN}')
    walk(400, 'POST', node, params={'manage_boot': 'perhaps'})
    walk(202, 'POST', node, params={'manage_boot': 'yes'})
    lab.reached(machine, 'waiting')
    walk(404, 'GET', f'{node}/data')
    walk(200, 'GET', f'/v1/introspection/{machine.name}')
    walk(202, 'POST', f'{node}/abort')
    lab.ended(machine)
    walk(202, 'POST', f'{node}/')
    lab.reached(machine, 'waiting')
    walk(200, 'POST', '/v1/continue', json=machine.data())
    lab.reached(machine, 'finished')
    walk(200, 'GET', node)
    walk(200, 'GET', f'{node}/data')
    walk(200, 'GET', f'{node}/data/unprocessed')
    walk(202, 'POST', f'{node}/data/unprocessed')
    lab.reached(machine, 'finished')
    walk(400, 'POST', f'{node}/data/unprocessed', data=b'{')
    walk(200, 'GET', '/v1/introspection', params={'limit': 1, 'state': 'finished,error'})
    walk(400, 'GET', '/v1/introspection', params={'limit': -1})
    walk(404, 'GET', '/v1/introspection', params={'marker': UNKNOWN})


def _rule(lab: Lab, walk: _Walk) -> None:
    for version, status in (('1.5', 200), ('1.18', 201), ('latest', 201)):
        headers = {VERSION: version}
        rule = walk(status, 'POST', '/v1/rules', json=RULE, headers=headers).json()
        again = f'/v1/rules/{UNKNOWN}'
        walk(status, 'POST', again, json=RULE, headers=headers)
        walk(409, 'POST', again, json=RULE, headers=headers)
        for path in ('/v1/rules', f'/v1/rules/{rule["uuid"]}'):
            walk(200, 'GET', path, headers=headers)
        walk(204, 'DELETE', again, headers=headers)
        walk(404, 'DELETE', again, headers=headers)
    walk(400, 'POST', '/v1/rules', json={'actions': []})
    one = f'/v1/rules/{rule["uuid"]}'
    walk(200, 'PATCH', one, json={'description': 'Never applies'})
    walk(200, 'PATCH', one, json=[{'op': 'replace', 'path': '/disabled', 'value': True}])
    walk(400, 'PATCH', one, json=[{'op': 'replace'}])
    walk(404, 'PATCH', one, json={}, headers={VERSION: '1.18'})
    walk(200, 'POST', '/v1/rules/preview', json={'data': lab.machine().data()})
    walk(200, 'POST', '/v1/rules/preview', json={'rule': RULE, 'data': {'nothing': ''}})
    walk(200, 'POST', '/v1/rules/preview', json={'rule': RULE | {'sensitive': True}, 'data': {}})
    walk(404, 'POST', '/v1/rules/preview', json={'rule': UNKNOWN, 'data': {}})
    walk(204, 'DELETE', '/v1/rules')
