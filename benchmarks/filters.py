"""PXE filters by themselves, each in a process and a network of its own, and a service at rest that has one."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import json
import os
from pathlib import Path
import subprocess
import sys
import threading

from benchmarks import load
from benchmarks import programs
from tools import components
from tools import debian
from tools import environments

PORTS = 10_000
# 12.5.0 takes so long that it gets as many as can be waited for.
CASES: Mapping[str, Sequence[tuple[str, int]]] = {
    '12.5.0': [('dnsmasq', 5_000), ('iptables', 500)],
    'ours': [
        ('dnsmasq', 5_000),
        ('iptables', 500),
        ('dnsmasq', PORTS),
        ('iptables', PORTS),
        ('nftables', PORTS),
    ],
}
"""Filters and numbers of ports, for each service."""
TARGETS: Mapping[str, Mapping[tuple[str, int], float]] = {
    'first': {('dnsmasq', PORTS): 3, ('iptables', PORTS): 1, ('nftables', PORTS): 3},
    'unchanged': {('dnsmasq', 5_000): 0.2, **{(name, PORTS): 0.3 for name in ('dnsmasq', 'iptables', 'nftables')}},
    'one MAC': {(name, PORTS): 0.3 for name in ('dnsmasq', 'iptables', 'nftables')},
}
"""Seconds at most, for each kind of synchronisation."""
_PROGRAM = Path(__file__).with_name('filter_program.py')
_PORTS_PER_NODE = 4


def seconds(service: str, driver: str, ports: int, folder: Path) -> dict[str, float]:
    """How long the kinds of synchronisation in TARGETS take; LoadError if it cannot be measured here."""
    environment = programs.SERVICES[service].environment
    python = environments.Environment(environment).python if environment else Path(sys.executable)
    command = ['unshare', '--net', str(python), '-W', 'ignore', str(_PROGRAM), driver, str(ports), str(folder)]
    try:
        debian.require_tools(debian.DHCP_TOOLS)
    except debian.MissingToolsError as error:
        raise load.LoadError(str(error)) from error
    environ = os.environ | debian.tools_path()
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise load.LoadError(f'The filter {driver} of {service} could not be measured: {done.stderr}')
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


@dataclasses.dataclass(frozen=True)
class AtRest:
    """Parts of a core that a service takes with nothing to do."""

    between: float
    """Between two synchronisations of the filter."""
    with_them: float
    """In the mean over both."""


def cpu_at_rest(service: str, folder: Path, duration: int) -> AtRest:
    """Let a service with the filter dnsmasq, and PORTS ports in its Ironic, do nothing for so many seconds, twice."""
    folder.mkdir(parents=True)
    with programs.run_ironic(folder / 'ironic', PORTS // _PORTS_PER_NODE, _PORTS_PER_NODE) as ironic:
        found = [_cpu(service, folder / f'every-{period}', ironic.url, period, duration) for period in (3600, 15)]
    return AtRest(*found)


def _cpu(service: str, folder: Path, ironic_url: str, period: int, duration: int) -> float:
    options: components.Options = {
        'pxe_filter': {'driver': 'dnsmasq', 'sync_period': period},
        'dnsmasq_pxe_filter': {'dhcp_hostsdir': folder / 'hostsdir'},
    }
    with programs.run_service(service, folder, ironic_url, options) as running:
        before = running.cpu_seconds()
        threading.Event().wait(duration)
        return (running.cpu_seconds() - before) / duration
