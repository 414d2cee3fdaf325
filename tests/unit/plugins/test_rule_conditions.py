"""The conditions of rules: which values fulfil them, and what they do not take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector.plugins import base
from ironic_inspector.plugins import rule_conditions
from ironic_inspector.rules import regexes
from tests.unit.plugins import arbitrary
from tests.unit.rules import documents

PLUGINS = documents.plugins().conditions
OF_12_5 = {'contains', 'eq', 'ge', 'gt', 'in-net', 'is-empty', 'le', 'lt', 'matches', 'ne'}
NEW = {'is-false', 'is-none', 'is-true', 'one-of'}

# Stands for a value that cannot be looked at in this way.
NEVER = object()


def check(op: str, found: Any, **params: Any) -> Any:
    """Tell whether `found` fulfils a condition, in both of the ways in which conditions are asked; or NEVER."""
    plugin: Any = PLUGINS[op]
    plugin.validate(dict(params))
    asked: tuple[Callable[[], Any], ...] = (
        lambda: plugin.check(None, found, dict(params)),
        lambda: plugin.prepare(dict(params))(found),
    )
    results = []
    for ask in asked:
        try:
            results.append(ask())
        except (ValueError, TypeError, OverflowError):
            results.append(NEVER)
    assert results[0] is results[1]
    assert results[0] in (True, False, NEVER)
    return results[0]


def test_all_conditions_are_installed() -> None:
    assert PLUGINS.keys() == OF_12_5 | NEW


@pytest.mark.parametrize('name', sorted(PLUGINS))
def test_each_says_what_it_is(name: str) -> None:
    assert str(type(PLUGINS[name]).__doc__).startswith(f'{name}: ')


COMPARISONS = {
    'eq': lambda order: order == 0,
    'ne': lambda order: order != 0,
    'lt': lambda order: order < 0,
    'le': lambda order: order <= 0,
    'gt': lambda order: order > 0,
    'ge': lambda order: order >= 0,
}


@pytest.mark.parametrize(
    ('found', 'value', 'order'),
    [
        (1, 1, 0),
        (1, 2, -1),
        (3, 2, 1),
        (10**30, 10**30 - 1, 1),
        # What is found becomes what the value is.
        ('5', 5, 0),
        (' 5 ', 5, 0),
        ('-5', 5, -1),
        (5.7, 5, 0),
        (True, 1, 0),
        ('5.7', 5.7, 0),
        (6, 5.7, 1),
        ('1e3', 1000.0, 0),
        ('abc', 'abc', 0),
        ('abc', 'abd', -1),
        ('10', '9', -1),
        ([1, 2], [1, 3], -1),
        ([1], [1], 0),
    ],
)
@pytest.mark.parametrize('op', COMPARISONS)
def test_comparisons(op: str, found: Any, value: Any, order: int) -> None:
    assert check(op, found, value=value) is COMPARISONS[op](order)


@pytest.mark.parametrize(
    ('found', 'value'),
    [
        ('abc', 1),
        ('', 1),
        ('5.7', 5),
        (None, 1),
        ([], 1),
        ({}, 1),
        ('abc', 1.5),
        (None, 1.5),
        ([1], 1.5),
        ('9' * 5000, 1),
        (float('inf'), 1),
        (float('nan'), 1),
        (10**400, 1.5),
    ],
)
@pytest.mark.parametrize('op', COMPARISONS)
def test_what_is_no_number_is_not_compared_with_one(op: str, found: Any, value: Any) -> None:
    assert check(op, found, value=value) is NEVER


@pytest.mark.parametrize(
    ('found', 'value'), [(1, 'abc'), (None, 'abc'), ('a', ['a']), (['a'], 'a'), ({}, {}), ({}, 'a')]
)
def test_what_has_no_order(found: Any, value: Any) -> None:
    for op in ('lt', 'le', 'gt', 'ge'):
        assert check(op, found, value=value) is NEVER
    assert check('eq', found, value=value) is (found == value)
    assert check('ne', found, value=value) is (found != value)


@pytest.mark.parametrize('op', COMPARISONS)
def test_a_comparison_needs_a_value(op: str) -> None:
    for params in ({}, {'value': None}):
        with pytest.raises(ValueError, match='it needs value'):
            PLUGINS[op].validate(params)
    values: list[Any] = [0, '', False, [], {}]
    for value in values:
        PLUGINS[op].validate({'value': value})


@pytest.mark.parametrize(
    ('found', 'network', 'holds'),
    [
        ('192.0.2.7', '192.0.2.0/24', True),
        ('192.0.3.7', '192.0.2.0/24', False),
        ('192.0.2.7', '192.0.2.7', True),
        ('192.0.2.7', '192.0.2.9/24', True),
        ('192.0.2.7', '0.0.0.0/0', True),
        ('192.0.2.7', '::/0', False),
        ('2001:db8::7', '2001:db8::/32', True),
        ('2001:DB8:0:0::7', '2001:db8::/32', True),
        ('2001:db8::7', '192.0.2.0/24', False),
        ('192.0.2.7/24', '192.0.2.0/24', NEVER),
        ('fe80::1%eth0', 'fe80::/64', NEVER),
        ('', '192.0.2.0/24', NEVER),
        ('somewhere', '192.0.2.0/24', NEVER),
        ('192.0.2.7\0', '192.0.2.0/24', NEVER),
        # A number is no address, whatever libraries make of it.
        (3221225991, '192.0.2.0/24', NEVER),
        (None, '::/0', NEVER),
        (True, '::/0', NEVER),
        ([], '::/0', NEVER),
        ({}, '::/0', NEVER),
        (1.5, '::/0', NEVER),
    ],
)
def test_in_net(found: Any, network: str, holds: Any) -> None:
    assert check('in-net', found, value=network) is holds


@pytest.mark.parametrize(
    'value', ['', 'x', '192.0.2.0/33', '192.0.2.0-192.0.2.9', 7, True, [], ['::/0'], {}, 1.5, '\0']
)
def test_what_is_no_network(value: Any) -> None:
    with pytest.raises(ValueError, match=r'value: .* is no IP network such as 192\.0\.2\.0/24'):
        PLUGINS['in-net'].validate({'value': value})


@pytest.mark.parametrize(
    ('found', 'pattern', 'matches', 'contains'),
    [
        ('abc', 'abc', True, True),
        ('abc', 'ab', False, True),
        ('abc', 'b', False, True),
        ('abc', 'a.*', True, True),
        ('abc', 'x', False, False),
        ('abc\n', 'abc', True, True),
        ('', '^$', True, True),
        (['aes', 'vmx'], 'aes', False, True),
        (['aes', 'vmx'], "'vmx'", False, True),
        (['aes'], 'svm', False, False),
        ({'a': 1}, "'a': 1", False, True),
        (17, '1.', True, True),
        (1.5, r'1\.5', True, True),
        (None, 'None', True, True),
        (True, 'True', True, True),
        ('Ünïcode', r'\w+', True, True),
    ],
)
def test_regular_expressions(found: Any, pattern: str, matches: bool, contains: bool) -> None:
    assert check('matches', found, value=pattern) is matches
    assert check('contains', found, value=pattern) is contains


@pytest.mark.parametrize('op', ['matches', 'contains'])
@pytest.mark.parametrize(
    ('value', 'message'),
    [
        ('(', 'not valid'),
        ('*', 'not valid'),
        ('x' * 10_001, 'characters long'),
        ('(x{1000}){1000}', 'too large'),
        (7, 'must be text'),
        (['aes'], 'must be text'),
        ({}, 'must be text'),
        (True, 'must be text'),
    ],
)
def test_what_is_no_regular_expression(op: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PLUGINS[op].validate({'value': value})


@pytest.mark.parametrize('op', ['matches', 'contains'])
def test_a_search_that_would_take_years(op: str) -> None:
    prepared = PLUGINS[op].prepare({'value': '(a|aa)+$'})
    assert prepared is not None
    with pytest.raises(regexes.RegexTimeout, match='takes more than'):
        prepared('a' * 100 + '!')


@pytest.mark.parametrize(
    ('found', 'empty'),
    [
        ('', True), (None, True), ([], True), ({}, True),
        (' ', False), (0, False), (False, False), (0.0, False), ([None], False), ({'': None}, False), ('x', False),
    ],
)  # fmt: skip
def test_is_empty(found: Any, empty: bool) -> None:
    assert check('is-empty', found) is empty


@pytest.mark.parametrize(('found', 'none'), [(None, True), ('', False), (0, False), ([], False), ('None', False)])
def test_is_none(found: Any, none: bool) -> None:
    assert check('is-none', found) is none


TRUE: list[Any] = [True, 1, 1.0, 'true', 'True', ' YES ', 'y', 't', 'on', '1']
FALSE: list[Any] = [False, 0, 0.0, 'false', 'False', ' NO ', 'n', 'f', 'off', '0']
NEITHER: list[Any] = [None, '', 2, -1, 0.5, 'maybe', [], {}, [True], {'a': 1}, 'truetrue']


@pytest.mark.parametrize(
    ('found', 'true', 'false'),
    [
        *((found, True, False) for found in TRUE),
        *((found, False, True) for found in FALSE),
        *((found, False, False) for found in NEITHER),
    ],
)
def test_is_true_and_is_false(found: Any, true: bool, false: bool) -> None:
    assert check('is-true', found) is true
    assert check('is-false', found) is false


@pytest.mark.parametrize(
    ('found', 'value', 'holds'),
    [
        ('a', ['a', 'b'], True),
        ('c', ['a', 'b'], False),
        ('a', [], False),
        (1, [1, 2], True),
        (1.0, [1, 2], True),
        # As they are written in JSON they are not the same.
        (1, [True], False),
        (True, [1], False),
        (True, [True], True),
        ('1', [1], False),
        (None, [None], True),
        (None, ['a'], False),
        ([1], [[1], 2], True),
        ({'a': 1}, [{'a': 1}], True),
    ],
)
def test_one_of(found: Any, value: list[Any], holds: bool) -> None:
    assert check('one-of', found, value=value) is holds


@pytest.mark.parametrize('value', ['a', 7, {}, True])
def test_one_of_needs_a_list(value: Any) -> None:
    with pytest.raises(ValueError, match='value: it must be a list'):
        PLUGINS['one-of'].validate({'value': value})
    with pytest.raises(ValueError, match='it needs value'):
        PLUGINS['one-of'].validate({})


@pytest.mark.parametrize('name', sorted(PLUGINS.keys() - {'matches', 'contains'}))
def test_parameters_that_nobody_knows(name: str) -> None:
    plugin: base.RuleConditionPlugin = PLUGINS[name]
    special: dict[str, Any] = {'in-net': '::/0', 'one-of': []}
    known: dict[str, Any] = dict.fromkeys(plugin.REQUIRED_PARAMS, special.get(name, 1))
    plugin.validate(known | {'more': None})
    with pytest.raises(ValueError, match='it takes no less, more'):
        plugin.validate(known | {'more': 1, 'less': 1})


@pytest.mark.parametrize('name', ['matches', 'contains'])
def test_parameters_that_nobody_has_ever_looked_at(name: str) -> None:
    assert check(name, 'abc', value='abc', more=1, less=None) is True
    with pytest.raises(ValueError, match='it needs value'):
        PLUGINS[name].validate({'more': 1})


@pytest.mark.parametrize('name', ['is-empty', 'is-none', 'is-true', 'is-false'])
def test_conditions_without_a_value(name: str) -> None:
    PLUGINS[name].validate({})
    with pytest.raises(ValueError, match='it takes no value'):
        PLUGINS[name].validate({'value': 1})


def test_which_of_them_look_at_nothing() -> None:
    assert {name for name, plugin in PLUGINS.items() if plugin.ALLOW_NONE} == {'is-empty', 'is-none'}


def test_the_names_that_others_import() -> None:
    for name in ('Eq', 'Ne', 'Lt', 'Le', 'Gt', 'Ge', 'InNet', 'Matches', 'Contains', 'IsEmpty'):
        assert issubclass(getattr(rule_conditions, f'{name}Condition'), base.RuleConditionPlugin)


@given(st.sampled_from(sorted(PLUGINS)), arbitrary.JSON, arbitrary.JSON)
@arbitrary.SETTINGS
def test_anything_at_all(name: str, found: Any, value: Any) -> None:
    params = {'value': value} if 'value' in PLUGINS[name].REQUIRED_PARAMS else {}
    try:
        PLUGINS[name].validate(dict(params))
    except ValueError:
        return
    check(name, found, **params)
