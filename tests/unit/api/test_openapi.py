"""The description of the API."""

from __future__ import annotations

from collections.abc import Iterator
import json
import re
from typing import Any

import jsonschema
from openapi_spec_validator import OpenAPIV31SpecValidator
import pytest

from ironic_inspector import policy
from ironic_inspector.api import openapi
from ironic_inspector.api import operations
from ironic_inspector.api.routes import ROUTES
from ironic_inspector.api.routes import Route
from ironic_inspector.fixtures import inventories
from ironic_inspector.rules import definition
from tests.contract import Contract

Json = dict[str, Any]
VOCABULARY = definition.Vocabulary(frozenset({'eq', 'ne'}), frozenset({'fail', 'set-capability'}))


def described(auth_strategy: str = 'keystone', *, has_callback_token: bool = False) -> Json:
    settings = openapi.Settings(auth_strategy, 500, has_callback_token=has_callback_token, vocabulary=VOCABULARY)
    return openapi.describe(settings)


CONTRACT = Contract(described())


def each(value: Any, key: str) -> Iterator[Any]:
    """Yield everything that stands under a key, anywhere in a document."""
    if isinstance(value, dict):
        if key in value:
            yield value[key]
        for item in value.values():
            yield from each(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from each(item, key)


def test_it_is_openapi() -> None:
    document = described()
    assert document['openapi'] == '3.1.0'
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert json.loads(json.dumps(document)) == document


@pytest.mark.parametrize('route', ROUTES, ids=lambda route: route.endpoint)
def test_every_route_is_described(route: Route) -> None:
    assert route.endpoint in operations.OPERATIONS, 'operations.py has nothing on this route'
    operation = CONTRACT.operation(route.endpoint)
    assert operation['x-openstack'] == {'min-ver': f'{route.since[0]}.{route.since[1]}', 'policy': route.policy}
    assert operation['responses'].keys() >= {400, 406, 413, 500, 503}
    assert any(200 <= status < 300 for status in operation['responses'])
    assert all(response['headers'] for response in operation['responses'].values())
    (path,) = (path for path, item in CONTRACT.document['paths'].items() if operation_of(item, operation))
    variables = {f'#/components/parameters/{name}' for name in re.findall('{(.*?)}', path)}
    assert variables <= {parameter['$ref'] for parameter in CONTRACT.document['paths'][path]['parameters']}


def operation_of(item: Json, operation: Json) -> bool:
    return any(isinstance(each_, dict) and each_['operationId'] == operation['operationId'] for each_ in item.values())


def test_nothing_else_is_described() -> None:
    assert operations.OPERATIONS.keys() == {route.endpoint for route in ROUTES}


def test_names_are_unique() -> None:
    names = [operation.name for operation in operations.OPERATIONS.values()]
    assert sorted(set(names)) == sorted(names)


def test_everything_that_is_referred_to_is_used() -> None:
    components = CONTRACT.document['components']
    defined = {f'#/components/{kind}/{name}' for kind, items in components.items() for name in items}
    schemes = {f'#/components/securitySchemes/{name}' for name in components['securitySchemes']}
    assert set(each(CONTRACT.document, '$ref')) == defined - schemes


@pytest.mark.parametrize('name', CONTRACT.document['components']['schemas'])
def test_examples_are_what_they_are_examples_of(name: str) -> None:
    schema = CONTRACT.document['components']['schemas'][name]
    jsonschema.Draft202012Validator.check_schema(schema)
    for example in schema.get('examples', ()):
        assert list(CONTRACT.validator(name).iter_errors(example)) == []


@pytest.mark.parametrize('route', ROUTES, ids=lambda route: route.endpoint)
def test_bodies_have_examples(route: Route) -> None:
    operation = CONTRACT.operation(route.endpoint)
    bodies = [operation.get('requestBody', {}), *operation['responses'].values()]
    media = [item for body in bodies for item in body.get('content', {}).values()]
    for name in (item['schema']['$ref'].rpartition('/')[2] for item in media):
        schema = CONTRACT.document['components']['schemas'][name]
        alternatives = schema.get('oneOf', [schema])
        assert all(name == 'Description' or 'examples' in resolved(alternative) for alternative in alternatives), name


def resolved(schema: Json) -> Json:
    if '$ref' not in schema:
        return schema
    found: Json = CONTRACT.document['components']['schemas'][schema['$ref'].rpartition('/')[2]]
    return found


@pytest.mark.parametrize('name', inventories.names())
def test_what_machines_send_is_described(name: str) -> None:
    assert CONTRACT.validator('IntrospectionData').is_valid(inventories.load(name))


@pytest.mark.parametrize(
    ('auth_strategy', 'security', 'refusals', 'public_refusals'),
    [
        ('keystone', [{'keystone': []}], {401, 403}, {401, 403}),
        ('http_basic', [{'http_basic': []}], {401}, set()),
        ('noauth', [], set(), set()),
    ],
)
def test_credentials(auth_strategy: str, security: list[Json], refusals: set[int], public_refusals: set[int]) -> None:
    contract = Contract(described(auth_strategy))
    assert contract.document['components']['securitySchemes'].keys() == {'keystone', 'http_basic', 'callback_token'}
    for route in ROUTES:
        operation = contract.operation(route.endpoint)
        public = route.policy in policy.PUBLIC
        assert operation['security'] == ([] if public else security)
        own = set(operations.OPERATIONS[route.endpoint].errors)
        assert operation['responses'].keys() & {401, 403} - own == (public_refusals if public else refusals) - own


def test_the_token_of_ramdisks() -> None:
    contract = Contract(described('noauth', has_callback_token=True))
    secured = [route.endpoint for route in ROUTES if contract.operation(route.endpoint)['security']]
    assert secured == ['POST /v1/continue']
    operation = contract.operation('POST /v1/continue')
    assert operation['security'] == [{'callback_token': []}]
    assert 'WWW-Authenticate' in operation['responses'][401]['headers']


def test_what_the_configuration_says() -> None:
    components = described()['components']
    assert components['parameters']['limit']['schema']['maximum'] == 500
    schemas = components['schemas']
    assert schemas['NewCondition']['properties']['op']['enum'] == sorted(VOCABULARY.operators)
    assert schemas['NewAction']['properties']['action']['enum'] == sorted(VOCABULARY.actions)
