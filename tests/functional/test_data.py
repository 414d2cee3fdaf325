"""What is kept of a callback: the data as they were sent, what became of them, and the logs of the ramdisk."""

from __future__ import annotations

import base64
from collections.abc import Callable
import pathlib
import re
from typing import Any

from tests.functional.lab import UNKNOWN
from tests.functional.lab import Lab
from tests.functional.lab import message
from tests.service import until

LOGS: dict[str, Any] = {'logs': base64.b64encode(b'what the ramdisk did').decode()}


def test_data_are_kept_as_sent_and_as_processed(lab: Lab) -> None:
    machine = lab.waiting()
    data = machine.data(own={'some': ['thing', 1.5, None]}, name='\ud800 \0 \U0001f600', **LOGS)
    sent = dict(data)
    assert lab.call_back(data).status_code == 200
    lab.reached(machine, 'finished')
    del sent['logs']
    unprocessed = lab.data(machine, processed=False)
    assert unprocessed.headers['Content-Type'] == 'application/json'
    assert unprocessed.json() == sent
    processed = lab.data(machine.name).json()
    assert 'logs' not in processed
    assert processed.items() >= {key: sent[key] for key in ('own', 'name', 'boot_interface')}.items()
    assert processed['macs'] == [machine.mac]
    assert processed['ipmi_address'] == machine.bmc
    assert {'all_interfaces', 'interfaces', 'cpus', 'memory_mb', 'local_gb'} <= processed.keys()


def test_data_stay_until_others_come(lab: Lab) -> None:
    machine = lab.finished(run=1)
    lab.waiting(machine)
    assert lab.data(machine).json()['run'] == 1
    assert lab.call_back(machine.data(run=2, error='x')).status_code == 400
    assert lab.data(machine).json()['run'] == 1
    lab.finished(machine, run=3)
    assert lab.data(machine).json()['run'] == 3
    assert lab.data(machine, processed=False).json()['run'] == 3


def test_data_are_stored_before_anything_can_fail(lab: Lab) -> None:
    machine = lab.waiting(properties={'root_device': {'size': '>= 100000'}})
    assert lab.call_back(machine.data(mark='kept')).status_code == 400
    assert lab.data(machine, processed=False).json()['mark'] == 'kept'
    assert lab.data(machine).status_code == 404


def test_data_that_are_not_there(lab: Lab) -> None:
    for node in (lab.waiting(), UNKNOWN, 'nobody'):
        for processed in (True, False):
            answer = lab.data(node, processed=processed)
            assert answer.status_code == 404
            assert message(answer)


def test_a_service_that_stores_no_data(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(processing={'store_data': 'none'})
    machine = lab.finished()
    for processed in (True, False):
        answer = lab.data(machine, processed=processed)
        assert answer.status_code == 404
        assert 'store_data' in message(answer)
    assert lab.reapply(machine).status_code == 404
    assert lab.reapply(machine, json=machine.data()).status_code == 202
    lab.reached(machine, 'finished')


# Ramdisk logs


def files(folder: pathlib.Path) -> list[str]:
    # A file that is being written has another name meanwhile.
    paths = [path for path in folder.rglob('*') if path.suffix != '.part' and path.is_file()]
    return sorted(str(path.relative_to(folder)) for path in paths)


def test_logs_of_failures_are_kept(make_lab: Callable[..., Lab], tmp_path: pathlib.Path) -> None:
    folder = tmp_path / 'room' / 'logs'
    name = '{mac}/{bmc}_{uuid}.gz'
    lab = make_lab(processing={'ramdisk_logs_dir': folder, 'ramdisk_logs_filename_format': name})
    lab.finished(**LOGS)
    assert files(folder) == []
    # The ramdisk says so, a hook fails later, and a machine that nobody knows.
    machine, later, unknown = lab.waiting(), lab.waiting(properties={'root_device': {'size': 100_000}}), lab.machine()
    assert lab.call_back(machine.data(error='x', **LOGS)).status_code == 400
    assert lab.call_back(later.data(**LOGS)).status_code == 400
    assert lab.call_back(unknown.data(**LOGS)).status_code == 404
    expected = [
        f'{node.mac.replace(":", "")}/{node.bmc}_{uuid}.gz'
        for node, uuid in ((machine, machine.uuid), (later, later.uuid), (unknown, 'unknown'))
    ]
    assert files(folder) == sorted(expected)
    assert (folder / expected[0]).read_bytes() == b'what the ramdisk did'
    # No name leads out of the folder.
    before = set(tmp_path.rglob('*'))
    hostile = ['../../escape', '/tmp/escape', '01-../../escape', '..', 'a\0b', '{uuid}', 'x' * 5000, '\ud800', '~root']
    for text in hostile:
        data = lab.machine().data(boot_interface=text, error='x', **LOGS)
        data['inventory'].update(bmc_address=text, bmc_v6address=text)
        assert lab.call_back(data).status_code == 404
    new = set(tmp_path.rglob('*')) - before
    assert {path for path in new if folder not in path.parents} == set()
    assert all(name.count('/') == 1 for name in files(folder))


def test_all_logs_are_kept_where_that_is_wanted(make_lab: Callable[..., Lab], tmp_path: pathlib.Path) -> None:
    folder = tmp_path / 'logs'
    lab = make_lab(processing={'ramdisk_logs_dir': folder, 'always_store_ramdisk_logs': True})
    machine = lab.finished(**LOGS)
    (name,) = until(lambda: folder.exists() and files(folder))
    assert re.fullmatch(rf'{machine.uuid}_\d{{8}}-\d{{6}}\.\d{{6}}\.tar\.gz', name)
    # What are no logs does no harm.
    for logs in ('not base64!', 7, ['x'], {'a': 1}, True, 'é'):
        lab.finished(logs=logs)
