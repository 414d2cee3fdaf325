"""Callbacks gone wrong, thousands of them: none harms the service, or keeps a node."""

from __future__ import annotations

import collections
from collections.abc import Callable
from collections.abc import Iterator
from concurrent import futures
import contextlib
import dataclasses
import json
import pathlib
import random
import socket
from typing import Any

import pytest
import requests

from ironic_inspector import utils
from ironic_inspector.fixtures import inventories
from ironic_inspector.introspection_state import States
from tests.functional.lab import Lab
from tests.functional.lab import Machine
from tests.functional.lab import running_lab
from tests.fuzz import mutations
from tests.fuzz import work

Json = dict[str, Any]

HOOKS = (
    '$default_processing_hooks,lldp_basic,local_link_connection,physnet_cidr_map,extra_hardware,accelerators,'
    'raid_device'
)
RULES: tuple[Json, ...] = (
    {
        'conditions': [
            {'op': 'matches', 'field': 'inventory.interfaces[*].mac_address', 'value': '([0-9a-f]{2}:){5}.*'},
            {'op': 'in-net', 'field': 'inventory.bmc_address', 'value': '192.0.2.0/24', 'invert': True},
        ],
        'actions': [{'action': 'set-attribute', 'path': '/extra/boot', 'value': '{data[boot_interface]}'}],
    },
    {
        'conditions': [{'op': 'gt', 'field': 'inventory.memory.physical_mb', 'value': 1024}],
        'actions': [
            {
                'action': 'set-capability',
                'name': '{item[key]:.40}',
                'value': '{item[value]!s:.40}',
                'loop': 'data://inventory.cpu',
            },
            {
                'action': 'extend-attribute',
                'path': '/extra/names',
                'value': '{data[inventory][hostname]}',
                'unique': True,
            },
        ],
    },
    {
        'conditions': [{'op': 'contains', 'field': 'inventory.disks', 'value': '(?i)nvme|sd[a-f]'}],
        'actions': [{'action': 'set-data', 'path': '/seen', 'value': ['{data[root_disk]}']}],
    },
)
WORKERS = 4
MACHINES = 5
"""Machines of a worker that are made from each sample; the heaviest one stands for one machine."""
HEAVY = 'multipath-300-disks'
NODES: tuple[Json, ...] = (
    {},
    {'properties': {'root_device': {'size': '> 10', 'rotational': False}}},
    {'properties': {'root_device': {'serial': 's!= x'}, 'skip_block_devices': [{'name': '/dev/sda'}]}},
    {'extra': {'block_devices': {'serials': ['A', 'B']}}, 'properties': {'capabilities': 'boot_mode:bios,x:y'}},
    {'properties': {'local_gb': '7', 'cpus': '', 'capabilities': ''}, 'provision_state': 'enroll'},
)
MAX_FAULTS = 5
"""Faults after which a worker ends."""
HANGS = 60.0
"""Seconds without a byte of an answer."""


@pytest.fixture(scope='module')
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A service with everything that looks into data."""
    folder = tmp_path_factory.mktemp('inspector')
    options: dict[str, Json] = {
        'processing': {
            'processing_hooks': HOOKS,
            'ramdisk_logs_dir': folder / 'logs',
            'always_store_ramdisk_logs': True,
            'store_data': 'database',
        },
        'capabilities': {'boot_mode': True},
        'pci_devices': {'alias': json.dumps({'vendor_id': '10de', 'product_id': '2330', 'name': 'h100'})},
        'port_physnet': {'cidr_map': '192.0.2.0/24:four,2001:db8::/32:six'},
    }
    with running_lab(folder, **options) as running:
        for rule in RULES:
            answer = running.inspector.call('POST', '/v1/rules', json=rule)
            assert answer.status_code == 201, answer.text
        yield running


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A machine, and what its ramdisk sends when all is well."""

    machine: Machine
    data: Json
    fields: Json
    """Those of its node in Ironic that hooks and rules change."""


def candidate(lab: Lab, sample: str, number: int) -> Candidate:
    """Enrol a machine that sends a sample as its own."""
    fields: Json = {'properties': {}, 'extra': {}, **NODES[number % len(NODES)]}
    machine = lab.machine(**fields)
    data = inventories.load(sample)
    booted_from = utils.get_pxe_mac(data)
    interfaces = data['inventory']['interfaces']
    booted = next(item for item in interfaces if booted_from in (None, item['mac_address'].lower()))
    booted['mac_address'] = machine.mac
    data['boot_interface'] = machine.mac if booted_from else None
    data['inventory'] |= {'bmc_address': machine.bmc, 'bmc_v6address': None}
    data['logs'] = 'bG9ncw=='
    return Candidate(machine, data, fields)


def resident(lab: Lab) -> float:
    """The memory that the service has, in MiB."""
    status = pathlib.Path(f'/proc/{lab.inspector.pid}/status').read_text()
    return int(status.partition('VmRSS:')[2].split()[0]) / 1024


class Worker:
    """Sends callbacks of machines of its own, one after the other, and counts the answers."""

    def __init__(self, lab: Lab, number: int) -> None:
        """Take the `number`th part of all callbacks."""
        self._lab = lab
        self._number = number
        samples = [name for name in inventories.names() if name != HEAVY] * MACHINES + [HEAVY]
        self._candidates = [candidate(lab, name, index) for index, name in enumerate(samples)]
        self._ironic = requests.Session()
        self.answers: collections.Counter[int] = collections.Counter()
        self.faults: list[str] = []

    def send(self, first: int, last: int) -> None:
        """Send those of the callbacks from `first` up to `last` that are this worker's."""
        for number in range(first + self._number, last, WORKERS):
            chosen = self._candidates[number // WORKERS % len(self._candidates)]
            source = random.Random(f'{work.SEED}-{number}')
            body = mutations.body(chosen.data, source)
            try:
                self._await(chosen)
                if number % 97 == 0:
                    self._hang_up(body, source)
                else:
                    self._call_back(body)
            except (AssertionError, requests.RequestException, OSError) as exc:
                file = self._lab.inspector.folder / f'callback-{number}.json'
                file.write_bytes(body)
                self.faults.append(f'Callback {number}, {file}: {exc!r:.500}')
                if len(self.faults) == MAX_FAULTS:
                    return

    def settle(self) -> None:
        """Send what is right for each machine, and wait until it is finished."""
        for chosen in self._candidates:
            self._await(chosen)
            answer = self._lab.call_back(chosen.data)
            # Where Ironic or a hint on the node refuses it, that is the end of it as well.
            assert answer.status_code in (200, 400), answer.text
            self._lab.ended(chosen.machine)

    def _await(self, chosen: Candidate) -> None:
        """Make the service wait for a machine, if it does not, with a node that is as it was in the beginning."""
        machine = chosen.machine
        status = self._lab.inspector.call('GET', f'/v1/introspection/{machine.uuid}')
        if status.status_code == 200:
            if status.json()['state'] == States.WAITING:
                return
            self._lab.ended(machine)
        self._lab.ironic.update_node(machine.uuid, **chosen.fields)
        for port in self._lab.ironic.ports(machine.uuid):
            if port['address'] != machine.mac:
                self._ironic.delete(f'{self._lab.ironic.url}/v1/ports/{port["uuid"]}', timeout=HANGS)
        answer = self._lab.start(machine, manage_boot='no')
        assert answer.status_code == 202, answer.text

    def _call_back(self, body: bytes) -> None:
        answer = self._lab.call_back(body)
        assert answer.status_code in (200, 400, 404, 409), answer.text
        self.answers[answer.status_code] += 1

    def _hang_up(self, body: bytes, source: random.Random) -> None:
        """Send a body in a way that nothing but a broken client does, and see that the connection ends."""
        head = f'POST /v1/continue HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) + 100}\r\n\r\n'.encode()
        if source.random() < 0.5:
            head = b'POST /v1/continue HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n' % len(body)
        port = self._lab.inspector.port
        with socket.create_connection(('127.0.0.1', port), HANGS) as connection, contextlib.suppress(ConnectionError):
            connection.sendall(head + body)
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile('rb') as stream:
                line = stream.readline()
                stream.read()
            assert not line or 400 <= int(line.split()[1]) < 500, line


def at_once(workers: list[Worker], task: Callable[[Worker], None]) -> None:
    """Let all workers do something, however long it takes."""
    with futures.ThreadPoolExecutor(len(workers)) as pool:
        list(pool.map(task, workers))


def test_callbacks_gone_wrong(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    workers = [Worker(lab, number) for number in range(WORKERS)]
    warm = work.CALLBACKS // 3
    at_once(workers, lambda worker: worker.send(0, warm))
    before = resident(lab)
    at_once(workers, lambda worker: worker.send(warm, work.CALLBACKS))
    after = resident(lab)
    assert [fault for worker in workers for fault in worker.faults] == []
    at_once(workers, Worker.settle)
    answers = sum((worker.answers for worker in workers), collections.Counter[int]())
    if work.FULL:
        with capsys.disabled():
            print(f'\n{dict(answers)}; {before:.0f} MiB after {warm}, {after:.0f} MiB after {work.CALLBACKS} callbacks')

    # They are not all turned away at the door.
    assert answers[200] > work.CALLBACKS / 10
    assert answers[400] > work.CALLBACKS / 10
    active = lab.inspector.call('GET', '/v1/introspection', params={'state': ','.join(sorted(States.ACTIVE))})
    assert active.json() == {'introspection': []}
    # Generous, for what allocators keep; a leak of 10 kB a callback would be seen.
    assert after < before * 1.3 + 30
    for trace in ('Traceback', 'Unexpected', 'Logging error'):
        assert lab.log_of(trace)[:3] == []
