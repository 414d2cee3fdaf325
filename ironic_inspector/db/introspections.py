"""Queries about introspections. Each takes a connection and is part of its transaction.

The statements that every introspection needs are built once: building one takes ten times as long as running it.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import datetime
from typing import Any
from typing import Final
import uuid

import sqlalchemy as sa

from ironic_inspector.db import models
from ironic_inspector.introspection_state import States

BATCH = 500
"""Most values in one IN list: below the limits of every database."""


@dataclasses.dataclass(frozen=True)
class Introspection:
    """The record of a node as it stood when it was read. Times are UTC without an offset."""

    uuid: str
    state: str
    version_id: str | None
    started_at: datetime.datetime | None
    finished_at: datetime.datetime | None
    error: str | None
    manage_boot: bool | None
    attempt_id: str | None


@dataclasses.dataclass(frozen=True)
class Step:
    """A transition to be recorded."""

    happened_at: datetime.datetime
    attempt_id: str
    from_state: str | None
    to_state: str
    event: str
    reason: str | None


_TABLES: Final = models.Base.metadata.tables
_NODES: Final = _TABLES['nodes'].c
_ATTRIBUTES: Final = _TABLES['attributes'].c
_OPTIONS: Final = _TABLES['options'].c
_DATA: Final = _TABLES['introspection_data'].c
_TRANSITIONS: Final = _TABLES['transitions'].c
_RECORD: Final = [_NODES[field.name] for field in dataclasses.fields(Introspection)]

_GET: Final = sa.select(*_RECORD).where(_NODES.uuid == sa.bindparam('node_uuid'))
_ANY_NODE: Final = sa.select(_NODES.uuid).limit(1)
_COUNT_STATES: Final = sa.select(_NODES.state, sa.func.count()).group_by(_NODES.state)
_LAST_STEP_AT: Final = (
    sa.select(_TRANSITIONS.happened_at)
    .where(_TRANSITIONS.node_uuid == sa.bindparam('node_uuid'))
    .order_by(_TRANSITIONS.id.desc())
    .limit(1)
)
_INSERT_NODE: Final = sa.insert(_TABLES['nodes'])
_INSERT_STEP: Final = sa.insert(_TABLES['transitions'])
_INSERT_ATTRIBUTE: Final = sa.insert(_TABLES['attributes'])
_INSERT_DATA: Final = sa.insert(_TABLES['introspection_data'])
_UPDATE_NODE: Final = (
    sa.update(_TABLES['nodes'])
    .where(
        _NODES.uuid == sa.bindparam('node_uuid'),
        _NODES.state == sa.bindparam('known_state'),
        # ironic-inspector 12.5 could leave it empty.
        sa.func.coalesce(_NODES.version_id, '') == sa.bindparam('known_version'),
    )
    .values({field.name: sa.bindparam(f'new_{field.name}') for field in dataclasses.fields(Introspection)})
)
_DELETE_ATTRIBUTES: Final = sa.delete(_TABLES['attributes']).where(_ATTRIBUTES.node_uuid == sa.bindparam('node_uuid'))
_DELETE_OPTIONS: Final = sa.delete(_TABLES['options']).where(_OPTIONS.uuid == sa.bindparam('node_uuid'))
_MATCHES: Final = (
    sa.select(_ATTRIBUTES.name, _ATTRIBUTES.value, _ATTRIBUTES.node_uuid)
    .where(
        _ATTRIBUTES.name == sa.bindparam('attribute'),
        _ATTRIBUTES.value.in_(sa.bindparam('values', expanding=True)),
    )
    .distinct()
)
_GET_DATA: Final = sa.select(_DATA.data).where(
    _DATA.uuid == sa.bindparam('node_uuid'), _DATA.processed == sa.bindparam('which')
)
_UPDATE_DATA: Final = (
    sa.update(_TABLES['introspection_data'])
    .where(_DATA.uuid == sa.bindparam('node_uuid'), _DATA.processed == sa.bindparam('which'))
    .values(data=sa.bindparam('text'))
)


def get(connection: sa.Connection, node_uuid: str) -> Introspection | None:
    """Return the record of a node, None if there is none."""
    row = connection.execute(_GET, {'node_uuid': node_uuid}).first()
    return Introspection(*row) if row else None


def insert(connection: sa.Connection, record: Introspection, step: Step) -> None:
    """Add a node; oslo.db's DBDuplicateEntry if it is known."""
    connection.execute(_INSERT_NODE, vars(record))
    _record_step(connection, record.uuid, step)


def update(connection: sa.Connection, before: Introspection, after: Introspection, step: Step) -> bool:
    """Replace the record `before` by `after` if it still stands as it was read; tell whether it did.

    Lookup attributes go when the introspection ends, attributes and options when it starts anew.
    """
    parameters = {f'new_{name}': value for name, value in vars(after).items()}
    parameters |= {
        'node_uuid': before.uuid,
        'known_state': before.state,
        'known_version': before.version_id or '',
    }
    if connection.execute(_UPDATE_NODE, parameters).rowcount == 0:
        # A repeat, after the connection was lost while this very change was committed, has nothing left to do.
        current = get(connection, before.uuid)
        return current is not None and current.version_id == after.version_id
    if after.state in States.ENDED or after.state == States.STARTING:
        delete_attributes(connection, before.uuid)
    if after.state == States.STARTING:
        connection.execute(_DELETE_OPTIONS, {'node_uuid': before.uuid})
    _record_step(connection, before.uuid, step)
    return True


def _record_step(connection: sa.Connection, node_uuid: str, step: Step) -> None:
    connection.execute(_INSERT_STEP, {'node_uuid': node_uuid, **vars(step)})


def last_step(connection: sa.Connection, node_uuid: str) -> Step | None:
    """Return the newest recorded transition of a node, None if there is none."""
    columns = [_TRANSITIONS[field.name] for field in dataclasses.fields(Step)]
    query = sa.select(*columns).where(models.Transition.node_uuid == node_uuid).order_by(models.Transition.id.desc())
    row = connection.execute(query.limit(1)).first()
    return Step(*row) if row else None


def last_step_at(connection: sa.Connection, node_uuid: str) -> datetime.datetime | None:
    """Return when the newest recorded transition of a node happened, None if there is none."""
    return connection.scalars(_LAST_STEP_AT, {'node_uuid': node_uuid}).first()


def has_any(connection: sa.Connection) -> bool:
    """Return whether there is a node at all: the least that can be asked of the database's tables."""
    return connection.execute(_ANY_NODE).first() is not None


def count_by_state(connection: sa.Connection) -> dict[str, int]:
    """Return how many nodes there are in each state that has any."""
    return {state: count for state, count in connection.execute(_COUNT_STATES)}  # noqa: C416 (see options)


def delete(connection: sa.Connection, node_uuids: Iterable[str]) -> None:
    """Drop nodes with all that belongs to them."""
    for batch in _batches(node_uuids):
        for owner in (
            models.Attribute.node_uuid,
            models.Option.uuid,
            models.IntrospectionData.uuid,
            models.Transition.node_uuid,
            models.Node.uuid,
        ):
            connection.execute(sa.delete(owner.class_).where(owner.in_(batch)))


def uuids(connection: sa.Connection) -> list[str]:
    """Return the UUIDs of all nodes."""
    return list(connection.scalars(sa.select(models.Node.uuid)))


def in_states(
    connection: sa.Connection, states: Iterable[str], started_before: datetime.datetime | None = None
) -> list[Introspection]:
    """Return the nodes in one of `states`, if given only those whose introspection started before a time."""
    query = sa.select(*_RECORD).where(models.Node.state.in_(sorted(states)))
    if started_before is not None:
        query = query.where(models.Node.started_at < started_before)
    return [Introspection(*row) for row in connection.execute(query)]


def page(
    connection: sa.Connection, limit: int, marker: Introspection | None = None, states: Sequence[str] = ()
) -> list[Introspection]:
    """Return at most `limit` records after `marker`, newest `started_at` first, then by UUID descending.

    Records without `started_at` come last, whatever the database thinks of the order of NULL.
    """
    node = models.Node
    query = sa.select(*_RECORD)
    if states:
        query = query.where(node.state.in_(states))
    started = query.where(node.started_at.is_not(None)).order_by(node.started_at.desc(), node.uuid.desc())
    never_started = query.where(node.started_at.is_(None)).order_by(node.uuid.desc())
    rows: list[Any] = []
    if marker is None or marker.started_at is not None:
        if marker is not None:
            # The first comparison is what an index can be used for.
            started = started.where(
                node.started_at <= marker.started_at,
                sa.or_(node.started_at < marker.started_at, node.uuid < marker.uuid),
            )
        rows += connection.execute(started.limit(limit)).all()
    else:
        never_started = never_started.where(node.uuid < marker.uuid)
    if len(rows) < limit:
        rows += connection.execute(never_started.limit(limit - len(rows))).all()
    return [Introspection(*row) for row in rows]


def delete_attributes(connection: sa.Connection, node_uuid: str) -> None:
    """Drop the lookup attributes of a node."""
    connection.execute(_DELETE_ATTRIBUTES, {'node_uuid': node_uuid})


def add_attributes(connection: sa.Connection, node_uuid: str, attributes: Mapping[str, Iterable[str]]) -> None:
    """Add lookup attributes, as lists of values by name."""
    rows = [
        {'uuid': str(uuid.uuid4()), 'node_uuid': node_uuid, 'name': name, 'value': value}
        for name, values in attributes.items()
        for value in values
    ]
    if rows:
        connection.execute(_INSERT_ATTRIBUTE, rows)


def attributes(connection: sa.Connection, node_uuid: str) -> dict[str, list[str]]:
    """Return the lookup attributes of a node, as lists of values by name."""
    query = sa.select(models.Attribute.name, models.Attribute.value).where(models.Attribute.node_uuid == node_uuid)
    found: dict[str, list[str]] = {}
    for name, value in connection.execute(query):
        found.setdefault(name, []).append(value or '')
    return found


def count_matches(connection: sa.Connection, attributes: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Return the UUIDs of the nodes that have at least one of the attributes, with how many of them."""
    matches: dict[str, int] = {}
    for name, values in attributes.items():
        for batch in _batches(values):
            found = connection.execute(_MATCHES, {'attribute': name, 'values': batch})
            for _name, _value, node_uuid in found:
                matches[node_uuid] = matches.get(node_uuid, 0) + 1
    return matches


def values_of(connection: sa.Connection, name: str) -> set[str]:
    """Return the lookup attributes called `name` of all nodes on introspection: with 'mac', the MACs that may boot."""
    query = (
        sa.select(models.Attribute.value)
        .join(models.Node, models.Node.uuid == models.Attribute.node_uuid)
        .where(models.Attribute.name == name, models.Node.state.in_(sorted(States.ACTIVE)))
    )
    return {value for value in connection.scalars(query) if value}


def options(connection: sa.Connection, node_uuid: str) -> dict[str, str | None]:
    """Return the options of a node as they are stored, by name."""
    query = sa.select(models.Option.name, models.Option.value).where(models.Option.uuid == node_uuid)
    return {name: value for name, value in connection.execute(query)}  # noqa: C416 (a Row is no pair to mypy)


def set_option(connection: sa.Connection, node_uuid: str, name: str, value: str) -> None:
    """Store an option of a node, in place of the one it had by that name."""
    key = (models.Option.uuid == node_uuid) & (models.Option.name == name)
    connection.execute(sa.delete(models.Option).where(key))
    connection.execute(sa.insert(models.Option).values(uuid=node_uuid, name=name, value=value))


def get_data(connection: sa.Connection, node_uuid: str, *, processed: bool) -> str | None:
    """Return the stored data of a node as JSON text, None if there are none."""
    text: str | None = connection.scalars(_GET_DATA, {'node_uuid': node_uuid, 'which': processed}).first()
    return text


def set_data(connection: sa.Connection, node_uuid: str, data: str, *, processed: bool) -> None:
    """Store the data of a node, JSON text, in place of those it had."""
    parameters = {'node_uuid': node_uuid, 'which': processed, 'text': data}
    if connection.execute(_UPDATE_DATA, parameters).rowcount == 0:
        connection.execute(_INSERT_DATA, {'uuid': node_uuid, 'processed': processed, 'data': data})


def _batches(values: Iterable[str]) -> Iterable[list[str]]:
    everything = list(values)
    for start in range(0, len(everything), BATCH):
        yield everything[start : start + BATCH]
