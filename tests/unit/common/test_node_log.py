"""The node in the context of the log."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import Any

from oslo_context import context as log_context
import pytest

from ironic_inspector import utils
from ironic_inspector.common import node_log
from ironic_inspector.conductor.work import Work


class Node:
    """What a hook has."""

    uuid = 'one'


@pytest.fixture(autouse=True)
def no_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that another test left."""
    monkeypatch.setattr(log_context, '_request_store', threading.local())


def current() -> Any:
    context = log_context.get_current()
    return context and context.resource_uuid


def test_the_node_is_named_for_as_long_as_it_is_worked_on() -> None:
    context = log_context.RequestContext(request_id='req-1')
    with node_log.working_on('one'):
        assert current() == 'one'
        with contextlib.suppress(LookupError), node_log.working_on('other'):
            assert current() == 'other'
            raise LookupError
        assert current() == 'one'
    assert current() is None
    assert log_context.get_current() is context


def test_there_is_an_id_even_if_nobody_asked() -> None:
    with node_log.working_on('one'):
        context = log_context.get_current()
        assert context is not None
        assert context.request_id.startswith('req-')


def test_who_gets_the_work_handed_over_logs_the_same() -> None:
    log_context.RequestContext(request_id='req-1')
    work = Work(2)
    seen: list[Any] = []

    def task(held: contextlib.ExitStack) -> None:
        with held:
            seen.append(current())
        # Such as the line that says how the task has failed.
        seen.append(current())

    with contextlib.ExitStack() as stack:
        stack.enter_context(node_log.working_on('one'))
        work.hand_over(stack, task)
    assert work.drain(30)
    work.shutdown()
    assert seen == ['one', 'one']


@pytest.mark.parametrize(('working_on', 'message'), [('one', 'Hello'), ('other', '[node: one] Hello')])
def test_messages_do_not_repeat_the_node(caplog: pytest.LogCaptureFixture, working_on: str, message: str) -> None:
    with node_log.working_on(working_on), caplog.at_level(logging.INFO):
        utils.getProcessingLogger('ironic_inspector.test').info('Hello', node_info=Node())
    assert caplog.messages == [message]


def test_without_a_context_messages_name_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        utils.getProcessingLogger('ironic_inspector.test').info('Hello', node_info=Node())
    assert caplog.messages == ['[node: one] Hello']
