"""What the functions behind the URLs work with."""

from __future__ import annotations

from collections.abc import Callable
import dataclasses
import re
from typing import Any
from urllib import parse

import flask
from oslo_config import cfg

from ironic_inspector.api import access
from ironic_inspector.api import budget
from ironic_inspector.common import exceptions
from ironic_inspector.conductor.manager import ConductorManager
from ironic_inspector.conductor.services import Services

_PORTS = {'http': '80', 'https': '443'}
_HOST = re.compile(
    # Names with underscores are usual among containers.
    r'(?P<name>\w[\w.-]*|\[[0-9a-f]*:[0-9a-f.:]+(?:%25[\w.~-]+)?\])(?::(?P<port>[0-9]{0,5}))?',
    re.ASCII | re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True)
class Api:
    """The service as its API sees it, in `app.extensions['inspector']`."""

    conf: cfg.ConfigOpts
    conductor: ConductorManager
    access: access.Access
    describe: Callable[[], dict[str, Any]]
    """Returns the description of the API; see openapi.py."""
    bodies: budget.Budget = dataclasses.field(default_factory=budget.Budget)

    @property
    def services(self) -> Services:
        """What can be read without asking the conductor."""
        return self.conductor.services


def current() -> Api:
    """Return the Api of the application that handles the request."""
    api: Api = flask.current_app.extensions['inspector']
    return api


def link(path: str) -> str:
    """Return an absolute URL of this service, below the root that the request came in by.

    InvalidRequest if the request, or the proxy that it came through, says something else than a host.
    """
    scheme = flask.request.scheme.lower()
    if scheme not in _PORTS:
        raise exceptions.InvalidRequest(
            f'X-Forwarded-Proto is {flask.request.scheme!r}: let the proxy set it to http or https'
        )
    return f'{scheme}://{_host(flask.request.environ, _PORTS[scheme])}{path_of(path)}'


def path_of(path: str) -> str:
    """Return a path of this service as it is below its host, with the root that the request came in by."""
    # As bytes, for which WSGI's text stands. What is quoted already stays so.
    root = flask.request.environ.get('SCRIPT_NAME', '').rstrip('/').encode('latin-1')
    return parse.quote(root, safe="/%!$&'()*+,;=:@") + path


def _host(environ: dict[str, Any], usual_port: str) -> str:
    """Return the host in the URL of a request, and the port if it is not the usual one."""
    told = environ.get('HTTP_HOST') or _own_host(environ)
    match = _HOST.fullmatch(told)
    port = match['port'] if match else None
    if match is None or (port and not 0 < int(port) < 65536):
        raise exceptions.InvalidRequest(
            f'{told!r} is no host that links could be made of: send a name or an address, with or without a port, in '
            'Host, and let the proxy, if there is one, set X-Forwarded-Host and X-Forwarded-Port so'
        )
    return match['name'] + (f':{port}' if port and port != usual_port else '')


def _own_host(environ: dict[str, Any]) -> str:
    """Return what HTTP/1.0 does not tell: where the server listens."""
    name, port = environ['SERVER_NAME'], environ['SERVER_PORT']
    if ':' in name and not name.startswith('['):
        name = f'[{name}]'
    # There is no port where it listens at a unix socket, and some servers tell their own name.
    if not port or not _HOST.fullmatch(name):
        name = 'localhost'
    return f'{name}:{port}'
