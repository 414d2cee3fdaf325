"""Which node the lines of the log are about."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import threading

from oslo_context import context as log_context


@contextlib.contextmanager
def working_on(node_uuid: str) -> Iterator[None]:
    """Let all that is logged in the `with` block name a node, as `resource_uuid` of oslo.context.

    Threads that get the work handed over log the same, until their next task; so does who has handed it over, until the
    end of the request.
    """
    context = log_context.get_current() or log_context.RequestContext()
    before, thread = context.resource_uuid, threading.get_ident()
    context.resource_uuid = node_uuid
    try:
        yield
    finally:
        if threading.get_ident() == thread:
            context.resource_uuid = before
