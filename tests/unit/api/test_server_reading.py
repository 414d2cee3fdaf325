"""How requests are read."""

from __future__ import annotations

from collections.abc import Iterator
import io
import socket

from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector.api import budget
from ironic_inspector.api import http_reading
from ironic_inspector.common import exceptions

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A connection: the end of a client, and that of the service."""
    client, service = socket.socketpair()
    service.settimeout(10)
    with client, service:
        yield client, service


def chunked(sent: bytes) -> http_reading.ChunkedBody:
    return http_reading.ChunkedBody(io.BytesIO(sent), budget.Room())


def reader(pair: Pair, *, is_needed: bool, patience: float) -> io.BufferedReader:
    return io.BufferedReader(http_reading.SocketReader(pair[1], http_reading.Pace(lambda: is_needed, patience)))


def test_who_says_nothing_is_too_slow(pair: Pair) -> None:
    stream = reader(pair, is_needed=False, patience=0)
    pair[0].sendall(b'to begin with')
    with pytest.raises(http_reading.TooSlow, match='timed out'):
        stream.read(20)
    # Who is answered has the usual time to read that.
    assert pair[1].gettimeout() == 10


def test_who_sends_enough_is_not(pair: Pair) -> None:
    stream = reader(pair, is_needed=True, patience=1)
    for _time in range(10):
        pair[0].sendall(b'x' * 50_000)
        assert stream.read(50_000) == b'x' * 50_000
    pair[0].close()
    assert stream.read() == b''


@pytest.mark.parametrize('is_needed', [False, True])
def test_what_a_slow_client_is_told(pair: Pair, monkeypatch: pytest.MonkeyPatch, is_needed: bool) -> None:
    monkeypatch.setattr(http_reading, 'PATIENCE_IF_NEEDED', 0.1)
    stream = reader(pair, is_needed=is_needed, patience=1)
    body = http_reading.PlainBody(stream, budget.Room(), 7)
    with pytest.raises(exceptions.Overloaded, match='others' if is_needed else 'too slowly: '):
        body.read()
    assert not body.is_over()


@given(st.lists(st.binary(min_size=1, max_size=300)), st.integers(1, 400))
def test_chunks_arrive_as_they_were_sent(pieces: list[bytes], size: int) -> None:
    sent = b''.join(b'%X\r\n%s\r\n' % (len(piece), piece) for piece in pieces)
    source = io.BytesIO(sent + b'0\r\nX: y\r\n\r\nthe next')
    body = http_reading.ChunkedBody(source, budget.Room())
    assert b''.join(iter(lambda: body.read(size) or b'', b'')) == b''.join(pieces)
    assert body.is_over()
    assert source.read() == b'the next'


@pytest.mark.parametrize(
    'sent',
    [b'', b'2', b'2\r\n', b'2\r\n{', b'2\r\n{}', b'2\r\n{}0\r\n', b'\r\n', b'0x2\r\n{}\r\n', b'+2\r\n{}\r\n',
     b'2\n{}\r\n', b'2_2\r\n', b'123456789\r\n', b'2 3\r\n', b'2;' + b'x' * 5000 + b'\r\n', b'0\r\n',
     b'0\r\nX: y\r\n', b'0\r\nX'],
)  # fmt: skip
def test_what_are_no_chunks(sent: bytes) -> None:
    body = chunked(sent)
    with pytest.raises(exceptions.InvalidRequest):
        body.read()
    assert not body.is_over()


def test_no_more_is_asked_of_the_source_than_one_piece() -> None:
    asked: list[int] = []

    class Source(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(size or 0)
            return super().read(size)

    body = http_reading.ChunkedBody(Source(b'7fffffff\r\nx'), budget.Room())
    assert body.read(1 << 30) == b'x'
    assert max(asked) <= http_reading.PIECE


@pytest.mark.parametrize('length', [0, 10, http_reading.SKIPPED])
def test_little_is_skipped(length: int) -> None:
    body = http_reading.PlainBody(io.BytesIO(b'x' * length), budget.Room(), length)
    body.skip()
    assert body.is_over()


@pytest.mark.parametrize(('sent', 'length'), [(b'', 1 << 40), (b'x' * 10, 11)])
def test_what_cannot_be_skipped(sent: bytes, length: int) -> None:
    body = http_reading.PlainBody(io.BytesIO(sent), budget.Room(), length)
    body.skip()
    assert not body.is_over()


def test_bodies_take_room_until_they_are_released() -> None:
    room = budget.Room(size=100, own=10)

    def body() -> http_reading.PlainBody:
        return http_reading.PlainBody(io.BytesIO(b'x' * 90), room, 90)

    first, second = body(), body()
    assert len(first.read() or b'') == 90
    with pytest.raises(exceptions.Overloaded):
        second.read()
    first.release()
    first.release()
    second.release()
    assert len(body().read() or b'') == 90
