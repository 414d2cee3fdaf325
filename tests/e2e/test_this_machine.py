"""The main job on real input: the real ramdisk code on this machine, a real Ironic, and the service between them."""

from collections.abc import Callable
import os
from pathlib import Path
from typing import Any

from openstack.connection import Connection
import pytest

from tests.e2e.conftest import Http
from tools import processes

pytestmark = pytest.mark.xdist_group('ironic')

Collect = Callable[[], Path]


def test_introspection_fills_in_what_ironic_knows(
    http: Http, ironic_api: Connection, machine: Any, machine_macs: list[str], collect: Collect
) -> None:
    waiting = http.start(machine.id)
    assert (waiting['finished'], waiting['finished_at'], waiting['error']) == (False, None, None)

    collect()

    finished = http.reach(machine.id, 'finished')
    assert (finished['uuid'], finished['finished'], finished['error']) == (machine.id, True, None)
    assert finished['started_at'] == waiting['started_at'] < finished['finished_at']
    properties = ironic_api.baremetal.get_node(machine.id).properties
    assert properties['cpus'] == str(os.cpu_count())
    assert properties['cpu_arch'] == os.uname().machine
    assert 0 < _memory_in_use_by_linux_mb() <= int(properties['memory_mb'])
    assert int(properties['local_gb']) > 0
    ports = {port.address: port for port in ironic_api.baremetal.ports(node_id=machine.id, details=True)}
    assert sorted(ports) == sorted(machine_macs)
    assert all(port.is_pxe_enabled for port in ports.values()), 'nothing has booted by PXE, so nothing is known of it'


def _memory_in_use_by_linux_mb() -> int:
    return os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') // 2**20


def test_all_that_was_found_can_be_read(http: Http, machine: Any, machine_macs: list[str], collect: Collect) -> None:
    http.start(machine.id)
    collect()
    http.reach(machine.id, 'finished')

    unprocessed = http.get(f'/v1/introspection/{machine.name}/data/unprocessed').json()
    processed = http.get(f'/v1/introspection/{machine.name}/data').json()

    assert sorted(nic['mac_address'] for nic in unprocessed['inventory']['interfaces']) == sorted(machine_macs)
    assert unprocessed['inventory']['hostname'] == os.uname().nodename
    assert 'logs' not in unprocessed
    assert 'logs' not in processed
    assert sorted(processed['macs']) == sorted(machine_macs)
    assert processed['inventory'] == unprocessed['inventory']
    assert int(processed['cpus']) == os.cpu_count()


def test_a_port_that_ironic_lacks_is_created(
    http: Http, ironic_api: Connection, machine: Any, machine_macs: list[str], collect: Collect
) -> None:
    http.start(machine.id)
    for port in ironic_api.baremetal.ports(node_id=machine.id):
        ironic_api.baremetal.delete_port(port)

    collect()

    http.reach(machine.id, 'finished')
    assert sorted(port.address for port in ironic_api.baremetal.ports(node_id=machine.id)) == sorted(machine_macs)


def test_data_of_a_machine_that_nobody_started_is_refused(
    http: Http, machine_macs: list[str], collect: Collect
) -> None:
    with pytest.raises(processes.ProcessError, match=machine_macs[0]):
        collect()


def test_data_sent_again_changes_nothing(http: Http, machine: Any, collect: Collect) -> None:
    http.start(machine.id)
    collect()
    finished = http.reach(machine.id, 'finished')

    with pytest.raises(processes.ProcessError, match='error 4'):
        collect()

    assert http.get(f'/v1/introspection/{machine.id}').json() == finished


def test_stored_data_is_processed_again(http: Http, ironic_api: Connection, machine: Any, collect: Collect) -> None:
    http.start(machine.id)
    collect()
    http.reach(machine.id, 'finished')
    forget = [{'op': 'remove', 'path': '/properties/memory_mb'}]
    ironic_api.baremetal.patch_node(machine.id, forget)

    answer = http.post(f'/v1/introspection/{machine.id}/data/unprocessed')

    assert (answer.status_code, answer.json()) == (202, {})
    http.reach(machine.id, 'finished')
    assert int(ironic_api.baremetal.get_node(machine.id).properties['memory_mb']) > 0
