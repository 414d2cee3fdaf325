"""What rules would do to a node, told without doing it."""

from __future__ import annotations

from collections.abc import Iterable
import copy
from typing import Any

import jsonpatch

from ironic_inspector.common import exceptions
from ironic_inspector.common import ironic as ironic_client
from ironic_inspector.common import node_copy
from ironic_inspector.db import engine
from ironic_inspector.db import introspections
from ironic_inspector.introspection_state import States
from ironic_inspector.node_info import NodeInfo
from ironic_inspector.rules import compiled
from ironic_inspector.rules import definition
from ironic_inspector.rules.facts import Facts

JsonObject = dict[str, Any]

_NOBODY = '00000000-0000-0000-0000-000000000000'


class PreviewedNode(NodeInfo):
    """A node that looks changed to the rules, while nothing is written anywhere."""

    @classmethod
    def of_nothing(cls, database: engine.Database, client: ironic_client.IronicClient) -> PreviewedNode:
        """Return a node that Ironic does not know: with fields that say nothing, and without ports."""
        empty: dict[str, JsonObject] = {name: {} for name in ('driver_info', 'extra', 'instance_info', 'properties')}
        info = cls(_record(_NOBODY), database, client, {'uuid': _NOBODY, 'traits': [], **empty})
        info._copy.take_ports(())
        return info

    @classmethod
    def of_node(
        cls, fields: ironic_client.JsonObject, database: engine.Database, client: ironic_client.IronicClient
    ) -> PreviewedNode:
        """Return a node of Ironic, with these fields."""
        return cls(_record(fields['uuid']), database, client, fields)

    @property
    def options(self) -> dict[str, Any]:
        """See NodeInfo."""
        if self._options is None:
            self._options = dict(super().options)
        return self._options

    def set_option(self, name: str, value: Any) -> None:
        """See NodeInfo; forgotten after the preview."""
        self.options[name] = value

    def add_attribute(self, name: str, value: str | Iterable[str]) -> None:
        """See NodeInfo; nothing comes of it."""

    def set_attributes(self, attributes: Any) -> None:
        """See NodeInfo; nothing comes of it."""

    def write(self, *, tolerant: bool = False) -> node_copy.Changes:  # noqa: ARG002
        """See NodeInfo: returns what would be written since this was last called."""
        return self._copy.pretend_to_write()

    def invalidate_cache(self, ironic: Any = None) -> None:
        """See NodeInfo; what the rules have changed stays."""


def preview(
    rules: Iterable[compiled.AnyRule], info: PreviewedNode, data: JsonObject, *, even_disabled: bool = False
) -> JsonObject:
    """Return what `rules` would do to a node with these introspection data, as JSON.

    {"rules": [...], "error": null or what would fail the introspection}, for each rule
    {the rule, "in_scope": bool, "applies": bool, "error", "changes": null or {"node", "ports", "data", ...}}, and for
    each of its conditions {the condition, "values", "results", "result": bool, "error"}; patches are those of RFC 6902.
    As when they are applied, all rules are chosen first, and then carried out in their order; the first that fails ends
    it. One with an action that does more than can be undone is not carried out, and has that for its error.
    `even_disabled` takes rules for enabled that are not.
    """
    data = copy.deepcopy(data)
    facts = Facts(data, info.fields)
    reports = [_Report(rule, info, facts, even_disabled=even_disabled) for rule in rules]
    error = next((report.error for report in reports if report.error), None)
    is_secret = False
    for report in reports:
        if report.applies and error is None:
            # What a sensitive rule has set may be part of what a later one changes.
            is_secret |= report.is_sensitive
            error = report.apply(info, facts, is_secret=is_secret)
    return {'rules': [report.as_json() for report in reports], 'error': error}


def _record(node_uuid: str) -> introspections.Introspection:
    return introspections.Introspection(
        uuid=node_uuid,
        state=States.PROCESSING,
        version_id=None,
        started_at=None,
        finished_at=None,
        error=None,
        manage_boot=None,
        attempt_id=None,
    )


class _Report:
    """What is told of a rule."""

    def __init__(self, rule: compiled.AnyRule, info: NodeInfo, facts: Facts, *, even_disabled: bool) -> None:
        self._rule = rule
        self._is_for = rule.is_for(facts)
        self._outcomes: list[compiled.Outcome] = []
        self._changes: JsonObject | None = None
        # One that is not meant for the node, or not in force, fails nothing.
        concerns = self._is_for and (even_disabled or not rule.written.disabled)
        self.error: str | None = None
        try:
            self._outcomes = rule.explain(info, facts)
        except exceptions.InspectorError as exc:
            self.error = str(exc) if concerns else None
        decisive = next((outcome for outcome in self._outcomes if not outcome.holds), None)
        if decisive is not None and concerns:
            self.error = decisive.error
        self.applies = concerns and not self.error and decisive is None

    @property
    def is_sensitive(self) -> bool:
        """Whether the values of the rule are secrets."""
        return self._rule.written.sensitive

    def apply(self, info: PreviewedNode, facts: Facts, *, is_secret: bool) -> str | None:
        """Apply the rule, and take note of what it changes, without secrets; return why it fails, if it does."""
        beyond = [action.written.name for action in self._rule.actions if not action.can_be_previewed]
        if beyond:
            self.error = f'What it changes is not known: {", ".join(beyond)} cannot be previewed, only carried out'
            return None
        before = copy.deepcopy(facts.data) if self._rule.changes_data else facts.data
        try:
            self._rule.apply(info, facts)
        except exceptions.InspectorError as exc:
            self.error = str(exc)
        patch = jsonpatch.make_patch(before, facts.data).patch if self._rule.changes_data else []
        changes = _as_json(info.write(), patch)
        self._changes = _masked(changes) if is_secret else changes
        return self.error

    def as_json(self) -> JsonObject:
        """Return the report as the API shows it."""
        written = self._rule.written
        shown = definition.as_json(written, extended=True)
        for condition, outcome in zip(shown['conditions'], self._outcomes, strict=False):
            condition['values'] = definition.MASK if self.is_sensitive else outcome.values
            condition['results'] = outcome.results
            condition['result'] = outcome.holds
            condition['error'] = outcome.error
        return shown | {
            'in_scope': self._is_for,
            'applies': self.applies,
            'error': self.error,
            'changes': self._changes,
        }


def _as_json(changes: node_copy.Changes, data: node_copy.JsonPatch) -> JsonObject:
    return {
        'node': changes.node,
        'reset_interfaces': changes.reset_interfaces,
        'ports': [{'uuid': port_uuid, 'patch': patch} for port_uuid, patch in changes.ports.items()],
        'created_ports': changes.new_ports,
        'deleted_ports': changes.deleted_ports,
        'added_traits': changes.added_traits,
        'removed_traits': changes.removed_traits,
        'data': data,
    }


def _masked(changes: JsonObject) -> JsonObject:
    """Return changes without what rules may have set: the values in their patches, and traits."""

    def masked(patch: node_copy.JsonPatch) -> node_copy.JsonPatch:
        return [operation | ({'value': definition.MASK} if 'value' in operation else {}) for operation in patch]

    return changes | {
        'node': masked(changes['node']),
        'ports': [port | {'patch': masked(port['patch'])} for port in changes['ports']],
        'data': masked(changes['data']),
        'added_traits': [definition.MASK for _trait in changes['added_traits']],
        'removed_traits': [definition.MASK for _trait in changes['removed_traits']],
    }
