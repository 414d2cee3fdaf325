"""The PXE filter in the conductor: who waits for what, and what is asked of Ironic and of the database for it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import Any

from oslo_config import cfg
import pytest
import sqlalchemy as sa

from ironic_inspector.common.ironic import IronicClient
from ironic_inspector.conductor.filtering import PolicyPxeFilter
from ironic_inspector.conductor.filtering import PxeFilter
from ironic_inspector.db import engine
from ironic_inspector.fixtures.ironic import InMemoryIronic
from ironic_inspector.introspection_state import Events
from ironic_inspector.introspection_state import States
from ironic_inspector.node_cache import NodeCache
from ironic_inspector.pxe_filter import base
from ironic_inspector.pxe_filter.policy import Policy
from ironic_inspector.pxe_filter.ports import PortCache
from tests.service import until

UUID = '4e1b6f0c-0000-4000-8000-000000000001'
A, B, C = (f'52:54:00:00:00:0{number}' for number in (1, 2, 3))


class Recorder(base.PolicyFilter):
    """Keeps the policies that it is told to put in force."""

    def __init__(self) -> None:
        self.policies: list[tuple[Policy, bool]] = []
        self.failure: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def init_filter(self) -> None:
        pass

    def tear_down_filter(self) -> None:
        pass

    def put_in_force(self, policy: Policy, *, look: bool) -> None:
        if self.failure:
            raise self.failure
        self.policies.append((policy, look))
        assert self.gate.wait(30)


@pytest.fixture
def active() -> set[str]:
    """The MACs on introspection."""
    return set()


@pytest.fixture
def recorder(conf: cfg.ConfigOpts, active: set[str]) -> Recorder:
    recorder = Recorder()
    recorder.configure(conf, lambda: set(active))
    return recorder


@pytest.fixture
def pxe_filter(recorder: Recorder, client: IronicClient, ironic: InMemoryIronic) -> PxeFilter:
    """A filter that has started, of an Ironic that has the port A."""
    ironic.add_port(ironic.add_node()['uuid'], A)
    pxe_filter = PolicyPxeFilter('recorder', recorder, PortCache(client.all_ports), periodic=True)
    pxe_filter.start()
    return pxe_filter


def lists(ironic: InMemoryIronic) -> int:
    return ironic.count('GET', '^/v1/ports$')


def test_ironic_is_asked_for_its_ports_time_and_again_only(
    pxe_filter: PxeFilter, recorder: Recorder, ironic: InMemoryIronic, active: set[str]
) -> None:
    for _ in range(3):
        pxe_filter.sync()
    assert lists(ironic) == 1
    active.add(A)
    pxe_filter.sync()
    assert lists(ironic) == 1
    assert recorder.policies[-1] == (Policy(frozenset({A}), frozenset(), open=True), False)
    ironic.add_port(ironic.nodes()[0]['uuid'], B)
    assert pxe_filter.periodic_task is not None
    pxe_filter.periodic_task()
    assert lists(ironic) == 2
    assert recorder.policies[-1] == (Policy(frozenset({A}), frozenset({B}), open=True), True)
    pxe_filter.sync()
    assert recorder.policies[-1][1] is False


def test_ports_that_come_between_two_lists_are_learned(
    pxe_filter: PxeFilter, recorder: Recorder, active: set[str]
) -> None:
    pxe_filter.sync()
    active.update({A, B})
    pxe_filter.learn([{'address': B, 'extra': {}}])
    pxe_filter.sync()
    active.remove(B)
    pxe_filter.sync()
    policy = recorder.policies[-1][0]
    assert policy.serves(C)
    assert not policy.serves(B)


def test_without_ironic_what_can_be_known_is_put_in_force(
    pxe_filter: PxeFilter,
    recorder: Recorder,
    ironic: InMemoryIronic,
    active: set[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert pxe_filter.periodic_task is not None
    with ironic.fail('GET', '^/v1/ports$', 500):
        pxe_filter.sync()
        pxe_filter.periodic_task()
        # Nothing at all is known of the ports, so nothing changes.
        assert recorder.policies == []
    pxe_filter.sync()
    assert len(recorder.policies) == 1
    caplog.clear()
    with ironic.fail('GET', '^/v1/ports$', 500):
        active.add(B)
        pxe_filter.periodic_task()
    assert recorder.policies[-1] == (Policy(frozenset({B}), frozenset({A}), open=True), True)
    assert caplog.text.count('could not be synchronised') == 1
    assert 'Traceback' not in caplog.text


def test_without_a_period_ironic_is_asked_each_time(
    recorder: Recorder, client: IronicClient, ironic: InMemoryIronic
) -> None:
    pxe_filter = PolicyPxeFilter('recorder', recorder, PortCache(client.all_ports), periodic=False)
    for count in range(1, 4):
        pxe_filter.sync()
        assert lists(ironic) == count
    assert all(look for _policy, look in recorder.policies)


@pytest.mark.parametrize('failure', [ValueError('Bang'), OSError('No space left')])
def test_a_failure_is_logged_and_nobody_elses(
    pxe_filter: PxeFilter, recorder: Recorder, caplog: pytest.LogCaptureFixture, failure: Exception
) -> None:
    recorder.failure = failure
    pxe_filter.sync()
    assert 'recorder could not be synchronised' in caplog.text
    recorder.failure = None
    pxe_filter.sync()
    assert len(recorder.policies) == 1


def test_two_hundred_who_ask_at_once(pxe_filter: PxeFilter, recorder: Recorder, active: set[str]) -> None:
    pxe_filter.sync()
    macs = [f'52:54:00:00:01:{number:02x}' for number in range(200)]

    def ask(mac: str) -> bool:
        active.add(mac)
        pxe_filter.sync()
        return any(mac in policy.active for policy, _look in recorder.policies)

    # The first synchronisation takes until all have asked.
    recorder.gate.clear()
    with futures.ThreadPoolExecutor(200) as pool:
        results = pool.map(ask, macs)
        until(lambda: active.issuperset(macs))
        recorder.gate.set()
        assert all(results)
    assert len(recorder.policies) < 200


@pytest.fixture
def statements(nodes: NodeCache) -> Iterator[list[str]]:
    """What the database is asked from now on."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    sa.event.listen(nodes.database.engine, 'before_cursor_execute', note)
    yield asked
    sa.event.remove(nodes.database.engine, 'before_cursor_execute', note)


def test_one_query_for_all_active_macs(conf: cfg.ConfigOpts, nodes: NodeCache, statements: list[str]) -> None:
    for number in range(3):
        info = nodes.begin(UUID[:-1] + str(number), manage_boot=True)
        info.add_attribute('mac', [f'52:54:00:00:0{number}:0{port}' for port in range(2)])
    recorder = Recorder()
    recorder.configure(conf, nodes.active_macs)
    pxe_filter = PolicyPxeFilter('recorder', recorder, PortCache(list), periodic=True)
    statements.clear()
    pxe_filter.sync()
    assert len(recorder.policies[0][0].active) == 6
    assert len([statement for statement in statements if statement.startswith('SELECT')]) == 1


def test_only_what_is_on_introspection_is_active(nodes: NodeCache) -> None:
    info = nodes.begin(UUID, manage_boot=True)
    info.add_attribute('mac', [A])
    assert nodes.active_macs() == {A}
    nodes.transition(info, Events.ERROR, 'no luck')
    # As a version that did not drop attributes may have left them.
    info.add_attribute('mac', [A])
    assert info.state == States.ERROR
    assert nodes.active_macs() == set()


def test_the_database_is_away(
    conf: cfg.ConfigOpts, nodes: NodeCache, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder()
    recorder.configure(conf, nodes.active_macs)
    pxe_filter = PolicyPxeFilter('recorder', recorder, PortCache(list), periodic=True)

    def fail(_self: Any, _work: Any) -> None:
        raise sa.exc.OperationalError('SELECT', {}, Exception('gone'))

    monkeypatch.setattr(engine.Database, 'read', fail)
    pxe_filter.sync()
    assert recorder.policies == []
    assert 'could not be synchronised' in caplog.text


@pytest.mark.parametrize('name', ['dnsmasq', 'iptables', 'nftables'])
def test_the_filters_of_this_package(conf: cfg.ConfigOpts, client: IronicClient, name: str) -> None:
    conf.set_override('driver', name, 'pxe_filter')
    loaded = PxeFilter.load(conf, client, set)
    assert isinstance(loaded, PolicyPxeFilter)
    assert loaded.name == name


def test_they_do_without_openstacksdk() -> None:
    modules = ', '.join(f'ironic_inspector.pxe_filter.{name}' for name in ('dnsmasq', 'iptables', 'nftables', 'noop'))
    script = f"import sys, ironic_inspector.conductor.filtering, {modules}; sys.exit('openstack' in sys.modules)"
    assert subprocess.run([sys.executable, '-c', script], check=False).returncode == 0


def test_who_else_has_an_sdk_like_client_may_synchronise_them(recorder: Recorder, active: set[str]) -> None:
    active.add(A)
    ports = [SimpleNamespace(address=mac, extra={}) for mac in (A, B)]
    recorder.sync(SimpleNamespace(ports=lambda fields: ports if fields == ['address', 'extra'] else []))
    assert recorder.policies == [(Policy(frozenset({A}), frozenset({B}), open=True), True)]
