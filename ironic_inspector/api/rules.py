"""Introspection rules: list, show, create, change, delete, and what they would do."""

from __future__ import annotations

import dataclasses
from typing import Any

import flask

from ironic_inspector.api import body
from ironic_inspector.api import context
from ironic_inspector.api import microversions
from ironic_inspector.common import exceptions
from ironic_inspector.db import rules as db_rules
from ironic_inspector.plugins import checks
from ironic_inspector.rules import compiled
from ironic_inspector.rules import definition
from ironic_inspector.rules import patches
from ironic_inspector.rules import preview as rule_preview

EXTENDED: microversions.Version = (1, 19)
"""From this version on rules have what ironic-inspector 12.5 did not know."""
NEW_OPERATORS = frozenset({'is-false', 'is-none', 'is-true', 'one-of'})
NEW_ACTIONS = frozenset(
    {
        'del-attribute', 'del-port-attribute', 'extend-port-attribute', 'log', 'set-data', 'set-port-attribute',
        'unset-capability', 'unset-data',
    }
)  # fmt: skip
_CREATED: microversions.Version = (1, 6)
"""Before it, creating a rule was answered 200."""
_PREVIEW_KEYS = frozenset({'rule', 'node', 'data'})


class _NoContent(flask.Response):
    """An answer without a body that says so: some proxies take one without a length for a failure."""

    default_mimetype = 'text/plain'
    default_status = 204

    def get_wsgi_headers(self, environ: Any) -> Any:
        """See werkzeug, which drops the length."""
        headers = super().get_wsgi_headers(environ)
        headers['Content-Length'] = '0'
        return headers


def list_all() -> flask.Response:
    """Return all rules in short, oldest first."""
    extended = _is_extended()
    rules = context.current().services.rules.all()
    return flask.jsonify(
        rules=[
            definition.summary(rule, extended=extended) | _links(rule)
            for rule in rules
            if extended or not rule.built_in
        ]
    )


def show(rule_uuid: str) -> flask.Response:
    """Return a rule."""
    return flask.jsonify(_shown(_visible(rule_uuid)))


def create(rule_uuid: str | None = None) -> tuple[flask.Response, int]:
    """Create a rule."""
    document = body.parse_object(body.read())
    if rule_uuid is not None:
        if document.get('uuid') not in (None, rule_uuid):
            raise exceptions.InvalidRequest(checks.fault('uuid', f'that in the URL, {rule_uuid}', document['uuid']))
        document['uuid'] = rule_uuid
    rule = context.current().services.rules.create(_parsed(document))
    return flask.jsonify(_shown(rule)), 201 if flask.g.version >= _CREATED else 200


def change(rule_uuid: str) -> flask.Response:
    """Change a rule by a JSON patch (RFC 6902), or by an object with the new values of some keys (RFC 7396)."""
    rules = context.current().services.rules
    present = rules.get(rule_uuid)
    changed = _parsed(patches.apply(present, body.parse(body.read())), present)
    if changed.uuid != present.uuid:
        raise exceptions.InvalidRequest('The UUID of a rule cannot be changed')
    replacement = dataclasses.replace(changed, created_at=present.created_at)
    return flask.jsonify(_shown(rules.replace(replacement, present)))


def delete(rule_uuid: str) -> flask.Response:
    """Delete a rule."""
    _visible(rule_uuid)
    context.current().services.rules.delete(rule_uuid)
    return _NoContent()


def delete_all() -> flask.Response:
    """Delete all rules, but for built-in ones."""
    context.current().services.rules.delete_all()
    return _NoContent()


def preview() -> flask.Response:
    """Return what a rule, or all of them, would do to a node or with some data; nothing is done."""
    document = body.parse_object(body.read())
    if unknown := sorted(document.keys() - _PREVIEW_KEYS):
        raise exceptions.InvalidRequest(
            f'There is no {checks.listed([repr(key) for key in unknown])}: a preview takes rule, node, data'
        )
    rules = _previewed(document.get('rule'))
    info, data = _subject(document.get('node'), document.get('data'))
    return flask.jsonify(rule_preview.preview(rules, info, data, even_disabled=document.get('rule') is not None))


def _previewed(rule: Any) -> list[compiled.AnyRule]:
    """Return the rule that a preview is about, given as such or by the UUID of a stored one; None means all."""
    book = context.current().services.rules
    if rule is None:
        return book.in_force()
    written = book.get(rule) if isinstance(rule, str) else _parsed(rule)
    return [compiled.Rule(written, book.plugins)]


def _subject(node_id: Any, data: Any) -> tuple[rule_preview.PreviewedNode, dict[str, Any]]:
    """Return the node and the data that a preview is about; one of them may be missing."""
    if not isinstance(node_id, (str, type(None))) or node_id == '':
        raise exceptions.InvalidRequest(checks.fault('node', 'the UUID or name of a node', node_id))
    if not isinstance(data, (dict, type(None))):
        raise exceptions.InvalidRequest(checks.fault('data', 'an object, introspection data', data))
    if node_id is None and data is None:
        raise exceptions.InvalidRequest('A preview needs a node, introspection data, or both: add "node" or "data"')
    services = context.current().services
    if node_id is None:
        return rule_preview.PreviewedNode.of_nothing(services.database, services.ironic), data or {}
    fields = services.ironic.get_node(node_id)
    if data is None:
        data = services.store.get(fields['uuid'], processed=True, get_json=True)
    return rule_preview.PreviewedNode.of_node(fields, services.database, services.ironic), data


def _visible(rule_uuid: str) -> db_rules.Rule:
    """Return a rule; NotFound if there is none that the version of the request shows."""
    rule = context.current().services.rules.get(rule_uuid)
    if rule.built_in and not _is_extended():
        raise exceptions.NotFound(
            f'The rule {rule_uuid} is built in: ask for version {microversions.text_of(EXTENDED)} of the API to see it'
        )
    return rule


def _parsed(document: Any, present: db_rules.Rule | None = None) -> db_rules.Rule:
    """Return the rule in a request; it may use what `present` uses, even if that is not installed any more."""
    vocabulary = context.current().services.rules.vocabulary
    extended = _is_extended()
    if present is not None:
        vocabulary = vocabulary.with_names_in(present)
    if not extended:
        vocabulary = definition.Vocabulary(vocabulary.operators - NEW_OPERATORS, vocabulary.actions - NEW_ACTIONS)
    return definition.parse(document, vocabulary=vocabulary, extended=extended)


def _shown(rule: db_rules.Rule) -> dict[str, Any]:
    return definition.as_json(rule, extended=_is_extended()) | _links(rule)


def _links(rule: db_rules.Rule) -> dict[str, Any]:
    return {'links': [{'rel': 'self', 'href': context.path_of(f'/v1/rules/{rule.uuid}')}]}


def _is_extended() -> bool:
    return bool(flask.g.version >= EXTENDED)
