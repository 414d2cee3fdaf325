"""What the service does by itself, time and again."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
import datetime
import functools
import threading
from typing import Any
from typing import TypeVar

import futurist
from futurist import periodics
from oslo_context import context as log_context
from oslo_db import exception as db_exceptions
from oslo_log import log
import sqlalchemy as sa

from ironic_inspector.common import clock
from ironic_inspector.common import exceptions
from ironic_inspector.conductor.services import Services
from ironic_inspector.db import introspections
from ironic_inspector.introspection_state import Events
from ironic_inspector.introspection_state import States

LOG = log.getLogger(__name__)

T = TypeVar('T')

TIMED_OUT = 'Introspection timeout'
TAKE_OVER_PERIOD = 20
"""Seconds between two looks for nodes that nobody works on."""


def end_timed_out(services: Services) -> None:
    """Fail the introspections that have been active for longer than [DEFAULT]timeout."""
    timeout = services.conf.timeout
    if timeout <= 0:
        return
    late = services.nodes.in_states(States.ACTIVE, clock.utc_now() - datetime.timedelta(seconds=timeout))
    records = {record.uuid: record for record in late}
    _for_each(services, records, lambda node_uuid: _end_timed_out(services, records[node_uuid]))


def _end_timed_out(services: Services, record: introspections.Introspection) -> None:
    try:
        with services.nodes.held(record.uuid):
            info = services.nodes.get(record.uuid)
            # It may have ended, or begun anew, since the list was made.
            if info.record.version_id == record.version_id:
                services.nodes.transition(info, Events.TIMEOUT, TIMED_OUT)
    except (exceptions.Busy, exceptions.NotFound):
        LOG.info('Node %s is late, but somebody works on it just now', record.uuid)


def drop_gone(services: Services) -> None:
    """Drop the records of nodes that Ironic does not know any more. If Ironic fails, nothing is dropped."""
    # In this order: a node that comes between the two lists is in neither or in Ironic's.
    known = services.nodes.uuids()
    if not known:
        return
    try:
        gone = known.difference(_unless_ending(services, services.ironic.node_uuids()))
    except (exceptions.IronicError, exceptions.NotFound) as exc:
        LOG.warning('The list of nodes cannot be had from Ironic, nothing is cleaned up this time: %s', exc)
        return
    _for_each(services, gone, functools.partial(_drop_gone, services))


def _drop_gone(services: Services, node_uuid: str) -> None:
    try:
        with services.nodes.held(node_uuid):
            _drop_if_gone(services, node_uuid)
    except exceptions.Busy:
        LOG.info('Node %s has left Ironic, but somebody works on it just now', node_uuid)


def _drop_if_gone(services: Services, node_uuid: str) -> None:
    try:
        # A machine that was being enrolled has got its record first, and its node after the list was made.
        services.ironic.get_node(node_uuid)
    except exceptions.NotFound:
        services.nodes.delete([node_uuid])
        LOG.info('Node %s has left Ironic: its record is dropped', node_uuid)
    except exceptions.IronicError as exc:
        LOG.warning('It is not certain that node %s has left Ironic, its record is kept: %s', node_uuid, exc)


def _for_each(services: Services, node_uuids: Collection[str], work: Callable[[str], None]) -> None:
    """Do `work` for each of some nodes, and bring the PXE filter up to date when there were any.

    A database that fails at one node is tried again with the next one. One that is away, or held by another process,
    would keep each of them waiting: this failure is raised, after the PXE filter has learnt of those before.
    """
    away: Exception | None = None
    for node_uuid in _unless_ending(services, node_uuids):
        try:
            work(node_uuid)
        except (exceptions.Overloaded, db_exceptions.DBConnectionError) as exc:
            away = exc
            break
        except (db_exceptions.DBError, sa.exc.SQLAlchemyError) as exc:
            # SQLAlchemy adds links to its manual in further lines.
            reason = str(exc).partition('\n')[0]
            LOG.error('Node %s is left as it is for now, as the database has failed: %s', node_uuid, reason)
    if node_uuids:
        services.pxe_filter.sync()
    if away is not None:
        raise away


def _unless_ending(services: Services, items: Iterable[T]) -> Iterator[T]:
    """Yield `items` until the service ends; ShuttingDown then, as what has come till then may not be all."""
    for item in items:
        if services.work.draining:
            raise exceptions.ShuttingDown('The service is shutting down')
        yield item


class Periodic:
    """Runs the periodic work in a thread of its own."""

    def __init__(self, services: Services, take_over: Callable[[], None]) -> None:
        """Prepare the work that the configuration of `services` asks for, and `take_over`, for nodes that are left.

        Nothing runs before `start`.
        """
        self._tasks: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []
        conf = services.conf
        for task in (end_timed_out, drop_gone):
            self._add(conf.clean_up_period, functools.partial(task, services))
        self._add(TAKE_OVER_PERIOD, take_over)
        self._services = services
        self._worker: periodics.PeriodicWorker | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start, after the PXE filter."""
        self._add_task_of_filter()
        if not self._tasks:
            return
        self._worker = periodics.PeriodicWorker(
            self._tasks, executor_factory=lambda: futurist.ThreadPoolExecutor(max_workers=len(self._tasks))
        )
        self._thread = threading.Thread(target=self._worker.start, name='periodic', daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether what has been started still runs."""
        return self._thread is None or self._thread.is_alive()

    def stop(self) -> None:
        """Stop; what runs just now ends by itself."""
        if self._worker is not None:
            self._worker.stop()

    def _add_task_of_filter(self) -> None:
        task = self._services.pxe_filter.periodic_task
        if task is None:
            return
        if periodics.is_periodic(task):
            # It says itself how often, in attributes that go with it.
            self._tasks.append((functools.wraps(task)(functools.partial(self._run, task)), (), {}))
        else:
            self._add(self._services.conf.pxe_filter.sync_period, task)

    def _add(self, period: int, work: Callable[[], object]) -> None:
        if period <= 0:
            return

        @periodics.periodic(spacing=period, enabled=True)
        def task() -> None:
            # An id by which the lines of this run can be found in the log.
            log_context.RequestContext()
            try:
                self._run(work)
            except Exception:
                # One failure must not end the periodic work of a service that runs for months.
                LOG.exception('Periodic work failed; it is tried again in %d s', period)

        self._tasks.append((task, (), {}))

    def _run(self, work: Callable[[], object]) -> None:
        """Do `work` as part of what the end of the service waits for, no longer than for the rest of it."""
        try:
            with self._services.work.going_on():
                work()
        except exceptions.ShuttingDown:
            LOG.info('The service is shutting down: periodic work is left to the next start')
