"""The database under load and failures."""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
import threading
import traceback
from typing import Final
import uuid

from oslo_db import exception as db_exception
import pytest
import sqlalchemy as sa

from ironic_inspector.common import exceptions
from ironic_inspector.db import engine
from ironic_inspector.db import migration
from ironic_inspector.db import models
from ironic_inspector.db.engine import Database
from tests import databases

THREADS: Final = 200
SECONDS: Final = 60
CONNECTION_NUMBER: Final = {'mysql': 'SELECT CONNECTION_ID()', 'postgresql': 'SELECT pg_backend_pid()'}
KILL: Final = {'mysql': 'KILL {}', 'postgresql': 'SELECT pg_terminate_backend({}, 5000)'}


def add_node(connection: sa.Connection) -> str:
    """Add a node and return its UUID."""
    node = str(uuid.uuid4())
    connection.execute(sa.insert(models.Node).values(uuid=node, state='waiting'))
    return node


def count_nodes(connection: sa.Connection) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(models.Node)).scalar_one()


def set_error(connection: sa.Connection, node: str, error: str) -> None:
    connection.execute(sa.update(models.Node).where(models.Node.uuid == node).values(error=error))


def errors(connection: sa.Connection) -> dict[str, str | None]:
    rows = connection.execute(sa.select(models.Node.uuid, models.Node.error))
    return {row.uuid: row.error for row in rows}


def number_of(connection: sa.Connection) -> int:
    """Return the server's number for `connection`."""
    return int(connection.exec_driver_sql(CONNECTION_NUMBER[connection.dialect.name]).scalar_one())


def kill(url: str, number: int) -> None:
    """Let the server of the database at `url` end the connection with this number."""
    with databases.connected(url) as connection:
        connection.exec_driver_sql(KILL[connection.dialect.name].format(number))


def in_parallel(number: int, work: Callable[[int], None]) -> None:
    """Run `work` in as many threads at once, each with its number; the first exception in any is raised."""
    barrier = threading.Barrier(number)

    def run(index: int) -> None:
        barrier.wait(SECONDS)
        work(index)

    with futures.ThreadPoolExecutor(number) as pool:
        for done in futures.as_completed([pool.submit(run, index) for index in range(number)]):
            done.result()


def read_then_write(connection: sa.Connection) -> None:
    """Write what depends on what was read: the order in which SQLite refuses to wait for other writers."""
    node = add_node(connection)
    set_error(connection, node, f'number {count_nodes(connection)}')


def test_many_threads_never_find_sqlite_locked(sqlite_url: str) -> None:
    migration.upgrade(databases.configuration(sqlite_url))
    with databases.opened(sqlite_url, db_max_retries=0) as database:

        def work(_index: int) -> None:
            database.read(count_nodes)
            database.write(read_then_write)
            assert database.read(count_nodes) >= 1

        in_parallel(THREADS, work)

        # Each saw all who were before it, and nobody saw the same.
        assert {str(error) for error in database.read(errors).values()} == {f'number {n + 1}' for n in range(THREADS)}


def test_sqlite_that_somebody_else_holds_for_too_long(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    migration.upgrade(databases.configuration(sqlite_url))
    monkeypatch.setattr(engine, 'SQLITE_BUSY_TIMEOUT_MS', 10)
    with databases.opened(sqlite_url) as one, databases.opened(sqlite_url) as other:

        def try_it(connection: sa.Connection) -> None:
            node = add_node(connection)
            with pytest.raises(exceptions.Overloaded, match='Another process has been writing'):
                other.write(add_node)
            set_error(connection, node, 'written')

        one.write(try_it)
        other.write(add_node)
        assert other.read(count_nodes) == 2


def test_threads_wait_for_each_other_no_longer_than_for_other_processes(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migration.upgrade(databases.configuration(sqlite_url))
    monkeypatch.setattr(engine, 'SQLITE_BUSY_TIMEOUT_MS', 10)
    writing, gone = threading.Event(), threading.Event()

    def write(connection: sa.Connection) -> str:
        writing.set()
        assert gone.wait(SECONDS)
        return add_node(connection)

    with databases.opened(sqlite_url) as database, futures.ThreadPoolExecutor(5) as pool:
        first = pool.submit(database.write, write)
        assert writing.wait(SECONDS)
        others = [pool.submit(database.write, add_node) for _ in range(4)]
        try:
            failures = [other.exception(SECONDS) for other in others]
        finally:
            gone.set()
        assert [type(failure) for failure in failures] == [exceptions.Overloaded] * 4
        node = first.result(SECONDS)
        assert database.read(errors) == {node: None}


def test_who_has_waited_for_a_thread_waits_less_for_another_process(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migration.upgrade(databases.configuration(sqlite_url))
    monkeypatch.setattr(engine, 'SQLITE_BUSY_TIMEOUT_MS', 3_600_000)
    with (
        databases.opened(sqlite_url) as one,
        databases.opened(sqlite_url) as other,
        other.engine.connect() as waiting,
        futures.ThreadPoolExecutor(1) as pool,
    ):

        def try_it(_connection: sa.Connection) -> None:
            # Nothing is left of the time.
            failure = pool.submit(engine._begin_alone, waiting, 0).exception(SECONDS)
            assert isinstance(failure, exceptions.Overloaded)

        one.write(try_it)
        engine._begin_alone(waiting, 0)
        add_node(waiting)
        waiting.commit()
        # The next one has all the time again.
        assert waiting.exec_driver_sql('PRAGMA busy_timeout').scalar() == engine.SQLITE_BUSY_TIMEOUT_MS
        assert one.read(count_nodes) == 1


def test_processes_wait_for_each_other_on_sqlite(sqlite_url: str) -> None:
    migration.upgrade(databases.configuration(sqlite_url))
    with (
        databases.opened(sqlite_url, db_max_retries=0) as one,
        databases.opened(sqlite_url, db_max_retries=0) as other,
    ):
        # Two of these share no lock in memory, like two processes.
        in_parallel(20, lambda index: (one, other)[index % 2].write(read_then_write))

        assert one.read(count_nodes) == 20


def test_reading_goes_on_while_sqlite_is_written(sqlite_url: str) -> None:
    migration.upgrade(databases.configuration(sqlite_url))
    with databases.opened(sqlite_url) as database:

        def write(connection: sa.Connection) -> None:
            add_node(connection)
            assert database.read(count_nodes) == 0

        database.write(write)

        assert database.read(count_nodes) == 1


def test_sqlite_uses_a_write_ahead_log_and_foreign_keys(sqlite_url: str) -> None:
    migration.upgrade(databases.configuration(sqlite_url))
    with databases.opened(sqlite_url) as database:
        assert database.read(lambda connection: connection.exec_driver_sql('PRAGMA journal_mode').scalar()) == 'wal'
        with pytest.raises(db_exception.DBReferenceError):
            database.write(
                lambda connection: connection.execute(
                    sa.insert(models.Attribute).values(uuid='a', node_uuid='nobody', name='mac', value='x')
                )
            )


def test_failure_rolls_everything_back(database_url: str) -> None:
    migration.upgrade(databases.configuration(database_url))

    def fail(connection: sa.Connection) -> None:
        add_node(connection)
        raise LookupError

    with databases.opened(database_url) as database:
        with pytest.raises(LookupError):
            database.write(fail)

        assert database.read(count_nodes) == 0


def test_deadlock_is_tried_again(server_database_url: str) -> None:
    migration.upgrade(databases.configuration(server_database_url))
    with databases.opened(server_database_url) as database:
        nodes = [database.write(add_node) for _ in range(2)]
        both_hold_a_row = threading.Barrier(2)
        attempts: list[int] = []

        def cross(index: int) -> None:
            is_first = True

            def update(connection: sa.Connection) -> None:
                nonlocal is_first
                attempts.append(index)
                set_error(connection, nodes[index], f'by {index}')
                if is_first:
                    is_first = False
                    both_hold_a_row.wait(SECONDS)
                set_error(connection, nodes[1 - index], f'by {index}')

            database.write(update)

        in_parallel(2, cross)

        assert len(attempts) > 2
        # One came last, with both of its updates.
        assert len(set(database.read(errors).values())) == 1


@pytest.mark.parametrize('read', [True, False])
def test_connection_killed_between_transactions(server_database_url: str, read: bool) -> None:
    migration.upgrade(databases.configuration(server_database_url))
    with databases.opened(server_database_url, max_pool_size=1, max_overflow=0) as database:
        kill(server_database_url, database.read(number_of))

        if not read:
            database.write(add_node)
        assert database.read(count_nodes) == (0 if read else 1)


def test_connection_killed_in_a_transaction(server_database_url: str) -> None:
    migration.upgrade(databases.configuration(server_database_url))
    attempts = []

    def killed_once(connection: sa.Connection) -> None:
        attempts.append(add_node(connection))
        if len(attempts) == 1:
            kill(server_database_url, number_of(connection))
        add_node(connection)

    with databases.opened(server_database_url) as database:
        database.write(killed_once)

        assert len(attempts) == 2
        assert database.read(count_nodes) == 2


@pytest.mark.parametrize('query', ['', '?charset=utf8', '?charset=utf8mb4'])
def test_message_with_any_character_and_any_length(mariadb_url: str, query: str) -> None:
    migration.upgrade(databases.configuration(mariadb_url + query))
    message = 'The BMC says \N{COLLISION SYMBOL}. ' * 10_000
    with databases.opened(mariadb_url + query) as database:
        node = database.write(add_node)
        database.write(lambda connection: set_error(connection, node, message))

        assert database.read(errors) == {node: message}


def test_failures_do_not_tell_parameters(database_url: str) -> None:
    migration.upgrade(databases.configuration(database_url))
    secret = str(uuid.uuid4())

    def fail(connection: sa.Connection) -> None:
        values = {'uuid': 'a', 'node_uuid': 'nobody', 'name': 'mac', 'value': secret}
        connection.execute(sa.insert(models.Attribute).values(**values))

    with databases.opened(database_url) as database:
        with pytest.raises(db_exception.DBReferenceError) as raised:
            database.write(fail)

        # As a log would show it, with what it was caused by.
        shown = ''.join(traceback.format_exception(raised.value))
        assert 'INSERT INTO attributes' in shown
        assert secret not in shown


def test_unusable_url_is_an_error_at_once() -> None:
    with pytest.raises(sa.exc.ArgumentError):
        Database(databases.configuration('nonsense'))
