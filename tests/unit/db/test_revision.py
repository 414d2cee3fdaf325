"""The revision that the service asks for when it starts."""

from __future__ import annotations

import pytest

from ironic_inspector.common import exceptions
from ironic_inspector.db import migration
from ironic_inspector.db import revision
from tests import databases


def test_it_is_the_newest_migration() -> None:
    assert migration.scripts().get_heads() == [revision.HEAD]


def test_a_current_database_passes(database_url: str) -> None:
    migration.upgrade(databases.configuration(database_url))
    with databases.opened(database_url) as database:
        revision.check_is_current(database)


@pytest.mark.parametrize('upgraded_to', [None, migration.ADOPTED_REVISION])
def test_any_other_is_told_the_remedy(database_url: str, upgraded_to: str | None) -> None:
    if upgraded_to:
        migration.upgrade(databases.configuration(database_url), upgraded_to)
    with (
        databases.opened(database_url) as database,
        pytest.raises(exceptions.ConfigurationError, match='ironic-inspector-dbsync upgrade'),
    ):
        revision.check_is_current(database)
