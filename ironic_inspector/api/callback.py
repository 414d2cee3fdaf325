"""POST /v1/continue: where ramdisks send what they found."""

from __future__ import annotations

import flask

from ironic_inspector.api import body
from ironic_inspector.api import callback_token
from ironic_inspector.api import context


def continue_introspection() -> flask.Response:
    """Process the data of a ramdisk, JSON whatever their content type says, and return the UUID of its node."""
    api = context.current()
    callback_token.check(flask.request.environ, api.conf)
    # Before there is a share: who sends slowly must keep nobody else waiting.
    sent = body.read()
    with api.bodies.share(len(sent)) as end_share:
        data = body.parse_object(sent)
        del sent
        node_uuid = api.conductor.continue_introspection(data, end_share)
    return flask.jsonify(uuid=node_uuid)
