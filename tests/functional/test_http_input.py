"""What is no HTTP, or more or slower than anybody needs: how it is told, and that nobody else notices."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
import pathlib
import re
import select
import socket
import threading

import pytest
import requests

from tests.functional.lab import Lab
from tests.functional.lab import at_once
from tests.functional.raw_http import ANSWER_TIMEOUT
from tests.functional.raw_http import LIMIT
from tests.functional.raw_http import nothing_unexpected
from tests.functional.raw_http import raw
from tests.service import until
from tools.processes import reserve_port

__all__ = ['nothing_unexpected']


def test_clients_that_send_slowly_keep_nobody_else_waiting(lab: Lab) -> None:
    machine = lab.waiting()
    with contextlib.ExitStack() as stack:
        address = ('127.0.0.1', lab.inspector.port)
        clients = [stack.enter_context(socket.create_connection(address, ANSWER_TIMEOUT)) for _ in range(10)]
        for slow in clients:
            slow.sendall(f'POST /v1/continue HTTP/1.1\r\nHost: x\r\nContent-Length: {LIMIT}\r\n\r\n{{'.encode())
        answer = lab.call_back(machine.data())
        assert answer.status_code == 200, answer.text
        for slow in clients:
            slow.setblocking(False)
            with pytest.raises(BlockingIOError):
                slow.recv(1)
    lab.reached(machine, 'finished')


def test_the_rest_of_a_body_is_no_request(lab: Lab) -> None:
    smuggled = b'POST /v1/introspection/nobody HTTP/1.1\r\nHost: x\r\n\r\n'
    chunk = b'%x\r\n%s\r\n0\r\n\r\n' % (len(smuggled), smuggled)
    since = lab.ironic.mark()
    for path in ('/nowhere', '/v1', '/v1/introspection/nothing/abort'):
        head = f'POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
        with socket.create_connection(('127.0.0.1', lab.inspector.port), ANSWER_TIMEOUT) as connection:
            connection.sendall(head.encode() + chunk + b'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
            with connection.makefile('rb') as stream:
                answers = stream.read()
        assert answers.count(b'HTTP/1.1 ') == 2
        assert b'HTTP/1.1 200 OK' in answers
    assert lab.ironic.count(path_regex='nobody', since=since) == 0


@pytest.mark.parametrize(
    'request_',
    [
        b'GARBAGE\r\n\r\n',
        b'GET / HTTP/9.9\r\n\r\n',
        b'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
        b'GET /' + b'x' * 100_000 + b' HTTP/1.1\r\nHost: x\r\n\r\n',
        b'GET / HTTP/1.1\r\nHost: x\r\nX: ' + b'x' * 100_000 + b'\r\n\r\n',
        b'GET / HTTP/1.1\r\nHost: x\r\n' + b'X: y\r\n' * 50_000 + b'\r\n',
        b'GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n',
        b'GET / HTTP/1.1\r\nno header\r\n\r\n',
        b'POST /v1/continue HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n',
        b'POST /v1/continue HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n',
        b'POST /v1/continue HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n{}\r\n',
        b'POST /v1/continue HTTP/1.1\r\nHost: x\r\nContent-Length: -7\r\n\r\n',
    ],
    ids=lambda request: request[:20],
)
def test_what_is_no_http(lab: Lab, request_: bytes) -> None:
    status, headers, document = raw(lab, request_)
    assert status in (400, 405, 413, 414, 501, 505)
    assert 'content-type: application/json' in headers
    assert 'x-openstack-ironic-inspector-api-maximum-version: ' in headers
    assert 'x-openstack-request-id: req-' in headers
    assert document['error']['message']


CHUNKED = b'POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
NEXT = b'GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'


def statuses(lab: Lab, sent: bytes) -> list[int]:
    """Send bytes, and an end; return the statuses of the answers."""
    with socket.create_connection(('127.0.0.1', lab.inspector.port), ANSWER_TIMEOUT) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile('rb') as stream:
            return [int(status) for status in re.findall(rb'HTTP/1\.1 (\d+) ', stream.read())]


ENDS: dict[str, tuple[bytes, list[int]]] = {
    'chunks': (CHUNKED % b'/nowhere' + b'2;x=y\r\n{}\r\n0\r\n\r\n', [404, 200]),
    'trailers': (CHUNKED % b'/nowhere' + b'2\r\n{}\r\n0\r\nX: 7\r\nGET: /v1 HTTP/1.1\r\n\r\n', [404, 200]),
    'endless trailers': (CHUNKED % b'/nowhere' + b'0\r\n' + b'X: 7\r\n' * 5000 + b'\r\n', [400]),
    'a size that is none': (CHUNKED % b'/nowhere' + b'zz\r\n', [400]),
    'a negative size': (CHUNKED % b'/nowhere' + b'-1\r\n', [400]),
    'a size of many digits': (CHUNKED % b'/nowhere' + b'1' * 5000, [400]),
    'a chunk that is longer': (CHUNKED % b'/nowhere' + b'1\r\n{}\r\n0\r\n\r\n', [400]),
    'too many chunks': (CHUNKED % b'/nowhere' + b'1\r\n \r\n' * 100_001 + b'0\r\n\r\n', [400]),
    'a negative length': (b'POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n', [400]),
    'two lengths': (b'POST /nowhere HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 2\r\n\r\n', [400]),
    'length and chunks': (
        b'POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        [400],
    ),
    'chunks of HTTP/1.0': (
        b'POST /v1 HTTP/1.0\r\nConnection: Keep-Alive\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
        [400],
    ),
    'a little that nobody wants': (b'DELETE /v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}', [405, 200]),
}


@pytest.mark.parametrize(('sent', 'expected'), ENDS.values(), ids=ENDS)
def test_where_a_request_ends(lab: Lab, sent: bytes, expected: list[int]) -> None:
    """Either it is known what the next request is, or there is none."""
    assert statuses(lab, sent + NEXT) == expected


def test_what_stands_beside_the_api_leaves_no_chunks_behind(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(metrics={'enabled': True}, healthcheck={'enabled': True})
    chunk = b'%x\r\n%s\r\n0\r\n\r\n' % (len(NEXT), NEXT)
    for path in (b'/healthcheck', b'/metrics'):
        assert statuses(lab, CHUNKED % path + chunk + NEXT) == [405]


def test_an_empty_answer_has_no_content_type(lab: Lab) -> None:
    answer = requests.options(f'{lab.inspector.url}/v1/rules', timeout=ANSWER_TIMEOUT)
    assert answer.status_code == 200
    assert answer.content == b''
    assert 'Content-Type' not in answer.headers


# Memory and time

MIB = 1 << 20


def peak(lab: Lab) -> int:
    """Return how many bytes the service has had at most so far."""
    status = pathlib.Path(f'/proc/{lab.inspector.pid}/status').read_text()
    return int(status.partition('VmHWM:')[2].split()[0]) * 1024


def flood(port: int, head: bytes, size: int = 100 * MIB) -> socket.socket:
    """Send a head and a lot after it, until the service closes the connection; return that."""
    connection = socket.create_connection(('127.0.0.1', port), ANSWER_TIMEOUT)
    connection.sendall(head)
    with contextlib.suppress(ConnectionError):
        for _time in range(size // MIB):
            connection.sendall(b' ' * MIB)
    return connection


def test_a_client_gets_no_more_memory_than_it_needs(make_lab: Callable[..., Lab]) -> None:
    metrics_port = reserve_port()
    lab = make_lab(
        metrics={'enabled': True, 'listen_port': metrics_port},
        healthcheck={'enabled': True},
        processing={'callback_token': 's3cret'},
    )
    before = peak(lab)
    length = b'POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n'
    for port, head in (
        (lab.inspector.port, CHUNKED % b'/v1/continue' + b'7fffffff\r\n'),
        (lab.inspector.port, length % (b'/healthcheck', 200 * MIB)),
        (lab.inspector.port, b'GET /'),
        (lab.inspector.port, b'GET / HTTP/1.1\r\nX: '),
        (metrics_port, length % (b'/', 200 * MIB)),
        (metrics_port, b'GET /'),
    ):
        flood(port, head).close()
    with contextlib.ExitStack() as stack:
        for _time in range(4):
            stack.enter_context(flood(lab.inspector.port, length % (b'/v1/continue', 31 * MIB), 30 * MIB))
    assert lab.inspector.call('GET', '/v1').status_code == 200
    # The first of them has all that one of 32 MiB may have, which is there twice for a moment.
    assert peak(lab) - before < 90 * MIB


def test_large_bodies_come_in_one_after_the_other(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    head = b'POST /v1/continue HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n' % (31 * MIB)
    with contextlib.ExitStack() as stack:
        for _time in range(2):
            stack.enter_context(flood(lab.inspector.port, head, 30 * MIB))
        late = stack.enter_context(flood(lab.inspector.port, head, 30 * MIB))
        with late.makefile('rb') as stream:
            assert b' 503 ' in stream.readline()
        # Usual ones need nothing of what the others have.
        lab.finished(padding='x' * MIB)
    until(lambda: lab.call_back(b' ' * 31 * MIB).status_code == 400)


def test_who_sends_more_than_is_wanted_still_gets_the_answer(lab: Lab) -> None:
    body = b' ' * 8 * MIB
    for path in ('/nowhere', '/v1', '/v1/introspection'):
        head = f'DELETE {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n'
        # The service refuses it before all of that has come, and resets nothing while it comes.
        status, headers, _document = raw(lab, head.encode() + body)
        assert status in (404, 405)
        assert 'connection: close' in headers


@pytest.mark.parametrize('head', ['POST /v1/continue', 'POST /v1/continue HTTP/1.1\r\nContent-Length: 9999\r\n\r\n'])
def test_slow_clients_give_way_to_others(make_lab: Callable[..., Lab], head: str) -> None:
    lab = make_lab(DEFAULT={'max_concurrency': 2})
    done = threading.Event()

    def trickle() -> bytes:
        with socket.create_connection(('127.0.0.1', lab.inspector.port), ANSWER_TIMEOUT) as connection:
            connection.sendall(head.encode())
            with contextlib.suppress(ConnectionError):
                while not select.select([connection], [], [], 0.3)[0] and not done.is_set():
                    connection.sendall(b'x')
            return b'' if done.is_set() else connection.recv(100)

    def ask() -> int:
        try:
            return requests.get(f'{lab.inspector.url}/v1', timeout=ANSWER_TIMEOUT).status_code
        finally:
            done.set()

    # One thread has to be free for the question, and whoever else is slow may keep the other.
    *answers, status = at_once([trickle, trickle, trickle, ask])
    assert status == 200
    assert any(b' 503 ' in answer for answer in answers)
