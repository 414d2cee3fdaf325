"""The description of the API as OpenAPI 3.1, made of the table in routes.py and what stands beside it.

https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

from collections.abc import Iterator
import dataclasses
import re
from typing import Any

from ironic_inspector import policy
from ironic_inspector.api import microversions
from ironic_inspector.api import operations
from ironic_inspector.api import routes
from ironic_inspector.api import schemas
from ironic_inspector.rules import definition

JsonObject = dict[str, Any]

SECURITY_SCHEMES: JsonObject = {
    'keystone': {
        'type': 'apiKey',
        'in': 'header',
        'name': 'X-Auth-Token',
        'description': 'A token of the OpenStack Identity service',
    },
    'http_basic': {'type': 'http', 'scheme': 'basic'},
    'callback_token': {
        'type': 'apiKey',
        'in': 'query',
        'name': 'token',
        'description': 'The secret that ramdisks get with the URL to call back',
    },
}
"""The first ones are named as [DEFAULT]auth_strategy has them; with none of them, everyone may do everything."""

ERRORS = {
    400: 'The request is malformed, or cannot be carried out; the message says why',
    401: 'Credentials are missing or wrong',
    403: 'The credentials do not permit this, or it cannot be changed at all',
    404: 'There is no such thing, or not in this version of the API',
    406: 'The service does not have this version of the API',
    409: 'Something else goes on with it, or it exists already',
    413: 'The body is too large',
    500: 'The service failed; its log says more, under the id of the request',
    503: 'The service has too much to do, or something that it needs is away: the same may succeed later',
}
"""What errors mean, by their status."""
ALWAYS = (400, 406, 413, 500, 503)
"""Errors that any request may be answered with."""

_ABOUT = """\
Hardware introspection of bare metal nodes for OpenStack Ironic.

Minor versions add to version 1; `x-openstack` tells the first one that has an operation, and the policy rule that says
who may use it. Each error is a JSON object with a message, also those that are not listed with an operation: 404 for
an unknown URL, 405 for a verb that a URL does not have. A slash may follow any path."""
_CALLBACK = 'introspection:continue'
_VARIABLE = re.compile('<([a-z_]+)>')


@dataclasses.dataclass(frozen=True)
class Settings:
    """What of the service's configuration shows in its API."""

    auth_strategy: str
    max_limit: int
    has_callback_token: bool
    vocabulary: definition.Vocabulary


def describe(settings: Settings) -> JsonObject:
    """Return the description, a JSON document that lacks `servers`: where they are, each request has to tell."""
    paths: JsonObject = {}
    for route in routes.ROUTES:
        item = paths.setdefault(_VARIABLE.sub(r'{\1}', route.path), _path_item(route))
        item[route.method.lower()] = _operation(route, settings)
    return {
        'openapi': '3.1.0',
        'info': {
            'title': 'Bare metal introspection',
            'version': microversions.text_of(microversions.MAXIMUM),
            'description': _ABOUT,
            'license': {'name': 'Apache-2.0', 'identifier': 'Apache-2.0'},
        },
        'paths': paths,
        'components': {
            'schemas': schemas.schemas(settings.vocabulary),
            'parameters': schemas.parameters(settings.max_limit),
            'headers': _headers(),
            'responses': {str(status): _response(text, 'Error', status) for status, text in ERRORS.items()},
            'securitySchemes': SECURITY_SCHEMES,
        },
    }


def _path_item(route: routes.Route) -> JsonObject:
    names = [*_VARIABLE.findall(route.path), 'version', 'standard_version']
    return {'parameters': [_ref('parameters', name) for name in names]}


def _operation(route: routes.Route, settings: Settings) -> JsonObject:
    told = operations.OPERATIONS[route.endpoint]
    responses = {str(status): _response(answer.description, answer.schema) for status, answer in told.answers.items()}
    for status in sorted({*ALWAYS, *told.errors, *_refusals(route, settings)}):
        responses[str(status)] = _ref('responses', str(status))
    operation: JsonObject = {
        'operationId': told.name,
        'tags': [route.view.__module__.rpartition('.')[2]],
        'summary': told.summary,
        'x-openstack': {'min-ver': microversions.text_of(route.since), 'policy': route.policy},
        'responses': responses,
        'security': list(_security(route, settings)),
    }
    if told.description:
        operation['description'] = told.description
    if told.query:
        operation['parameters'] = [_ref('parameters', name) for name in told.query]
    if told.body:
        operation['requestBody'] = {
            'required': told.body.required,
            'content': {kind: {'schema': _ref('schemas', name)} for kind, name in told.body.types.items()},
            **({'description': told.body.description} if told.body.description else {}),
        }
    return operation


def _security(route: routes.Route, settings: Settings) -> Iterator[JsonObject]:
    if route.policy == _CALLBACK and settings.has_callback_token:
        yield {'callback_token': []}
    elif route.policy not in policy.PUBLIC and settings.auth_strategy in SECURITY_SCHEMES:
        yield {settings.auth_strategy: []}


def _refusals(route: routes.Route, settings: Settings) -> Iterator[int]:
    """Return the errors that those get who lack credentials, or have the wrong ones."""
    if settings.auth_strategy == 'keystone':
        # The policy file may protect what is public by default.
        yield from (401, 403)
    elif any(_security(route, settings)):
        yield 401


def _response(description: str, schema: str | None, status: int | None = None) -> JsonObject:
    names = [microversions.MINIMUM_HEADER, microversions.MAXIMUM_HEADER, 'X-OpenStack-Request-Id']
    if status == 401:
        names.append('WWW-Authenticate')
    response: JsonObject = {'description': description, 'headers': {name: _ref('headers', name) for name in names}}
    if schema:
        response['content'] = {operations.JSON: {'schema': _ref('schemas', schema)}}
    return response


def _headers() -> JsonObject:
    told = {
        microversions.MINIMUM_HEADER: 'The oldest version of the API that there is',
        microversions.MAXIMUM_HEADER: 'The newest version of the API that there is',
        'X-OpenStack-Request-Id': 'The id of the request, which is in the log as well',
        'WWW-Authenticate': 'What credentials are asked for',
    }
    return {name: {'description': text, 'required': True, 'schema': {'type': 'string'}} for name, text in told.items()}


def _ref(kind: str, name: str) -> JsonObject:
    return {'$ref': f'#/components/{kind}/{name}'}
