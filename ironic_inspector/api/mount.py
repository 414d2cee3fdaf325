"""What is served beside the API, each at one path of its own."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


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
