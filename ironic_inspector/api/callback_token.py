"""The secret that ramdisks show when they call back, `?token=…` in their URL."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
import hmac
from typing import Any
from urllib import parse

from oslo_config import cfg

from ironic_inspector.api import access

CHALLENGE = 'CallbackToken realm="ironic-inspector"'
_SHOWN = 'ironic_inspector.callback_token'
_URLS = ('REQUEST_URI', 'RAW_URI')
"""Where WSGI servers keep the URL as it came: for their logs."""


class Hide:
    """WSGI middleware that takes tokens out of URLs, so that no log, here or of the WSGI server, gets to see one."""

    def __init__(self, app: Any) -> None:
        """Wrap a WSGI application."""
        self._app = app

    def __call__(self, environ: access.Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """See PEP 3333."""
        if query := environ.get('QUERY_STRING'):
            parameters = [(*part.partition('='), part) for part in query.split('&')]
            tokens = [value for name, _equals, value, _part in parameters if _plain(name) == 'token']
            if tokens:
                rest = '&'.join(part for name, _equals, _value, part in parameters if _plain(name) != 'token')
                environ[_SHOWN] = _plain(tokens[0])
                environ['QUERY_STRING'] = rest
                for key in _URLS:
                    if key in environ:
                        environ[key] = environ[key].partition('?')[0] + (f'?{rest}' if rest else '')
        return self._app(environ, start_response)  # type: ignore[no-any-return]


def check(environ: access.Environ, conf: cfg.ConfigOpts) -> None:
    """Return if a request has shown [processing]callback_token, or none is set; access.NotAuthenticated if not."""
    wanted = conf.processing.callback_token
    if wanted and not hmac.compare_digest(environ.get(_SHOWN, '').encode(), wanted.encode()):
        raise access.NotAuthenticated(
            'The callback URL lacks the right token: it must end in ?token= and the [processing]callback_token of the '
            'service',
            CHALLENGE,
        )


def _plain(text: str) -> str:
    # Not as forms have it: a plus sign is one, as in base64.
    return parse.unquote(text)
