"""Where the API stands: below which path, and what is served beside it."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
import re
from typing import Any

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_PATH = re.compile(r"(?:[\w.~!$&'()*+,;=:@/-]|[\x80-\xff]|%[0-9A-F]{2})*", re.ASCII | re.IGNORECASE)


class Mount:
    """WSGI middleware that hands requests for a few paths to other applications."""

    def __init__(self, app: Application, others: Mapping[str, Application]) -> None:
        """Serve `others` by their paths and `app` at all others."""
        self._app = app
        self._others = dict(others)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """See PEP 3333."""
        path = environ.get('PATH_INFO', '').rstrip('/')
        return self._others.get(path, self._app)(environ, start_response)


class Root:
    """WSGI middleware, inside of ProxyFix, that makes a path of the prefix that a proxy tells, or forgets it."""

    def __init__(self, app: Application) -> None:
        """Wrap a WSGI application."""
        self._app = app

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """See PEP 3333."""
        told, own = (where.get('SCRIPT_NAME', '') for where in (environ, environ['werkzeug.proxy_fix.orig']))
        if told != own:
            path = told.strip('/')
            environ['SCRIPT_NAME'] = f'/{path}'.rstrip('/') if _PATH.fullmatch(path) else own
        return self._app(environ, start_response)
