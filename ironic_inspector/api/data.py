"""Stored introspection data: what a ramdisk sent, what became of it, and processing it again."""

from __future__ import annotations

import flask

from ironic_inspector.api import body
from ironic_inspector.api import context


def show(node_id: str) -> flask.Response:
    """Return the processed data of a node."""
    return _stored(node_id, processed=True)


def show_unprocessed(node_id: str) -> flask.Response:
    """Return what the ramdisk of a node sent, without its logs."""
    return _stored(node_id, processed=False)


def reapply(node_id: str) -> tuple[flask.Response, int]:
    """Process the stored data of a node again, or those in the body."""
    sent = body.read()
    data = body.parse_object(sent) if sent.strip() else None
    context.current().conductor.reapply_introspection(node_id, data)
    return flask.jsonify({}), 202


def _stored(node_id: str, *, processed: bool) -> flask.Response:
    services = context.current().services
    text = services.store.get(services.node_uuid(node_id), processed=processed)
    return flask.Response(text, mimetype='application/json')
