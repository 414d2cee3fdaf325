"""How requests are read: no slower than bearable, and no more of them at once than there is memory for."""

from __future__ import annotations

import abc
from collections.abc import Callable
import io
import re
import socket
import time
from typing import Any
from typing import Protocol

from ironic_inspector.api import budget
from ironic_inspector.common import exceptions

RATE = 8192
"""Bytes a second below which a client falls behind; the ramdisk itself, far larger, has come over the same link."""
PATIENCE = 20.0
"""Seconds that a client may be behind."""
PATIENCE_IF_NEEDED = 3.0
"""Seconds that a client may be behind while others wait for its thread: time to repeat what gets lost on the way."""
LOOK = 0.5
"""Seconds after which who waits for a client looks whether that is still all right."""
PIECE = 65536
"""Bytes that are read at once: what a client announces takes no memory before it comes."""
SKIPPED = 65536
"""Bytes of a body that nobody wants and that are read all the same, so that the connection can be used again."""
CHUNKS = 100_000
"""Chunks of a body: each takes as much time as a kilobyte."""
CHUNK_LINE = 4096
TRAILERS = 8192

_CHUNK = re.compile(rb'([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n')


class TooSlow(TimeoutError):
    """A client has fallen behind by PATIENCE."""


class InTheWay(TooSlow):
    """A client has fallen behind by PATIENCE_IF_NEEDED, and others wait for its thread."""


class Source(Protocol):
    """What a connection is read from."""

    def read(self, size: int, /) -> bytes:
        """Return so many bytes; fewer if the connection has ended."""

    def readline(self, size: int, /) -> bytes:
        """Return a line with its end, or no more than `size` bytes of it."""


class Pace:
    """How far a client is behind. Time counts only while the service waits for the client."""

    def __init__(self, is_needed: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Begin with a new client; `is_needed` tells whether others wait for the thread that serves it."""
        self._is_needed = is_needed
        self._patience = patience
        self._behind = 0.0
        self.is_in_the_way = False
        """Whether the client was too slow for others, and not yet for itself."""

    def begin(self) -> None:
        """Begin with a new request of the client."""
        self._behind = 0.0
        self.is_in_the_way = False

    def wait(self, sock: socket.socket, receive: Callable[[], int]) -> int:
        """Return the number of bytes that `receive` got from a socket; TooSlow if that takes too long."""
        usual = sock.gettimeout()
        sock.settimeout(LOOK)
        try:
            while True:
                got = self._try(receive)
                if got is not None:
                    return got
        finally:
            sock.settimeout(usual)

    def _try(self, receive: Callable[[], int]) -> int | None:
        since = time.monotonic()
        try:
            got = receive()
        except TimeoutError:
            got = None
        self._behind = max(0.0, self._behind + time.monotonic() - since - (got or 0) / RATE)
        # The text is what cheroot knows a timeout by.
        if self._behind > self._patience:
            raise TooSlow('timed out')
        if self._behind > PATIENCE_IF_NEEDED and self._is_needed():
            self.is_in_the_way = True
            raise InTheWay('timed out')
        return got


class SocketReader(io.RawIOBase):
    """The bytes that come in by a socket."""

    def __init__(self, sock: socket.socket, pace: Pace) -> None:
        """Read from `sock`, which stays open."""
        self._sock = sock
        self._pace = pace

    def readable(self) -> bool:
        """See io.RawIOBase."""
        return True

    def readinto(self, buffer: Any) -> int:
        """See io.RawIOBase; TooSlow if the client is."""
        return self._pace.wait(self._sock, lambda: self._sock.recv_into(buffer))


class Body(io.RawIOBase):
    """The body of a request, as WSGI applications read it."""

    def __init__(self, source: Source, room: budget.Room) -> None:
        """Read from `source`, and take of `room` what is needed for what has been read, until `release`."""
        self._source = source
        self._share = room.share()

    def readable(self) -> bool:
        """See io.RawIOBase."""
        return True

    def readinto(self, buffer: Any) -> int:
        """See io.RawIOBase; raises what the client is to be told if it is too slow, or sends too much at this time."""
        try:
            data = self._piece(min(len(buffer), PIECE))
        except TooSlow as exc:
            others = ', and others had to wait' if isinstance(exc, InTheWay) else ''
            raise exceptions.Overloaded(f'The request came too slowly{others}: send the same again in a while') from exc
        except ValueError as exc:
            raise exceptions.InvalidRequest(str(exc)) from exc
        self._share.grow(len(data))
        buffer[: len(data)] = data
        return len(data)

    def release(self) -> None:
        """Give back the room: what has been read is no longer needed."""
        self._share.end()

    @abc.abstractmethod
    def is_over(self) -> bool:
        """Tell whether the body has been read to its very end."""

    @abc.abstractmethod
    def skip(self) -> None:
        """Read the rest, if that is little and nothing odd."""

    @abc.abstractmethod
    def _piece(self, most: int) -> bytes:
        """Return the next bytes, b'' at the end; ValueError if they make no sense."""


class PlainBody(Body):
    """A body whose length the request tells."""

    def __init__(self, source: Source, room: budget.Room, length: int) -> None:
        """Read `length` bytes; see Body."""
        super().__init__(source, room)
        self._left = length

    def is_over(self) -> bool:
        """See Body."""
        return self._left == 0

    def skip(self) -> None:
        """See Body."""
        if self._left <= SKIPPED:
            self._piece(self._left)

    def _piece(self, most: int) -> bytes:
        data = self._source.read(min(most, self._left)) if self._left else b''
        self._left -= len(data)
        return data


class ChunkedBody(Body):
    """A body in chunks (RFC 9112, section 7.1), without their framing."""

    def __init__(self, source: Source, room: budget.Room) -> None:
        """See Body."""
        super().__init__(source, room)
        self._left = 0
        self._chunks = 0
        self._is_over = False

    def is_over(self) -> bool:
        """See Body."""
        return self._is_over

    def skip(self) -> None:
        """See Body. Nothing tells how much it would be."""

    def _piece(self, most: int) -> bytes:
        if not self._left and not self._is_over:
            self._begin_chunk()
        if self._is_over:
            return b''
        data = self._source.read(min(most, self._left))
        if not data:
            raise ValueError('The request body ended within a chunk')
        self._left -= len(data)
        if not self._left and self._source.read(2) != b'\r\n':
            raise ValueError('A chunk of the request body is not as long as it says')
        return data

    def _begin_chunk(self) -> None:
        head = _CHUNK.fullmatch(self._source.readline(CHUNK_LINE))
        if head is None:
            raise ValueError('The request body has a chunk without its size')
        self._chunks += 1
        if self._chunks > CHUNKS:
            raise ValueError(f'The request body has more than {CHUNKS} chunks')
        self._left = int(head[1], 16)
        if not self._left:
            self._read_trailers()
            self._is_over = True

    def _read_trailers(self) -> None:
        """Read what may follow the last chunk, which nobody here needs."""
        left = TRAILERS
        while (line := self._source.readline(left)) != b'\r\n':
            left -= len(line)
            if not line.endswith(b'\r\n') or left <= 0:
                raise ValueError('The request body has trailers without an end')
