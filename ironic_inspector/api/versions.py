"""GET /, GET /v1 and GET /v1/openapi.json: what there is."""

from __future__ import annotations

import flask

from ironic_inspector.api import context
from ironic_inspector.api import microversions

RESOURCES = ('continue', 'introspection', 'rules')


def list_versions() -> flask.Response:
    """Return the versions of the API."""
    return flask.jsonify(
        versions=[
            {
                'id': microversions.text_of(microversions.MAXIMUM),
                'status': 'CURRENT',
                'links': [{'rel': 'self', 'href': context.link('/v1')}],
            }
        ]
    )


def list_resources() -> flask.Response:
    """Return the resources of version 1."""
    return flask.jsonify(
        resources=[
            {'name': name, 'links': [{'rel': 'self', 'href': context.link(f'/v1/{name}')}]} for name in RESOURCES
        ]
    )


def describe() -> flask.Response:
    """Return the description of the API as OpenAPI."""
    return flask.jsonify({**context.current().describe(), 'servers': [{'url': context.link('')}]})
