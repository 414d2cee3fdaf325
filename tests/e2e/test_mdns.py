"""The real ramdisk code finds the service by multicast DNS, in a network of this test's own."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import ctypes
import os
from pathlib import Path
import subprocess
from typing import Any

import pytest

from ironic_inspector.fixtures.ironic import InMemoryIronic
from tests.e2e import network as new_network
from tests.e2e.conftest import Http
from tests.service import until
from tools import components
from tools import debian
from tools import environments
from tools import processes

CLONE_NEWNET = 0x40000000
"""From sched.h."""
ADDRESS = '192.0.2.50'
ADDRESS_6 = '2001:db8::50'
LOOK_UP = """
from ironic_python_agent import errors, mdns
try:
    url, params = mdns.get_endpoint('baremetal-introspection')
    print(url, *(f'{name}={params[name]}' for name in sorted(params)))
except errors.ServiceLookupFailure:
    print('nothing')
"""

LOOK_UP_TIMEOUT = 60
LOOK_UPS = 5 * LOOK_UP_TIMEOUT
"""Seconds to wait for what look-ups find."""

INTERFACES = Path('/sys/class/net')

MakeInspector = Callable[..., components.Inspector]


@pytest.fixture(scope='module')
def network() -> Iterator[None]:
    """A network for the thread of the tests and all that it starts."""
    try:
        debian.require_tools(debian.COMPONENT_TOOLS | debian.LLDP_TOOLS)
    except debian.MissingToolsError as error:
        pytest.skip(str(error))
    libc = ctypes.CDLL(None, use_errno=True)
    outside = os.open('/proc/thread-self/ns/net', os.O_RDONLY)
    try:
        if libc.unshare(CLONE_NEWNET):
            pytest.skip(f'no network can be made here: {os.strerror(ctypes.get_errno())}')
        try:
            environ = os.environ | debian.tools_path()
            made = subprocess.run(['sh', '-ec', links()], env=environ, capture_output=True, text=True, check=False)
            if made.returncode:
                pytest.skip(f'no interfaces can be made here: {made.stderr.strip()}')
            yield
        finally:
            assert libc.setns(outside, CLONE_NEWNET) == 0
    finally:
        os.close(outside)


@pytest.fixture
def ironic(network: None) -> Iterator[InMemoryIronic]:
    """An Ironic in that network."""
    with InMemoryIronic() as server:
        yield server


@pytest.fixture
def make_inspector(ironic: InMemoryIronic, tmp_path: Path) -> Iterator[MakeInspector]:
    """A function that starts a service which announces itself, with options of its own (group={name: value})."""
    made: list[components.Inspector] = []

    def make(**options: dict[str, Any]) -> components.Inspector:
        needed: components.Options = {
            'DEFAULT': {'enable_mdns': True, 'listen_address': '0.0.0.0'},
            'processing': {'add_ports': 'all', 'keep_ports': 'all'},
        }
        merged = components.merge_options(needed, options)
        inspector = components.Inspector(tmp_path / f'inspector-{len(made)}', ironic.url, merged)
        made.append(inspector)
        inspector.__enter__()
        return inspector

    yield make
    for inspector in made:
        inspector.stop()


def links() -> str:
    """Return the commands that make the interfaces of the network.

    There are namesakes of this machine's, with their MACs: ramdisk code looks for the names in the /sys of the whole
    machine, and asks the kernel for the rest, which answers for the network.
    """
    names = [path.name for path in INTERFACES.iterdir() if (path / 'device').exists()] or ['nic0']
    lines = [new_network.ENABLE_IPV6, 'ip link set lo up']
    for number, name in enumerate(names):
        mac = (INTERFACES / name / 'address').read_text() if (INTERFACES / name).exists() else '52:54:00:00:00:01'
        lines += [
            f'ip link add {name} address {mac.strip()} type veth peer name other{number}',
            f'ip link set {name} up',
            f'ip link set other{number} up',
        ]
    return '\n'.join(
        [
            *lines,
            f'ip address add {ADDRESS}/24 dev {names[0]}',
            f'ip address add {ADDRESS_6}/64 dev {names[0]} nodad',
            'ip route add default via 192.0.2.1',
        ]
    )


def announced(inspector: components.Inspector) -> bool:
    """Whether the service has logged that it is announced."""
    return 'is announced by mDNS as' in (inspector.folder / 'inspector.log').read_text()


def look_up(folder: Path) -> str:
    """Return what the real ramdisk code finds: the URL and what is sent along with it."""
    ipa = environments.Environment('ipa')
    environments.ensure([ipa.name])
    log = folder / 'lookup.log'
    log.unlink(missing_ok=True)
    command = [ipa.python, '-W', 'ignore', '-c', LOOK_UP]
    processes.run('lookup', command, folder, timeout=LOOK_UP_TIMEOUT, environ=debian.tools_path())
    return log.read_text().splitlines()[-1]


def test_the_ramdisk_finds_the_service(
    make_inspector: MakeInspector, ironic: InMemoryIronic, machine_macs: list[str], tmp_path: Path
) -> None:
    inspector = make_inspector()
    node = ironic.add_node(name='this-machine')
    for mac in machine_macs:
        ironic.add_port(node['uuid'], mac)
    http = Http(inspector.url)
    http.start(node['uuid'])
    until(lambda: announced(inspector))
    components.collect_introspection_data('mdns', tmp_path)
    assert http.reach(node['uuid'], 'finished')['error'] is None


def test_two_services_on_a_machine(make_inspector: MakeInspector, tmp_path: Path) -> None:
    first = make_inspector()
    until(lambda: announced(first))
    second = make_inspector()
    until(lambda: announced(second))
    urls = [f'http://{ADDRESS}:{inspector.port}' for inspector in (first, second)]
    until(lambda: look_up(tmp_path) == urls[0], LOOK_UPS)
    first.stop()
    until(lambda: look_up(tmp_path) == urls[1], LOOK_UPS)
    first.start()
    until(lambda: (first.folder / 'inspector.log').read_text().count('is announced by mDNS as') == 2)
    until(lambda: look_up(tmp_path) == urls[1], LOOK_UPS)
    second.stop()
    until(lambda: look_up(tmp_path) == urls[0], LOOK_UPS)
    first.stop()
    assert look_up(tmp_path) == 'nothing'


@pytest.mark.parametrize(
    ('url', 'found'),
    [
        (f'http://{ADDRESS}:8080/baremetal/', f'http://{ADDRESS}:8080/baremetal'),
        (f'http://[{ADDRESS_6}]:5050/', f'http://[{ADDRESS_6}]:5050'),
    ],
)
def test_the_address_in_the_catalog(make_inspector: MakeInspector, tmp_path: Path, url: str, found: str) -> None:
    params = 'ipa_inspection_collectors:"default,logs",ipa_debug:1'
    inspector = make_inspector(
        service_catalog={'endpoint_override': url}, mdns={'params': params, 'interfaces': ADDRESS}
    )
    until(lambda: announced(inspector))
    until(lambda: look_up(tmp_path) == f'{found} ipa_debug=1 ipa_inspection_collectors=default,logs', LOOK_UPS)
