"""The main job on each kind of database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
import pathlib

import pytest

from ironic_inspector.fixtures import fleet
from ironic_inspector.fixtures import inventories
from ironic_inspector.fixtures.ironic import InMemoryIronic
from tests import databases
from tests.service import InspectorProcess

NODES = 20


@pytest.mark.parametrize('kind', databases.KINDS)
def test_many_nodes_at_once(
    kind: str,
    tmp_path: pathlib.Path,
    ironic: InMemoryIronic,
    make_inspector: Callable[..., InspectorProcess],
) -> None:
    machines = fleet.machines(NODES, 2)
    ironic.populate_with(machines)
    with databases.new_database(kind, tmp_path) as url, futures.ThreadPoolExecutor(NODES) as pool:
        inspector = make_inspector(database={'connection': url})

        def introspect(machine: fleet.Machine) -> list[int]:
            start = inspector.call('POST', f'/v1/introspection/{machine.uuid}')
            inspector.wait_for_state(machine.uuid, 'waiting')
            data = inventories.ramdisk_data(machine.macs[0], macs=machine.macs, bmc_address=machine.bmc_address)
            callback = inspector.call('POST', '/v1/continue', json=data)
            inspector.wait_for_state(machine.uuid, 'finished')
            stored = inspector.call('GET', f'/v1/introspection/{machine.name}/data')
            again = inspector.call('POST', f'/v1/introspection/{machine.uuid}/data/unprocessed')
            inspector.wait_for_state(machine.uuid, 'finished')
            return [answer.status_code for answer in (start, callback, stored, again)]

        assert list(pool.map(introspect, machines)) == [[202, 200, 200, 202]] * NODES
        listed = inspector.call('GET', '/v1/introspection?state=finished').json()['introspection']
        assert {status['uuid'] for status in listed} == {machine.uuid for machine in machines}
        inspector.stop()
        assert 'ERROR' not in inspector.log()
        assert 'database is locked' not in inspector.log()
