"""Scripts for nft: only the difference, in one transaction."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from oslo_config import cfg
import pytest

from ironic_inspector.common import exceptions
from ironic_inspector.pxe_filter import commands
from ironic_inspector.pxe_filter import nftables
from ironic_inspector.pxe_filter.firewall import Place
from ironic_inspector.pxe_filter.nftables import NftablesFilter
from ironic_inspector.pxe_filter.policy import KnownPorts
from ironic_inspector.pxe_filter.policy import Policy
from ironic_inspector.pxe_filter.policy import decide
from tests.unit.pxe_filter.policies import MACS
from tests.unit.pxe_filter.policies import STRANGER
from tests.unit.pxe_filter.policies import policies

A, B, C = MACS[:3]
PLACE = Place('ironic-inspector', 'br-ctlplane', '4')
Sets = dict[str, set[str]]


class Nft:
    """The tables as nft shows and changes them, as far as the filter goes."""

    def __init__(self) -> None:
        self.sets: Sets | None = None
        self.rules: list[str] = []
        self.chain = {'type': 'filter', 'hook': 'input', 'prio': 0, 'policy': 'accept'}
        self.calls: list[tuple[str, ...]] = []
        self.scripts: list[str] = []
        self.failure: str | None = None

    def run(self, *command: str, script: str = '') -> str:
        self.calls.append(command)
        if self.failure:
            raise commands.CommandError(self.failure)
        if command == ('nft', '--json', 'list', 'tables', 'ip'):
            return self._listing([{'table': {'family': 'ip', 'name': name}} for name in ['filter', *self._names()]])
        if command == ('nft', '--json', 'list', 'table', 'ip', 'ironic-inspector'):
            assert self.sets is not None
            items: list[Any] = [{'table': {'family': 'ip', 'name': 'ironic-inspector'}}]
            items += [
                {'set': {'name': name, **({'elem': sorted(macs)} if macs else {})}} for name, macs in self.sets.items()
            ]
            items.append({'chain': {'name': 'input', 'handle': 1, **self.chain}})
            items += [{'rule': {'comment': re.findall('comment "(.*)"', rule)[0]}} for rule in self.rules]
            return self._listing(items)
        assert command == ('nft', '-f', '-')
        self.scripts.append(script)
        self._apply(script)
        return ''

    def serves(self, mac: str) -> bool:
        assert self.sets is not None
        rule = self.rules[0]
        if 'reject' in rule:
            return False
        if '!= @active drop' in rule:
            return mac in self.sets['active']
        assert 'saddr @inactive drop' in rule
        return mac not in self.sets['inactive']

    def _names(self) -> list[str]:
        return [] if self.sets is None else ['ironic-inspector']

    def _listing(self, items: list[Any]) -> str:
        return json.dumps({'nftables': [{'metainfo': {}}, *items]})

    def _apply(self, script: str) -> None:
        if script.startswith('add table'):
            assert script.splitlines()[1].startswith('delete table ip ironic-inspector')
            elements = re.findall(r'set (\w+) \{\s+type ether_addr\s+(?:elements = \{ (.*) \})?', script)
            self.sets = {name: set(re.findall(r'[0-9a-f:]{17}', macs)) for name, macs in elements}
            self.rules = re.findall(r'^ +(iifname .*)$', script, re.MULTILINE)
            return
        sets = {name: set(macs) for name, macs in (self.sets or {}).items()}
        rules = list(self.rules)
        for line in script.splitlines():
            verb, what, _family, _table, name, *_ = line.split()
            if what == 'element':
                macs = set(re.findall(r'(?:[0-9a-f]{2}:){5}[0-9a-f]{2}', line))
                if name not in sets or (verb == 'delete' and not macs <= sets[name]):
                    raise commands.CommandError('No such file or directory')
                sets[name] = sets[name] | macs if verb == 'add' else sets[name] - macs
            elif verb == 'flush':
                rules.clear()
            else:
                rules.append(line[line.index('iifname') :])
        self.sets, self.rules = sets, rules


@pytest.fixture
def nft(monkeypatch: pytest.MonkeyPatch) -> Nft:
    """No table of the filter yet."""
    nft = Nft()
    monkeypatch.setattr(commands.Commands, 'run', lambda _self, *command, **kwargs: nft.run(*command, **kwargs))
    return nft


def made(conf: cfg.ConfigOpts) -> NftablesFilter:
    driver = NftablesFilter()
    driver.configure(conf, set)
    driver.init_filter()
    return driver


@given(policies(), policies())
def test_scripts_lead_from_any_policy_to_any_other(before: Policy, after: Policy) -> None:
    nft = Nft()
    first, second = (nftables.state(policy, PLACE) for policy in (before, after))
    for present, wanted, policy in ((None, first, before), (first, second, after)):
        script = nftables.script(PLACE, present, wanted)
        if script:
            nft.run('nft', '-f', '-', script=script)
        assert [nft.serves(mac) for mac in (*MACS, STRANGER)] == [policy.serves(mac) for mac in (*MACS, STRANGER)]
        assert nftables.parse(nft.run('nft', '--json', 'list', 'table', 'ip', 'ironic-inspector')) == wanted
    assert nftables.script(PLACE, second, second) == ''


def test_only_the_difference() -> None:
    known = KnownPorts(frozenset({A, B, C}))
    present, wanted = (nftables.state(decide(known, active), PLACE) for active in ([A], [A, B]))
    assert nftables.script(PLACE, present, wanted) == (
        f'add element ip ironic-inspector active {{ {B} }}\ndelete element ip ironic-inspector inactive {{ {B} }}\n'
    )
    closed = nftables.state(decide(known, []), PLACE)
    assert nftables.script(PLACE, present, closed) == (
        f'delete element ip ironic-inspector active {{ {A} }}\n'
        f'add element ip ironic-inspector inactive {{ {A} }}\n'
        'flush chain ip ironic-inspector input\n'
        'add rule ip ironic-inspector input iifname "br-ctlplane" udp dport 67 reject '
        'comment "closed: br-ctlplane 67"\n'
    )


def test_a_pattern_of_interfaces() -> None:
    place = Place('t', 'br+', '6')
    script = nftables.script(place, None, nftables.state(decide(KnownPorts(), []), place))
    assert 'table ip6 t {' in script
    assert 'iifname "br*" udp dport 547 reject' in script


def test_the_first_start_serves_nobody(conf: cfg.ConfigOpts, nft: Nft) -> None:
    made(conf)
    assert not nft.serves(STRANGER)


def test_one_transaction_for_each_change_and_none_without(conf: cfg.ConfigOpts, nft: Nft) -> None:
    driver = made(conf)
    known = KnownPorts(frozenset(MACS))
    driver.put_in_force(decide(known, []), look=True)
    for active in ([A], [A, B], []):
        nft.calls.clear()
        driver.put_in_force(decide(known, active), look=False)
        assert nft.calls == [('nft', '-f', '-')]
        nft.calls.clear()
        driver.put_in_force(decide(known, active), look=False)
        assert nft.calls == []
        driver.put_in_force(decide(known, active), look=True)
        assert ('nft', '-f', '-') not in nft.calls


def test_a_start_and_an_end_leave_everything_as_it_was(conf: cfg.ConfigOpts, nft: Nft) -> None:
    policy = decide(KnownPorts(frozenset(MACS)), [A])
    driver = made(conf)
    driver.put_in_force(policy, look=True)
    nft.scripts.clear()
    driver.tear_down_filter()
    made(conf).put_in_force(policy, look=False)
    assert nft.scripts == []


@pytest.mark.parametrize(
    ('spoilt', 'look'),
    [(what, True) for what in ('table', 'set', 'no set', 'rule', 'more rules', 'chain')]
    # These are noticed by the way.
    + [(what, False) for what in ('table', 'set', 'no set')],
)
def test_what_somebody_else_did_is_put_right(conf: cfg.ConfigOpts, nft: Nft, spoilt: str, look: bool) -> None:
    driver = made(conf)
    known = KnownPorts(frozenset(MACS))
    driver.put_in_force(decide(known, [A]), look=False)
    assert nft.sets is not None
    if spoilt == 'table':
        nft.sets = None
    elif spoilt == 'set':
        nft.sets['inactive'].clear()
    elif spoilt == 'rule':
        nft.rules.clear()
    elif spoilt == 'more rules':
        nft.rules.insert(0, 'accept comment "mine"')
    elif spoilt == 'chain':
        nft.chain['policy'] = 'drop'
    else:
        nft.sets.pop('inactive')
    policy = decide(known, [A]) if look else decide(known, [A, B])
    driver.put_in_force(policy, look=look)
    nft.chain['policy'] = 'accept'
    assert [nft.serves(mac) for mac in MACS] == [policy.serves(mac) for mac in MACS]


def test_after_a_failure_it_is_done_again(conf: cfg.ConfigOpts, nft: Nft) -> None:
    driver = made(conf)
    policy = decide(KnownPorts(frozenset(MACS)), [A])
    nft.failure = 'The kernel says no'
    with pytest.raises(commands.CommandError, match='The kernel says no'):
        driver.put_in_force(policy, look=False)
    nft.failure = None
    driver.put_in_force(policy, look=False)
    assert nft.serves(A)
    assert not nft.serves(B)


def test_without_the_program_or_the_right(conf: cfg.ConfigOpts, nft: Nft) -> None:
    nft.failure = 'Operation not permitted'
    with pytest.raises(exceptions.ConfigurationError, match='nftables cannot work here: Operation not permitted'):
        made(conf)
