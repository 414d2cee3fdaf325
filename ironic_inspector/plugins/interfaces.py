"""The interfaces in an inventory as those hooks see them that work on what another hook has made of them."""

from __future__ import annotations

from collections.abc import Container
from collections.abc import Iterator
from typing import Any

from ironic_inspector import utils
from ironic_inspector.common import ironic

LOG = utils.getProcessingLogger(__name__)

JsonObject = dict[str, Any]

_MOVABLE = ironic.INTROSPECTABLE - {'inspect failed'}
"""Provision states in which Ironic lets ports get another link, physical network or `pxe_enabled`."""


def known(introspection_data: JsonObject) -> dict[str, JsonObject]:
    """Return the records of interfaces in the inventory by their names, of those that are in `all_interfaces`.

    Error if there is no inventory. What is not a record of a known interface is left out: the hook
    `validate_interfaces`, which makes `all_interfaces`, has told of it.
    """
    records = utils.get_inventory(introspection_data)['interfaces']
    accepted = introspection_data.get('all_interfaces')
    if not isinstance(records, list) or not isinstance(accepted, dict):
        return {}
    named = ((record.get('name'), record) for record in records if isinstance(record, dict))
    return {name: record for name, record in named if isinstance(name, str) and isinstance(accepted.get(name), dict)}


def with_ports(introspection_data: JsonObject, macs: Container[str]) -> Iterator[tuple[str, str, JsonObject]]:
    """Return name, MAC in lower case and record of each known interface whose MAC is one of `macs`, those of ports."""
    for name, record in known(introspection_data).items():
        mac = record.get('mac_address')
        if isinstance(mac, str) and mac.lower() in macs:
            yield name, mac.lower(), record


def can_be_moved(node_info: Any) -> bool:
    """Tell whether Ironic lets the ports of a node move to other switches and networks, and log it if not.

    It does not, for one, while somebody uses the node, unless that is in maintenance.
    """
    node = node_info.fields
    state = node.get('provision_state')
    if state in _MOVABLE or node.get('maintenance'):
        return True
    LOG.info('The links and networks of its ports are left alone: the node is %s', state, node_info=node_info)
    return False
