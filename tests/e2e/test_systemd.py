"""systemd itself finds nothing wrong with the units."""

from __future__ import annotations

from pathlib import Path
import subprocess

import pytest

from tools import debian

UNITS = Path(__file__).parents[2] / 'etc' / 'systemd'


@pytest.fixture(scope='module', autouse=True)
def systemd() -> None:
    """Debian's systemd, whose programs need none that runs."""
    try:
        debian.require_tools(debian.SYSTEMD_TOOLS)
    except debian.MissingToolsError as error:
        pytest.skip(str(error))


def analyze(*arguments: str) -> str:
    """Run systemd-analyze, which has to succeed, and return what it prints."""
    done = subprocess.run(['systemd-analyze', *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    return done.stdout + done.stderr


def test_the_units_are_valid() -> None:
    units = sorted(map(str, UNITS.glob('*.service')))
    assert len(units) == 2
    # It warns about what it does not know, and still succeeds.
    assert analyze('verify', '--man=no', *units) == ''


@pytest.mark.parametrize('unit', ['ironic-inspector.service', 'ironic-inspector-dbsync.service'])
def test_the_units_are_hardened(unit: str) -> None:
    # Fails above this exposure, in tenths of its scale from 0 to 10; a unit without any hardening has 96.
    analyze('security', '--offline=true', '--threshold=30', str(UNITS / unit))


def test_the_units_start_no_program_that_a_small_machine_lacks() -> None:
    # Debian's smallest systems have no /bin/kill, for example.
    lines = [line for unit in UNITS.glob('*.service') for line in unit.read_text().splitlines()]
    programs = {line.partition('=')[2].split()[0] for line in lines if line.startswith('Exec')}
    assert programs == {'/bin/sh', '/usr/bin/env'}
