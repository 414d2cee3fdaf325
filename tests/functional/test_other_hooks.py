"""The hooks that are not on by default, all in one service: what Ironic gets, and what the stored data are."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import json
import pathlib
from typing import Any

import pytest

from ironic_inspector import utils
from ironic_inspector.fixtures import inventories
from tests.functional.lab import Lab
from tests.functional.lab import Machine
from tests.functional.lab import message
from tests.functional.lab import running_lab
from tests.service import InspectorProcess

HOOKS = 'extra_hardware,accelerators,raid_device,example'
T4 = {'vendor_id': '10de', 'device_id': '1eb8', 'type': 'GPU', 'device_info': 'NVIDIA Corporation Tesla T4'}
ALIAS = json.dumps({'vendor_id': '10de', 'product_id': '1eb8', 'name': 't4'})
CALLBACK_CALLS = [
    'GET /v1/nodes/{node}',
    'GET /v1/ports/detail',
    'PATCH /v1/nodes/{node}',
    'PUT /v1/nodes/{node}/states/power',
]


@pytest.fixture(scope='module')
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A service with all these hooks, for the tests of this module."""
    options: dict[str, dict[str, Any]] = {
        'DEFAULT': {'debug': True},
        'processing': {'processing_hooks': f'$default_processing_hooks,{HOOKS}'},
        'pci_devices': {'alias': ALIAS},
        'capabilities': {'boot_mode': True},
    }
    with running_lab(tmp_path_factory.mktemp('inspector'), **options) as running:
        yield running


def data_of(machine: Machine, *serials: str, **changes: Any) -> dict[str, Any]:
    """Return what a machine with two GPUs and disks of these serial numbers sends."""
    data = machine.data(**changes)
    data['pci_devices'] += [
        {'vendor_id': '10de', 'product_id': '1eb8', 'class': '030200', 'bus': bus}
        for bus in ('0000:3b:00.0', '0000:af:00.0')
    ]
    (template, *_) = data['inventory']['disks']
    data['inventory']['disks'] = [
        template | {'name': f'/dev/sd{index}', 'serial': serial} for index, serial in enumerate(serials)
    ]
    data['root_disk'] = data['inventory']['disks'][0] if serials else None
    return data


def introspect(lab: Lab, machine: Machine, data: dict[str, Any]) -> dict[str, Any]:
    """Introspect a machine and return its node as Ironic has it then."""
    lab.waiting(machine)
    since = lab.ironic.mark()
    answer = lab.call_back(data)
    assert answer.status_code == 200, answer.text
    lab.reached(machine, 'finished')
    # Nothing is patched where nothing is new.
    assert lab.summary(machine, since) in (CALLBACK_CALLS, CALLBACK_CALLS[:2] + CALLBACK_CALLS[3:])
    return dict(lab.ironic.node(machine.uuid))


def test_what_ironic_gets_and_what_is_stored(lab: Lab) -> None:
    machine = lab.machine(extra={'mine': 1})
    sent = data_of(machine, 'A', 'B')
    node = introspect(lab, machine, sent)

    accelerators = [T4 | {'pci_address': '0000:3b:00.0'}, T4 | {'pci_address': '0000:af:00.0'}]
    assert node['properties']['accelerators'] == accelerators
    assert {'t4:2', 'cpu_vt:true'} <= set(node['properties']['capabilities'].split(','))
    assert f'boot_mode:{sent["inventory"]["boot"]["current_boot_mode"]}' in node['properties']['capabilities']
    assert node['extra'] == {'mine': 1, 'block_devices': {'serials': ['A', 'B']}}
    assert 'root_device' not in node['properties']

    processed = lab.data(machine).json()
    assert 'data' not in processed
    assert processed['extra']['system']['product']['vendor'] == 'Dell Inc.'
    assert {row[0] for row in sent['data']} == processed['extra'].keys()
    assert processed['local_gb'] == int(node['properties']['local_gb'])
    assert lab.data(machine, processed=False).json() == {key: sent[key] for key in sent if key != 'logs'}

    lines = [line for line in lab.log_of('plugins.example') if machine.uuid in line or machine.mac in line]
    assert [phase in line for line, phase in zip(lines, ('before_processing', 'before_update'), strict=True)] == [
        True
    ] * 2


def test_a_raid_volume_is_found_by_a_second_introspection(lab: Lab) -> None:
    machine = lab.machine()
    node = introspect(lab, machine, data_of(machine, 'A', 'B'))
    assert node['extra'] == {'block_devices': {'serials': ['A', 'B']}}
    node = introspect(lab, machine, data_of(machine, 'A', 'VOLUME', 'B'))
    assert node['properties']['root_device'] == {'serial': 'VOLUME'}
    assert node['extra'] == {}
    # From now on the hint decides.
    node = introspect(lab, machine, data_of(machine, 'C', 'VOLUME'))
    assert node['properties']['root_device'] == {'serial': 'VOLUME'}
    assert lab.data(machine).json()['root_disk']['serial'] == 'VOLUME'
    assert node['extra'] == {}


def test_a_machine_without_a_disk_gets_its_volume(lab: Lab) -> None:
    machine = lab.machine()
    node = introspect(lab, machine, data_of(machine))
    assert (node['properties']['local_gb'], node['extra']) == ('0', {})
    node = introspect(lab, machine, data_of(machine, 'VOLUME'))
    assert node['extra'] == {'block_devices': {'serials': ['VOLUME']}}


def test_applying_the_data_again_changes_nothing(lab: Lab) -> None:
    machine = lab.machine()
    node = introspect(lab, machine, data_of(machine, 'A', 'B'))
    stored = lab.data(machine).json()
    assert lab.reapply(machine).status_code == 202
    lab.reached(machine, 'finished')
    again = lab.ironic.node(machine.uuid)
    assert (again['properties'], again['extra']) == (node['properties'], node['extra'])
    assert lab.data(machine).json() == stored


@pytest.mark.parametrize('name', inventories.names())
def test_every_sample(lab: Lab, name: str) -> None:
    machine = lab.machine()
    lab.waiting(machine)
    data = inventories.load(name)
    # The machine's own, for its callback to be matched.
    pxe = utils.get_pxe_mac(data)
    booted = next(item for item in data['inventory']['interfaces'] if pxe in (None, item['mac_address'].lower()))
    booted['mac_address'] = machine.mac
    data['boot_interface'] = machine.mac if pxe else None
    answer = lab.call_back(data)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {'uuid': machine.uuid}
    lab.reached(machine, 'finished')


@pytest.mark.parametrize(
    ('changes', 'place'),
    [
        ({'pci_devices': [{'vendor_id': '10de', 'product_id': '1eb8'}]}, 'pci_devices[0].bus'),
        ({'pci_devices': 'none'}, 'pci_devices must be a list'),
        ({'inventory': {'disks': [{'serial': 7}]}}, 'inventory.disks[0].serial'),
    ],
)
def test_malformed_data_fail_the_node_with_their_place(lab: Lab, changes: dict[str, Any], place: str) -> None:
    machine = lab.waiting()
    data = machine.data()
    changes = dict(changes)
    data['inventory'].update(changes.pop('inventory', {}))
    answer = lab.call_back(data | changes)
    assert answer.status_code == 400
    assert place in message(answer)
    assert place in lab.status(machine)['error']


# Options


def test_strict_extra_hardware(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(
        processing={'processing_hooks': '$default_processing_hooks,extra_hardware'}, extra_hardware={'strict': True}
    )
    machine = lab.finished(data=[['disk', 'sda', 'size', '10', 'more']])
    stored = lab.data(machine).json()
    assert 'data' not in stored
    assert 'extra' not in stored


def test_known_devices_of_the_operator(make_lab: Callable[..., Lab], tmp_path: pathlib.Path) -> None:
    file = tmp_path / 'known.yaml'
    file.write_text(
        'pci_devices:\n  - vendor_id: "abcd"\n    device_id: "0001"\n    type: FPGA\n    device_info: Ours\n'
    )
    lab = make_lab(
        processing={'processing_hooks': '$default_processing_hooks,accelerators'}, accelerators={'known_devices': file}
    )
    machine = lab.finished(pci_devices=[{'vendor_id': 'abcd', 'product_id': '0001', 'bus': '0000:01:00.0'}])
    assert lab.ironic.node(machine.uuid)['properties']['accelerators'] == [
        {
            'vendor_id': 'abcd',
            'device_id': '0001',
            'type': 'FPGA',
            'device_info': 'Ours',
            'pci_address': '0000:01:00.0',
        }
    ]


@pytest.mark.parametrize('content', [None, 'pci_devices: 7', 'a: ['])
def test_known_devices_that_cannot_be_read_stop_the_start(
    make_inspector: Callable[..., InspectorProcess], tmp_path: pathlib.Path, content: str | None
) -> None:
    file = tmp_path / 'known.yaml'
    if content is not None:
        file.write_text(content)
    process = make_inspector(
        start=False,
        processing={'processing_hooks': '$default_processing_hooks,accelerators'},
        accelerators={'known_devices': file},
    )
    process.start(wait=False)
    assert process.wait() == 1
    (line,) = [line for line in process.log().splitlines() if line.startswith('ironic-inspector cannot start')]
    assert f'[accelerators]known_devices: {file}' in line or f"[accelerators]known_devices: '{file}'" in line
