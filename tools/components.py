"""The real components around the service, each on a free port of loopback, its files in a folder given by the caller.

Each class is a context manager: the component serves when the block is entered, and is gone when it is left.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import ExitStack
import os
from pathlib import Path
import re
import sys
from types import TracebackType
from typing import Any
from typing import ClassVar
from typing import TypeVar

from keystoneauth1 import noauth
from keystoneauth1 import session
from openstack.connection import Connection

from tools import debian
from tools import environments
from tools import processes

Options = Mapping[str, Mapping[str, object]]
_Self = TypeVar('_Self', bound='_Server')

_START_TIMEOUT = 90
_ETHERNET = re.compile('([0-9a-f]{2}:){5}[0-9a-f]{2}')


def write_options(path: Path, options: Options) -> Path:
    """Write a configuration file from {group: {option: value}}; booleans become true and false."""
    lines = []
    for group, values in options.items():
        lines.append(f'[{group}]')
        for name, value in values.items():
            lines.append(f'{name} = {str(value).lower() if isinstance(value, bool) else value}')
    path.write_text('\n'.join(lines) + '\n')
    return path


def merge_options(*parts: Options) -> dict[str, dict[str, object]]:
    """One set of options out of several; the later part wins."""
    merged: dict[str, dict[str, object]] = {}
    for part in parts:
        for group, values in part.items():
            merged.setdefault(group, {}).update(values)
    return merged


def connect(*, ironic: str | None = None, inspector: str | None = None) -> Connection:
    """An openstacksdk connection, without authentication, to these endpoints."""
    endpoints: dict[str, Any] = {}
    if ironic:
        endpoints['baremetal_endpoint_override'] = ironic
    if inspector:
        endpoints['baremetal_introspection_endpoint_override'] = inspector
    return Connection(session=session.Session(auth=noauth.NoAuth()), **endpoints)


class _Server:
    """A component that serves HTTP: prepare() makes its files, then `command` runs until the block ends."""

    # The environment it is installed in; None: the one that this interpreter runs in.
    environment: ClassVar[str | None]
    grace: ClassVar[float] = 10

    def __init__(self, folder: Path) -> None:
        """`folder` gets the component's files; it is made if it isn't there."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = processes.reserve_port()
        self.url = f'http://127.0.0.1:{self.port}'
        self._running = ExitStack()

    def __enter__(self: _Self) -> _Self:
        if self.environment:
            environments.ensure([self.environment])
        self.prepare()
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def prepare(self) -> None:
        """Make what the component needs before it starts."""
        raise NotImplementedError

    def command(self) -> Sequence[str | Path]:
        """What to run."""
        raise NotImplementedError

    def ready_url(self) -> str:
        """The URL that answers when the component serves."""
        return self.url

    def program(self, name: str) -> Path:
        """A program of the component's environment."""
        if self.environment:
            return environments.Environment(self.environment).program(name)
        return Path(sys.executable).with_name(name)

    def start(self) -> None:
        """Start it (again, with the same files and port) and wait until it serves."""
        process = processes.Process(type(self).__name__.lower(), self.command(), self.folder, grace=self.grace)
        self._running.callback(process.stop)
        process.wait_ready(lambda: processes.answers(self.ready_url()), _START_TIMEOUT)

    def stop(self) -> None:
        """End it, as SIGTERM does."""
        self._running.close()


class Ironic(_Server):
    """A real Ironic in one process, with SQLite, without authentication: fake-hardware and redfish nodes."""

    environment = 'ironic'
    # Nothing of it is kept, and its orderly end takes many seconds.
    grace = 0.5

    def prepare(self) -> None:
        """Write its configuration and make its database."""
        self.config = write_options(self.folder / 'ironic.conf', self._options())
        create_schema = [self.program('ironic-dbsync'), '--config-file', self.config, 'create_schema']
        processes.run('ironic-dbsync', create_schema, self.folder, timeout=_START_TIMEOUT)

    def command(self) -> Sequence[str | Path]:
        return [self.program('ironic'), '--config-file', self.config]

    def _options(self) -> Options:
        enabled = {
            'hardware_types': 'fake-hardware,redfish',
            'bios_interfaces': 'fake,no-bios',
            'boot_interfaces': 'fake,pxe,redfish-virtual-media',
            'console_interfaces': 'fake,no-console',
            'deploy_interfaces': 'fake,direct',
            'firmware_interfaces': 'fake,no-firmware',
            'inspect_interfaces': 'no-inspect,fake,agent',
            'management_interfaces': 'fake,redfish,noop',
            'network_interfaces': 'noop',
            'power_interfaces': 'fake,redfish',
            'raid_interfaces': 'fake,no-raid',
            'rescue_interfaces': 'fake,no-rescue',
            'storage_interfaces': 'noop',
            'vendor_interfaces': 'fake,no-vendor',
        }
        return {
            'DEFAULT': {
                'auth_strategy': 'noauth',
                'rpc_transport': 'none',
                'host': 'localhost',
                'default_network_interface': 'noop',
                'state_path': self.folder,
            }
            | {f'enabled_{name}': value for name, value in enabled.items()},
            'api': {'host_ip': '127.0.0.1', 'port': self.port},
            'conductor': {'automated_clean': False, 'sync_power_state_interval': -1},
            'database': {'connection': f'sqlite:///{self.folder / "ironic.sqlite"}'},
            'dhcp': {'dhcp_provider': 'none'},
            # By default these are folders of the system.
            'agent': {'certificates_path': self.folder / 'certificates'},
            'deploy': {'http_root': self.folder / 'http', 'iso_master_path': self.folder / 'iso'},
            'pxe': {
                'images_path': self.folder / 'images',
                'instance_master_path': self.folder / 'master-images',
                'tftp_master_path': self.folder / 'tftp' / 'master-images',
                'tftp_root': self.folder / 'tftp',
            },
            # A BMC here answers at once or never.
            'redfish': {'connection_attempts': 1},
        }

    def connect(self) -> Connection:
        """An openstacksdk connection to it."""
        return connect(ironic=self.url)

    def enrol(self, name: str, macs: Sequence[str], *, manage: bool = True, **attributes: Any) -> Any:
        """Create a node with a port for each MAC; returns openstacksdk's Node.

        `attributes` are the node's, as openstacksdk names them; the driver is fake-hardware unless given. The node ends
        up in the provision state manageable, or without `manage` in enroll.
        """
        with self.connect() as connection:
            baremetal = connection.baremetal
            node = baremetal.create_node(**{'name': name, 'driver': 'fake-hardware', **attributes})
            for mac in macs:
                baremetal.create_port(node_id=node.id, address=mac)
            if manage:
                baremetal.set_node_provision_state(node, 'manage', wait=True, timeout=60)
            return baremetal.get_node(node.id)


class SushyEmulator(_Server):
    """A Redfish BMC with one system; its power takes up to 11 seconds to change."""

    environment = 'sushy'
    system = '/redfish/v1/Systems/27946b59-9e44-4fa7-8e91-f3527a1ef094'
    mac = '00:5c:52:31:3a:9c'

    def prepare(self) -> None:
        """Write its configuration: without, all emulators of the machine share their state."""
        self.config = self.folder / 'sushy-emulator.conf'
        self.config.write_text(f'SUSHY_EMULATOR_STATE_DIR = {str(self.folder)!r}\n')

    def command(self) -> Sequence[str | Path]:
        listen = ['-i', '127.0.0.1', '-p', str(self.port)]
        return [self.program('sushy-emulator'), '--config', self.config, '--fake', *listen]

    def ready_url(self) -> str:
        return f'{self.url}/redfish/v1/'

    def node_attributes(self) -> dict[str, Any]:
        """What Ironic.enrol needs for a node with this BMC."""
        without = ('bios', 'firmware', 'inspect', 'raid', 'vendor')
        return {
            'driver': 'redfish',
            'driver_info': {
                'redfish_address': self.url,
                'redfish_system_id': self.system,
                'redfish_verify_ca': False,
            },
            'boot_interface': 'pxe',
            'deploy_interface': 'direct',
            'management_interface': 'redfish',
            'power_interface': 'redfish',
        } | {f'{kind}_interface': f'no-{kind}' for kind in without}


class Inspector(_Server):
    """This project's service: API and conductor in one process, SQLite, no authentication, no PXE filter."""

    environment: ClassVar[str | None] = None

    def __init__(self, folder: Path, ironic_url: str, options: Options | None = None) -> None:
        """`options` {group: {option: value}} add to, and win over, what an introspection on loopback needs."""
        super().__init__(folder)
        database = self.folder / 'inspector.sqlite'
        needed: Options = {
            'DEFAULT': {
                'auth_strategy': 'noauth',
                'listen_address': '127.0.0.1',
                'listen_port': self.port,
                'transport_url': 'fake://',
                'introspection_delay': 0,
            },
            'database': {'connection': f'sqlite:///{database}'},
            'ironic': {'auth_type': 'none', 'endpoint_override': ironic_url},
            'processing': {'store_data': 'database'},
            'pxe_filter': {'driver': 'noop'},
        }
        self.config = write_options(self.folder / 'ironic-inspector.conf', merge_options(needed, options or {}))

    @property
    def callback_url(self) -> str:
        """Where a ramdisk posts its data."""
        return f'{self.url}/v1/continue'

    def prepare(self) -> None:
        """Make its database, or bring it up to date."""
        upgrade = [self.program('ironic-inspector-dbsync'), '--config-file', self.config, 'upgrade']
        processes.run('ironic-inspector-dbsync', upgrade, self.folder, timeout=_START_TIMEOUT)

    def command(self) -> Sequence[str | Path]:
        return [self.program('ironic-inspector'), '--config-file', self.config]

    def ready_url(self) -> str:
        return f'{self.url}/v1'

    def connect(self) -> Connection:
        """An openstacksdk connection to it."""
        return connect(inspector=self.url)


class ReferenceInspector(Inspector):
    """ironic-inspector 12.5.0, the service this one succeeds, run with the same options."""

    environment = 'reference'


def ipa_collectors() -> str:
    """What ironic-python-agent can collect as this user, by the names of its collectors."""
    return 'default,logs,pci-devices' if os.geteuid() == 0 else 'default,pci-devices'


def collect_introspection_data(callback_url: str, folder: Path, *, timeout: float = 120) -> Path:
    """Let the real ironic-python-agent collect this machine's hardware and post it; returns the file with its log.

    MissingToolsError without the programs it runs; ProcessError, with the end of its log, when it fails or the
    service refuses the data.
    """
    debian.require_tools(debian.COMPONENT_TOOLS)
    ipa = environments.Environment('ipa')
    environments.ensure([ipa.name])
    command = [
        ipa.program('ironic-collect-introspection-data'),
        '--inspection_callback_url',
        callback_url,
        '--inspection_collectors',
        ipa_collectors(),
    ]
    return processes.run('ironic-python-agent', command, folder, environ=debian.tools_path(), timeout=timeout)


def machine_macs() -> list[str]:
    """The MACs of this machine's network interfaces, as far as ironic-python-agent reports them and Ironic takes them.

    Sorted; empty where no interface has hardware behind it, as in most containers.
    """
    addresses = set()
    for interface in Path('/sys/class/net').iterdir():
        # Bridges, tunnels and the loopback device have no hardware behind them.
        if (interface / 'device').exists():
            addresses.add((interface / 'address').read_text().strip().lower())
    return sorted(address for address in addresses if _ETHERNET.fullmatch(address) and address.strip('0:'))
