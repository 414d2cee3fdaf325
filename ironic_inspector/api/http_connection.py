"""The HTTP server of cheroot, with bounds on what a client gets to keep busy."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import socket
import time
from typing import Any

from cheroot import makefile
from cheroot import server as cheroot_server
from cheroot import wsgi
from oslo_context import context as log_context
from oslo_log import log

from ironic_inspector.api import budget
from ironic_inspector.api import http_reading
from ironic_inspector.api import microversions
from ironic_inspector.api import tls

LOG = log.getLogger(__name__)

BACKLOG = 1024
HEAD = 65536
"""Bytes of a request line and headers."""
LINGER = 2.0
"""Seconds for which a client that is still sending gets to read the answer before the connection ends."""
LINGER_BYTES = 64 * 1024 * 1024
_USE_TLS = 'The service speaks TLS here: the URL must begin with https'
_IN_THE_WAY = ('503 Service Unavailable', 'The service has too much to do: send the same again in a while')
_LENGTH = re.compile(rb'[0-9]{1,18}')


class _Headers(dict[bytes, bytes]):
    """The headers of a request. Where its body ends must be told once: others may read another line than cheroot."""

    def __setitem__(self, name: bytes, value: bytes) -> None:
        if name == b'Content-Length' and name in self:
            raise ValueError('There is more than one Content-Length')
        super().__setitem__(name, value)


class Request(cheroot_server.HTTPRequest):
    """A request, which is answered as the application does also where it never gets that far."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """See cheroot."""
        super().__init__(*args, **kwargs)
        self.inheaders = _Headers()

    def read_request_headers(self) -> bool:
        """Read the headers; tell whether the request can be worked on, after a refusal if not."""
        if not super().read_request_headers():  # type: ignore[no-untyped-call]
            return False
        length = self.inheaders.get(b'Content-Length')
        encoding = self.inheaders.get(b'Transfer-Encoding')
        if length is not None and not _LENGTH.fullmatch(length):
            self.simple_response('400 Bad Request', 'Malformed Content-Length header')
            return False
        # Whoever passed the request on may go by the other one, or know no chunks.
        if encoding is not None and (length is not None or not self.chunked_read):
            self.simple_response('400 Bad Request', 'Transfer-Encoding needs HTTP/1.1 and no Content-Length')
            return False
        return True

    def respond(self) -> None:
        """Let the application answer."""
        source, room = self.conn.rfile, self.server.room
        if self.chunked_read:
            body: http_reading.Body = http_reading.ChunkedBody(source, room)
        else:
            body = http_reading.PlainBody(source, room, int(self.inheaders.get(b'Content-Length', 0)))
        self.rfile = body
        try:
            self.server.gateway(self).respond()
            if self.ready:
                self.ensure_headers_sent()
            if self.chunked_write:
                self.conn.wfile.write(b'0\r\n\r\n')
        finally:
            body.release()

    def send_headers(self) -> None:
        """Send the head of the answer, the last of the connection if more of the body would pass for a request."""
        # Too slow, or gone: all the same here.
        with contextlib.suppress(OSError):
            self.rfile.skip()
        if not self.rfile.is_over():
            self.close_connection = True
            self.conn.is_sending = True
        if self.method == b'OPTIONS' and (b'Content-Length', b'0') in self.outheaders:
            self.outheaders = [header for header in self.outheaders if header[0].lower() != b'content-type']
        super().send_headers()

    def simple_response(self, status: str, msg: str = '') -> None:
        """Refuse what is not HTTP, and close the connection."""
        self.close_connection = True
        self.conn.is_sending = True
        if status.startswith('408') and self.conn.pace.is_in_the_way:
            status, msg = _IN_THE_WAY
        # Whoever has gone meanwhile needs no answer.
        with contextlib.suppress(OSError):
            self.conn.wfile.write(self.conn.refusal(status, msg or status))


class _Reader(makefile.StreamReader):
    """What cheroot reads a connection from."""

    def __init__(self, raw: http_reading.SocketReader, size: int) -> None:
        # Beyond cheroot's own one, which would read from the socket itself.
        super(makefile.StreamReader, self).__init__(raw, size)
        self.bytes_read = 0


class Connection(cheroot_server.HTTPConnection):
    """The connection of a client."""

    RequestHandlerClass = Request

    def __init__(self, server: Any, sock: Any, *args: Any) -> None:
        """See cheroot."""
        super().__init__(server, sock, *args)
        self.pace = http_reading.Pace(self._is_needed)
        self.rfile = _Reader(http_reading.SocketReader(sock, self.pace), self.rbufsize)
        self.is_sending = False
        """Whether the client may still be sending a request that has been answered."""

    def communicate(self) -> bool:
        """Answer a request; tell whether there may be another one."""
        self.pace.begin()
        try:
            self.pace.wait(self.socket, self._shake_hands)
        except OSError as exc:
            LOG.info('TLS with the client %s failed: %s', self.remote_addr, exc)
            if tls.is_plain_http(exc):
                with contextlib.suppress(OSError):
                    tls.answer_plainly(self.socket, self.refusal('400 Bad Request', _USE_TLS))
            return False
        again = bool(super().communicate())  # type: ignore[no-untyped-call]
        if self.is_sending:
            self._linger()
        return again

    def refusal(self, status: str, message: str) -> bytes:
        """Return an answer in full, after which the connection is closed."""
        request_id = log_context.generate_request_id()
        LOG.info('Refused what the client %s sent, as request %s: %s', self.remote_addr, request_id, message)
        body = json.dumps({'error': {'message': message}})
        lines = [
            f'{self.server.protocol} {status}',
            'Content-Type: application/json',
            f'Content-Length: {len(body)}',
            f'{microversions.MINIMUM_HEADER}: {microversions.text_of(microversions.MINIMUM)}',
            f'{microversions.MAXIMUM_HEADER}: {microversions.text_of(microversions.MAXIMUM)}',
            f'X-OpenStack-Request-Id: {request_id}',
            'Connection: close',
            '',
            body,
        ]
        return '\r\n'.join(lines).encode('ascii')

    def _is_needed(self) -> bool:
        return bool(self.server.requests.qsize)

    def _shake_hands(self) -> int:
        tls.shake_hands(self.socket)
        return 0

    def _linger(self) -> None:
        """Take in what still comes, for a moment: if it were left unread, its arrival would destroy the answer."""
        deadline, left = time.monotonic() + LINGER, LINGER_BYTES
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
            while left > 0 and not self._is_needed() and (patience := deadline - time.monotonic()) > 0:
                self.socket.settimeout(patience)
                came = self.socket.recv(http_reading.PIECE)
                if not came:
                    break
                left -= len(came)


class HttpServer(wsgi.Server):
    """A threaded HTTP server for one WSGI application."""

    ConnectionClass = Connection
    max_request_header_size = HEAD

    def __init__(self, where: Any, app: Any, *, threads: int, largest_body: int) -> None:
        """Prepare a server at the path of a unix socket, or an address and a port."""
        super().__init__(where, app, numthreads=threads, request_queue_size=BACKLOG)
        self.room = budget.Room(max(budget.ROOM, largest_body))

    def error_log(self, msg: str = '', level: int = 20, traceback: bool = False) -> None:
        """Log what a client did, or a failure."""
        # Clients that hang up or fall silent are warned about, and no reason to print where the server has waited.
        LOG.log(level, msg, exc_info=traceback and level >= logging.ERROR)
