"""What the JSON Schemas of the API are made of."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]

TEXT = {'type': 'string'}
TEXT_OR_NULL = {'type': ['string', 'null']}
FLAG = {'type': 'boolean'}
JSON_OBJECT = {'type': 'object'}


def ref(name: str) -> JsonObject:
    """Return a reference to the schema of that name."""
    return {'$ref': f'#/components/schemas/{name}'}


def list_of(name: str) -> JsonObject:
    """Return the schema of a list of what the schema of that name describes."""
    return {'type': 'array', 'items': ref(name)}


def object_of(properties: JsonObject, *, optional: JsonObject | None = None, **more: Any) -> JsonObject:
    """Return the schema of an object that has all of `properties`, perhaps some of `optional`, and nothing else."""
    return {
        'type': 'object',
        'properties': properties | (optional or {}),
        **({'required': list(properties)} if properties else {}),
        'additionalProperties': False,
        **more,
    }
