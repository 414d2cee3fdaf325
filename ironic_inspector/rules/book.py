"""All rules of the service: those in the database, and those in a file that the configuration names."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses
import threading
from typing import Any

from oslo_config import cfg
from oslo_db import exception as db_exceptions

from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.db import engine
from ironic_inspector.db import rules as db_rules
from ironic_inspector.node_info import NodeInfo
from ironic_inspector.plugins import loading
from ironic_inspector.rules import built_in
from ironic_inspector.rules import compiled
from ironic_inspector.rules import definition
from ironic_inspector.rules.facts import Facts

LOG = utils.getProcessingLogger(__name__)

CONDITIONS_NAMESPACE = 'ironic_inspector.rules.conditions'
ACTIONS_NAMESPACE = 'ironic_inspector.rules.actions'

JsonObject = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Chosen:
    """The rules that hold for a node, to be applied in their order; none of them is false."""

    rules: Sequence[compiled.AnyRule]
    _facts: Facts

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self.rules)

    @property
    def is_sensitive(self) -> bool:
        """Whether the values that one of them sets are secrets."""
        return any(rule.written.sensitive for rule in self.rules)

    @property
    def change_data(self) -> bool:
        """Whether one of them works on the introspection data, too."""
        return any(rule.changes_data for rule in self.rules)

    def apply(self, info: NodeInfo) -> None:
        """Carry out the actions on the node and the data; utils.Error if one fails.

        What those before it changed is left in place.
        """
        for rule in self.rules:
            LOG.info('Introspection rule %s applies', rule.written.name, node_info=info)
            rule.apply(info, self._facts)

    def __str__(self) -> str:
        """Name the rules in messages."""
        return ', '.join(rule.written.name for rule in self.rules)


class RuleBook:
    """The rules, compiled; follows what any process changes in the database."""

    def __init__(self, conf: cfg.ConfigOpts, database: engine.Database, plugins: compiled.Plugins) -> None:
        """Keep rules in `database`, beside those in the file that `conf` names; they may use `plugins`.

        ConfigurationError if there is something wrong with the file.
        """
        self._database = database
        self.plugins = plugins
        self.vocabulary = definition.Vocabulary(frozenset(plugins.conditions), frozenset(plugins.actions))
        self._built_in = {rule.written.uuid: rule for rule in built_in.load(conf, self.vocabulary, plugins)}
        self._lock = threading.Lock()
        self._version: str | None = None
        self._in_force: list[compiled.AnyRule] | None = None

    @classmethod
    def load(cls, conf: cfg.ConfigOpts, database: engine.Database) -> RuleBook:
        """Return the rules with all plug-ins that are installed; raises as the constructor does."""
        plugins = compiled.Plugins(
            conditions=loading.load_all(CONDITIONS_NAMESPACE), actions=loading.load_all(ACTIONS_NAMESPACE)
        )
        return cls(conf, database, plugins)

    # Applying

    def choose(self, info: NodeInfo, data: JsonObject) -> Chosen:
        """Return the rules that hold for a node, as it is with all changes, and its data; utils.Error if one fails."""
        facts = Facts(data, info.fields)
        return Chosen([rule for rule in self.in_force() if rule.holds(info, facts)], facts)

    def in_force(self) -> list[compiled.AnyRule]:
        """Return all rules in the order in which they apply, compiled; not to be changed."""
        # The version is read before the rules: if they change in between, the next one to ask notices.
        version = self._database.read(db_rules.version)
        with self._lock:
            if self._in_force is None or self._version != version:
                self._in_force = self._compile(self._stored())
                self._version = version
            return self._in_force

    def _compile(self, stored: Iterable[db_rules.Rule]) -> list[compiled.AnyRule]:
        ready: list[compiled.AnyRule] = list(self._built_in.values())
        for written in stored:
            rule = compiled.compile_any(written, self.plugins)
            if isinstance(rule, compiled.BrokenRule):
                # Such as one whose plug-in has been uninstalled.
                LOG.error('%s', rule.reason)
            ready.append(rule)
        return sorted(ready, key=lambda rule: -rule.written.priority)

    # Keeping

    def all(self) -> list[db_rules.Rule]:
        """Return all rules, the built-in ones first, then the oldest first."""
        return [rule.written for rule in self._built_in.values()] + self._stored()

    def _stored(self) -> list[db_rules.Rule]:
        # One that has moved to the file is not to apply twice.
        return [rule for rule in self._database.read(db_rules.get_all) if rule.uuid not in self._built_in]

    def get(self, rule_uuid: str) -> db_rules.Rule:
        """Return a rule; NotFound if there is none with that UUID."""
        if rule_uuid in self._built_in:
            return self._built_in[rule_uuid].written
        rule = self._database.read(lambda connection: db_rules.get(connection, rule_uuid))
        if rule is None:
            raise _not_found(rule_uuid)
        return rule

    def create(self, rule: db_rules.Rule) -> db_rules.Rule:
        """Keep a new rule and return it; InvalidRule, or RuleExists if there is one with its UUID."""
        compiled.Rule(rule, self.plugins)
        try:
            is_new = rule.uuid not in self._built_in and self._database.write(
                lambda connection: db_rules.add(connection, rule)
            )
        except db_exceptions.DBDuplicateEntry:
            # Somebody was quicker.
            is_new = False
        if not is_new:
            raise RuleExists(f'There is a rule with the UUID {rule.uuid} already')
        LOG.info('Introspection rule %s created', rule.name)
        return rule

    def replace(self, rule: db_rules.Rule, expected: db_rules.Rule) -> db_rules.Rule:
        """Keep `rule` in place of the one with its UUID and return it.

        InvalidRule; NotFound; RuleIsBuiltIn; Busy if the rule is not `expected` any more. One whose plug-in has been
        uninstalled can at least be disabled.
        """
        self._check_is_stored(rule.uuid)
        if not rule.disabled or (rule.conditions, rule.actions) != (expected.conditions, expected.actions):
            compiled.Rule(rule, self.plugins)

        def swap(connection: Any) -> None:
            db_rules.begin_change(connection)
            present = db_rules.get(connection, rule.uuid)
            if present is None:
                raise _not_found(rule.uuid)
            if present != expected:
                raise exceptions.Busy(f'The rule {rule.uuid} has been changed by somebody else: try again')
            db_rules.replace(connection, rule)

        self._database.write(swap)
        LOG.info('Introspection rule %s changed', rule.name)
        return rule

    def delete(self, rule_uuid: str) -> None:
        """Delete a rule; NotFound if there is none with that UUID, RuleIsBuiltIn if it stands in a file."""
        self._check_is_stored(rule_uuid)
        if not self._database.write(lambda connection: db_rules.delete(connection, rule_uuid)):
            raise _not_found(rule_uuid)
        LOG.info('Introspection rule %s deleted', rule_uuid)

    def delete_all(self) -> None:
        """Delete all rules but the built-in ones."""
        self._database.write(db_rules.delete_all)
        LOG.info('All introspection rules deleted')

    def _check_is_stored(self, rule_uuid: str) -> None:
        if rule_uuid in self._built_in:
            raise RuleIsBuiltIn(
                f'The rule {rule_uuid} is built in: change it in the file that [inspection_rules]built_in_rules names'
            )


class RuleExists(exceptions.InspectorError):
    """There is a rule with this UUID already."""

    code = 'rule-exists'


class RuleIsBuiltIn(exceptions.InspectorError):
    """The rule cannot be changed through the API."""

    code = 'rule-is-built-in'


def _not_found(rule_uuid: str) -> exceptions.NotFound:
    return exceptions.NotFound(f'There is no rule {rule_uuid}')
