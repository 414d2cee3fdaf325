"""Matching callbacks of machines that somebody uses: nobody has started an introspection of them."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Sequence

from ironic_inspector.common import bmc
from ironic_inspector.common import exceptions
from ironic_inspector.common import ironic as ironic_client


def find(
    client: ironic_client.IronicClient, macs: Collection[str], bmc_addresses: Collection[str], bmc_fields: Sequence[str]
) -> ironic_client.JsonObject:
    """Return the node in use that has a port with one of the MACs or a BMC with one of the addresses.

    `bmc_fields` are the fields of driver_info that may hold the address. NotFound if Ironic knows no such node,
    several, or one that is not in use.
    """
    found = set(client.nodes_of_macs(macs).values())
    if not found and bmc_addresses:
        for state in sorted(ironic_client.IN_USE):
            nodes = client.nodes_in_state(state, 'uuid', 'driver_info')
            found |= bmc.owners(nodes, bmc_addresses, bmc_fields)
    if len(found) != 1:
        several = f': {", ".join(sorted(found))} match' if found else ''
        raise exceptions.NotFound(f'Ironic has no single node in use with these MACs or this BMC{several}')
    node = client.get_node(found.pop())
    if node.get('provision_state') not in ironic_client.IN_USE:
        raise exceptions.NotFound(
            f'Node {node["uuid"]} has these MACs or this BMC, but is not in use: start an introspection of it'
        )
    return node
