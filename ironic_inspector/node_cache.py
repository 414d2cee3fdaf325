"""Nodes on introspection: the record of each, and the one way to change its state."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import dataclasses
import datetime
import functools
from typing import Any
import uuid

from oslo_config import cfg
from oslo_db import exception as db_exceptions
from oslo_log import log
from oslo_utils import uuidutils
import sqlalchemy as sa

from ironic_inspector.common import clock
from ironic_inspector.common import exceptions
from ironic_inspector.common import ironic as ironic_client
from ironic_inspector.common import ironic_sdk
from ironic_inspector.common import locks as node_locks
from ironic_inspector.common import metrics as service_metrics
from ironic_inspector.common import node_log
from ironic_inspector.common import text
from ironic_inspector.db import engine
from ironic_inspector.db import introspections
from ironic_inspector.introspection_state import Events
from ironic_inspector.introspection_state import States
from ironic_inspector.introspection_state import next_state
from ironic_inspector.node_info import NodeInfo

LOG = log.getLogger(__name__)

MAC_ATTRIBUTE = 'mac'
BMC_ATTRIBUTE = 'bmc_address'

_NEW_ATTEMPT = frozenset({Events.START, Events.REAPPLY})


@dataclasses.dataclass(frozen=True)
class FoundNode:
    """What a function that is a node_not_found hook returns: the node in Ironic that a machine is.

    The service begins the introspection of the node with what the machine has sent.
    """

    uuid: str
    manage_boot: bool = True
    """Whether the service may power the node off at the end."""

    def __post_init__(self) -> None:
        """ValueError if it is no UUID."""
        if not uuidutils.is_uuid_like(self.uuid):
            raise ValueError(f'{self.uuid!r} is not the UUID of a node')


def add_node(uuid: str, state: Any = None, manage_boot: bool = True, **attributes: Any) -> FoundNode:  # noqa: ARG001
    """Return, for a node_not_found hook to return it, that a machine is the node `uuid` in Ironic.

    The other arguments are accepted for the sake of hooks that were written for ironic-inspector.
    """
    return FoundNode(uuid, manage_boot)


def create_node(driver: str, ironic: Any = None, **attributes: Any) -> FoundNode | None:
    """Create a node in Ironic for a node_not_found hook, which returns what this returns.

    `attributes` are those of the node, as openstacksdk names them. None, and a line in the log, if Ironic refuses it.
    """
    # Imported by need, as all of openstacksdk: it takes much memory.
    from openstack import exceptions as sdk_exceptions

    try:
        node = (ironic or ironic_sdk.get_client()).create_node(driver=driver, **attributes)
    except sdk_exceptions.SDKException as exc:
        LOG.error('Ironic did not create a node of driver %s: %s', driver, exc)
        return None
    LOG.info('Node %s of driver %s created in Ironic', node.id, driver)
    return FoundNode(node.id)


def active_macs() -> set[str]:
    """Return the MACs of all nodes on introspection, for PXE filters from elsewhere."""
    return set(plugins_database().read(_read_active_macs))


@functools.cache
def plugins_database() -> engine.Database:
    """Return the database for what plug-ins ask: with connections of its own, made by need."""
    return engine.Database(cfg.CONF)


def _read_active_macs(connection: sa.Connection) -> set[str]:
    return introspections.values_of(connection, MAC_ATTRIBUTE)


class NodeCache:
    """The records of all nodes, and the one way to change the state of an introspection."""

    def __init__(
        self,
        database: engine.Database,
        client: ironic_client.IronicClient,
        locks: node_locks.NodeLocks,
        metrics: service_metrics.Metrics = service_metrics.OFF,
    ) -> None:
        """Work on `database`; nodes that are handed out talk to Ironic through `client`."""
        self.database = database
        self._metrics = metrics
        self._client = client
        self._locks = locks

    @contextlib.contextmanager
    def held(self, node_uuid: str, timeout: float = 0) -> Iterator[None]:
        """Hold the lock of a node in a `with` block; Busy if it can't be had within `timeout` seconds."""
        with self._locks.held(node_uuid, timeout) as acquired:
            if not acquired:
                raise exceptions.Busy(
                    f'Another operation is going on for node {node_uuid}: try again when it has ended'
                )
            with node_log.working_on(node_uuid):
                yield

    def record(self, node_uuid: str) -> introspections.Introspection:
        """Return the record of a node; NotFound if it was never introspected."""
        record = self.database.read(lambda connection: introspections.get(connection, node_uuid))
        if record is None:
            raise exceptions.NotFound(
                f'Node {node_uuid} was never introspected here: start an introspection of it first'
            )
        return record

    def get(self, node_uuid: str, node: ironic_client.JsonObject | None = None) -> NodeInfo:
        """Return a node that was introspected before; NotFound otherwise. `node`: as Ironic knows it."""
        return self._info(self.record(node_uuid), node)

    def begin(
        self,
        node_uuid: str,
        *,
        manage_boot: bool,
        node: ironic_client.JsonObject | None = None,
        state: str = States.STARTING,
    ) -> NodeInfo:
        """Start an attempt at introspection of a node, known or not, and return it. The lock must be held.

        A node that is not known gets a record in `state`. NotAllowedInState if an introspection is going on.
        """
        known = self.database.read(lambda connection: introspections.get(connection, node_uuid))
        if known is not None:
            info = self._info(known, node)
            self.transition(info, Events.START, manage_boot=manage_boot)
            return info
        now = clock.utc_now()
        record = introspections.Introspection(
            uuid=node_uuid,
            state=state,
            version_id=str(uuid.uuid4()),
            started_at=now,
            finished_at=None,
            error=None,
            manage_boot=manage_boot,
            attempt_id=str(uuid.uuid4()),
        )
        step = introspections.Step(now, str(record.attempt_id), None, state, Events.START, None)
        try:
            self.database.write(lambda connection: introspections.insert(connection, record, step))
        except db_exceptions.DBDuplicateEntry as exc:
            # A repeat, after the connection was lost while the record was committed, meets its own.
            if self.record(node_uuid).version_id != record.version_id:
                raise _lost_race(node_uuid) from exc
        self._metrics.began(Events.START)
        LOG.info('Node %s: introspection begins as %s (attempt %s)', node_uuid, state, record.attempt_id)
        return self._info(record, node)

    def transition(
        self,
        info: NodeInfo,
        event: str,
        reason: str | None = None,
        *,
        manage_boot: bool | None = None,
        along: Callable[[sa.Connection], None] | None = None,
    ) -> None:
        """Let `event` happen to a node: change its state and all that goes with it, in one transaction.

        `reason` becomes the node's error when the new state is error. `along` is what else has to be done in the same
        transaction. NotAllowedInState, without any change, if the
        state does not know the event; Busy if another process has changed the record since `info` was read.
        """
        before = info.record
        new_state = state_after(info, event)
        now = clock.utc_now()
        reason = text.storable(reason)
        attempt_id = before.attempt_id
        if attempt_id is None or event in _NEW_ATTEMPT:
            attempt_id = str(uuid.uuid4())
        ended = new_state in States.ENDED
        after = dataclasses.replace(
            before,
            state=new_state,
            version_id=str(uuid.uuid4()),
            attempt_id=attempt_id,
            started_at=now if event in _NEW_ATTEMPT else before.started_at,
            finished_at=now if ended else None,
            error=reason if new_state == States.ERROR else None,
            manage_boot=before.manage_boot if manage_boot is None else manage_boot,
        )
        step = introspections.Step(now, attempt_id, before.state, new_state, event, reason)
        entered_at: datetime.datetime | None = None
        if self._metrics.enabled:
            # Not in the transaction, which may have to wait for others, and must see what they have written then.
            entered_at = self.database.read(lambda connection: introspections.last_step_at(connection, info.uuid))

        def write(connection: sa.Connection) -> bool:
            written = introspections.update(connection, before, after, step)
            if written and along is not None:
                along(connection)
            return written

        if not self.database.write(write):
            raise _lost_race(info.uuid)
        info.record = after
        self._count(before, step, entered_at)
        LOG.info(
            'Node %s: %s -> %s by %s (attempt %s)%s',
            info,
            before.state,
            new_state,
            event,
            attempt_id,
            f': {reason}' if reason else '',
        )

    def _count(
        self, before: introspections.Introspection, step: introspections.Step, entered_at: datetime.datetime | None
    ) -> None:
        if not self._metrics.enabled:
            return
        if step.event in _NEW_ATTEMPT:
            self._metrics.began(step.event)
        seconds = [
            (step.happened_at - since).total_seconds() if since else None for since in (entered_at, before.started_at)
        ]
        self._metrics.transition(
            service_metrics.Transition(before.state, step.to_state, step.event, seconds[0], seconds[1])
        )

    def find(self, attributes: Mapping[str, Iterable[str]]) -> str:
        """Return the UUID of the node on introspection that shares the most lookup attributes.

        NotFound if there is none, or if several share as many.
        """
        wanted = {name: sorted(set(values)) for name, values in attributes.items()}
        matches = self.database.read(lambda connection: introspections.count_matches(connection, wanted))
        most = max(matches.values(), default=0)
        best = [node_uuid for node_uuid, count in matches.items() if count == most]
        if not best:
            raise exceptions.NotFound(
                f'No node on introspection has any of {_listed(wanted)}: start an introspection of the node, and '
                'check that Ironic knows its ports or the address of its BMC'
            )
        if len(best) > 1:
            raise exceptions.NotFound(
                f'Nodes {", ".join(sorted(best))} match {_listed(wanted)} equally well: a MAC or BMC address must '
                'belong to one node only'
            )
        return best[0]

    def page(
        self, limit: int, marker: str | None = None, states: Iterable[str] = ()
    ) -> list[introspections.Introspection]:
        """Return a page of records, newest first; NotFound if `marker`, the UUID of the last one seen, is not known."""

        def read(connection: sa.Connection) -> list[introspections.Introspection]:
            last = introspections.get(connection, marker) if marker is not None else None
            if marker is not None and last is None:
                raise exceptions.NotFound(f'The marker {marker} is not a node that was introspected')
            return introspections.page(connection, limit, last, list(states))

        return self.database.read(read)

    def in_states(
        self, states: Iterable[str], started_before: datetime.datetime | None = None
    ) -> list[introspections.Introspection]:
        """Return the nodes in one of `states`, if given only those whose introspection started before a time."""
        return self.database.read(lambda connection: introspections.in_states(connection, states, started_before))

    def uuids(self) -> set[str]:
        """Return the UUIDs of all nodes with a record."""
        return set(self.database.read(introspections.uuids))

    def last_step(self, node_uuid: str) -> introspections.Step | None:
        """Return the newest transition of a node; None if none was recorded."""
        return self.database.read(lambda connection: introspections.last_step(connection, node_uuid))

    def delete(self, node_uuids: Iterable[str]) -> None:
        """Drop nodes with all that belongs to them."""
        doomed = list(node_uuids)
        self.database.write(lambda connection: introspections.delete(connection, doomed))

    def active_macs(self) -> set[str]:
        """Return the MACs of all nodes on introspection."""
        return self.database.read(_read_active_macs)

    def _info(self, record: introspections.Introspection, node: ironic_client.JsonObject | None = None) -> NodeInfo:
        return NodeInfo(record, self.database, self._client, node)


def state_after(info: NodeInfo, event: str) -> str:
    """Return the state that `event` leads a node to; NotAllowedInState if its state does not know the event."""
    new_state = next_state(info.state, event)
    if new_state is None:
        raise exceptions.NotAllowedInState(f'Node {info} is in the state {info.state}: {event} is not possible in it')
    return new_state


def _lost_race(node_uuid: str) -> exceptions.Busy:
    return exceptions.Busy(f'Another process has just changed the introspection of node {node_uuid}: try again')


def _listed(attributes: Mapping[str, Iterable[str]]) -> str:
    pairs = [f'{name} {", ".join(values)}' for name, values in attributes.items() if values]
    return ' or '.join(pairs) or 'the attributes of the machine, whose data have none'
