"""ironic-inspector: API and conductor in one process."""

from __future__ import annotations

from collections.abc import Sequence
import gc
import logging
import os
import queue
import signal
import sys

from oslo_config import cfg
from oslo_db import exception as db_exceptions
from oslo_log import log
import sqlalchemy as sa

from ironic_inspector import conf as configuration
from ironic_inspector.api import app as api_app
from ironic_inspector.api import server as api_server
from ironic_inspector.common import exceptions
from ironic_inspector.common import memory
from ironic_inspector.conductor.manager import ConductorManager
from ironic_inspector.db import engine
from ironic_inspector.db import revision

LOG = log.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the service until SIGTERM or SIGINT; return the exit status, 1 if it could not start."""
    memory.limit_heaps()
    conf = cfg.CONF
    try:
        configuration.load(conf, sys.argv[1:] if argv is None else argv, prog='ironic-inspector')
        configuration.check(conf)
        database = engine.Database(conf)
        revision.check_is_current(database)
        conductor = ConductorManager(conf, database)
        server = api_server.Server(conf, api_app.create_app(conf, conductor))
        server.bind()
        try:
            conductor.start()
        except BaseException:
            # Its threads would keep the process from ending.
            server.stop()
            raise
    except (exceptions.ConfigurationError, cfg.Error, log.LogConfigError, OSError) as exc:
        print(f'ironic-inspector cannot start: {exc}', file=sys.stderr)
        return 1
    except (db_exceptions.DBError, sa.exc.SQLAlchemyError, ImportError) as exc:
        # The first line says what is wrong; SQLAlchemy adds links to its manual.
        reason = str(exc).partition('\n')[0]
        print(f'ironic-inspector cannot start: [database]connection cannot be used: {reason}', file=sys.stderr)
        return 1
    _run(conf, conductor, server)
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


def _run(conf: cfg.ConfigOpts, conductor: ConductorManager, server: api_server.Server) -> None:
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: signals.put(number))
    _settle_objects()
    server.start()
    LOG.info('The service is up and listens on %s', server.address)
    while signals.get() == signal.SIGHUP:
        _read_again(conf)
    timeout = conf.graceful_shutdown_timeout or None
    LOG.info('Shutting down: no new work is taken, work in progress gets %s s', timeout or 'any number of')
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
