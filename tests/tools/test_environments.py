"""Environments are made once, and again only when what they consist of changes."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import subprocess

import pytest

from tools import environments


@pytest.fixture
def environment(tmp_path: Path) -> environments.Environment:
    """An environment of a checkout of its own, with nothing in it."""
    made = environments.Environment('component', tmp_path)
    made.requirements.parent.mkdir(parents=True)
    made.requirements.write_text('# nothing\n')
    made.lock.write_text('')
    return made


def ensure(environment: environments.Environment) -> None:
    """Make it unless it is current."""
    environments.ensure([environment.name], environment.checkout)


def test_it_is_made_once(environment: environments.Environment, capsys: pytest.CaptureFixture[str]) -> None:
    assert not environment.is_current()

    ensure(environment)

    assert environment.is_current()
    assert 'environment component: ready' in capsys.readouterr().out
    asked = subprocess.run([environment.python, '-c', 'import sys; print(sys.prefix)'], capture_output=True, check=True)
    assert asked.stdout.decode().strip() == str(environment.path)
    mark = environment.path / 'mark'
    mark.touch()
    ensure(environment)
    assert mark.exists()
    assert capsys.readouterr().out == ''

    environment.lock.write_text('# another version\n')

    assert not environment.is_current()


def test_several_processes_make_it_once(environment: environments.Environment) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(ensure, [environment] * 2))

    assert environment.is_current()


def test_an_interrupted_build_is_not_current(environment: environments.Environment) -> None:
    environment.path.mkdir(parents=True)

    assert not environment.is_current()


def test_a_failure_says_what_and_where_the_log_is(environment: environments.Environment) -> None:
    environment.requirements.write_text('./no-such-package\n')

    with pytest.raises(environments.BuildError) as failure:
        ensure(environment)

    assert 'no-such-package' in str(failure.value)
    assert str(environment.log) in str(failure.value)
    assert not environment.is_current()
