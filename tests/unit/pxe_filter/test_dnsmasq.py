"""Files for dnsmasq: which, in what order, and never more than what has to change."""

from __future__ import annotations

from collections.abc import Iterable
import pathlib
import stat
import threading

from hypothesis import given
from hypothesis import strategies as st
from oslo_config import cfg
import pytest

from ironic_inspector.common import exceptions
from ironic_inspector.pxe_filter import dnsmasq
from ironic_inspector.pxe_filter.dnsmasq import DnsmasqFilter
from ironic_inspector.pxe_filter.policy import KnownPorts
from ironic_inspector.pxe_filter.policy import Policy
from ironic_inspector.pxe_filter.policy import decide
from tests.unit.pxe_filter.policies import MACS
from tests.unit.pxe_filter.policies import STRANGER
from tests.unit.pxe_filter.policies import policies

A, B, C = MACS[:3]
OPEN, SHUT = '*:*:*:*:*:*\n', '*:*:*:*:*:*,ignore\n'


def files(folder: pathlib.Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def policy(known: Iterable[str], active: Iterable[str] = ()) -> Policy:
    return decide(KnownPorts(frozenset(known)), active)


@pytest.fixture
def folder(conf: cfg.ConfigOpts, tmp_path: pathlib.Path) -> pathlib.Path:
    """The folder that dnsmasq watches; it is not there yet."""
    folder = tmp_path / 'a' / 'hostsdir'
    conf.set_override('dhcp_hostsdir', str(folder), 'dnsmasq_pxe_filter')
    return folder


def made(conf: cfg.ConfigOpts) -> DnsmasqFilter:
    driver = DnsmasqFilter()
    driver.configure(conf, set)
    driver.init_filter()
    return driver


def test_the_files(conf: cfg.ConfigOpts, folder: pathlib.Path) -> None:
    driver = made(conf)
    assert files(folder) == {'unknown_hosts_filter': SHUT}
    driver.put_in_force(policy([A, B], [A, C]), look=False)
    assert files(folder) == {A: f'{A}\n', B: f'{B},ignore\n', C: f'{C}\n', 'unknown_hosts_filter': OPEN}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o644}
    driver.put_in_force(policy([A, B]), look=False)
    # C has never been in Ironic, and is as unknown as others now.
    assert files(folder) == {name: f'{name},ignore\n' for name in (A, B, C)} | {'unknown_hosts_filter': SHUT}
    driver.put_in_force(policy([A], [A]), look=False)
    assert files(folder) == {name: f'{name}\n' for name in (A, B, C)} | {'unknown_hosts_filter': OPEN}


def test_only_what_changes_is_written(conf: cfg.ConfigOpts, folder: pathlib.Path) -> None:
    driver = made(conf)
    driver.put_in_force(policy(MACS, [A, B]), look=False)
    before = {path.name: path.stat() for path in folder.iterdir()}
    driver.put_in_force(policy(MACS, [A]), look=True)
    after = {path.name: path.stat() for path in folder.iterdir()}
    assert {name for name in after if after[name] != before[name]} == {B}
    # The next process finds everything as it should be.
    again = made(conf)
    again.put_in_force(policy(MACS, [A]), look=False)
    assert {path.name: path.stat() for path in folder.iterdir()} == after


def test_without_a_change_nothing_is_even_looked_at(
    conf: cfg.ConfigOpts, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = made(conf)
    driver.put_in_force(policy(MACS, [A]), look=True)
    monkeypatch.setattr(driver, '_look', None)
    driver.put_in_force(policy(MACS, [A]), look=False)


def test_what_somebody_else_did_is_put_right(conf: cfg.ConfigOpts, folder: pathlib.Path) -> None:
    driver = made(conf)
    driver.put_in_force(policy(MACS, [A]), look=True)
    wanted = files(folder)
    (folder / A).unlink()
    (folder / B).write_text(f'{B}\n')
    (folder / 'unknown_hosts_filter').write_text('')
    (folder / 'folder').mkdir()
    (folder / '.hidden').write_text('')
    driver.put_in_force(policy(MACS, [A]), look=True)
    (folder / 'folder').rmdir()
    (folder / '.hidden').unlink()
    assert files(folder) == wanted


def test_a_start_leaves_everything_as_it_was(conf: cfg.ConfigOpts, folder: pathlib.Path) -> None:
    made(conf).put_in_force(policy([A, B], [A]), look=True)
    before = files(folder)
    # As after a crash.
    (folder / '.new').mkdir()
    (folder / '.new' / A).write_text('')
    driver = made(conf)
    assert files(folder) == before
    driver.tear_down_filter()
    assert files(folder) == before


def test_what_is_of_no_use_goes_at_the_first_synchronisation(conf: cfg.ConfigOpts, folder: pathlib.Path) -> None:
    made(conf).put_in_force(policy([A, B, C], [A]), look=True)
    (folder / 'notes').write_text('x')
    driver = made(conf)
    assert (folder / 'notes').exists()
    driver.put_in_force(policy([A], [A]), look=True)
    kept = {A: f'{A}\n', 'unknown_hosts_filter': OPEN}
    # dnsmasq still knows B and C, as it has read their files: what holds for unknown machines holds for them.
    assert files(folder) == kept | {'gone_hosts_filter': f'{B}\n{C}\n'}
    driver.put_in_force(policy([A]), look=True)
    assert files(folder)['gone_hosts_filter'] == f'{B},ignore\n{C},ignore\n'
    # Only at the start: later ones stay until the next.
    (folder / 'notes').write_text('x')
    driver = made(conf)
    driver.put_in_force(policy([A, B], [A]), look=True)
    assert files(folder) == kept | {'gone_hosts_filter': f'{C}\n', B: f'{B},ignore\n'}
    (folder / 'notes').write_text('x')
    driver.put_in_force(policy([A, B, C]), look=True)
    assert files(folder)['gone_hosts_filter'] == ''
    assert (folder / 'notes').exists()


def test_what_is_of_no_use_may_be_somebody_elses(conf: cfg.ConfigOpts, folder: pathlib.Path) -> None:
    conf.set_override('purge_dhcp_hostsdir', False, 'dnsmasq_pxe_filter')
    folder.mkdir(parents=True)
    (folder / 'notes').write_text('x')
    (folder / B).write_text(f'{B},ignore\n')
    driver = made(conf)
    driver.put_in_force(policy([A], [A]), look=True)
    assert files(folder) == {A: f'{A}\n', B: f'{B}\n', 'notes': 'x', 'unknown_hosts_filter': OPEN}


def test_several_processes_share_a_folder(conf: cfg.ConfigOpts, folder: pathlib.Path) -> None:
    conf.set_override('purge_dhcp_hostsdir', False, 'dnsmasq_pxe_filter')
    active: set[str] = set()
    drivers = [DnsmasqFilter() for _ in range(4)]
    for driver in drivers:
        driver.configure(conf, lambda: set(active))
        driver.init_filter()
    known = KnownPorts(frozenset(MACS))
    lock = threading.Lock()

    def work(driver: DnsmasqFilter, mac: str) -> None:
        for _ in range(20):
            for change in (active.add, active.discard):
                with lock:
                    change(mac)
                driver.follow(known, look=False)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(drivers, MACS, strict=False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Whoever wrote last knew the truth.
    assert files(folder) == {mac: f'{mac},ignore\n' for mac in MACS} | {'unknown_hosts_filter': SHUT}


def _served(texts: dict[str, str], mac: str) -> bool:
    """Tell whether dnsmasq serves a MAC that knows what is in these files, and what it had read of each MAC before."""
    rule = 'unknown_hosts_filter'
    lines = {line.split(',')[0]: line for text in texts.values() for line in text.splitlines()}
    return ',ignore' not in lines.get(mac, texts.get(rule, ''))


@given(policies(), policies(), st.lists(st.sampled_from(MACS)))
def test_no_step_serves_more_than_the_old_and_the_new_policy(before: Policy, after: Policy, left: list[str]) -> None:
    present = dnsmasq.contents(before, left)
    wanted = dnsmasq.contents(after, present)
    assert all(_served(wanted, mac) == after.serves(mac) for mac in (*MACS, STRANGER))
    now = dict(present)
    for name in dnsmasq.changes(present, wanted):
        now[name] = wanted[name]
        for mac in (*MACS, STRANGER):
            assert not _served(now, mac) or before.serves(mac) or after.serves(mac)
    assert now == wanted


@pytest.mark.parametrize('command', ['nosuchcommand', '/etc/hostname'])
def test_a_start_command_that_is_none(conf: cfg.ConfigOpts, folder: pathlib.Path, command: str) -> None:
    conf.set_override('dnsmasq_start_command', command, 'dnsmasq_pxe_filter')
    with pytest.raises(exceptions.ConfigurationError, match=f'dnsmasq_start_command cannot be run: .*{command}'):
        made(conf)


def test_the_commands(
    conf: cfg.ConfigOpts, folder: pathlib.Path, tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = tmp_path / 'log'
    # A daemon keeps what it has inherited open.
    start = f'ls {folder} >> {log}; (sleep 60 & echo $! > {tmp_path}/pid)'
    conf.set_override('dnsmasq_start_command', start, 'dnsmasq_pxe_filter')
    conf.set_override('dnsmasq_stop_command', f'kill $(cat {tmp_path}/pid) && echo stop >> {log}', 'dnsmasq_pxe_filter')
    driver = made(conf)
    # By the time dnsmasq starts, it is told to serve nobody.
    assert log.read_text() == 'unknown_hosts_filter\n'
    driver.tear_down_filter()
    assert log.read_text().endswith('stop\n')
    for name in ('dnsmasq_start_command', 'dnsmasq_stop_command'):
        conf.set_override(name, 'echo this >&2; echo that >&2; exit 3', 'dnsmasq_pxe_filter')
    made(conf).tear_down_filter()
    assert '[dnsmasq_pxe_filter]dnsmasq_start_command failed with status 3: that' in caplog.text
    assert '[dnsmasq_pxe_filter]dnsmasq_stop_command failed with status 3: that' in caplog.text


def test_a_folder_that_is_none(conf: cfg.ConfigOpts, folder: pathlib.Path) -> None:
    folder.parent.write_text('')
    with pytest.raises(exceptions.ConfigurationError, match=r'\[dnsmasq_pxe_filter\]dhcp_hostsdir: .*hostsdir'):
        made(conf)


def test_more_files_than_dnsmasq_is_told_of(
    conf: cfg.ConfigOpts,
    folder: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / 'most').write_text('5\n')
    monkeypatch.setattr(dnsmasq, '_QUEUE', tmp_path / 'most')
    driver = made(conf)
    driver.put_in_force(policy(MACS[:4]), look=True)
    assert 'max_queued_events' not in caplog.text
    driver.put_in_force(policy(MACS, MACS), look=True)
    assert 'max_queued_events' in caplog.text
