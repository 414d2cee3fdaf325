"""The steps that a JSON path is made of, and how each finds its values.

What a step finds is what jsonpath-rw 1.4 found, which rules in existing databases are written for. Other libraries make
something else of the same text: here `*` is every member of an object and nothing of a list, `[*]` and slices take an
object, a text or a whole number for a list of that one value, and an index also takes a character out of a text. Where
jsonpath-rw failed, for instance at an index of null, nothing is found.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
from typing import Any
from typing import NamedTuple

MAX_MATCHES = 250_000
"""Values that one search may look at: some tenths of a second, and far more than an inventory has."""


class SearchTooLong(Exception):
    """A search has looked at MAX_MATCHES values."""


class Match(NamedTuple):
    """A value, and the match that it was found in; None for the whole document."""

    value: Any
    context: Match | None


class Budget:
    """Counts the values that one search looks at."""

    def __init__(self) -> None:
        """Start with MAX_MATCHES."""
        self._left = MAX_MATCHES

    def spend(self, matches: int) -> None:
        """Take `matches` values off; SearchTooLong if nothing is left."""
        self._left -= matches
        if self._left < 0:
            raise SearchTooLong


class Step(abc.ABC):
    """Leads from the matches found so far to the next ones."""

    @abc.abstractmethod
    def follow(self, matches: list[Match], budget: Budget) -> list[Match]:
        """Return what the step finds from each of `matches`, in their order."""


class Selector(Step):
    """A step to children, for which nothing but the value itself counts, and none is found twice."""

    @abc.abstractmethod
    def pick(self, values: list[Any]) -> list[Any]:
        """Return the children of each of `values`, in their order; the fast way for paths of nothing but selectors."""

    def follow(self, matches: list[Match], budget: Budget) -> list[Match]:
        """Return the children, each with the match that it is a child of."""
        found = [Match(child, match) for match in matches for child in self.pick([match.value])]
        budget.spend(len(found))
        return found


def follow_all(steps: Sequence[Step], matches: list[Match], budget: Budget) -> list[Match]:
    """Return what the steps find one after the other, starting from `matches`."""
    for step in steps:
        if not matches:
            break
        matches = step.follow(matches, budget)
    return matches


@dataclasses.dataclass(frozen=True)
class Field(Selector):
    """`name`: a member of an object."""

    name: str

    def pick(self, values: list[Any]) -> list[Any]:
        """See Selector."""
        name = self.name
        return [value[name] for value in values if isinstance(value, dict) and name in value]


@dataclasses.dataclass(frozen=True)
class AnyField(Selector):
    """`*`: all members of an object."""

    def pick(self, values: list[Any]) -> list[Any]:
        """See Selector."""
        return [child for value in values if isinstance(value, dict) for child in value.values()]


@dataclasses.dataclass(frozen=True)
class Index(Selector):
    """`[number]`: an item of a list or a character of a text, counted from the end if the number is negative."""

    number: int

    def pick(self, values: list[Any]) -> list[Any]:
        """See Selector."""
        number = self.number
        return [
            value[number]
            for value in values
            if isinstance(value, (list, str)) and -len(value) <= number < len(value)
        ]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Slice(Selector):
    """`[start:end]` or `[*]`: items of a list; other values but null and fractions count as a list of one."""

    start: int | None = None
    end: int | None = None

    def pick(self, values: list[Any]) -> list[Any]:
        """See Selector."""
        start, end = self.start, self.end
        return [item for value in values for item in _as_list(value)[start:end]]

    def follow(self, matches: list[Match], budget: Budget) -> list[Match]:
        """See Selector; the parent of what counts as a list of one is that list."""
        parents = [
            match if isinstance(match.value, list) else Match(_as_list(match.value), match.context) for match in matches
        ]
        return super().follow(parents, budget)


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, (dict, str, int)) else []


@dataclasses.dataclass(frozen=True)
class Fields(Step):
    """`name,name`: members of an object, in the order of the names."""

    names: tuple[str, ...]

    def follow(self, matches: list[Match], budget: Budget) -> list[Match]:
        """See Step."""
        found = [
            Match(match.value[name], match)
            for match in matches
            if isinstance(match.value, dict)
            for name in self.names
            if name in match.value
        ]
        budget.spend(len(found))
        return found


@dataclasses.dataclass(frozen=True)
class Root(Step):
    """`$`: the whole document."""

    def follow(self, matches: list[Match], budget: Budget) -> list[Match]:
        """See Step."""
        budget.spend(len(matches))
        return [_root(match) for match in matches]


def _root(match: Match) -> Match:
    while match.context is not None:
        match = match.context
    return match


@dataclasses.dataclass(frozen=True)
class Parent(Step):
    """`parent` in backquotes: the value that holds this one; nothing for the whole document."""

    def follow(self, matches: list[Match], budget: Budget) -> list[Match]:
        """See Step."""
        budget.spend(len(matches))
        return [match.context for match in matches if match.context is not None]


@dataclasses.dataclass(frozen=True)
class Descend(Step):
    """`..path`: what the path finds in the value itself and, however deep, in all below."""

    steps: tuple[Step, ...]

    def follow(self, matches: list[Match], budget: Budget) -> list[Match]:
        """See Step."""
        return [
            found
            for match in matches
            for start in _self_and_below(match, budget)
            for found in follow_all(self.steps, [start], budget)
        ]


def _self_and_below(match: Match, budget: Budget) -> Iterator[Match]:
    """Yield the match and all matches below, each before its children."""
    waiting = [match]
    while waiting:
        current = waiting.pop()
        yield current
        value = current.value
        children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        budget.spend(len(children))
        waiting.extend([Match(child, current) for child in children][::-1])


@dataclasses.dataclass(frozen=True)
class Where(Step):
    """`where path`: those matches from which the path finds anything."""

    steps: tuple[Step, ...]

    def follow(self, matches: list[Match], budget: Budget) -> list[Match]:
        """See Step."""
        budget.spend(len(matches))
        return [match for match in matches if follow_all(self.steps, [match], budget)]


@dataclasses.dataclass(frozen=True)
class Union(Step):
    """`path|path`: what each of the paths finds."""

    paths: tuple[tuple[Step, ...], ...]

    def follow(self, matches: list[Match], budget: Budget) -> list[Match]:
        """See Step."""
        found: list[Match] = []
        for match in matches:
            for path in self.paths:
                found += follow_all(path, [match], budget)
            budget.spend(len(self.paths))
        return found
