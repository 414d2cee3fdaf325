"""Writes lock files: the exact versions that an environment gets when nothing holds it back.

Command line: python3 -m tools.lock NAME ...

Each named environment is installed anew into a scratch folder, with the newest versions that
`tools/requirements/NAME.txt` allows. A package that does not support the oldest Python we do is locked
only for those that it supports: the others find an older version of it by themselves.
"""

import argparse
import json
from pathlib import Path
import subprocess
import sys
import tempfile

from tools import environments
from tools import processes

_OLDEST_PYTHON = '3.10'

# Runs inside the environment, where pip brings the means to read such specifiers.
_LIST_VERSIONS = """
import importlib.metadata, json, sys
from pip._vendor.packaging.specifiers import SpecifierSet
oldest = sys.argv[1]
locked = []
for found in importlib.metadata.distributions():
    name, needs = found.metadata["Name"], found.metadata["Requires-Python"] or ""
    if name == "pip" or sys.argv[2] in ("dev", "wsgi") and name == "ironic-inspector":
        continue
    first = next(f"3.{minor}" for minor in range(6, 100) if SpecifierSet(needs).contains(f"3.{minor}.99"))
    late = not SpecifierSet(needs).contains(f"{oldest}.99")
    locked.append((name, found.version, first if late else None))
print(json.dumps(sorted(locked, key=lambda row: row[0].lower())))
"""


def lock(name: str) -> None:
    """Write the lock file of one environment."""
    environment = environments.Environment(name)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        python = scratch / 'env' / 'bin' / 'python'
        for command in (
            [sys.executable, '-m', 'venv', scratch / 'env'],
            # Old Pythons put an old setuptools into each environment, which must not end up in the lock.
            [python, '-m', 'pip', 'uninstall', '--yes', 'setuptools'],
            [
                python,
                '-m',
                'pip',
                'install',
                '--progress-bar',
                'off',
                '--requirement',
                environment.requirements,
            ],
        ):
            processes.run(name, command, scratch, timeout=1800, cwd=environments.CHECKOUT)
        listing = subprocess.run(
            [python, '-I', '-c', _LIST_VERSIONS, _OLDEST_PYTHON, name], capture_output=True, text=True, check=True
        )
    lines = [
        f'{package}=={version}' + (f'; python_version >= "{first}"' if first else '')
        for package, version, first in json.loads(listing.stdout)
    ]
    environment.lock.write_text('\n'.join([f'# Written by: python3 -m tools.lock {name}', *lines, '']))
    print(f'{environment.lock}: {len(lines)} packages', flush=True)


def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description='Write lock files with the newest versions.')
    parser.add_argument('names', nargs='+', metavar='NAME', help='environments, as tools/requirements names them')
    try:
        for name in parser.parse_args().names:
            lock(name)
    except processes.ProcessError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
