"""The filter in the firewall, by nftables: a table of its own with sets of MACs."""

from __future__ import annotations

from collections.abc import Iterable
import dataclasses
import json
from typing import Any

from oslo_log import log

from ironic_inspector.pxe_filter import base
from ironic_inspector.pxe_filter import commands
from ironic_inspector.pxe_filter import firewall
from ironic_inspector.pxe_filter import policy as pxe_policy

LOG = log.getLogger(__name__)

CHAIN = 'input'
ACTIVE = 'active'
INACTIVE = 'inactive'
_FAMILIES = {'4': 'ip', '6': 'ip6'}
_HOOK = {'type': 'filter', 'hook': 'input', 'prio': 0, 'policy': 'accept'}


@dataclasses.dataclass(frozen=True)
class State:
    """What is in the table."""

    mode: str
    """The comment of its only rule, which says what the rule does."""
    active: frozenset[str] = frozenset()
    inactive: frozenset[str] = frozenset()


def state(policy: pxe_policy.Policy, place: firewall.Place) -> State:
    """Return what is to be in the table."""
    return State(_mode(policy, place), policy.active, policy.inactive)


def table(place: firewall.Place) -> str:
    """Return family and name of the table."""
    return f'{_FAMILIES[place.ip_version]} {place.chain}'


def script(place: firewall.Place, present: State | None, wanted: State) -> str:
    """Return what `nft -f` needs to make `wanted` of what is present, in one transaction; None is no such table.

    Empty if there is nothing to do.
    """
    if present is None:
        return _whole(place, wanted)
    name = table(place)
    lines = []
    for elements, before, after in (
        (ACTIVE, present.active, wanted.active),
        (INACTIVE, present.inactive, wanted.inactive),
    ):
        if before - after:
            lines.append(f'delete element {name} {elements} {{ {_listed(before - after)} }}')
        if after - before:
            lines.append(f'add element {name} {elements} {{ {_listed(after - before)} }}')
    if present.mode != wanted.mode:
        lines.append(f'flush chain {name} {CHAIN}')
        lines.append(f'add rule {name} {CHAIN} {_rule(place, wanted.mode)}')
    return ''.join(f'{line}\n' for line in lines)


def parse(listing: str) -> State | None:
    """Return what `nft --json list table` has printed; None if that is not as this filter makes a table."""
    sets: dict[str, frozenset[str]] = {}
    chains, comments = [], []
    for item in json.loads(listing)['nftables']:
        if 'set' in item:
            sets[item['set']['name']] = frozenset(item['set'].get('elem', ()))
        elif 'chain' in item:
            chains.append((item['chain']['name'], {key: item['chain'].get(key) for key in _HOOK}))
        elif 'rule' in item:
            comments.append(item['rule'].get('comment', ''))
    if chains != [(CHAIN, _HOOK)] or len(comments) != 1 or sets.keys() != {ACTIVE, INACTIVE}:
        return None
    return State(comments[0], sets[ACTIVE], sets[INACTIVE])


class NftablesFilter(base.PolicyFilter):
    """Drops what nodes that must not boot ask the DHCP server, by nftables."""

    def __init__(self) -> None:
        self._present: State | None = None

    def init_filter(self) -> None:
        """See FilterDriver: what is in force from an earlier life stays; without that nobody is served yet."""
        self._place = firewall.place(self.conf)
        self._commands = commands.Commands(self.conf)
        closed = pxe_policy.Policy(frozenset(), frozenset(), open=False)
        try:
            if self._look() is None:
                self._change(None, state(closed, self._place))
        except commands.CommandError as exc:
            raise firewall.unusable('nftables', 'nftables', exc) from exc

    def tear_down_filter(self) -> None:
        """See FilterDriver: the table stays, or every node could boot while the service is away."""
        LOG.info('The nftables table %s stays as it is', table(self._place))

    def put_in_force(self, policy: pxe_policy.Policy, *, look: bool) -> None:
        """See PolicyFilter."""
        wanted = state(policy, self._place)
        present, self._present = self._present, None
        if present is not None and not look:
            try:
                self._change(present, wanted)
            except commands.CommandError as exc:
                LOG.warning('The nftables table is not as it was left: %s', exc)
                present = None
        if present is None or look:
            self._change(self._look(), wanted)
        self._present = wanted

    def _look(self) -> State | None:
        family, name = table(self._place).split()
        tables = json.loads(self._commands.run('nft', '--json', 'list', 'tables', family))['nftables']
        if not any(_is_table(item, family, name) for item in tables):
            return None
        return parse(self._commands.run('nft', '--json', 'list', 'table', family, name))

    def _change(self, present: State | None, wanted: State) -> None:
        changes = script(self._place, present, wanted)
        if changes:
            self._commands.run('nft', '-f', '-', script=changes)
            LOG.info('PXE filter nftables: %s, %d MACs inactive', wanted.mode, len(wanted.inactive))


def _mode(policy: pxe_policy.Policy, place: firewall.Place) -> str:
    does = 'closed' if policy.closed else 'open' if policy.open else 'active only'
    return f'{does}: {place.interface} {place.port}'


def _rule(place: firewall.Place, mode: str) -> str:
    does = {
        'closed': 'reject',
        'open': f'ether saddr @{INACTIVE} drop',
        'active only': f'ether saddr != @{ACTIVE} drop',
    }
    # The interface may be a pattern, as iptables has it.
    interface = place.interface[:-1] + '*' if place.interface.endswith('+') else place.interface
    return f'iifname "{interface}" udp dport {place.port} {does[mode.partition(":")[0]]} comment "{mode}"'


def _whole(place: firewall.Place, wanted: State) -> str:
    name = table(place)
    sets = ''.join(
        f'  set {elements} {{\n    type ether_addr\n{_elements(macs)}  }}\n'
        for elements, macs in ((ACTIVE, wanted.active), (INACTIVE, wanted.inactive))
    )
    return (
        # Deleting one that is not there would be an error.
        f'add table {name}\n'
        f'delete table {name}\n'
        f'table {name} {{\n'
        f'{sets}'
        f'  chain {CHAIN} {{\n'
        '    type filter hook input priority 0; policy accept;\n'
        f'    {_rule(place, wanted.mode)}\n'
        '  }\n'
        '}\n'
    )


def _elements(macs: frozenset[str]) -> str:
    return f'    elements = {{ {_listed(macs)} }}\n' if macs else ''


def _listed(macs: Iterable[str]) -> str:
    return ', '.join(sorted(macs))


def _is_table(item: dict[str, Any], family: str, name: str) -> bool:
    found = item.get('table', {})
    return (found.get('family'), found.get('name')) == (family, name)
