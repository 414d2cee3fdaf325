"""The service goes on without an announcement that does not succeed."""

from __future__ import annotations

from collections.abc import Callable

from tests.functional.lab import Lab
from tests.service import until


def test_failures_to_announce_are_tried_again(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(
        DEFAULT={'enable_mdns': True},
        # An address that no interface of this machine has.
        mdns={'interfaces': '198.51.100.1', 'registration_attempts': 2},
    )
    until(lambda: lab.log_of('could not be announced by mDNS, attempt 2'))
    assert ' WARNING ' in lab.log_of('attempt 1')[0]
    assert ' ERROR ' in lab.log_of('attempt 2')[0]
    lab.finished()
    assert lab.inspector.stop() == 0
    assert lab.log_of('Traceback') == []
