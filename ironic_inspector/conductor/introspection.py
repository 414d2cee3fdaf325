"""Starting and aborting introspections: what operators ask for."""

from __future__ import annotations

import contextlib

from oslo_log import log
from oslo_utils import strutils

from ironic_inspector import utils
from ironic_inspector.common import bmc
from ironic_inspector.common import exceptions
from ironic_inspector.common import ironic as ironic_client
from ironic_inspector.conductor import pacing
from ironic_inspector.conductor.services import GRACE
from ironic_inspector.conductor.services import Services
from ironic_inspector.introspection_state import Events
from ironic_inspector.introspection_state import States
from ironic_inspector.node_cache import BMC_ATTRIBUTE
from ironic_inspector.node_cache import MAC_ATTRIBUTE
from ironic_inspector.node_info import NodeInfo

LOG = log.getLogger(__name__)

CANCELED = 'Canceled by operator'


class Introspector:
    """Makes nodes boot the ramdisk, and makes them stop."""

    def __init__(self, services: Services) -> None:
        """Work with `services`."""
        self._services = services
        self._pacer = pacing.Pacer(lambda: float(services.conf.introspection_delay), services.work.stopping)

    def start(self, node_id: str, *, manage_boot: bool) -> None:
        """Start the introspection of a node; returns when it is on its way.

        NotFound, NotAllowedInState or InvalidRequest if Ironic does not know it, its state does not permit it or its
        power interface is not valid; Busy while something else goes on with it.
        """
        services = self._services
        with services.work.going_on(), contextlib.ExitStack() as stack:
            node = services.ironic.get_node(node_id)
            services.check_provision_state(node)
            if manage_boot:
                self._check_power(node['uuid'])
            stack.enter_context(services.nodes.held(node['uuid'], GRACE))
            info = services.nodes.begin(node['uuid'], manage_boot=manage_boot, node=node)
            stack.enter_context(services.failing(info))
            if manage_boot:
                services.work.hand_over(stack, self._boot, info)
            else:
                self._await_ramdisk(info)

    def abort(self, node_id: str) -> None:
        """Cancel the introspection of a node; returns when that is on its way.

        NotFound if it was never introspected, NotAllowedInState if there is nothing to cancel, Busy while something
        else goes on with it.
        """
        services = self._services
        with services.work.going_on(), contextlib.ExitStack() as stack:
            info = services.hold(stack, node_id)
            services.nodes.transition(info, Events.ABORT, CANCELED)
            stack.enter_context(services.failing(info))
            services.work.hand_over(stack, self.end_aborted, info)

    def boot_again(self, info: NodeInfo, held: contextlib.ExitStack) -> None:
        """Go on with a node, held by `held`, that was left in the state starting."""
        with held:
            # Since the introspection was asked for the node may have been deployed: it must not be rebooted then.
            self._services.check_provision_state(info.fields)
            if info.manage_boot:
                self._prepare_boot(info, held)
            else:
                self._await_ramdisk(info)

    def end_aborted(self, info: NodeInfo, held: contextlib.ExitStack) -> None:
        """End the introspection of a node, held by `held`, that was canceled."""
        services = self._services
        with held:
            if info.manage_boot:
                self._power_off(info)
            if info.state == States.ABORTING:
                services.nodes.transition(info, Events.ABORT_END, CANCELED)
            services.pxe_filter.sync()

    def _check_power(self, node_uuid: str) -> None:
        reason = self._services.ironic.validate_power(node_uuid)
        if reason is not None:
            raise exceptions.InvalidRequest(
                f'The power interface of node {node_uuid} is not valid: {reason}. Correct its driver_info, or start '
                'the introspection with manage_boot=false and power the node yourself'
            )

    def _boot(self, info: NodeInfo, held: contextlib.ExitStack) -> None:
        with held:
            self._prepare_boot(info, held)

    def _await_ramdisk(self, info: NodeInfo) -> None:
        self._make_recognisable(info)
        self._services.nodes.transition(info, Events.WAIT)

    def _prepare_boot(self, info: NodeInfo, held: contextlib.ExitStack) -> None:
        self._make_recognisable(info)
        try:
            persistent = _boots_persistently(info)
            self._services.ironic.set_boot_device(info.uuid, 'pxe', persistent=persistent)
        except exceptions.IronicError as exc:
            raise utils.Error(
                f'The boot device could not be set to PXE, check the management interface of the node: {exc}'
            ) from exc
        # Callbacks of other nodes need the threads of the pool while this one waits.
        self._services.work.line_up(held, self._wait_for_turn, info)

    def _wait_for_turn(self, info: NodeInfo, held: contextlib.ExitStack) -> None:
        with held:
            self._pacer.wait()
            self._services.work.hand_over(held, self._reboot, info)

    def _reboot(self, info: NodeInfo, held: contextlib.ExitStack) -> None:
        with held:
            try:
                self._services.ironic.set_power_state(info.uuid, 'rebooting')
            except exceptions.IronicError as exc:
                raise utils.Error(
                    f'The node could not be powered on, check its power interface and driver_info: {exc}'
                ) from exc
            self._services.nodes.transition(info, Events.WAIT)

    def _make_recognisable(self, info: NodeInfo) -> None:
        services = self._services
        attributes = {
            MAC_ATTRIBUTE: list(info.port_fields),
            BMC_ATTRIBUTE: bmc.addresses(info.fields, services.conf.ipmi_address_fields),
        }
        if not any(attributes.values()) and not services.conf.processing.node_not_found_hook:
            raise utils.Error(
                f'Node {info} could not be recognised when it calls back: create ports with its MACs, or set the '
                'address of its BMC in driver_info'
            )
        info.set_attributes(attributes)
        services.pxe_filter.learn(info.port_fields.values())
        # The node must be able to boot by the time it is powered on.
        services.pxe_filter.sync()

    def _power_off(self, info: NodeInfo) -> None:
        try:
            state = info.fields.get('provision_state')
            if state in ironic_client.IN_USE:
                # Since the introspection was asked for it may have been deployed.
                LOG.info('Node %s is not powered off after its introspection was aborted: it is %s', info, state)
                return
            self._services.ironic.set_power_state(info.uuid, 'power off')
        except (exceptions.IronicError, exceptions.NotFound) as exc:
            LOG.warning('Node %s was not powered off after its introspection was aborted: %s', info, exc)


def _boots_persistently(info: NodeInfo) -> bool:
    wish = str((info.fields.get('driver_info') or {}).get('force_persistent_boot_device', ''))
    return wish.lower() == 'always' or strutils.bool_from_string(wish)
