"""Root device hints: which disk to install on, and which ones to leave alone.

Hints are matched as ironic-python-agent does when it deploys, so that introspection and deployment agree on the disk:
text URL-quoted and without regard to case, sizes in GiB with their fraction, a list of values (a multipath disk has
such) by any of them.
"""

from __future__ import annotations

from collections.abc import Sequence
import dataclasses
from typing import Any
from urllib import parse as urls

from oslo_utils import specs_matcher
from oslo_utils import strutils
from oslo_utils import units

from ironic_inspector import utils
from ironic_inspector.plugins import checks

_TEXT_HINTS = frozenset(
    {
        'by_path', 'hctl', 'model', 'name', 'serial', 'vendor', 'wwn', 'wwn_vendor_extension', 'wwn_with_extension',
    }
)  # fmt: skip
HINTS = _TEXT_HINTS | {'rotational', 'size'}
"""Names of all hints."""

_NUMERIC = frozenset({'=', '==', '!=', '<', '<=', '>', '>='})
_SIZE_OPERATORS = _NUMERIC | {'<or>', '<range-in>'}
# What is left out compares lists or numbers with each other, and would fail on any text.
_TEXT_OPERATORS = frozenset(specs_matcher.op_methods) - {'<all-in>', '<range-in>'}
_OPERATORS = tuple(sorted(specs_matcher.op_methods, key=len, reverse=True))

_NOT_FOR_TEXT = 'Text is compared by s==, s!=, s<, s<=, s>, s>=, <in> or <or>'


@dataclasses.dataclass(frozen=True)
class Hint:
    """One valid hint: `operator` and `values` are those of specs_matcher; `rotational` has a `flag` in their place."""

    name: str
    operator: str = ''
    values: tuple[str, ...] = ()
    flag: bool = False

    def fits(self, disk: checks.JsonObject, place: str) -> bool:
        """Tell whether a disk of the inventory, found at `place`, fits; Error if it is malformed."""
        value = disk.get(self.name)
        place = f'{place}.{self.name}'
        if self.name == 'rotational':
            return _flag(value) is self.flag
        if self.name == 'size':
            return self._compare(_gib(checks.as_bytes(value, place)), place)
        return any(self._compare(text, place) for text in _texts(value, place))

    def _compare(self, value: str, place: str) -> bool:
        try:
            return bool(specs_matcher.op_methods[self.operator](value, *self.values))
        except ValueError as exc:
            raise utils.Error(
                f'The hint {self.name} compares numbers, but {place} is {checks.shown(value)}. {_NOT_FOR_TEXT}'
            ) from exc


def parse(hints: Any, place: str) -> list[Hint]:
    """Return the hints in the object `hints`, which stands at `place` of the node; Error if one of them is invalid."""
    if not isinstance(hints, dict) or not hints:
        raise utils.Error(checks.fault(place, 'an object with hints', hints))
    unknown = sorted(hints.keys() - HINTS)
    if unknown:
        raise utils.Error(f'{place} has unknown hints: {", ".join(unknown)}. There are: {", ".join(sorted(HINTS))}')
    return [_parse_one(name, value, f'{place}/{name}') for name, value in hints.items()]


def fits(disk: checks.JsonObject, hints: Sequence[Hint], place: str) -> bool:
    """Tell whether a disk of the inventory, found at `place`, fits all hints; Error if it is malformed."""
    return all(hint.fits(disk, place) for hint in hints)


def _parse_one(name: str, value: Any, place: str) -> Hint:
    if name == 'rotational':
        flag = _flag(value)
        if flag is None:
            raise utils.Error(checks.fault(place, 'true or false', value))
        return Hint(name, flag=flag)
    if name == 'size':
        return _parse_size(value, place)
    if not isinstance(value, str):
        raise utils.Error(checks.fault(place, 'text', value))
    operator, values = _split(value, place)
    if operator in _NUMERIC and not _is_number(values[0]):
        raise utils.Error(f'{place}: {operator} compares numbers, and {values[0]!r} is none. {_NOT_FOR_TEXT}')
    quoted = tuple(urls.quote(text, errors='replace') for text in values)
    return Hint(name, _allowed(operator or 's==', _TEXT_OPERATORS, place), quoted)


def _parse_size(value: Any, place: str) -> Hint:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise utils.Error(checks.fault(place, 'a whole number of GiB, or an expression with some', value))
    operator, values = _split(str(value), place)
    _allowed(operator or '==', _SIZE_OPERATORS, place)
    if operator == '<range-in>':
        return Hint('size', operator, _range(values[0], place))
    return Hint('size', operator or '==', tuple(_whole(text, place) for text in values))


def _split(expression: str, place: str) -> tuple[str, tuple[str, ...]]:
    """Take an expression, in lower case, apart into its operator, '' if it has none, and the values that it takes."""
    expression = expression.strip().lower()
    operator = next((operator for operator in _OPERATORS if expression.startswith(operator)), '')
    parts = (part.strip() for part in (expression.split(operator) if operator else [expression]))
    values = tuple(part for part in parts if part)
    if not values:
        raise utils.Error(f'{place} must have a value, not only {checks.shown(expression)}')
    return operator, values if operator == '<or>' else values[:1]


def _allowed(operator: str, operators: frozenset[str], place: str) -> str:
    if operator not in operators:
        raise utils.Error(f'{place} cannot be compared by {operator}, only by {" ".join(sorted(operators))}')
    return operator


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _whole(text: str, place: str, minimum: int = 1) -> str:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < minimum:
        raise utils.Error(checks.fault(place, f'a whole number of GiB from {minimum} on', text))
    return str(number)


def _range(text: str, place: str) -> tuple[str, ...]:
    words = text.split()
    if len(words) != 4 or words[0] not in ('[', '(') or words[3] not in (']', ')'):
        raise utils.Error(checks.fault(place, 'a range such as <range-in> [ 100 500 ) with all spaces', text))
    low, high = _whole(words[1], place, 0), _whole(words[2], place, 0)
    if int(low) > int(high):
        raise utils.Error(checks.fault(place, 'a range from a smaller to a larger number', text))
    return words[0], low, high, words[3]


def _flag(value: Any) -> bool | None:
    if not isinstance(value, (bool, int, str)):
        return None
    try:
        return bool(strutils.bool_from_string(value, strict=True))
    except ValueError:
        return None


def _gib(size: int) -> str:
    gib, rest = divmod(size, units.Gi)
    return repr(size / units.Gi) if rest else str(gib)


def _texts(value: Any, place: str) -> list[str]:
    """Return what a hint is compared with: URL-quoted, in lower case, 'none' where it is missing."""
    candidates = [item for item in value if item is not None] if isinstance(value, list) else [value]
    texts = []
    for candidate in candidates:
        if candidate is not None and not isinstance(candidate, (str, int, float)):
            raise utils.Error(checks.fault(place, 'text', value))
        texts.append(urls.quote(str(candidate).strip().lower(), errors='replace'))
    return [text for text in texts if text]
