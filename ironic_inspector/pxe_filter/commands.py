"""Running the programs that a filter needs, with the rights that they need."""

from __future__ import annotations

from collections.abc import Mapping
import os
import pathlib
import shutil
import subprocess

from oslo_config import cfg

from ironic_inspector.common import exceptions

PATIENCE = 60.0
"""Seconds after which a program is given up; it takes a fraction of a second."""
ROOTWRAP = 'ironic-inspector-rootwrap'
_CAP_NET_ADMIN = 12
"""The bit of capabilities(7)."""


class CommandError(exceptions.InspectorError):
    """A program is missing, was not permitted, or failed; the text says which and why."""

    code = 'command'


class Commands:
    """Runs programs as root, or with the rights that the service has if these are enough for firewalls."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Prepare to run programs; with too few rights through rootwrap with [DEFAULT]rootwrap_config."""
        self._environ = {**os.environ, 'PATH': _path(os.environ), 'LC_ALL': 'C'}
        self._prefix = [] if may_administer_network() else ['sudo', '-n', ROOTWRAP, conf.rootwrap_config]

    def run(self, *command: str, script: str = '') -> str:
        """Run a program with `script` as its input and return its output; CommandError if it fails.

        With anything that might be a path or an option only where it cannot come from others.
        """
        self._find(self._prefix[0] if self._prefix else command[0])
        shown = ' '.join([*self._prefix, *command])
        try:
            done = subprocess.run(  # noqa: S603 (no shell; the arguments are our own and checked names)
                [*self._prefix, *command],
                input=script,
                capture_output=True,
                text=True,
                errors='replace',
                env=self._environ,
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            raise CommandError(f'{shown} has not ended after {PATIENCE:.0f} s') from exc
        except OSError as exc:
            raise CommandError(f'{shown} cannot be run: {exc}') from exc
        if done.returncode != 0:
            raise CommandError(f'{shown} failed with status {done.returncode}: {_in_one_line(done.stderr)}')
        return done.stdout

    def _find(self, program: str) -> None:
        if shutil.which(program, path=self._environ['PATH']) is None:
            raise CommandError(f'there is no program {program} in {self._environ["PATH"]}')


def may_administer_network() -> bool:
    """Tell whether programs that are run from here may change the firewall: as root, or with CAP_NET_ADMIN.

    A program inherits the capability if it is an ambient one, such as with AmbientCapabilities in a systemd unit.
    """
    if os.geteuid() == 0:
        return True
    try:
        status = pathlib.Path('/proc/self/status').read_text()
    except OSError:
        return False
    ambient = next((line.split()[1] for line in status.splitlines() if line.startswith('CapAmb:')), '0')
    return bool(int(ambient, 16) >> _CAP_NET_ADMIN & 1)


def _path(environ: Mapping[str, str]) -> str:
    # Where firewalls are administered is not on the path of every user.
    return f'{environ.get("PATH", os.defpath)}:/usr/sbin:/sbin'


def _in_one_line(text: str) -> str:
    return ' '.join(line.strip() for line in text.splitlines() if line.strip()) or 'it does not say why'
