"""What is measured. Each scenario is given a fresh service, does its work and yields figures."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import datetime
import functools
import itertools
from pathlib import Path
import statistics
import tempfile
import time
import uuid

from benchmarks import filters
from benchmarks import load
from benchmarks import programs
from benchmarks import rules
from ironic_inspector.fixtures import fleet

CALLBACK_BYTES = 200_000
LISTED = 100_000
PAGE = 1_000
_PAGE_REQUESTS = 15


@dataclasses.dataclass(frozen=True)
class Figure:
    """A measured value, and the most that it is to be for this project's service where there is such a target."""

    row: str
    unit: str
    value: float
    target: float | None = None


@dataclasses.dataclass(frozen=True)
class Size:
    """How large the scenarios are."""

    nodes: Sequence[int] = (1, 200)
    """How many nodes are introspected at once, one number after the other."""
    latencies: Sequence[float] = (0.0, 0.05)
    """Seconds that a call of Ironic takes, one number after the other."""
    sample: int = 100
    """Introspections whose mean is taken."""
    introspections: int = 400
    """Introspections before memory is looked at."""

    @property
    def machines(self) -> int:
        """How many machines Ironic must have for all scenarios."""
        return max(*self.nodes, self.introspections, 2 * self.sample)


Scenario = Callable[[programs.Service, programs.Ironic, Size], Iterator[Figure]]


def one_by_one(service: programs.Service, ironic: programs.Ironic, size: Size) -> Iterator[Figure]:
    """Calls of Ironic, and CPU, for introspections that come one after the other."""
    ironic.set_latency(0)
    operator = load.Operator(service.url)
    # What happens once in the life of a process does not count, so as many go before.
    machines = fleet.machines(2 * size.sample)
    _start_in_turn(operator, machines[: size.sample])
    _call_back_in_turn(operator, _callbacks(machines[: size.sample]))
    bodies = _callbacks(machines[size.sample :])
    marks = [(ironic.count_calls(), service.cpu_seconds())]
    _start_in_turn(operator, machines[size.sample :])
    marks.append((ironic.count_calls(), service.cpu_seconds()))
    _call_back_in_turn(operator, bodies)
    marks.append((ironic.count_calls(), service.cpu_seconds()))
    calls, cpu = (
        [(after - before) / size.sample for before, after in itertools.pairwise(mark)]
        for mark in zip(*marks, strict=True)
    )
    yield Figure('Ironic calls, start', 'calls', calls[0], 5)
    yield Figure('Ironic calls, callback', 'calls', calls[1], 4)
    yield Figure('CPU of one start, Ironic at 0 ms', 'ms', cpu[0] * 1000)
    yield Figure('CPU of one callback, Ironic at 0 ms', 'ms', cpu[1] * 1000)
    yield Figure('CPU of one start + callback, Ironic at 0 ms', 'ms', sum(cpu) * 1000, 20)


def at_once(service: programs.Service, ironic: programs.Ironic, size: Size) -> Iterator[Figure]:
    """Time for starts, and then callbacks, that come all at the same time."""
    for latency, nodes in itertools.product(size.latencies, size.nodes):
        measured = nodes == 200 and latency == 0.05
        started, called_back, slowest = _introspect_at_once(service, ironic, nodes, latency)
        setting = f'Ironic at {latency * 1000:.0f} ms'
        starts, callbacks = ('start', 'callback') if nodes == 1 else (f'{nodes} starts', f'{nodes} callbacks')
        yield Figure(f'{starts}, {setting}: waiting after', 's', started, 3.5 if measured else None)
        yield Figure(f'{callbacks}, {setting}: finished after', 's', called_back, 3.5 if measured else None)
        yield Figure(f'{callbacks}, {setting}: slowest answer', 's', slowest, 3 if measured else None)


def memory(service: programs.Service, ironic: programs.Ironic, size: Size) -> Iterator[Figure]:
    """Memory of the process after introspections of many nodes at once."""
    remaining = size.introspections
    while remaining > 0:
        nodes = min(remaining, max(size.nodes))
        _introspect_at_once(service, ironic, nodes, max(size.latencies))
        remaining -= nodes
    yield Figure(
        f'Resident memory after {size.introspections} introspections', 'MB', service.resident_bytes() / 1e6, 120
    )


def listing(service: programs.Service, _ironic: programs.Ironic, _size: Size) -> Iterator[Figure]:
    """Time for the first and the last page of a long list of introspections."""
    begin = datetime.datetime(2024, 1, 1)
    uuids = [str(uuid.uuid4()) for _ in range(LISTED)]
    times = [(begin + datetime.timedelta(seconds=3 * index)).isoformat(' ') + '.000000' for index in range(LISTED + 1)]
    service.add_statuses([(uuids[index], 'finished', times[index], times[index + 1]) for index in range(LISTED)])
    newest_first = uuids[::-1]
    operator = load.Operator(service.url)
    for name, marker, expected in (
        ('first', {}, newest_first[:PAGE]),
        ('last', {'marker': newest_first[-PAGE - 1]}, newest_first[-PAGE:]),
    ):
        page = functools.partial(operator.list_page, limit=PAGE, **marker)
        if [status['uuid'] for status in page()] != expected:
            raise load.LoadError(f'The {name} page is not the one asked for')
        seconds = statistics.median(load.seconds_of(page) for _ in range(_PAGE_REQUESTS))
        yield Figure(f'List of {PAGE:,} out of {LISTED:,}, {name} page', 'ms', seconds * 1000, 25)


def many_rules(service: programs.Service, ironic: programs.Ironic, size: Size) -> Iterator[Figure]:
    """CPU that rules add to callbacks, beside the same callbacks before there were rules."""
    ironic.set_latency(0)
    operator = load.Operator(service.url)
    machines = fleet.machines(size.sample)
    cpu = []
    for created in ([], rules.rules()):
        for rule in created:
            operator.create_rule(rule)
        # What happens once in the life of a process does not count, so some go before.
        _cpu_of_callbacks(service, ironic, machines[: 1 + size.sample // 10])
        cpu.append(_cpu_of_callbacks(service, ironic, machines))
    if wrong := [machine.uuid for machine in machines if set(ironic.extra(machine)) != rules.attributes()]:
        raise load.LoadError(f'Not the rules that should were applied to {wrong}')
    yield Figure(f'CPU that {rules.RULES} rules of 3 conditions add to a callback', 'ms', (cpu[1] - cpu[0]) * 1000, 5)


def pxe_filters(service: programs.Service, _ironic: programs.Ironic, size: Size) -> Iterator[Figure]:
    """Time of the PXE filters for Ironic's ports, and CPU of a service at rest that has many of them to filter."""
    with tempfile.TemporaryDirectory(prefix='filters-') as folder:
        for driver, ports in filters.CASES[service.name]:
            seconds = filters.seconds(service.name, driver, ports, Path(folder, f'{driver}-{ports}'))
            for kind, targets in filters.TARGETS.items():
                target = targets.get((driver, ports))
                yield Figure(f'{driver} filter, {ports:,} ports: {kind}', 's', seconds[kind], target)
        if service.name == 'ours':
            cpu = filters.cpu_at_rest(service.name, Path(folder, 'rest'), 60 if size.sample >= 100 else 10)
            yield Figure('CPU at rest, 10,000 ports: between synchronisations', '%', 100 * cpu.between, 1)
            yield Figure('CPU at rest, 10,000 ports: with them, every 15 s', '%', 100 * cpu.with_them)


SCENARIOS: dict[str, Scenario] = {
    'one-by-one': one_by_one,
    'at-once': at_once,
    'memory': memory,
    'list': listing,
    'rules': many_rules,
    'filters': pxe_filters,
}


def _callbacks(machines: Sequence[fleet.Machine]) -> list[bytes]:
    return [load.encode_callback(machine, CALLBACK_BYTES) for machine in machines]


def _start_in_turn(operator: load.Operator, machines: Sequence[fleet.Machine]) -> None:
    for machine in machines:
        operator.start(machine)
    operator.wait_all_left('starting')


def _call_back_in_turn(operator: load.Operator, bodies: Sequence[bytes]) -> None:
    for body in bodies:
        operator.call_back(body)
    operator.wait_all_left('waiting', 'processing')


def _cpu_of_callbacks(service: programs.Service, ironic: programs.Ironic, machines: Sequence[fleet.Machine]) -> float:
    """Introspect machines that Ironic knows nothing of yet; returns the mean CPU seconds from callback to end."""
    ironic.reset()
    operator = load.Operator(service.url)
    _start_in_turn(operator, machines)
    bodies = _callbacks(machines)
    before = service.cpu_seconds()
    _call_back_in_turn(operator, bodies)
    return (service.cpu_seconds() - before) / len(machines)


def _introspect_at_once(
    service: programs.Service, ironic: programs.Ironic, nodes: int, latency: float
) -> tuple[float, float, float]:
    """Introspect `nodes` at once; returns the seconds for all to wait, to finish, and of the slowest answer."""
    ironic.reset()
    ironic.set_latency(latency)
    operator = load.Operator(service.url)
    machines = fleet.machines(nodes)
    begin = time.perf_counter()
    load.at_once([functools.partial(operator.start, machine) for machine in machines])
    operator.wait_all_left('starting')
    started = time.perf_counter() - begin
    bodies = _callbacks(machines)
    begin = time.perf_counter()
    answers = load.at_once([functools.partial(operator.call_back, body) for body in bodies])
    operator.wait_all_left('waiting', 'processing')
    return started, time.perf_counter() - begin, max(answers)
