"""Regular expressions of rules."""

from __future__ import annotations

import re
import threading

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest

from ironic_inspector.rules import regexes
from tests.unit.rules import arbitrary


@pytest.mark.parametrize(
    ('pattern', 'text', 'matches'),
    [
        ('abc', 'abc', True),
        ('abc', 'abcd', False),
        ('abc', 'xabc', False),
        ('abc$', 'abcd', False),
        ('^abc$', 'abc', True),
        ('.*', 'a b', True),
        ('.*', 'a\nb', False),
        ('(?s).*', 'a\nb', True),
        ('(?i)dell.*', 'DELL Inc.', True),
        ('', '', True),
        ('', 'x', False),
        # What has always been so, though nobody would expect it of a full match.
        ('abc', 'abc\n', True),
        ('a|b', 'axx', True),
        ('a|b', 'b', True),
        ('a|b', 'bxx', False),
        ('(a|b)', 'axx', False),
        (r'a\$', 'a$x', True),
        (r'a\Z', 'a\n', False),
        ('(?m)a', 'a\nb', True),
        ('(?x)a # c', 'ab', True),
    ],
)
def test_a_match_is_of_the_whole_text(pattern: str, text: str, matches: bool) -> None:
    assert regexes.compile_regex(pattern).fullmatch(text) is matches


@pytest.mark.parametrize(
    ('pattern', 'text', 'found'),
    [
        ('b', 'abc', True),
        ('x', 'abc', False),
        ('', '', True),
        ('^b', 'abc', False),
        ('(?m)^b$', 'a\nb\nc', True),
        ('aes', "['vmx', 'aes']", True),
        (r'(?<!\d)40(?!\d)', 'Gen 40', True),
        (r'(\w)\1', 'abba', True),
        (r'(?P<x>a)(?P=x)', 'aa', True),
        (r'(a)?(?(1)b|c)', 'ab', True),
        ('\ud800', 'x\ud800', True),
    ],
)
def test_a_search_is_anywhere_in_the_text(pattern: str, text: str, found: bool) -> None:
    assert regexes.compile_regex(pattern).search(text) is found


@pytest.mark.filterwarnings('ignore:Possible (nested set|set):FutureWarning')
@pytest.mark.parametrize(
    ('pattern', 'yes', 'no'),
    [
        ('[[:alpha:]]', 'p]', 'b'),
        ('^[^[:alpha:]]', 'b]', 'a]'),
        (r'[a\[:]', '[', 'b'),
        ('a{e}', 'a{e}', 'b'),
        ('x{e<=1}', 'x{e<=1}', 'x'),
        ('^a{i}', 'a{i}', 'a'),
        ('a{1', 'a{1', 'a1'),
        ('a{}', 'a{}', 'a'),
        ('[{e}]', 'e', 'a'),
        (r'\{e\}', '{e}', 'e'),
        (r'\N{LATIN SMALL LETTER A}{2}', 'aa', 'a'),
        ('^(?#[{(:)a{2}$', 'aa', 'a'),
        ('^a{,2}$', 'a', 'aaa'),
        ('[a&&b]', '&', 'c'),
        ('[a||b]', 'b', 'c'),
        ('[]a{e}]', ']', 'b'),
        ('[^]a]', 'b', ']'),
        ('[a', 'never', 'never'),
    ],
)
def test_patterns_mean_what_they_mean_to_python(pattern: str, yes: str, no: str) -> None:
    try:
        expected = re.compile(pattern)
    except re.error:
        with pytest.raises(regexes.RegexError):
            regexes.compile_regex(pattern)
        return
    assert expected.search(yes)
    assert not expected.search(no)
    found = regexes.compile_regex(pattern)
    assert found.search(yes)
    assert not found.search(no)


@pytest.mark.parametrize(
    ('pattern', 'reason'),
    [
        ('(', r"'\(' is not valid: missing \), unterminated subpattern at position 0"),
        ('a[', r"'a\[' is not valid: unterminated character set at position 1"),
        ('a**', r"'a\*\*' is not valid: multiple repeat at position 2"),
        ('\\', 'is not valid: bad escape'),
        (r'\p{L}', r'is not valid: bad escape \\p at position 0'),
        ('(?<=a*)b', 'is not valid: look-behind requires fixed-width pattern'),
        (r'(a)\2', 'is not valid: invalid group reference 2'),
        ('(?R)', 'is not valid: unknown extension'),
        ('a{99999999999}', 'too large'),
        ('a{0,99999999999}', 'is not valid: the repetition number is too large'),
        ('a' * 10_001, '10001 characters long: 10000 are allowed'),
        ('(' * 2000 + 'a' + ')' * 2000, 'is nested too deeply'),
    ],
)
def test_what_is_no_pattern_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    with pytest.raises(regexes.RegexError, match=reason):
        regexes.compile_regex(pattern)


@pytest.mark.parametrize(
    'pattern',
    [
        'a{1000000}',
        'a{65535}' * 500,
        '(?:(?:a{100}){100}){100}',
        '((a{1000,}){1000,}){1000,}',
        '(?:(?:ab|[cd]){1000}e){1000}',
        '(?=(?:a{1000}){1000})',
        '(?:a{1000}) {1000}' + '\n',
        '(?x)(?:a{1000}) {1000}',
        '(?x)(?:a{1000})(?#c){1000}',
        '(?x)(?: a{1000} #(\n ){1000}',
        '(?x:(?: a{1000} #[\n ){1000})',
        ' {30000}',
        '[\u0100-\U0010ffff]' * 1500,
    ],
)
def test_what_would_take_too_much_memory_or_time_to_compile_is_refused(pattern: str) -> None:
    with pytest.raises(regexes.RegexError, match='is too large'):
        regexes.compile_regex(pattern)


@pytest.mark.parametrize(
    'pattern',
    [
        '([0-9a-f]{2}:){5}[0-9a-f]{2}',
        r'(\d{1,3}\.){3}\d{1,3}',
        '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' * 20,
        '(?x) [0-9a-f]{8} (?: - [0-9a-f]{4} ){3} - [0-9a-f]{12}',
        '(?x) (?: [0-9a-f]{2} : ){5}  # all but the last\n [0-9a-f]{2}',
        '(?:a{100}){50}   {10}',
        '|'.join(f'SERIAL{number:04}' for number in range(900)),
        '(' * 40 + 'a' + ')' * 40,
        'é{100}[à-ü]{100}',
        '.{0,5000}',
    ],
)
def test_what_rules_need_is_not_too_large(pattern: str) -> None:
    regexes.compile_regex(pattern)


@pytest.mark.parametrize(
    ('pattern', 'text'),
    [
        ('(a|aa)+$', 'a' * 60 + 'b'),
        ('(a|aa)+[bc]', 'a' * 60),
        ('a*a*a*a*a*a*[bc]', 'a' * 30_000),
        ('(?:(?:(?:a{1,9}){1,9}){1,9}){1,9}[bc]', 'a' * 30_000),
    ],
    ids=['alternatives', 'alternatives and a set', 'repetitions in a row', 'repetitions in repetitions'],
)
def test_a_search_ends_in_time(pattern: str, text: str) -> None:
    found = regexes.compile_regex(pattern)
    reason = f'takes more than .* for a text of {len(text)} characters'
    with pytest.raises(regexes.RegexTimeout, match=reason):
        found.search(text)
    with pytest.raises(regexes.RegexTimeout, match=reason):
        found.fullmatch(text)


def test_other_threads_go_on_meanwhile() -> None:
    found = regexes.compile_regex('(a|aa)+$')
    over = threading.Event()

    def search() -> None:
        with pytest.raises(regexes.RegexTimeout):
            found.search('a' * 60 + 'b')
        over.set()

    thread = threading.Thread(target=search)
    thread.start()
    turns = 0
    while not over.wait(0.001):
        turns += 1
    thread.join()
    # A search that let nobody else run would leave a turn or two, before it began.
    assert turns > 10


def test_a_text_that_is_too_long_is_not_searched() -> None:
    found = regexes.compile_regex('a')
    assert found.search('b' * (regexes.MAX_TEXT - 1) + 'a')
    with pytest.raises(regexes.TextTooLong, match='was not searched for in a text of 262145 characters'):
        found.search('a' * (regexes.MAX_TEXT + 1))
    with pytest.raises(regexes.TextTooLong, match='was not searched for'):
        found.fullmatch('a' * (regexes.MAX_TEXT + 1))


@pytest.mark.filterwarnings('ignore:Possible (nested set|set):FutureWarning')
@settings(max_examples=300, deadline=None)
@given(arbitrary.PATTERNS | st.text(max_size=10), st.lists(arbitrary.TEXTS, min_size=1, max_size=5))
def test_any_pattern_of_python_means_the_same(pattern: str, texts: list[str]) -> None:
    try:
        searched, full = re.compile(pattern), re.compile(pattern if pattern.endswith('$') else f'{pattern}$')
    except (re.error, OverflowError):
        with pytest.raises(regexes.RegexError):
            regexes.compile_regex(pattern)
        return
    found = regexes.compile_regex(pattern)
    for text in texts:
        assert found.search(text) is bool(searched.search(text))
        assert found.fullmatch(text) is bool(full.match(text))


def test_a_regex_says_what_it_is() -> None:
    assert repr(regexes.compile_regex('a+')) == "Regex(pattern='a+')"
