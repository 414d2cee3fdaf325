"""Requests sent as bytes, and a look at what they have done to the service."""

from __future__ import annotations

from collections.abc import Iterator
import json
import socket
from typing import Any

import pytest

from tests.functional.lab import Lab

ANSWER_TIMEOUT = 30
LIMIT = 32 << 20
"""Bytes of a body that are taken by default."""


@pytest.fixture(scope='module', autouse=True)
def nothing_unexpected(lab: Lab) -> Iterator[None]:
    """After all that, the log has no trace of a bug in the service or in what it logs."""
    yield
    assert lab.log_of('Traceback') == []
    assert lab.log_of('Unexpected failure') == []
    assert lab.log_of('Logging error') == []


def raw(lab: Lab, request: bytes) -> tuple[int, str, dict[str, Any]]:
    """Send bytes as they are; return the status, the headers and the document of the (first) answer."""
    with socket.create_connection(('127.0.0.1', lab.inspector.port), ANSWER_TIMEOUT) as connection:
        connection.sendall(request)
        with connection.makefile('rb') as stream:
            status = int(stream.readline().split()[1])
            headers = b''.join(iter(stream.readline, b'\r\n')).decode('latin-1').lower()
            length = int(headers.partition('content-length: ')[2].partition('\r\n')[0])
            return status, headers, json.loads(stream.read(length))
