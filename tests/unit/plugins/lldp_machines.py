"""Machines with LLDP data for the tests of hooks."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ironic_inspector.plugins.validate_interfaces import ValidateInterfacesHook
from tests.unit.common import lldp_frames
from tests.unit.plugins import arbitrary
from tests.unit.plugins.nodes import JsonObject
from tests.unit.plugins.nodes import configured
from tests.unit.plugins.nodes import sample

ETH0 = '52:54:00:aa:bb:01'
IB0 = '52:54:00:aa:bb:02'

FRAME: list[Any] = [[1, '0400005e0053e1'], [2, '0565746831'], [5, '6c656166']]
OTHER_FRAME: list[Any] = [[1, '0400005e0053e2'], [2, '0565746832'], [5, '7370696e65']]


def machine(lldp_raw: Any = None, lldp: dict[str, Any] | None = None) -> JsonObject:
    """Return the sample, past validate_interfaces, with `lldp_raw` and with `lldp` by interface in the inventory."""
    data = sample()
    if lldp_raw is not None:
        data['lldp_raw'] = lldp_raw
    for interface in data['inventory']['interfaces']:
        interface['lldp'] = (lldp or {}).get(interface['name'])
    configured(ValidateInterfacesHook(), processing__add_ports='all').before_processing(data)
    return data


def hostile() -> st.SearchStrategy[JsonObject]:
    """Machines with anything in place of their LLDP data, or of parts of them."""
    digits = st.binary(max_size=30).map(bytes.hex) | arbitrary.JSON
    tlv = st.tuples(st.integers(-1, 130) | arbitrary.JSON, digits).map(list) | arbitrary.JSON
    mutated = lldp_frames.mutated().map(lambda frame: [[kind, value.hex()] for kind, value in frame])
    frame = st.lists(tlv, max_size=8) | mutated | arbitrary.JSON
    raw = st.dictionaries(st.sampled_from(['eth0', 'ib0', 'other']), frame, max_size=3) | arbitrary.JSON
    return st.builds(machine, raw, st.fixed_dictionaries({'eth0': frame, 'ib0': frame}))
