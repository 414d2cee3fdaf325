"""Where rules look: the values at a field, and the items of a loop."""

from __future__ import annotations

from collections.abc import Iterable
import dataclasses
from typing import Any

from ironic_inspector.plugins import checks
from ironic_inspector.rules import paths
from ironic_inspector.rules import templates
from ironic_inspector.rules.facts import DATA
from ironic_inspector.rules.facts import ITEM
from ironic_inspector.rules.facts import NODE
from ironic_inspector.rules.facts import Facts

MAX_ITEMS = 1000
"""Items that a loop goes through at most: more than there are of anything in a machine."""
_SCHEME_MARK = '://'


@dataclasses.dataclass(frozen=True)
class Place:
    """Where the values of a field are: a path in one of the documents."""

    scheme: str
    path: paths.Path

    @classmethod
    def parse(cls, field: str, schemes: Iterable[str]) -> Place:
        """Return the place that a field such as node://properties.cpus stands for; ValueError if it is none."""
        scheme, mark, path = field.partition(_SCHEME_MARK)
        if not mark:
            scheme, path = DATA, field
        if scheme not in schemes:
            known = ' or '.join(f'{name}{_SCHEME_MARK}' for name in schemes)
            raise ValueError(f'{checks.shown(field)}: the scheme must be {known}')
        return cls(scheme, paths.compile_path(path))

    def find(self, facts: Facts, item: Any) -> list[Any]:
        """Return the values there; `item` is that of the loop."""
        return self.path.find(item) if self.scheme == ITEM else facts.find(self.scheme, self.path)


class Loop:
    """What a condition or an action goes through: a list or an object, written down or found at a path."""

    def __init__(self, loop: Any) -> None:
        """Take a list or an object, with fields in any text, or a path with its scheme; ValueError if it is none."""
        self._source: Place | templates.Template
        try:
            if isinstance(loop, str):
                self._source = Place.parse(loop, (DATA, NODE))
            else:
                self._source = templates.Template(loop, (DATA, NODE))
        except ValueError as exc:
            raise ValueError(f'loop: {exc}') from exc

    def items(self, facts: Facts) -> list[Any]:
        """Return the items: those of a list, or of an object as {"key", "value"}, written down or found at a path.

        A path that may lead to several values, such as one with [*], has these for items. ValueError if there are more
        than MAX_ITEMS.
        """
        if isinstance(self._source, templates.Template):
            items = _items_of(self._source.render({DATA: facts.data, NODE: facts.node}))
        else:
            items = self._source.find(facts, None)
            if self._source.path.is_definite:
                items = [item for found in items for item in _items_of(found)]
        if len(items) > MAX_ITEMS:
            raise ValueError(f'the loop has {len(items)} items: {MAX_ITEMS} are allowed')
        return items


def _items_of(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [{'key': key, 'value': item} for key, item in value.items()]
    return value if isinstance(value, list) else [value]
