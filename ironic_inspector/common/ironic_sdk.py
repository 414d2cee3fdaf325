"""Ironic as plug-ins from elsewhere see it: through openstacksdk.

The service itself has `ironic_inspector.common.ironic.IronicClient`. openstacksdk takes long to import and much memory,
so it is imported when the first plug-in asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
import functools
from typing import Any

from keystoneauth1 import loading
from oslo_config import cfg

from ironic_inspector import utils
from ironic_inspector.common import bmc
from ironic_inspector.conf import ironic as ironic_conf

ANSWER_TIMEOUT = 60.0
"""Seconds to wait for an answer where [ironic]timeout is not set: without, one that never comes would hold a thread."""


class NotFound(utils.Error):
    """Ironic does not know a node."""

    code = 'not-found'

    def __init__(self, node_ident: Any, code: int = 404, *args: Any, **kwargs: Any) -> None:
        super().__init__(f'Ironic has no node {node_ident}', code, *args, **kwargs)


def get_client(token: Any = None) -> Any:  # noqa: ARG001
    """Return openstacksdk's proxy of the Bare Metal service that [ironic] of the service's configuration leads to.

    There is one for all threads, made when first asked for. Raises keystoneauth's errors if Ironic cannot be found, and
    looks for it again the next time. `token` is accepted for the sake of plug-ins that pass one.
    """
    return connection().baremetal


class LazyClient:
    """The same, as an object to be handed on: Ironic is looked for when something is first asked of it."""

    def __getattr__(self, name: str) -> Any:
        """Return what openstacksdk's proxy has by this name."""
        return getattr(get_client(), name)


def get_node(node_id: str, ironic: Any = None, **kwargs: Any) -> Any:
    """Return a node, by its UUID or name, as openstacksdk's Node; NotFound if there is none.

    `kwargs` are those of openstacksdk's `get_node`, such as `fields`; other errors are openstacksdk's as well.
    """
    # See the top of the module.
    from openstack import exceptions as sdk_exceptions

    try:
        return (ironic or get_client()).get_node(node_id, **kwargs)
    except sdk_exceptions.NotFoundException as exc:
        raise NotFound(node_id) from exc


def lookup_node(
    macs: Iterable[str] | None = None,
    bmc_addresses: Iterable[str] | None = None,
    introspection_data: Any = None,  # noqa: ARG001
    ironic: Any = None,
) -> str | None:
    """Return the UUID of the node that has a port with one of the MACs, or a BMC with one of the addresses.

    None if there is no such node, utils.Error if there are several.
    """
    found = set()
    client = ironic or get_client()
    for mac in macs or ():
        found |= {port.node_id for port in client.ports(address=mac, fields=['uuid', 'node_uuid'])}
    addresses = set(bmc_addresses or ())
    if addresses:
        found |= bmc.owners(_with_driver_info(client), addresses, cfg.CONF.ipmi_address_fields)
    if len(found) > 1:
        wanted = ', '.join([*(macs or ()), *sorted(addresses)])
        raise utils.Error(f'Several nodes have one of {wanted}: {", ".join(sorted(found))}')
    return found.pop() if found else None


def _with_driver_info(client: Any) -> Iterator[dict[str, Any]]:
    for node in client.nodes(fields=['uuid', 'driver_info']):
        yield {'uuid': node.id, 'driver_info': node.driver_info}


@functools.cache
def connection() -> Any:
    """Return openstacksdk's connection that `get_client` uses."""
    # See the top of the module.
    from openstack import connection as sdk_connection

    conf = cfg.CONF
    auth = loading.load_auth_from_conf_options(conf, ironic_conf.GROUP)
    session = loading.load_session_from_conf_options(
        conf, ironic_conf.GROUP, auth=auth, timeout=conf.ironic.timeout or ANSWER_TIMEOUT
    )
    return sdk_connection.Connection(
        session=session, oslo_conf=conf, service_types=[ironic_conf.SERVICE_TYPE], app_name='ironic-inspector'
    )
