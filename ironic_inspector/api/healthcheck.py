"""GET /healthcheck: whether the service can do its work, for load balancers and monitoring.

Not oslo.middleware's application, which knows neither the database nor Ironic; its options and its plug-ins are obeyed.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
import functools
import ipaddress
import json
from typing import Any

from oslo_config import cfg
from oslo_log import log
from werkzeug import wrappers

from ironic_inspector.api import mount
from ironic_inspector.common import exceptions
from ironic_inspector.common import probe
from ironic_inspector.conductor.manager import ConductorManager
from ironic_inspector.db import engine
from ironic_inspector.db import introspections
from ironic_inspector.plugins import loading

LOG = log.getLogger(__name__)

PATH = '/healthcheck'
NAMESPACE = 'oslo.middleware.healthcheck'
LIFETIME = 5.0
"""Seconds for which nothing is checked again, however often somebody asks."""
PATIENCE = 3.0
"""Seconds after which what has not answered counts as away."""

_PROXY_HEADERS = tuple(f'HTTP_X_FORWARDED{name}' for name in ('', '_PROTO', '_HOST', '_FOR', '_PREFIX'))
_NOT_HERE = 'There is no such URL: GET /v1 lists what there is'

Check = Callable[[], None]


class Healthcheck:
    """The WSGI application behind the path."""

    def __init__(self, conf: cfg.ConfigOpts, checks: Mapping[str, Check]) -> None:
        """Answer with what `checks` say: each raises something if all is not well.

        ConfigurationError if an option of [healthcheck] cannot work.
        """
        options = conf.healthcheck
        self._detailed = options.detailed
        self._ignores_proxied = options.ignore_proxied_requests
        self._sources = _networks(options.allowed_source_ranges)
        self._probes = {
            name: probe.Probe(functools.partial(_logging, name, check), lifetime=LIFETIME, patience=PATIENCE)
            for name, check in (*checks.items(), *_backends(conf))
        }

    def __call__(self, environ: mount.Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """See PEP 3333."""
        return self._answer(wrappers.Request(environ))(environ, start_response)

    def _answer(self, request: wrappers.Request) -> wrappers.Response:
        if not self._is_for(request.environ):
            return _json(404, {'error': {'message': _NOT_HERE}})
        if request.method not in ('GET', 'HEAD'):
            response = _json(405, {'error': {'message': f'{PATH} can only be read'}})
            response.headers['Allow'] = 'GET, HEAD'
            return response
        # All of them at the same time: what does not answer is waited for once.
        for each in self._probes.values():
            each.begin()
        results = {name: self._result(each) for name, each in self._probes.items()}
        well = all(result['ok'] for result in results.values())
        return _json(200 if well else 503, {'status': 'ok' if well else 'failed', 'checks': results})

    def _result(self, asked: probe.Probe[None]) -> dict[str, Any]:
        try:
            asked.get()
        except Exception as exc:  # noqa: BLE001
            # Whatever it is, what was checked is not well. It may quote addresses and users, and anybody may read this.
            reason = {'reason': str(exc).partition('\n')[0]} if self._detailed else {}
            return {'ok': False} | reason
        return {'ok': True}

    def _is_for(self, environ: mount.Environ) -> bool:
        """Tell whether whoever sent a request gets to see the page."""
        if self._ignores_proxied and any(environ.get(name) for name in _PROXY_HEADERS):
            return False
        if not self._sources:
            return True
        try:
            address = ipaddress.ip_address(environ.get('REMOTE_ADDR', ''))
        except ValueError:
            # As on a unix socket.
            return False
        # A socket that speaks both has IPv4 addresses in this form.
        address = getattr(address, 'ipv4_mapped', None) or address
        return any(address in network for network in self._sources)


def create(conf: cfg.ConfigOpts, conductor: ConductorManager) -> Healthcheck:
    """Return the application for a service; ConfigurationError if an option of [healthcheck] cannot work."""
    services = conductor.services
    return Healthcheck(
        conf,
        {
            'database': functools.partial(_check_database, services.database),
            'ironic': services.ironic.check,
            'conductor': conductor.check,
        },
    )


def _logging(name: str, check: Check) -> None:
    try:
        check()
    except Exception as exc:
        # In the log whoever is responsible finds the reason, at most once in a lifetime.
        LOG.warning('The health check %s failed: %s', name, exc)
        raise


def _check_database(database: engine.Database) -> None:
    database.read_once(introspections.has_any)


def _networks(texts: Iterable[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        return [ipaddress.ip_network(text) for text in texts]
    except ValueError as exc:
        raise exceptions.ConfigurationError(f'[healthcheck]allowed_source_ranges: {exc}') from exc


def _backends(conf: cfg.ConfigOpts) -> list[tuple[str, Check]]:
    """Return the checks of oslo.middleware's plug-ins that the configuration names."""
    option = '[healthcheck]backends'
    found: list[tuple[str, Check]] = []
    for name in conf.healthcheck.backends:
        plugin = loading.find(NAMESPACE, name, option)
        with loading.preparing(name, option):
            found.append((name, functools.partial(_check_backend, plugin(conf, {}), conf.listen_port)))
    return found


def _check_backend(backend: Any, port: int) -> None:
    result = backend.healthcheck(port)
    if not result.available:
        raise exceptions.InspectorError(result.reason)


def _json(status: int, document: dict[str, Any]) -> wrappers.Response:
    return wrappers.Response(
        json.dumps(document), status, content_type='application/json', headers={'Cache-Control': 'no-store'}
    )
