"""Request bodies: JSON and nothing else."""

from __future__ import annotations

import json
import math
from typing import Any
from typing import NoReturn

import flask

from ironic_inspector.common import exceptions

MAX_DEPTH = 64
"""Levels of nested lists and objects; an inventory has less than ten."""
_CONTAINERS = frozenset({dict, list})


def receive() -> None:
    """Refuse a body that is too large, whatever the URL does with it, and take in one that comes in chunks.

    Nothing but reading tells the size of those, and not every WSGI server keeps their rest from passing for the next
    request of the connection. A body whose length is known is left to who wants it.
    """
    request = flask.request
    stream = request.stream  # raises RequestEntityTooLarge by the length
    if request.content_length is None:
        request.get_data()
        # What reads up to the limit does not notice that there is more.
        stream.read(1)


def read() -> bytes:
    """Return the body of the request; InvalidRequest if the connection has ended before it."""
    request = flask.request
    body = request.get_data(cache=False)
    length = request.content_length
    # Half of a message may well look like a whole one, and says something else then.
    if length is not None and len(body) < length:
        raise exceptions.InvalidRequest(f'The request body ended after {len(body)} of {length} bytes: send it again')
    return body


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object (RFC 8259) in a request body; InvalidRequest, saying what is wrong, if it is none."""
    document = parse(body)
    if not isinstance(document, dict):
        raise exceptions.InvalidRequest(f'The request body must be a JSON object, not {_kind(document)}')
    return document


def parse(body: bytes) -> Any:
    """Return the JSON document (RFC 8259) in a request body; InvalidRequest, saying what is wrong, if it is none."""
    if not body.strip():
        raise exceptions.InvalidRequest('The request has no body: it must be a JSON object')
    try:
        document = json.loads(body.decode('utf-8'), parse_constant=_refuse_constant, parse_float=_finite)
    except UnicodeDecodeError as exc:
        raise exceptions.InvalidRequest(f'The request body is not UTF-8: {exc}') from exc
    except RecursionError as exc:
        raise _too_deep() from exc
    except ValueError as exc:
        raise exceptions.InvalidRequest(f'The request body is not JSON: {exc}') from exc
    if type(document) in _CONTAINERS and not _is_shallow(document):
        raise _too_deep()
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f'{name} is not a JSON number')


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        # It would be written as Infinity, which nobody else reads.
        raise ValueError(f'{number[:20]} is too large a number')
    return value


def _too_deep() -> exceptions.InvalidRequest:
    return exceptions.InvalidRequest(f'The request body is nested deeper than {MAX_DEPTH} levels')


def _kind(document: Any) -> str:
    kinds = {list: 'a list', str: 'text', bool: 'true or false', type(None): 'null'}
    return kinds.get(type(document), 'a number')


def _is_shallow(document: Any) -> bool:
    level = [document]
    for _depth in range(MAX_DEPTH):
        level = [
            value
            for container in level
            for value in (container.values() if type(container) is dict else container)
            if type(value) in _CONTAINERS
        ]
        if not level:
            return True
    return False
