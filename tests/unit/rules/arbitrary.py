"""JSON paths and regular expressions of all sorts, many of them wrong, and what to search with them."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.unit.plugins import arbitrary

_NAMES = ('a', 'b', "'a b'", '*', '$', '`this`', '`parent`', '(a|b)', '7')
_SELECTORS = ('[0]', '[-1]', '[*]', '[1:]', '[:-1]', '[a]', '[a,b]')
_OPERATORS = ('.', '.', '.', '..', '|', ' where ', '', '&', '[0]', '[*].', '(', ')', ' ')

PATHS = st.builds(
    lambda pairs, last: ''.join(map(''.join, pairs)) + last,
    st.lists(st.tuples(st.sampled_from(_NAMES + _SELECTORS), st.sampled_from(_OPERATORS)), max_size=5),
    st.sampled_from(_NAMES + _SELECTORS),
)
"""JSON paths, of which about half are valid."""

PLAIN_STEPS = st.sampled_from(['.a', '.b', ".'a b'", '.*', '[0]', '[-1]', '[*]', '[1:]', '[:-1]', '[a]'])
"""Steps of paths that lead to children only, to be put one after the other."""

DOCUMENTS = st.recursive(
    arbitrary.JSON,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(['a', 'b', 'a b', '*']), inner),
    max_leaves=8,
)
"""JSON in which such paths find something now and then."""

_PARTS = (
    *('a', 'b', '.', '^', '$', '#', ' ', '&', '|', '{', '}', ']', ')', 'É', 'ß'),
    *(r'\b', r'\d', r'\w', r'\W', r'\{', r'\1', r'[^\W]'),
    *('[ab]', '[^a]', '[a-c]', '[[:alpha:]]', '[a{e}]', '{e}', '{e<=1}', '{1', '(?#x[{)'),
    *('(a', '(?:b', '(?i:a', '(?x: a', '(?P<n>a)', '(?(1)a|b)', '(?=a)', '(?!a)', '(?<=a)', '(?<!b)'),
)
_REPEATS = ('', '', '', '*', '+', '?', '*?', '{2}', '{1,2}', '{,2}', '{1,}?', '{0}', '{,}')

PATTERNS = st.builds(
    lambda flags, pairs: flags + ''.join(map(''.join, pairs)),
    st.sampled_from(['', '', '(?i)', '(?s)', '(?m)', '(?x)']),
    st.lists(st.tuples(st.sampled_from(_PARTS), st.sampled_from(_REPEATS)), max_size=6),
)
"""Regular expressions, of which about half are valid."""

TEXTS = st.text(st.sampled_from('abcABé É\n1{}e[]:lp&|#'), max_size=8)
"""Texts in which such expressions are found now and then."""
