"""The WSGI application, made from a configuration and a conductor."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import functools
from typing import Any

import flask
from oslo_config import cfg
from oslo_context import context as log_context
from oslo_middleware import cors
from oslo_middleware import request_id
from werkzeug.middleware import proxy_fix

from ironic_inspector.api import access
from ironic_inspector.api import body
from ironic_inspector.api import callback_token
from ironic_inspector.api import context
from ironic_inspector.api import errors
from ironic_inspector.api import healthcheck
from ironic_inspector.api import metrics
from ironic_inspector.api import microversions
from ironic_inspector.api import mount
from ironic_inspector.api import routes
from ironic_inspector.common import exceptions
from ironic_inspector.conductor.manager import ConductorManager

LAST_OF_12_5: microversions.Version = (1, 18)
_ROUTES = {route.endpoint: route for route in routes.ROUTES}


def create_app(conf: cfg.ConfigOpts, conductor: ConductorManager) -> flask.Flask:
    """Return the application. It serves what `routes.ROUTES` lists, through `conductor`.

    ConfigurationError if its users could not be told from others.
    """
    app = flask.Flask('ironic_inspector', static_folder=None)
    app.config['MAX_CONTENT_LENGTH'] = conf.oslo_middleware.max_request_body_size
    # Answers read best in the order in which they are written, with what identifies an item first.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.compact = True  # type: ignore[attr-defined]
    app.extensions['inspector'] = context.Api(
        conf, conductor, access.create(conf), functools.cache(lambda: _describe(conf, conductor))
    )
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    for route in routes.ROUTES:
        app.add_url_rule(route.path, route.endpoint, route.view, methods=[route.method])
    app.before_request(_enter)
    app.after_request(_add_version_headers)
    errors.register(app)
    app.after_request(metrics.count_callback)
    for middleware in _middleware(conf, conductor):
        app.wsgi_app = middleware(app.wsgi_app)  # type: ignore[method-assign]
    return app


def _middleware(conf: cfg.ConfigOpts, conductor: ConductorManager) -> Iterator[Callable[[Any], Any]]:
    """Yield what wraps the application, from the inside out."""
    yield mount.Root
    # The headers of a proxy are taken at their word, so that all that follows sees the URL that the client used, but
    # for its secrets.
    yield lambda app: proxy_fix.ProxyFix(app, x_for=1, x_proto=1, x_host=1, x_port=1, x_prefix=1)
    yield callback_token.Hide
    if conf.cors.allowed_origin:
        # Errors need the headers as well, or a page could not read them.
        yield lambda app: cors.CORS(app, conf)
    # What stands beside the API sees who really asks.
    others = _others(conf, conductor)
    yield lambda app: mount.Mount(app, others)
    # Outermost, so that whatever happens has an id.
    yield request_id.RequestId


def _others(conf: cfg.ConfigOpts, conductor: ConductorManager) -> dict[str, mount.Application]:
    """Return what is served beside the API, by its path."""
    others: dict[str, mount.Application] = {}
    if conf.metrics.enabled and not metrics.has_own_address(conf):
        others[metrics.PATH] = metrics.application(conductor.services.metrics)
    if conf.healthcheck.enabled:
        others[healthcheck.PATH] = healthcheck.create(conf, conductor)
    return others


def _describe(conf: cfg.ConfigOpts, conductor: ConductorManager) -> dict[str, Any]:
    # Few ask for it, and it takes what the service may not need otherwise: oslo.policy.
    from ironic_inspector.api import openapi

    return openapi.describe(
        openapi.Settings(
            auth_strategy=conf.auth_strategy,
            max_limit=conf.api_max_limit,
            has_callback_token=bool(conf.processing.callback_token),
            vocabulary=conductor.services.rules.vocabulary,
        )
    )


def _enter() -> None:
    # Every log line of this thread carries the id from here on.
    log_context.RequestContext(request_id=flask.request.environ.get(request_id.ENV_REQUEST_ID))
    body.receive()
    flask.g.version = microversions.requested(flask.request.headers)
    route = _ROUTES.get(str(flask.request.endpoint))
    # Up to there ironic-inspector answered whatever it knew, for any version.
    if route is not None and LAST_OF_12_5 < route.since > flask.g.version:
        raise exceptions.NotFound(
            f'{route.method} {route.path} needs version {microversions.text_of(route.since)} of the API, or a newer '
            f'one; the request asks for {microversions.text_of(flask.g.version)}'
        )
    # What URLs and verbs there are is no secret.
    if route is not None and flask.request.method != 'OPTIONS':
        context.current().access.admit(route.policy, flask.request.environ)


def _add_version_headers(response: flask.Response) -> flask.Response:
    response.headers[microversions.MINIMUM_HEADER] = microversions.text_of(microversions.MINIMUM)
    response.headers[microversions.MAXIMUM_HEADER] = microversions.text_of(microversions.MAXIMUM)
    return response
