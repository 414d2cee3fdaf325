"""JSON paths in the conditions of rules, such as inventory.interfaces[*].mac_address.

The grammar is the one of jsonpath-rw 1.4, which rules in existing databases are written in:

    path       NAME | NAME,NAME... | * | $ | `this` | `parent` | [selector] | (path)
               path[selector] | path..path | path.path | path|path | path where path
    selector   NAME | NAME,NAME... | NUMBER | [NUMBER]:[NUMBER] | *
    NAME       letters, digits, _, @ and -, and no digit or - in front; or any text in quotes, in which \\ quotes

Operators bind in the order of their line, the last ones most, all of them to the left: a.b|c[0] is (a.(b|c))[0]. What
each step finds is told in path_steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses
import re
from typing import Any
from typing import NamedTuple
from typing import NoReturn

from ironic_inspector import utils
from ironic_inspector.plugins import checks
from ironic_inspector.rules import path_steps as steps

LOG = utils.getProcessingLogger(__name__)

MAX_LENGTH = 4096
"""Characters of a path."""
MAX_NESTING = 16
"""Brackets in brackets; a path with more could not be searched without running out of stack."""
_MAX_PLAIN = 16
"""Steps of a path that may go the fast way, on which nobody counts how many values it looks at."""

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\n]+)
    | (?P<name>[a-zA-Z_@][a-zA-Z0-9_@\-]*)
    | (?P<number>-?\d+)
    | '(?P<single>(?:[^'\\]|\\.)*)'
    | "(?P<double>(?:[^"\\]|\\.)*)"
    | `(?P<operator>(?:[^`\\]|\\.)*)`
    | (?P<sign>\.\.|[*.\[\]()$,:|&])
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(r'\\(.)')

_LOOSEST = -1
_LEVELS = {'[': 0, '..': 1, '.': 2, '|': 3, '&': 4, 'where': 5}
"""How tightly operators bind."""


class PathError(ValueError):
    """A path that cannot be used; the message says where it goes wrong, and why."""


@dataclasses.dataclass(frozen=True)
class Path:
    """A JSON path, ready to be searched for in any number of documents, by any number of threads."""

    text: str
    _steps: tuple[steps.Step, ...] = dataclasses.field(repr=False)
    _names: tuple[str, ...] = dataclasses.field(repr=False)
    """If the path is plain, its first steps, which are members of objects; the fast way."""
    _selectors: tuple[steps.Selector, ...] | None = dataclasses.field(repr=False)
    """The steps after them; None if the path is not plain."""

    @property
    def is_definite(self) -> bool:
        """Whether the path leads to one value at most, in whatever document: it has names and numbers only."""
        return self._selectors is not None and all(
            isinstance(selector, (steps.Field, steps.Index)) for selector in self._selectors
        )

    def find(self, document: Any) -> list[Any]:
        """Return all values found in a JSON document, which stays as it is; an empty list if there are none.

        A search that would take too long finds nothing, and is logged.
        """
        if self._selectors is None:
            return self._search(document)
        value = document
        for name in self._names:
            if not isinstance(value, dict) or name not in value:
                return []
            value = value[name]
        values = [value]
        for selector in self._selectors:
            values = selector.pick(values)
        return values

    def _search(self, document: Any) -> list[Any]:
        """Search in the way that any path can be searched for."""
        try:
            found = steps.follow_all(self._steps, [steps.Match(document, None)], steps.Budget())
        except steps.SearchTooLong:
            LOG.warning(
                'The path %s was given up, as if it had found nothing: it leads to more than %d values',
                self.text, steps.MAX_MATCHES,
            )  # fmt: skip
            return []
        return [match.value for match in found]


def compile_path(text: str) -> Path:
    """Return the path that `text` stands for; PathError if it is none."""
    if len(text) > MAX_LENGTH:
        raise PathError(f'The JSON path is {len(text)} characters long: {MAX_LENGTH} are allowed')
    parsed = _Parser(text).parse()
    # The document itself is where each search starts.
    path = tuple(parsed[1:] if parsed[:1] == [steps.Root()] else parsed)
    selectors = [step for step in path if isinstance(step, steps.Selector)]
    if len(selectors) < len(path) or len(path) > _MAX_PLAIN:
        return Path(text, path, (), None)
    names = tuple(_leading_names(selectors))
    return Path(text, path, names, tuple(selectors[len(names) :]))


def _leading_names(path: Iterable[steps.Step]) -> Iterator[str]:
    for step in path:
        if not isinstance(step, steps.Field):
            return
        yield step.name


class _Token(NamedTuple):
    kind: str
    """name, number, operator, end; or the sign or word itself, such as [ or where."""
    value: str
    position: int


_Steps = list[steps.Step]


class _Parser:
    """Takes one path apart, from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._tokenize()
        self._next = 0
        self._nesting = 0

    def parse(self) -> _Steps:
        path = self._path(_LOOSEST)
        if self._peek().kind != 'end':
            self._fail(self._peek(), 'an operator or the end')
        return path

    def _tokenize(self) -> list[_Token]:
        tokens = []
        position = 0
        while position < len(self._text):
            match = _TOKEN.match(self._text, position)
            if match is None:
                character = self._text[position]
                reason = 'it has no end' if character in '\'"`' else 'names with such characters need quotes'
                raise PathError(f'{self._place(position)}: {character!r} does not fit here: {reason}')
            tokens.append(_token(match))
            position = match.end()
        return [token for token in tokens if token.kind != 'space'] + [_Token('end', '', position)]

    def _path(self, level: int) -> _Steps:
        """Read a path up to the next operator that binds no tighter than `level`."""
        left = self._primary()
        while _LEVELS.get(self._peek().kind, _LOOSEST) > level:
            operator = self._take()
            if operator.kind == '[':
                left.append(self._selector())
                continue
            right = self._path(_LEVELS[operator.kind])
            self._join(left, operator, right)
        return left

    def _join(self, left: _Steps, operator: _Token, right: _Steps) -> None:
        """Make one path of two, in the place of the left one."""
        if operator.kind == '.':
            left += right
        elif operator.kind == '..':
            left.append(steps.Descend(tuple(right)))
        elif operator.kind == 'where':
            left.append(steps.Where(tuple(right)))
        elif operator.kind == '|':
            union = left[0].paths if len(left) == 1 and isinstance(left[0], steps.Union) else (tuple(left),)
            left[:] = [steps.Union((*union, tuple(right)))]
        else:
            raise PathError(
                f'{self._place(operator.position)}: & has never worked: there is nothing that it could find'
            )

    def _primary(self) -> _Steps:
        token = self._take()
        if token.kind == 'name':
            return [self._fields(token)]
        if token.kind == '*':
            return [steps.AnyField()]
        if token.kind == '$':
            return [steps.Root()]
        if token.kind == '[':
            return [self._selector()]
        if token.kind == 'operator':
            return self._named_operator(token)
        if token.kind != '(':
            self._fail(token, 'a name, *, $, `this`, `parent`, [ or (')
        return self._nested(token)

    def _named_operator(self, token: _Token) -> _Steps:
        if token.value == 'this':
            return []
        if token.value == 'parent':
            return [steps.Parent()]
        raise PathError(f'{self._place(token.position)}: there is no `{token.value}`, only `this` and `parent`')

    def _nested(self, opening: _Token) -> _Steps:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise PathError(f'{self._place(opening.position)}: only {MAX_NESTING} brackets may be open at a time')
        path = self._path(_LOOSEST)
        self._expect(')')
        self._nesting -= 1
        return path

    def _selector(self) -> steps.Step:
        """Read what stands in square brackets, and the closing one."""
        token = self._peek()
        step: steps.Step
        if token.kind == 'name':
            step = self._fields(self._take())
        elif token.kind == '*':
            self._take()
            step = steps.Slice()
        else:
            step = self._index_or_slice()
        self._expect(']')
        return step

    def _index_or_slice(self) -> steps.Step:
        start = self._optional_number()
        if start is not None and self._peek().kind == ']':
            return steps.Index(start)
        if start is None and self._peek().kind != ':':
            self._fail(self._peek(), 'a number, a name, : or *')
        self._expect(':')
        return steps.Slice(start, self._optional_number())

    def _optional_number(self) -> int | None:
        return int(self._take().value) if self._peek().kind == 'number' else None

    def _fields(self, first: _Token) -> steps.Step:
        names = [first.value]
        while self._peek().kind == ',':
            self._take()
            names.append(self._expect('name').value)
        # A * in quotes has always been the same as one without.
        if '*' in names:
            return steps.AnyField()
        return steps.Field(names[0]) if len(names) == 1 else steps.Fields(tuple(names))

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _expect(self, kind: str) -> _Token:
        token = self._take()
        if token.kind != kind:
            self._fail(token, f'a {kind}' if kind.isalpha() else kind)
        return token

    def _fail(self, token: _Token, expected: str) -> NoReturn:
        found = 'its end' if token.kind == 'end' else repr(token.value)
        raise PathError(f'{self._place(token.position)}: there must be {expected}, not {found}')

    def _place(self, position: int) -> str:
        return f'The JSON path {checks.shown(self._text)} is not valid at character {position + 1}'


def _token(match: re.Match[str]) -> _Token:
    kind, value = str(match.lastgroup), str(match[str(match.lastgroup)])
    if kind in ('single', 'double', 'operator'):
        return _Token('operator' if kind == 'operator' else 'name', _ESCAPE.sub(r'\1', value), match.start())
    if kind == 'sign' or value == 'where':
        return _Token(value, value, match.start())
    return _Token(kind, value, match.start())
