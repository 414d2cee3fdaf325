"""What every way to run the service begins and ends with."""

from __future__ import annotations

from collections.abc import Iterable
import logging
import os
from typing import Final
from typing import NoReturn
from typing import Protocol

from oslo_config import cfg
from oslo_db import exception as db_exceptions
from oslo_log import log
import sqlalchemy as sa

from ironic_inspector import conf as configuration
from ironic_inspector.common import exceptions
from ironic_inspector.common import keystone
from ironic_inspector.conductor.manager import ConductorManager
from ironic_inspector.conf import ironic as ironic_conf
from ironic_inspector.db import engine
from ironic_inspector.db import revision

LOG = log.getLogger(__name__)

FAILURES: Final = (
    exceptions.ConfigurationError,
    exceptions.Overloaded,
    cfg.Error,
    log.LogConfigError,
    OSError,
    db_exceptions.DBError,
    sa.exc.SQLAlchemyError,
    ImportError,
)
"""What keeps the service from starting, and is not its own fault."""


class Stoppable(Protocol):
    """A server of the service."""

    def stop(self) -> None:
        """Answer what has been asked, and end."""


def build_conductor(conf: cfg.ConfigOpts) -> ConductorManager:
    """Return the conductor for a configuration that has been read; raises FAILURES if it cannot work."""
    configuration.check(conf)
    keystone.check(conf, ironic_conf.GROUP)
    database = engine.Database(conf)
    revision.check_is_current(database)
    conductor = ConductorManager(conf, database)
    # Plug-ins have registered options of their own.
    configuration.check_values(conf)
    return conductor


def reason(failure: BaseException) -> str:
    """Return what an operator is told, in one line, of one of FAILURES."""
    # The first line says what is wrong; SQLAlchemy adds links to its manual.
    text = str(failure).strip().partition('\n')[0]
    if isinstance(failure, (db_exceptions.DBError, sa.exc.SQLAlchemyError, ImportError)):
        return f'[database]connection cannot be used: {text}'
    return text


def end(conf: cfg.ConfigOpts, conductor: ConductorManager, servers: Iterable[Stoppable]) -> None:
    """Let the conductor end its work in progress, then stop `servers`; what takes too long ends with the process."""
    # Those who serve the API go on answering meanwhile: who asks for something new is told why it can't be had.
    done = conductor.stop(conf.graceful_shutdown_timeout or None)
    for server in servers:
        server.stop()
    conductor.close(wait=done)
    if not done:
        LOG.warning('Some work has not ended in time; the service goes on with it when it starts again')
        leave()


def leave() -> NoReturn:
    """End the process at once, as one that has done what it was told."""
    logging.shutdown()
    # Threads that still wait for somebody else's answer would keep the process alive.
    os._exit(0)
