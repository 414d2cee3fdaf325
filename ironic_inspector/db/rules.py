"""Queries about introspection rules. Each takes a connection and is part of its transaction."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import datetime
import json
from typing import Any
from typing import Final
import uuid

import sqlalchemy as sa

from ironic_inspector.common import clock
from ironic_inspector.db import models


@dataclasses.dataclass(frozen=True)
class Condition:
    """A condition as it was written."""

    op: str
    field: str
    """A JSON path, with its scheme."""
    params: dict[str, Any]
    multiple: str = 'any'
    invert: bool = False
    loop: Any = None

    @property
    def name(self) -> str:
        """The condition in messages."""
        return self.op


@dataclasses.dataclass(frozen=True)
class Action:
    """An action as it was written."""

    action: str
    params: dict[str, Any]
    loop: Any = None

    @property
    def name(self) -> str:
        """The action in messages."""
        return self.action


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule as it was written."""

    uuid: str
    conditions: Sequence[Condition]
    actions: Sequence[Action]
    description: str | None = None
    scope: str | None = None
    priority: int = 0
    """Rules with a higher one come first."""
    sensitive: bool = False
    """Whether the values in the rule are secrets: they are shown to nobody and written to no log."""
    disabled: bool = False
    built_in: bool = False
    """Whether it stands in a file, and not in the database."""
    created_at: datetime.datetime | None = None

    @property
    def name(self) -> str:
        """The rule in messages."""
        return f'{self.uuid} ({self.description[:100]})' if self.description else self.uuid


_TABLES: Final = models.Base.metadata.tables
_RULES: Final = _TABLES['rules']
_CONDITIONS: Final = _TABLES['rule_conditions']
_ACTIONS: Final = _TABLES['rule_actions']
_VERSION: Final = _TABLES['rules_version']
_MOMENT: Final = datetime.timedelta(microseconds=1)
_GET_VERSION: Final = sa.select(_VERSION.c.version).where(_VERSION.c.id == 1)


def version(connection: sa.Connection) -> str:
    """Return the version of all rules, which changes whenever one of them does."""
    return str(connection.execute(_GET_VERSION).scalar_one())


def begin_change(connection: sa.Connection) -> None:
    """Give the rules a new version, and let no other transaction change one before this one has ended.

    It comes first in each change: so they follow one another, none sees the half of another one, and none waits for
    what a second one has while that waits for it.
    """
    connection.execute(_VERSION.update().where(_VERSION.c.id == 1), {'version': str(uuid.uuid4())})


def get(connection: sa.Connection, rule_uuid: str) -> Rule | None:
    """Return a rule, None if there is none with that UUID."""
    found = _read(connection, rule_uuid)
    return found[0] if found else None


def get_all(connection: sa.Connection) -> list[Rule]:
    """Return all rules in the order in which they were created."""
    return _read(connection, None)


def add(connection: sa.Connection, rule: Rule) -> bool:
    """Add a rule, as the newest one; return False, and add nothing, if there is one with its UUID."""
    begin_change(connection)
    if connection.scalar(sa.select(_RULES.c.uuid).where(_RULES.c.uuid == rule.uuid)) is not None:
        return False
    newest = connection.scalar(sa.select(sa.func.max(_RULES.c.created_at)))
    # Whatever the clock says: the time of creation is the order in which rules apply.
    created_at = clock.utc_now() if newest is None else max(clock.utc_now(), newest + _MOMENT)
    connection.execute(_RULES.insert(), _row(rule) | {'uuid': rule.uuid, 'created_at': created_at})
    _add_parts(connection, rule)
    return True


def replace(connection: sa.Connection, rule: Rule) -> None:
    """Write a rule in the place of the one with its UUID, which keeps its time of creation."""
    begin_change(connection)
    connection.execute(_RULES.update().where(_RULES.c.uuid == rule.uuid), _row(rule))
    _delete_parts(connection, rule.uuid)
    _add_parts(connection, rule)


def delete(connection: sa.Connection, rule_uuid: str) -> bool:
    """Delete a rule; return whether there was one with that UUID."""
    begin_change(connection)
    _delete_parts(connection, rule_uuid)
    return bool(connection.execute(_RULES.delete().where(_RULES.c.uuid == rule_uuid)).rowcount)


def delete_all(connection: sa.Connection) -> None:
    """Delete all rules."""
    begin_change(connection)
    for table in (_CONDITIONS, _ACTIONS, _RULES):
        connection.execute(table.delete())


def _read(connection: sa.Connection, rule_uuid: str | None) -> list[Rule]:
    # Each query may see what has been committed since the one before it: a rule without its conditions, say.
    before = version(connection)
    while True:
        rules = _read_once(connection, rule_uuid)
        after = version(connection)
        if after == before:
            return rules
        before = after


def _read_once(connection: sa.Connection, rule_uuid: str | None) -> list[Rule]:
    query = _RULES.select().order_by(_RULES.c.created_at, _RULES.c.uuid)
    if rule_uuid is not None:
        query = query.where(_RULES.c.uuid == rule_uuid)
    rows = connection.execute(query).mappings().all()
    conditions = _parts(connection, _CONDITIONS, rule_uuid)
    actions = _parts(connection, _ACTIONS, rule_uuid)
    return [_rule(row, conditions.get(row['uuid'], ()), actions.get(row['uuid'], ())) for row in rows]


def _parts(connection: sa.Connection, table: sa.Table, rule_uuid: str | None) -> Mapping[str, list[sa.RowMapping]]:
    """Return conditions or actions by the UUID of their rule, in their order."""
    query = table.select().order_by(table.c.id)
    if rule_uuid is not None:
        query = query.where(table.c.rule == rule_uuid)
    parts: dict[str, list[sa.RowMapping]] = {}
    for row in connection.execute(query).mappings():
        parts.setdefault(row['rule'], []).append(row)
    return parts


def _rule(row: sa.RowMapping, conditions: Collection[sa.RowMapping], actions: Collection[sa.RowMapping]) -> Rule:
    return Rule(
        uuid=row['uuid'],
        description=row['description'],
        scope=row['scope'],
        priority=row['priority'],
        sensitive=bool(row['sensitive']),
        disabled=bool(row['disabled']),
        created_at=row['created_at'],
        conditions=tuple(
            Condition(
                op=part['op'],
                field=part['field'] or '',
                multiple=part['multiple'],
                invert=bool(part['invert']),
                params=_loaded(part['params']) or {},
                loop=_loaded(part['loop']),
            )
            for part in conditions
        ),
        actions=tuple(
            Action(action=part['action'], params=_loaded(part['params']) or {}, loop=_loaded(part['loop']))
            for part in actions
        ),
    )


def _row(rule: Rule) -> dict[str, Any]:
    return {
        'description': rule.description,
        'scope': rule.scope,
        'priority': rule.priority,
        'sensitive': rule.sensitive,
        'disabled': rule.disabled,
    }


def _add_parts(connection: sa.Connection, rule: Rule) -> None:
    _insert(
        connection,
        _CONDITIONS,
        [
            {
                'rule': rule.uuid,
                'op': item.op,
                'field': item.field,
                'multiple': item.multiple,
                'invert': item.invert,
                'params': json.dumps(item.params),
                'loop': _dumped(item.loop),
            }
            for item in rule.conditions
        ],
    )
    _insert(
        connection,
        _ACTIONS,
        [
            {
                'rule': rule.uuid,
                'action': item.action,
                'params': json.dumps(item.params),
                'loop': _dumped(item.loop),
            }
            for item in rule.actions
        ],
    )


def _insert(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    # One by one: their numbers have to be in their order, which nobody promises for many at once.
    for row in rows:
        connection.execute(table.insert(), row)


def _delete_parts(connection: sa.Connection, rule_uuid: str) -> None:
    for table in (_CONDITIONS, _ACTIONS):
        connection.execute(table.delete().where(table.c.rule == rule_uuid))


def _dumped(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def _loaded(value: str | None) -> Any:
    return None if value is None else json.loads(value)
