"""A node on introspection in the hands of whoever holds its lock: what hooks, rules and the life cycle work with."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
import copy
import datetime
import json
from typing import Any

from oslo_log import log
import sqlalchemy as sa

from ironic_inspector.common import ironic as ironic_client
from ironic_inspector.common import node_copy
from ironic_inspector.common import text
from ironic_inspector.db import engine
from ironic_inspector.db import introspections

LOG = log.getLogger(__name__)


class NodeInfo:
    """A node on introspection, as hooks, rules and the life cycle see it. Used under the node's lock.

    What is written to the node or its ports is visible at once in `node()` and `ports()`, and goes to Ironic with
    `write()`, which the service calls after the hooks and after the rules. Methods that take `ironic` accept it for
    the sake of plug-ins that pass one; there is one client for all.
    """

    def __init__(
        self,
        record: introspections.Introspection,
        database: engine.Database,
        client: ironic_client.IronicClient,
        node: ironic_client.JsonObject | None = None,
    ) -> None:
        """Take `record` as the state of affairs; `node` is the node of Ironic, where it has been fetched already."""
        self.record = record
        self._database = database
        self._copy = node_copy.NodeCopy(record.uuid, client, node)
        self._options: dict[str, Any] | None = None

    def __str__(self) -> str:
        """Name the node in messages."""
        return self.uuid

    @property
    def uuid(self) -> str:
        """The UUID of the node, the same as in Ironic."""
        return self.record.uuid

    @property
    def state(self) -> str:
        """The state of the introspection, one of `introspection_state.States`."""
        return self.record.state

    @property
    def started_at(self) -> datetime.datetime | None:
        """When the introspection started, in UTC."""
        return self.record.started_at

    @property
    def finished_at(self) -> datetime.datetime | None:
        """When the introspection ended, in UTC; None while it goes on."""
        return self.record.finished_at

    @property
    def error(self) -> str | None:
        """Why the introspection failed."""
        return self.record.error

    @property
    def manage_boot(self) -> bool:
        """Whether the service powers the node and sets its boot device."""
        return self.record.manage_boot is not False

    # Options and attributes

    @property
    def options(self) -> dict[str, Any]:
        """Settings of this introspection by name."""
        if self._options is None:
            stored = self._database.read(lambda connection: introspections.options(connection, self.uuid))
            self._options = {name: json.loads(value) for name, value in stored.items() if value is not None}
        return self._options

    def set_option(self, name: str, value: Any) -> None:
        """Set an option to anything that JSON can hold."""
        encoded = json.dumps(value)
        self._database.write(lambda connection: introspections.set_option(connection, self.uuid, name, encoded))
        self._options = None

    @property
    def attributes(self) -> dict[str, list[str]]:
        """What a callback can be matched by: lists of values by name, such as `mac`."""
        return self._database.read(lambda connection: introspections.attributes(connection, self.uuid))

    def add_attribute(self, name: str, value: Any) -> None:
        """Add one value, or several in a list, to the lookup attributes. They become text; None is none."""
        items = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
        values = {name: [str(item) for item in items if item is not None]}
        self._database.write(lambda connection: introspections.add_attributes(connection, self.uuid, values))

    def set_attributes(self, attributes: Mapping[str, Iterable[str]]) -> None:
        """Replace all lookup attributes by these: lists of values by name."""
        values = {name: list(found) for name, found in attributes.items()}

        def replace(connection: sa.Connection) -> None:
            introspections.delete_attributes(connection, self.uuid)
            introspections.add_attributes(connection, self.uuid, values)

        self._database.write(replace)

    # The node in Ironic

    @property
    def ironic(self) -> Any:
        """What `ironic_inspector.common.ironic.get_client` returns; what is written with it does not show here."""
        return ironic_client.get_client()

    def node(self, ironic: Any = None) -> Any:  # noqa: ARG002
        """Return the node as openstacksdk's Node, with all changes. What is changed in it is changed nowhere else."""
        return self._copy.resource

    @property
    def fields(self) -> ironic_client.JsonObject:
        """The node as Ironic's API represents it, with all changes. To be read only; cheaper than `node()`."""
        return self._copy.node

    def ports(self, ironic: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """Return the ports by their MAC, as openstacksdk's Port, with all changes; see `node`."""
        return {mac: ironic_client.as_port(copy.deepcopy(port)) for mac, port in self._copy.ports.items()}

    @property
    def port_fields(self) -> dict[str, ironic_client.JsonObject]:
        """The ports by their MAC as Ironic's API represents them. To be read only; cheaper than `ports()`."""
        return self._copy.ports

    def patch(self, patches: node_copy.JsonPatch, ironic: Any = None, **kwargs: Any) -> None:  # noqa: ARG002
        """Apply a JSON patch (RFC 6902) to the node; `reset_interfaces=True` goes with a change of the driver."""
        self._copy.patch(_prepared(patches), reset_interfaces=bool(kwargs.get('reset_interfaces')))

    def update_properties(self, /, ironic: Any = None, **values: Any) -> None:
        """Set keys of the node's properties."""
        self.patch(
            [{'op': 'add', 'path': f'/properties/{key}', 'value': value} for key, value in values.items()],
            ironic,
        )

    def update_capabilities(self, /, ironic: Any = None, **values: Any) -> None:
        """Set capabilities in the node's properties, or take away those that are None; the others stay as they are."""
        capabilities: dict[str, Any] = text.parse_capabilities(
            (self.fields.get('properties') or {}).get('capabilities')
        )
        capabilities.update(values)
        kept = {name: str(value) for name, value in capabilities.items() if value is not None}
        self.update_properties(ironic, capabilities=text.format_capabilities(kept))

    def add_trait(self, trait: str, ironic: Any = None) -> None:  # noqa: ARG002
        """Add a trait to the node."""
        self._copy.set_trait(trait, present=True)

    def remove_trait(self, trait: str, ironic: Any = None) -> None:  # noqa: ARG002
        """Remove a trait from the node; no error if it has none by that name."""
        self._copy.set_trait(trait, present=False)

    def get_by_path(self, path: str, ironic: Any = None) -> Any:  # noqa: ARG002
        """Return a copy of the value at a JSON pointer such as /properties/cpus; KeyError if there is none."""
        parts = [part.replace('~1', '/').replace('~0', '~') for part in path.strip('/').split('/')]
        # Plug-ins may know a field by openstacksdk's name, such as instance_id.
        value: Any = self.fields if parts[0] in self.fields else self.node()
        try:
            for part in parts:
                value = value[int(part)] if isinstance(value, list) else value[part]
        except (LookupError, TypeError, ValueError):
            raise KeyError(path) from None
        return copy.deepcopy(value)

    def replace_field(self, path: str, func: Callable[[Any], Any], **kwargs: Any) -> None:
        """Set the value at `path` to what `func` makes of it; `default=` stands in for one that is missing.

        KeyError if it is missing and there is no default. Where `func` changes nothing, nothing is written.
        """
        try:
            before = self.get_by_path(path)
        except KeyError:
            if 'default' not in kwargs:
                raise
            before = kwargs['default']
        after = func(copy.deepcopy(before))
        if after != before:
            self.patch([{'op': 'add', 'path': path.strip('/'), 'value': after}])

    def create_ports(self, ports: Iterable[str | Mapping[str, Any]], ironic: Any = None) -> None:  # noqa: ARG002
        """Add ports, each a MAC or {mac, ip, client_id, pxe}; a MAC that the node has a port for is left alone."""
        for port in ports:
            details: Mapping[str, Any] = {'mac': port} if isinstance(port, str) else port
            mac = details['mac'].lower()
            if mac in self._copy.ports:
                LOG.warning('Node %s has a port with the MAC %s already', self, mac)
                continue
            client_id = details.get('client_id')
            fields: dict[str, Any] = {'extra': {'client-id': client_id}} if client_id else {}
            if details.get('pxe') is not None:
                fields['pxe_enabled'] = bool(details['pxe'])
            self._copy.add_port(mac, fields)

    @property
    def new_ports(self) -> list[ironic_client.JsonObject]:
        """The ports that Ironic does not have yet, as its API represents them."""
        return self._copy.new_ports

    def patch_port(self, port: Any, patches: node_copy.JsonPatch, ironic: Any = None) -> None:  # noqa: ARG002
        """Apply a JSON patch to a port, given as such or by its MAC; KeyError if the node has no such port."""
        self._copy.patch_port(_mac_of(port), _prepared(patches))

    def delete_port(self, port: Any, ironic: Any = None) -> None:  # noqa: ARG002
        """Delete a port, given as such or by its MAC; KeyError if the node has no such port."""
        self._copy.delete_port(_mac_of(port))

    def changes(self) -> node_copy.Changes:
        """Return what is still to be written to Ironic."""
        return self._copy.changes()

    def write(self, *, tolerant: bool = False) -> node_copy.Changes:
        """Write to Ironic what has changed and return it; if `tolerant`, a port that is refused stays as it was."""
        return self._copy.write(tolerant=tolerant)

    def invalidate_cache(self, ironic: Any = None) -> None:  # noqa: ARG002
        """Fetch node and ports again when they are next looked at. Changes made so far are written first."""
        self._copy.write()
        self._copy.forget()


def _mac_of(port: Any) -> str:
    return (port if isinstance(port, str) else str(port.address)).lower()


def _prepared(patches: Iterable[Mapping[str, Any]]) -> node_copy.JsonPatch:
    """Return a JSON patch of our own, whose paths start with a slash, as those of plug-ins need not."""
    return [
        {**copy.deepcopy(dict(operation)), 'path': '/' + str(operation['path']).removeprefix('/')}
        for operation in patches
    ]
