"""Enrolling machines that match no node: what the node_not_found hook decides becomes a node in Ironic.

The record of the new node comes first, the node in Ironic after it. The UUID of the node follows from the machine, so
two callbacks of one machine meet at the lock of its node, and a callback after a crash or a failure finds what was left
and goes on with it.
"""

from __future__ import annotations

from collections.abc import Mapping
import contextlib
from typing import Any
import uuid

from ironic_inspector import utils
from ironic_inspector.common import bmc
from ironic_inspector.common import exceptions
from ironic_inspector.common import ironic as ironic_client
from ironic_inspector.common import jsontext
from ironic_inspector.conductor.services import GRACE
from ironic_inspector.conductor.services import Services
from ironic_inspector.introspection_state import Events
from ironic_inspector.introspection_state import States
from ironic_inspector.node_cache import BMC_ATTRIBUTE
from ironic_inspector.node_cache import MAC_ATTRIBUTE
from ironic_inspector.node_cache import FoundNode
from ironic_inspector.node_info import NodeInfo
from ironic_inspector.plugins import base
from ironic_inspector.plugins import hooks

LOG = utils.getProcessingLogger(__name__)

JsonObject = dict[str, Any]
Attributes = Mapping[str, list[str]]

DISCOVERED = 'auto_discovered'
"""Key of the data that is true for a machine whose node was created of them: rules may go by it."""

_MACHINES = uuid.UUID('0e4d4c36-5a0b-4b0e-9f7e-6d3f4a5b9c21')
_REMEDY = 'start an introspection of that node, or delete it to have the machine enrolled anew'


class Enroller:
    """Asks the node_not_found hook about machines that match no node."""

    def __init__(self, services: Services, named: hooks.NamedNodeNotFoundHook) -> None:
        """Work with `services` and ask the hook `named`."""
        self._services = services
        self._named = named

    def enroll(self, data: JsonObject, attributes: Attributes, stack: contextlib.ExitStack) -> NodeInfo:
        """Return the node that the hook has found or wants for the machine that sent `data`, held by `stack`.

        `attributes` are what the machine could be recognised by: lists of values by name. Error if the hook has no
        node for it, InvalidRequest if Ironic knows the machine already, Busy while another callback of it goes on.
        """
        found = self._ask(data)
        if isinstance(found, dict):
            return self._create(data, attributes, found, stack)
        stack.enter_context(self._services.nodes.held(found.uuid, GRACE))
        if isinstance(found, FoundNode):
            return self._begin(found)
        return self._services.nodes.get(found.uuid)

    def _ask(self, data: JsonObject) -> Any:
        """Return the fields of the node that the hook wants, or an object with the `uuid` of that it found or made."""
        named = self._named
        try:
            found = named.hook.new_node(data) if isinstance(named.hook, base.NodeNotFoundHook) else named.hook(data)
        except exceptions.InspectorError:
            raise
        except Exception as exc:
            # A foreign hook may raise anything; who called back is told.
            LOG.exception('Hook %s failed', named.name, data=data)
            raise utils.Error(f'Unexpected exception {type(exc).__name__} in hook {named.name}: {exc}') from exc
        wanted = isinstance(found, dict) and isinstance(named.hook, base.NodeNotFoundHook)
        if not wanted and not isinstance(getattr(found, 'uuid', None), str):
            raise utils.Error(f'The hook {named.name} has no node for the machine')
        return found

    def _begin(self, found: FoundNode) -> NodeInfo:
        """Let the introspection of a node begin with this callback, whether or not it was introspected before."""
        nodes = self._services.nodes
        try:
            info = nodes.get(found.uuid)
        except exceptions.NotFound:
            return nodes.begin(found.uuid, manage_boot=found.manage_boot, state=States.WAITING)
        if info.state in States.ENDED:
            info = nodes.begin(found.uuid, manage_boot=found.manage_boot)
            nodes.transition(info, Events.WAIT)
        return info

    def _create(
        self, data: JsonObject, attributes: Attributes, fields: JsonObject, stack: contextlib.ExitStack
    ) -> NodeInfo:
        services = self._services
        if not any(attributes.values()):
            raise exceptions.InvalidRequest(
                'There is neither a valid MAC nor the address of a BMC in the data: a node that is made of them could '
                'not be recognised'
            )
        node_uuid = identity(data, attributes)
        stack.enter_context(services.nodes.held(node_uuid, GRACE))
        last = services.nodes.last_step(node_uuid)
        if last is not None and last.to_state == States.WAITING:
            # An introspection of the node was started; it has neither ports nor a BMC address to find it by.
            return services.nodes.get(node_uuid)
        was_enrolling = last is not None and (
            last.to_state == States.ENROLLING or (last.from_state, last.to_state) == (States.ENROLLING, States.ERROR)
        )
        self._refuse_known(attributes, but=node_uuid if was_enrolling else None)
        node = self._node(node_uuid)
        if node is not None and (not was_enrolling or node.get('provision_state') != 'enroll'):
            raise exceptions.InvalidRequest(f'Node {node_uuid} was enrolled for the same machine before: {_REMEDY}')
        if last is not None:
            # Of a node that is not there any more, or of an attempt that has come to nothing.
            services.nodes.delete([node_uuid])
        info = services.nodes.begin(node_uuid, manage_boot=True, state=States.ENROLLING)
        with services.failing(info):
            if node is None:
                node = self._create_in_ironic({**fields, 'uuid': node_uuid})
            else:
                LOG.info('An earlier attempt has left the node, it goes on from there', node_info=info)
        data[DISCOVERED] = True
        return services.nodes.get(node_uuid, node)

    def _refuse_known(self, attributes: Attributes, but: str | None) -> None:
        services = self._services
        for mac, node_uuid in services.ironic.nodes_of_macs(attributes[MAC_ATTRIBUTE]).items():
            if node_uuid != but:
                raise exceptions.InvalidRequest(f'Node {node_uuid} has a port with the MAC {mac} already: {_REMEDY}')
        addresses = attributes[BMC_ATTRIBUTE]
        if not addresses:
            return
        nodes = services.ironic.nodes('uuid', 'driver_info')
        for node_uuid in bmc.owners(nodes, addresses, services.conf.ipmi_address_fields):
            if node_uuid != but:
                raise exceptions.InvalidRequest(
                    f'Node {node_uuid} has the BMC address {" or ".join(addresses)} already: {_REMEDY}'
                )

    def _node(self, node_uuid: str) -> ironic_client.JsonObject | None:
        try:
            return self._services.ironic.get_node(node_uuid)
        except exceptions.NotFound:
            return None

    def _create_in_ironic(self, fields: JsonObject) -> ironic_client.JsonObject:
        try:
            node = self._services.ironic.create_node(fields)
        except exceptions.IronicError as exc:
            raise utils.Error(f'The node was not created, check what [discovery] says of it: {exc}') from exc
        except (TypeError, ValueError) as exc:
            raise utils.Error(f'The node that the hook {self._named.name} wants is not JSON: {exc}') from exc
        LOG.info('Node %s of driver %s created in Ironic', node['uuid'], fields.get('driver'))
        return node


def identity(data: Mapping[str, Any], attributes: Attributes) -> str:
    """Return the UUID for the node of the machine that sent `data`: for one machine always the same."""
    inventory = data.get('inventory')
    vendor = inventory.get('system_vendor') if isinstance(inventory, dict) else None
    serial = vendor.get('serial_number') if isinstance(vendor, dict) else None
    names = sorted(set(attributes[MAC_ATTRIBUTE] or attributes[BMC_ATTRIBUTE]))
    return str(uuid.uuid5(_MACHINES, jsontext.dumps([names, serial if isinstance(serial, str) else None])))
