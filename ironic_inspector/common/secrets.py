"""Keeping passwords out of messages."""

from __future__ import annotations

from collections.abc import Iterator
import json
from typing import Any

from oslo_utils import strutils

MASK = '***'


def without(message: str, sent: Any) -> str:
    """Return a message, with a mask for each secret that it quotes from what was sent: an object, or a JSON patch."""
    for secret in _secrets(sent):
        # As it is, and as it looks in Python or JSON.
        for quoted in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]):
            message = message.replace(quoted, MASK)
    return message


def _secrets(document: Any, key: str = '') -> Iterator[str]:
    """Go through the texts under keys that look like those of secrets, such as ipmi_password."""
    if isinstance(document, dict):
        # What an operation of a patch is about stands at the end of its path.
        place = str(document.get('path', '')).rpartition('/')[2] if 'op' in document else ''
        for name, value in document.items():
            yield from _secrets(value, place if place and name == 'value' else str(name))
    elif isinstance(document, list):
        for item in document:
            yield from _secrets(item, key)
    elif isinstance(document, str) and document and _is_telling(key):
        yield document


def _is_telling(key: str) -> bool:
    return bool(strutils.mask_dict_password({key: ''}, MASK)[key])
