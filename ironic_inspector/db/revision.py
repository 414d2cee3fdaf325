"""The revision of the database's schema, for a service that starts: without Alembic, which takes much memory."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from ironic_inspector.db import engine

HEAD: Final = '9c2d6f4b81ea'
"""The newest revision; a test keeps it so."""
_VERSIONS: Final = sa.table('alembic_version', sa.column('version_num'))


def check_is_current(database: engine.Database) -> None:
    """Return if the database is at the newest revision, else raise ConfigurationError with the remedy."""
    if database.read(_revisions) != [HEAD]:
        # Says what is wrong; imported by need, as there is something wrong only once.
        from ironic_inspector.db import migration

        migration.check_is_current(database)


def _revisions(connection: sa.Connection) -> list[str]:
    if not sa.inspect(connection).has_table(_VERSIONS.name):
        return []
    return list(connection.scalars(sa.select(_VERSIONS.c.version_num)))
