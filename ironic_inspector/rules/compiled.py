"""Rules made ready to be applied to many nodes: paths parsed, expressions and templates compiled, plug-ins found."""

from __future__ import annotations

import abc
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import copy
import dataclasses
from typing import Any
from typing import TypeVar

from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.common import text
from ironic_inspector.db import rules as db_rules
from ironic_inspector.node_info import NodeInfo
from ironic_inspector.plugins import base
from ironic_inspector.rules import definition
from ironic_inspector.rules import regexes
from ironic_inspector.rules import templates
from ironic_inspector.rules.facts import DATA
from ironic_inspector.rules.facts import ITEM
from ironic_inspector.rules.facts import NODE
from ironic_inspector.rules.facts import Facts
from ironic_inspector.rules.facts import TooLong
from ironic_inspector.rules.places import Loop
from ironic_inspector.rules.places import Place

LOG = utils.getProcessingLogger(__name__)

T = TypeVar('T')
P = TypeVar('P', db_rules.Condition, db_rules.Action)

_UNTOLD = 'it is sensitive, so no more is told'
_NO_ITEM = object()


@dataclasses.dataclass(frozen=True)
class Plugins:
    """The operators and actions that are installed, by name."""

    conditions: Mapping[str, base.RuleConditionPlugin]
    actions: Mapping[str, base.RuleActionPlugin]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a condition: the values that were looked at, what came of each, and of all together."""

    values: list[Any]
    results: list[bool]
    holds: bool
    error: str | None = None
    """Why the condition could not be checked."""


class Condition:
    """A condition, ready to be checked."""

    def __init__(self, written: db_rules.Condition, plugins: Plugins, *, secret: bool) -> None:
        """Compile a condition, whose values may be `secret`; ValueError says what is wrong with it."""
        self.written = written
        self._secret = secret
        self._plugin = _plugin(plugins.conditions, written.op)
        self._loop = None if written.loop is None else Loop(written.loop)
        try:
            self._place = Place.parse(written.field, (DATA, NODE) if self._loop is None else (DATA, NODE, ITEM))
        except ValueError as exc:
            raise ValueError(f'field: {exc}') from exc
        self._plugin.validate(dict(written.params))
        self._params = dict(written.params)
        self._value = self._template()
        self._check = self._plugin.prepare(self._params) if self._value is None else None

    def _template(self) -> templates.Template | None:
        """Return the value as a template if the condition has a loop, and its value is one."""
        value = self._params.get('value')
        if self._loop is None or not isinstance(value, str) or '{' not in value:
            return None
        try:
            return templates.Template(value, (DATA, NODE, ITEM))
        except templates.TemplateError as exc:
            raise ValueError(f'value: {exc}') from exc

    def holds(self, info: NodeInfo, facts: Facts) -> bool:
        """Tell whether the condition holds for a node."""
        if self._loop is None:
            return self._combined(self._results(info, facts, _NO_ITEM))
        return self._combined(self._combined(self._results(info, facts, item)) for item in self._loop.items(facts))

    def explain(self, info: NodeInfo, facts: Facts) -> Outcome:
        """Tell as `holds` does, and why."""
        if self._loop is None:
            values, checked = self._values(facts, _NO_ITEM), self._results(info, facts, _NO_ITEM)
        else:
            values = self._loop.items(facts)
            checked = (self._combined(self._results(info, facts, item)) for item in values)
        results: list[bool] = []
        try:
            for result in checked:
                results.append(result)  # noqa: PERF402 (what came before a failure counts)
        except Exception:
            # `holds` may not have come so far.
            if not self._is_decided(results):
                raise
        return Outcome(values, results, self._combined(results))

    def _is_decided(self, results: list[bool]) -> bool:
        """Tell whether further results would make no difference."""
        decided = {'any': True in results, 'all': False in results, 'first': bool(results)}
        return decided[self.written.multiple]

    def _values(self, facts: Facts, item: Any) -> list[Any]:
        values = self._place.find(facts, item)
        return [None] if not values and self._plugin.ALLOW_NONE else values

    def _results(self, info: NodeInfo, facts: Facts, item: Any) -> Iterator[bool]:
        """Return, one by one, what comes of each value."""
        values = self._values(facts, item)
        facts.check_time()
        if not values:
            return
        check = self._check or self._check_for(info, facts, item)
        invert = self.written.invert
        is_told = False
        for value in values:
            facts.check_time()
            try:
                yield bool(check(value)) != invert
            except (ValueError, TypeError, OverflowError) as exc:
                if not is_told:
                    LOG.info(
                        'Condition %s on %s does not hold for a value that cannot be looked at in this way: %s',
                        self.written.op, self.written.field, _UNTOLD if self._secret else exc,
                        node_info=info,
                    )  # fmt: skip
                is_told = True
                yield False

    def _check_for(self, info: NodeInfo, facts: Facts, item: Any) -> Callable[[Any], bool]:
        params = self._params
        if self._value is not None:
            documents = {DATA: facts.data, NODE: facts.node, ITEM: item}
            params = params | {'value': self._value.render(documents)}
        return self._plugin.prepare(params) or (lambda value: self._plugin.check(info, value, dict(params)))

    def _combined(self, results: Iterable[bool]) -> bool:
        """Make one result of several, as `multiple` says; none at all make false."""
        results = iter(results)
        first = next(results, None)
        if first is None:
            return False
        if self.written.multiple == 'any':
            return first or any(results)
        return first and (self.written.multiple == 'first' or all(results))


class Action:
    """An action, ready to be carried out."""

    def __init__(self, written: db_rules.Action, plugins: Plugins, *, secret: bool) -> None:
        """Compile an action, whose values may be `secret`; ValueError says what is wrong with it."""
        self.written = written
        self._plugin = _plugin(plugins.actions, written.action)
        if secret and self._plugin.IS_PUBLIC:
            raise ValueError('a sensitive rule cannot have it: everybody who sees the log sees what it says')
        self._loop = None if written.loop is None else Loop(written.loop)
        self._plugin.validate(dict(written.params))
        names = (DATA, NODE) if self._loop is None else (DATA, NODE, ITEM)
        # In a loop every parameter may differ from item to item.
        formatted = self._plugin.FORMATTED_PARAMS if self._loop is None else written.params.keys()
        self._templates = {}
        for name in formatted:
            if name in written.params:
                try:
                    self._templates[name] = templates.Template(written.params[name], names)
                except templates.TemplateError as exc:
                    raise ValueError(f'{name}: {exc}') from exc

    @property
    def changes_data(self) -> bool:
        """Whether the action works on the introspection data, not on the node."""
        return isinstance(self._plugin, base.RuleDataActionPlugin)

    @property
    def can_be_previewed(self) -> bool:
        """Whether nothing but the node that it is given, and the data, is changed when the action is carried out."""
        return self._plugin.CAN_BE_PREVIEWED

    def apply(self, info: NodeInfo, facts: Facts) -> None:
        """Carry the action out."""
        if self._loop is None:
            self._apply(info, facts, None)
        else:
            # A copy: the action may change what it goes through.
            for item in list(self._loop.items(facts)):
                self._apply(info, facts, item)

    def _apply(self, info: NodeInfo, facts: Facts, item: Any) -> None:
        documents = {DATA: facts.data, NODE: facts.node, ITEM: item}
        # Copies: whatever becomes of them, the rule stays as it was written.
        params = {
            name: self._templates[name].render(documents) if name in self._templates else copy.deepcopy(value)
            for name, value in self.written.params.items()
        }
        if isinstance(self._plugin, base.RuleDataActionPlugin):
            self._plugin.apply_to_data(facts.data, params)
        else:
            self._plugin.apply(info, params)
        facts.renew(info.fields)


class AnyRule(abc.ABC):
    """A rule in force. Serves any number of nodes and threads."""

    def __init__(self, written: db_rules.Rule, conditions: Iterable[Condition], actions: Iterable[Action]) -> None:
        """Take a rule as it was written, and its parts."""
        self.written = written
        self.conditions = tuple(conditions)
        self.actions = tuple(actions)

    @property
    def changes_data(self) -> bool:
        """Whether the rule works on the introspection data, too, not on the node alone."""
        return any(action.changes_data for action in self.actions)

    def is_for(self, facts: Facts) -> bool:
        """Tell whether the node is in the scope of the rule."""
        scope = self.written.scope
        return not scope or (facts.node.get('properties') or {}).get('inspection_scope') == scope

    @abc.abstractmethod
    def holds(self, info: NodeInfo, facts: Facts) -> bool:
        """Tell whether the rule is to be applied to a node; utils.Error, which names the rule, if it cannot be told."""

    @abc.abstractmethod
    def explain(self, info: NodeInfo, facts: Facts) -> list[Outcome]:
        """Return what comes of each condition; utils.Error if there is nothing to tell."""

    @abc.abstractmethod
    def apply(self, info: NodeInfo, facts: Facts) -> None:
        """Carry out the actions; utils.Error if one fails."""


class Rule(AnyRule):
    """A rule, ready to be applied."""

    def __init__(self, written: db_rules.Rule, plugins: Plugins) -> None:
        """Compile a rule; definition.InvalidRule lists everything that is wrong with it."""
        faults: list[str] = []
        secret = written.sensitive
        conditions = list(
            _compiled(lambda part: Condition(part, plugins, secret=secret), written.conditions, 'conditions', faults)
        )
        actions = list(_compiled(lambda part: Action(part, plugins, secret=secret), written.actions, 'actions', faults))
        if faults:
            raise definition.InvalidRule(faults)
        super().__init__(written, conditions, actions)

    def holds(self, info: NodeInfo, facts: Facts) -> bool:
        """See AnyRule."""
        if self.written.disabled or not self.is_for(facts):
            return False
        return all(self._guarded(item.holds, info, facts) for item in self.conditions)

    def explain(self, info: NodeInfo, facts: Facts) -> list[Outcome]:
        """See AnyRule."""
        outcomes = []
        for item in self.conditions:
            try:
                outcomes.append(self._guarded(item.explain, info, facts))
            except utils.Error as exc:
                outcomes.append(Outcome([], [], holds=False, error=str(exc)))
        return outcomes

    def apply(self, info: NodeInfo, facts: Facts) -> None:
        """See AnyRule."""
        for item in self.actions:
            self._guarded(item.apply, info, facts)

    def _guarded(self, work: Callable[[NodeInfo, Facts], T], info: NodeInfo, facts: Facts) -> T:
        """Do something with a part of the rule, and name the rule if that fails."""
        try:
            return work(info, facts)
        except exceptions.ShuttingDown:
            raise
        except Exception as exc:
            # A plug-in from elsewhere may raise anything.
            if self.written.sensitive:
                raise utils.Error(f'Introspection rule {self.written.name} failed: {_UNTOLD}') from None
            if isinstance(exc, utils.Error):
                # Somebody's decision, in their own words.
                raise
            if not isinstance(exc, (exceptions.InspectorError, regexes.RegexTimeout, TooLong, ValueError)):
                LOG.exception('Introspection rule %s failed', self.written.name, node_info=info)
            raise utils.Error(f'Introspection rule {self.written.name} failed: {text.reason_of(exc)}') from exc


class BrokenRule(AnyRule):
    """A rule in the database that cannot be used: every introspection that it would apply to fails, and says so."""

    def __init__(self, written: db_rules.Rule, plugins: Plugins, failure: definition.InvalidRule) -> None:
        """Take the place of a rule that could not be compiled."""
        super().__init__(written, (), ())
        self.reason = (
            f'Introspection rule {written.name} cannot be used: correct, disable or delete it: '
            f'{_UNTOLD if written.sensitive else failure}'
        )
        # If it is the actions alone that cannot be used, a node that the conditions do not hold for is not concerned.
        self._conditions: Rule | None = None
        with contextlib.suppress(definition.InvalidRule):
            self._conditions = Rule(dataclasses.replace(written, actions=()), plugins)

    def holds(self, info: NodeInfo, facts: Facts) -> bool:
        """See AnyRule."""
        if self.written.disabled or not self.is_for(facts):
            return False
        if self._conditions is not None and not self._conditions.holds(info, facts):
            return False
        raise utils.Error(self.reason)

    def explain(self, info: NodeInfo, facts: Facts) -> list[Outcome]:
        """See AnyRule."""
        outcomes = [] if self._conditions is None else self._conditions.explain(info, facts)
        if all(outcome.holds for outcome in outcomes):
            raise utils.Error(self.reason)
        return outcomes

    def apply(self, info: NodeInfo, facts: Facts) -> None:  # noqa: ARG002
        """See AnyRule."""
        raise utils.Error(self.reason)


def compile_any(written: db_rules.Rule, plugins: Plugins) -> AnyRule:
    """Return a rule ready to be applied, or what takes its place if it cannot be used."""
    try:
        return Rule(written, plugins)
    except definition.InvalidRule as exc:
        return BrokenRule(written, plugins, exc)


def _plugin(installed: Mapping[str, T], name: str) -> T:
    if name not in installed:
        raise ValueError('there is no such plug-in installed')
    return installed[name]


def _compiled(compile_part: Callable[[P], T], parts: Iterable[P], place: str, faults: list[str]) -> Iterator[T]:
    for index, part in enumerate(parts):
        try:
            yield compile_part(part)
        except Exception as exc:  # noqa: BLE001 (a plug-in from elsewhere may raise anything)
            faults.append(f'{place}[{index}] ({part.name}): {text.reason_of(exc)}')
