"""Regular expressions in the conditions of rules: those of Python, searched for in bounded time.

The module `re` can be kept busy for years by a pattern such as (a|aa)+$, and lets no other thread run meanwhile. The
module `regex` gives up after a time, and lets others run. It takes nearly all patterns of `re` to mean the same; the
few that it does not are put in other words for it. Left are rare differences, such as that white space is not
U+001C to U+001F here, and that the Unicode tables may be of another year.

It writes out what a pattern repeats, n times for {n}, so that the memory a pattern takes must be bounded, too.
"""

from __future__ import annotations

from collections.abc import Iterable
import dataclasses
import math
import re
from typing import TYPE_CHECKING

from ironic_inspector.plugins import checks

if TYPE_CHECKING:
    import regex

MAX_LENGTH = 10_000
"""Characters of a pattern."""
MAX_SIZE = 20_000
"""Parts of a pattern with its repetitions written out, at about 300 bytes each."""
MAX_TEXT = 256 * 1024
"""Characters of a text; the time to notice that time is up grows with it, to about 0.2 s."""
TIMEOUT = 0.2
"""Seconds of CPU time of the process that one search may take."""

_TOKEN = re.compile(
    r"""
    (?P<escape>\\N\{[^}]*\} | \\.)
    | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\]?)
    | (?P<comment>\(\?\#[^)]*\)?)
    | (?P<repeat>\{(?P<least>[0-9]+)\} | \{(?P<from>[0-9]*),[0-9]*\})
    | (?P<brace>\{)
    | (?P<open>\()
    | (?P<close>\))
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE_OR_BRACKET = re.compile(r'(\\.)|\[', re.DOTALL)
_VERBOSE = re.compile(r'\(\?[a-zA-Z]*x')
_FAR = re.compile(r'[^\x00-\x7f]|\\[uUN]')
_MAX_FAR = 200
"""Sets with characters beyond ASCII, which `re` goes through one by one."""


class RegexError(ValueError):
    """A pattern that cannot be used; the message says where it goes wrong, and why."""


class TextTooLong(ValueError):
    """A text that is not searched; the message says how long it is."""


class RegexTimeout(Exception):
    """A search that would take too long; the message says which."""


@dataclasses.dataclass(frozen=True)
class Regex:
    """A pattern, ready to be searched for in any number of texts, by any number of threads."""

    pattern: str
    _searched: regex.Pattern[str] = dataclasses.field(repr=False)
    _full: regex.Pattern[str] = dataclasses.field(repr=False)

    def search(self, text: str) -> bool:
        """Tell whether the pattern is found anywhere in a text; TextTooLong, or RegexTimeout if it takes too long."""
        self._check(text)
        try:
            return self._searched.search(text, timeout=TIMEOUT, concurrent=True) is not None
        except TimeoutError as exc:
            raise self._timeout(text) from exc

    def fullmatch(self, text: str) -> bool:
        """Tell whether a text matches from its start on when the pattern is ended by a $, unless it already is.

        So it has always been for rules, and therefore a newline may follow, and the $ of a|b is one of b alone.
        TextTooLong, or RegexTimeout if it takes too long.
        """
        self._check(text)
        try:
            return self._full.match(text, timeout=TIMEOUT, concurrent=True) is not None
        except TimeoutError as exc:
            raise self._timeout(text) from exc

    def _check(self, text: str) -> None:
        if len(text) > MAX_TEXT:
            raise TextTooLong(
                f'The regular expression {checks.shown(self.pattern)} was not searched for in a text of {len(text)} '
                f'characters: {MAX_TEXT} are allowed'
            )

    def _timeout(self, text: str) -> RegexTimeout:
        return RegexTimeout(
            f'The regular expression {checks.shown(self.pattern)} takes more than {TIMEOUT} s for a text of '
            f'{len(text)} characters'
        )


def compile_regex(pattern: str) -> Regex:
    """Return the regular expression that `pattern` stands for; RegexError if it is none of Python's, or too large."""
    if len(pattern) > MAX_LENGTH:
        raise RegexError(f'The regular expression is {len(pattern)} characters long: {MAX_LENGTH} are allowed')
    # By need: most services have no rule with a regular expression, and it takes memory.
    import regex

    tokens = list(_TOKEN.finditer(pattern))
    if _size(pattern, tokens) > MAX_SIZE:
        raise RegexError(
            f'The regular expression {checks.shown(pattern)} is too large: with what it repeats it has more than '
            f'{MAX_SIZE} parts'
        )
    if sum(bool(token['set'] and _FAR.search(token[0])) for token in tokens) > _MAX_FAR:
        raise RegexError(
            f'The regular expression {checks.shown(pattern)} is too large: it has more than {_MAX_FAR} sets of '
            f'characters beyond ASCII'
        )
    same = ''.join(map(_in_other_words, tokens))
    try:
        # The judge of what is a pattern; it knows more errors than the other one.
        re.compile(pattern)
        searched = regex.compile(same, cache_pattern=False)
        full = searched if pattern.endswith('$') else regex.compile(f'{same}$', cache_pattern=False)
    except RecursionError as exc:
        raise RegexError(f'The regular expression {checks.shown(pattern)} is nested too deeply') from exc
    except (re.error, regex.error, OverflowError) as exc:
        raise RegexError(f'The regular expression {checks.shown(pattern)} is not valid: {exc}') from exc
    return Regex(pattern, searched, full)


def _in_other_words(token: re.Match[str]) -> str:
    """Return what means to `regex` what the token means to `re`: no [:classes:] in a set, no {errors} allowed."""
    text = token[0]
    if token['set']:
        return '[' + _ESCAPE_OR_BRACKET.sub(lambda part: part[1] or r'\[', text[1:])
    return r'\{' if token['brace'] else text


def _size(pattern: str, tokens: Iterable[re.Match[str]]) -> int:
    """Return how many parts a pattern has with its repetitions written out; at least so many as it really has."""
    if '#' in pattern and _VERBOSE.search(pattern):
        # There may be comments, and in them brackets: what is a group cannot be told from here.
        return len(pattern) * math.prod(_least(token) for token in tokens if token['repeat'])
    sizes = [0]
    """Of the groups that are open, from the outermost in."""
    last = 0
    """Size of what a repetition would repeat."""
    for token in tokens:
        if token['open']:
            sizes.append(1)
        elif token['close']:
            # One too many is an error that `re` explains better.
            last = sizes.pop() if len(sizes) > 1 else sizes[0]
            sizes[-1] += last
        elif token['repeat']:
            sizes[-1] += last * (_least(token) - 1)
        else:
            # White space may be part of the pattern, or else what is repeated is the part before it.
            last = max(last, 1) if token['comment'] or token[0].isspace() else 1
            sizes[-1] += 1
    return sum(sizes)


def _least(token: re.Match[str]) -> int:
    # What is beyond nine digits is too much in any case, and must not be multiplied.
    return max(1, int((token['least'] or token['from'] or '0')[:9]))
