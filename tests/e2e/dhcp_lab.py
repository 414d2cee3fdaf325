"""A provisioning network with a real DHCP server and real clients, and the service beside the server.

The server and the service live in one network namespace, the clients in another; veth pairs and a bridge are the
network between them. Another pair leads to the in-memory Ironic, which stays where the tests run.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from concurrent import futures
import contextlib
import ipaddress
import itertools
import json
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import sys
from typing import Any

import pytest

from ironic_inspector.fixtures.ironic import InMemoryIronic
from tests.e2e import network
from tests.functional.lab import Lab
from tests.functional.lab import Machine
from tests.service import InspectorProcess
from tests.service import until
from tools import debian

ROOT = pathlib.Path(__file__).parents[2]
INTERFACE = 'br0'
NOBODY = 65534
"""The user who is not root."""
PERIOD = 1
"""Seconds between two synchronisations."""
_ENVIRON = os.environ | debian.tools_path()


def require() -> None:
    """Skip the test, saying why, where there can be no such network."""
    try:
        debian.require_tools(debian.DHCP_TOOLS)
    except debian.MissingToolsError as error:
        pytest.skip(str(error))
    if os.geteuid() != 0:
        pytest.skip('only root can make networks')
    command = ['unshare', '--net', 'sh', '-ec', 'ip link add v0 type veth peer name v1; ip link add br0 type bridge']
    probe = subprocess.run(command, env=_ENVIRON, capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f'no network namespace with interfaces can be made here: {probe.stderr.strip()}')


class Namespace:
    """A network namespace, gone when the tests are, however they end."""

    def __init__(self) -> None:
        # It ends with its input, which ends with us.
        command = ['unshare', '--net', 'sh', '-c', f'{network.ENABLE_IPV6}; echo; cat']
        self._holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_ENVIRON)
        assert self._holder.stdout is not None
        self._holder.stdout.readline()
        self.pid = self._holder.pid
        self.run('ip link set lo up')

    @property
    def prefix(self) -> list[str]:
        """What runs a command inside."""
        return ['nsenter', f'--net=/proc/{self.pid}/ns/net', '--']

    def run(self, command: str, **kwargs: Any) -> str:
        """Run a command line inside and return its output; fails if it does."""
        done = self.try_to(command, **kwargs)
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout

    def try_to(self, command: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:
        """Run a command line inside."""
        words = [*self.prefix, *command.split()]
        return subprocess.run(words, env=_ENVIRON, capture_output=True, text=True, check=False, timeout=60, **kwargs)

    def start(self, *command: str, **kwargs: Any) -> subprocess.Popen[Any]:
        """Start a program inside."""
        return subprocess.Popen([*self.prefix, *command], env=_ENVIRON, **kwargs)

    def close(self) -> None:
        """Let it go."""
        assert self._holder.stdout is not None
        self._holder.stdout.close()
        assert self._holder.stdin is not None
        self._holder.stdin.close()
        self._holder.wait(30)


class DhcpServer:
    """A real dnsmasq, for IPv4 and IPv6."""

    def __init__(self, namespace: Namespace, folder: pathlib.Path) -> None:
        """Serve the bridge in `namespace`; files, the watched folder among them, are in `folder`."""
        self.hostsdir = folder / 'hostsdir'
        self.hostsdir.mkdir()
        self._namespace = namespace
        self._log = folder / 'dnsmasq.log'
        self._config = folder / 'dnsmasq.conf'
        self._config.write_text(
            'port=0\nbind-interfaces\nno-ping\nlog-dhcp\nuser=root\n'
            f'interface={INTERFACE}\n'
            'dhcp-range=10.77.0.100,10.77.3.250,255.255.252.0,2m\n'
            'dhcp-range=2001:db8:77::100,2001:db8:77::fff,64,2m\n'
            f'dhcp-hostsdir={self.hostsdir}\n'
            f'dhcp-leasefile={folder}/leases\n'
            f'pid-file={folder}/dnsmasq.pid\n'
            f'log-facility={self._log}\n'
        )
        self._process: subprocess.Popen[Any] | None = None

    def start(self) -> None:
        """Start it, and return when it serves."""
        seen = len(self.log())
        self._process = self._namespace.start('dnsmasq', '-k', f'--conf-file={self._config}')
        until(lambda: 'DHCP, sockets bound' in self.log()[seen:] or 'DHCPv6' in self.log()[seen:])

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)

    def log(self) -> str:
        """Return what it has logged."""
        return self._log.read_text() if self._log.exists() else ''


class DhcpLab(Lab):
    """The service, its Ironic, a DHCP server, and machines that ask it for addresses."""

    def __init__(
        self, ironic: InMemoryIronic, inspector: InspectorProcess, server: Namespace, dhcp: DhcpServer
    ) -> None:
        super().__init__(ironic, inspector)
        self.server = server
        self.dhcp = dhcp
        self._clients = Namespace()
        self._interfaces: dict[str, str] = {}
        self._links = itertools.count()

    def interface(self, mac: str) -> str:
        """Return the interface of the machine with a MAC; it is plugged in when first asked for."""
        if mac not in self._interfaces:
            number = next(self._links)
            name, peer = f'nic{number}', f'port{number}'
            self.server.run(f'ip link add {peer} type veth peer name {name} address {mac} netns {self._clients.pid}')
            self.server.run(f'ip link set {peer} master {INTERFACE} up')
            self._clients.run(f'ip link set {name} up')
            self._interfaces[mac] = name
        return self._interfaces[mac]

    def gets_lease(self, mac: str, *, expected: bool = False) -> bool:
        """Tell whether a real client with this MAC gets an address; where that is expected, it tries for long."""
        # Whoever is served is answered at once, unless the machine that runs the tests is busy.
        attempts = 30 if expected else 2
        command = f'busybox udhcpc -i {self.interface(mac)} -f -n -q -t {attempts} -T 1 -s /bin/true'
        return self._clients.try_to(command, stdin=subprocess.DEVNULL).returncode == 0

    def gets_ipv6_lease(self, mac: str, *, expected: bool = False) -> bool:
        """Tell whether a real client with this MAC gets an IPv6 address; where that is expected, it tries for long."""
        interface, folder = self.interface(mac), self.inspector.folder
        until(lambda: ' tentative' not in self._clients.run(f'ip -6 address show dev {interface}'))
        # Two seconds are usual.
        timeout = 30 if expected else 3
        config = folder / f'{interface}.conf'
        config.write_text(f'timeout {timeout};\n')
        leases = folder / f'{interface}.leases'
        command = f'dhclient -6 -1 -v -sf /bin/true -cf {config} -lf {leases} -pf {folder}/{interface}.pid {interface}'
        process = self._clients.start(*command.split(), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout + 1)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        found = leases.exists() and 'iaaddr' in leases.read_text()
        leases.unlink(missing_ok=True)
        _end(folder / f'{interface}.pid')
        return found

    def served(self, *machines: Machine) -> list[bool]:
        """Tell which of these machines get an address; on a busy machine, one that is served may not get it."""
        return self._each(self.gets_lease, dict.fromkeys(machines, False))

    def check_served(self, expected: Mapping[Machine, bool]) -> None:
        """Fail unless those machines get an address that are expected to, and no others."""
        found = self._each(self.gets_lease, expected)
        assert found == list(expected.values()), (found, expected)

    def check_served_over_ipv6(self, expected: Mapping[Machine, bool]) -> None:
        """The same for IPv6."""
        found = self._each(self.gets_ipv6_lease, expected)
        assert found == list(expected.values()), (found, expected)

    @contextlib.contextmanager
    def asking(self, *macs: str) -> Iterator[Callable[[], dict[str, Any]]]:
        """Let somebody ask for addresses for these MACs without a pause; yields what ends that and tells the result."""
        interface = self.interface(macs[0])
        process = self._clients.start(
            sys.executable,
            '-m',
            'tests.e2e.dhcp_asker',
            interface,
            *macs,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stdout is not None
            assert process.stdout.readline() == 'ready\n'

            def result() -> dict[str, Any]:
                output = process.communicate(timeout=30)[0]
                found: dict[str, Any] = json.loads(output)
                return found

            try:
                yield result
            finally:
                if process.poll() is None:
                    process.communicate(timeout=30)

    def synchronised(self) -> None:
        """Wait until a synchronisation that has begun from now on has ended."""
        since = self.ironic.mark()
        # Each begins when the one before has ended. The first may have begun before, and the second has only asked.
        until(lambda: self.ironic.count('GET', '^/v1/ports$', since=since) >= 3)

    def close(self) -> None:
        """Let the clients go."""
        self._clients.close()

    def _each(self, gets: Callable[..., bool], expected: Mapping[Machine, bool]) -> list[bool]:
        for machine in expected:
            self.interface(machine.mac)
        with futures.ThreadPoolExecutor(len(expected)) as pool:
            return list(pool.map(lambda machine: gets(machine.mac, expected=expected[machine]), expected))


@contextlib.contextmanager
def running_dhcp_lab(
    folder: pathlib.Path, driver: str, options: Mapping[str, Mapping[str, Any]], prefix: Sequence[str] = ()
) -> Iterator[DhcpLab]:
    """Run a lab with a filter for a `with` block; `options` (group={name: value}) are those of the service.

    `prefix` runs the service with the rights that it is to have; without, it is root.
    """
    with contextlib.ExitStack() as undo:
        number = undo.enter_context(_own_number())
        server = Namespace()
        undo.callback(server.close)
        ours, theirs = _uplink(server, number)
        server.run(f'ip link add {INTERFACE} type bridge')
        server.run(f'ip address add 10.77.0.1/22 dev {INTERFACE}')
        server.run(f'ip address add 2001:db8:77::1/64 dev {INTERFACE} nodad')
        server.run(f'ip link set {INTERFACE} up')
        dhcp = DhcpServer(server, folder)
        dhcp.start()
        undo.callback(dhcp.stop)
        ironic = undo.enter_context(InMemoryIronic(host=ours))
        wanted: dict[str, dict[str, Any]] = {
            'DEFAULT': {'listen_address': theirs},
            'pxe_filter': {'driver': driver, 'sync_period': PERIOD},
            'iptables': {'dnsmasq_interface': INTERFACE},
            'dnsmasq_pxe_filter': {'dhcp_hostsdir': dhcp.hostsdir},
        }
        for group, values in options.items():
            wanted[group] = {**wanted.get(group, {}), **values}
        inspector = InspectorProcess(folder, ironic.url, wanted)
        inspector.url = f'http://{theirs}:{inspector.port}'
        inspector.prefix = [*server.prefix, *prefix]
        inspector.sync_database()
        if prefix:
            for path in (folder, *folder.iterdir()):
                os.chown(path, NOBODY, NOBODY)
        lab = DhcpLab(ironic, inspector, server, dhcp)
        undo.callback(lab.close)
        undo.callback(inspector.kill)
        inspector.start()
        yield lab


def _end(pid_file: pathlib.Path) -> None:
    # Having got its address, it goes on in the background.
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
        os.kill(int(pid_file.read_text()), signal.SIGKILL)


@contextlib.contextmanager
def _own_number() -> Iterator[int]:
    """Yield a number below 32768 that no other lab on this machine has in the meantime."""
    with socket.socket() as holder:
        # The system gives a port to one at a time, and has no more than that number of them to give.
        holder.bind(('127.0.0.1', 0))
        yield holder.getsockname()[1] % 32768


def _uplink(server: Namespace, number: int) -> tuple[str, str]:
    """Lay wire `number` between here and the server; return the addresses of both ends."""
    name = f'dhcp{secrets.token_hex(4)}'
    # Of the network for benchmarks (RFC 2544), which leads nowhere.
    first = ipaddress.ip_address('198.19.0.0') + 2 * number
    ours, theirs = str(first), str(first + 1)
    for command in (
        f'ip link add {name} type veth peer name up0 netns {server.pid}',
        f'ip address add {ours}/31 dev {name}',
        f'ip link set {name} up',
    ):
        subprocess.run(command.split(), env=_ENVIRON, check=True, capture_output=True)
    server.run(f'ip address add {theirs}/31 dev up0')
    server.run('ip link set up0 up')
    return ours, theirs
