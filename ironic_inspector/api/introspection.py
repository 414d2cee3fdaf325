"""Introspections: start, status, list, abort."""

from __future__ import annotations

import datetime
from typing import Any

import flask
from oslo_utils import strutils

from ironic_inspector.api import context
from ironic_inspector.api import paging
from ironic_inspector.common import exceptions
from ironic_inspector.db import introspections


def start(node_id: str) -> tuple[flask.Response, int]:
    """Start the introspection of a node."""
    api = context.current()
    manage_boot = _manage_boot(flask.request.args.get('manage_boot', 'true'))
    if manage_boot and not api.conf.can_manage_boot:
        raise exceptions.InvalidRequest(
            'The service may not manage the boot of nodes ([DEFAULT]can_manage_boot): use manage_boot=false, and boot '
            'the node yourself'
        )
    api.conductor.start_introspection(node_id, manage_boot=manage_boot)
    return flask.jsonify({}), 202


def show(node_id: str) -> flask.Response:
    """Return the status of the last introspection of a node."""
    services = context.current().services
    return flask.jsonify(_status(services.nodes.record(services.node_uuid(node_id)), context.link('')))


def list_all() -> flask.Response:
    """Return the statuses of all nodes, page by page, newest first."""
    api = context.current()
    arguments = flask.request.args
    page = api.services.nodes.page(
        paging.limit(arguments, api.conf.api_max_limit), paging.marker(arguments), paging.states(arguments)
    )
    root = context.link('')
    return flask.jsonify(introspection=[_status(record, root) for record in page])


def abort(node_id: str) -> tuple[flask.Response, int]:
    """Cancel the introspection of a node."""
    context.current().conductor.abort_introspection(node_id)
    return flask.jsonify({}), 202


def _manage_boot(value: str) -> bool:
    try:
        return bool(strutils.bool_from_string(value, strict=True))
    except ValueError as exc:
        raise exceptions.InvalidRequest(f'manage_boot must be true or false: {exc}') from exc


def _status(record: introspections.Introspection, root: str) -> dict[str, Any]:
    return {
        'uuid': record.uuid,
        'finished': record.finished_at is not None,
        'state': record.state,
        'started_at': _time(record.started_at),
        'finished_at': _time(record.finished_at),
        'error': record.error,
        'links': [{'rel': 'self', 'href': f'{root}/v1/introspection/{record.uuid}'}],
    }


def _time(moment: datetime.datetime | None) -> str | None:
    return moment.isoformat() if moment else None
