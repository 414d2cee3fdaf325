"""A local copy of a node and its ports, changed at once and written to Ironic in one go.

What has changed is found by comparing the copy with what Ironic sent. So of several writes to one place the last wins,
and what already is as it should be is not written at all.
"""

from __future__ import annotations

from collections.abc import Iterable
import copy
import dataclasses
from http import HTTPStatus
import re
from typing import Any
import uuid

import jsonpatch
from oslo_log import log

from ironic_inspector.common import exceptions
from ironic_inspector.common import ironic as ironic_client

LOG = log.getLogger(__name__)

_PATH_PART = re.compile(r'[\w-]+')
_NEW_PORT: dict[str, Any] = {
    'name': None,
    'description': None,
    'extra': {},
    'internal_info': {},
    'is_smartnic': False,
    'local_link_connection': {},
    'physical_network': None,
    'portgroup_uuid': None,
    'pxe_enabled': True,
}
"""What Ironic gives a port that is made without it: patches find in a new port what they will find in Ironic."""

JsonObject = ironic_client.JsonObject
JsonPatch = ironic_client.JsonPatch


@dataclasses.dataclass
class Changes:
    """What is to be written to Ironic, as data."""

    node: JsonPatch = dataclasses.field(default_factory=list)
    """A JSON patch (RFC 6902) of the node."""
    reset_interfaces: bool = False
    """Whether the interfaces of the node go back to the defaults of its (new) driver."""
    new_ports: list[JsonObject] = dataclasses.field(default_factory=list)
    ports: dict[str, JsonPatch] = dataclasses.field(default_factory=dict)
    """JSON patches by the UUID of the port."""
    deleted_ports: list[str] = dataclasses.field(default_factory=list)
    """UUIDs."""
    added_traits: list[str] = dataclasses.field(default_factory=list)
    removed_traits: list[str] = dataclasses.field(default_factory=list)

    def __bool__(self) -> bool:
        """Tell whether there is anything to write."""
        return any(getattr(self, field.name) for field in dataclasses.fields(self))

    def __str__(self) -> str:
        """Say what changes, without the values: there may be secrets among them."""
        parts = [f'{operation["op"]} {operation["path"]}' for operation in self.node]
        parts += [f'create port {port["address"]}' for port in self.new_ports]
        parts += [
            f'port {port_uuid}: {operation["op"]} {operation["path"]}'
            for port_uuid, patch in self.ports.items()
            for operation in patch
        ]
        parts += [f'delete port {port_uuid}' for port_uuid in self.deleted_ports]
        parts += [f'add trait {trait}' for trait in self.added_traits]
        parts += [f'remove trait {trait}' for trait in self.removed_traits]
        return ', '.join(parts) or 'nothing'


class NodeCopy:
    """A node of Ironic and its ports as the hooks see them; fetched when first looked at."""

    def __init__(self, node_uuid: str, client: ironic_client.IronicClient, node: JsonObject | None = None) -> None:
        """Prepare a copy of the node `node_uuid`; `node` is the node itself where it has been fetched already."""
        self.uuid = node_uuid
        self._client = client
        self._node: JsonObject | None = None
        self._sent: JsonObject = {}
        self._resource: Any = None
        self._ports: dict[str, JsonObject] | None = None
        self._sent_ports: dict[str, JsonObject] = {}
        self._reset_interfaces = False
        self._chosen_interfaces: JsonObject = {}
        self._traits: dict[str, bool] = {}
        if node is not None:
            self._take(node)

    @property
    def node(self) -> JsonObject:
        """The node as Ironic's API represents it, with all changes; not to be changed but by `patch`."""
        if self._node is None:
            return self._take(self._client.get_node(self.uuid))
        return self._node

    @property
    def resource(self) -> Any:
        """The node as openstacksdk's Node, with values of its own: what changes in it does not change the copy."""
        if self._resource is None:
            self._resource = ironic_client.as_node(copy.deepcopy(self.node))
        return self._resource

    @property
    def ports(self) -> dict[str, JsonObject]:
        """The ports by their MAC in lower case; not to be changed but by the methods of this class."""
        if self._ports is None:
            return self.take_ports(self._client.node_ports(self.uuid))
        return self._ports

    @property
    def new_ports(self) -> list[JsonObject]:
        """The ports that are still to be created."""
        return [port for port in (self._ports or {}).values() if port['uuid'] not in self._sent_ports]

    def take_ports(self, ports: Iterable[JsonObject]) -> dict[str, JsonObject]:
        """Take these for the ports that Ironic has, and return them by their MAC."""
        self._ports = {port['address'].lower(): port for port in ports}
        self._sent_ports = {port['uuid']: port for port in self._ports.values()}
        return self._ports

    def patch(self, patch: JsonPatch, *, reset_interfaces: bool = False) -> None:
        """Apply a JSON patch to the node; raises InvalidRequest, and changes nothing, if it does not fit.

        A new driver takes the place of the interfaces that were chosen before, if they are to be reset.
        """
        before = self.node
        node = _patched(before, patch, f'node {self.uuid}')
        touched = {str(operation['path']).strip('/') for operation in patch}
        interfaces = {field for field in node if field.endswith('_interface')}
        if reset_interfaces and node.get('driver') != before.get('driver'):
            node.update({field: self._sent.get(field) for field in interfaces - touched})
            self._chosen_interfaces.clear()
            self._reset_interfaces = True
        self._chosen_interfaces.update({field: node[field] for field in interfaces & touched})
        self._node = node
        self._resource = None

    def set_trait(self, trait: str, *, present: bool) -> None:
        """Add or remove a trait."""
        self._traits[trait] = present

    def add_port(self, mac: str, fields: JsonObject) -> JsonObject:
        """Add a port with `fields` to those known and return it; it has its UUID from now on."""
        port = {'uuid': str(uuid.uuid4()), 'node_uuid': self.uuid, 'address': mac, **copy.deepcopy(_NEW_PORT), **fields}
        self.ports[mac] = port
        return port

    def patch_port(self, mac: str, patch: JsonPatch) -> JsonObject:
        """Apply a JSON patch to the port with `mac` and return it; raises as `patch` does."""
        self.ports[mac] = _patched(self.ports[mac], patch, f'port {mac}')
        return self.ports[mac]

    def delete_port(self, mac: str) -> None:
        """Take away the port with `mac`."""
        del self.ports[mac]

    def changes(self) -> Changes:
        """Return what differs from what Ironic has."""
        changes = Changes()
        if self._node is not None:
            changes.node = _difference(self._sent, self._node)
            # Ironic takes it with a driver only, and the driver may be what it was.
            changes.reset_interfaces = self._reset_interfaces and _touches(changes.node, 'driver')
            if changes.reset_interfaces:
                # One that is chosen is written also if it is what it was: with the driver it would change.
                changes.node += [
                    {'op': 'add', 'path': f'/{field}', 'value': value}
                    for field, value in self._chosen_interfaces.items()
                    if not _touches(changes.node, field)
                ]
        if self._ports is not None:
            present = set()
            for port in self._ports.values():
                present.add(port['uuid'])
                sent = self._sent_ports.get(port['uuid'])
                if sent is None:
                    changes.new_ports.append(
                        {key: value for key, value in port.items() if key not in _NEW_PORT or value != _NEW_PORT[key]}
                    )
                elif patch := _difference(sent, port):
                    changes.ports[port['uuid']] = patch
            changes.deleted_ports = [sent for sent in self._sent_ports if sent not in present]
        changes.added_traits = [trait for trait, present in self._traits.items() if present]
        changes.removed_traits = [trait for trait, present in self._traits.items() if not present]
        return changes

    def write(self, *, tolerant: bool = False) -> Changes:
        """Send all changes to Ironic, the node's in one request, and return them.

        A port whose MAC somebody else's port has is left out with a warning; so is, where one is `tolerant`, what
        Ironic refuses (400) of the changes to a port.
        """
        changes = self.changes()
        if changes.node:
            self._write_node(changes)
        for port in changes.new_ports:
            self._create_port(port)
        by_uuid = {port['uuid']: mac for mac, port in (self._ports or {}).items()}
        for port_uuid, patch in changes.ports.items():
            port = self._patch_port(port_uuid, patch, tolerant=tolerant)
            self.ports[by_uuid[port_uuid]] = port
            self._sent_ports[port_uuid] = port
        for port_uuid in changes.deleted_ports:
            self._delete_port(port_uuid)
        self._write_traits(changes)
        return changes

    def pretend_to_write(self) -> Changes:
        """Return all changes, and from now on take them for what Ironic has."""
        changes = self.changes()
        self._take(self._node or {})
        self._sent_ports = {port['uuid']: port for port in (self._ports or {}).values()}
        self._traits.clear()
        return changes

    def forget(self) -> None:
        """Drop the copy, so that it is fetched again; changes that are not written yet are lost."""
        self._node = self._resource = self._ports = None
        self._reset_interfaces = False
        self._chosen_interfaces = {}
        self._traits.clear()

    def _take(self, node: JsonObject) -> JsonObject:
        self._node = node
        self._sent = node
        self._resource = None
        self._reset_interfaces = False
        self._chosen_interfaces = {}
        return node

    def _write_node(self, changes: Changes) -> None:
        chosen = self._chosen_interfaces if changes.reset_interfaces else {}
        node = self._take(self._client.patch_node(self.uuid, changes.node, reset_interfaces=changes.reset_interfaces))
        # Ironic resets also those that the request sets to what they were before.
        lost = [
            {'op': 'add', 'path': f'/{field}', 'value': value}
            for field, value in chosen.items()
            if node.get(field) != value
        ]
        if lost:
            self._take(self._client.patch_node(self.uuid, lost))

    def _create_port(self, port: JsonObject) -> None:
        mac = port['address']
        try:
            created = self._client.create_port(port)
        except ironic_client.PortExists:
            LOG.warning('The port %s of node %s is not created: another port has this MAC', mac, self.uuid)
            del self.ports[mac]
            return
        LOG.info('Port %s of node %s created', mac, self.uuid)
        self.ports[mac] = created
        self._sent_ports[created['uuid']] = created

    def _patch_port(self, port_uuid: str, patch: JsonPatch, *, tolerant: bool) -> JsonObject:
        try:
            return self._client.patch_port(port_uuid, patch)
        except exceptions.IronicError as exc:
            if not tolerant or exc.status != HTTPStatus.BAD_REQUEST:
                raise
            LOG.warning('Port %s of node %s stays as it is: %s', port_uuid, self.uuid, exc)
            return self._sent_ports[port_uuid]

    def _delete_port(self, port_uuid: str) -> None:
        try:
            self._client.delete_port(port_uuid)
        except exceptions.NotFound:
            LOG.info('Port %s of node %s has been deleted already', port_uuid, self.uuid)
        self._sent_ports.pop(port_uuid)

    def _write_traits(self, changes: Changes) -> None:
        for trait in changes.added_traits:
            self._client.add_trait(self.uuid, trait)
        for trait in changes.removed_traits:
            try:
                self._client.remove_trait(self.uuid, trait)
            except exceptions.NotFound:
                LOG.debug('Node %s does not have the trait %s', self.uuid, trait)
        self._traits.clear()


def _patched(document: JsonObject, patch: JsonPatch, name: str) -> JsonObject:
    # Only what the patch may touch is copied: what Ironic sent stays as it is, to be compared with.
    places = [str(operation.get(key, '')) for operation in patch for key in ('path', 'from')]
    touched = {place.split('/')[1] for place in places if place.count('/')}
    patched = {key: copy.deepcopy(value) if key in touched else value for key, value in document.items()}
    try:
        jsonpatch.JsonPatch(patch).apply(patched, in_place=True)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, KeyError) as exc:
        # Without the values: there may be secrets among them, and the message becomes the node's error.
        operations = ', '.join(f'{operation.get("op")} {operation.get("path")}' for operation in patch)
        reason, missing, _document = str(exc).partition(' not found in ')
        reason += ' is not there' if missing else ''
        raise exceptions.InvalidRequest(f'The patch ({operations}) does not fit {name}: {reason}') from exc
    return patched


def _difference(before: JsonObject, after: JsonObject) -> JsonPatch:
    """Return the JSON patch from `before` to `after`: one operation a field, or a key of a field that is an object."""
    patch: JsonPatch = []
    for field in before.keys() | after.keys():
        old, new = before.get(field), after.get(field)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict) and _is_addressable(field, old, new):
            patch += _operations(old, new, f'/{field}')
        else:
            patch += _operations({field: old} if field in before else {}, {field: new} if field in after else {}, '')
    return sorted(patch, key=lambda operation: str(operation['path']))


def _touches(patch: JsonPatch, field: str) -> bool:
    return any(operation['path'] == f'/{field}' for operation in patch)


def _operations(old: JsonObject, new: JsonObject, parent: str) -> JsonPatch:
    written: JsonPatch = [
        {'op': 'add', 'path': f'{parent}/{key}', 'value': value}
        for key, value in new.items()
        if key not in old or old[key] != value
    ]
    removed = [{'op': 'remove', 'path': f'{parent}/{key}'} for key in old if key not in new]
    return written + removed


def _is_addressable(field: str, old: JsonObject, new: JsonObject) -> bool:
    """Tell whether what differs can be patched key by key: Ironic takes no other characters in a path than these.

    driver_info always is: to write it as a whole would replace its secrets by the asterisks that Ironic shows for them.
    """
    changed = (key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    return field == 'driver_info' or all(_PATH_PART.fullmatch(key) for key in changed)
