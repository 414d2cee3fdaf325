"""TLS for the HTTP server that the service brings along."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import io
import socket
import ssl
from typing import Any

from cheroot import errors as cheroot_errors
from cheroot import makefile
from cheroot import ssl as cheroot_ssl
from oslo_config import cfg

from ironic_inspector.common import exceptions

READ_IN_VAIN = 65536
"""Bytes of a plain request."""
OLDEST = ssl.TLSVersion.TLSv1_2
_ONLY = {'tlsv1_2': ssl.TLSVersion.TLSv1_2, 'tlsv1_3': ssl.TLSVersion.TLSv1_3}


def server_context(conf: cfg.ConfigOpts) -> ssl.SSLContext:
    """Return what [ssl] asks for; ConfigurationError, naming the option, if it cannot be had."""
    options = conf.ssl
    for name in ('cert_file', 'key_file'):
        if not options[name]:
            raise exceptions.ConfigurationError(f'[ssl]{name} is not set: [DEFAULT]use_ssl needs it')
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = OLDEST
    if only := _ONLY.get((options.version or '').lower()):
        context.minimum_version = context.maximum_version = only
    with _blaming('cert_file', options.cert_file, 'is no file with certificates as PEM'):
        # Alone, and to nobody's trust: what follows does not tell which of two files is wrong.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(options.cert_file)
    with _blaming('key_file', options.key_file, 'is no file with the key of [ssl]cert_file as PEM, without a password'):
        # A password that nobody has keeps OpenSSL from asking the terminal for one.
        context.load_cert_chain(options.cert_file, options.key_file, password='')
    if options.ca_file:
        context.verify_mode = ssl.CERT_REQUIRED
        with _blaming('ca_file', options.ca_file, 'is no file with certificates as PEM'):
            context.load_verify_locations(options.ca_file)
    if options.ciphers:
        with _blaming('ciphers', options.ciphers, 'is no list of ciphers as OpenSSL writes it'):
            context.set_ciphers(options.ciphers)
    return context


@contextlib.contextmanager
def _blaming(name: str, value: str, fault: str) -> Iterator[None]:
    try:
        yield
    except ssl.SSLError as exc:
        raise exceptions.ConfigurationError(f'[ssl]{name}: {value} {fault}: {exc}') from exc
    except OSError as exc:
        raise exceptions.ConfigurationError(f'[ssl]{name}: {value} cannot be read: {exc.strerror}') from exc


class Adapter(cheroot_ssl.Adapter):
    """Lets cheroot speak TLS.

    Its own one shakes hands with a new client in the only thread that accepts clients: one that is slow about it, or
    never does it, would keep all others out. Here that is left to the thread that is to read the request.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        """Use the certificates of `context`."""
        self.context = context

    def bind(self, sock: socket.socket) -> socket.socket:
        """Return the listening socket as it is."""
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, Any]]:
        """Return the socket of a new client, and what the WSGI environment is to say of it."""
        try:
            return self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False), self.get_environ()
        except OSError as exc:
            # It has gone already.
            raise cheroot_errors.FatalSSLAlert(*exc.args) from exc

    def get_environ(self) -> dict[str, Any]:
        """Return what the WSGI environment is to say of a client."""
        return {'HTTPS': 'on'}

    def makefile(self, sock: socket.socket, mode: str = 'r', bufsize: int = io.DEFAULT_BUFFER_SIZE) -> Any:
        """Return a file to read from a socket or to write to it."""
        return makefile.MakeFile(sock, mode, bufsize)


def shake_hands(sock: socket.socket) -> None:
    """Do with a new client what TLS begins with, if it is one of TLS; OSError if that fails."""
    if isinstance(sock, ssl.SSLSocket) and sock.version() is None:
        sock.do_handshake()


def is_plain_http(failure: OSError) -> bool:
    """Tell whether what `shake_hands` raised means that the client does not speak TLS, but HTTP."""
    return isinstance(failure, ssl.SSLError) and failure.reason == 'HTTP_REQUEST'


def answer_plainly(sock: socket.socket, answer: bytes) -> None:
    """Send a client that does not speak TLS an answer that it understands; OSError if it has gone."""
    # Not the methods of ssl.SSLSocket, which would encrypt it.
    socket.socket.sendall(sock, answer)
    socket.socket.shutdown(sock, socket.SHUT_WR)
    # What it has sent, left unread, would have its system throw the answer away.
    socket.socket.recv(sock, READ_IN_VAIN)
