"""Draws the states of an introspection as SVG. Where the states stand is said here, all else is the service's table."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping
from typing import NamedTuple
from xml.sax import saxutils

Transitions = Mapping[tuple[str, str], str]
"""The state that follows, by a state and an event."""

WIDTH, HEIGHT = 930, 480
BOX_WIDTH, BOX_HEIGHT = 128, 44
LINE = 17
"""Height of a line of text."""
APART = 16
"""Distance of an arrow from the middle of a box where another one goes the other way."""
LOOP = 34
"""How far an arrow from a state to itself stands out."""
OVER = 34
"""Height at which arrows pass over other states."""


class Box(NamedTuple):
    """Where a state stands: its middle, and its width."""

    x: float
    y: float
    width: float = BOX_WIDTH

    @property
    def left(self) -> float:
        """The x of its left side."""
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        """The x of its right side."""
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        """The y of its upper side."""
        return self.y - BOX_HEIGHT / 2

    @property
    def bottom(self) -> float:
        """The y of its lower side."""
        return self.y + BOX_HEIGHT / 2


BOXES: Mapping[str, Box] = {
    'starting': Box(95, 110),
    'waiting': Box(320, 110),
    'processing': Box(550, 110),
    'finished': Box(775, 110),
    'aborting': Box(207, 270),
    'enrolling': Box(435, 270),
    'reapplying': Box(775, 270),
    # Most states lead there, each by an arrow straight down.
    'error': Box(435, 440, 808),
}


class Arrow(NamedTuple):
    """All events that lead from one state to another."""

    source: str
    target: str
    events: tuple[str, ...]


class _Route(NamedTuple):
    path: str
    label: tuple[float, float]
    """Where the text stands: the middle of its left side, or as `anchor` says."""
    anchor: str


def arrows(transitions: Transitions) -> list[Arrow]:
    """Return the arrows of a table, those of one source and target as one."""
    events: dict[tuple[str, str], list[str]] = {}
    for (source, event), target in transitions.items():
        events.setdefault((source, target), []).append(event)
    return [Arrow(source, target, tuple(names)) for (source, target), names in events.items()]


def draw(transitions: Transitions, *, ended: Collection[str], working: Collection[str]) -> str:
    """Return the picture of a table as an SVG element.

    `ended` are states in which nothing goes on, `working` those in which the service works on the node. LookupError
    if a state has no place in the picture.
    """
    states = dict.fromkeys([*(source for source, _event in transitions), *transitions.values()])
    if homeless := sorted(states.keys() - BOXES.keys()):
        raise LookupError(f'{__name__} does not say where to draw {", ".join(homeless)}: add them to BOXES')
    found = arrows(transitions)
    pairs = {(arrow.source, arrow.target) for arrow in found}
    told = '; '.join(f'{arrow.source} to {arrow.target}: {", ".join(arrow.events)}' for arrow in found)
    return '\n'.join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" width="100%" '
            'font-family="sans-serif" font-size="14" aria-labelledby="states-title states-told">',
            '<title id="states-title">States of an introspection</title>',
            f'<desc id="states-told">{saxutils.escape(told)}</desc>',
            '<defs><marker id="states-head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
            'orient="auto-start-reverse"><path d="M0 1 L10 5 L0 9 z" fill="#444"/></marker></defs>',
            *(_arrow(arrow, is_pair=(arrow.target, arrow.source) in pairs) for arrow in found),
            *(_state(name, _colour(name, ended, working)) for name in states),
            '</svg>',
        ]
    )


def _colour(name: str, ended: Collection[str], working: Collection[str]) -> str:
    if name in ended:
        return '#e3e3e3'
    return '#dbe9f8' if name in working else '#fdf1cf'


def _state(name: str, colour: str) -> str:
    box = BOXES[name]
    return (
        f'<g class="state" data-state="{name}"><rect x="{box.left:g}" y="{box.top:g}" width="{box.width:g}" '
        f'height="{BOX_HEIGHT}" rx="8" fill="{colour}" stroke="#444"/><text x="{box.x:g}" y="{box.y + 5:g}" '
        f'text-anchor="middle" font-weight="bold">{name}</text></g>'
    )


def _arrow(arrow: Arrow, *, is_pair: bool) -> str:
    route = _route(BOXES[arrow.source], BOXES[arrow.target], is_pair=is_pair)
    x, y = route.label
    # The text baseline of the first of several lines, whose middle is at y.
    first = y + 5 - LINE * (len(arrow.events) - 1) / 2
    lines = ''.join(
        f'<text x="{x:g}" y="{first + LINE * number:g}" text-anchor="{route.anchor}">{event}</text>'
        for number, event in enumerate(arrow.events)
    )
    return (
        f'<g class="arrow" data-from="{arrow.source}" data-to="{arrow.target}"><path d="{route.path}" fill="none" '
        f'stroke="#444" stroke-width="1.4" marker-end="url(#states-head)"/>{lines}</g>'
    )


def _route(source: Box, target: Box, *, is_pair: bool) -> _Route:
    if source == target:
        return _to_itself(source)
    if source.y == target.y:
        if any(
            min(source.x, target.x) < box.x < max(source.x, target.x) for box in BOXES.values() if box.y == source.y
        ):
            return _over_others(source, target)
        return _sideways(source, target, APART if is_pair else 0)
    narrow, wide = sorted((source, target), key=lambda box: box.width)
    if wide.left <= narrow.x <= wide.right:
        return _upright(narrow.x, source, target, APART if is_pair else 0)
    return _aslant(source, target)


def _to_itself(box: Box) -> _Route:
    x = box.right + LOOP
    path = f'M{box.right:g} {box.y - 12:g} C{x:g} {box.y - 22:g} {x:g} {box.y + 22:g} {box.right:g} {box.y + 12:g}'
    return _Route(path, (x - 4, box.y), 'start')


def _over_others(source: Box, target: Box) -> _Route:
    bend = 60 if source.x < target.x else -60
    path = (
        f'M{source.x:g} {source.top:g} L{source.x:g} {OVER + 36:g} Q{source.x:g} {OVER:g} {source.x + bend:g} {OVER:g} '
        f'L{target.x - bend:g} {OVER:g} Q{target.x:g} {OVER:g} {target.x:g} {OVER + 36:g} '
        f'L{target.x:g} {target.top:g}'
    )
    return _Route(path, ((source.x + target.x) / 2, OVER - 12), 'middle')


def _sideways(source: Box, target: Box, apart: float) -> _Route:
    forward = source.x < target.x
    y = source.y + (-apart if forward else apart) * 0.6
    begin, end = (source.right, target.left) if forward else (source.left, target.right)
    return _Route(f'M{begin:g} {y:g} L{end:g} {y:g}', ((begin + end) / 2, y + (-12 if forward else 13)), 'middle')


def _upright(x: float, source: Box, target: Box, apart: float) -> _Route:
    down = source.y < target.y
    x += apart if down else -apart
    begin, end = (source.bottom, target.top) if down else (source.top, target.bottom)
    # Beside its lower end, where no other boxes are.
    y = max(begin, end) - 62
    return _Route(f'M{x:g} {begin:g} L{x:g} {end:g}', (x + (7 if down else -7), y), 'start' if down else 'end')


def _aslant(source: Box, target: Box) -> _Route:
    down, leftwards = source.y < target.y, source.x > target.x
    begin, end = (source.bottom, target.top) if down else (source.top, target.bottom)
    # Not from and to the middles, where arrows go straight up and down.
    shift = -BOX_WIDTH / 4 if leftwards else BOX_WIDTH / 4
    first, last = source.x + shift, target.x - shift
    x, y = (first + last) / 2, (begin + end) / 2
    return _Route(f'M{first:g} {begin:g} L{last:g} {end:g}', (x - 14, y), 'end')
