"""A TCP relay in front of a server that tests take away."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import socket
import threading


class Relay:
    """Passes connections on to a server until it is told to fall silent, or to be gone."""

    def __init__(self, host: str, port: int) -> None:
        """Pass on to `host` and `port`."""
        self._server = (host, port)
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.port: int = self._listener.getsockname()[1]
        self._passing = threading.Event()
        self._passing.set()
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        """Pass nothing on any more, as a network that loses everything."""
        self._passing.clear()

    def thaw(self) -> None:
        """Pass on all that has come, and comes."""
        self._passing.set()

    def cut(self) -> None:
        """Be gone: end all connections and take no new ones."""
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._passing.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                server = socket.create_connection(self._server)
                self._open += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._passing.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def relaying(host: str, port: int) -> Iterator[Relay]:
    """Give a relay for the length of a `with` block."""
    relay = Relay(host, port)
    try:
        yield relay
    finally:
        relay.cut()
