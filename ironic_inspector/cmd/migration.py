"""ironic-inspector-migrate-data: copies the stored introspection data from one store to another."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import enum
import sys
import threading
import time
from typing import Final

from oslo_config import cfg
from oslo_db import exception as db_exceptions
from oslo_log import log
import sqlalchemy as sa

from ironic_inspector import conf as configuration
from ironic_inspector.common import exceptions
from ironic_inspector.common import swift
from ironic_inspector.db import engine
from ironic_inspector.db import introspections
from ironic_inspector.db import revision
from ironic_inspector.plugins import base
from ironic_inspector.plugins import introspection_data

LOG = log.getLogger(__name__)

PROG: Final = 'ironic-inspector-migrate-data'
STORES: Final = ['database', 'swift']
OPTS: Final = [
    cfg.StrOpt(
        'from',
        choices=STORES,
        metavar='STORE',
        help='Where the data are now. Nothing is changed or deleted there.',
    ),
    cfg.StrOpt(
        'to',
        choices=STORES,
        metavar='STORE',
        help='Where the data have to be. The container in Swift is created when it is missing.',
    ),
    cfg.BoolOpt(
        'overwrite',
        default=False,
        help='Replace data at the target that differ from the source. By default they stay, being perhaps newer.',
    ),
]
DESCRIPTION: Final = (
    'Copies the introspection data of all nodes in the database, processed and as the ramdisks sent them, from one '
    'store to another: between [database]connection and the container of [swift], as the configuration file of the '
    'service names them, whatever its [processing]store_data is. It may be repeated at any time, and also while the '
    'service runs: what is at the target already is left alone, and what could not be copied is tried again.'
)
EPILOG: Final = (
    'To change the store of a service: run this command, stop the service, run the command once more with --overwrite '
    'for what has come meanwhile, change [processing]store_data, and start the service. The last lines tell what '
    'became of the data. Exit status: 0 if the target has data wherever the source has some, 1 if any could not be '
    'copied; each of these is named on standard error, with the reason.'
)
PROGRESS_INTERVAL: Final = 5.0
"""Seconds between two lines that say how far it is."""
PATIENCE: Final = 10
"""How many data in a row meet a store that is away until no others are tried."""


class Outcome(enum.Enum):
    """What became of the data of a node: two of them for each node, processed and unprocessed."""

    MIGRATED = 'migrated'
    PRESENT = 'already there'
    KEPT = 'other data there, kept (--overwrite replaces them)'
    MISSING = 'missing, the node has none'
    FAILED = 'failed'
    LEFT = 'not tried'


@dataclasses.dataclass(frozen=True)
class Item:
    """Data of a node."""

    node_uuid: str
    processed: bool

    def __str__(self) -> str:
        return f'{"processed" if self.processed else "unprocessed"} data of node {self.node_uuid}'


class Migration:
    """Copies data, one at a time, and counts what became of them."""

    def __init__(
        self,
        source: base.IntrospectionDataStore,
        target: base.IntrospectionDataStore,
        *,
        overwrite: bool,
        tell: Callable[[str], None],
        complain: Callable[[str], None],
    ) -> None:
        """Copy from `source` to `target`; `tell` gets the lines about the progress, `complain` those about failures."""
        self.counts = dict.fromkeys(Outcome, 0)
        self._source = source
        self._target = target
        self._overwrite = overwrite
        self._tell = tell
        self._complain = complain

    def run(self, node_uuids: Sequence[str]) -> None:
        """Copy the data of these nodes."""
        away = 0
        told_at = time.monotonic()
        for number, item in enumerate(_items(node_uuids)):
            if away == PATIENCE:
                self._complain(f'Giving up after {PATIENCE} failures in a row: run it again when the store is back')
                self.counts[Outcome.LEFT] = 2 * len(node_uuids) - number
                return
            if time.monotonic() > told_at + PROGRESS_INTERVAL:
                told_at = time.monotonic()
                self._tell(f'{number // 2} of {len(node_uuids)} nodes, {self.counts[Outcome.FAILED]} failures')
            failure: Exception | None = None
            try:
                outcome = self._copy(item)
            except Exception as exc:
                # Whatever is wrong with some data must not keep the others from being copied.
                LOG.debug('%s', item, exc_info=True)
                outcome, failure = Outcome.FAILED, exc
                self._complain(f'Not migrated, {item}: {_reason(exc)}')
            self.counts[outcome] += 1
            away = away + 1 if isinstance(failure, (swift.Unavailable, db_exceptions.DBConnectionError)) else 0

    def _copy(self, item: Item) -> Outcome:
        try:
            text = self._source.get(item.node_uuid, processed=item.processed)
        except exceptions.NotFound:
            return Outcome.MISSING
        data = introspection_data.parsed(text, 'The source')
        try:
            known = self._target.get(item.node_uuid, processed=item.processed, get_json=True)
        except exceptions.NotFound:
            pass
        else:
            if known == data:
                return Outcome.PRESENT
            if not self._overwrite:
                return Outcome.KEPT
        self._target.save(item.node_uuid, text, processed=item.processed)
        return Outcome.MIGRATED

    @property
    def is_complete(self) -> bool:
        """Whether all data are at the target now."""
        return not self.counts[Outcome.FAILED] and not self.counts[Outcome.LEFT]

    def report(self) -> str:
        """Return what became of the data, a line for each outcome that there was."""
        lines = [f'{count:8} {outcome.value}' for outcome, count in self.counts.items() if count]
        return '\n'.join(lines or ['There are no nodes in the database.'])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: that of the process) and return the exit status.

    What is wrong with the configuration is said in one line on stderr. Exits for --help, --version and a command line
    that makes no sense.
    """
    conf = cfg.ConfigOpts()
    conf.register_cli_opts(OPTS)
    configuration.register_opts(conf)
    # As long as no other place is configured: standard output is for the progress and the report.
    conf.set_default('use_stderr', True)
    conf.set_default('default_log_levels', [*log.get_default_log_levels(), 'alembic=WARN'])
    try:
        configuration.load(
            conf, sys.argv[1:] if argv is None else argv, prog=PROG, description=DESCRIPTION, epilog=EPILOG
        )
        return 0 if migrate(conf).is_complete else 1
    except (exceptions.InspectorError, cfg.Error, log.LogConfigError, OSError) as exc:
        return _fail(str(exc))
    except (db_exceptions.DBError, sa.exc.SQLAlchemyError, ImportError) as exc:
        return _fail(f'The database of [database]connection cannot be used: {exc}')
    except KeyboardInterrupt:
        _fail('Interrupted: run the command again for what is not at the target yet')
        return 130


def migrate(conf: cfg.ConfigOpts) -> Migration:
    """Copy what the options ask for, say what came of it, and return it with the numbers.

    ConfigurationError if the stores cannot be used.
    """
    source, target = conf['from'], conf.to
    if not source or not target:
        raise exceptions.ConfigurationError('Say where the data are and where they have to be, with --from and --to')
    if source == target:
        raise exceptions.ConfigurationError(f'--from and --to must differ, both are {source}')
    database = engine.Database(conf)
    revision.check_is_current(database)
    resources = base.Resources(database, threading.Event())
    stores = [
        introspection_data.load(conf, resources, name, option)
        for name, option in ((source, '--from'), (target, '--to'))
    ]
    migration = Migration(
        *stores,
        overwrite=conf.overwrite,
        tell=lambda line: print(line, flush=True),
        complain=lambda line: print(line, file=sys.stderr, flush=True),
    )
    node_uuids = sorted(database.read(introspections.uuids))
    try:
        migration.run(node_uuids)
    finally:
        # Also if it is interrupted.
        print(f'Introspection data of {len(node_uuids)} nodes, from {source} to {target}:')
        print(migration.report(), flush=True)
    return migration


def _items(node_uuids: Sequence[str]) -> Iterator[Item]:
    for node_uuid in node_uuids:
        for processed in (False, True):
            yield Item(node_uuid, processed)


def _reason(failure: Exception) -> str:
    known = isinstance(failure, exceptions.InspectorError)
    return _first_line(str(failure) if known else f'{type(failure).__name__}: {failure}')


def _first_line(text: str) -> str:
    return text.strip().partition('\n')[0]


def _fail(message: str) -> int:
    print(f'{PROG}: {_first_line(message)}', file=sys.stderr)
    return 1


if __name__ == '__main__':
    sys.exit(main())
