"""Messages that the documentation quotes, :message:`…` in its source, are those of the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
import functools
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PAGES = ROOT / 'doc' / 'source'
PACKAGE = ROOT / 'ironic_inspector'

HOLE = '\0'
"""Stands for a part that differs from one time to the next."""
_FORMATS = re.compile(r'%[-0-9.]*[sdrgf]')
_QUOTED = re.compile(r':message:`([^`]+)`')
_OPEN = re.compile(r'(<[^<>]*>|…)')


def templates_in(source: str) -> Iterator[str]:
    """Yield the texts in a Python source, with holes for what is filled in."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Constant, ast.JoinedStr, ast.BinOp)):
            template = template_of(node)
            if template != HOLE:
                yield normal(template)


def template_of(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _FORMATS.sub(HOLE, node.value)
    if isinstance(node, ast.JoinedStr):
        return ''.join(template_of(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return template_of(node.left) + template_of(node.right)
    return HOLE


def normal(text: str) -> str:
    return re.sub(f'{HOLE}+', HOLE, ' '.join(text.split(' ')))


def quoted_in(page: str) -> list[str]:
    """Return the messages that an RST source quotes, each in one line."""
    return [' '.join(message.split()) for message in _QUOTED.findall(page)]


def pattern_of(message: str) -> re.Pattern[str]:
    """Return what the template of a message looks like: <so> for what is filled in, … for what is left out."""
    parts = [
        HOLE if part.startswith('<') else '.*' if part == '…' else re.escape(part) for part in _OPEN.split(message)
    ]
    return re.compile(normal(''.join(parts)), re.DOTALL)


@functools.cache
def templates() -> frozenset[str]:
    files = [path for path in PACKAGE.rglob('*.py') if 'fixtures' not in path.parts]
    return frozenset(template for path in files for template in templates_in(path.read_text('utf-8')))


def quotations() -> list[tuple[str, str]]:
    pages = sorted(PAGES.glob('*.rst'))
    return [(page.stem, message) for page in pages for message in quoted_in(page.read_text('utf-8'))]


@pytest.mark.parametrize(('page', 'message'), quotations())
def test_the_code_says_so(page: str, message: str) -> None:
    pattern = pattern_of(message)
    assert any(map(pattern.fullmatch, templates())), f'{page}.rst: no text in {PACKAGE.name} is {message!r}'


@pytest.mark.parametrize(('page', 'least'), [('troubleshooting', 50), ('operating', 20)])
def test_there_are_messages_to_look_for(page: str, least: int) -> None:
    assert len(quoted_in((PAGES / f'{page}.rst').read_text('utf-8'))) >= least


@pytest.mark.parametrize(
    ('message', 'source', 'is_it'),
    [
        ('Node <uuid> was never introspected here', "f'Node {uuid} was never ' f'introspected here'", True),
        ('Node <uuid> was never introspected here', "f'Node {uuid} was introspected here'", False),
        ('Node <uuid> was never …', "f'Node {uuid} was never introspected here'", True),
        ('Node <uuid> was', "f'Node {uuid} was never introspected here'", False),
        ('Node <uuid> is late', "LOG.info('Node %s is late', uuid)", True),
        ('Node <uuid> is late', "LOG.info('Node is late')", False),
        ('No disk fits <hints>…', "f'No disk fits {hints}' + (f'; skipped: {skipped}' if skipped else '')", True),
    ],
)
def test_what_is_the_same(message: str, source: str, is_it: bool) -> None:
    assert any(map(pattern_of(message).fullmatch, templates_in(source))) is is_it
