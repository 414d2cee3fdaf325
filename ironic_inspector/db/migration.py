"""Schema of the database: which revision it is of, and bringing it to the newest.

A database left by ironic-inspector 12.5 is taken over as it is: the first migration bears the revision that 12.5 ends
with.
"""

from __future__ import annotations

from pathlib import Path
import sys

from alembic import command
from alembic import config as alembic_settings
from alembic.runtime import migration as runtime
from alembic.script import ScriptDirectory
from oslo_config import cfg
import sqlalchemy as sa

import ironic_inspector
from ironic_inspector.common import exceptions
from ironic_inspector.db.engine import Database

ADOPTED_REVISION = 'b55109d5063a'
"""What ironic-inspector 12.5 leaves, and the first migration here."""
VERSION_TABLE = 'alembic_version'
REMEDY = 'run `ironic-inspector-dbsync upgrade`'


def script_location() -> Path:
    """Return the folder of the migrations: in the installed package, or at the top of the checkout."""
    package = Path(ironic_inspector.__file__).resolve().parent
    installed = package / 'alembic'
    return installed if installed.is_dir() else package.parent / 'alembic'


def alembic_config(connection: sa.Connection | None = None) -> alembic_settings.Config:
    """Return Alembic's configuration; commands that use the database run in the transaction of `connection`.

    The database's URL is not in it, so that no character of a password needs quoting.
    """
    settings = alembic_settings.Config(stdout=sys.stdout)
    settings.set_main_option('script_location', str(script_location()).replace('%', '%%'))
    settings.set_main_option('path_separator', 'os')
    settings.attributes['connection'] = connection
    return settings


def scripts() -> ScriptDirectory:
    """Return the migrations."""
    return ScriptDirectory.from_config(alembic_config())


def upgrade(conf: cfg.ConfigOpts, revision: str = 'head') -> list[str]:
    """Bring the database that `conf` names to `revision`, creating the tables in an empty one.

    Returns the revisions applied, oldest first: none when the database was there already. An upgrade that was
    interrupted goes on where it stopped.

    Raises ConfigurationError for a database that is not of this service, or of a revision that is not known here,
    alembic.util.CommandError for an unknown `revision`, and the errors of oslo.db and SQLAlchemy.
    """
    database = Database(conf)

    def run(connection: sa.Connection) -> list[str]:
        before = _revisions(connection)
        _require_upgradable(connection, before)
        command.upgrade(alembic_config(connection), revision)
        applied = scripts().iterate_revisions(_revisions(connection), before)
        return [script.revision for script in applied][::-1]

    try:
        return database.write(run)
    finally:
        database.dispose()


def stamp(conf: cfg.ConfigOpts, revision: str) -> None:
    """Record that the database is at `revision` without changing anything else.

    Raises alembic.util.CommandError for an unknown revision, and the errors of oslo.db and SQLAlchemy.
    """
    database = Database(conf)
    try:
        database.write(lambda connection: command.stamp(alembic_config(connection), revision))
    finally:
        database.dispose()


def make_revision(conf: cfg.ConfigOpts, message: str | None, *, autogenerate: bool) -> None:
    """Write a new migration next to the others and print its path.

    With `autogenerate` it holds what is missing in the database, which must be current.
    """
    if not autogenerate:
        command.revision(alembic_config(), message)
        return
    database = Database(conf)
    try:
        database.read(lambda connection: command.revision(alembic_config(connection), message, autogenerate=True))
    finally:
        database.dispose()


def current(conf: cfg.ConfigOpts) -> str | None:
    """Return the revision that the database is at, known here or not; None for one without tables of the service."""
    database = Database(conf)
    try:
        return ', '.join(database.read(_revisions)) or None
    finally:
        database.dispose()


def is_head(revision: str) -> bool:
    """Tell whether `revision` is the newest."""
    return revision in scripts().get_heads()


def check_is_current(database: Database) -> None:
    """Return if the database is at the newest revision, else raise ConfigurationError with the remedy."""
    revisions = database.read(_revisions)
    _require_known(revisions)
    needed = scripts().get_heads()
    if not revisions:
        raise exceptions.ConfigurationError(f'The database has no tables of this service yet: {REMEDY}.')
    if set(revisions) != set(needed):
        raise exceptions.ConfigurationError(
            f'The database is at revision {", ".join(revisions)}, this release needs {", ".join(needed)}: {REMEDY}.'
        )


def _revisions(connection: sa.Connection) -> tuple[str, ...]:
    return runtime.MigrationContext.configure(connection).get_current_heads()


def _require_known(revisions: tuple[str, ...]) -> None:
    known = {script.revision for script in scripts().walk_revisions()}
    unknown = set(revisions) - known
    if unknown:
        raise exceptions.ConfigurationError(
            f'The database is at revision {", ".join(unknown)}, which this release does not know. If an older'
            ' ironic-inspector left it, upgrade it with ironic-inspector 12.5 first: the `ironic-inspector-dbsync'
            f' upgrade` of 12.5 leads to {ADOPTED_REVISION}, from where this release goes on. If a newer one did, use'
            ' that.'
        )


def _require_upgradable(connection: sa.Connection, revisions: tuple[str, ...]) -> None:
    _require_known(revisions)
    inspector = sa.inspect(connection)
    tables = set(inspector.get_table_names())
    if revisions or not tables:
        return
    if VERSION_TABLE not in tables or not _was_interrupted(inspector, tables - {VERSION_TABLE}):
        raise exceptions.ConfigurationError(
            f'The database holds tables ({", ".join(sorted(tables))}) but no record of their revision, so there is no'
            ' saying how to upgrade it. Set [database]connection to an empty database, or to one that'
            ' ironic-inspector-dbsync made.'
        )


def _was_interrupted(inspector: sa.Inspector, tables: set[str]) -> bool:
    """Tell whether all `tables` are the first migration's, stopped before it could record its revision."""
    made = scripts().get_revision(ADOPTED_REVISION).module.define_tables(inspector.dialect.name).tables
    return all(
        table in made and set(made[table].columns.keys()) == {c['name'] for c in inspector.get_columns(table)}
        for table in tables
    )
