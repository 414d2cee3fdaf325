"""The service inside a WSGI server: API and conductor in its worker process, of which there may be only one.

The server has to load the application in the process that serves it (no --preload; lazy-apps in uWSGI). Threads
serve several requests at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
import contextlib
import importlib
import json
import os
import sys
import threading
from typing import Any
from typing import Final

from oslo_config import cfg
from oslo_log import log

from ironic_inspector import conf as configuration
from ironic_inspector.api import access
from ironic_inspector.api import app as api_app
from ironic_inspector.api import metrics as api_metrics
from ironic_inspector.cmd import startup
from ironic_inspector.common import mdns
from ironic_inspector.common import memory
from ironic_inspector.common import single

LOG = log.getLogger(__name__)

PROG: Final = 'ironic-inspector-api-wsgi'
CONFIG_FILES: Final = 'OS_IRONIC_INSPECTOR_CONFIG_FILES'
"""Environment variable with the paths of configuration files, separated by semicolons."""
BOOT_ERROR: Final = 3
"""The status by which gunicorn knows that another attempt is of no use."""
FAILED_APP: Final = 22
"""The same for uWSGI, with need-app."""

_FORKED: Final = (
    'This process was forked after the application had been loaded, and has no conductor: let the WSGI server load the '
    'application in the worker (gunicorn without --preload, uWSGI with lazy-apps)'
)


class Application:
    """The WSGI application, as far as it is called in the process that it was made in."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        """Pass requests on to `app`."""
        self._app = app
        self._pid = os.getpid()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        if os.getpid() == self._pid:
            return self._app(environ, start_response)
        LOG.error(_FORKED)
        body = json.dumps({'error': {'message': _FORKED}}).encode()
        headers = [('Content-Type', 'application/json'), ('Content-Length', str(len(body)))]
        start_response('503 Service Unavailable', headers)
        return [body]


def initialize_wsgi_app(argv: Sequence[str] | None = None) -> Application:
    """Start the service and return its WSGI application; the service ends with the process.

    `argv` is a command line, such as ['--config-file', PATH]. By default it is what uWSGI has in pyargv, or else made
    of the environment variable OS_IRONIC_INSPECTOR_CONFIG_FILES; without either the files are looked for in the usual
    places. What keeps the service from starting is said in one line on stderr, and ends the process (SystemExit).
    """
    uwsgi = _uwsgi()
    memory.limit_heaps()
    conf = cfg.CONF
    try:
        configuration.load(conf, _arguments(uwsgi) if argv is None else argv, prog=PROG)
        conductor = startup.build_conductor(conf)
        app = api_app.create_app(conf, conductor)
        announcer = mdns.create(conf, listens=False)
        metrics_server = api_metrics.create_server(conf, conductor.services.metrics)
        claim = single.claim(conf)
        with contextlib.ExitStack() as undo:
            metrics_server.bind()
            # Its threads would keep a process that cannot start from ending.
            undo.callback(metrics_server.stop)
            conductor.start()
            undo.pop_all()
    except startup.FAILURES as exc:
        print(f'{PROG} cannot start: {startup.reason(exc)}', file=sys.stderr, flush=True)
        raise SystemExit(FAILED_APP if uwsgi else BOOT_ERROR) from None
    metrics_server.start()
    if announcer:
        announcer.start()

    def end() -> None:
        LOG.info('Shutting down')
        if announcer:
            announcer.stop()
        startup.end(conf, conductor, [metrics_server])
        claim.give_up()
        LOG.info('The service has ended')

    _at_end(uwsgi, end)
    access.warn_if_open(conf)
    LOG.info('The service is up, in a WSGI server')
    return Application(app)


def _uwsgi() -> Any:
    """Return the module by which uWSGI talks to what it runs; None in other servers."""
    try:
        return importlib.import_module('uwsgi')
    except ImportError:
        return None


def _arguments(uwsgi: Any) -> list[str]:
    """Return the command line for the service; that of the process is the server's."""
    if uwsgi and len(sys.argv) > 1:
        return sys.argv[1:]
    files = filter(None, os.environ.get(CONFIG_FILES, '').split(';'))
    return [argument for file in files for argument in ('--config-file', file.strip())]


def _at_end(uwsgi: Any, work: Callable[[], None]) -> None:
    """Run `work` when the server lets the process end."""
    if uwsgi:
        uwsgi.atexit = work
    else:
        # What the thread pools of the standard library use. Functions of `atexit` come only after the interpreter has
        # waited for the threads of these pools, which is what `work` has to set a limit to.
        threading._register_atexit(work)  # type: ignore[attr-defined]
