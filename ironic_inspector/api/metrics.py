"""The metrics over HTTP, and what the API itself counts."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
import json
import threading
from typing import Any

import flask
from oslo_config import cfg
from werkzeug import wrappers

from ironic_inspector.api import context
from ironic_inspector.api import http_connection
from ironic_inspector.api import mount
from ironic_inspector.common import metrics as service_metrics

PATH = '/metrics'
CALLBACK = 'POST /v1/continue'
THREADS = 2
"""For Prometheus, and somebody who looks at the same."""
_METHODS = ('GET', 'OPTIONS')
_CAN_ONLY_BE_READ = {'error': {'message': f'{PATH} can only be read'}}


def count_callback(response: flask.Response) -> flask.Response:
    """Count the answer if it is that to a callback; to be called for each answer."""
    if flask.request.endpoint == CALLBACK and flask.request.method == 'POST':
        context.current().services.metrics.callback(response.status_code, flask.g.get('reason', 'accepted'))
    return response


def application(counted: service_metrics.Metrics) -> mount.Application:
    """Return a WSGI application that answers with all that `counted` has counted, and refuses as the API does."""
    pages: mount.Application = counted.app()

    def answer(environ: mount.Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ['REQUEST_METHOD'] in _METHODS:
            return pages(environ, start_response)
        refusal = wrappers.Response(json.dumps(_CAN_ONLY_BE_READ), 405, content_type='application/json')
        refusal.headers['Allow'] = ', '.join(_METHODS)
        return refusal(environ, start_response)

    return answer


def has_own_address(conf: cfg.ConfigOpts) -> bool:
    """Tell whether the metrics are served elsewhere than the API."""
    return bool(conf.metrics.enabled and conf.metrics.listen_port)


class NoServer:
    """Listens nowhere."""

    def bind(self) -> None:
        """Take the address and begin to listen; OSError if it can't be had."""

    def start(self) -> None:
        """Serve, in threads of its own."""

    def stop(self) -> None:
        """End."""


class MetricsServer(NoServer):
    """An HTTP server that answers any request with the metrics."""

    def __init__(self, conf: cfg.ConfigOpts, app: Any) -> None:
        """Prepare a server for `app`, see `application`, where [metrics] says."""
        where = (conf.metrics.listen_address or conf.listen_address, conf.metrics.listen_port)
        self._server = http_connection.HttpServer(where, app, threads=THREADS, largest_body=0)
        self._thread: threading.Thread | None = None

    def bind(self) -> None:
        """See NoServer."""
        self._server.prepare()

    def start(self) -> None:
        """See NoServer."""
        self._thread = threading.Thread(target=self._server.serve, name='metrics', daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """See NoServer."""
        self._server.stop()
        if self._thread is not None:
            self._thread.join()


def create_server(conf: cfg.ConfigOpts, counted: service_metrics.Metrics) -> NoServer:
    """Return a server for what `counted` has counted; one that does nothing if it has no address of its own."""
    return MetricsServer(conf, application(counted)) if has_own_address(conf) else NoServer()
