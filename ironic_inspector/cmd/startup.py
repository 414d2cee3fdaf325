"""What every way to run the service begins with."""

from __future__ import annotations

from typing import Final

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

FAILURES: Final = (
    exceptions.ConfigurationError,
    cfg.Error,
    log.LogConfigError,
    OSError,
    db_exceptions.DBError,
    sa.exc.SQLAlchemyError,
    ImportError,
)
"""What keeps the service from starting, and is not its own fault."""


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
