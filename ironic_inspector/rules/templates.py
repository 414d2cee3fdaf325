"""Values of actions with fields in braces that stand for what was found, such as {data[inventory][bmc_address]}.

The syntax is that of Python's format strings, without attributes: a field names a document and items in it, and may
have a conversion and a format, such as {data[memory_mb]:>8}.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
import copy
import re
import string
from typing import Any

from ironic_inspector.plugins import checks

Documents = Mapping[str, Any]
"""What fields can refer to, by name."""

MAX_WIDTH = 10_000
"""Characters that a format may fill a field up to."""
_MAX_NESTING = 1
"""Fields in the format of a field; Python takes no more."""
_MAX_KEY_DIGITS = 18
_ATTRIBUTE = re.compile(r'\.([^.\[]*)')


class TemplateError(ValueError):
    """A template is malformed, or what a field refers to is not there."""


class _Formatter(string.Formatter):
    """Python's format strings without access to attributes, and without formats that fill the memory."""

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, str]:  # noqa: ARG002
        name, keys = _split(field_name)
        value: Any = kwargs[name]
        for position, key in enumerate(keys):
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError) as exc:
                place = name + ''.join(f'[{part}]' for part in keys[: position + 1])
                raise TemplateError(f'{{{field_name}}}: there is no {place}') from exc
        return value, name

    def format_field(self, value: Any, format_spec: str) -> Any:
        _check_width(format_spec)
        return super().format_field(value, format_spec)


_FORMATTER = _Formatter()


class Template:
    """A value of any JSON type with fields in any of its texts, keys included."""

    def __init__(self, value: Any, names: Collection[str]) -> None:
        """Take `value`, whose fields may refer to the documents `names`; TemplateError says what is wrong with it."""
        self._value = value
        fields = list(_fields(value))
        for field in fields:
            name, _keys = _split(field)
            if name not in names:
                raise TemplateError(
                    f'{{{field}}} refers to {name!r}: it must be one of {", ".join(sorted(names))}, and braces that '
                    'are meant as such must be doubled'
                )
        self._is_constant = not fields and not _has_braces(value)

    def render(self, documents: Documents) -> Any:
        """Return the value, a new one each time, with its fields filled in; TemplateError if one cannot be."""
        if self._is_constant:
            return copy.deepcopy(self._value)
        return _rendered(self._value, documents)


def _rendered(value: Any, documents: Documents) -> Any:
    if isinstance(value, str):
        try:
            return _FORMATTER.vformat(value, (), documents)
        except TemplateError:
            raise
        except (ValueError, TypeError, KeyError, IndexError, OverflowError) as exc:
            raise TemplateError(f'{checks.shown(value)} cannot be filled in: {exc}') from exc
    if isinstance(value, dict):
        return {_rendered(key, documents): _rendered(item, documents) for key, item in value.items()}
    if isinstance(value, list):
        return [_rendered(item, documents) for item in value]
    return value


def _fields(value: Any) -> Iterator[str]:
    """Go through the fields of all texts in a value, those in formats of other fields included."""
    if isinstance(value, str):
        yield from _fields_of_text(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _fields(key)
            yield from _fields(item)
    elif isinstance(value, list):
        for item in value:
            yield from _fields(item)


def _fields_of_text(text: str, nesting: int = 0) -> Iterator[str]:
    try:
        parts = list(_FORMATTER.parse(text))
    except ValueError as exc:
        raise TemplateError(f'{checks.shown(text)} is no format string: {exc}') from exc
    for _literal, field, spec, conversion in parts:
        if field is None:
            continue
        if nesting > _MAX_NESTING:
            raise TemplateError(f'{checks.shown(text)} is a format in a format in a format')
        yield field
        if conversion not in (None, 'r', 's', 'a'):
            raise TemplateError(f'{checks.shown(text)} has an unknown conversion: !{conversion}')
        _check_width(spec or '')
        yield from _fields_of_text(spec or '', nesting + 1)


def _has_braces(value: Any) -> bool:
    # Doubled ones stand for one.
    if isinstance(value, str):
        return '{' in value or '}' in value
    if isinstance(value, dict):
        return any(map(_has_braces, value)) or any(map(_has_braces, value.values()))
    return isinstance(value, list) and any(map(_has_braces, value))


def _split(field: str) -> tuple[str, list[str | int]]:
    """Return the name of the document and the keys in a field; numbers are indexes, as in Python's format strings."""
    name, bracket, rest = field.partition('[')
    attribute = _ATTRIBUTE.search(name) or (_ATTRIBUTE.match(rest.rpartition(']')[2]) if bracket else None)
    if attribute:
        raise TemplateError(f'{{{field}}} asks for an attribute, .{attribute[1]}: only items can be had, as in [name]')
    keys: list[str | int] = []
    while bracket:
        key, end, rest = rest.partition(']')
        if not end or not key or (rest and not rest.startswith('[')):
            raise TemplateError(f'{{{field}}} is malformed: it must be a name and keys in brackets')
        is_index = key.isascii() and key.isdigit() and len(key) <= _MAX_KEY_DIGITS
        keys.append(int(key) if is_index else key)
        bracket, rest = rest[:1], rest[1:]
    return name, keys


def _check_width(spec: str) -> None:
    # Digits of all scripts count in a format.
    if any(int(number) > MAX_WIDTH for number in re.findall(r'\d{1,20}', spec)):
        raise TemplateError(f'The format {checks.shown(spec)} is too wide: {MAX_WIDTH} characters are allowed')
