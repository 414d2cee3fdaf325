"""Measures this project's service beside ironic-inspector 12.5.0, both in one run and with the same Ironic.

Ironic is the in-memory one of ironic_inspector.fixtures, in a process of its own. Each service gets a fresh database
(SQLite) for each scenario. Nothing else should keep the machine busy meanwhile.
"""

import argparse
from collections.abc import Sequence
import json
from pathlib import Path
import sys
import tempfile
import time

from benchmarks import load
from benchmarks import programs
from benchmarks import report
from benchmarks import scenarios
from tools import environments
from tools import processes


class _Run:
    """One run: the figures of all services in all scenarios."""

    def __init__(self, folder: Path, size: scenarios.Size) -> None:
        self._folder = folder
        self._size = size
        self._begin = time.monotonic()

    def measure(self, services: Sequence[str], chosen: Sequence[str]) -> dict[str, list[scenarios.Figure]]:
        """Measure the services one after the other; returns their figures by name."""
        with programs.run_ironic(self._folder / 'ironic', self._size.machines) as ironic:
            return {service: self._measure_one(service, chosen, ironic) for service in services}

    def _measure_one(self, name: str, chosen: Sequence[str], ironic: programs.Ironic) -> list[scenarios.Figure]:
        figures = []
        for scenario in chosen:
            self._say(f'{name}: {scenario}')
            ironic.reset()
            with programs.run_service(name, self._folder / f'{name}-{scenario}', ironic.url) as service:
                for figure in scenarios.SCENARIOS[scenario](service, ironic, self._size):
                    figures.append(figure)
                    self._say(f'{name}: {figure.row}: {report.shown(figure.value, figure.unit)}')
        return figures

    def _say(self, line: str) -> None:
        print(f'[{time.monotonic() - self._begin:4.0f} s] {line}', flush=True)


def _arguments() -> argparse.Namespace:
    size = scenarios.Size()
    parser = argparse.ArgumentParser(prog='python -m benchmarks', description=__doc__)
    parser.add_argument(
        '--services', nargs='+', choices=list(programs.SERVICES), default=list(programs.SERVICES), help='default: all'
    )
    parser.add_argument(
        '--scenarios',
        nargs='+',
        choices=list(scenarios.SCENARIOS),
        default=list(scenarios.SCENARIOS),
        help='default: all',
    )
    parser.add_argument(
        '--nodes', nargs='+', type=int, default=size.nodes, metavar='N', help='nodes at once (default: 1 200)'
    )
    parser.add_argument(
        '--latency',
        nargs='+',
        type=float,
        default=[1000 * seconds for seconds in size.latencies],
        metavar='MS',
        help='milliseconds that a call of Ironic takes (default: 0 50)',
    )
    parser.add_argument(
        '--sample', type=int, default=size.sample, metavar='N', help='introspections whose CPU is measured'
    )
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the figures to this file as well')
    parser.add_argument(
        '--keep', type=Path, metavar='FOLDER', help='keep databases and logs in this folder, which must not exist yet'
    )
    return parser.parse_args()


def main() -> int:
    """Command line; returns the exit status."""
    arguments = _arguments()
    size = scenarios.Size(
        nodes=arguments.nodes, latencies=[ms / 1000 for ms in arguments.latency], sample=arguments.sample
    )
    try:
        with tempfile.TemporaryDirectory(prefix='benchmarks-') as scratch:
            folder = Path(scratch)
            if arguments.keep:
                arguments.keep.mkdir(parents=True)
                folder = arguments.keep.resolve()
            figures = _Run(folder, size).measure(arguments.services, arguments.scenarios)
    except (load.LoadError, processes.ProcessError, environments.BuildError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    rows = report.compare(figures)
    print('\n' + report.as_table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
