"""Rules with a priority, with secrets, with loops, and with any characters on MySQL

Which version of the rules is in force has a row of its own: processes keep the rules compiled until it changes. No two
rules have the same time of creation any more, as it is their order.

Revision: 9c2d6f4b81ea
Follows: 4e1be77a2c0c
"""

from __future__ import annotations

import datetime

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

revision = '9c2d6f4b81ea'
down_revision = '4e1be77a2c0c'
branch_labels = None
depends_on = None

TIMESTAMP = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb')
ANY_TEXT = sa.Text().with_variant(mysql.LONGTEXT(charset='utf8mb4'), 'mysql', 'mariadb')


def upgrade() -> None:
    """Add what is not there yet.

    MySQL commits each step by itself: there an interrupted run may have left some.
    """
    if op.get_bind().dialect.name in ('mysql', 'mariadb'):
        for table, column in (
            ('rules', 'description'),
            ('rule_conditions', 'field'),
            ('rule_conditions', 'params'),
            ('rule_actions', 'params'),
        ):
            op.alter_column(table, column, type_=ANY_TEXT, existing_nullable=True)
        op.alter_column('rules', 'scope', type_=mysql.VARCHAR(255, charset='utf8mb4'), existing_nullable=True)
    for table, column in (
        ('rules', sa.Column('priority', sa.Integer(), nullable=False, server_default='0')),
        ('rules', sa.Column('sensitive', sa.Boolean(), nullable=False, server_default=sa.false())),
        ('rule_conditions', sa.Column('loop', ANY_TEXT)),
        ('rule_actions', sa.Column('loop', ANY_TEXT)),
    ):
        if column.name not in {known['name'] for known in sa.inspect(op.get_bind()).get_columns(table)}:
            op.add_column(table, column)
    if not sa.inspect(op.get_bind()).has_table('rules_version'):
        op.create_table(
            'rules_version',
            sa.Column('id', sa.Integer(), primary_key=True, autoincrement=False),
            sa.Column('version', sa.String(36), nullable=False),
            mysql_engine='InnoDB',
            mysql_charset='utf8mb4',
        )
    versions = sa.table('rules_version', sa.column('id'), sa.column('version'))
    if op.get_bind().scalar(sa.select(sa.func.count()).select_from(versions)) == 0:
        op.bulk_insert(versions, [{'id': 1, 'version': 'initial'}])
    _order_rules()


def _order_rules() -> None:
    """Make the times of creation distinct: on MySQL, 12.5 kept whole seconds.

    Of rules created within one, the numbers of their actions tell the order.
    """
    rules = sa.table('rules', sa.column('uuid'), sa.column('created_at', TIMESTAMP))
    actions = sa.table('rule_actions', sa.column('rule'), sa.column('id'))
    first_action = sa.select(sa.func.min(actions.c.id)).where(actions.c.rule == rules.c.uuid).scalar_subquery()
    found = sa.select(rules).order_by(rules.c.created_at, first_action, rules.c.uuid)
    latest: datetime.datetime | None = None
    for row in op.get_bind().execute(found).all():
        created_at = row.created_at
        if latest is not None and created_at <= latest:
            created_at = latest + datetime.timedelta(microseconds=1)
            op.execute(rules.update().where(rules.c.uuid == row.uuid).values(created_at=created_at))
        latest = created_at
