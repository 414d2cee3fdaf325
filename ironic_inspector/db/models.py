"""The tables, as the newest migration leaves them.

The first seven are those of ironic-inspector 12.5; what was added since says so.
"""

from __future__ import annotations

import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import mysql

from ironic_inspector.introspection_state import States

TIMESTAMP = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb')
"""UTC without an offset, to the microsecond (MySQL drops fractions unless told to keep them)."""
LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(charset='utf8mb4'), 'mysql', 'mariadb')
"""Text of any length and of any characters (MySQL's TEXT ends at 64 KiB, its utf8 at the basic plane)."""
STATE = sa.Enum(*States.ALL, name='node_state', create_constraint=False)


class Base(orm.DeclarativeBase):
    """Base of the tables."""

    __table_args__: Any = {'mysql_engine': 'InnoDB', 'mysql_charset': 'utf8mb3'}


class Node(Base):
    """A node that is or was on introspection."""

    __tablename__ = 'nodes'
    __table_args__ = (
        # The order of the list, and the same for the list of some states.
        sa.Index('ix_nodes_started_at_uuid', 'started_at', 'uuid'),
        sa.Index('ix_nodes_state_started_at_uuid', 'state', 'started_at', 'uuid'),
        Base.__table_args__,
    )

    uuid: orm.Mapped[str] = orm.mapped_column(sa.String(36), primary_key=True)
    version_id: orm.Mapped[str | None] = orm.mapped_column(sa.String(36), server_default='')
    """Changes with every transition: a writer that has seen an older one lost a race."""
    state: orm.Mapped[str] = orm.mapped_column(STATE, server_default=States.FINISHED)
    started_at: orm.Mapped[datetime.datetime | None] = orm.mapped_column(TIMESTAMP)
    finished_at: orm.Mapped[datetime.datetime | None] = orm.mapped_column(TIMESTAMP)
    error: orm.Mapped[str | None] = orm.mapped_column(LONG_TEXT)
    manage_boot: orm.Mapped[bool | None]
    attempt_id: orm.Mapped[str | None] = orm.mapped_column(sa.String(36))
    """The current or last attempt at introspection (new since 12.5)."""


class Attribute(Base):
    """Something a callback can be matched by: a MAC or the address of a BMC."""

    __tablename__ = 'attributes'
    __table_args__ = (
        sa.Index('ix_attributes_name_value', 'name', 'value'),
        sa.Index('ix_attributes_node_uuid', 'node_uuid'),
        Base.__table_args__,
    )

    uuid: orm.Mapped[str] = orm.mapped_column(sa.String(36), primary_key=True)
    node_uuid: orm.Mapped[str | None] = orm.mapped_column(
        sa.String(36), sa.ForeignKey('nodes.uuid', name='fk_node_attribute')
    )
    name: orm.Mapped[str] = orm.mapped_column(sa.String(255))
    value: orm.Mapped[str | None] = orm.mapped_column(sa.String(255))


class Option(Base):
    """A setting of one introspection, for plug-ins."""

    __tablename__ = 'options'

    uuid: orm.Mapped[str] = orm.mapped_column(sa.String(36), sa.ForeignKey('nodes.uuid'), primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(255), primary_key=True)
    value: orm.Mapped[str | None] = orm.mapped_column(sa.Text())


class Rule(Base):
    """An introspection rule."""

    __tablename__ = 'rules'

    uuid: orm.Mapped[str] = orm.mapped_column(sa.String(36), primary_key=True)
    created_at: orm.Mapped[datetime.datetime] = orm.mapped_column(TIMESTAMP)
    description: orm.Mapped[str | None] = orm.mapped_column(LONG_TEXT)
    disabled: orm.Mapped[bool | None]
    scope: orm.Mapped[str | None] = orm.mapped_column(
        sa.String(255).with_variant(mysql.VARCHAR(255, charset='utf8mb4'), 'mysql', 'mariadb')
    )
    priority: orm.Mapped[int] = orm.mapped_column(server_default='0')
    """Rules with a higher one come first (new since 12.5)."""
    sensitive: orm.Mapped[bool] = orm.mapped_column(server_default=sa.false())
    """Whether the values of the rule are secrets (new since 12.5)."""


class RuleCondition(Base):
    """A condition of a rule; `params` is JSON."""

    __tablename__ = 'rule_conditions'

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    rule: orm.Mapped[str | None] = orm.mapped_column(sa.String(36), sa.ForeignKey('rules.uuid'))
    op: orm.Mapped[str] = orm.mapped_column(sa.String(255))
    multiple: orm.Mapped[str] = orm.mapped_column(sa.String(255))
    field: orm.Mapped[str | None] = orm.mapped_column(LONG_TEXT)
    invert: orm.Mapped[bool | None]
    params: orm.Mapped[str | None] = orm.mapped_column(LONG_TEXT)
    loop: orm.Mapped[str | None] = orm.mapped_column(LONG_TEXT)
    """JSON (new since 12.5)."""


class RuleAction(Base):
    """An action of a rule; `params` is JSON."""

    __tablename__ = 'rule_actions'

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    rule: orm.Mapped[str | None] = orm.mapped_column(sa.String(36), sa.ForeignKey('rules.uuid'))
    action: orm.Mapped[str] = orm.mapped_column(sa.String(255))
    params: orm.Mapped[str | None] = orm.mapped_column(LONG_TEXT)
    loop: orm.Mapped[str | None] = orm.mapped_column(LONG_TEXT)
    """JSON (new since 12.5)."""


class RulesVersion(Base):
    """Which version of all rules is in force, in a single row with the id 1 (new since 12.5).

    Changes with every change of a rule: processes keep the rules compiled for as long as it stays.
    """

    __tablename__ = 'rules_version'
    __table_args__ = ({'mysql_engine': 'InnoDB', 'mysql_charset': 'utf8mb4'},)

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True, autoincrement=False)
    version: orm.Mapped[str] = orm.mapped_column(sa.String(36))


class IntrospectionData(Base):
    """What the ramdisk sent (`processed` false) or what the hooks made of it; `data` is JSON."""

    __tablename__ = 'introspection_data'

    uuid: orm.Mapped[str] = orm.mapped_column(sa.String(36), sa.ForeignKey('nodes.uuid'), primary_key=True)
    processed: orm.Mapped[bool] = orm.mapped_column(primary_key=True)
    data: orm.Mapped[str | None] = orm.mapped_column(LONG_TEXT)


class Transition(Base):
    """One step in the story of an attempt (new since 12.5)."""

    __tablename__ = 'transitions'
    __table_args__ = (
        sa.Index('ix_transitions_node_uuid_id', 'node_uuid', 'id'),
        {'mysql_engine': 'InnoDB', 'mysql_charset': 'utf8mb4'},
    )

    id: orm.Mapped[int] = orm.mapped_column(sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), primary_key=True)
    node_uuid: orm.Mapped[str] = orm.mapped_column(sa.String(36))
    attempt_id: orm.Mapped[str] = orm.mapped_column(sa.String(36))
    happened_at: orm.Mapped[datetime.datetime] = orm.mapped_column(TIMESTAMP)
    from_state: orm.Mapped[str | None] = orm.mapped_column(sa.String(16))
    """None: the node was not known before."""
    to_state: orm.Mapped[str] = orm.mapped_column(sa.String(16))
    event: orm.Mapped[str] = orm.mapped_column(sa.String(16))
    reason: orm.Mapped[str | None] = orm.mapped_column(LONG_TEXT)
