"""The database as the rest of the program sees it: short transactions, repeated where the database asks for it."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import sqlite3
import threading
import time
from typing import Any
from typing import TypeVar

from oslo_config import cfg
from oslo_db import api as db_api
from oslo_db.sqlalchemy import engines
from oslo_db.sqlalchemy import exc_filters
import sqlalchemy as sa

from ironic_inspector.common import exceptions

T = TypeVar('T')

SQLITE_BUSY_TIMEOUT_MS = 30_000
_NEGLIGIBLE_MS = 1_000
SQLITE_CONNECTIONS = 8


class Database:
    """One database, shared by all threads of the process.

    Work is handed in as functions of a connection, each run in one transaction. After a deadlock or a lost connection
    the whole function runs again, so it must not have effects outside the database.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Connect to the database that `conf` names in [database].

        One that is away is waited for as [database]max_retries and retry_interval say; then oslo.db's
        DBConnectionError is raised.
        """
        options = conf.database
        self.engine = _engine(options)
        self._is_sqlite = self.engine.dialect.name == 'sqlite'
        # One writer at a time is what SQLite can do: waiting here is fair and wakes at once, its own waiting polls.
        self._writing = threading.Lock()
        self._retry = db_api.wrap_db_retry(
            max_retries=options.db_max_retries,
            retry_interval=options.db_retry_interval,
            inc_retry_interval=options.db_inc_retry_interval,
            max_retry_interval=options.db_max_retry_interval,
            retry_on_disconnect=True,
            retry_on_deadlock=True,
        )

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in a transaction that only reads and return its result."""

        def run() -> T:
            with self.engine.connect() as connection:
                return work(connection)

        result: T = self._retry(run)()
        return result

    def read_once(self, work: Callable[[sa.Connection], T]) -> T:
        """As `read`, but what goes wrong is raised at once."""
        with self.engine.connect() as connection:
            return work(connection)

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in a transaction that may write, commit it and return its result.

        An exception from `work` rolls everything back. Overloaded if SQLite has been written by others for too long.
        """

        def run() -> T:
            with self._writer() as connection:
                return work(connection)

        result: T = self._retry(run)()
        return result

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextlib.contextmanager
    def _writer(self) -> Iterator[sa.Connection]:
        """Give a connection in a transaction that may write."""
        if not self._is_sqlite:
            with self.engine.connect() as connection, connection.begin():
                yield connection
            return
        with _acquired(self._writing) as left_ms, self.engine.connect() as connection, connection.begin():
            _begin_alone(connection, left_ms)
            yield connection


@contextlib.contextmanager
def _acquired(lock: threading.Lock) -> Iterator[int]:
    """Hold a lock in a `with` block; gives the milliseconds that there still are to wait for other processes."""
    budget_ms = left_ms = SQLITE_BUSY_TIMEOUT_MS
    if not lock.acquire(blocking=False):
        began = time.monotonic()
        if not lock.acquire(timeout=budget_ms / 1000):
            raise _held_by_others()
        left_ms = max(0, budget_ms - int((time.monotonic() - began) * 1000))
    try:
        yield left_ms
    finally:
        lock.release()


def _begin_alone(connection: sa.Connection, wait_ms: int) -> None:
    """Begin a transaction as the only writer, waiting for other processes for as long as that.

    A writer takes SQLite's lock when it begins: one that has read first could not wait for it, SQLite answers
    "database is locked" at once.
    """
    # What the threads of a burst wait for each other is not worth two more statements.
    is_hurried = wait_ms < SQLITE_BUSY_TIMEOUT_MS - _NEGLIGIBLE_MS
    if is_hurried:
        connection.exec_driver_sql(f'PRAGMA busy_timeout = {wait_ms}')
    try:
        connection.exec_driver_sql('BEGIN IMMEDIATE')
    except sa.exc.OperationalError as exc:
        if 'database is locked' not in str(exc):
            raise
        raise _held_by_others() from exc
    finally:
        if is_hurried:
            connection.exec_driver_sql(f'PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}')


def _held_by_others() -> exceptions.Overloaded:
    return exceptions.Overloaded(
        f'Another process has been writing to the SQLite file for {SQLITE_BUSY_TIMEOUT_MS / 1000:g} s: try again '
        'when it has ended'
    )


def _engine(options: Any) -> sa.Engine:
    url = sa.make_url(options.connection)
    if url.get_backend_name() == 'sqlite':
        return _sqlite_engine(url, options)
    engine: sa.Engine = engines.create_engine(
        _connection_url(url),
        mysql_sql_mode=options.mysql_sql_mode,
        connection_recycle_time=options.connection_recycle_time,
        connection_debug=options.connection_debug,
        max_pool_size=options.max_pool_size,
        max_overflow=options.max_overflow,
        pool_timeout=options.pool_timeout,
        connection_trace=options.connection_trace,
        max_retries=options.max_retries,
        retry_interval=options.retry_interval,
        connection_parameters=options.connection_parameters,
        # Meant for eventlet: with real threads it gives the processor away for nothing.
        thread_checkin=False,
    )
    # oslo.db has no argument for it. Parameters hold introspection data and rules, and failures end in logs.
    engine.hide_parameters = True
    return engine


def _sqlite_engine(url: sa.URL, options: Any) -> sa.Engine:
    """Return an engine for a SQLite file.

    oslo.db's own opens the file anew for each transaction, which takes longer than the transactions of this service.
    """
    engine = sa.create_engine(
        url,
        echo=options.connection_debug >= 50,
        poolclass=sa.QueuePool,
        pool_size=SQLITE_CONNECTIONS,
        max_overflow=0,
        pool_timeout=options.pool_timeout or 30,
        # They hold introspection data and rules, and failures end in logs.
        hide_parameters=True,
    )
    exc_filters.register_engine(engine)

    @sa.event.listens_for(engine, 'connect')
    def _prepare(dbapi_connection: Any, _record: Any) -> None:
        # The driver begins no transaction by itself: a single read needs none, and `write` says when.
        dbapi_connection.isolation_level = None
        dbapi_connection.execute(f'PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}')
        # Lasts in the file; locked, it is just being done by another process.
        with contextlib.suppress(sqlite3.OperationalError):
            dbapi_connection.execute('PRAGMA journal_mode = WAL')
        dbapi_connection.execute('PRAGMA foreign_keys = ON')
        if not options.sqlite_synchronous:
            dbapi_connection.execute('PRAGMA synchronous = OFF')

    return engine


def _connection_url(url: sa.URL) -> str:
    """Return a URL as text, for MySQL with a character set that holds all of Unicode.

    What MySQL calls utf8, oslo.db's default and a usual part of existing URLs, ends at three bytes a character: a
    message that quotes a longer one could not be stored.
    """
    if url.get_backend_name() in {'mysql', 'mariadb'} and url.query.get('charset', 'utf8') in {'utf8', 'utf8mb3'}:
        url = url.update_query_dict({'charset': 'utf8mb4'})
    return url.render_as_string(hide_password=False)
