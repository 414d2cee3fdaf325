"""A service that cannot start."""

from __future__ import annotations

from tests.service import InspectorProcess


def refusal(process: InspectorProcess) -> str:
    """Start a service that cannot work and return what it says; fails if that is not one clear line."""
    process.start(wait=False)
    assert process.wait() not in (0, None)
    lines = process.log().splitlines()
    # What libraries have to say by the way does not count.
    lines = [line for line in lines if line.strip() and ' oslo_db.' not in line]
    assert len(lines) == 1, lines
    assert lines[0].startswith('ironic-inspector cannot start: '), lines
    return lines[0]
