"""The PXE filter of a running service: how often Ironic is asked for it, and what is in force when."""

from __future__ import annotations

from collections.abc import Callable
import pathlib

import pytest

from tests.functional.lab import Lab
from tests.functional.lab import at_once
from tests.service import until

RULE = 'unknown_hosts_filter'


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """The folder that dnsmasq would watch."""
    return tmp_path / 'hostsdir'


@pytest.fixture
def make(make_lab: Callable[..., Lab], folder: pathlib.Path) -> Callable[..., Lab]:
    """A function that starts a service with the filter dnsmasq, with options of its own (group={name: value})."""

    def make(**options: dict[str, object]) -> Lab:
        pxe_filter = {'driver': 'dnsmasq', 'sync_period': 3600} | options.pop('pxe_filter', {})
        return make_lab(pxe_filter=pxe_filter, dnsmasq_pxe_filter={'dhcp_hostsdir': folder}, **options)

    return make


def served(folder: pathlib.Path) -> set[str]:
    # A file that is being written has another name meanwhile, and may be gone at once.
    return {path.name for path in folder.iterdir() if path.name != '.new' and ',ignore' not in path.read_text()}


def test_two_hundred_starts_at_once(make: Callable[..., Lab], folder: pathlib.Path) -> None:
    lab = make()
    machines = [lab.machine() for _ in range(200)]
    since = lab.ironic.mark()
    at_once([lambda machine=machine: lab.start(machine) for machine in machines])  # type: ignore[misc]
    for machine in machines:
        lab.reached(machine, 'waiting')
    assert lab.ironic.count('GET', '^/v1/ports$', since=since) == 0
    assert lab.ironic.count(since=since) == 5 * len(machines)
    assert served(folder) == {RULE} | {machine.mac for machine in machines}


def test_two_hundred_starts_at_once_share_the_lists_of_ironic(make: Callable[..., Lab], folder: pathlib.Path) -> None:
    # Here each synchronisation asks Ironic, which does not answer the first before all others are wanted.
    lab = make(pxe_filter={'sync_period': 0})
    machines = [lab.machine() for _ in range(200)]
    since = lab.ironic.mark()
    with lab.ironic.fail('GET', '^/v1/ports$', 'hang'):
        at_once([lambda machine=machine: lab.start(machine) for machine in machines])  # type: ignore[misc]
        until(lambda: lab.sql('SELECT count(DISTINCT node_uuid) FROM attributes') == [(len(machines),)])
    for machine in machines:
        lab.reached(machine, 'waiting')
    assert 1 <= lab.ironic.count('GET', '^/v1/ports$', since=since) < 50
    assert served(folder) == {RULE} | {machine.mac for machine in machines}


def test_the_filter_is_in_force_before_the_power_is_on(make: Callable[..., Lab], folder: pathlib.Path) -> None:
    lab = make()
    machine = lab.machine()
    with lab.ironic.fail('PUT', f'{machine.uuid}/', 'hang') as hanging:
        lab.start(machine)
        assert lab.ironic.wait_for(lambda: hanging.hits, 10)
        assert served(folder) == {RULE, machine.mac}
    lab.reached(machine, 'waiting')


@pytest.mark.parametrize('ending', ['callback', 'failure', 'abort', 'time-out', 'refusal'])
def test_every_end_is_followed_by_the_filter(make: Callable[..., Lab], folder: pathlib.Path, ending: str) -> None:
    lab = make(DEFAULT={'clean_up_period': 1, 'timeout': 1000})
    machine = lab.machine()
    if ending == 'refusal':
        with lab.ironic.fail('PUT', f'{machine.uuid}/management', 400):
            lab.start(machine)
            lab.ended(machine)
    else:
        lab.waiting(machine)
        assert served(folder) == {RULE, machine.mac}
    if ending == 'abort':
        lab.abort(machine)
    elif ending == 'time-out':
        lab.sql("UPDATE nodes SET started_at = '2020-01-01 00:00:00.000000' WHERE uuid = ?", machine.uuid)
    elif ending in ('callback', 'failure'):
        lab.call_back(machine.data(error='It is broken' if ending == 'failure' else None))
    until(lambda: not served(folder))
    assert (folder / machine.mac).exists()
    assert lab.ironic.count('GET', '^/v1/ports$') == 1


def test_the_service_comes_back_while_a_node_is_processed(make: Callable[..., Lab], folder: pathlib.Path) -> None:
    lab = make(DEFAULT={'clean_up_period': 0})
    machine = lab.waiting()
    with lab.ironic.fail('PUT', f'{machine.uuid}/states/power', 'hang') as hanging:
        assert lab.call_back(machine.data()).status_code == 200
        assert lab.ironic.wait_for(lambda: hanging.hits, 10)
        lab.inspector.kill()
    assert machine.mac in served(folder)
    lab.inspector.start()
    lab.reached(machine, 'finished')
    until(lambda: not served(folder))


def test_a_node_that_leaves_ironic(make: Callable[..., Lab], folder: pathlib.Path) -> None:
    lab = make(DEFAULT={'clean_up_period': 1})
    machine = lab.waiting()
    assert served(folder) == {RULE, machine.mac}
    lab.ironic.delete_node(machine.uuid)
    until(lambda: not served(folder))


def test_ports_of_infiniband(make: Callable[..., Lab], folder: pathlib.Path) -> None:
    # There is no such interface here, so ports count by what they are in Ironic.
    lab = make(iptables={'ethoib_interfaces': 'ethoib0'})
    machine = lab.waiting()
    assert served(folder) == {RULE, machine.mac}
    assert lab.log_of('ethoib0')
