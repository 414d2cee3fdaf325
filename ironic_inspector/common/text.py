"""Small conversions of text."""

from __future__ import annotations

from typing import Any

MESSAGE_LENGTH = 16_000
"""Characters of an error message that are kept: enough to read, whatever a ramdisk sends."""


def storable(message: str | None) -> str | None:
    """Return a message as every database can store it: bounded, without NUL and half surrogate pairs."""
    if message is None:
        return None
    clean = message.replace('\0', '\\0').encode('utf-8', 'backslashreplace').decode('utf-8')
    if len(clean) <= MESSAGE_LENGTH:
        return clean
    return f'{clean[:MESSAGE_LENGTH]} … ({len(clean) - MESSAGE_LENGTH} more characters)'


def parse_capabilities(value: Any) -> dict[str, str]:
    """Return the capabilities in "k:v,k:v" form as a dict; what has no colon is not one, and is dropped."""
    if isinstance(value, dict):
        return {str(name): str(content) for name, content in value.items()}
    pairs = (part.partition(':') for part in str(value or '').split(','))
    return {name.strip(): content.strip() for name, colon, content in pairs if colon}


def format_capabilities(capabilities: dict[str, str]) -> str:
    """Return capabilities in "k:v,k:v" form, in the order of the dict."""
    return ','.join(f'{name}:{content}' for name, content in capabilities.items())


def reason_of(failure: Exception) -> str:
    """Return what an exception says, with its type where that says more."""
    if isinstance(failure, KeyError):
        return f'there is no {failure}'
    return str(failure) or type(failure).__name__
