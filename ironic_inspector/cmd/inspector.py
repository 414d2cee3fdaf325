"""ironic-inspector: API and conductor in one process."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from typing import Final

from oslo_config import cfg
from oslo_log import log

from ironic_inspector import conf as configuration
from ironic_inspector.api import access
from ironic_inspector.api import app as api_app
from ironic_inspector.api import metrics as api_metrics
from ironic_inspector.api import server as api_server
from ironic_inspector.cmd import startup
from ironic_inspector.common import mdns
from ironic_inspector.common import memory
from ironic_inspector.common import single
from ironic_inspector.conductor.manager import ConductorManager

LOG = log.getLogger(__name__)

DESCRIPTION: Final = (
    'Introspection of bare metal: serves the API, and works on the nodes, in one process. All else is in the '
    'configuration file, by default ironic-inspector.conf in ~/.ironic-inspector, ~, /etc/ironic-inspector or /etc. '
    'The database has to be there: run ironic-inspector-dbsync upgrade first.'
)
EPILOG: Final = (
    'SIGHUP reads those options again that may change, SIGTERM and SIGINT let work in progress end. Exit status: 0 '
    'after a signal, 1 if the service could not start; standard error then says in one line what to correct. '
    'ironic-inspector-status upgrade check tells beforehand.'
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the service until SIGTERM or SIGINT; return the exit status, 1 if it could not start."""
    memory.limit_heaps()
    conf = cfg.CONF
    try:
        configuration.load(
            conf,
            sys.argv[1:] if argv is None else argv,
            prog='ironic-inspector',
            description=DESCRIPTION,
            epilog=EPILOG,
        )
        conductor = startup.build_conductor(conf)
        server = api_server.Server(conf, api_app.create_app(conf, conductor))
        announcer = mdns.create(conf, listens=True)
        metrics_server = api_metrics.create_server(conf, conductor.services.metrics)
        with contextlib.ExitStack() as servers:
            # Their threads would keep a process that cannot start from ending.
            for each in (server, metrics_server):
                each.bind()
                servers.callback(each.stop)
            claim = single.try_claim(conf)
            if claim is None:
                LOG.warning(
                    'Another process of the service works on this database: what it is doing is left to it, and PXE '
                    'filters and locks of the two know nothing of each other'
                )
            conductor.start(take_over=claim is not None)
            servers.pop_all()
    except startup.FAILURES as exc:
        print(f'ironic-inspector cannot start: {startup.reason(exc)}', file=sys.stderr)
        return 1
    metrics_server.start()
    _run(conf, conductor, server, announcer)
    metrics_server.stop()
    if claim is not None:
        claim.give_up()
    return 0


def _settle_objects() -> None:
    # What has been imported and built stays: looking through it again and again took a tenth of the time of a callback.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _read_again(conf: cfg.ConfigOpts) -> None:
    try:
        conf.mutate_config_files()
    except (cfg.Error, OSError) as exc:
        LOG.error('The configuration cannot be read again, everything stays as it was: %s', exc)
    else:
        LOG.info('The options that may change have been read again')


@contextlib.contextmanager
def _signals(*numbers: signal.Signals) -> Iterator[socket.socket]:
    """Yield a socket from which the numbers of signals can be read, a byte each, as long as the `with` block lasts."""
    # A queue filled by a handler would not do: the handler runs when the main thread goes on, and a signal that another
    # thread has received does not wake that.
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, lambda _number, _frame: None)
        yield reader
        signal.set_wakeup_fd(-1)


def _run(
    conf: cfg.ConfigOpts,
    conductor: ConductorManager,
    server: api_server.Server,
    announcer: mdns.Announcer | None,
) -> None:
    with _signals(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        _settle_objects()
        server.start()
        if announcer:
            announcer.start()
        access.warn_if_open(conf)
        LOG.info('The service is up and listens on %s', server.address)
        while signals.recv(1) == bytes([signal.SIGHUP]):
            _read_again(conf)
    timeout = conf.graceful_shutdown_timeout or None
    LOG.info('Shutting down: no new work is taken, work in progress gets %s s', timeout or 'any number of')
    if announcer:
        announcer.stop()
    # The API goes on answering meanwhile: who asks for something new is told why it can't be had.
    done = conductor.stop(timeout)
    server.stop()
    conductor.close(wait=done)
    if not done:
        LOG.warning('Some work has not ended in time; the service goes on with it when it starts again')
        logging.shutdown()
        # Threads that still wait for somebody else's answer would keep the process alive.
        os._exit(0)
    LOG.info('The service has ended')
