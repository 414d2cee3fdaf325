"""Scripts for iptables-restore: what they put in force, and that there are no more of them than changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from oslo_config import cfg
import pytest

from ironic_inspector.common import exceptions
from ironic_inspector.pxe_filter import commands
from ironic_inspector.pxe_filter import iptables
from ironic_inspector.pxe_filter.firewall import Place
from ironic_inspector.pxe_filter.iptables import IptablesFilter
from ironic_inspector.pxe_filter.iptables import State
from ironic_inspector.pxe_filter.policy import KnownPorts
from ironic_inspector.pxe_filter.policy import Policy
from ironic_inspector.pxe_filter.policy import decide
from tests.unit.pxe_filter.policies import MACS
from tests.unit.pxe_filter.policies import STRANGER
from tests.unit.pxe_filter.policies import policies

A, B = MACS[:2]
HOOK = '-i br-ctlplane -p udp -m udp --dport 67 -j ironic-inspector'


class Firewall:
    """The table filter as iptables-save and iptables-restore see it."""

    def __init__(self) -> None:
        self.chains: dict[str, list[str]] = {'INPUT': ['-p tcp -m tcp --dport 22 -j ACCEPT']}
        self.calls: list[tuple[str, ...]] = []
        self.failure: str | None = None

    def run(self, *command: str, script: str = '') -> str:
        self.calls.append(command)
        if self.failure:
            raise commands.CommandError(self.failure)
        if command[0].endswith('-save'):
            assert command[1:] == ('-t', 'filter')
            return self.saved()
        assert command[1] == '--noflush'
        lines = script.splitlines()
        assert (lines[0], lines[-1]) == ('*filter', 'COMMIT')
        chains = {name: list(rules) for name, rules in self.chains.items()}
        for line in lines[1:-1]:
            if line.startswith(':'):
                chains[line[1:].split()[0]] = []
                continue
            verb, chain, rule = line.split(' ', 2)
            if verb == '-I':
                assert rule.startswith('1 ')
                chains[chain].insert(0, rule[2:])
            elif verb == '-A':
                chains[chain].append(rule)
            else:
                assert verb == '-D'
                chains[chain].remove(rule)
        self.chains = chains
        return ''

    def saved(self) -> str:
        lines = [f':{name} {"ACCEPT" if name == "INPUT" else "-"} [1:2]' for name in self.chains]
        lines += [f'-A {name} {rule}' for name, rules in self.chains.items() for rule in rules]
        return '\n'.join(['# Generated', '*filter', *lines, 'COMMIT', ''])

    @property
    def ours(self) -> list[str]:
        return self.chains['ironic-inspector']


@pytest.fixture
def firewall(monkeypatch: pytest.MonkeyPatch) -> Firewall:
    """A firewall that somebody else has a rule in."""
    firewall = Firewall()
    monkeypatch.setattr(commands.Commands, 'run', lambda _self, *command, **kwargs: firewall.run(*command, **kwargs))
    return firewall


def made(conf: cfg.ConfigOpts) -> IptablesFilter:
    driver = IptablesFilter()
    driver.configure(conf, set)
    driver.init_filter()
    return driver


def serves(rules: list[str], mac: str) -> bool:
    for rule in rules:
        if '--mac-source' not in rule or f'--mac-source {mac} ' in rule:
            return rule.endswith('-j ACCEPT')
    return True


@given(policies(), st.sampled_from(['4', '6']))
def test_the_rules_say_what_the_policy_says(policy: Policy, version: str) -> None:
    rules = iptables.rules(policy, version)
    assert [serves(rules, mac) for mac in (*MACS, STRANGER)] == [policy.serves(mac) for mac in (*MACS, STRANGER)]


@pytest.mark.parametrize(
    ('active', 'deny', 'expected'),
    [
        ([], False, ['-j REJECT --reject-with icmp-port-unreachable']),
        ([], True, ['-j REJECT --reject-with icmp-port-unreachable']),
        ([A], False, [f'-m mac --mac-source {B} -j DROP', '-j ACCEPT']),
        ([A], True, [f'-m mac --mac-source {A} -j ACCEPT', '-j DROP']),
    ],
)
def test_the_three_kinds(active: list[str], deny: bool, expected: list[str]) -> None:
    policy = decide(KnownPorts(frozenset({A, B})), active, deny_unknown=deny)
    assert iptables.rules(policy, '4') == expected


def test_a_script() -> None:
    place = Place('chain', 'br0', '6')
    old = '-i br1 -p udp -m udp --dport 547 -j chain'
    assert iptables.script(place, ['-j DROP'], State(None, [old])).splitlines() == [
        '*filter',
        ':chain - [0:0]',
        '-A chain -j DROP',
        f'-D INPUT {old}',
        '-I INPUT 1 -i br0 -p udp -m udp --dport 547 -j chain',
        'COMMIT',
    ]


def test_the_first_start_serves_nobody(conf: cfg.ConfigOpts, firewall: Firewall) -> None:
    made(conf)
    assert firewall.ours == ['-j REJECT --reject-with icmp-port-unreachable']
    assert firewall.chains['INPUT'] == [HOOK, '-p tcp -m tcp --dport 22 -j ACCEPT']


def test_one_script_for_each_change_and_none_without(conf: cfg.ConfigOpts, firewall: Firewall) -> None:
    driver = made(conf)
    known = KnownPorts(frozenset(MACS))
    looks = ['iptables-save']
    for active in ([A], [A, B], []):
        firewall.calls.clear()
        driver.put_in_force(decide(known, active), look=False)
        assert [call[0] for call in firewall.calls] == [*looks, 'iptables-restore']
        looks = []
        firewall.calls.clear()
        driver.put_in_force(decide(known, active), look=False)
        assert firewall.calls == []
        driver.put_in_force(decide(known, active), look=True)
        assert [call[0] for call in firewall.calls] == ['iptables-save']
    assert firewall.chains['INPUT'] == [HOOK, '-p tcp -m tcp --dport 22 -j ACCEPT']


def test_a_start_and_an_end_leave_everything_as_it_was(conf: cfg.ConfigOpts, firewall: Firewall) -> None:
    policy = decide(KnownPorts(frozenset(MACS)), [A])
    driver = made(conf)
    driver.put_in_force(policy, look=True)
    # Some versions show it like this.
    firewall.chains['ironic-inspector'] = [
        rule.replace('52:54:00:00:00:0a', '52:54:00:00:00:0A') for rule in firewall.ours
    ]
    before = firewall.saved()
    driver.tear_down_filter()
    assert firewall.saved() == before
    firewall.calls.clear()
    made(conf).put_in_force(policy, look=True)
    assert firewall.saved() == before
    assert {call[0] for call in firewall.calls} == {'iptables-save'}


@pytest.mark.parametrize('spoilt', ['chain', 'rule', 'hook', 'another hook', 'two hooks'])
def test_what_somebody_else_did_is_put_right(conf: cfg.ConfigOpts, firewall: Firewall, spoilt: str) -> None:
    driver = made(conf)
    policy = decide(KnownPorts(frozenset(MACS)), [A])
    driver.put_in_force(policy, look=False)
    wanted = firewall.saved()
    hooks = firewall.chains['INPUT']
    if spoilt == 'chain':
        del firewall.chains['ironic-inspector']
        hooks.remove(HOOK)
    elif spoilt == 'rule':
        firewall.ours.pop(0)
    elif spoilt == 'hook':
        hooks.remove(HOOK)
    elif spoilt == 'another hook':
        hooks[0] = '-i br-other -p udp -m udp --dport 67 -j ironic-inspector'
    else:
        hooks.insert(0, HOOK)
    driver.put_in_force(policy, look=True)
    assert sorted(firewall.saved().splitlines()) == sorted(wanted.splitlines())
    assert firewall.chains['INPUT'][0] == HOOK


def test_after_a_failure_it_is_done_again(conf: cfg.ConfigOpts, firewall: Firewall) -> None:
    driver = made(conf)
    policy = decide(KnownPorts(frozenset(MACS)), [A])
    before = firewall.saved()
    firewall.failure = 'The kernel says no'
    with pytest.raises(commands.CommandError, match='The kernel says no'):
        driver.put_in_force(policy, look=False)
    assert firewall.saved() == before
    firewall.failure = None
    driver.put_in_force(policy, look=False)
    assert len(firewall.ours) == len(MACS)


def test_ipv6(conf: cfg.ConfigOpts, firewall: Firewall) -> None:
    conf.set_override('ip_version', '6', 'iptables')
    made(conf)
    assert [call[0] for call in firewall.calls] == ['ip6tables-save', 'ip6tables-restore']
    assert firewall.ours == ['-j REJECT --reject-with icmp6-port-unreachable']
    assert '--dport 547' in firewall.chains['INPUT'][0]


def test_without_the_program_or_the_right(conf: cfg.ConfigOpts, firewall: Firewall) -> None:
    firewall.failure = 'there is no program iptables-save'
    with pytest.raises(exceptions.ConfigurationError, match='iptables cannot work here: there is no program') as caught:
        made(conf)
    assert 'noop' in str(caught.value)


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('firewall_chain', ''),
        ('firewall_chain', 'x' * 29),
        ('firewall_chain', '-x'),
        ('firewall_chain', 'a b'),
        ('firewall_chain', 'INPUT'),
        ('firewall_chain', 'a\n-A INPUT'),
        ('dnsmasq_interface', ''),
        ('dnsmasq_interface', 'br0 -j ACCEPT'),
        ('dnsmasq_interface', 'x' * 16),
        ('dnsmasq_interface', 'br"0'),
    ],
)
def test_names_that_are_none(conf: cfg.ConfigOpts, firewall: Firewall, name: str, value: str) -> None:
    conf.set_override(name, value, 'iptables')
    with pytest.raises(exceptions.ConfigurationError, match=rf'\[iptables\]{name}: '):
        made(conf)
