"""What tells one machine from another when their nodes are enrolled."""

from __future__ import annotations

from typing import Any
import uuid

from hypothesis import given

from ironic_inspector.conductor import enrolling
from tests.unit.plugins import arbitrary

MACS = ['52:54:00:00:00:01', '52:54:00:00:00:02']
BMC = ['192.0.2.1']


def identity(macs: list[str], bmc: list[str] | None = None, serial: Any = 'S1') -> str:
    data = {'inventory': {'system_vendor': {'serial_number': serial}}}
    return enrolling.identity(data, {'mac': macs, 'bmc_address': bmc or []})


def test_a_machine_stays_the_same() -> None:
    # Nodes that are there have these UUIDs: they must not change from one release to the next.
    assert identity(MACS) == 'c102d394-fa14-5a04-8dbb-6e5ade81f9f2'
    assert identity(list(reversed(MACS)) * 2, BMC) == identity(MACS)


def test_machines_differ() -> None:
    found = {
        identity(MACS),
        identity(MACS[:1]),
        identity(MACS, serial='S2'),
        identity(MACS, serial=None),
        identity([], BMC),
        identity([], ['192.0.2.2']),
    }
    assert len(found) == 6


@given(data=arbitrary.spoiled(('inventory', 'boot_interface')))
@arbitrary.SETTINGS
def test_whatever_is_sent_makes_a_uuid(data: dict[str, Any]) -> None:
    assert uuid.UUID(enrolling.identity(data, {'mac': MACS, 'bmc_address': []})).version == 5
