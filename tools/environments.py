"""Virtual environments of a checkout, made when first needed and again only when what they are made of changes.

Command line: python3 -m tools.environments NAME ...

Each environment has `tools/requirements/NAME.txt`, which says in short what goes into it, and a lock file with the
exact version of everything (tools/lock.py writes it). They live in `.envs/NAME`; pip's output is in `.envs/NAME.log`.
Only the standard library is used here, and pip is left to the user's own configuration (mirrors, proxies, caches).
"""

import argparse
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
import fcntl
import hashlib
import importlib.util
import json
from pathlib import Path
import platform
import shutil
import subprocess
import sys
import threading
import time
from typing import TextIO

from tools import debian
from tools import processes

CHECKOUT = Path(__file__).resolve().parent.parent
_PROGRESS_SECONDS = 10
_INSTALL_TIMEOUT = 1800
_BUILDERS = 2


class BuildError(Exception):
    """An environment could not be made; the message says why and where pip's output is."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment by its name; what it is made of, and where it is."""

    name: str
    checkout: Path = CHECKOUT

    @property
    def folder(self) -> Path:
        """Where the checkout's environments are."""
        return self.checkout / '.envs'

    @property
    def path(self) -> Path:
        """Where this one is."""
        return self.folder / self.name

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.program('python')

    def program(self, name: str) -> Path:
        """One of its programs (it may not exist yet)."""
        return self.path / 'bin' / name

    @property
    def requirements(self) -> Path:
        """The file that says what goes into it."""
        return self.checkout / 'tools' / 'requirements' / f'{self.name}.txt'

    @property
    def lock(self) -> Path:
        """The file that says in which versions."""
        if self.name == 'dev':
            return self.checkout / 'constraints.txt'
        return self.requirements.with_suffix('.lock')

    @property
    def log(self) -> Path:
        """pip's output."""
        return self.folder / f'{self.name}.log'

    @property
    def _stamp(self) -> Path:
        return self.path / 'made-of.json'

    def _made_of(self) -> dict[str, str]:
        """What the environment must have been made of to be current."""
        sources = [self.requirements, self.lock]
        if self.name in {'dev', 'wsgi'}:
            # Our own package is in there, with what it needs and its programs.
            sources.append(self.checkout / 'setup.cfg')
        digest = hashlib.sha256()
        for source in sources:
            digest.update(source.read_bytes() + b'\0')
        # An environment's scripts hold its own path: a moved checkout needs new ones.
        return {'sources': digest.hexdigest(), 'path': str(self.path), 'python': self._python_wanted()}

    def _python_wanted(self) -> str:
        """The version to run: ours for developing; for a component any that its environment still runs."""
        ours = platform.python_version()
        if self.name == 'dev' or not self.python.exists():
            return ours
        asked = subprocess.run(
            [self.python, '-c', 'import platform; print(platform.python_version())'],
            capture_output=True,
            text=True,
            check=False,
        )
        return asked.stdout.strip() or ours

    def is_current(self) -> bool:
        """Whether it is complete and made of what it should be made of now."""
        try:
            return bool(json.loads(self._stamp.read_text()) == self._made_of())
        except (OSError, ValueError):
            return False

    def mark_current(self) -> None:
        """Record what it was made of, by this interpreter: the last step of making it."""
        self._stamp.write_text(json.dumps(self._made_of()))


class Builder:
    """Makes environments, some at a time, and tells on standard output how far it is."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._cancelled = threading.Event()

    def build(self, environments: Sequence[Environment]) -> None:
        """Make each of the environments unless it is current; BuildError when one can't be made."""
        with ThreadPoolExecutor(_BUILDERS) as pool:
            try:
                for done in [pool.submit(self._build_once, environment) for environment in environments]:
                    done.result()
            finally:
                self._cancelled.set()

    def _build_once(self, environment: Environment) -> None:
        with self._only_builder(environment):
            if not environment.is_current():
                self._build(environment)

    @contextmanager
    def _only_builder(self, environment: Environment) -> Iterator[None]:
        environment.folder.mkdir(exist_ok=True)
        with (environment.folder / f'.{environment.name}.flock').open('w') as handle:
            if not _lock(handle):
                self._report(environment, 'being made by another process, waiting for it')
                while not _lock(handle):
                    self._pause(0.2)
            yield

    def _build(self, environment: Environment) -> None:
        self._report(environment, 'making it (done once, and again only when its contents change)')
        shutil.rmtree(environment.path, ignore_errors=True)
        environment.log.unlink(missing_ok=True)
        pip = [
            environment.python,
            '-m',
            'pip',
            'install',
            '--progress-bar',
            'off',
            '--disable-pip-version-check',
        ]
        self._run(environment, [sys.executable, '-m', 'venv', environment.path])
        self._run(environment, [*pip, '--requirement', environment.requirements, '--constraint', environment.lock])
        environment.mark_current()
        self._report(environment, 'ready')

    def _run(self, environment: Environment, command: Sequence[object]) -> None:
        deadline = time.monotonic() + _INSTALL_TIMEOUT
        reported = time.monotonic()
        with processes.Process(environment.name, command, environment.folder, cwd=environment.checkout) as process:
            while (status := process.wait(0.2)) is None and time.monotonic() < deadline:
                self._pause(0)
                if time.monotonic() > reported + _PROGRESS_SECONDS:
                    reported = time.monotonic()
                    self._report(environment, 'still installing')
            if status != 0:
                raise BuildError(str(process.failure('environment could not be made')))

    def _pause(self, seconds: float) -> None:
        if self._cancelled.wait(seconds):
            raise BuildError('interrupted')

    def _report(self, environment: Environment, line: str) -> None:
        elapsed = time.monotonic() - self._started
        print(f'[{elapsed:4.0f} s] environment {environment.name}: {line}', flush=True)


def _lock(handle: TextIO) -> bool:
    """Whether we have the lock on this file now; it ends when the file is closed."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def ensure(names: Sequence[str], checkout: Path = CHECKOUT) -> None:
    """Make the named environments unless they are current; BuildError when one can't be made."""
    environments = [Environment(name, checkout) for name in dict.fromkeys(names)]
    stale = [environment for environment in environments if not environment.is_current()]
    if stale:
        require_venv()
        Builder().build(stale)


def require_venv() -> None:
    """Make sure that this Python can make virtual environments: Debian has that in a package of its own."""
    if importlib.util.find_spec('ensurepip') is None:
        try:
            debian.install_packages([f'python3.{sys.version_info.minor}-venv'])
        except debian.MissingToolsError as error:
            raise BuildError(f"This Python can't make virtual environments. {error}") from error


def main() -> int:
    """Command line; returns the exit status."""
    known = sorted(path.stem for path in Path(__file__).with_name('requirements').glob('*.txt'))
    parser = argparse.ArgumentParser(description='Make virtual environments below .envs/ of this checkout.')
    parser.add_argument('names', nargs='+', choices=known, metavar='NAME', help=', '.join(known))
    try:
        ensure(parser.parse_args().names)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
