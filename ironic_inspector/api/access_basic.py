"""Access with a user name and a password (RFC 7617): who has them may do everything."""

from __future__ import annotations

import base64
import binascii

from oslo_config import cfg
from oslo_context import context as log_context
from oslo_log import log
from oslo_middleware import request_id

from ironic_inspector import policy
from ironic_inspector.api import access
from ironic_inspector.api import password_file
from ironic_inspector.common import exceptions

LOG = log.getLogger(__name__)

CHALLENGE = 'Basic realm="ironic-inspector", charset="UTF-8"'


class PasswordAccess:
    """Users are those in [DEFAULT]http_basic_auth_user_file."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Read the file that `conf` names; ConfigurationError if it cannot be used."""
        path = conf.http_basic_auth_user_file
        try:
            self._passwords = password_file.PasswordFile(path)
        except password_file.Unreadable as exc:
            raise exceptions.ConfigurationError(f'[DEFAULT]http_basic_auth_user_file: {path}: {exc}') from exc

    def admit(self, rule: str, environ: access.Environ) -> None:
        """See access.Access."""
        if rule in policy.PUBLIC:
            return
        user, password = _credentials(environ.get('HTTP_AUTHORIZATION', ''))
        try:
            known = self._passwords.has(user, password)
        except password_file.Unreadable as exc:
            LOG.error('[DEFAULT]http_basic_auth_user_file cannot be used any more, nobody is let in: %s', exc)
            raise access.CannotAuthenticate(
                'The service cannot read its password file: its operator finds the reason in its log'
            ) from exc
        if not known:
            raise _refusal('The user name or the password is wrong')
        name = user.decode('utf-8', 'replace')
        log_context.RequestContext(user_id=name, user_name=name, request_id=environ.get(request_id.ENV_REQUEST_ID))


def _credentials(header: str) -> tuple[bytes, bytes]:
    scheme, _space, token = header.strip().partition(' ')
    if not header:
        raise _refusal('Authentication required: send a user name and a password')
    try:
        pair = base64.b64decode(token.strip(), validate=True)
    except (binascii.Error, ValueError):
        pair = b''
    user, colon, password = pair.partition(b':')
    if scheme.lower() != 'basic' or not colon:
        raise _refusal('The header Authorization must be "Basic" and the base64 of USER:PASSWORD')
    return user, password


def _refusal(message: str) -> access.NotAuthenticated:
    return access.NotAuthenticated(message, CHALLENGE)
