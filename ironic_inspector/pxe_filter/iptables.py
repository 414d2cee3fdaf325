"""The filter in the firewall, by iptables: a chain of its own for the packets that ask the DHCP server."""

from __future__ import annotations

from collections.abc import Iterator
import dataclasses

from oslo_log import log

from ironic_inspector.pxe_filter import base
from ironic_inspector.pxe_filter import commands
from ironic_inspector.pxe_filter import firewall
from ironic_inspector.pxe_filter import policy as pxe_policy

LOG = log.getLogger(__name__)

CLOSED = pxe_policy.Policy(frozenset(), frozenset(), open=False)
_PROGRAMS = {'4': 'iptables', '6': 'ip6tables'}
_REJECT = {
    '4': '-j REJECT --reject-with icmp-port-unreachable',
    '6': '-j REJECT --reject-with icmp6-port-unreachable',
}
_ONLY_OURS = ('--noflush', '--wait', '30')
"""Of the table only what the script names is changed; wait for other programs at most so many seconds."""


@dataclasses.dataclass(frozen=True)
class State:
    """What there is in the firewall."""

    rules: list[str] | None = None
    """Those of the chain, without its name, in lower case; None if there is no such chain."""
    hooks: list[str] = dataclasses.field(default_factory=list)
    """The rules in INPUT that lead there, without the name of INPUT."""


def rules(policy: pxe_policy.Policy, ip_version: str) -> list[str]:
    """Return the rules of the chain, as iptables-save shows them but for the name of the chain."""
    if policy.closed:
        return [_REJECT[ip_version]]
    if policy.open:
        return [*_for_each(policy.inactive, 'DROP'), '-j ACCEPT']
    return [*_for_each(policy.active, 'ACCEPT'), '-j DROP']


def hook(place: firewall.Place) -> str:
    """Return the rule of INPUT that leads to the chain, as iptables-save shows it but for the name of INPUT."""
    return f'-i {place.interface} -p udp -m udp --dport {place.port} -j {place.chain}'


def script(place: firewall.Place, wanted: list[str], present: State) -> str:
    """Return what `iptables-restore --noflush` needs to make `wanted` of what is present, in one step."""
    hooks = [] if present.hooks == [hook(place)] else [hook(place)]
    lines = [
        '*filter',
        # Empties the chain if there is one.
        f':{place.chain} - [0:0]',
        *(f'-A {place.chain} {rule}' for rule in wanted),
        *(f'-D INPUT {rule}' for rule in present.hooks if hooks),
        *(f'-I INPUT 1 {rule}' for rule in hooks),
        'COMMIT',
    ]
    return '\n'.join(lines) + '\n'


def parse(saved: str, chain: str) -> State:
    """Return what iptables-save has printed of a chain and of the way to it."""
    found: list[str] | None = None
    hooks = []
    for text in saved.splitlines():
        if text.startswith(f':{chain} '):
            found = []
        elif text.startswith(f'-A {chain} ') and found is not None:
            found.append(text.removeprefix(f'-A {chain} '))
        elif text.startswith('-A INPUT ') and text.endswith((f'-j {chain}', f'-g {chain}')):
            hooks.append(text.removeprefix('-A INPUT '))
    return State(found, hooks)


class IptablesFilter(base.PolicyFilter):
    """Drops what nodes that must not boot ask the DHCP server, by iptables."""

    def __init__(self) -> None:
        self._in_force: pxe_policy.Policy | None = None

    def init_filter(self) -> None:
        """See FilterDriver: what is in force from an earlier life stays; without that nobody is served yet."""
        self._place = firewall.place(self.conf)
        self._commands = commands.Commands(self.conf)
        self._program = _PROGRAMS[self._place.ip_version]
        try:
            present = self._look()
            if present.rules is None or present.hooks != [hook(self._place)]:
                self._restore(rules(CLOSED, self._place.ip_version), present)
        except commands.CommandError as exc:
            raise firewall.unusable('iptables', 'iptables', exc) from exc

    def tear_down_filter(self) -> None:
        """See FilterDriver: the rules stay, or every node could boot while the service is away."""
        LOG.info('The chain %s of %s stays as it is', self._place.chain, self._program)

    def put_in_force(self, policy: pxe_policy.Policy, *, look: bool) -> None:
        """See PolicyFilter."""
        known, self._in_force = self._in_force, None
        wanted = rules(policy, self._place.ip_version)
        if known is None or look:
            present = self._look()
            changed = not _same(present.rules, wanted) or present.hooks != [hook(self._place)]
        else:
            # To read thousands of rules takes longer than to write them.
            present = State(hooks=[hook(self._place)])
            changed = policy != known
        if changed:
            self._restore(wanted, present)
            LOG.info('PXE filter iptables: %d rules in the chain %s', len(wanted), self._place.chain)
        self._in_force = policy

    def _look(self) -> State:
        return parse(self._commands.run(f'{self._program}-save', '-t', 'filter'), self._place.chain)

    def _restore(self, wanted: list[str], present: State) -> None:
        self._commands.run(f'{self._program}-restore', *_ONLY_OURS, script=script(self._place, wanted, present))


def _for_each(macs: frozenset[str], target: str) -> Iterator[str]:
    for mac in sorted(macs):
        yield f'-m mac --mac-source {mac} -j {target}'


def _same(present: list[str] | None, wanted: list[str]) -> bool:
    # Some versions show MACs in upper case.
    return present is not None and [rule.lower() for rule in present] == [rule.lower() for rule in wanted]
