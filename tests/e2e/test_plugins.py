"""A package of plug-ins from elsewhere, a plug-in of each kind, in this service and in ironic-inspector 12.5.0."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
import functools
import json
from pathlib import Path
import sys
from typing import Any
from typing import Final

import pytest

from ironic_inspector.fixtures import inventories
from ironic_inspector.fixtures.ironic import InMemoryIronic
from tests.e2e import overlay
from tests.e2e import waiting
from tests.e2e.conftest import Http
from tools import components
from tools import environments

pytestmark = pytest.mark.xdist_group('plugins')

SAMPLE: Final = Path(__file__).resolve().parents[1] / 'sample_plugin'
OURS, REFERENCE = 'this service', '12.5.0'
CONDITION: Final = {'op': 'sample-between', 'field': 'data://rack', 'value': 1, 'to': 9}
RULE: Final = {
    'conditions': [CONDITION],
    'actions': [{'action': 'sample-assign', 'owner': '{data[customer]}', 'trait': 'CUSTOM_RENTED'}],
}
BYSTANDER, IN_RANGE, OUT_OF_RANGE, FAILING, FOUND, CREATED, LATER = (f'52:54:00:00:00:0{number}' for number in range(7))
NODES: Final = {
    'bystander': [BYSTANDER],
    'in-range': [IN_RANGE],
    'out-of-range': [OUT_OF_RANGE],
    'failing': [FAILING],
    'found': [],
}


class _WithPlugins:
    """What makes a service run by the interpreter of another environment, in which the sample is installed."""

    python: Path

    def command(self) -> Sequence[str | Path]:
        # Of the two classes that the service is made of, the other one says what runs.
        return [self.python, *super().command()]  # type: ignore[misc]


class Ours(_WithPlugins, components.Inspector):
    """This service."""


class Reference(_WithPlugins, components.ReferenceInspector):
    """ironic-inspector 12.5.0."""


@dataclass
class Scene:
    """A service with all plug-ins of the sample, and what can be seen of it from outside."""

    ironic: InMemoryIronic
    service: Http
    folder: Path

    @property
    def data_folder(self) -> Path:
        """Where the store keeps what it is given."""
        return self.folder / 'data'

    @property
    def deny_file(self) -> Path:
        """What the PXE filter writes."""
        return self.folder / 'deny'

    def denied(self) -> list[str]:
        """Return the MACs that the filter denies now; none before it has been synchronised."""
        return self.deny_file.read_text().split() if self.deny_file.exists() else []

    def node(self, name: str) -> dict[str, Any]:
        """Return a node by its name; the one that was created has none, and is called "created"."""
        for node in self.ironic.nodes():
            if (node['name'] or 'created') == name:
                return node
        raise AssertionError(f'there is no node {name}')

    def wait_denied(self, *macs: str) -> None:
        """Wait until the filter denies just these MACs."""
        waiting.until(self.denied, lambda now: now == sorted(macs))

    def start(self, name: str) -> None:
        """Start an introspection and wait until the ramdisk may call back."""
        answer = self.service.post(f'/v1/introspection/{self.node(name)["uuid"]}')
        assert answer.status_code == 202, answer.text
        self.service.reach(self.node(name)['uuid'], 'waiting')

    def call_back(self, mac: str, hostname: str, serial: str = 'unknown') -> Any:
        """Send what the ramdisk of a machine would, and return the answer."""
        data = inventories.ramdisk_data(mac, bmc_address=None) | {'customer': 'ACME'}
        data['inventory']['hostname'] = hostname
        data['inventory']['system_vendor']['serial_number'] = serial
        return self.service.post('/v1/continue', json=data)

    def finished(self, name: str) -> None:
        """Wait until the introspection of a node has succeeded."""
        self.service.reach(self.node(name)['uuid'], 'finished')

    def play(self) -> None:
        """Introspect machines in all the ways in which the plug-ins matter."""
        assert self.service.post('/v1/rules', json=RULE).status_code in (200, 201)
        for name, mac, hostname in (('in-range', IN_RANGE, 'r07-u12'), ('out-of-range', OUT_OF_RANGE, 'r12-u01')):
            self.start(name)
            answer = self.call_back(mac, hostname)
            assert answer.ok, answer.text
            self.finished(name)
        self.start('failing')
        assert self.call_back(FAILING, 'localhost').status_code == 400
        assert self.call_back(FOUND, 'r08-u01', serial='FOUND').ok
        self.finished('found')
        assert self.call_back(CREATED, 'r09-u01', serial='CREATED').ok
        self.finished('created')


@pytest.fixture(scope='module')
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, built."""
    return overlay.build(SAMPLE, tmp_path_factory.mktemp('sample'))


@pytest.fixture(scope='module')
def scenes(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Iterator[Callable[[str], Scene]]:
    """The two services after all introspections, by name, each started when first asked for."""
    with ExitStack() as stack:

        def run(kind: type[Ours] | type[Reference], below: Path) -> Scene:
            folder = tmp_path_factory.mktemp('plugins')
            ironic = stack.enter_context(InMemoryIronic(threads=20))
            for name, macs in NODES.items():
                node = ironic.add_node(name=name, extra={'serial': name.upper()}, power_state='power on')
                for mac in macs:
                    ironic.add_port(node['uuid'], mac)
            service = kind(folder, ironic.url, _options(folder))
            service.python = overlay.make(folder / 'environment', below)
            overlay.install(wheel, service.python)
            stack.enter_context(service)
            scene = Scene(ironic, Http(service.url), folder)
            # Before any introspection: the filter does its work from the start.
            scene.wait_denied(BYSTANDER, IN_RANGE, OUT_OF_RANGE, FAILING)
            scene.play()
            return scene

        @functools.cache
        def get(name: str) -> Scene:
            if name == OURS:
                return run(Ours, Path(sys.executable))
            environments.ensure(['reference'])
            return run(Reference, environments.Environment('reference').python)

        yield get


@pytest.fixture(scope='module', params=[OURS, REFERENCE])
def scene(request: pytest.FixtureRequest, scenes: Callable[[str], Scene]) -> Scene:
    """Each of the two."""
    return scenes(request.param)


def _options(folder: Path) -> components.Options:
    return {
        'processing': {
            'processing_hooks': '$default_processing_hooks,sample_rack,sample_physnet',
            'node_not_found_hook': 'sample_by_serial',
            'store_data': 'sample_folder',
        },
        'pxe_filter': {'driver': 'sample_file', 'sync_period': 1},
        'sample': {'data_folder': folder / 'data', 'deny_file': folder / 'deny', 'physnet_prefix': 'lab-'},
    }


def test_processing_hook(scene: Scene) -> None:
    assert scene.node('in-range')['properties']['rack'] == '07'


def test_processing_hook_that_fails_the_introspection(scene: Scene) -> None:
    node = scene.node('failing')
    status = scene.service.get(f'/v1/introspection/{node["uuid"]}').json()
    assert (status['state'], status['error']) == ('error', 'The host name does not tell the rack')
    assert 'rack' not in node['properties']


def test_physnet_hook(scene: Scene) -> None:
    ports = {port['address']: port.get('physical_network') for port in scene.ironic.ports()}
    assert ports == {
        BYSTANDER: None,
        IN_RANGE: 'lab-07',
        OUT_OF_RANGE: 'lab-12',
        FAILING: None,
        FOUND: 'lab-08',
        CREATED: 'lab-09',
    }


def test_condition_and_action(scene: Scene) -> None:
    rented = {name: (scene.node(name)['owner'], scene.node(name).get('traits') or []) for name in NODES}
    assert rented == {
        'bystander': (None, []),
        'in-range': ('ACME', ['CUSTOM_RENTED']),
        'out-of-range': (None, []),
        'failing': (None, []),
        'found': ('ACME', ['CUSTOM_RENTED']),
    }


@pytest.mark.parametrize(
    ('changes', 'says'),
    [
        ({'value': 10}, 'value must not be greater than to'),
        ({'to': None}, 'to'),
        ({'step': 2}, 'step'),
    ],
)
def test_condition_with_wrong_parameters(scene: Scene, changes: dict[str, Any], says: str) -> None:
    answer = scene.service.post('/v1/rules', json=RULE | {'conditions': [CONDITION | changes]})
    assert answer.status_code == 400
    assert says in answer.json()['error']['message']


def test_node_not_found_hook_finds_a_node(scene: Scene) -> None:
    node = scene.node('found')
    assert node['properties']['rack'] == '08'
    # It was not to be managed.
    assert node['power_state'] == 'power on'


def test_node_not_found_hook_creates_a_node(scene: Scene) -> None:
    node = scene.node('created')
    assert (node['driver'], node['provision_state']) == ('fake-hardware', 'enroll')
    assert node['extra'] == {'serial': 'CREATED'}
    assert node['power_state'] == 'power off'
    assert [port['address'] for port in scene.ironic.ports(node['uuid'])] == [CREATED]
    data = scene.service.get(f'/v1/introspection/{node["uuid"]}/data').json()
    assert data['auto_discovered'] is True


def test_node_not_found_hook_without_a_node(scene: Scene) -> None:
    before = scene.ironic.nodes()
    answer = scene.call_back(LATER, 'r01-u01', serial='')
    assert answer.status_code == 400
    assert 'hook' in answer.json()['error']['message']
    assert scene.ironic.nodes() == before


def test_store(scene: Scene) -> None:
    uuid = scene.node('in-range')['uuid']
    for kind, name, rack in (('', f'{uuid}.json', '07'), ('/unprocessed', f'{uuid}-unprocessed.json', None)):
        answer = scene.service.get(f'/v1/introspection/{uuid}/data{kind}')
        assert answer.status_code == 200
        assert answer.json() == json.loads((scene.data_folder / name).read_text())
        assert answer.json().get('rack') == rack


def test_store_without_data(scene: Scene) -> None:
    uuid = scene.node('bystander')['uuid']
    answer = scene.service.get(f'/v1/introspection/{uuid}/data')
    assert answer.status_code == 404
    assert answer.json()['error']['message'] == f'There are no data of node {uuid}'


def test_reapplying_what_the_store_has(scene: Scene) -> None:
    node = scene.node('out-of-range')
    scene.ironic.update_node(node['uuid'], properties={})
    assert scene.service.post(f'/v1/introspection/{node["uuid"]}/data/unprocessed').status_code == 202
    scene.finished('out-of-range')
    assert scene.node('out-of-range')['properties']['rack'] == '12'


def test_filter_follows_an_introspection(scene: Scene) -> None:
    known = {port['address'] for port in scene.ironic.ports()}
    scene.start('in-range')
    assert scene.denied() == sorted(known - {IN_RANGE})
    assert scene.call_back(IN_RANGE, 'r07-u12').ok
    scene.finished('in-range')
    scene.wait_denied(*known)


def test_filter_follows_ironic_by_itself(scene: Scene) -> None:
    known = {port['address'] for port in scene.ironic.ports()}
    node = scene.ironic.add_node(name='later')
    scene.ironic.add_port(node['uuid'], LATER)
    scene.wait_denied(LATER, *known)
    scene.ironic.delete_node(node['uuid'])
    scene.wait_denied(*known)


def test_outcome_in_ironic_is_the_same(scenes: Callable[[str], Scene]) -> None:
    ours, reference = (_in_ironic(scenes(name).ironic) for name in (OURS, REFERENCE))
    # There, hooks wrote to Ironic one by one: what those before the one that fails wrote is left.
    assert (ours['failing'].pop('properties'), bool(reference['failing'].pop('properties'))) == ({}, True)
    assert ours == reference


def _in_ironic(ironic: InMemoryIronic) -> dict[str, Any]:
    """Return everything that Ironic knows, but for what differs from one run to another."""
    return {
        node['name'] or 'created': _steady(node) | {'ports': [_steady(port) for port in ironic.ports(node['uuid'])]}
        for node in ironic.nodes()
    }


def _steady(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if not name.endswith(('uuid', '_at'))}
