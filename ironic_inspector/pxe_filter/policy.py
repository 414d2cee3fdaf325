"""Who may boot the ramdisk, as data: what a PXE filter has to put in force."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import re
from typing import Any

_MAC = re.compile('[0-9a-f]{2}(:[0-9a-f]{2}){5}')
_GUID = re.compile('[0-9a-f]{2}(:[0-9a-f]{2}){7}')
_GUID_LENGTH = 23
"""Characters of a GUID: eight bytes."""


@dataclasses.dataclass(frozen=True)
class KnownPorts:
    """The ports that Ironic has."""

    macs: frozenset[str] = frozenset()
    """Their MACs, in lower case."""
    guids: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The GUIDs of those of InfiniBand, in lower case, by the MAC."""

    def __or__(self, other: KnownPorts) -> KnownPorts:
        """Return these ports with others; for a MAC that both have, the others know better."""
        return KnownPorts(self.macs | other.macs, {**self.guids, **other.guids})


def known_ports(ports: Iterable[tuple[Any, Any]]) -> KnownPorts:
    """Return ports of Ironic, given as (address, extra), as a filter has to know them.

    An `extra` with a `client-id` is a port of InfiniBand: its last eight bytes are the GUID. What is no MAC is left
    out, whoever has written it.
    """
    macs, guids = set(), {}
    for address, extra in ports:
        mac = _as_mac(address)
        if mac is None:
            continue
        macs.add(mac)
        client_id = extra.get('client-id') if isinstance(extra, Mapping) else None
        if isinstance(client_id, str):
            guid = client_id.lower()[-_GUID_LENGTH:]
            if _GUID.fullmatch(guid):
                guids[mac] = guid
    return KnownPorts(frozenset(macs), guids)


@dataclasses.dataclass(frozen=True)
class Policy:
    """Whom the DHCP server may answer."""

    active: frozenset[str]
    """MACs of nodes on introspection: served."""
    inactive: frozenset[str]
    """MACs of Ironic's other ports: never served."""
    open: bool
    """Whether MACs that Ironic does not know are served."""

    @property
    def closed(self) -> bool:
        """Whether nobody at all is served."""
        return not self.open and not self.active

    def serves(self, mac: str) -> bool:
        """Tell whether a MAC is served."""
        return mac in self.active or (self.open and mac not in self.inactive)


def decide(
    known: KnownPorts,
    active: Iterable[str],
    *,
    discovers: bool = False,
    deny_unknown: bool = False,
    ethernet: Mapping[str, str] | None = None,
) -> Policy:
    """Return the policy that follows from Ironic's ports and from the MACs on introspection.

    `discovers`: unknown machines may boot even if no introspection goes on. `deny_unknown`: they never may. `ethernet`:
    the MACs by which a DHCP server meets ports of InfiniBand, by their GUIDs; each counts instead of the port's own.
    """
    met_as = {mac: ethernet[guid] for mac, guid in known.guids.items() if guid in ethernet} if ethernet else {}
    wanted = {mac for mac in map(_as_mac, active) if mac is not None}
    macs = known.macs
    if met_as:
        wanted = {met_as.get(mac, mac) for mac in wanted}
        macs = frozenset(met_as.get(mac, mac) for mac in macs)
    return Policy(
        active=frozenset(wanted),
        inactive=macs - wanted,
        open=(discovers or bool(wanted)) and not deny_unknown,
    )


def _as_mac(text: Any) -> str | None:
    if isinstance(text, str):
        mac = text.lower()
        if _MAC.fullmatch(mac):
            return mac
    return None
