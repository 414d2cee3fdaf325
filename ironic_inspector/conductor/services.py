"""What the parts of the conductor share, built once from the configuration."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
import contextlib
import dataclasses
import uuid

from oslo_config import cfg
from oslo_log import log
from oslo_utils import uuidutils

from ironic_inspector.common import exceptions
from ironic_inspector.common import ironic as ironic_client
from ironic_inspector.common import locks
from ironic_inspector.common import metrics as service_metrics
from ironic_inspector.common import probe
from ironic_inspector.conductor import work as conductor_work
from ironic_inspector.conductor.filtering import PxeFilter
from ironic_inspector.conductor.ramdisk_logs import RamdiskLogs
from ironic_inspector.db import engine
from ironic_inspector.db import introspections
from ironic_inspector.introspection_state import Events
from ironic_inspector.node_cache import NodeCache
from ironic_inspector.node_info import NodeInfo
from ironic_inspector.plugins import base
from ironic_inspector.plugins import hooks as hook_loading
from ironic_inspector.plugins import introspection_data
from ironic_inspector.rules.book import RuleBook

LOG = log.getLogger(__name__)

GRACE = 0.5
"""Seconds that a request waits for a node that is held: whoever holds it lets go just after its state says so."""

STATES_LIFETIME = 5.0
"""Seconds for which the nodes of each state are not counted again, however often the metrics are read."""
PATIENCE = 2.0
"""Seconds that who reads the metrics waits for this count."""


@dataclasses.dataclass(frozen=True)
class Services:
    """The parts of a running conductor."""

    conf: cfg.ConfigOpts
    database: engine.Database
    nodes: NodeCache
    ironic: ironic_client.IronicClient
    hooks: Sequence[hook_loading.NamedHook]
    node_not_found: hook_loading.NamedNodeNotFoundHook | None
    store: base.IntrospectionDataStore
    rules: RuleBook
    pxe_filter: PxeFilter
    ramdisk_logs: RamdiskLogs
    work: conductor_work.Work
    metrics: service_metrics.Metrics

    @classmethod
    def build(cls, conf: cfg.ConfigOpts, database: engine.Database) -> Services:
        """Make everything that `conf` asks for; ConfigurationError, naming the option, if it cannot work."""
        work = conductor_work.Work(conf.max_concurrency)
        metrics = service_metrics.create(conf)
        metrics.watch_work(work.load)
        states = probe.Probe(
            lambda: database.read_once(introspections.count_by_state), lifetime=STATES_LIFETIME, patience=PATIENCE
        )
        metrics.watch_states(states.get)
        client = ironic_client.IronicClient(conf, work.stopping, metrics=metrics)
        resources = base.Resources(database, work.stopping)
        store = introspection_data.load(conf, resources, conf.processing.store_data, '[processing]store_data')
        nodes = NodeCache(database, client, locks.ProcessLocks(), metrics)
        return cls(
            conf=conf,
            database=database,
            nodes=nodes,
            ironic=client,
            hooks=hook_loading.load(conf),
            node_not_found=hook_loading.load_node_not_found(conf),
            store=store,
            rules=RuleBook.load(conf, database),
            pxe_filter=PxeFilter.load(conf, client, nodes.active_macs, metrics),
            ramdisk_logs=RamdiskLogs(conf),
            work=work,
            metrics=metrics,
        )

    def node_uuid(self, node_id: str) -> str:
        """Return the UUID of a node given by UUID or name; NotFound if Ironic knows no node by that name."""
        if uuidutils.is_uuid_like(node_id):
            return str(uuid.UUID(node_id))
        return str(self.ironic.get_node(node_id)['uuid'])

    def hold(self, stack: contextlib.ExitStack, node_id: str) -> NodeInfo:
        """Let `stack` hold a node that was introspected before, given by UUID or name, and return it.

        NotFound if it was not; Busy while something else goes on with it.
        """
        node_uuid = self.node_uuid(node_id)
        self.nodes.record(node_uuid)
        stack.enter_context(self.nodes.held(node_uuid, GRACE))
        return self.nodes.get(node_uuid)

    def check_provision_state(self, node: ironic_client.JsonObject) -> None:
        """Refuse (NotAllowedInState) a node whose provision state in Ironic does not permit introspection."""
        state = node.get('provision_state')
        if state in ironic_client.INTROSPECTABLE or (
            state in ironic_client.IN_USE and self.conf.processing.permit_active_introspection
        ):
            return
        hint = ' or enable [processing]permit_active_introspection' if state in ironic_client.IN_USE else ''
        raise exceptions.NotAllowedInState(
            f'Node {node.get("uuid")} is in the provision state {state!r}; to be introspected it has to be in one of '
            f'{", ".join(sorted(ironic_client.INTROSPECTABLE))}: move it there ("baremetal node manage"){hint}'
        )

    @contextlib.contextmanager
    def failing(self, info: NodeInfo) -> Iterator[None]:
        """End the introspection of `info` as failed when the `with` block raises, and raise on.

        The one place where a failure decides the state. Two kinds are none of the node's: another process took it over
        (Busy), or the service stops, and goes on with the node when it is back (ShuttingDown).
        """
        try:
            yield
        except (exceptions.Busy, exceptions.ShuttingDown):
            raise
        except BaseException as exc:
            # Anything at all: a node must not be left in an active state that nobody works on.
            try:
                self.nodes.transition(info, Events.ERROR, reason_of(exc))
            except Exception:
                # It is found by the periodic work, and tried again.
                LOG.error('Node %s has failed, which cannot be recorded: %s', info, reason_of(exc))
                raise
            self.pxe_filter.sync()
            raise

    def take_over(
        self, left: introspections.Introspection, work: Callable[[NodeInfo, contextlib.ExitStack], None]
    ) -> None:
        """Hand a node that somebody has `left` in an active state to `work`, called as Work.hand_over does.

        Nothing happens while somebody works on it, or if it is not as it was left any more.
        """
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self.nodes.held(left.uuid))
            except exceptions.Busy:
                return
            info = self.nodes.get(left.uuid)
            if info.record.version_id == left.version_id:
                LOG.warning('Node %s was left in the state %s: it is taken over', info, info.state)
                stack.enter_context(self.failing(info))
                self.work.hand_over(stack, work, info)


def reason_of(failure: BaseException) -> str:
    """Return what an operator is told of a failure."""
    if isinstance(failure, exceptions.InspectorError):
        return str(failure)
    return f'Unexpected exception {type(failure).__name__} during processing: {failure}'
