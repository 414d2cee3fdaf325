"""Who may use a route: asked once for each request, before the function behind the route."""

from __future__ import annotations

from typing import Any
from typing import Protocol

from oslo_config import cfg
from oslo_log import log

from ironic_inspector.common import exceptions

LOG = log.getLogger(__name__)

Environ = dict[str, Any]


class NotAuthenticated(exceptions.InspectorError):
    """A request lacks credentials, or has wrong ones."""

    code = 'not-authenticated'

    def __init__(self, message: str, challenge: str) -> None:
        """`challenge` says, as HTTP's header WWW-Authenticate does, which credentials would do."""
        super().__init__(message)
        self.challenge = challenge


class NotPermitted(exceptions.InspectorError):
    """The credentials of a request are right, and do not permit it."""

    code = 'not-permitted'


class CannotAuthenticate(exceptions.InspectorError):
    """It cannot be found out just now whether credentials are right."""

    code = 'cannot-authenticate'


class Access(Protocol):
    """A way to tell who may use the API."""

    def admit(self, rule: str, environ: Environ) -> None:
        """Return if the request in a WSGI environment may do what a policy rule is about.

        NotAuthenticated, NotPermitted or CannotAuthenticate if not. If the caller becomes known, the log lines of this
        thread say who it is from then on.
        """


class Everybody:
    """Everybody may do everything."""

    def admit(self, rule: str, environ: Environ) -> None:
        """See Access."""


def create(conf: cfg.ConfigOpts) -> Access:
    """Return what [DEFAULT]auth_strategy asks for; ConfigurationError, naming the option, if it cannot work."""
    # Each is imported where it is needed: the libraries of Keystone take 10 MB.
    if conf.auth_strategy == 'keystone':
        from ironic_inspector.api import access_keystone

        return access_keystone.TokenAccess(conf)
    if conf.auth_strategy == 'http_basic':
        from ironic_inspector.api import access_basic

        return access_basic.PasswordAccess(conf)
    return Everybody()


def warn_if_open(conf: cfg.ConfigOpts) -> None:
    """Say in the log of a service that has started if it asks nobody for credentials."""
    if conf.auth_strategy == 'noauth':
        LOG.warning('[DEFAULT]auth_strategy is noauth: whoever reaches the service may do everything')
