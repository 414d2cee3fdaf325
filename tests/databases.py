"""Databases for tests: each test gets one of its own, empty, on every kind of server that the service supports.

The servers are those of this machine, unless INSPECTOR_TEST_MARIADB and INSPECTOR_TEST_POSTGRESQL hold other URLs. A
server that does not answer skips its tests, or fails them where INSPECTOR_REQUIRE_COMPONENTS is set.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
import os
from pathlib import Path
from typing import Any
from typing import Final
import uuid

from oslo_config import cfg
import pytest
import sqlalchemy as sa

from ironic_inspector import conf as inspector_conf
from ironic_inspector.db.engine import Database

KINDS: Final = ('sqlite', 'mariadb', 'postgresql')
SERVER_KINDS: Final = ('mariadb', 'postgresql')


@contextlib.contextmanager
def new_database(kind: str, folder: Path) -> Iterator[str]:
    """Create an empty database of this kind (SQLite: a file in `folder`); gives its URL and drops it in the end."""
    name = f'inspector_test_{uuid.uuid4().hex}'
    if kind == 'sqlite':
        yield f'sqlite:///{folder}/{name}.sqlite'
        return
    server = _server(kind)
    _require(server)
    with _administration(server) as connection:
        connection.exec_driver_sql(f'CREATE DATABASE {name}')
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        with _administration(server) as connection:
            # A test that failed may have left connections, which PostgreSQL would wait for.
            force = ' WITH (FORCE)' if kind == 'postgresql' else ''
            connection.exec_driver_sql(f'DROP DATABASE {name}{force}')


def configuration(url: str, **options: Any) -> cfg.ConfigOpts:
    """Return the service's configuration with the database at `url` and `options` of [database]; it retries at once."""
    conf = cfg.ConfigOpts()
    inspector_conf.register_opts(conf)
    conf([], project='inspector-test', default_config_files=[], default_config_dirs=[])
    options = {'connection': url, 'max_retries': 1, 'retry_interval': 0, 'db_retry_interval': 0, **options}
    for name, value in options.items():
        conf.set_override(name, value, 'database')
    return conf


@contextlib.contextmanager
def opened(url: str, **options: Any) -> Iterator[Database]:
    """Give the database at `url` as the service sees it, for the length of a `with` block."""
    database = Database(configuration(url, **options))
    try:
        yield database
    finally:
        database.dispose()


@contextlib.contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    """Give a plain connection to the database at `url`, committed at the end of a `with` block."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        yield connection


def describe_schema(url: str) -> dict[str, dict[str, list[str]]]:
    """Return the tables in the database at `url`, described for comparing: each with its columns, keys and indexes.

    The table in which Alembic keeps the revision is left out.
    """
    with connected(url) as connection:
        inspector = sa.inspect(connection)
        return {
            name: _describe_table(inspector, name)
            for name in sorted(inspector.get_table_names())
            if name != 'alembic_version'
        }


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database; the test runs once with each kind."""
    with new_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture(params=SERVER_KINDS)
def server_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database on a server; the test runs once with each kind."""
    with new_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> Iterator[str]:
    """URL of an empty SQLite database."""
    with new_database('sqlite', tmp_path) as url:
        yield url


@pytest.fixture
def mariadb_url(tmp_path: Path) -> Iterator[str]:
    """URL of an empty database on MariaDB."""
    with new_database('mariadb', tmp_path) as url:
        yield url


def kind_of(url: str) -> str:
    """Return the kind of the database at `url`, as in KINDS."""
    name = sa.make_url(url).get_backend_name()
    return 'mariadb' if name == 'mysql' else name


def _server(kind: str) -> sa.URL:
    defaults = {
        'mariadb': 'mysql+pymysql://root@127.0.0.1/',
        'postgresql': 'postgresql+psycopg2://postgres@127.0.0.1/postgres',
    }
    return sa.make_url(os.environ.get(f'INSPECTOR_TEST_{kind.upper()}') or defaults[kind])


def _require(server: sa.URL) -> None:
    try:
        with _administration(server):
            return
    except sa.exc.OperationalError as error:
        reason = f'no database server at {server}: {str(error).splitlines()[0]}'
    if os.environ.get('INSPECTOR_REQUIRE_COMPONENTS'):
        pytest.fail(reason)
    pytest.skip(reason)


@contextlib.contextmanager
def _administration(server: sa.URL) -> Iterator[sa.Connection]:
    engine = sa.create_engine(server, poolclass=sa.NullPool, isolation_level='AUTOCOMMIT')
    with engine.connect() as connection:
        yield connection


def _describe_table(inspector: sa.Inspector, table: str) -> dict[str, list[str]]:
    key = inspector.get_pk_constraint(table)
    # Engine and character set, which only MySQL has; SQLAlchemy 2.0 refuses to look for them elsewhere.
    options = inspector.get_table_options(table) if inspector.dialect.name == 'mysql' else {}
    return {
        'columns': [_describe_column(column, inspector.dialect) for column in inspector.get_columns(table)],
        'primary key': [f'{key["name"]}: {_names(key["constrained_columns"])}'],
        'foreign keys': sorted(
            f'{key["name"]}: {_names(key["constrained_columns"])} ->'
            f' {key["referred_table"]} {_names(key["referred_columns"])}'
            for key in inspector.get_foreign_keys(table)
        ),
        'indexes': sorted(
            f'{index["name"]}: {_names(index["column_names"])}{" unique" if index["unique"] else ""}'
            for index in inspector.get_indexes(table)
        ),
        'options': [
            f'{name}: {options[name]}' for name in ('mysql_engine', 'mysql_default charset') if name in options
        ],
    }


def _describe_column(column: Any, dialect: sa.Dialect) -> str:
    kind = column['type']
    values = f' {_names(kind.enums)}' if isinstance(kind, sa.Enum) and kind.name else ''
    null = '' if column['nullable'] else ' NOT NULL'
    default = '' if column['default'] is None else f' DEFAULT {column["default"]}'
    return f'{column["name"]}: {kind.compile(dialect)}{values}{null}{default}'


def _names(names: Iterable[Any]) -> str:
    return f'({", ".join(str(name) for name in names)})'
