"""Sessions of keystoneauth: how the service talks to other services, found by their addresses or through a catalog."""

from __future__ import annotations

import os
from typing import Any
from typing import NamedTuple

from keystoneauth1 import discover
from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1 import loading
from keystoneauth1 import session as ks_session
from oslo_config import cfg
import requests
from requests import utils as requests_utils

Failure = ks_exceptions.ClientException
"""What everything here raises when a service cannot be found or reached."""


class Endpoint(NamedTuple):
    """A service, as its catalog entry and its version document say."""

    session: Any
    """A keystoneauth session, with the credentials to use."""
    url: str
    """Root of the versioned API, without a slash at the end."""
    microversion: str | None
    """The newest microversion that both sides know; None if the service has no microversions."""


def connect(conf: cfg.ConfigOpts, group: str, *, newest: tuple[int, int], timeout: float, connections: int) -> Endpoint:
    """Find the service that the options in `group` lead to, in the major version of `newest`.

    `newest` is the newest microversion that the caller knows. `timeout` (seconds for an answer) holds where the group
    sets none; `connections` may be open at once. Raises Failure.
    """
    options = conf[group]
    auth = loading.load_auth_from_conf_options(conf, group)
    session = loading.load_session_from_conf_options(
        conf,
        group,
        auth=auth,
        session=_http(connections, options.tls_ciphers, options.tls_min_version),
        timeout=options.timeout or timeout,
    )
    wished = options.version or options.min_version or options.max_version
    versions = {} if wished else {'min_version': str(newest[0]), 'max_version': f'{newest[0]}.latest'}
    adapter = loading.load_adapter_from_conf_options(conf, group, session=session, auth=auth, **versions)
    data = adapter.get_endpoint_data()
    if data is None or not data.url:
        raise ks_exceptions.EndpointNotFound(f'no endpoint for {options.service_type} can be found')
    _take_environment(session, data.url)
    offered = data.max_microversion and discover.normalize_version_number(data.max_microversion)
    microversion = '.'.join(map(str, min(offered, newest))) if offered else None
    return Endpoint(session, data.url.rstrip('/'), microversion)


def _http(connections: int, tls_ciphers: str | None, tls_min_version: Any) -> requests.Session:
    http = requests.Session()
    adapter = ks_session.TCPKeepAliveAdapter(
        pool_maxsize=connections, tls_ciphers=tls_ciphers, tls_min_version=tls_min_version
    )
    for scheme in ('http://', 'https://'):
        http.mount(scheme, adapter)
    return http


def _take_environment(session: Any, url: str) -> None:
    """Take proxies and certificates of the environment once; requests looks for them again for each request."""
    http = session.session
    http.proxies = requests_utils.get_environ_proxies(url)
    http.trust_env = False
    if session.verify is True:
        session.verify = os.environ.get('REQUESTS_CA_BUNDLE') or os.environ.get('CURL_CA_BUNDLE') or True
