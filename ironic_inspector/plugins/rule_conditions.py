"""The conditions of rules that come with the service. Each is one class, named after its `op`."""

from __future__ import annotations

import abc
from collections.abc import Callable
import operator
from typing import Any
from typing import ClassVar

import netaddr

from ironic_inspector.plugins import base
from ironic_inspector.rules import regexes

Check = Callable[[Any], bool]


class _PreparedCondition(base.RuleConditionPlugin):
    """A condition that needs nothing but the value, and prepares what it can when its rule is compiled."""

    @abc.abstractmethod
    def prepare(self, params: base.JsonObject) -> Check:
        """See RuleConditionPlugin."""

    def check(self, node_info: Any, field: Any, params: base.JsonObject, **kwargs: Any) -> bool:  # noqa: ARG002
        """See RuleConditionPlugin."""
        return self.prepare(params)(field)


class _Comparison(_PreparedCondition):
    """Compares with `value`; what was found is made a number first where `value` is one."""

    compare: ClassVar[Callable[[Any, Any], bool]]

    def prepare(self, params: base.JsonObject) -> Check:
        """See RuleConditionPlugin."""
        expected, compare = params['value'], type(self).compare
        if isinstance(expected, float):
            return lambda found: bool(compare(float(found), expected))
        if isinstance(expected, int):
            return lambda found: bool(compare(int(found), expected))
        return lambda found: bool(compare(found, expected))


class EqCondition(_Comparison):
    """eq: equal to `value`."""

    compare = operator.eq


class NeCondition(_Comparison):
    """ne: not equal to `value`."""

    compare = operator.ne


class LtCondition(_Comparison):
    """lt: less than `value`."""

    compare = operator.lt


class LeCondition(_Comparison):
    """le: less than `value`, or equal."""

    compare = operator.le


class GtCondition(_Comparison):
    """gt: greater than `value`."""

    compare = operator.gt


class GeCondition(_Comparison):
    """ge: greater than `value`, or equal."""

    compare = operator.ge


class InNetCondition(_PreparedCondition):
    """in-net: an IP address in the network `value`, such as 192.0.2.0/24."""

    def validate(self, params: base.JsonObject, **kwargs: Any) -> None:
        """See RuleConditionPlugin."""
        super().validate(params, **kwargs)
        _network(params['value'])

    def prepare(self, params: base.JsonObject) -> Check:
        """See RuleConditionPlugin."""
        network = _network(params['value'])
        return lambda found: _address(found) in network


def _network(value: Any) -> netaddr.IPNetwork:
    try:
        return netaddr.IPNetwork(value)
    except (netaddr.AddrFormatError, ValueError, TypeError) as exc:
        raise ValueError(f'value: {value!r} is no IP network such as 192.0.2.0/24 or 2001:db8::/32') from exc


def _address(value: Any) -> netaddr.IPAddress:
    if not isinstance(value, str):
        raise ValueError('it is no text')
    try:
        return netaddr.IPAddress(value)
    except netaddr.AddrFormatError as exc:
        raise ValueError('it is no IP address') from exc


class _RegexCondition(_PreparedCondition):
    """Looks for a regular expression of Python in the text of the value, whatever type that has."""

    find: ClassVar[Callable[[regexes.Regex, str], bool]]

    def validate(self, params: base.JsonObject, **kwargs: Any) -> None:
        """See RuleConditionPlugin."""
        # ironic-inspector never looked at other parameters of these: rules that have some must go on working.
        super().validate({name: params[name] for name in self.REQUIRED_PARAMS if name in params}, **kwargs)
        if not isinstance(params['value'], str):
            raise ValueError('value: it must be text, a regular expression')
        regexes.compile_regex(params['value'])

    def prepare(self, params: base.JsonObject) -> Check:
        """See RuleConditionPlugin."""
        regex, find = regexes.compile_regex(str(params['value'])), type(self).find
        return lambda found: find(regex, str(found))


class MatchesCondition(_RegexCondition):
    """matches: the whole text matches."""

    find = regexes.Regex.fullmatch


class ContainsCondition(_RegexCondition):
    """contains: the expression is found somewhere in the text."""

    find = regexes.Regex.search


class _PlainCondition(_PreparedCondition):
    """A condition without parameters."""

    REQUIRED_PARAMS = ()
    holds: ClassVar[Check]

    def prepare(self, params: base.JsonObject) -> Check:  # noqa: ARG002
        """See RuleConditionPlugin."""
        return type(self).holds


def _is_empty(found: Any) -> bool:
    return found is None or (isinstance(found, (str, list, dict)) and not found)


def _is_none(found: Any) -> bool:
    return found is None


def _is_true(found: Any) -> bool:
    return found in _YES or (isinstance(found, str) and found.strip().lower() in _YES)


def _is_false(found: Any) -> bool:
    return found in _NO or (isinstance(found, str) and found.strip().lower() in _NO)


# In Python true and 1 are equal, and so are false and 0.
_YES = (True, '1', 't', 'true', 'on', 'y', 'yes')
_NO = (False, '0', 'f', 'false', 'off', 'n', 'no')


class IsEmptyCondition(_PlainCondition):
    """is-empty: an empty text, list or object, null, or no value at all."""

    ALLOW_NONE = True
    holds = _is_empty


class IsNoneCondition(_PlainCondition):
    """is-none: null, or no value at all."""

    ALLOW_NONE = True
    holds = _is_none


class IsTrueCondition(_PlainCondition):
    """is-true: true, 1, or a text that says so (true, t, yes, y, on, 1 in any case)."""

    holds = _is_true


class IsFalseCondition(_PlainCondition):
    """is-false: false, 0, or a text that says so (false, f, no, n, off, 0 in any case)."""

    holds = _is_false


class OneOfCondition(_PreparedCondition):
    """one-of: equal to one of the items of the list `value`."""

    def validate(self, params: base.JsonObject, **kwargs: Any) -> None:
        """See RuleConditionPlugin."""
        super().validate(params, **kwargs)
        if not isinstance(params['value'], list):
            raise ValueError('value: it must be a list')

    def prepare(self, params: base.JsonObject) -> Check:
        """See RuleConditionPlugin."""
        items = list(params['value'])
        # In Python 1 and true are equal; for whoever wrote the list they are not.
        return lambda found: any(found == item and isinstance(found, bool) == isinstance(item, bool) for item in items)
