"""The WSGI application, made from a configuration and a conductor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
from oslo_config import cfg
from oslo_context import context as log_context
from oslo_middleware import request_id
from werkzeug.middleware import proxy_fix

from ironic_inspector.api import body
from ironic_inspector.api import context
from ironic_inspector.api import errors
from ironic_inspector.api import microversions
from ironic_inspector.api import routes
from ironic_inspector.conductor.manager import ConductorManager

# From the inside out. The id of a request comes outermost, so that whatever happens has one; then the headers of a
# proxy are taken at their word, so that all that follows sees the URL that the client used.
MIDDLEWARE: tuple[Callable[[Any], Any], ...] = (
    lambda app: proxy_fix.ProxyFix(app, x_for=1, x_proto=1, x_host=1, x_port=1, x_prefix=1),
    request_id.RequestId,
)


def create_app(conf: cfg.ConfigOpts, conductor: ConductorManager) -> flask.Flask:
    """Return the application. It serves what `routes.ROUTES` lists, through `conductor`."""
    app = flask.Flask('ironic_inspector', static_folder=None)
    app.debug = bool(conf.debug)
    app.config['MAX_CONTENT_LENGTH'] = conf.oslo_middleware.max_request_body_size
    # Answers read best in the order in which they are written, with what identifies an item first.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.compact = True  # type: ignore[attr-defined]
    app.extensions['inspector'] = context.Api(conf, conductor)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    for route in routes.ROUTES:
        app.add_url_rule(route.path, f'{route.method} {route.path}', route.view, methods=[route.method])
    app.before_request(_enter)
    app.after_request(_add_version_headers)
    errors.register(app)
    for middleware in MIDDLEWARE:
        app.wsgi_app = middleware(app.wsgi_app)  # type: ignore[method-assign]
    return app


def _enter() -> None:
    # Every log line of this thread carries the id from here on.
    log_context.RequestContext(request_id=flask.request.environ.get(request_id.ENV_REQUEST_ID))
    body.receive()
    flask.g.version = microversions.requested(flask.request.headers)


def _add_version_headers(response: flask.Response) -> flask.Response:
    response.headers[microversions.MINIMUM_HEADER] = microversions.text_of(microversions.MINIMUM)
    response.headers[microversions.MAXIMUM_HEADER] = microversions.text_of(microversions.MAXIMUM)
    return response
