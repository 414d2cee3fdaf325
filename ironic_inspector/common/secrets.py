"""Keeping passwords out of messages."""

from __future__ import annotations

from collections.abc import Iterator
import json
import re
from typing import Any

from oslo_utils import strutils

MASK = '***'
_SHORT = 2
"""So many characters are found in any text: such a secret is masked only where it stands alone."""


def without(message: str, sent: Any) -> str:
    """Return a message, with a mask for each secret that it quotes from what was sent: an object, or a JSON patch."""
    hidden = bytearray(len(message))
    for secret in set(_secrets(sent)):
        for start, end in _places(message, secret):
            hidden[start:end] = b'x' * (end - start)
    # Only now, as secrets may overlap: without one of them, the rest of another would not be found any more.
    shown, done = '', 0
    for run in re.finditer(rb'x+', hidden):
        shown, done = shown + message[done : run.start()] + MASK, run.end()
    return shown + message[done:]


def _places(message: str, secret: str) -> Iterator[tuple[int, int]]:
    """Go through the places where a message has a secret: as it is, and as it looks in Python or JSON."""
    for quoted in {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]}:
        pattern = re.escape(quoted)
        if len(secret) <= _SHORT:
            pattern = rf'(?<!\w){pattern}(?!\w)'
        # Looking ahead finds those that overlap as well.
        for match in re.finditer(f'(?={pattern})', message):
            yield match.start(), match.start() + len(quoted)


def _secrets(document: Any, key: str = '') -> Iterator[str]:
    """Go through the texts and numbers under keys that look like those of secrets, such as ipmi_password."""
    if isinstance(document, dict):
        # What an operation of a patch is about stands at the end of its path.
        place = str(document.get('path', '')).rpartition('/')[2] if 'op' in document else ''
        for name, value in document.items():
            yield from _secrets(value, place if place and name == 'value' else str(name))
    elif isinstance(document, list):
        for item in document:
            yield from _secrets(item, key)
    elif _can_be_secret(document) and _is_telling(key):
        yield str(document)


def _can_be_secret(value: Any) -> bool:
    # To Python, true and false are numbers.
    return isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != ''


def _is_telling(key: str) -> bool:
    return bool(strutils.mask_dict_password({key: ''}, MASK)[key])
