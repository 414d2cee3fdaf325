"""Whether answers of the service are those that the description of its API promises."""

from __future__ import annotations

import functools
from typing import Any

import jsonschema
import requests
from werkzeug import exceptions
from werkzeug import routing

from ironic_inspector.api import openapi
from ironic_inspector.api import routes
from ironic_inspector.rules import definition

Json = dict[str, Any]


class Contract:
    """A description of the API, to hold answers against."""

    def __init__(self, document: Json) -> None:
        """Take an OpenAPI document of the routes in routes.py."""
        self.document = document
        self._validators: dict[str, jsonschema.Draft202012Validator] = {}
        rules = [
            routing.Rule(route.path, endpoint=route.endpoint, methods=[route.method], strict_slashes=False)
            for route in routes.ROUTES
        ]
        self._urls = routing.Map(rules, merge_slashes=False).bind('localhost')

    def endpoint(self, method: str, path: str) -> str | None:
        """Return what a request asks for, as Route.endpoint has it; None if there is no such thing."""
        try:
            found: tuple[str, Any] = self._urls.match(path.partition('?')[0], 'GET' if method == 'HEAD' else method)
        except exceptions.HTTPException:
            return None
        return found[0]

    def operation(self, endpoint: str) -> Json:
        """Return the operation of an endpoint, with all of its responses in full."""
        method, _space, path = endpoint.partition(' ')
        found: Json = self.document['paths'][path.replace('<', '{').replace('>', '}')][method.lower()]
        shared = self.document['components']['responses']
        responses = {
            int(status): shared[status] if '$ref' in response else response
            for status, response in found['responses'].items()
        }
        return found | {'responses': responses}

    def check(self, answer: requests.Response) -> None:
        """Fail unless an answer is one that the description has for its request."""
        request = answer.request
        asked = f'{request.method} {request.path_url}'
        endpoint = self.endpoint(str(request.method), request.path_url)
        if endpoint is None:
            if answer.status_code in (404, 405) and request.method != 'HEAD':
                self._check_body('Error', answer, asked)
            return
        responses = self.operation(endpoint)['responses']
        assert answer.status_code in responses, f'{asked}: {answer.status_code} is not described: {answer.text}'
        response = responses[answer.status_code]
        missing = [name for name in response['headers'] if name not in answer.headers]
        assert not missing, f'{asked}: {answer.status_code} without {missing}'
        content = response.get('content')
        if request.method == 'HEAD':
            assert not answer.content
        elif content is None:
            assert not answer.content, f'{asked}: a body that is not described: {answer.text}'
        else:
            ((kind, media),) = content.items()
            assert answer.headers['Content-Type'] == kind, asked
            self._check_body(media['schema']['$ref'].rpartition('/')[2], answer, asked)

    def validator(self, name: str) -> jsonschema.Draft202012Validator:
        """Return the validator of a schema of the description."""
        if name not in self._validators:
            schema = {'$ref': f'#/components/schemas/{name}', 'components': self.document['components']}
            self._validators[name] = jsonschema.Draft202012Validator(schema)
        return self._validators[name]

    def _check_body(self, name: str, answer: requests.Response, asked: str) -> None:
        error = next(self.validator(name).iter_errors(answer.json()), None)
        assert error is None, f'{asked}: {answer.status_code} is no {name}: {error}'


@functools.cache
def of_the_code() -> Contract:
    """Return what the code in the checkout promises, with everything that a configuration can add."""
    vocabulary = definition.Vocabulary(frozenset(), frozenset())
    return Contract(
        openapi.describe(openapi.Settings('keystone', 1000, has_callback_token=True, vocabulary=vocabulary))
    )
