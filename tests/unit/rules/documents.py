"""Rules for tests: what people write, and what the service makes of it."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from ironic_inspector.db import rules as db_rules
from ironic_inspector.plugins import base
from ironic_inspector.rules import book
from ironic_inspector.rules import compiled
from ironic_inspector.rules import definition

JsonObject = dict[str, Any]

UUID = '7d1f0a52-93c1-4a2b-8a55-0c3f6f1f9d10'
ACTION: JsonObject = {'action': 'set-attribute', 'path': '/extra/rule', 'value': 'applied'}
CONDITION: JsonObject = {'op': 'eq', 'field': 'memory_mb', 'value': 4096}


def plugins(**more: base.RuleConditionPlugin | base.RuleActionPlugin) -> compiled.Plugins:
    """Return the plug-ins that come with the service, and `more` of them by name (hyphens are underscores)."""
    conditions, actions = (
        {point.name: point.load()() for point in metadata.entry_points(group=group) if _is_ours(point)}
        for group in (book.CONDITIONS_NAMESPACE, book.ACTIONS_NAMESPACE)
    )
    for name, plugin in more.items():
        kind = conditions if isinstance(plugin, base.RuleConditionPlugin) else actions
        kind[name.replace('_', '-')] = plugin
    return compiled.Plugins(conditions, actions)


def _is_ours(point: metadata.EntryPoint) -> bool:
    return point.module in ('ironic_inspector.plugins.rule_conditions', 'ironic_inspector.plugins.rule_actions')


def vocabulary(installed: compiled.Plugins | None = None) -> definition.Vocabulary:
    """Return the names of plug-ins."""
    installed = installed or plugins()
    return definition.Vocabulary(frozenset(installed.conditions), frozenset(installed.actions))


def parse(document: Any, *, extended: bool = True, installed: compiled.Plugins | None = None) -> db_rules.Rule:
    """Return the rule that a document describes."""
    return definition.parse(document, vocabulary=vocabulary(installed), extended=extended)


def rule(*actions: JsonObject, conditions: Any = (), **more: Any) -> db_rules.Rule:
    """Return a rule, with an action of its own if there is none."""
    return parse({'actions': list(actions or [ACTION]), 'conditions': list(conditions), **more})


def ready(
    *actions: JsonObject, conditions: Any = (), installed: compiled.Plugins | None = None, **more: Any
) -> compiled.Rule:
    """Return a rule, ready to be applied."""
    document = {'actions': list(actions or [ACTION]), 'conditions': list(conditions), **more}
    installed = installed or plugins()
    return compiled.Rule(parse(document, installed=installed), installed)
