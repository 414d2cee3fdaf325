"""Running programs with the rights that they need."""

from __future__ import annotations

import os
import pathlib

from oslo_config import cfg
import pytest

from ironic_inspector.pxe_filter import commands


@pytest.fixture
def programs(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A folder whose programs are found first."""
    folder = tmp_path / 'bin'
    folder.mkdir()
    monkeypatch.setenv('PATH', f'{folder}:{os.environ["PATH"]}')
    return folder


def program(folder: pathlib.Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f'#!/bin/sh\n{script}\n')
    path.chmod(0o755)


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, 'may_administer_network', lambda: True)


@pytest.fixture
def as_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, 'may_administer_network', lambda: False)


def test_directly(conf: cfg.ConfigOpts, programs: pathlib.Path, as_root: None) -> None:
    program(programs, 'firewall', 'printf "%s " "$@"; cat')
    assert commands.Commands(conf).run('firewall', '-x', 'a b', script='rules\n') == '-x a b rules\n'


def test_through_rootwrap(conf: cfg.ConfigOpts, programs: pathlib.Path, as_somebody: None) -> None:
    program(programs, 'sudo', 'printf "%s " "$@"; cat')
    conf.set_override('rootwrap_config', '/etc/rw.conf')
    done = commands.Commands(conf).run('firewall', '-x', script='rules\n')
    assert done == '-n ironic-inspector-rootwrap /etc/rw.conf firewall -x rules\n'


def test_a_failure_says_what_the_program_says(conf: cfg.ConfigOpts, programs: pathlib.Path, as_root: None) -> None:
    program(programs, 'firewall', 'echo "no such" >&2; echo " chain" >&2; exit 3')
    with pytest.raises(commands.CommandError, match=r'^firewall -x failed with status 3: no such chain$'):
        commands.Commands(conf).run('firewall', '-x')
    program(programs, 'firewall', 'exit 3')
    with pytest.raises(commands.CommandError, match='does not say why'):
        commands.Commands(conf).run('firewall')


def test_a_program_that_is_missing(conf: cfg.ConfigOpts, as_root: None) -> None:
    with pytest.raises(commands.CommandError, match='there is no program firewall-of-nobody'):
        commands.Commands(conf).run('firewall-of-nobody')


def test_a_program_that_is_none(conf: cfg.ConfigOpts, programs: pathlib.Path, as_root: None) -> None:
    (programs / 'firewall').write_bytes(b'\x00')
    (programs / 'firewall').chmod(0o755)
    with pytest.raises(commands.CommandError, match='cannot be run'):
        commands.Commands(conf).run('firewall')


def test_a_program_that_hangs(
    conf: cfg.ConfigOpts, programs: pathlib.Path, as_root: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, 'PATIENCE', 0.1)
    program(programs, 'firewall', 'exec sleep 60')
    with pytest.raises(commands.CommandError, match='has not ended'):
        commands.Commands(conf).run('firewall')


def test_root_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, 'geteuid', lambda: 0)
    assert commands.may_administer_network()
