"""Real components, each started once for the tests of one worker, and nodes that last for one test."""

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
import secrets
import tempfile
from typing import Any

from openstack.connection import Connection
import pytest
import requests

from ironic_inspector.fixtures import inventories
from tests.e2e import waiting
from tools import components
from tools import debian
from tools import environments
from tools import processes

Enrol = Callable[..., Any]
Run = Callable[..., str]


@pytest.fixture(scope='session')
def ironic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[components.Ironic]:
    """A real Ironic."""
    with components.Ironic(tmp_path_factory.mktemp('ironic')) as running:
        yield running


@pytest.fixture(scope='session')
def ironic_api(ironic: components.Ironic) -> Iterator[Connection]:
    """An openstacksdk connection to Ironic."""
    with ironic.connect() as connection:
        yield connection


@pytest.fixture(scope='session')
def bmc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[components.SushyEmulator]:
    """A Redfish BMC."""
    with components.SushyEmulator(tmp_path_factory.mktemp('sushy')) as running:
        yield running


@pytest.fixture(scope='session')
def inspector(tmp_path_factory: pytest.TempPathFactory, ironic: components.Ironic) -> Iterator[components.Inspector]:
    """The service; it keeps all interfaces, since nothing here boots by PXE."""
    options = {'processing': {'add_ports': 'all', 'keep_ports': 'all'}}
    with components.Inspector(tmp_path_factory.mktemp('inspector'), ironic.url, options) as running:
        yield running


@pytest.fixture(scope='session')
def inspector_api(inspector: components.Inspector) -> Iterator[Connection]:
    """An openstacksdk connection to the service."""
    with inspector.connect() as connection:
        yield connection


@pytest.fixture
def enrol(ironic: components.Ironic, ironic_api: Connection) -> Iterator[Enrol]:
    """Ironic.enrol, for nodes that are deleted after the test."""
    with ExitStack() as undo:

        def enrol_node(name: str, macs: list[str], **attributes: Any) -> Any:
            node = ironic.enrol(name, macs, **attributes)
            undo.callback(ironic_api.baremetal.delete_node, node.id)
            return node

        yield enrol_node


@pytest.fixture
def mac() -> str:
    """A MAC that no other node has."""
    return '52:54:00:' + secrets.token_bytes(3).hex(':')


@pytest.fixture
def node(enrol: Enrol, mac: str) -> Any:
    """A node of Ironic's fake hardware, with a port of that MAC."""
    return enrol(f'node-{secrets.token_hex(4)}', [mac])


@pytest.fixture(scope='session')
def machine_macs() -> list[str]:
    """The MACs of this machine that the real ramdisk code reports; skips where it can't run."""
    try:
        debian.require_tools(debian.COMPONENT_TOOLS)
    except debian.MissingToolsError as error:
        pytest.skip(str(error))
    macs = components.machine_macs()
    if not macs:
        pytest.skip('this machine has no network interface with hardware behind it')
    return macs


@pytest.fixture
def machine(enrol: Enrol, machine_macs: list[str]) -> Any:
    """This machine, as a node in Ironic."""
    return enrol('this-machine', machine_macs)


class Http:
    """The service over plain HTTP, as the ramdisk and curl see it."""

    def __init__(self, url: str) -> None:
        self._url = url

    def request(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """A request to the service; `arguments` are those of requests."""
        return requests.request(method, f'{self._url}{path}', timeout=60, **arguments)

    def get(self, path: str, **arguments: Any) -> requests.Response:
        """A GET request."""
        return self.request('GET', path, **arguments)

    def post(self, path: str, **arguments: Any) -> requests.Response:
        """A POST request."""
        return self.request('POST', path, **arguments)

    def start(self, node: str) -> dict[str, Any]:
        """Start an introspection and return the status with which it waits for its ramdisk."""
        answer = self.post(f'/v1/introspection/{node}')
        assert (answer.status_code, answer.json()) == (202, {})
        return self.reach(node, 'waiting')

    def call_back(self, mac: str) -> requests.Response:
        """Send what a server's ramdisk would: a server that has booted from the interface with this MAC."""
        return self.post('/v1/continue', json=inventories.ramdisk_data(mac, bmc_address=None))

    def introspect(self, node: str, mac: str) -> dict[str, Any]:
        """Take a node through a whole introspection and return its last status."""
        self.start(node)
        answer = self.call_back(mac)
        assert answer.status_code == 200, answer.text
        return self.reach(node, 'finished')

    def reach(self, node: str, state: str) -> dict[str, Any]:
        """Wait until the node's introspection is in a state, and return its status."""
        ends = {state, 'error', 'finished'}
        status: dict[str, Any] = waiting.until(
            lambda: self.get(f'/v1/introspection/{node}').json(), lambda now: now['state'] in ends
        )
        assert status['state'] == state, status
        return status


@pytest.fixture
def http(inspector: components.Inspector) -> Http:
    """The service over plain HTTP."""
    return Http(inspector.url)


@pytest.fixture
def collect(inspector: components.Inspector, machine_macs: list[str], tmp_path: Path) -> Callable[[], Path]:
    """Let the real ramdisk code post this machine's hardware to the service."""
    return lambda: components.collect_introspection_data(inspector.callback_url, tmp_path)


@pytest.fixture
def run(inspector: components.Inspector, tmp_path: Path) -> Run:
    """Run `openstack baremetal introspection ...`; returns what it prints, ProcessError when it fails."""
    environments.ensure(['clients'])
    openstack = environments.Environment('clients').program('openstack')
    access = {'OS_AUTH_TYPE': 'none', 'OS_ENDPOINT': inspector.url}

    def run_command(*words: object) -> str:
        # The same command may run twice.
        folder = Path(tempfile.mkdtemp(prefix='command-', dir=tmp_path))
        command = [openstack, 'baremetal', 'introspection', *words]
        return processes.run('openstack', command, folder, environ=access, timeout=120).read_text()

    return run_command
