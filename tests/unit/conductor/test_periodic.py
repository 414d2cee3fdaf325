"""Periodic work and the end of the service."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import threading
import types
from typing import Any
from typing import cast

from futurist import periodics
import pytest

from ironic_inspector.conductor.periodic import Periodic
from ironic_inspector.conductor.services import Services
from ironic_inspector.conductor.work import Work
from tests.service import until


@pytest.fixture
def undo() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


def services_with(task: Callable[[], object], undo: contextlib.ExitStack) -> Services:
    """Return as much of a conductor as there is to its periodic work, with `task` as that of the PXE filter."""
    work = Work(1)
    undo.callback(work.shutdown)
    conf = types.SimpleNamespace(clean_up_period=0, pxe_filter=types.SimpleNamespace(sync_period=1))
    pxe_filter = types.SimpleNamespace(periodic_task=task)
    return cast(Services, types.SimpleNamespace(conf=conf, work=work, pxe_filter=pxe_filter))


OWN_SPACING: Any = periodics.periodic(spacing=0.01)


@pytest.mark.parametrize('decorate', [lambda task: task, OWN_SPACING], ids=['as configured', 'as the filter says'])
def test_the_task_of_a_filter_is_work_in_progress(decorate: Callable[..., Any], undo: contextlib.ExitStack) -> None:
    begun, release = threading.Event(), threading.Event()

    def task() -> None:
        begun.set()
        release.wait(30)

    services = services_with(decorate(task), undo)
    periodic = Periodic(services, lambda: None)
    undo.callback(periodic.stop)
    undo.callback(release.set)
    periodic.start()
    assert begun.wait(30)
    assert not services.work.drain(0)
    release.set()
    assert services.work.drain(30)


def test_nothing_begins_any_more_when_the_service_ends(
    undo: contextlib.ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    runs: list[None] = []
    services = services_with(OWN_SPACING(lambda: runs.append(None)), undo)
    periodic = Periodic(services, lambda: None)
    undo.callback(periodic.stop)
    periodic.start()
    until(lambda: runs)
    services.work.drain(None)
    before = len(runs)
    with caplog.at_level('INFO'):
        until(lambda: 'left to the next start' in caplog.text)
    assert len(runs) == before
    assert periodic.is_alive
