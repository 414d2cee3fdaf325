"""The picture of the states in the documentation: what the table says, all of it, and legible."""

from __future__ import annotations

import importlib.util
import itertools
import pathlib
import sys
from typing import Any
from xml.etree import ElementTree

import pytest

from ironic_inspector.introspection_state import TRANSITIONS
from ironic_inspector.introspection_state import States

SOURCE = pathlib.Path(__file__).parents[2] / 'doc' / 'source' / '_ext' / 'state_picture.py'
SVG = '{http://www.w3.org/2000/svg}'


@pytest.fixture(scope='module')
def picture() -> Any:
    """The module that draws, which Sphinx imports from a folder of the documentation."""
    spec = importlib.util.spec_from_file_location('state_picture', SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its named tuples look for it there.
    sys.modules['state_picture'] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def svg(picture: Any) -> ElementTree.Element:
    """The picture."""
    return ElementTree.fromstring(picture.draw(TRANSITIONS, ended=States.ENDED, working=States.WORKING))


def groups(svg: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return [group for group in svg.iter(f'{SVG}g') if group.get('class') == kind]


def test_it_has_exactly_the_states(svg: ElementTree.Element) -> None:
    drawn = [group.get('data-state') for group in groups(svg, 'state')]
    assert sorted(map(str, drawn)) == sorted(States.ALL)
    assert [text.text for group in groups(svg, 'state') for text in group.iter(f'{SVG}text')] == drawn


def test_it_has_exactly_the_transitions(svg: ElementTree.Element) -> None:
    drawn = [
        ((group.get('data-from'), event.text), group.get('data-to'))
        for group in groups(svg, 'arrow')
        for event in group.iter(f'{SVG}text')
    ]
    assert len(drawn) == len(TRANSITIONS)
    assert dict(drawn) == TRANSITIONS


def test_arrows_begin_and_end_at_their_states(svg: ElementTree.Element, picture: Any) -> None:
    for group in groups(svg, 'arrow'):
        path = group.find(f'{SVG}path')
        assert path is not None
        numbers = [float(word.lstrip('MLCQ')) for word in str(path.get('d')).split()]
        for name, (x, y) in (('data-from', numbers[:2]), ('data-to', numbers[-2:])):
            box = picture.BOXES[group.get(name)]
            at_side = x in (box.left, box.right) and box.top <= y <= box.bottom
            at_edge = y in (box.top, box.bottom) and box.left <= x <= box.right
            assert at_side or at_edge, (group.attrib, x, y)


def test_nothing_covers_anything(svg: ElementTree.Element, picture: Any) -> None:
    areas = [(box.left, box.top, box.right, box.bottom) for box in picture.BOXES.values()]
    for group in groups(svg, 'arrow'):
        for text in group.iter(f'{SVG}text'):
            x, y, width = float(str(text.get('x'))), float(str(text.get('y'))), 8 * len(str(text.text))
            left = x - {'start': 0.0, 'middle': 0.5, 'end': 1.0}[str(text.get('text-anchor'))] * width
            areas.append((left, y - 11, left + width, y + 3))
    for area in areas:
        assert area[0] >= 0
        assert area[1] >= 0
        assert area[2] <= picture.WIDTH
        assert area[3] <= picture.HEIGHT
    for one, other in itertools.combinations(areas, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)


def test_a_state_without_a_place_is_named(picture: Any) -> None:
    with pytest.raises(LookupError, match='resting'):
        picture.draw({('waiting', 'rest'): 'resting'}, ended=(), working=())
