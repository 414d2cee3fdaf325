"""Requests with credentials that have to be renewed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
import http.server
import threading
from typing import Any

import pytest
import urllib3

from ironic_inspector.common.keystone import Endpoint


class Tokens:
    """Stands in for keystoneauth's session: the tokens "1", "2" and so on, each until it is invalidated."""

    def __init__(self) -> None:
        self.made = 1
        self._valid = True

    def get_auth_headers(self) -> dict[str, str]:
        if not self._valid:
            self.made += 1
            self._valid = True
        return {'X-Auth-Token': str(self.made)}

    def invalidate(self) -> bool:
        was_valid, self._valid = self._valid, False
        return was_valid


class Password:
    """A session whose credentials are always the same."""

    def get_auth_headers(self) -> dict[str, str]:
        return {'Authorization': 'Basic eDp5'}

    def invalidate(self) -> bool:
        return False


@pytest.fixture
def url() -> Iterator[str]:
    """A service that accepts the token "2"; the first requests are refused together."""
    together = threading.Barrier(4)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            accepted = self.headers.get('X-Auth-Token') == '2'
            if self.headers.get('X-Auth-Token') == '1':
                together.wait(30)
            self.send_response(200 if accepted else 401)
            self.send_header('Content-Length', '0')
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f'http://127.0.0.1:{server.server_port}'
        server.shutdown()
        thread.join(30)


def test_threads_that_are_refused_together_renew_the_token_once(url: str) -> None:
    tokens = Tokens()
    with urllib3.PoolManager(maxsize=4) as connections:
        endpoint = Endpoint(tokens, url, connections, 30, {})
        with futures.ThreadPoolExecutor(4) as pool:
            answers = [asked.result(60) for asked in [pool.submit(endpoint.request, 'GET', '/') for _ in range(4)]]
    assert [answer.status for answer in answers] == [200] * 4
    assert tokens.made == 2


def test_a_password_that_is_refused_is_not_tried_again(url: str) -> None:
    with urllib3.PoolManager() as connections:
        assert Endpoint(Password(), url, connections, 30, {}).request('GET', '/').status == 401
