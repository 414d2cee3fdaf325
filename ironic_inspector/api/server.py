"""The HTTP server that the service brings along."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pathlib
import socket
import threading
from typing import Any

from cheroot import server as cheroot_server
from cheroot import wsgi
from oslo_config import cfg
from oslo_log import log

from ironic_inspector.api import microversions
from ironic_inspector.api import tls

LOG = log.getLogger(__name__)

MAX_THREADS = 48
"""Requests that are worked on at once; a callback keeps its thread for as long as Ironic takes."""
BACKLOG = 1024
_USE_TLS = 'The service speaks TLS here: the URL must begin with https'


class _Request(cheroot_server.HTTPRequest):
    """A request, which is answered as the application does also where it never gets that far."""

    def simple_response(self, status: str, msg: str = '') -> None:
        """Refuse what is not HTTP, and close the connection."""
        self.close_connection = True
        # Whoever has gone meanwhile needs no answer.
        with contextlib.suppress(OSError):
            self.conn.wfile.write(_refusal(self.server.protocol, status, msg or status))


class _Connection(cheroot_server.HTTPConnection):
    RequestHandlerClass = _Request

    def communicate(self) -> bool:
        """Answer a request; tell whether there may be another one."""
        try:
            tls.shake_hands(self.socket)
        except OSError as exc:
            LOG.info('TLS with the client %s failed: %s', self.remote_addr, exc)
            if tls.is_plain_http(exc):
                with contextlib.suppress(OSError):
                    tls.answer_plainly(self.socket, _refusal(self.server.protocol, '400 Bad Request', _USE_TLS))
            return False
        return bool(super().communicate())  # type: ignore[no-untyped-call]


class Server:
    """A threaded HTTP server for one WSGI application."""

    def __init__(self, conf: cfg.ConfigOpts, app: Any) -> None:
        """Prepare a server for `app` where `conf` says: a unix socket, or an address and a port.

        ConfigurationError if it has to speak TLS and cannot.
        """
        self._socket_path = conf.listen_unix_socket
        self._socket_mode = conf.listen_unix_socket_mode
        where = self._socket_path or (conf.listen_address, conf.listen_port)
        self._server = wsgi.Server(
            where,
            app,
            numthreads=min(conf.max_concurrency, MAX_THREADS),
            request_queue_size=BACKLOG,
            # The application limits what it reads; one that cheroot refused would get no JSON.
            max=-1,
        )
        self._server.ConnectionClass = _Connection
        if conf.use_ssl:
            self._server.ssl_adapter = tls.Adapter(tls.server_context(conf))
        self._server.error_log = _log_error  # type: ignore[method-assign]
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """Where the server listens, for people."""
        if self._socket_path:
            return str(self._socket_path)
        host, port = self._server.bind_addr[:2]
        scheme = 'https' if self._server.ssl_adapter else 'http'
        return f'{scheme}://[{host}]:{port}' if ':' in host else f'{scheme}://{host}:{port}'

    def bind(self) -> None:
        """Take the address and begin to listen; OSError if it can't be had."""
        if self._socket_path:
            self._remove_stale_socket()
        self._server.prepare()
        if self._socket_path and self._socket_mode is not None:
            os.chmod(self._socket_path, self._socket_mode)

    def start(self) -> None:
        """Serve, in threads of its own."""
        self._thread = threading.Thread(target=self._server.serve, name='http', daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer what has been asked, and end."""
        self._server.stop()
        if self._thread is not None:
            self._thread.join()
        if self._socket_path:
            pathlib.Path(self._socket_path).unlink(missing_ok=True)

    def _remove_stale_socket(self) -> None:
        """Remove the socket that a killed process left; a living one answers, and keeps it."""
        path = pathlib.Path(self._socket_path)
        if not path.is_socket():
            return
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except OSError:
                path.unlink()


def _refusal(protocol: str, status: str, message: str) -> bytes:
    """Return an answer in full, after which the connection is closed."""
    body = json.dumps({'error': {'message': message}})
    lines = [
        f'{protocol} {status}',
        'Content-Type: application/json',
        f'Content-Length: {len(body)}',
        f'{microversions.MINIMUM_HEADER}: {microversions.text_of(microversions.MINIMUM)}',
        f'{microversions.MAXIMUM_HEADER}: {microversions.text_of(microversions.MAXIMUM)}',
        'Connection: close',
        '',
        body,
    ]
    return '\r\n'.join(lines).encode('ascii')


def _log_error(msg: str = '', level: int = 20, traceback: bool = False) -> None:
    # Clients that hang up or fall silent are warned about, and no reason to print where the server has waited for them.
    LOG.log(level, msg, exc_info=traceback and level >= logging.ERROR)
