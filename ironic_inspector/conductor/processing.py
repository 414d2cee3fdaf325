"""Processing what ramdisks send: the callback, and reapplying stored data."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import functools
from typing import Any

from oslo_db import exception as db_exceptions
import sqlalchemy as sa

from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.common import ironic as ironic_client
from ironic_inspector.common import jsontext
from ironic_inspector.common import node_copy
from ironic_inspector.conductor import enrolling
from ironic_inspector.conductor import known_data
from ironic_inspector.conductor import lookup
from ironic_inspector.conductor import nodes_in_use
from ironic_inspector.conductor import services as conductor_services
from ironic_inspector.conductor.ramdisk_logs import PendingLogs
from ironic_inspector.conductor.services import Services
from ironic_inspector.conductor.services import reason_of
from ironic_inspector.introspection_state import Events
from ironic_inspector.introspection_state import States
from ironic_inspector.node_cache import BMC_ATTRIBUTE
from ironic_inspector.node_cache import MAC_ATTRIBUTE
from ironic_inspector.node_cache import state_after
from ironic_inspector.node_info import NodeInfo
from ironic_inspector.plugins import checks
from ironic_inspector.plugins import introspection_data
from ironic_inspector.rules.book import Chosen

LOG = utils.getProcessingLogger(__name__)

JsonObject = dict[str, Any]

PATIENCE = 20.0
"""Seconds that a callback waits for the start of its node to end: the ramdisk gives up after 30 s."""
EXPECTING = frozenset({States.WAITING, States.ENROLLING})
"""States in which a callback is welcome."""


class Processor:
    """Runs the hooks over introspection data and writes what they found to Ironic."""

    def __init__(self, services: Services) -> None:
        """Work with `services`."""
        self._services = services
        hook = services.node_not_found
        self._enroller = enrolling.Enroller(services, hook) if hook else None

    def callback(self, data: JsonObject, forgotten: Callable[[], None]) -> str:
        """Process what a ramdisk sent (parsed JSON) and return the UUID of its node.

        `data` is changed in place, and emptied as soon as it is not needed any more: `forgotten` is called then.
        NotFound if it cannot be matched to a node on introspection, NotAllowedInState if that node expects no data,
        Busy if it is being processed, any other error of a hook, a rule or Ironic: the node is in the state error then.
        """
        services = self._services
        with services.work.going_on(), contextlib.ExitStack() as stack:
            # Only the service says so: a rule may give such nodes more than others get.
            data.pop(enrolling.DISCOVERED, None)
            unprocessed = _without_logs(data)
            failures = self._before_processing(data)
            logs = services.ramdisk_logs.take(data)
            info = self._lookup(stack, data, failures, logs)
            if info.state not in EXPECTING:
                raise exceptions.NotAllowedInState(
                    f'Node {info} expects no data: its introspection is in the state {info.state}'
                )
            # From here on nothing that lives longer than this call may hold the data: there can be hundreds of them.
            stack.enter_context(_keeping_logs_of_failure(info, logs))
            stack.enter_context(services.failing(info))
            stack.enter_context(_being_the_fault_of_the_node())
            _raise_collected(failures)
            self._accept(info, Events.PROCESS, unprocessed)
            del unprocessed
            services.check_provision_state(info.fields)
            self._process(info, data, forgotten)
            services.work.hand_over(stack, self._finish, info, logs)
            return info.uuid

    def reapply(self, node_id: str, data: JsonObject | None = None) -> None:
        """Process the stored data of a node again, or `data`, which are stored then; returns when that is on its way.

        NotFound if the node was never introspected or has no data, NotAllowedInState if its state does not permit it,
        Busy while something else goes on with it.
        """
        services = self._services
        with services.work.going_on(), contextlib.ExitStack() as stack:
            info = services.hold(stack, node_id)
            if data is None:
                data = services.store.get(info.uuid, processed=False, get_json=True)
                services.nodes.transition(info, Events.REAPPLY)
            else:
                self._accept(info, Events.REAPPLY, _without_logs(data))
            stack.enter_context(services.failing(info))
            services.work.hand_over(stack, self._reapply, info, data)

    def process_again(self, info: NodeInfo, held: contextlib.ExitStack) -> None:
        """Go on with a node, held by `held`, that was left in the state processing or reapplying."""
        services = self._services
        with held:
            try:
                data = services.store.get(info.uuid, processed=False, get_json=True)
            except exceptions.NotFound as exc:
                raise utils.Error(
                    'The service was stopped while it processed the node, and the data are not kept: start the '
                    'introspection again'
                ) from exc
            last = services.nodes.last_step(info.uuid)
            if last is not None and last.from_state == States.ENROLLING:
                data[enrolling.DISCOVERED] = True
            self._process_stored(info, data)

    def _before_processing(self, data: JsonObject) -> list[str]:
        failures = []
        # As they were sent, before hooks put things of their own into them.
        wrong = known_data.faults(data)
        if wrong:
            failures.append(checks.listed(wrong))
            LOG.error('Wrong types in the data: %s', failures[0], data=data)
        for named in self._services.hooks:
            try:
                with self._services.metrics.hook(named.name, 'before_processing'):
                    named.hook.before_processing(data)
            except exceptions.InspectorError as exc:
                LOG.error('Hook %s failed: %s', named.name, exc, data=data)
                failures.append(str(exc))
            except Exception as exc:
                # A foreign hook may raise anything; the node is told with all other reasons.
                LOG.exception('Hook %s failed', named.name, data=data)
                failures.append(_unexpected(exc, named.name))
        return failures

    def _accept(self, info: NodeInfo, event: str, unprocessed: str) -> None:
        """Keep what was sent and let its processing begin: both or neither, where the store is the database."""
        state_after(info, event)
        store = self._services.store
        along = None
        if isinstance(store, introspection_data.DatabaseStore):
            along = store.saving(info.uuid, unprocessed, processed=False)
        else:
            store.save(info.uuid, unprocessed, processed=False)
        self._services.nodes.transition(info, event, along=along)

    def _lookup(
        self, stack: contextlib.ExitStack, data: JsonObject, failures: Iterable[str], logs: PendingLogs | None
    ) -> NodeInfo:
        """Return the node that sent the data, held by `stack`."""
        services = self._services
        attributes = lookup.attributes_in(data)
        try:
            node_uuid = services.nodes.find(attributes)
        except exceptions.NotFound as exc:
            reasons = [str(exc)]
        else:
            self._hold(stack, node_uuid)
            return services.nodes.get(node_uuid)
        further: list[Callable[[contextlib.ExitStack], NodeInfo]] = []
        if services.conf.processing.permit_active_introspection:
            further.append(functools.partial(self._begin_in_use, attributes))
        if self._enroller is not None:
            further.append(functools.partial(self._enroller.enroll, data, attributes))
        for look in further:
            try:
                with contextlib.ExitStack() as held:
                    info = look(held)
                    stack.push(held.pop_all())
                    return info
            except (exceptions.Busy, exceptions.ShuttingDown):
                # The ramdisk sends the same again.
                raise
            except exceptions.InspectorError as exc:
                reasons.append(str(exc))
        if logs:
            logs.store(None)
        LOG.error('%s', '; '.join(reasons), data=data)
        reason = '; '.join([*reasons, *failures])
        raise exceptions.NotFound(reason) if self._enroller is None else utils.Error(reason)

    def _begin_in_use(self, attributes: Mapping[str, list[str]], held: contextlib.ExitStack) -> NodeInfo:
        """Record a node that somebody uses as waiting, as if its introspection had been started; return it, held."""
        services = self._services
        node = nodes_in_use.find(
            services.ironic,
            attributes[MAC_ATTRIBUTE],
            attributes[BMC_ATTRIBUTE],
            services.conf.ipmi_address_fields,
        )
        held.enter_context(services.nodes.held(node['uuid'], conductor_services.GRACE))
        info = services.nodes.begin(node['uuid'], manage_boot=False, node=node)
        services.nodes.transition(info, Events.WAIT)
        return info

    def _hold(self, stack: contextlib.ExitStack, node_uuid: str) -> None:
        nodes = self._services.nodes
        try:
            stack.enter_context(nodes.held(node_uuid, conductor_services.GRACE))
        except exceptions.Busy:
            # A quick ramdisk may call back while Ironic has not yet answered that the node is powered on.
            if nodes.record(node_uuid).state != States.STARTING:
                raise
            LOG.info('Node %s called back before its start has ended: the callback waits for that', node_uuid)
            stack.enter_context(nodes.held(node_uuid, PATIENCE))

    def _process(self, info: NodeInfo, data: JsonObject, forgotten: Callable[[], None] = lambda: None) -> None:
        services = self._services
        for named in services.hooks:
            LOG.debug('Hook %s', named.name, node_info=info)
            with _naming(named.name, info), services.metrics.hook(named.name, 'before_update'):
                named.hook.before_update(data, info)
        services.store.save(info.uuid, self._processed(data), processed=True)
        rules = self._choose(info, data)
        if not rules:
            # Ironic takes its time, and there may be hundreds of nodes whose data would have to be kept meanwhile.
            data.clear()
            forgotten()
        self._write(info)
        if rules:
            self._apply(rules, info, data)
        services.pxe_filter.sync()

    def _choose(self, info: NodeInfo, data: JsonObject) -> Chosen:
        try:
            with self._services.metrics.rules('conditions'):
                return self._services.rules.choose(info, data)
        except utils.Error:
            # What the hooks found is no less true.
            with _telling_only(info):
                self._write(info)
            raise

    def _write(self, info: NodeInfo) -> None:
        """Write to Ironic what hooks have changed."""
        # They read what others send, such as switches: what Ironic does not take of it must not fail the node.
        changes = self._written(info, tolerant=True)
        LOG.info('Written to Ironic: %s', changes, node_info=info)

    def _written(self, info: NodeInfo, *, tolerant: bool = False) -> node_copy.Changes:
        new_ports = info.new_ports
        try:
            return info.write(tolerant=tolerant)
        except (TypeError, ValueError) as exc:
            raise utils.Error(f'What is to be written to Ironic cannot be sent ({info.changes()}): {exc}') from exc
        finally:
            # Of a write that failed some may be there; to know one too many does not open the filter.
            self._services.pxe_filter.learn(new_ports)

    def _processed(self, data: JsonObject) -> str:
        try:
            return _without_logs(data)
        except (TypeError, ValueError, RecursionError) as exc:
            hooks = ', '.join(named.name for named in self._services.hooks)
            raise utils.Error(
                f'One of the hooks ({hooks}) put something into the data that is not JSON: {exc}'
            ) from exc

    def _apply(self, rules: Chosen, info: NodeInfo, data: JsonObject) -> None:
        try:
            with self._services.metrics.rules('actions'):
                rules.apply(info)
        except utils.Error:
            # What rules have set before one fails the node tells more of why it has failed.
            with _telling_only(info):
                self._keep_what_was_set(rules, info, data)
            raise
        self._keep_what_was_set(rules, info, data)

    def _keep_what_was_set(self, rules: Chosen, info: NodeInfo, data: JsonObject) -> None:
        if rules.change_data:
            self._services.store.save(info.uuid, _without_logs(data), processed=True)
        try:
            changes = self._written(info)
        except (exceptions.Busy, exceptions.ShuttingDown):
            raise
        except exceptions.InspectorError as exc:
            # Ironic quotes what it refuses.
            reason = 'a rule is sensitive, so no more is told' if rules.is_sensitive else exc
            message = f'What introspection rules set (those that apply: {rules}) failed: {reason}'
            raise utils.Error(message) from (None if rules.is_sensitive else exc)
        LOG.info('Written to Ironic by rules: %s', changes, node_info=info)

    def _finish(self, info: NodeInfo, logs: PendingLogs | None, held: contextlib.ExitStack) -> None:
        with held:
            self._power_off(info)
            self._services.nodes.transition(info, Events.FINISH)
            if logs and self._services.ramdisk_logs.keep_all:
                logs.store(info.uuid)
        self._services.pxe_filter.sync()

    def _power_off(self, info: NodeInfo) -> None:
        state = info.fields.get('provision_state')
        wanted = self._services.conf.processing.power_off and info.manage_boot
        if not wanted or state in ironic_client.IN_USE:
            return
        try:
            self._services.ironic.set_power_state(info.uuid, 'power off')
        except exceptions.IronicError as exc:
            if state != 'enroll':
                raise utils.Error(
                    f'The node could not be powered off, check its power interface and driver_info: {exc}'
                ) from exc
            LOG.info('Not powered off, as a node in enroll need not have its BMC yet: %s', exc, node_info=info)

    def _reapply(self, info: NodeInfo, data: JsonObject, held: contextlib.ExitStack) -> None:
        with held:
            self._process_stored(info, data)

    def _process_stored(self, info: NodeInfo, data: JsonObject) -> None:
        services = self._services
        if info.state == States.PROCESSING:
            # What went on before the service was stopped may have been long ago.
            services.check_provision_state(info.fields)
        _raise_collected(self._before_processing(data))
        self._process(info, data)
        if info.state == States.PROCESSING:
            self._power_off(info)
        services.nodes.transition(info, Events.FINISH)
        services.pxe_filter.sync()


@contextlib.contextmanager
def _keeping_logs_of_failure(info: NodeInfo, logs: PendingLogs | None) -> Iterator[None]:
    try:
        yield
    except Exception as exc:
        LOG.error('%s', reason_of(exc), node_info=info)
        if logs:
            logs.store(info.uuid)
        raise


@contextlib.contextmanager
def _naming(hook: str, info: NodeInfo) -> Iterator[None]:
    """Name the hook that the `with` block is about when it fails."""
    try:
        yield
    except (exceptions.InspectorError, db_exceptions.DBError, sa.exc.SQLAlchemyError) as exc:
        # Its own words; or the database of the service, which is not the hook's fault.
        LOG.error('Hook %s failed: %s', hook, exc, node_info=info)
        raise
    except Exception as exc:
        # A foreign hook may raise anything.
        LOG.exception('Hook %s failed', hook, node_info=info)
        raise utils.Error(_unexpected(exc, hook)) from exc


def _unexpected(failure: Exception, hook: str) -> str:
    return f'Unexpected exception {type(failure).__name__} in hook {hook}: {failure}'


@contextlib.contextmanager
def _telling_only(info: NodeInfo) -> Iterator[None]:
    """Log what goes wrong on the way to raise another failure."""
    try:
        yield
    except exceptions.InspectorError as exc:
        LOG.error('%s', exc, node_info=info)


@contextlib.contextmanager
def _being_the_fault_of_the_node() -> Iterator[None]:
    """Make of what others would be told a failure of the node: its ramdisk need not try again, nor look elsewhere."""
    try:
        yield
    except exceptions.StoreError as exc:
        raise utils.Error(f'The introspection data could not be stored: {exc}') from exc
    except exceptions.NotFound as exc:
        raise utils.Error(str(exc)) from exc


def _raise_collected(failures: Iterable[str]) -> None:
    reasons = '\n'.join(failures)
    if reasons:
        raise utils.Error(f'The data cannot be used: {reasons}')


def _without_logs(data: JsonObject) -> str:
    return jsontext.dumps({key: value for key, value in data.items() if key != 'logs'})
