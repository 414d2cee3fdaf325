"""The HTTP server that the service brings along."""

from __future__ import annotations

import os
import pathlib
import socket
import threading
from typing import Any

from oslo_config import cfg

from ironic_inspector.api import http_connection
from ironic_inspector.api import tls
from ironic_inspector.common import exceptions

MAX_THREADS = 48
"""Requests that are worked on at once; a callback keeps its thread for as long as Ironic takes."""
PROBE_TIMEOUT = 5.0


class Server:
    """A threaded HTTP server for one WSGI application."""

    def __init__(self, conf: cfg.ConfigOpts, app: Any) -> None:
        """Prepare a server for `app` where `conf` says: a unix socket, or an address and a port.

        ConfigurationError if it has to speak TLS and cannot.
        """
        self._socket_path = conf.listen_unix_socket
        self._socket_mode = conf.listen_unix_socket_mode
        self._own_socket: tuple[int, int] | None = None
        where = self._socket_path or (conf.listen_address, conf.listen_port)
        self._server = http_connection.HttpServer(
            where,
            app,
            threads=min(conf.max_concurrency, MAX_THREADS),
            largest_body=conf.oslo_middleware.max_request_body_size,
        )
        if conf.use_ssl:
            self._server.ssl_adapter = tls.Adapter(tls.server_context(conf))
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
        """Take the address and begin to listen; OSError or ConfigurationError if it can't be had."""
        if self._socket_path:
            self._check_socket_path()
        self._server.prepare()
        if self._socket_path:
            self._own_socket = self._present_socket()
            if self._socket_mode is not None:
                os.chmod(self._socket_path, self._socket_mode)

    def start(self) -> None:
        """Serve, in threads of its own."""
        self._thread = threading.Thread(target=self._server.serve, name='http', daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer what has been asked, and end."""
        # While the server has it, no other file can have its number.
        if self._own_socket and self._own_socket == self._present_socket():
            pathlib.Path(self._socket_path).unlink(missing_ok=True)
        self._own_socket = None
        self._server.stop()
        if self._thread is not None:
            self._thread.join()

    def _present_socket(self) -> tuple[int, int] | None:
        """Return what tells the file at the path from all others; None if there is none."""
        try:
            found = os.stat(self._socket_path)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _check_socket_path(self) -> None:
        """Let pass a socket that a killed process left, which the server replaces; ConfigurationError for all else."""
        path = pathlib.Path(self._socket_path)
        if not os.path.lexists(path):
            return
        if not path.is_socket():
            raise exceptions.ConfigurationError(f'[DEFAULT]listen_unix_socket: {path} is there, and is no socket')
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(PROBE_TIMEOUT)
            try:
                probe.connect(str(path))
            except (ConnectionRefusedError, FileNotFoundError):
                return
            except OSError as exc:
                raise exceptions.ConfigurationError(
                    f'[DEFAULT]listen_unix_socket: it is not known who listens on {path}: {exc}'
                ) from exc
        raise exceptions.ConfigurationError(f'[DEFAULT]listen_unix_socket: another process listens on {path}')
