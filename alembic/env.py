"""Alembic's entry point: runs migrations on the connection that `ironic_inspector.db.migration` hands over."""

from __future__ import annotations

from typing import Any

from alembic import context

from ironic_inspector.db import models


def is_compared(item: Any, name: str | None, kind: str, *_rest: Any) -> bool:
    """Tell whether a difference of `item` from the models counts.

    12.5 left the primary key of attributes nullable on SQLite, which can't be changed without copying the table.
    """
    is_sqlite = context.get_bind().dialect.name == 'sqlite'
    return not (is_sqlite and kind == 'column' and item.table.name == 'attributes' and name == 'uuid')


if context.is_offline_mode():
    raise RuntimeError('Migrations look at the database they run on; they cannot be written out as SQL.')

context.configure(
    connection=context.config.attributes['connection'],
    target_metadata=models.Base.metadata,
    include_object=is_compared,
)
with context.begin_transaction():
    context.run_migrations()
