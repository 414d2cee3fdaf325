"""Links, as other servers than ours describe a request."""

from __future__ import annotations

import flask
import pytest

from ironic_inspector.api import context
from ironic_inspector.common import exceptions


@pytest.mark.parametrize(
    ('name', 'port', 'root'),
    [
        ('bare.example', '5050', 'http://bare.example:5050'),
        ('192.0.2.1', '80', 'http://192.0.2.1'),
        ('2001:db8::1', '5050', 'http://[2001:db8::1]:5050'),
        ('[2001:db8::1]', '5050', 'http://[2001:db8::1]:5050'),
        ('/run/inspector.socket', '', 'http://localhost'),
        ('bare.example', '', 'http://localhost'),
        ('Server/1.0', '5050', 'http://localhost:5050'),
    ],
)
def test_requests_without_a_host(name: str, port: str, root: str) -> None:
    environ = {'HTTP_HOST': '', 'SERVER_NAME': name, 'SERVER_PORT': port}
    with flask.Flask('test').test_request_context(environ_overrides=environ):
        assert context.link('/v1') == f'{root}/v1'


def test_a_port_that_is_none() -> None:
    environ = {'HTTP_HOST': '', 'SERVER_PORT': 'x'}
    with (
        flask.Flask('test').test_request_context(environ_overrides=environ),
        pytest.raises(exceptions.InvalidRequest, match='X-Forwarded-Port'),
    ):
        context.link('/v1')


def test_where_another_application_has_the_service() -> None:
    environ = {'HTTP_HOST': 'bare.example', 'SCRIPT_NAME': '/a b/gr\xc3\xbcn?'}
    with flask.Flask('test').test_request_context(environ_overrides=environ):
        assert context.link('/v1') == 'http://bare.example/a%20b/gr%C3%BCn%3F/v1'
        assert context.path_of('/v1') == '/a%20b/gr%C3%BCn%3F/v1'
