"""The client of Swift: what it asks, how often, and what it says when it gives up."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from concurrent import futures
import threading

from oslo_config import cfg
import pytest

from ironic_inspector.common import exceptions
from ironic_inspector.common import swift
from ironic_inspector.common.swift import ATTEMPTS
from ironic_inspector.common.swift import SwiftClient
from ironic_inspector.fixtures.swift import InMemorySwift
from ironic_inspector.fixtures.swift import StoredObject

CONTAINER = 'ironic-inspector'
MakeClient = Callable[..., SwiftClient]


@pytest.fixture
def server() -> Iterator[InMemorySwift]:
    """An in-memory Swift over HTTP."""
    with InMemorySwift() as server:
        yield server


@pytest.fixture
def make(conf: cfg.ConfigOpts, server: InMemorySwift) -> MakeClient:
    """A function that makes a client of `server`, with other options, which does not wait between attempts."""

    def make_client(stopping: threading.Event | None = None, interval: float = 0, **options: object) -> SwiftClient:
        for name, value in (server.options() | options).items():
            conf.set_override(name, value, 'swift')
        return SwiftClient(conf, stopping or threading.Event(), interval)

    return make_client


@pytest.fixture
def client(make: MakeClient) -> SwiftClient:
    """A client of `server`."""
    return make()


def test_what_is_written_is_read(server: InMemorySwift, client: SwiftClient) -> None:
    for content in (b'{"a": "\xc3\xa4"}', b'', b'x' * 3_000_000):
        client.put('an object', content)
        assert client.get('an object') == content
    assert server.objects == {(CONTAINER, 'an object'): StoredObject(content)}


def test_the_container_is_created_when_it_is_missing_and_only_then(server: InMemorySwift, client: SwiftClient) -> None:
    client.put('first', b'1')
    client.put('second', b'2')
    assert [call.status for call in server.calls('PUT')] == [404, 201, 201, 201]
    # Somebody has removed it.
    server.containers.clear()
    client.put('third', b'3')
    assert client.get('third') == b'3'


def test_many_threads_that_find_no_container(server: InMemorySwift, client: SwiftClient) -> None:
    with futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: client.put(f'{number}', b'{}'), range(40)))
    assert len(server.objects) == 40


def test_names_are_what_they_are(server: InMemorySwift, make: MakeClient) -> None:
    make(container='ä b?c%#').put('d/../é?x=1', b'{}')
    assert list(server.objects) == [('ä b?c%#', 'd/../é?x=1')]


def test_objects_live_for_ever_or_as_long_as_is_configured(server: InMemorySwift, make: MakeClient) -> None:
    make(delete_after=3600).put('object', b'{}')
    assert server.objects[CONTAINER, 'object'].delete_after == 3600
    make(delete_after=0).put('object', b'{}')
    assert server.objects[CONTAINER, 'object'].delete_after is None


def test_an_object_that_is_not_there(server: InMemorySwift, client: SwiftClient) -> None:
    for _container in ('missing', 'there'):
        with pytest.raises(exceptions.NotFound):
            client.get('object')
        server.containers.add(CONTAINER)
    assert len(server.calls('GET')) == 2


@pytest.mark.parametrize('status', [500, 502, 503, 507, 408, 409, 429, 498])
def test_failures_of_swift_are_tried_again(server: InMemorySwift, client: SwiftClient, status: int) -> None:
    server.containers.add(CONTAINER)
    with server.fail('PUT', 'object', status, times=ATTEMPTS - 1):
        client.put('object', b'{}')
    assert client.get('object') == b'{}'
    for ask in (lambda: client.get('object'), lambda: client.put('object', b'{}')):
        with server.fail('*', 'object', status) as fault:
            with pytest.raises(swift.Unavailable, match=f'Swift answered {status}'):
                ask()
            assert fault.hits == ATTEMPTS


def test_a_lost_connection_is_tried_again(server: InMemorySwift, client: SwiftClient) -> None:
    server.containers.add(CONTAINER)
    with server.fail('PUT', 'object', 'drop', times=2), server.fail('GET', 'object', 'drop', times=2):
        client.put('object', b'{}')
        assert client.get('object') == b'{}'


def test_a_write_whose_answer_is_lost_is_written_once_more(server: InMemorySwift, client: SwiftClient) -> None:
    server.containers.add(CONTAINER)
    with server.fail('PUT', 'object', 'drop', times=1, after=True):
        client.put('object', b'{}')
    assert client.get('object') == b'{}'


@pytest.mark.parametrize(
    ('status', 'says'),
    [(400, '400'), (401, 'credentials'), (403, 'credentials'), (412, '412'), (413, '413'), (302, '302')],
)
def test_a_refusal_is_final(server: InMemorySwift, client: SwiftClient, status: int, says: str) -> None:
    server.containers.add(CONTAINER)
    for ask in (lambda: client.get('object'), lambda: client.put('object', b'{}')):
        with server.fail('*', 'object', status, body=b'<html>Bad</html>') as fault:
            with pytest.raises(exceptions.StoreError, match=says) as failure:
                ask()
            assert fault.hits == 1
        assert not isinstance(failure.value, swift.Unavailable)
        assert '<' not in str(failure.value)


def test_an_account_that_is_not_there(server: InMemorySwift, client: SwiftClient) -> None:
    with (
        server.fail('PUT', '/', 404) as fault,
        pytest.raises(exceptions.StoreError, match=r'PUT /ironic-inspector: .* account'),
    ):
        client.put('object', b'{}')
    assert fault.hits == 2


def test_a_swift_that_does_not_answer_in_time(server: InMemorySwift, make: MakeClient) -> None:
    client = make(timeout=0.2)
    with server.fail('PUT', 'object', 'hang', times=1), server.fail('GET', 'object', 'hang', times=1):
        client.put('object', b'{}')
        assert client.get('object') == b'{}'


def test_there_is_an_end_to_all_attempts(
    server: InMemorySwift, make: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swift, 'PATIENCE', 0)
    with server.fail('GET', 'object', 'hang') as fault, pytest.raises(swift.Unavailable, match='cannot be reached'):
        make(timeout=0.2).get('object')
    assert fault.hits == 1


def test_nobody_there(make: MakeClient) -> None:
    client = make(endpoint_override='http://127.0.0.1:1/v1/AUTH_service')
    for ask in (lambda: client.get('object'), lambda: client.put('object', b'{}')):
        with pytest.raises(swift.Unavailable, match=r'cannot be reached, check .* \[swift\]'):
            ask()


def test_a_swift_that_comes_back(server: InMemorySwift, make: MakeClient, conf: cfg.ConfigOpts) -> None:
    client = make(endpoint_override='http://127.0.0.1:1/v1/AUTH_service')
    with pytest.raises(swift.Unavailable):
        client.put('object', b'{}')
    conf.set_override('endpoint_override', server.storage_url, 'swift')
    client.put('object', b'{}')
    assert client.get('object') == b'{}'


def test_nobody_waits_once_the_service_stops(server: InMemorySwift, make: MakeClient) -> None:
    stopping = threading.Event()
    client = make(stopping, 3600)
    with server.fail('PUT', 'object') as fault, futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.put, 'object', b'{}')
        assert server.wait_for(lambda: fault.hits == 1, timeout=10)
        stopping.set()
        assert isinstance(answer.exception(timeout=10), exceptions.ShuttingDown)


@pytest.mark.parametrize('name', ['', 'a/b', 'x' * 257, 'ä' * 129])
def test_names_that_no_container_has(make: MakeClient, name: str) -> None:
    with pytest.raises(exceptions.ConfigurationError, match=r'\[swift\]container'):
        make(container=name)


@pytest.mark.parametrize(
    ('options', 'says'),
    [
        ({'auth_type': None}, 'auth_type is not set'),
        ({'auth_type': 'magic'}, 'magic'),
        ({'auth_type': 'password', 'endpoint_override': None}, 'auth_url'),
    ],
)
def test_options_that_cannot_work(make: MakeClient, options: dict[str, str | None], says: str) -> None:
    with pytest.raises(exceptions.ConfigurationError, match=rf'\[swift\].*{says}'):
        make(**options)
