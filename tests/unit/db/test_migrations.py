"""The migrations, on every kind of database."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import datetime
import json
from pathlib import Path
from typing import Any
from typing import Final
import uuid

from alembic import command
from oslo_db import exception as db_exception
import pytest
import sqlalchemy as sa

from ironic_inspector.common import exceptions
from ironic_inspector.db import migration
from ironic_inspector.db import models
from tests import databases

SCHEMAS: Final = Path(__file__).resolve().parents[2] / 'data' / 'schema'
NODE: Final = '5b1c9a52-2f77-4d10-a6f8-3a3c2c3f0d11'
STARTED: Final = datetime.datetime(2024, 2, 29, 23, 59, 58)
ROWS_OF_12_5: Final[dict[str, dict[str, Any]]] = {
    'nodes': {
        'uuid': NODE,
        'version_id': 'v',
        'state': 'error',
        'started_at': STARTED,
        'finished_at': STARTED,
        'error': 'fähig',
        'manage_boot': True,
    },
    'attributes': {'uuid': 'a', 'node_uuid': NODE, 'name': 'mac', 'value': '52:54:00:00:00:01'},
    'options': {'uuid': NODE, 'name': 'o', 'value': '1'},
    'introspection_data': {'uuid': NODE, 'processed': False, 'data': '{"a": 1}'},
    'rules': {'uuid': 'r', 'created_at': STARTED, 'description': 'd', 'disabled': False, 'scope': 's'},
    'rule_conditions': {
        'id': 7,
        'rule': 'r',
        'op': 'eq',
        'multiple': 'any',
        'field': 'memory_mb',
        'invert': False,
        'params': '{}',
    },
    'rule_actions': {'id': 8, 'rule': 'r', 'action': 'fail', 'params': '{"message": "m"}'},
}


class Interruption(Exception):
    """Stands for the end of the process in the middle of an upgrade."""


def upgrade(url: str, revision: str = 'head') -> list[str]:
    return migration.upgrade(databases.configuration(url), revision)


def columns_sorted(schema: dict[str, dict[str, list[str]]]) -> dict[str, dict[str, list[str]]]:
    return {table: {**parts, 'columns': sorted(parts['columns'])} for table, parts in schema.items()}


def write_rows(url: str) -> None:
    with databases.connected(url) as connection:
        for table, row in ROWS_OF_12_5.items():
            known = models.Base.metadata.tables[table].c
            columns = [sa.column(name, known[name].type) for name in row]
            connection.execute(sa.insert(sa.table(table, *columns)).values(row))


def read_rows(url: str) -> dict[str, dict[str, Any]]:
    with databases.connected(url) as connection:
        metadata = models.Base.metadata
        return {
            name: {column: row[column] for column in columns}
            for name, columns in ROWS_OF_12_5.items()
            for row in connection.execute(sa.select(metadata.tables[name])).mappings()
        }


def record_revision(url: str, revision: str) -> None:
    with databases.connected(url) as connection:
        connection.exec_driver_sql('CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)')
        connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{revision}')")


@contextlib.contextmanager
def interrupted_at_change(number: int) -> Iterator[None]:
    """Let the change of the schema with this number, counted from 0, not happen, nor anything after it."""
    changes = iter(range(number + 1))

    def count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        is_change = statement.lstrip().startswith(('CREATE', 'ALTER', 'INSERT', 'UPDATE'))
        if is_change and next(changes) == number:
            raise Interruption(statement)

    sa.event.listen(sa.Engine, 'before_cursor_execute', count)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, 'before_cursor_execute', count)


def test_first_revision_makes_the_tables_of_12_5(database_url: str) -> None:
    assert upgrade(database_url, migration.ADOPTED_REVISION) == [migration.ADOPTED_REVISION]

    recorded = json.loads((SCHEMAS / f'12.5-{databases.kind_of(database_url)}.json').read_text())
    assert databases.describe_schema(database_url) == recorded


def test_newest_revision_makes_the_models(database_url: str) -> None:
    assert upgrade(database_url)[0] == migration.ADOPTED_REVISION

    with databases.connected(database_url) as connection:
        # Raises an error that lists the differences.
        command.check(migration.alembic_config(connection))


def test_upgraded_server_database_equals_one_made_from_the_models(server_database_url: str, tmp_path: Path) -> None:
    upgrade(server_database_url)
    with databases.new_database(databases.kind_of(server_database_url), tmp_path) as other:
        with databases.opened(other) as database:
            models.Base.metadata.create_all(database.engine)

        assert columns_sorted(databases.describe_schema(server_database_url)) == columns_sorted(
            databases.describe_schema(other)
        )


def test_upgrade_keeps_all_rows(database_url: str) -> None:
    upgrade(database_url, migration.ADOPTED_REVISION)
    write_rows(database_url)

    assert migration.ADOPTED_REVISION not in upgrade(database_url)

    assert read_rows(database_url) == ROWS_OF_12_5


def test_upgrade_twice_changes_nothing(database_url: str) -> None:
    upgrade(database_url)
    before = databases.describe_schema(database_url)

    assert upgrade(database_url) == []

    assert databases.describe_schema(database_url) == before


def test_interrupted_upgrade_goes_on(database_url: str, tmp_path: Path) -> None:
    upgrade(database_url)
    complete = databases.describe_schema(database_url)
    number = 0
    while True:
        with databases.new_database(databases.kind_of(database_url), tmp_path) as url:
            # oslo.db wraps most of what it does not know.
            with contextlib.suppress(Interruption, db_exception.DBError), interrupted_at_change(number):
                upgrade(url)
                break
            upgrade(url)
            assert databases.describe_schema(url) == complete, f'interrupted at change {number}'
        number += 1
    assert number > 10


def test_upgrade_from_a_revision_older_than_12_5_is_refused(database_url: str) -> None:
    record_revision(database_url, 'bf8dec16023c')

    with pytest.raises(exceptions.ConfigurationError, match=r'bf8dec16023c.* with ironic-inspector 12\.5 first'):
        upgrade(database_url)

    assert databases.describe_schema(database_url) == {}


@pytest.mark.parametrize('has_version_table', [False, True])
def test_upgrade_of_tables_without_a_revision_is_refused(database_url: str, has_version_table: bool) -> None:
    with databases.connected(database_url) as connection:
        connection.exec_driver_sql('CREATE TABLE nodes (uuid VARCHAR(36) NOT NULL PRIMARY KEY)')
    if has_version_table:
        record_revision(database_url, 'x')
        with databases.connected(database_url) as connection:
            connection.exec_driver_sql('DELETE FROM alembic_version')
    before = databases.describe_schema(database_url)

    with pytest.raises(exceptions.ConfigurationError, match=r'nodes.* no record of their revision'):
        upgrade(database_url)

    assert databases.describe_schema(database_url) == before


def test_check_accepts_the_newest_revision(database_url: str) -> None:
    upgrade(database_url)

    with databases.opened(database_url) as database:
        migration.check_is_current(database)


def test_check_of_an_empty_database_names_the_remedy(database_url: str) -> None:
    with (
        databases.opened(database_url) as database,
        pytest.raises(exceptions.ConfigurationError, match=r'no tables .*ironic-inspector-dbsync upgrade'),
    ):
        migration.check_is_current(database)


def test_check_of_an_older_revision_names_the_remedy(sqlite_url: str) -> None:
    upgrade(sqlite_url, migration.ADOPTED_REVISION)

    with (
        databases.opened(sqlite_url) as database,
        pytest.raises(exceptions.ConfigurationError, match=r'b55109d5063a.*ironic-inspector-dbsync upgrade'),
    ):
        migration.check_is_current(database)


def test_check_of_an_unknown_revision_is_refused(sqlite_url: str) -> None:
    record_revision(sqlite_url, 'd00d6e3f38c4')

    with (
        databases.opened(sqlite_url) as database,
        pytest.raises(exceptions.ConfigurationError, match='d00d6e3f38c4, which this release does not know'),
    ):
        migration.check_is_current(database)


def test_password_with_every_kind_of_character(mariadb_url: str) -> None:
    user = f'inspector_{uuid.uuid4().hex[:16]}'
    password = 'p%40%(here)s:/@?#'
    url = sa.make_url(mariadb_url)
    with databases.connected(mariadb_url) as connection:
        connection.execute(sa.text(f"CREATE USER {user}@'%' IDENTIFIED BY :password"), {'password': password})
        connection.exec_driver_sql(f"GRANT ALL ON {url.database}.* TO {user}@'%%'")
    try:
        assert upgrade(url.set(username=user, password=password).render_as_string(hide_password=False))
    finally:
        with databases.connected(mariadb_url) as connection:
            connection.exec_driver_sql(f"DROP USER {user}@'%%'")


def test_file_name_with_percent_signs(tmp_path: Path) -> None:
    assert upgrade(f'sqlite:///{tmp_path}/100%(x)s%41.sqlite')


def test_scripts_are_found_in_the_checkout() -> None:
    location = migration.script_location()

    assert (location / 'env.py').is_file()
    assert (location / 'script.py.mako').is_file()
    # With it the folder would hide Alembic itself.
    assert not (location / '__init__.py').exists()
