"""PXE filters, judged by who gets an address: a real DHCP server, real clients, and the service between them."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import os
import pathlib
import re
import shutil
import tempfile
from typing import Any

import pytest

from ironic_inspector.fixtures import inventories
from tests.e2e import dhcp_lab
from tests.e2e.dhcp_lab import DhcpLab
from tests.functional.lab import Machine
from tests.service import BIN
from tests.service import until


def with_driver(name: str) -> Any:
    """A parameter for tests that share a lab with a driver, and so run one after the other."""
    return pytest.param(name, marks=pytest.mark.xdist_group(f'dhcp-{name}'))


FIREWALLS = (with_driver('iptables'), with_driver('nftables'))
DRIVERS = (with_driver('dnsmasq'), *FIREWALLS)
FLUSHES = {
    # The service may be at the tables as well just then.
    'iptables': ('iptables -w -F ironic-inspector', 'iptables -w -F INPUT', 'iptables -w -D ironic-inspector 1'),
    'nftables': (
        'nft delete table ip ironic-inspector',
        'nft flush ruleset',
        'nft flush chain ip ironic-inspector input',
        'nft flush set ip ironic-inspector inactive',
    ),
}
MakeLab = Callable[..., DhcpLab]


@pytest.fixture(scope='session')
def network() -> None:
    """Skips the test where there can be no networks."""
    dhcp_lab.require()


@pytest.fixture
def make(network: None, tmp_path: pathlib.Path) -> Iterator[MakeLab]:
    """A function that runs a lab with a filter, and with options (group={name: value}) of the service."""
    with contextlib.ExitStack() as undo:

        def run(driver: str, **options: dict[str, Any]) -> DhcpLab:
            return undo.enter_context(dhcp_lab.running_dhcp_lab(tmp_path, driver, options))

        yield run


@pytest.fixture(scope='module', params=DRIVERS)
def lab(network: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DhcpLab]:
    """A lab with each of the filters, for tests that leave no introspection behind."""
    folder = tmp_path_factory.mktemp('lab')
    options: dict[str, dict[str, Any]] = {
        'DEFAULT': {'clean_up_period': 1, 'timeout': 1000},
        'processing': {'power_off': False},
    }
    with dhcp_lab.running_dhcp_lab(folder, request.param, options) as running:
        yield running


@pytest.fixture
def driver(lab: DhcpLab) -> str:
    """The name of the filter."""
    return str(lab.inspector.options['pxe_filter']['driver'])


def cancel(lab: DhcpLab, machine: Machine) -> None:
    """Cancel an introspection and wait until that is seen."""
    assert lab.abort(machine).status_code == 202
    lab.ended(machine)


def call_back(lab: DhcpLab, machine: Machine, **changes: Any) -> None:
    """Let the ramdisk of a machine call back, and wait until that has been dealt with."""
    lab.call_back(machine.data(**changes))
    lab.ended(machine)


def check_served(lab: DhcpLab, expected: Mapping[Machine, bool]) -> None:
    """Fail unless those get an address that are expected to, when the filter is in line with what is seen."""
    lab.synchronised()
    lab.check_served(expected)


def fail(lab: DhcpLab, machine: Machine) -> None:
    """Let an introspection fail in the ramdisk."""
    call_back(lab, machine, error='It is broken')


def time_out(lab: DhcpLab, machine: Machine) -> None:
    """Let an introspection time out."""
    lab.sql("UPDATE nodes SET started_at = '2020-01-01 00:00:00.000000' WHERE uuid = ?", machine.uuid)
    lab.ended(machine)


def delete(lab: DhcpLab, machine: Machine) -> None:
    """Delete a node while it is on introspection, and wait until that has been noticed."""
    lab.ironic.delete_node(machine.uuid)
    until(lambda: not lab.sql('SELECT * FROM nodes WHERE uuid = ?', machine.uuid))


def test_the_life_of_an_introspection(lab: DhcpLab) -> None:
    node, other, stranger = lab.machine(), lab.machine(), lab.stranger()
    check_served(lab, {node: False, other: False, stranger: False})
    lab.waiting(node)
    lab.check_served({node: True, other: False, stranger: True})
    # Its own end closes the door for it alone, the last one's for all.
    lab.waiting(other)
    call_back(lab, other)
    check_served(lab, {node: True, other: False, stranger: True})
    call_back(lab, node)
    check_served(lab, {node: False, other: False, stranger: False})


@pytest.mark.parametrize('ending', [cancel, fail, time_out, delete])
def test_every_end_closes_the_door(lab: DhcpLab, ending: Callable[[DhcpLab, Machine], None]) -> None:
    node, stranger = lab.waiting(), lab.stranger()
    lab.check_served({node: True})
    ending(lab, node)
    check_served(lab, {node: False, stranger: False})


def test_the_door_is_open_before_the_power_is_on(lab: DhcpLab) -> None:
    node = lab.machine()
    with lab.ironic.fail('PUT', f'{node.uuid}/states/power', 'hang') as hanging:
        assert lab.start(node).status_code == 202
        assert lab.ironic.wait_for(lambda: hanging.hits, 10)
        lab.check_served({node: True})
    lab.reached(node, 'waiting')
    cancel(lab, node)


def test_ports_that_come_and_go_in_ironic(lab: DhcpLab) -> None:
    node, known = lab.waiting(), lab.stranger()
    lab.check_served({known: True})
    owner = lab.ironic.add_node(name=known.name)
    lab.ironic.add_port(owner['uuid'], known.mac)
    check_served(lab, {known: False})
    lab.ironic.delete_node(owner['uuid'])
    check_served(lab, {known: True})
    # It is a stranger again, and treated as one.
    cancel(lab, node)
    check_served(lab, {known: False})
    lab.inspector.stop()
    lab.inspector.start()
    lab.check_served({known: False})
    lab.waiting(node)
    lab.check_served({known: True})
    cancel(lab, node)


def test_the_service_goes_away_and_comes_back(lab: DhcpLab) -> None:
    node, other, stranger = lab.waiting(), lab.machine(), lab.stranger()
    lab.synchronised()
    as_it_is = {node: True, other: False, stranger: True}
    lab.check_served(as_it_is)
    assert lab.inspector.stop() == 0
    lab.check_served(as_it_is)
    lab.inspector.start()
    lab.check_served(as_it_is)
    lab.inspector.kill()
    lab.check_served(as_it_is)
    # Ironic is away when it comes back.
    with lab.ironic.fail('*', '/', 'drop'):
        lab.inspector.start(wait=False)
        until(lambda: lab.log_of('could not be synchronised'))
        lab.check_served(as_it_is)
    until(lambda: lab.inspector.call('GET', '/').ok)
    check_served(lab, as_it_is)
    cancel(lab, node)
    check_served(lab, {node: False, other: False, stranger: False})
    assert lab.inspector.stop() == 0
    lab.check_served({node: False, other: False, stranger: False})
    lab.inspector.start()
    lab.check_served({node: False, other: False, stranger: False})


def test_ironic_is_away(lab: DhcpLab) -> None:
    node, other, stranger = lab.waiting(), lab.machine(), lab.stranger()
    lab.synchronised()
    failures = len(lab.log_of('could not be synchronised'))
    with lab.ironic.fail('GET', '^/v1/ports', 'drop'):
        until(lambda: len(lab.log_of('could not be synchronised')) > failures)
        lab.check_served({node: True, other: False, stranger: True})
        # What can be known without Ironic is put in force.
        cancel(lab, node)
        until(lambda: lab.served(node, other, stranger) == [False, False, False])


def test_the_dhcp_server_starts_again(lab: DhcpLab) -> None:
    node, other, stranger = lab.waiting(), lab.machine(), lab.stranger()
    lab.synchronised()
    lab.dhcp.stop()
    lab.dhcp.start()
    lab.check_served({node: True, other: False, stranger: True})
    cancel(lab, node)
    lab.synchronised()
    lab.dhcp.stop()
    lab.dhcp.start()
    lab.check_served({node: False, other: False, stranger: False})


def test_what_somebody_flushes_by_hand_is_mended(lab: DhcpLab, driver: str) -> None:
    node, other = lab.waiting(), lab.machine()
    lab.synchronised()

    def spoil() -> Iterator[None]:
        for command in FLUSHES.get(driver, ()):
            lab.server.run(command)
            yield
        if driver == 'dnsmasq':
            for name in (other.mac, 'unknown_hosts_filter'):
                (lab.dhcp.hostsdir / name).unlink()
                yield
            (lab.dhcp.hostsdir / other.mac).write_text(f'{other.mac}\n')
            yield

    for _ in spoil():
        check_served(lab, {node: True, other: False})
    cancel(lab, node)


def test_nobody_slips_through_while_the_filter_changes(lab: DhcpLab) -> None:
    inactive, node = lab.machine(), lab.machine()
    lab.synchronised()
    with lab.asking(inactive.mac, node.mac) as result:
        # Each opens the filter for strangers and closes it again.
        for _ in range(50):
            assert lab.start(node, manage_boot='false').status_code == 202
            cancel(lab, node)
        for end in (lab.inspector.stop, lab.inspector.kill):
            end()
            lab.inspector.start()
        # Once it is open for as long as it takes.
        seen = len(lab.dhcp.log())
        lab.waiting(node)
        until(lambda: re.search(f'DHCPOFFER.* {node.mac}', lab.dhcp.log()[seen:]))
        cancel(lab, node)
        found = result()
    assert found['offers'][inactive.mac] == 0, found
    assert found['offers'][node.mac] > 0, found
    assert found['sent'] > 100, found


@pytest.mark.parametrize('driver', DRIVERS)
def test_unknown_machines_are_denied(make: MakeLab, driver: str) -> None:
    lab = make(driver, pxe_filter={'deny_unknown_macs': True})
    node, other, stranger = lab.machine(), lab.machine(), lab.stranger()
    check_served(lab, {node: False, other: False, stranger: False})
    lab.waiting(node)
    lab.check_served({node: True, other: False, stranger: False})
    with lab.asking(other.mac, stranger.mac) as result:
        for _ in range(20):
            cancel(lab, node)
            lab.waiting(node)
        assert set(result()['offers'].values()) == {0}
    cancel(lab, node)
    check_served(lab, {node: False, other: False, stranger: False})


@pytest.mark.parametrize('driver', DRIVERS)
def test_machines_to_discover_are_served(make: MakeLab, driver: str) -> None:
    lab = make(driver, processing={'node_not_found_hook': 'enroll', 'power_off': False})
    known, stranger = lab.machine(), lab.stranger()
    check_served(lab, {known: False, stranger: True})
    assert lab.call_back(stranger.data()).status_code == 200
    until(lambda: lab.sql("SELECT * FROM nodes WHERE state = 'finished'"))
    check_served(lab, {known: False, stranger: False})


@pytest.mark.parametrize('driver', DRIVERS)
def test_what_is_learned_between_two_lists_of_ports(make: MakeLab, driver: str) -> None:
    lab = make(
        driver,
        pxe_filter={'sync_period': 3600},
        processing={'add_ports': 'all', 'keep_ports': 'all', 'power_off': False},
    )
    node, other, second = lab.waiting(), lab.waiting(), lab.stranger()
    # None of them was in the list that was made when the service started.
    data = inventories.ramdisk_data(node.mac, macs=[second.mac], bmc_address=node.bmc)
    assert lab.call_back(data).status_code == 200
    lab.reached(node, 'finished')
    until(lambda: lab.served(node, second) == [False, False])
    lab.check_served({node: False, other: True, second: False})
    assert lab.ironic.count('GET', '^/v1/ports$') == 1


@pytest.mark.parametrize('driver', DRIVERS)
def test_no_period(make: MakeLab, driver: str) -> None:
    lab = make(driver, pxe_filter={'sync_period': 0})
    other = lab.machine()
    node = lab.waiting()
    lab.check_served({node: True, other: False})
    cancel(lab, node)
    until(lambda: lab.served(node, other) == [False, False])


@pytest.mark.parametrize('driver', DRIVERS)
def test_ipv6(make: MakeLab, driver: str) -> None:
    lab = make(driver, iptables={'ip_version': 6})
    node, other, stranger = lab.machine(), lab.machine(), lab.stranger()
    lab.synchronised()
    lab.check_served_over_ipv6({node: False, other: False, stranger: False})
    lab.waiting(node)
    lab.check_served_over_ipv6({node: True, other: False, stranger: True})
    cancel(lab, node)
    lab.check_served_over_ipv6({node: False, other: False, stranger: False})


AS_NOBODY = ['setpriv', f'--reuid={dhcp_lab.NOBODY}', f'--regid={dhcp_lab.NOBODY}', '--clear-groups']
WITH_CAPABILITY = [*AS_NOBODY, '--inh-caps=+net_admin', '--ambient-caps=+net_admin']
IN_PLACE_OF_SUDOERS = 'mount --bind "$0" /etc/sudoers && exec "$@"'


@pytest.fixture
def open_folder() -> Iterator[pathlib.Path]:
    """A folder that everybody can get at, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        yield folder


def with_sudo(folder: pathlib.Path) -> tuple[list[str], pathlib.Path]:
    """Return a command that runs another as somebody who may use sudo for rootwrap, and rootwrap's configuration."""
    filters = folder / 'rootwrap.d'
    shutil.copytree(dhcp_lab.ROOT / 'etc/rootwrap.d', filters)
    shipped = (dhcp_lab.ROOT / 'etc/rootwrap.conf').read_text()
    config = folder / 'rootwrap.conf'
    config.write_text(re.sub('^filters_path=.*', f'filters_path={filters}', shipped, flags=re.MULTILINE))
    rootwrap = BIN / 'ironic-inspector-rootwrap'
    sudoers = folder / 'sudoers'
    sudoers.write_text(
        f'Defaults secure_path="{BIN}:/usr/sbin:/usr/bin"\nnobody ALL = NOPASSWD: {rootwrap} {config} *\n'
    )
    sudoers.chmod(0o440)
    return ['unshare', '--mount', 'sh', '-c', IN_PLACE_OF_SUDOERS, str(sudoers), *AS_NOBODY], config


@pytest.mark.parametrize('rights', ['a capability', 'sudo'])
@pytest.mark.parametrize('driver', FIREWALLS)
def test_a_service_that_is_not_root(network: None, open_folder: pathlib.Path, driver: str, rights: str) -> None:
    prefix, config = with_sudo(open_folder) if rights == 'sudo' else (WITH_CAPABILITY, '/nowhere')
    folder = open_folder / 'lab'
    folder.mkdir()
    with dhcp_lab.running_dhcp_lab(folder, driver, {'DEFAULT': {'rootwrap_config': config}}, prefix) as lab:
        node, other, stranger = lab.machine(), lab.machine(), lab.stranger()
        check_served(lab, {node: False, other: False, stranger: False})
        lab.waiting(node)
        lab.check_served({node: True, other: False, stranger: True})
        cancel(lab, node)
        check_served(lab, {node: False, other: False, stranger: False})


@pytest.mark.parametrize('driver', FIREWALLS)
def test_a_service_without_any_right(network: None, open_folder: pathlib.Path, driver: str) -> None:
    with dhcp_lab.running_dhcp_lab(open_folder, driver, {}) as lab:
        lab.inspector.stop()
        lab.inspector.log_file.unlink()
        for path in open_folder.iterdir():
            os.chown(path, dhcp_lab.NOBODY, dhcp_lab.NOBODY)
        lab.inspector.prefix += AS_NOBODY
        lab.inspector.start(wait=False)
        assert lab.inspector.wait() == 1
        lines = [line for line in lab.inspector.log().splitlines() if ' WARNING ' not in line]
    assert len(lines) == 1, lines
    assert f'[pxe_filter]driver: {driver} cannot work here: sudo -n ironic-inspector-rootwrap ' in lines[0]
