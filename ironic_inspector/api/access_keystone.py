"""Access with a token of Keystone, as far as the policy goes."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
import importlib.util
import re
import threading
from typing import Any

from keystoneauth1 import exceptions as ks_exceptions
from keystonemiddleware import auth_token
from oslo_config import cfg
from oslo_context import context as log_context
from oslo_log import log
import webob

from ironic_inspector import policy
from ironic_inspector.api import access
from ironic_inspector.api import microversions
from ironic_inspector.common import exceptions
from ironic_inspector.common import keystone

LOG = log.getLogger(__name__)

GROUP = 'keystone_authtoken'
TIMEOUT = 10
"""Seconds to wait for Keystone where [keystone_authtoken]http_connect_timeout is not set."""
AT_ONCE = 32
"""Requests that ask Keystone at once. There are more threads: some are left for callbacks if Keystone hangs."""
PATIENCE = 2.0
"""Seconds that a request waits for its turn to ask."""
_TOKEN = re.compile('[!-~]{1,16384}')
_ANYBODY = {'is_public_api': True}


class TokenAccess:
    """Tokens are checked by keystonemiddleware, what their owners may do by the policy.

    keystonemiddleware would let requests pass that it knows nothing of (`delay_auth_decision`). That is not needed, as
    it is not asked about public requests, and it would hide whether a token is wrong or Keystone away.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Prepare access for `conf`; ConfigurationError if it cannot work. Keystone need not be up yet."""
        _register(conf)
        self._policy = policy.Policy(conf)
        settings = {'oslo_config_config': conf, 'delay_auth_decision': False}
        try:
            self._middleware = auth_token.AuthProtocol(_accept, settings)
        except (auth_token.ConfigurationError, ks_exceptions.ClientException, OSError, ValueError) as exc:
            raise exceptions.ConfigurationError(f'[{GROUP}] cannot be used: {exc}') from exc
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def admit(self, rule: str, environ: access.Environ) -> None:
        """See access.Access."""
        public = rule in policy.PUBLIC
        # Public requests must be answered while Keystone is away, whatever token they bring.
        if public and self._policy.permits(rule, _ANYBODY):
            return
        credentials = {**self._identify(environ), 'is_public_api': public}
        if not self._policy.permits(rule, credentials):
            raise access.NotPermitted(
                f'Access denied by the policy rule {rule}: the roles of your token, or its scope, do not do'
            )

    def _identify(self, environ: access.Environ) -> dict[str, Any]:
        """Return what the policy looks at in the token of a request."""
        # The middleware writes into the environment who it is.
        request = webob.Request({**environ, **_place(environ)})
        if not _TOKEN.fullmatch(environ.get('HTTP_X_AUTH_TOKEN', '').strip()):
            # Other things are no tokens, and Keystone need not be bothered.
            request.headers.pop('X-Auth-Token', None)
        if not self._turns.acquire(timeout=PATIENCE):
            raise _unavailable()
        try:
            answer = request.get_response(self._middleware)
        except ks_exceptions.ClientException as exc:
            LOG.error('Tokens cannot be checked: %s', exc)
            raise _unavailable() from exc
        finally:
            self._turns.release()
        if answer.status_int == 401:
            raise access.NotAuthenticated(
                'Authentication required: send a valid token of the Identity service in X-Auth-Token',
                answer.headers['WWW-Authenticate'],
            )
        if answer.status_int != 204:
            raise _unavailable()
        # The tokens themselves are needed no more.
        caller = log_context.RequestContext.from_environ(request.environ, auth_token=None, service_token=None)
        return dict(caller.to_policy_values())


def _place(environ: access.Environ) -> dict[str, str]:
    """Return what a URL is made of, as the access rules of a token are to be compared with it."""
    # A header of the client's may say otherwise, which is good enough for links only.
    root = environ.get('werkzeug.proxy_fix.orig', environ).get('SCRIPT_NAME', '')
    # As Flask reads it; WebOb fails at what is not UTF-8.
    path = environ.get('PATH_INFO', '').encode('latin-1').decode('utf-8', 'replace').encode().decode('latin-1')
    return {'SCRIPT_NAME': root, 'PATH_INFO': path}


def _register(conf: cfg.ConfigOpts) -> None:
    """Register [keystone_authtoken] in `conf`, with our defaults; ConfigurationError if it lacks credentials."""
    for group, options in auth_token.list_opts():
        conf.register_opts(options, group)
    conf.set_default('http_connect_timeout', TIMEOUT, GROUP)
    conf.set_default('service_type', microversions.SERVICE_TYPE, GROUP)
    if not conf[conf[GROUP].auth_section or GROUP].auth_type:
        raise exceptions.ConfigurationError(
            f'[{GROUP}]auth_type is not set: say with which credentials tokens are checked, such as password, or '
            'choose another [DEFAULT]auth_strategy'
        )
    keystone.check(conf, GROUP)
    if conf[GROUP].memcached_servers:
        _check_memcached(conf[GROUP])


def _check_memcached(options: Any) -> None:
    """Raise ConfigurationError if the library is missing that [keystone_authtoken]memcached_servers needs."""
    binary = options.memcache_sasl_enabled or options.memcache_tls_enabled
    module, package = ('bmemcached', 'python-binary-memcached') if binary else ('memcache', 'python-memcached')
    if importlib.util.find_spec(module) is None:
        raise exceptions.ConfigurationError(
            f'[{GROUP}]memcached_servers: the Python package {package} is not installed'
        )


def _accept(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer what the middleware lets pass: a WSGI application."""
    start_response('204 No Content', [])
    return []


def _unavailable() -> access.CannotAuthenticate:
    return access.CannotAuthenticate(
        'The Identity service, which checks tokens, cannot be reached or does not answer in time: try again later'
    )
