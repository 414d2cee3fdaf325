"""ironic-inspector-dbsync: creates and upgrades the tables of the service."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import sys
from typing import Final

from alembic import command
from alembic.util import CommandError
from oslo_config import cfg
from oslo_db import exception as db_exception
from oslo_log import log
import sqlalchemy as sa

from ironic_inspector import conf as inspector_conf
from ironic_inspector.common import exceptions
from ironic_inspector.db import migration

PROG: Final = 'ironic-inspector-dbsync'
DESCRIPTION: Final = (
    'Creates the tables of the service in the database of [database]connection, or brings those of an older version, '
    '12.5 among them, to this one. Usual is: ironic-inspector-dbsync upgrade, with the service stopped and a backup '
    'made.'
)
EPILOG: Final = 'Exit status: 0, or 1 with the reason in one line on standard error. COMMAND --help says more of each.'


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: that of the process) and return the exit status.

    What is wrong is said in one line on stderr. Exits for --help, --version and a command line that makes no sense.
    """
    conf = cfg.ConfigOpts()
    conf.register_cli_opt(cfg.SubCommandOpt('command', title='commands', handler=_add_commands))
    inspector_conf.register_opts(conf)
    # Standard output is for what was asked for, and tells what was upgraded: Alembic would only repeat that.
    conf.set_default('use_stderr', True)
    conf.set_default('default_log_levels', [*log.get_default_log_levels(), 'alembic=WARN'])
    try:
        inspector_conf.load(
            conf, sys.argv[1:] if argv is None else argv, prog=PROG, description=DESCRIPTION, epilog=EPILOG
        )
    except (exceptions.ConfigurationError, cfg.Error, log.LogConfigError, OSError) as error:
        return _fail(str(error))
    try:
        COMMANDS[conf.command.name](conf)
    except (exceptions.InspectorError, cfg.Error, CommandError, OSError) as error:
        return _fail(str(error))
    except (db_exception.DBError, sa.exc.SQLAlchemyError, ImportError) as error:
        return _fail(f'The database of [database]connection cannot be used: {error}')
    return 0


def _fail(message: str) -> int:
    print(f'{PROG}: {message.strip().splitlines()[0]}', file=sys.stderr)
    return 1


def _upgrade(conf: cfg.ConfigOpts) -> None:
    applied = migration.upgrade(conf, conf.command.revision)
    for script in map(migration.scripts().get_revision, applied):
        print(f'Upgraded to {script.revision}: {script.doc}')
    if not applied:
        print('Nothing to upgrade.')


def _current(conf: cfg.ConfigOpts) -> None:
    revision = migration.current(conf)
    if revision is not None:
        print(f'{revision} (head)' if migration.is_head(revision) else revision)


def _history(_conf: cfg.ConfigOpts) -> None:
    command.history(migration.alembic_config())


def _stamp(conf: cfg.ConfigOpts) -> None:
    migration.stamp(conf, conf.command.revision)


def _revision(conf: cfg.ConfigOpts) -> None:
    migration.make_revision(conf, conf.command.message, autogenerate=conf.command.autogenerate)


def _heads(_conf: cfg.ConfigOpts) -> None:
    command.heads(migration.alembic_config())


def _branches(_conf: cfg.ConfigOpts) -> None:
    command.branches(migration.alembic_config())


def _show(conf: cfg.ConfigOpts) -> None:
    command.show(migration.alembic_config(), conf.command.revision)


COMMANDS: Final[Mapping[str, Callable[[cfg.ConfigOpts], None]]] = {
    'upgrade': _upgrade,
    'current': _current,
    'history': _history,
    'stamp': _stamp,
    'revision': _revision,
    'heads': _heads,
    'branches': _branches,
    'show': _show,
}


def _add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    upgrade = subparsers.add_parser('upgrade', help='create the tables, or bring them to a newer revision')
    upgrade.add_argument('--revision', nargs='?', const='head', default='head', help='default: the newest')
    subparsers.add_parser('current', help='show the revision of the database')
    subparsers.add_parser('history', help='list all revisions, newest first')
    stamp = subparsers.add_parser('stamp', help='record a revision without changing any table')
    stamp.add_argument('--revision', required=True, help='what to record')
    revision = subparsers.add_parser('revision', help='write a new migration (for developers)')
    revision.add_argument('-m', '--message', help='what the migration does')
    revision.add_argument('--autogenerate', action='store_true', help='fill it by comparing tables and models')
    subparsers.add_parser('heads', help='show the newest revision')
    subparsers.add_parser('branches', help='show where revisions branch')
    show = subparsers.add_parser('show', help='show a revision')
    show.add_argument('--revision', required=True, help='which one')


if __name__ == '__main__':
    sys.exit(main())
