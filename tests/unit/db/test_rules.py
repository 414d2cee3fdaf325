"""Rules in the database, on each kind of it."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from concurrent import futures
import dataclasses
import datetime
import threading
from typing import Any

import pytest
import sqlalchemy as sa

from ironic_inspector.common import clock
from ironic_inspector.db import engine
from ironic_inspector.db import migration
from ironic_inspector.db import models
from ironic_inspector.db import rules
from tests import databases

UUIDS = [f'7d1f0a52-0000-4000-8000-00000000000{number}' for number in range(10)]
NOW = datetime.datetime(2026, 1, 31, 12, 22, 1, 123456)

CONDITION = rules.Condition('eq', 'data://a', {'value': 1})
ACTION = rules.Action('set-attribute', {'path': '/extra/x', 'value': None})
FULL = rules.Rule(
    uuid=UUIDS[0],
    description='Gerät 😀',
    scope='scope 😀',
    priority=-5,
    sensitive=True,
    disabled=True,
    conditions=(
        CONDITION,
        rules.Condition(
            'ge', 'node://x', {'value': [1.5, {'ä': None}]}, multiple='first', invert=True, loop='data://b'
        ),
        rules.Condition('is-empty', 'item://x', {}, loop=[]),
    ),
    actions=(ACTION, rules.Action('fail', {'message': 'x' * 50_000}, loop={'a': ['😀']}), ACTION),
)

Write = Callable[..., Any]


@pytest.fixture
def database(database_url: str) -> Iterator[engine.Database]:
    """A new database of each kind with the newest tables."""
    migration.upgrade(databases.configuration(database_url))
    with databases.opened(database_url) as opened:
        yield opened


@pytest.fixture
def write(database: engine.Database) -> Write:
    """Call a function of the module with a connection and more arguments, in a transaction of its own."""
    return lambda function, *arguments: database.write(lambda connection: function(connection, *arguments))


def rule(number: int, **changes: Any) -> rules.Rule:
    """Return one of several rules."""
    fields: dict[str, Any] = {'uuid': UUIDS[number], 'conditions': (), 'actions': (ACTION,)}
    return rules.Rule(**(fields | changes))


def listed(database: engine.Database) -> list[str]:
    return [found.uuid for found in database.read(rules.get_all)]


def rows(database: engine.Database, table: str) -> int:
    query = sa.select(sa.func.count()).select_from(models.Base.metadata.tables[table])
    return int(database.read(lambda connection: connection.scalar(query)) or 0)


def undated(found: rules.Rule | None) -> rules.Rule:
    assert found is not None
    assert found.created_at is not None
    return dataclasses.replace(found, created_at=None)


def test_a_rule_comes_back_as_it_was_written(database: engine.Database, write: Write) -> None:
    assert write(rules.add, rule(1)) is True
    assert write(rules.add, FULL) is True
    assert undated(database.read(lambda connection: rules.get(connection, FULL.uuid))) == FULL
    assert [undated(found) for found in database.read(rules.get_all)] == [rule(1), FULL]


def test_what_is_not_there(database: engine.Database, write: Write) -> None:
    assert database.read(rules.get_all) == []
    assert database.read(lambda connection: rules.get(connection, UUIDS[0])) is None
    assert write(rules.delete, UUIDS[0]) is False
    write(rules.delete_all)


def test_a_uuid_that_is_taken(database: engine.Database, write: Write) -> None:
    write(rules.add, rule(1))
    assert write(rules.add, rule(1, description='other')) is False
    assert [undated(found) for found in database.read(rules.get_all)] == [rule(1)]


def test_replacing(database: engine.Database, write: Write) -> None:
    for number in (1, 0, 2):
        write(rules.add, rule(number))
    before = database.read(lambda connection: rules.get(connection, FULL.uuid))
    assert before is not None
    write(rules.replace, FULL)
    assert database.read(lambda connection: rules.get(connection, FULL.uuid)) == dataclasses.replace(
        FULL, created_at=before.created_at
    )
    # Others are as they were, and it stays where it was.
    assert listed(database) == [UUIDS[1], UUIDS[0], UUIDS[2]]
    assert rows(database, 'rule_actions') == 3 + 2
    write(rules.replace, rule(0))
    assert rows(database, 'rule_conditions') == 0


def test_deleting(database: engine.Database, write: Write) -> None:
    for each in (FULL, rule(1), rule(2)):
        write(rules.add, each)
    assert write(rules.delete, FULL.uuid) is True
    assert listed(database) == [UUIDS[1], UUIDS[2]]
    assert (rows(database, 'rule_actions'), rows(database, 'rule_conditions')) == (2, 0)
    write(rules.delete_all)
    assert [rows(database, table) for table in ('rules', 'rule_actions', 'rule_conditions')] == [0, 0, 0]


def test_every_change_makes_a_new_version(database: engine.Database, write: Write) -> None:
    versions = [database.read(rules.version)]
    for function, *arguments in (
        (rules.add, rule(1)), (rules.replace, rule(1, scope='x')), (rules.delete, UUIDS[1]), (rules.delete_all,)
    ):  # fmt: skip
        write(function, *arguments)
        versions.append(database.read(rules.version))
        assert database.read(rules.version) == versions[-1]
    assert len(set(versions)) == 5


def test_a_change_that_fails_makes_none(database: engine.Database) -> None:
    before = database.read(rules.version)

    def fail(connection: sa.Connection) -> None:
        rules.add(connection, rule(1))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        database.write(fail)
    assert database.read(rules.version) == before
    assert listed(database) == []


# The order


def test_rules_created_at_one_moment_stay_in_order(
    database: engine.Database, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, 'utc_now', lambda: NOW)
    numbers = (5, 1, 9, 3)
    for number in numbers:
        write(rules.add, rule(number))
    monkeypatch.setattr(clock, 'utc_now', lambda: NOW - datetime.timedelta(hours=1))
    write(rules.add, rule(2))
    for number in (5, 9):
        write(rules.replace, rule(number, description='changed'))
    assert listed(database) == [UUIDS[number] for number in (*numbers, 2)]


def test_rules_that_12_5_created_within_a_second_stay_in_order(database_url: str) -> None:
    conf = databases.configuration(database_url)
    migration.upgrade(conf, migration.ADOPTED_REVISION)
    whole = NOW.replace(microsecond=0)
    later = whole + datetime.timedelta(seconds=1)
    with databases.connected(database_url) as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        for number, created_at in ((5, whole), (1, whole), (9, later), (3, whole)):
            connection.execute(tables.tables['rules'].insert(), {'uuid': UUIDS[number], 'created_at': created_at})
            action = {'rule': UUIDS[number], 'action': 'fail', 'params': '{"message": "x"}'}
            connection.execute(tables.tables['rule_actions'].insert(), action)
    migration.upgrade(conf)
    with databases.opened(database_url) as database:
        assert listed(database) == [UUIDS[number] for number in (5, 1, 3, 9)]
        assert len({found.created_at for found in database.read(rules.get_all)}) == 4
        database.write(lambda connection: rules.replace(connection, rule(5)))
        database.write(lambda connection: rules.add(connection, rule(0)))
        assert listed(database) == [UUIDS[number] for number in (5, 1, 3, 9, 0)]


def test_what_12_5_left_out(database: engine.Database) -> None:
    def write_as_12_5(connection: sa.Connection) -> None:
        values = {'uuid': UUIDS[1], 'created_at': NOW.isoformat(' ')}
        for statement in (
            'INSERT INTO rules (uuid, created_at) VALUES (:uuid, :created_at)',
            "INSERT INTO rule_conditions (rule, op, multiple, params) VALUES (:uuid, 'is-empty', 'any', NULL)",
            "INSERT INTO rule_actions (rule, action, params) VALUES (:uuid, 'fail', NULL)",
        ):
            connection.execute(sa.text(statement), values)

    database.write(write_as_12_5)
    (found,) = database.read(rules.get_all)
    assert undated(found) == rules.Rule(
        UUIDS[1], (rules.Condition('is-empty', '', {}),), (rules.Action('fail', {}),), disabled=False, scope=None
    )


# Several at once


def test_nobody_sees_half_a_rule(database: engine.Database) -> None:
    """One thread makes changes all the time, others never see a rule but with all of its parts."""
    stopping = threading.Event()
    whole = rule(1, conditions=(CONDITION,) * 3, actions=(ACTION,) * 3)
    other = rule(1, conditions=(CONDITION,) * 5, actions=(ACTION,) * 5)

    def change() -> None:
        for _ in range(30):
            database.write(lambda connection: rules.add(connection, whole))
            database.write(lambda connection: rules.replace(connection, other))
            database.write(lambda connection: rules.delete(connection, UUIDS[1]))
        stopping.set()

    def look() -> set[tuple[int, int]]:
        seen = set()
        while not stopping.is_set():
            seen |= {(len(each.conditions), len(each.actions)) for each in database.read(rules.get_all)}
        return seen

    with futures.ThreadPoolExecutor() as pool:
        looking = [pool.submit(look) for _ in range(2)]
        try:
            pool.submit(change).result(300)
        finally:
            stopping.set()
        assert {sizes for each in looking for sizes in each.result(60)} <= {(3, 3), (5, 5)}


def replace_if_there(connection: sa.Connection, each: rules.Rule) -> None:
    rules.begin_change(connection)
    if rules.get(connection, each.uuid):
        rules.replace(connection, each)


def test_changes_at_the_same_time_get_on_with_each_other(database: engine.Database) -> None:
    def change(number: int) -> None:
        each = rule(number, conditions=(CONDITION,) * 3, actions=(ACTION,) * 3)
        for _ in range(10):
            database.write(lambda connection: rules.add(connection, each))
            database.write(lambda connection: replace_if_there(connection, each))
            if number == 0:
                database.write(rules.delete_all)
            else:
                database.write(lambda connection: rules.delete(connection, UUIDS[1]))

    with futures.ThreadPoolExecutor() as pool:
        for done in [pool.submit(change, number) for number in range(4)]:
            done.result(300)
    found = database.read(rules.get_all)
    assert len({each.created_at for each in found}) == len(found)
    assert rows(database, 'rule_actions') == rows(database, 'rule_conditions') == 3 * len(found)


def test_one_of_several_gets_a_uuid(database: engine.Database) -> None:
    with futures.ThreadPoolExecutor() as pool:
        done = [
            pool.submit(lambda: database.write(lambda connection: rules.add(connection, rule(1)))) for _ in range(8)
        ]
        assert sorted(each.result(300) for each in done) == [False] * 7 + [True]
    assert rows(database, 'rule_actions') == 1
