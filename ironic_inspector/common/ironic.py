"""The client of Ironic: one connection for all threads, and retries.

Nodes and ports come back as Ironic's own JSON objects; `as_node` and `as_port` make openstacksdk's resources of them,
which is what plug-ins are given. For plug-ins that ask Ironic themselves there are `get_client`, `get_node`,
`lookup_node` and `NotFound`, from `ironic_inspector.common.ironic_sdk`.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
import json
import re
import threading
import time
from typing import Any
from urllib import parse

from oslo_config import cfg

from ironic_inspector.common import exceptions
from ironic_inspector.common import keystone
from ironic_inspector.common import metrics as service_metrics
from ironic_inspector.common import remote
from ironic_inspector.common import secrets
from ironic_inspector.common.ironic_sdk import NotFound
from ironic_inspector.common.ironic_sdk import get_client
from ironic_inspector.common.ironic_sdk import get_node
from ironic_inspector.common.ironic_sdk import lookup_node
from ironic_inspector.conf import ironic as ironic_conf

__all__ = ['NotFound', 'get_client', 'get_node', 'lookup_node']

JsonObject = dict[str, Any]
JsonPatch = list[JsonObject]

INTROSPECTABLE = frozenset({'enroll', 'manageable', 'inspecting', 'inspect wait', 'inspect failed'})
"""Provision states of nodes that may be introspected."""
IN_USE = frozenset({'active', 'rescue'})
"""Provision states of nodes that serve somebody: introspected only where permitted, and never disturbed."""

ATTEMPTS = 5
"""How often a request is tried in all when Ironic cannot be reached or fails."""
ATTEMPT_INTERVAL = 1.0
"""Seconds between two of these attempts."""
ANSWER_TIMEOUT = 60.0
"""Seconds to wait for an answer where [ironic]timeout is not set: what Ironic's API gives its own conductor."""
PAGE_SIZE = 1000
SINGLE_MACS = 64
"""MACs that are looked up one by one; for more than any usual machine has, all ports are read."""
MICROVERSION = (1, 95)
"""The newest version of Ironic's API that this client knows; older ones do as well."""
MAX_REASON = 500
"""Characters quoted of an error that is not as Ironic writes them."""
_CONFLICT = 409
_PASSING = re.compile(r' is (presently )?locked |state transition is in progress|in state "inspecting"')
"""What Ironic says where a conflict (409) ends by itself: another operation holds the node."""

SDK_NAMES = {
    'allocation_id': 'allocation_uuid',
    'chassis_id': 'chassis_uuid',
    'id': 'uuid',
    'instance_id': 'instance_uuid',
    'is_automated_clean_enabled': 'automated_clean',
    'is_console_enabled': 'console_enabled',
    'is_maintenance': 'maintenance',
    'is_protected': 'protected',
    'is_retired': 'retired',
    'is_secure_boot': 'secure_boot',
    'port_groups': 'portgroups',
}
"""Fields of a node that openstacksdk has another name for, with the name in Ironic; a test keeps it complete."""


def as_node(fields: JsonObject) -> Any:
    """Return openstacksdk's Node of a node as Ironic's API represents it."""
    # Imported by need: it takes much memory, and only plug-ins from elsewhere want it.
    from openstack.baremetal.v1 import node

    return node.Node.existing(**fields)


def as_port(fields: JsonObject) -> Any:
    """Return openstacksdk's Port of a port as Ironic's API represents it."""
    from openstack.baremetal.v1 import port

    return port.Port.existing(**fields)


class _RequestFailed(exceptions.IronicError):
    """One attempt failed; `status` is None if there was no answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class PortExists(exceptions.IronicError):
    """A port with the MAC exists already."""


class IronicClient:
    """What the service asks of Ironic.

    Every method raises exceptions.NotFound where Ironic does not know the object, and exceptions.IronicError, with
    what Ironic said, once its retries are used up: a locked node (409) is asked about again by [ironic]max_retries
    and retry_interval; failures of Ironic and of the network five times in all, a second apart. A request that a
    client waits for (`hurried`) is not repeated if Ironic refused it (other 4xx), nor is one that writes fields of a
    node or port repeated after a conflict that waiting does not end.
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        stopping: threading.Event,
        attempt_interval: float = ATTEMPT_INTERVAL,
        metrics: service_metrics.Metrics = service_metrics.OFF,
    ) -> None:
        """Prepare a client for the Ironic in [ironic]; connects when first used.

        Once `stopping` is set, nothing waits for the next attempt any more.
        """
        self._conf = conf
        self._stopping = stopping
        self._attempt_interval = attempt_interval
        self._metrics = metrics
        self._connection = remote.Connection(self._connect)

    # Nodes

    def get_node(self, node_id: str) -> JsonObject:
        """Return a node by its UUID or name."""
        node = self._fetch('GET', _node_path(node_id), hurried=True)
        # To Ironic, "detail" and ".." are no names but other resources.
        if 'uuid' not in node:
            raise exceptions.NotFound(f'Ironic has no node {node_id!r}')
        return node

    def node_uuids(self) -> Iterator[str]:
        """Yield the UUIDs of all nodes, asking for a page when it is needed."""
        for node in self.nodes('uuid'):
            yield node['uuid']

    def nodes(self, *fields: str) -> Iterator[JsonObject]:
        """Yield all nodes, with these fields of them, asking for a page when it is needed."""
        return self._pages('/nodes', 'nodes', {'fields': ','.join(fields)})

    def nodes_in_state(self, provision_state: str, *fields: str) -> Iterator[JsonObject]:
        """Yield the nodes in a provision state, with these fields of them, asking for a page when it is needed."""
        return self._pages('/nodes', 'nodes', {'provision_state': provision_state, 'fields': ','.join(fields)})

    def create_node(self, fields: JsonObject) -> JsonObject:
        """Create a node, with a UUID among its fields that no node has, and return it."""
        try:
            return self._fetch('POST', '/nodes', body=fields, hurried=True, final=_is_lasting)
        except _RequestFailed as exc:
            if not _is_lasting(exc):
                raise
            # Is it the name that is taken? A repeat, after the answer was lost, meets the node that it has made.
            try:
                return self.get_node(fields['uuid'])
            except exceptions.NotFound:
                raise exc from None

    def validate_power(self, node_uuid: str) -> str | None:
        """Ask Ironic to validate the power interface of a node; return why it is not valid, None if it is."""
        power = self._fetch('GET', f'{_node_path(node_uuid)}/validate', hurried=True).get('power')
        if not isinstance(power, dict):
            return 'Ironic does not say whether it is'
        return None if power.get('result') else str(power.get('reason') or 'Ironic gives no reason')

    def patch_node(self, node_uuid: str, patch: JsonPatch, *, reset_interfaces: bool = False) -> JsonObject:
        """Apply a JSON patch (RFC 6902) to a node and return the node as it is now."""
        query = {'reset_interfaces': 'true'} if reset_interfaces else {}
        return self._fetch('PATCH', _node_path(node_uuid), body=patch, query=query, hurried=True, final=_is_lasting)

    def set_boot_device(self, node_uuid: str, device: str, *, persistent: bool) -> None:
        """Set the device that a node boots from next, or from now on if `persistent`."""
        body = {'boot_device': device, 'persistent': persistent}
        self._request('PUT', f'{_node_path(node_uuid)}/management/boot_device', body=body)

    def set_power_state(self, node_uuid: str, target: str) -> None:
        """Ask for a power state: 'power on', 'power off' or 'rebooting'."""
        self._request('PUT', f'{_node_path(node_uuid)}/states/power', body={'target': target})

    def add_trait(self, node_uuid: str, trait: str) -> None:
        """Add a trait to a node."""
        self._request('PUT', f'{_node_path(node_uuid)}/traits/{parse.quote(trait, safe="")}', hurried=True)

    def remove_trait(self, node_uuid: str, trait: str) -> None:
        """Remove a trait from a node."""
        self._request('DELETE', f'{_node_path(node_uuid)}/traits/{parse.quote(trait, safe="")}', hurried=True)

    # Ports

    def node_ports(self, node_uuid: str) -> list[JsonObject]:
        """Return all ports of a node."""
        return list(self._pages('/ports/detail', 'ports', {'node': node_uuid}))

    def nodes_of_macs(self, macs: Collection[str]) -> dict[str, str]:
        """Return the UUIDs of the nodes that have ports with these MACs (in lower case), by the MAC."""
        query = {'fields': 'uuid,address,node_uuid'}
        if len(macs) > SINGLE_MACS:
            ports = list(self._pages('/ports', 'ports', query))
        else:
            ports = [port for mac in macs for port in self._pages('/ports', 'ports', query | {'address': mac})]
        found = {port['address'].lower(): str(port['node_uuid']) for port in ports}
        return {mac: found[mac] for mac in macs if mac in found}

    def all_ports(self) -> Iterator[JsonObject]:
        """Yield all ports, with `address` and `extra` of each, asking for a page when it is needed."""
        return self._pages('/ports', 'ports', {'fields': 'uuid,address,extra'})

    def create_port(self, fields: JsonObject) -> JsonObject:
        """Create a port, with a UUID among its fields that no port has; PortExists if its MAC is taken."""
        try:
            return self._fetch('POST', '/ports', body=fields, hurried=True, final=_is_lasting)
        except _RequestFailed as exc:
            if not _is_lasting(exc):
                raise
            # As with nodes: is it the port that this has made, without being told?
            try:
                return self._fetch('GET', _port_path(fields['uuid']), hurried=True)
            except exceptions.NotFound:
                raise PortExists(str(exc)) from exc

    def patch_port(self, port_uuid: str, patch: JsonPatch) -> JsonObject:
        """Apply a JSON patch (RFC 6902) to a port and return the port as it is now."""
        return self._fetch('PATCH', _port_path(port_uuid), body=patch, hurried=True, final=_is_lasting)

    def delete_port(self, port_uuid: str) -> None:
        """Delete a port."""
        self._request('DELETE', _port_path(port_uuid), hurried=True)

    # Requests

    def check(self) -> None:
        """Raise IronicError if Ironic does not answer; it is asked once."""
        try:
            self._attempt('GET', '/nodes', query={'fields': 'uuid', 'limit': '1'})
        except exceptions.NotFound as exc:
            raise exceptions.IronicError(f'What answers is not Ironic: {exc}') from exc

    def _pages(self, path: str, holding: str, wanted: dict[str, str]) -> Iterator[JsonObject]:
        """Yield the objects of a list, which Ironic answers in `holding`, asking for a page when it is needed."""
        marker: str | None = None
        while True:
            query = wanted | {'limit': str(PAGE_SIZE)} | ({'marker': marker} if marker else {})
            page = self._fetch('GET', path, query=query, holding=holding)
            for item in page[holding]:
                marker = item['uuid']
                yield item
            # Ironic itself may allow shorter pages than those asked for: only its link says whether there is more.
            if not page[holding] or not page.get('next'):
                return

    def _fetch(self, method: str, path: str, *, holding: str | None = None, **kwargs: Any) -> JsonObject:
        """Send a request and return the JSON object that Ironic answers, with a list of objects in `holding`."""
        answer = self._request(method, path, **kwargs)
        try:
            document = answer.json()
        except ValueError:
            document = None
        if not isinstance(document, dict) or not (holding is None or _is_list_of_objects(document.get(holding))):
            raise exceptions.IronicError(
                f'What answers {method} {path} is not Ironic: check [ironic]endpoint_override, or the service catalog'
            )
        return document

    def _request(
        self,
        method: str,
        path: str,
        *,
        hurried: bool = False,
        final: Callable[[_RequestFailed], bool] = lambda _exc: False,
        **kwargs: Any,
    ) -> keystone.Answer:
        def pause(exc: _RequestFailed, attempts: int) -> float | None:
            if final(exc):
                return None
            if exc.status == _CONFLICT:
                locked = self._conf.ironic
                return float(locked.retry_interval) if attempts <= locked.max_retries else None
            refused = exc.status is not None and 300 <= exc.status < 500
            return self._attempt_interval if attempts < ATTEMPTS and not (hurried and refused) else None

        return remote.persist(
            lambda: self._attempt(method, path, **kwargs),
            pause,
            failure=_RequestFailed,
            stopping=self._stopping,
            title=f'{method} {path}',
        )

    def _attempt(self, method: str, path: str, **kwargs: Any) -> keystone.Answer:
        began = time.perf_counter()
        try:
            answer = self._connection.request(method, path, **kwargs)
        except keystone.Failure as exc:
            self._metrics.ironic_failed(method, path, exc, time.perf_counter() - began)
            raise _RequestFailed(
                f'Ironic cannot be reached, check that it is up and that [ironic] leads to it: {exc}'
            ) from exc
        self._metrics.ironic_answered(method, path, answer.status, time.perf_counter() - began)
        # Nothing follows redirections: the request has not been carried out.
        if answer.status < 300:
            return answer
        # Ironic quotes patches that it cannot apply, and what it says becomes the node's error.
        reason = secrets.without(_reason(answer), kwargs.get('body'))
        if answer.status == 404:
            raise exceptions.NotFound(f'Ironic answered 404: {reason}')
        raise _RequestFailed(f'Ironic answered {answer.status}: {reason}', answer.status)

    def _connect(self) -> keystone.Endpoint:
        return keystone.connect(
            self._conf,
            ironic_conf.GROUP,
            versions=keystone.Versions(MICROVERSION, 'X-OpenStack-Ironic-API-Version'),
            timeout=ANSWER_TIMEOUT,
            connections=self._conf.max_concurrency,
        )


def _node_path(node_id: str) -> str:
    # Half of a surrogate pair, which JSON may hold, is part of nobody's name: "?" is none either.
    return f'/nodes/{parse.quote(node_id, safe="", errors="replace")}'


def _port_path(port_uuid: str) -> str:
    return f'/ports/{parse.quote(port_uuid, safe="")}'


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _is_lasting(failure: _RequestFailed) -> bool:
    """Tell whether this is a conflict that waiting does not end, such as a name that is taken."""
    return failure.status == _CONFLICT and not _PASSING.search(str(failure))


def _reason(answer: keystone.Answer) -> str:
    """Return what Ironic says of an error: {"error_message": {"faultstring": …}}, the inner object as JSON text."""
    try:
        message = answer.json()['error_message']
        if isinstance(message, str):
            message = json.loads(message)
        return str(message['faultstring'])
    except (ValueError, KeyError, TypeError):
        return answer.body[:MAX_REASON].decode('utf-8', 'replace').strip() or answer.reason
