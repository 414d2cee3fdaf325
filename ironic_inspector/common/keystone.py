"""Talking to other services, found by their addresses or through a catalog, with the credentials of keystoneauth.

keystoneauth finds the service and gets the tokens. The requests themselves go straight to urllib3: the layers between
(keystoneauth's session, requests) take twice as long as all the rest of a request, and every introspection makes nine.
"""

from __future__ import annotations

from collections.abc import Mapping
import json
import os
import ssl
import threading
from typing import Any
from typing import NamedTuple
from urllib import parse

from keystoneauth1 import discover
from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1 import loading
from keystoneauth1 import session as ks_session
from oslo_config import cfg
from requests import utils as requests_utils
import urllib3

from ironic_inspector.common import exceptions

Failure = (ks_exceptions.ClientException, urllib3.exceptions.HTTPError, OSError)
"""What everything here raises when a service cannot be found or reached; OSError also for certificates that cannot be
read."""


class Answer(NamedTuple):
    """What a service answered."""

    status: int
    reason: str
    body: bytes

    def json(self) -> Any:
        """Return the document in the body; ValueError if it is not JSON."""
        return json.loads(self.body)


class Versions(NamedTuple):
    """What a caller knows of the microversions of a service."""

    newest: tuple[int, int]
    """The newest that the caller knows."""
    header: str
    """Where the service wants to read which one is meant."""


class Endpoint:
    """A service, as its catalog entry and its version document say."""

    def __init__(
        self, session: Any, url: str, pool: urllib3.PoolManager, timeout: float, headers: Mapping[str, str]
    ) -> None:
        """Send requests to paths below `url` through `pool`, with `headers` and the credentials of `session`.

        `timeout` is in seconds, and holds for each step of a request.
        """
        self.url = url
        self._session = session
        self._pool = pool
        self._timeout = urllib3.Timeout(timeout)
        self._headers = dict(headers)
        self._renewing = threading.Lock()

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        content: bytes | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request and return the answer, whatever its status. Raises Failure.

        What is sent is `body` as JSON, or `content` as it is.
        """
        url = f'{self.url}{path}?{parse.urlencode(query)}' if query else self.url + path
        if body is not None:
            content = json.dumps(body).encode()
        sent = {**self._headers, **(headers or {})}
        credentials = self._credentials()
        answer = self._send(method, url, content, {**sent, **credentials})
        # A token may have been revoked, or its service restarted with new keys.
        if answer.status == 401 and (renewed := self._renewed(credentials)):
            answer = self._send(method, url, content, {**sent, **renewed})
        return answer

    def _credentials(self) -> dict[str, str]:
        return dict(self._session.get_auth_headers() or {})

    def _renewed(self, refused: Mapping[str, str]) -> dict[str, str] | None:
        """Return new credentials in place of those that were refused; None if they are all there is."""
        with self._renewing:
            # Another thread, refused as well, may have renewed them already.
            if self._credentials() == refused and not self._session.invalidate():
                return None
            return self._credentials()

    def _send(self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]) -> Answer:
        response = self._pool.urlopen(method, url, body=content, headers=headers, timeout=self._timeout, retries=False)
        return Answer(response.status, response.reason or '', response.data)


def connect(
    conf: cfg.ConfigOpts,
    group: str,
    *,
    versions: Versions | None,
    timeout: float,
    connections: int,
) -> Endpoint:
    """Find the service that the options in `group` lead to.

    It is asked for its versions, and used in the major version of `versions.newest`; with None for `versions` the
    address is taken as it is. `timeout` (seconds for an answer) holds where the group sets none; `connections` may be
    open at once. Raises Failure.
    """
    options = conf[group]
    auth = loading.load_auth_from_conf_options(conf, group)
    session = loading.load_session_from_conf_options(conf, group, auth=auth, timeout=options.timeout or timeout)
    headers = {
        'Accept': 'application/json',
        'Content-Type': 'application/json',
        'User-Agent': f'ironic-inspector {ks_session.DEFAULT_USER_AGENT}',
    }
    if versions is None:
        adapter = loading.load_adapter_from_conf_options(conf, group, session=session, auth=auth)
        found = adapter.get_endpoint(skip_discovery=True)
    else:
        found, version = _discover(conf, group, session, versions)
        headers |= version
    if not found:
        raise ks_exceptions.EndpointNotFound(f'no endpoint for {options.service_type} can be found')
    url = _filled_in(found, session).rstrip('/')
    return Endpoint(session, url, _pool(options, url, connections), options.timeout or timeout, headers)


def check(conf: cfg.ConfigOpts, group: str) -> None:
    """Raise ConfigurationError if the options in `group` cannot lead to a service.

    That is if they lack what their kind of authentication needs, or have addresses that are none or files that cannot
    be read.
    """
    try:
        auth = loading.load_auth_from_conf_options(conf, group)
    except ks_exceptions.ClientException as exc:
        raise exceptions.ConfigurationError(f'[{group}]auth_type: {exc}') from exc
    if auth is None:
        raise exceptions.ConfigurationError(
            f'[{group}]auth_type is not set: say how to authenticate, such as password, or none together with '
            f'[{group}]endpoint_override'
        )
    options = conf[group]
    for name in ('endpoint_override', 'auth_url'):
        # Which of these there are depends on the kind of authentication.
        value = getattr(options, name, None)
        if value and not _is_url(value):
            raise exceptions.ConfigurationError(f'[{group}]{name}: {value!r} is no http or https URL')
    for name in ('cafile', 'certfile', 'keyfile'):
        path = getattr(options, name, None)
        if path and not os.access(path, os.R_OK):
            raise exceptions.ConfigurationError(f'[{group}]{name}: {path} cannot be read')


def _is_url(value: str) -> bool:
    try:
        parts = parse.urlsplit(value)
        return parts.scheme in {'http', 'https'} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _discover(conf: cfg.ConfigOpts, group: str, session: Any, versions: Versions) -> tuple[str | None, dict[str, str]]:
    """Return the address of a service that can be asked for its versions, and the header that chooses one of them."""
    options, newest = conf[group], versions.newest
    wished = options.version or options.min_version or options.max_version
    major = {} if wished else {'min_version': str(newest[0]), 'max_version': f'{newest[0]}.latest'}
    adapter = loading.load_adapter_from_conf_options(conf, group, session=session, auth=session.auth, **major)
    data = adapter.get_endpoint_data()
    offered = data and data.max_microversion and discover.normalize_version_number(data.max_microversion)
    header = {versions.header: '.'.join(map(str, min(offered, newest)))} if offered else {}
    return (data.url if data else None), header


def _filled_in(url: str, session: Any) -> str:
    """Return an address with what keystoneauth lets stand in endpoint_override for the project and the user."""
    if '%(' not in url:
        return url
    known = {'project_id': session.get_project_id(), 'user_id': session.get_user_id()}
    try:
        return url % {name: value for name, value in known.items() if value}
    except (KeyError, ValueError, TypeError) as exc:
        raise ks_exceptions.EndpointNotFound(f'{url} cannot be filled in: {exc}') from exc


def _pool(options: Any, url: str, connections: int) -> urllib3.PoolManager:
    """Return a pool of connections to `url`, with the certificates of the options and the proxy of the environment."""
    bundle = options.cafile or os.environ.get('REQUESTS_CA_BUNDLE') or requests_utils.DEFAULT_CA_BUNDLE_PATH
    # Older keystoneauth does not have these two.
    ciphers, oldest = getattr(options, 'tls_ciphers', None), getattr(options, 'tls_min_version', None)
    context = urllib3.util.create_urllib3_context(ciphers=ciphers or None)
    if oldest:
        context.minimum_version = ssl.TLSVersion[f'TLSv{oldest.replace(".", "_")}']
    if options.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif url.startswith('https:'):
        # As requests has it, which finds the service: a file, or a folder of certificates by their hashes.
        context.load_verify_locations(**{'capath' if os.path.isdir(bundle) else 'cafile': bundle})
    if options.certfile:
        context.load_cert_chain(options.certfile, options.keyfile)
    settings: dict[str, Any] = {'maxsize': connections, 'ssl_context': context}
    proxy = requests_utils.select_proxy(url, requests_utils.get_environ_proxies(url))
    if not proxy:
        return urllib3.PoolManager(**settings)
    proxy = proxy if '://' in proxy else f'http://{proxy}'
    user, password = requests_utils.get_auth_from_url(proxy)
    credentials = urllib3.make_headers(proxy_basic_auth=f'{user}:{password}') if user else None
    return urllib3.ProxyManager(proxy, proxy_headers=credentials, **settings)
