"""The process: how it ends, what it takes up after a crash, and what keeps it from starting."""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
import contextlib
import functools
import pathlib
import signal
import socket
import sqlite3
import stat
import sys
from typing import Any

import pytest

from ironic_inspector.fixtures.ironic import InMemoryIronic
from tests.functional.lab import UNKNOWN
from tests.functional.lab import Lab
from tests.functional.lab import Machine
from tests.functional.lab import at_once
from tests.functional.lab import message
from tests.functional.refused import refusal
from tests.service import InspectorProcess
from tests.service import until

Config = dict[str, dict[str, Any]]


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_what_goes_on_is_finished(make_lab: Callable[..., Lab], number: int) -> None:
    lab = make_lab()
    starting, processing, idle = lab.machine(), lab.waiting(), lab.waiting()
    power = lab.ironic.fail('PUT', f'{starting.uuid}/states/power', 'hang')
    update = lab.ironic.fail('PATCH', f'{processing.uuid}$', 'hang')
    assert lab.start(starting).status_code == 202
    assert lab.ironic.wait_for(lambda: power.hits, 10)

    def end() -> None:
        assert lab.ironic.wait_for(lambda: update.hits, 10)
        lab.inspector.send_signal(number)
        until(lambda: lab.abort(UNKNOWN).status_code == 503)
        # Who wants something new is told; who only looks, may.
        for answer in (
            lab.start(lab.machine()),
            lab.call_back(idle.data()),
            lab.abort(idle),
            lab.reapply(idle, json=idle.data()),
        ):
            assert answer.status_code == 503
            assert 'again' in message(answer)
        assert lab.status(idle)['state'] == 'waiting'
        for fault in (power, update):
            fault.remove()

    answer, _nothing = at_once([lambda: lab.call_back(processing.data()), end])
    # The callback was there before: it is answered.
    assert answer.status_code == 200
    assert lab.inspector.wait() == 0
    states = dict(lab.sql('SELECT uuid, state FROM nodes'))
    assert states == {starting.uuid: 'waiting', processing.uuid: 'finished', idle.uuid: 'waiting'}
    assert lab.log_of('Traceback') == []


def test_what_takes_too_long_is_left_for_the_next_start(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'graceful_shutdown_timeout': 1})
    machine, other = lab.machine(), lab.machine()
    with (
        lab.ironic.fail('PUT', f'{machine.uuid}/states/power', 'hang') as hanging,
        lab.ironic.fail('PUT', f'{other.uuid}/management/boot_device', 500) as failing,
    ):
        for node in (machine, other):
            assert lab.start(node).status_code == 202
        assert lab.ironic.wait_for(lambda: hanging.hits and failing.hits, 10)
        assert lab.inspector.stop() == 0
    assert {row[0] for row in lab.sql('SELECT state FROM nodes')} <= {'starting', 'error'}
    lab.inspector.start()
    lab.reached(machine, 'waiting')
    lab.finished(machine)


def test_a_second_signal_does_no_harm(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    machine = lab.machine()
    with lab.ironic.fail('PUT', f'{machine.uuid}/states/power', 'hang') as hanging:
        assert lab.start(machine).status_code == 202
        assert lab.ironic.wait_for(lambda: hanging.hits, 10)
        lab.inspector.send_signal(signal.SIGTERM)
        until(lambda: lab.log_of('Shutting down'))
        lab.inspector.send_signal(signal.SIGTERM)
        lab.inspector.send_signal(signal.SIGINT)
        assert lab.status(machine)['state'] == 'starting'
    assert lab.inspector.wait() == 0
    assert lab.sql('SELECT state FROM nodes') == [('waiting',)]


# What comes while it starts or ends


def filtering(lab: Lab) -> Lab:
    """Let the service, which has ended, have a PXE filter when it starts again: that waits for Ironic's ports."""
    hosts = lab.inspector.folder / 'hosts'
    hosts.mkdir()
    lab.inspector.options['pxe_filter'] = {'driver': 'dnsmasq'}
    lab.inspector.options['dnsmasq_pxe_filter'] = {'dhcp_hostsdir': hosts}
    return lab


def test_it_may_be_ended_while_it_starts(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    lab.inspector.stop()
    with filtering(lab).ironic.fail('GET', '^/v1/ports', 'hang') as hanging:
        lab.inspector.start(wait=False)
        assert lab.ironic.wait_for(lambda: hanging.hits, 30)
        assert lab.inspector.stop() == 0
    assert lab.log_of('before the service is up')
    assert lab.log_of('Traceback') == []
    lab.inspector.start()
    lab.finished()


def test_options_that_change_while_it_starts(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'clean_up_period': 1, 'timeout': 0})
    machine = lab.waiting()
    lab.sql("UPDATE nodes SET started_at = '2020-01-01 00:00:00.000000'")
    lab.inspector.stop()
    with filtering(lab).ironic.fail('GET', '^/v1/ports', 'hang') as hanging:
        lab.inspector.start(wait=False)
        assert lab.ironic.wait_for(lambda: hanging.hits, 30)
        lab.inspector.options['DEFAULT']['timeout'] = 100
        lab.inspector.write_config()
        lab.inspector.send_signal(signal.SIGHUP)
    until(lambda: lab.log_of('have been read again'))
    assert lab.ended(machine)['error'] == 'Introspection timeout'
    assert lab.inspector.stop() == 0


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_it_may_be_ended_while_the_database_is_away(tmp_path: pathlib.Path, number: int) -> None:
    options = {'database': {'connection': 'mysql+pymysql://u:p@127.0.0.1:1/i', 'max_retries': -1}}
    process = InspectorProcess(tmp_path, 'http://127.0.0.1:1', options)
    try:
        process.start(wait=False)
        until(lambda: 'attempts left' in process.log())
        process.send_signal(signal.SIGHUP)
        process.send_signal(number)
        assert process.wait() == 0
        assert 'Traceback' not in process.log()
    finally:
        process.kill()


def after(python: str) -> list[str]:
    """Return the beginning of a command that runs a program in Python after some lines of `python`."""
    run = 'import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name="__main__")'
    return [sys.executable, '-c', f'{python}\n{run}']


def test_a_signal_of_somebody_else(make_inspector: Callable[..., InspectorProcess], ironic: InMemoryIronic) -> None:
    lab = Lab(ironic, make_inspector(start=False))
    # As a plug-in may do it.
    lab.inspector.prefix = after(
        'import signal; signal.signal(signal.SIGUSR1, lambda *_: print("Handled", flush=True))'
    )
    lab.inspector.start()
    lab.inspector.send_signal(signal.SIGUSR1)
    until(lambda: lab.log_of('Handled'))
    lab.inspector.send_signal(signal.SIGHUP)
    until(lambda: lab.log_of('have been read again'))
    lab.finished()
    assert lab.log_of('Shutting down') == []
    assert lab.inspector.stop() == 0


# What is taken up after a crash

HANGING = {
    'starting': ('PUT', '{}/states/power'),
    'processing': ('PATCH', '{}$'),
    'powering off': ('PUT', '{}/states/power'),
    'reapplying': ('GET', '{}$'),
    'aborting': ('PUT', '{}/states/power'),
    'unmanaged': ('GET', '^/v1/ports/detail$'),
}
"""What Ironic does not answer any more when the service crashes."""


def crash(lab: Lab, machines: dict[str, Machine]) -> None:
    """Kill the service while it does something else with each machine, all of which can go on then."""
    for name in ('processing', 'powering off', 'aborting'):
        lab.waiting(machines[name])
    lab.finished(machines['reapplying'])
    acts: dict[str, Callable[[], Any]] = {
        'starting': lambda: lab.start(machines['starting']),
        'processing': lambda: lab.call_back(machines['processing'].data()),
        'powering off': lambda: lab.call_back(machines['powering off'].data()),
        'reapplying': lambda: lab.reapply(machines['reapplying']),
        'aborting': lambda: lab.abort(machines['aborting']),
        # Comes last: the others need the ports as well.
        'unmanaged': lambda: lab.start(machines['unmanaged'], manage_boot='0'),
    }
    faults = []
    with futures.ThreadPoolExecutor(len(acts)) as pool:
        for name, act in acts.items():
            method, path = HANGING[name]
            fault = lab.ironic.fail(method, path.format(machines[name].uuid), 'hang')
            pool.submit(act)
            assert lab.ironic.wait_for(functools.partial(getattr, fault, 'hits'), 20)
            faults.append(fault)
        lab.inspector.kill()
    for fault in faults:
        fault.remove()


def test_a_crash_in_each_state(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    machines = {name: lab.machine() for name in HANGING}
    waiting, finished, failed = lab.waiting(), lab.finished(), lab.failed()
    crash(lab, machines)
    states = dict(lab.sql('SELECT uuid, state FROM nodes'))
    assert {name: states[machine.uuid] for name, machine in machines.items()} == {
        'starting': 'starting', 'unmanaged': 'starting', 'processing': 'processing', 'powering off': 'processing',
        'reapplying': 'reapplying', 'aborting': 'aborting',
    }  # fmt: skip
    lab.inspector.start()
    for name, state in (
        ('starting', 'waiting'), ('unmanaged', 'waiting'), ('processing', 'finished'), ('powering off', 'finished'),
        ('reapplying', 'finished'),
    ):  # fmt: skip
        lab.reached(machines[name], state)
    assert lab.ended(machines['aborting'])['error'] == 'Canceled by operator'
    # What nobody worked on is as it was.
    assert [lab.status(node)['state'] for node in (waiting, finished, failed)] == ['waiting', 'finished', 'error']
    assert lab.ironic.node(machines['unmanaged'].uuid)['power_state'] == 'power off'
    for name in ('processing', 'powering off'):
        assert lab.ironic.node(machines[name].uuid)['power_state'] == 'power off'
        assert len(lab.ironic.ports(machines[name].uuid)) == 1
        assert lab.data(machines[name]).status_code == 200
    for machine in (machines['starting'], machines['unmanaged'], waiting):
        macs = lab.sql("SELECT value FROM attributes WHERE node_uuid = ? AND name = 'mac'", machine.uuid)
        assert macs == [(machine.mac,)]
        assert lab.call_back(machine.data()).status_code == 200
        lab.reached(machine, 'finished')


def test_options_that_change_while_it_runs(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'clean_up_period': 1, 'timeout': 0})
    machine = lab.waiting()
    lab.sql("UPDATE nodes SET started_at = '2020-01-01 00:00:00.000000'")
    lab.inspector.options['DEFAULT']['timeout'] = 100
    lab.inspector.write_config()
    lab.inspector.send_signal(signal.SIGHUP)
    assert lab.ended(machine)['error'] == 'Introspection timeout'
    assert lab.inspector.stop() == 0


def test_a_configuration_that_cannot_be_read_again_changes_nothing(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    lab.inspector.config_file.write_text('this is no configuration file')
    lab.inspector.send_signal(signal.SIGHUP)
    assert until(lambda: lab.log_of('cannot be read again'))
    lab.waiting()
    assert lab.inspector.stop() == 0


@pytest.mark.parametrize('state', ['starting', 'processing'])
def test_a_node_deployed_while_the_service_was_down_is_left_alone(make_lab: Callable[..., Lab], state: str) -> None:
    lab = make_lab()
    machine = lab.machine() if state == 'starting' else lab.waiting()
    hanging = lab.ironic.fail('PUT', f'{machine.uuid}/states/power', 'hang')
    answer = lab.start(machine) if state == 'starting' else lab.call_back(machine.data())
    assert answer.status_code < 300
    assert lab.ironic.wait_for(lambda: hanging.hits, 10)
    lab.inspector.kill()
    hanging.remove()
    lab.ironic.update_node(machine.uuid, provision_state='active')
    mark = lab.ironic.mark()
    lab.inspector.start()
    status = lab.ended(machine)
    assert status['state'] == 'error'
    assert "provision state 'active'" in status['error']
    # The request that hung may be counted only now; what would come before and after it is not there.
    assert not lab.ironic.count('PUT', 'boot_device', since=mark)
    assert not lab.ironic.count('PATCH', since=mark)


def test_a_crash_in_processing_without_stored_data(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(processing={'store_data': 'none'})
    machine = lab.waiting()
    hanging = lab.ironic.fail('PUT', f'{machine.uuid}/states/power', 'hang')
    assert lab.call_back(machine.data()).status_code == 200
    assert lab.ironic.wait_for(lambda: hanging.hits, 10)
    lab.inspector.kill()
    hanging.remove()
    lab.inspector.start()
    status = lab.ended(machine)
    assert status['state'] == 'error'
    assert 'start the introspection again' in status['error']


def test_a_crash_while_ironic_is_away_as_well(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    machine = lab.machine()
    hanging = lab.ironic.fail('PUT', f'{machine.uuid}/states/power', 'hang')
    assert lab.start(machine).status_code == 202
    assert lab.ironic.wait_for(lambda: hanging.hits, 10)
    lab.inspector.kill()
    hanging.remove()
    with lab.ironic.fail('*', machine.uuid, 503), lab.ironic.fail('*', '^/v1/ports', 503):
        lab.inspector.start()
        status = lab.ended(machine)
    assert status['state'] == 'error'
    assert '503' in status['error']


# What keeps it from starting


def test_a_second_process(make_lab: Callable[..., Lab], tmp_path: pathlib.Path) -> None:
    lab = make_lab()
    database = {'connection': f'sqlite:///{lab.inspector.folder}/inspector.sqlite'}
    second = InspectorProcess(tmp_path, lab.ironic.url, {'database': database})
    try:
        second.start(wait=False)
        until(lambda: 'waiting 20 s for its end' in second.log())
        # It is the one that ends.
        lab.inspector.stop()
        until(lambda: 'is up' in second.log())
        lab.inspector.start(wait=False)
        assert lab.inspector.wait() == 1
        [line] = lab.log_of('cannot start')
        assert '[database]connection: another process of the service works on this database' in line
        assert 'stop it' in line
        assert lab.log_of('Traceback') == []
        assert second.stop() == 0
    finally:
        second.kill()


def test_a_process_that_waits_for_another_one_may_be_ended(
    make_lab: Callable[..., Lab], tmp_path: pathlib.Path
) -> None:
    lab = make_lab()
    database = {'connection': f'sqlite:///{lab.inspector.folder}/inspector.sqlite'}
    second = InspectorProcess(tmp_path, lab.ironic.url, {'database': database})
    try:
        second.start(wait=False)
        until(lambda: 'waiting 20 s for its end' in second.log())
        assert second.stop() == 0
        assert 'Traceback' not in second.log()
        assert 'cannot start' not in second.log()
    finally:
        second.kill()
    lab.finished()


def test_a_database_that_another_process_holds(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    lab.waiting()
    lab.sql("UPDATE nodes SET started_at = '2020-01-01 00:00:00.000000'")
    lab.inspector.stop()
    lab.inspector.log_file.unlink()
    holder = sqlite3.connect(lab.inspector.folder / 'inspector.sqlite', isolation_level=None)
    with contextlib.closing(holder):
        holder.execute('BEGIN IMMEDIATE')
        # Not for as long as others.
        lab.inspector.prefix = after('from ironic_inspector.db import engine; engine.SQLITE_BUSY_TIMEOUT_MS = 500')
        assert 'has been writing to the SQLite file' in refusal(lab.inspector)
    lab.inspector.start()
    until(lambda: lab.sql('SELECT state FROM nodes') == [('error',)])


def test_a_unix_socket(tmp_path: pathlib.Path, ironic: InMemoryIronic) -> None:
    path = tmp_path / 'api.socket'
    options = {'DEFAULT': {'listen_unix_socket': path, 'listen_unix_socket_mode': '0o660'}}
    process = InspectorProcess(tmp_path, ironic.url, options)
    process.sync_database()

    def answer() -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(str(path))
            connection.sendall(b'GET /v1 HTTP/1.1\r\nHost: bare.example\r\nConnection: close\r\n\r\n')
            with connection.makefile('rb') as stream:
                return stream.read()

    try:
        for end in (process.kill, process.stop):
            # The second time, the socket of the one that was killed is still there.
            process.log_file.write_text('')
            process.start(wait=False)
            until(lambda: 'is up' in process.log())
            assert stat.S_IMODE(path.stat().st_mode) == 0o660
            assert answer().startswith(b'HTTP/1.1 200 OK')
            assert b'http://bare.example/v1/introspection' in answer()
            end()
        assert not path.exists()
    finally:
        process.kill()


def test_a_hundred_machines_at_once(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    lab.ironic.latency = 0.02
    machines = [lab.machine() for _ in range(100)]
    assert {answer.status_code for answer in at_once(functools.partial(lab.start, each) for each in machines)} == {202}
    until(lambda: _count(lab, 'waiting') == 100, 60)
    answers = at_once(functools.partial(lab.call_back, each.data()) for each in machines)
    assert {answer.status_code for answer in answers} == {200}
    until(lambda: _count(lab, 'finished') == 100, 60)
    assert all(len(lab.steps(machine)) == 4 for machine in machines)
    for word in ('database is locked', 'Traceback', 'ERROR', 'pool is full'):
        assert lab.log_of(word) == []
    assert lab.inspector.stop() == 0


def _count(lab: Lab, state: str) -> int:
    count: int = lab.sql('SELECT count(*) FROM nodes WHERE state = ?', state)[0][0]
    return count
