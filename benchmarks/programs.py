"""The programs that take part, each in a process of its own: the two services and the Ironic they work with."""

from collections.abc import Iterator
from contextlib import contextmanager
import dataclasses
import json
import os
from pathlib import Path
import sqlite3
import sys
from typing import Any

from benchmarks import load
from ironic_inspector.fixtures import fleet
from tools import components
from tools import processes

SERVICES: dict[str, type[components.Inspector]] = {
    '12.5.0': components.ReferenceInspector,
    'ours': components.Inspector,
}
# Housekeeping would drop the records that a benchmark makes up, and disturb the others.
_OPTIONS: components.Options = {'DEFAULT': {'clean_up_period': 86400}}
_TICKS_PER_SECOND = os.sysconf('SC_CLK_TCK')
_START_SECONDS = 30


class Ironic:
    """An in-memory Ironic with enrolled machines of the fleet, in a process of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def set_latency(self, seconds: float) -> None:
        """Let each call take that long from now on."""
        load.request(self.url, 'POST', '/_fixture/latency', json.dumps({'seconds': seconds}).encode())

    def reset(self) -> None:
        """Put its nodes back as they were at the start, and forget the calls."""
        load.request(self.url, 'POST', '/_fixture/reset')

    def count_calls(self) -> int:
        """How many calls there were since the start or `reset`, without version discovery."""
        return int(json.loads(load.request(self.url, 'GET', '/_fixture/calls'))['total'])

    def extra(self, machine: fleet.Machine) -> dict[str, Any]:
        """The attribute `extra` of a machine's node."""
        extra: dict[str, Any] = json.loads(load.request(self.url, 'GET', f'/v1/nodes/{machine.uuid}'))['extra']
        return extra


@contextmanager
def run_ironic(folder: Path, nodes: int, ports_per_node: int = 1) -> Iterator[Ironic]:
    """Run an in-memory Ironic with so many nodes until the block ends."""
    command = [sys.executable, '-m', 'ironic_inspector.fixtures.ironic', '--nodes', nodes]
    command += ['--ports-per-node', ports_per_node]
    with processes.Process('ironic', command, folder) as process:
        process.wait_ready(lambda: process.log.stat().st_size > 0, _START_SECONDS)
        yield Ironic(json.loads(process.log.read_text())['url'])


@dataclasses.dataclass(frozen=True)
class Service:
    """A running service."""

    name: str
    url: str
    database: Path
    pid: int

    def cpu_seconds(self) -> float:
        """The CPU time that its process has used so far, in user and kernel mode, to 10 ms."""
        # The second field is the name of the program, in parentheses and with whatever characters.
        fields = Path(f'/proc/{self.pid}/stat').read_text().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND

    def resident_bytes(self) -> int:
        """The memory that its process has in RAM."""
        return int(Path(f'/proc/{self.pid}/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE')

    def add_statuses(self, rows: list[tuple[str, str, str, str]]) -> None:
        """Put (UUID, state, time of start, time of end) of introspections straight into its database."""
        database = sqlite3.connect(self.database)
        try:
            with database:
                database.executemany(
                    'INSERT INTO nodes (uuid, version_id, state, started_at, finished_at, manage_boot)'
                    ' VALUES (?, lower(hex(randomblob(16))), ?, ?, ?, 1)',
                    rows,
                )
        finally:
            database.close()


@contextmanager
def run_service(
    name: str, folder: Path, ironic_url: str, options: components.Options | None = None
) -> Iterator[Service]:
    """Run a service, one of SERVICES, with a fresh database in `folder` and further options, until the block ends."""
    with SERVICES[name](folder, ironic_url, components.merge_options(_OPTIONS, options or {})) as inspector:
        yield Service(name, inspector.url, folder / 'inspector.sqlite', _pid_of(inspector))


def _pid_of(inspector: components.Inspector) -> int:
    """The process of a service itself, not that of the guard which holds it."""
    program, *arguments = (str(part) for part in inspector.command())
    for folder in Path('/proc').glob('[0-9]*'):
        try:
            words = (folder / 'cmdline').read_text().split('\0')[:-1]
        except OSError:
            continue
        # An interpreter, the program as its script, and the program's arguments.
        if words[1:] == [program, *arguments]:
            return int(folder.name)
    raise load.LoadError(f'{program} has no process')
