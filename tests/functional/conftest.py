"""An in-memory Ironic, and the service in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import pathlib
from typing import Any

import pytest

from ironic_inspector.fixtures.ironic import InMemoryIronic
from tests.functional.lab import Lab
from tests.functional.lab import running_lab
from tests.service import InspectorProcess


@pytest.fixture
def ironic() -> Iterator[InMemoryIronic]:
    """An in-memory Ironic over HTTP, for this test only."""
    with InMemoryIronic() as server:
        yield server


@pytest.fixture
def make_inspector(tmp_path: pathlib.Path, ironic: InMemoryIronic) -> Iterator[Callable[..., InspectorProcess]]:
    """A function that starts the service with options (group={name: value}) on a new database."""
    processes: list[InspectorProcess] = []

    def make(*, start: bool = True, **options: dict[str, Any]) -> InspectorProcess:
        folder = tmp_path / f'inspector-{len(processes)}'
        folder.mkdir()
        process = InspectorProcess(folder, ironic.url, options)
        processes.append(process)
        process.sync_database()
        return process.start() if start else process

    yield make
    for process in processes:
        process.kill()


@pytest.fixture
def inspector(make_inspector: Callable[..., InspectorProcess]) -> InspectorProcess:
    """The service with the options that most tests need."""
    return make_inspector()


@pytest.fixture(scope='module')
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A service for all tests of a module, each of which takes machines of its own and leaves no fault behind."""
    with running_lab(tmp_path_factory.mktemp('inspector')) as running:
        yield running


@pytest.fixture
def make_lab(ironic: InMemoryIronic, make_inspector: Callable[..., InspectorProcess]) -> Callable[..., Lab]:
    """A function that starts a service with options of its own (group={name: value})."""
    return lambda **options: Lab(ironic, make_inspector(**options))
