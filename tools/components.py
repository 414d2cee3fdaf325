"""The real components around the service, each on a free port of loopback, its files in a folder given by the caller.

Each class is a context manager: the component serves when the block is entered, and is gone when it is left.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import ExitStack
import functools
import getpass
import grp
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
    """A real Ironic in one process, with SQLite: fake-hardware and redfish nodes.

    Everybody may do everything, or with `keystone` whoever has a token of it that permits it.
    """

    environment = 'ironic'
    # Nothing of it is kept, and its orderly end takes many seconds.
    grace = 0.5

    def __init__(self, folder: Path, *, keystone: 'Keystone | None' = None) -> None:
        """See _Server."""
        super().__init__(folder)
        self._keystone = keystone

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
                'auth_strategy': 'keystone' if self._keystone else 'noauth',
                # Services with the role `service` see all nodes, as administrators do.
                'rbac_service_role_elevated_access': True,
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
            'keystone_authtoken': self._keystone.options('admin', 'admin') if self._keystone else {},
        }

    def connect(self) -> Connection:
        """An openstacksdk connection to it, of an administrator."""
        if self._keystone:
            return Connection(auth=self._keystone.access('admin', None), baremetal_endpoint_override=self.url)
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


class Swift(_Server):
    """A real Swift on one disk, a folder: four servers, one replica, no server that works by itself.

    Everybody may do everything; with `tempauth` whoever has the password, which takes Debian's memcached; with
    `keystone` whoever has the role service in a project, each in an account of its own.
    """

    environment = 'swift'
    # Nothing of it is kept.
    grace = 0.5
    backends: ClassVar[Sequence[str]] = ('account', 'container', 'object')

    def __init__(self, folder: Path, *, tempauth: bool = False, keystone: 'Keystone | None' = None) -> None:
        super().__init__(folder)
        self.storage_url = f'{self.url}/v1/AUTH_service'
        self._tempauth = tempauth
        self._keystone = keystone
        self._ports = {name: processes.reserve_port() for name in (*self.backends, 'memcached')}

    def options(self) -> dict[str, object]:
        """What the service needs in [swift]."""
        if not self._tempauth:
            return {'auth_type': 'none', 'endpoint_override': self.storage_url}
        auth_url = f'{self.url}/auth/v1.0'
        return {'auth_type': 'v1password', 'auth_url': auth_url, 'username': 'service:inspector', 'password': 'secret'}

    def prepare(self) -> None:
        """Make its disk, its rings and the configuration of its servers."""
        if self._tempauth:
            debian.require_tools(debian.SWIFT_TOOLS)
        (self.folder / 'disks' / 'disk').mkdir(parents=True, exist_ok=True)
        policy = {'name': 'single', 'default': True}
        write_options(
            self.folder / 'swift.conf',
            {'swift-hash': {'swift_hash_path_suffix': 'suffix'}, 'storage-policy:0': policy},
        )
        for name in self.backends:
            self._make_ring(name)
            self._configure(name, self._ports[name], f'healthcheck {name}-server')
        auth = 'memcache tempauth' if self._tempauth else 'authtoken keystoneauth' if self._keystone else ''
        self._configure(
            'proxy', self.port, f'catch_errors healthcheck listing_formats {auth} copy slo dlo proxy-server'
        )

    def _make_ring(self, name: str) -> None:
        builder = [self.program('swift-ring-builder'), self.folder / f'{name}.builder']
        device = f'r1z1-127.0.0.1:{self._ports[name]}/disk'
        for step in (['create', '2', '1', '0'], ['add', device, '1'], ['rebalance']):
            processes.run('swift-ring-builder', [*builder, *step], self.folder, timeout=_START_TIMEOUT)

    def _configure(self, name: str, port: int, pipeline: str) -> None:
        filters: dict[str, dict[str, object]] = {part: {'use': f'egg:swift#{part}'} for part in pipeline.split()[:-1]}
        if 'tempauth' in filters:
            filters['memcache']['memcache_servers'] = f'127.0.0.1:{self._ports["memcached"]}'
            filters['tempauth']['user_service_inspector'] = 'secret .admin'
        if self._keystone and 'authtoken' in filters:
            asker = {**self._keystone.options('admin', 'admin'), 'delay_auth_decision': True}
            filters['authtoken'] = {'paste.filter_factory': 'keystonemiddleware.auth_token:filter_factory', **asker}
            filters['keystoneauth']['operator_roles'] = 'service'
        options: Options = {
            'DEFAULT': {
                'bind_ip': '127.0.0.1',
                'bind_port': port,
                # In the foreground, in one process.
                'workers': 0,
                'user': getpass.getuser(),
                'swift_dir': self.folder,
                'devices': self.folder / 'disks',
                'mount_check': False,
            },
            'pipeline:main': {'pipeline': pipeline},
            **{f'filter:{part}': values for part, values in filters.items()},
            f'app:{name}-server': {'use': f'egg:swift#{name}', 'account_autocreate': True},
        }
        write_options(self.folder / f'{name}-server.conf', options)

    def command(self) -> Sequence[str | Path]:
        return self._server('proxy')

    def _server(self, name: str) -> Sequence[str | Path]:
        return [self.program(f'swift-{name}-server'), self.folder / f'{name}-server.conf', '--verbose']

    def ready_url(self) -> str:
        return f'{self.url}/healthcheck'

    def start(self) -> None:
        """Start the servers (again, with what they keep) and wait until they serve."""
        if self._tempauth:
            listen = ['-l', '127.0.0.1', '-p', self._ports['memcached'], '-u', getpass.getuser()]
            memcached = processes.Process('memcached', ['memcached', *listen], self.folder, grace=self.grace)
            self._running.callback(memcached.stop)
        backends = {}
        for name in self.backends:
            backends[name] = processes.Process(name, self._server(name), self.folder, grace=self.grace)
            self._running.callback(backends[name].stop)
        super().start()
        for name, process in backends.items():
            url = f'http://127.0.0.1:{self._ports[name]}/healthcheck'
            process.wait_ready(functools.partial(processes.answers, url), _START_TIMEOUT)


class Keystone(_Server):
    """A real Keystone with SQLite. Its administrator is `admin` of the project `admin`; all passwords are the same."""

    environment = 'keystone'
    # Nothing of it is kept.
    grace = 0.5
    region = 'RegionOne'
    password = 'secret'
    _serve: ClassVar[str] = """
import os, sys
os.environ['OS_KEYSTONE_CONFIG_FILES'], port = sys.argv[1:]
sys.argv = ['keystone']
from cheroot import wsgi
from keystone.wsgi.api import application
wsgi.Server(('127.0.0.1', int(port)), application).safe_start()
"""

    def __init__(self, folder: Path) -> None:
        """See _Server."""
        super().__init__(folder)
        self.url += '/v3'
        self._config = self.folder / 'keystone.conf'

    def prepare(self) -> None:
        """Make its database, its keys and the administrator."""
        self.configure()
        manage = [self.program('keystone-manage'), '--config-file', self._config]
        owner = ['--keystone-user', getpass.getuser(), '--keystone-group', grp.getgrgid(os.getegid()).gr_name]
        urls = [part for kind in ('admin', 'internal', 'public') for part in (f'--bootstrap-{kind}-url', self.url)]
        bootstrap = ['bootstrap', '--bootstrap-password', self.password, '--bootstrap-region-id', self.region, *urls]
        for step in (['db_sync'], ['fernet_setup', *owner], ['credential_setup', *owner], bootstrap):
            processes.run('keystone-manage', [*manage, *step], self.folder, timeout=_START_TIMEOUT)

    def configure(self, *, lifetime: int = 3600) -> None:
        """Write its configuration, with the seconds that its tokens are valid; it counts from the next start on."""
        keys = {'key_repository': self.folder / 'keys'}
        for folder in ('keys', 'credential-keys'):
            (self.folder / folder).mkdir(exist_ok=True)
        write_options(
            self._config,
            {
                'database': {'connection': f'sqlite:///{self.folder / "keystone.sqlite"}'},
                'fernet_tokens': keys,
                'fernet_receipts': keys,
                'credential': {'key_repository': self.folder / 'credential-keys'},
                'token': {'expiration': lifetime},
            },
        )

    def command(self) -> Sequence[str | Path]:
        return [self.program('python'), '-c', self._serve, self._config, str(self.port)]

    def ready_url(self) -> str:
        return self.url

    def access(self, user: str, project: str | None) -> dict[str, str]:
        """What keystoneauth needs to log in a user: to a project, or with None to the whole system."""
        scope = {'project_name': project, 'project_domain_id': 'default'} if project else {'system_scope': 'all'}
        return {
            'auth_url': self.url,
            'username': user,
            'password': self.password,
            'user_domain_id': 'default',
            **scope,
        }

    def options(self, user: str, project: str) -> dict[str, object]:
        """What the service needs in a group of its configuration to log in a user."""
        return {'auth_type': 'password', **self.access(user, project)}

    def connect(self) -> Connection:
        """An openstacksdk connection of its administrator."""
        return Connection(auth=self.access('admin', 'admin'), region_name=self.region, identity_interface='public')

    def add_user(self, user: str, role: str, project: str | None) -> None:
        """Give a new user a role in a project, or with None in the whole system; role and project may be new."""
        with self.connect() as connection:
            identity = connection.identity
            made = identity.create_user(name=user, password=self.password, domain_id='default')
            given = identity.find_role(role) or identity.create_role(name=role)
            if project is None:
                identity.assign_system_role_to_user(made, given, 'all')
                return
            place = identity.find_project(project) or identity.create_project(name=project, domain_id='default')
            identity.assign_project_role_to_user(place, made, given)

    def add_endpoint(self, service_type: str, url: str) -> None:
        """Enter the address of a service into the catalog."""
        with self.connect() as connection:
            service = connection.identity.create_service(name=service_type, type=service_type)
            for interface in ('internal', 'public'):
                connection.identity.create_endpoint(
                    service_id=service.id, interface=interface, url=url, region_id=self.region
                )


class Inspector(_Server):
    """This project's service: API and conductor in one process, SQLite, no authentication, no PXE filter."""

    environment: ClassVar[str | None] = None

    def __init__(self, folder: Path, ironic_url: str | None, options: Options | None = None) -> None:
        """`options` {group: {option: value}} add to, and win over, what an introspection on loopback needs.

        Without the address of Ironic they have to say how it is found.
        """
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
            'ironic': {'auth_type': 'none', 'endpoint_override': ironic_url} if ironic_url else {},
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
