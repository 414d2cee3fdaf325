"""The tables of ironic-inspector 12.5

This is where the migrations of 12.5 end, under the same revision, so that a database which 12.5 left goes on from here.
A column or name that looks odd is one of 12.5's.

Revision: b55109d5063a
Follows: nothing
"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

revision = 'b55109d5063a'
down_revision = None
branch_labels = None
depends_on = None

STATES = (
    'starting',
    'waiting',
    'processing',
    'finished',
    'error',
    'reapplying',
    'enrolling',
    'aborting',
)
MYSQL = {'mysql_engine': 'InnoDB', 'mysql_charset': 'utf8mb3'}


def upgrade() -> None:
    """Create the tables that do not exist yet.

    MySQL commits each by itself: there an interrupted run may have left some.
    """
    define_tables(op.get_bind().dialect.name).create_all(op.get_bind())


def define_tables(dialect: str) -> sa.MetaData:
    """Return the tables as 12.5's own migrations leave them in a database of this `dialect`."""
    metadata = sa.MetaData()
    _define_nodes(metadata, is_sqlite=dialect == 'sqlite')
    _define_rules(metadata)
    return metadata


def _define_nodes(metadata: sa.MetaData, *, is_sqlite: bool) -> None:
    sa.Table(
        'nodes',
        metadata,
        sa.Column('uuid', sa.String(36), primary_key=True),
        sa.Column('error', sa.Text()),
        sa.Column('version_id', sa.String(36), server_default=sa.text("('')") if is_sqlite else ''),
        sa.Column(
            'state',
            sa.Enum(*STATES, name='node_state', create_constraint=False),
            nullable=False,
            server_default='finished',
        ),
        sa.Column('started_at', sa.DateTime()),
        sa.Column('finished_at', sa.DateTime()),
        sa.Column('manage_boot', sa.Boolean(create_constraint=False)),
        **MYSQL,
    )
    sa.Table(
        'attributes',
        metadata,
        sa.Column('name', sa.String(255), nullable=False),
        sa.Column('value', sa.String(255)),
        sa.Column('uuid', sa.String(36), nullable=True),
        sa.Column('node_uuid', sa.String(36), sa.ForeignKey('nodes.uuid', name='fk_node_attribute')),
        sa.PrimaryKeyConstraint('uuid', name='pk_attributes' if is_sqlite else None),
        **MYSQL,
    )
    sa.Table(
        'options',
        metadata,
        sa.Column('uuid', sa.String(36), sa.ForeignKey('nodes.uuid'), primary_key=True),
        sa.Column('name', sa.String(255), primary_key=True),
        sa.Column('value', sa.Text()),
        **MYSQL,
    )
    sa.Table(
        'introspection_data',
        metadata,
        sa.Column('uuid', sa.String(36), sa.ForeignKey('nodes.uuid'), primary_key=True),
        sa.Column('processed', sa.Boolean(create_constraint=False), primary_key=True),
        sa.Column('data', sa.Text().with_variant(mysql.LONGTEXT(), 'mysql', 'mariadb')),
        **MYSQL,
    )


def _define_rules(metadata: sa.MetaData) -> None:
    sa.Table(
        'rules',
        metadata,
        sa.Column('uuid', sa.String(36), primary_key=True),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.Column('description', sa.Text()),
        sa.Column('disabled', sa.Boolean(create_constraint=False)),
        sa.Column('scope', sa.String(255)),
        **MYSQL,
    )
    sa.Table(
        'rule_conditions',
        metadata,
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('rule', sa.String(36), sa.ForeignKey('rules.uuid')),
        sa.Column('op', sa.String(255), nullable=False),
        sa.Column('multiple', sa.String(255), nullable=False),
        sa.Column('field', sa.Text()),
        sa.Column('params', sa.Text()),
        sa.Column('invert', sa.Boolean(create_constraint=False)),
        **MYSQL,
    )
    sa.Table(
        'rule_actions',
        metadata,
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('rule', sa.String(36), sa.ForeignKey('rules.uuid')),
        sa.Column('action', sa.String(255), nullable=False),
        sa.Column('params', sa.Text()),
        **MYSQL,
    )
