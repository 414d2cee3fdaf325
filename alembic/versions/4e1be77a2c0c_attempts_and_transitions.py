"""Attempts, their transitions, and what MySQL left out

Each introspection of a node is an attempt with an id, and each of its transitions a row. Indexes for the order of the
list and for the look-up by attribute. On MySQL times keep their microseconds, messages may be long, and messages and
data may hold any character.

Revision: 4e1be77a2c0c
Follows: b55109d5063a
"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

revision = '4e1be77a2c0c'
down_revision = 'b55109d5063a'
branch_labels = None
depends_on = None

TIMESTAMP = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb')
MESSAGE = sa.Text().with_variant(mysql.LONGTEXT(charset='utf8mb4'), 'mysql', 'mariadb')
INDEXES = {
    'ix_nodes_started_at_uuid': ('nodes', ['started_at', 'uuid']),
    'ix_nodes_state_started_at_uuid': ('nodes', ['state', 'started_at', 'uuid']),
    'ix_attributes_name_value': ('attributes', ['name', 'value']),
    'ix_attributes_node_uuid': ('attributes', ['node_uuid']),
    'ix_transitions_node_uuid_id': ('transitions', ['node_uuid', 'id']),
}


def upgrade() -> None:
    """Add what is not there yet.

    MySQL commits each step by itself: there an interrupted run may have left some.
    """
    inspector = sa.inspect(op.get_bind())
    if op.get_bind().dialect.name in ('mysql', 'mariadb'):
        for table, column, kind, nullable in (
            ('nodes', 'started_at', TIMESTAMP, True),
            ('nodes', 'finished_at', TIMESTAMP, True),
            ('nodes', 'error', MESSAGE, True),
            ('introspection_data', 'data', MESSAGE, True),
            ('rules', 'created_at', TIMESTAMP, False),
        ):
            op.alter_column(table, column, type_=kind, existing_nullable=nullable)
    if 'attempt_id' not in {column['name'] for column in inspector.get_columns('nodes')}:
        op.add_column('nodes', sa.Column('attempt_id', sa.String(36)))
    if not inspector.has_table('transitions'):
        _create_transitions()
    for name, (table, columns) in INDEXES.items():
        if not inspector.has_index(table, name):
            op.create_index(name, table, columns)


def _create_transitions() -> None:
    op.create_table(
        'transitions',
        sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), primary_key=True),
        sa.Column('node_uuid', sa.String(36), nullable=False),
        sa.Column('attempt_id', sa.String(36), nullable=False),
        sa.Column('happened_at', TIMESTAMP, nullable=False),
        sa.Column('from_state', sa.String(16)),
        sa.Column('to_state', sa.String(16), nullable=False),
        sa.Column('event', sa.String(16), nullable=False),
        sa.Column('reason', MESSAGE),
        mysql_engine='InnoDB',
        mysql_charset='utf8mb4',
    )
