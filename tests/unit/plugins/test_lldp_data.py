"""Where the LLDP data of a ramdisk are, and what is made of those that are malformed."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
import pytest

from ironic_inspector.plugins import interfaces
from ironic_inspector.plugins import lldp_data
from tests.unit.plugins import arbitrary
from tests.unit.plugins import lldp_machines
from tests.unit.plugins.lldp_machines import FRAME
from tests.unit.plugins.lldp_machines import OTHER_FRAME
from tests.unit.plugins.lldp_machines import machine

LEAF = {'switch_chassis_id': '00:00:5e:00:53:e1', 'switch_port_id': 'eth1', 'switch_system_name': 'leaf'}
SPINE = {'switch_chassis_id': '00:00:5e:00:53:e2', 'switch_port_id': 'eth2', 'switch_system_name': 'spine'}


def parsed(data: dict[str, Any]) -> dict[str, Any]:
    return lldp_data.parse(data, interfaces.known(data), None)


@pytest.mark.parametrize(
    ('lldp_raw', 'lldp', 'expected'),
    [
        ({'eth0': FRAME, 'ib0': OTHER_FRAME}, {}, {'eth0': LEAF, 'ib0': SPINE}),
        (None, {'eth0': FRAME, 'ib0': OTHER_FRAME}, {'eth0': LEAF, 'ib0': SPINE}),
        ({'eth0': FRAME}, {'eth0': OTHER_FRAME, 'ib0': OTHER_FRAME}, {'eth0': LEAF, 'ib0': SPINE}),
        ({'eth0': []}, {'eth0': OTHER_FRAME}, {'eth0': SPINE}),
        ({'eth0': 'none'}, {'eth0': OTHER_FRAME}, {'eth0': SPINE}),
        ({'other': FRAME}, {}, {}),
        ({}, {}, {}),
        (None, {}, {}),
    ],
)
def test_places(lldp_raw: Any, lldp: dict[str, Any], expected: dict[str, Any]) -> None:
    assert parsed(machine(lldp_raw, lldp)) == expected


@pytest.mark.parametrize('frame', [[[0, '']], [[3, '0078']], [[99, '00']], [[5, 'ff']], []])
def test_an_interface_of_which_nothing_is_known_is_left_out(frame: list[Any]) -> None:
    assert parsed(machine({'eth0': frame, 'ib0': FRAME})) == {'ib0': LEAF}


def test_nothing_comes_after_the_end() -> None:
    assert parsed(machine({'eth0': [*FRAME, [0, ''], [4, '61'], [8, '0501c0000201']]})) == {'eth0': LEAF}


def test_digits_of_both_cases() -> None:
    assert parsed(machine({'eth0': [[5, '6C656146']]})) == {'eth0': {'switch_system_name': 'leaF'}}


@pytest.mark.parametrize(
    'tlv',
    [
        None,
        7,
        'x',
        {},
        [],
        [5],
        [5, '61', '62'],
        ['5', '61'],
        [True, '61'],
        [5.0, '61'],
        [5, 61],
        [5, None],
        [5, 'zz'],
        [5, '616'],
        [5, '61 62'],
        [5, 'é1'],
        [5, '61' * 512],
    ],
)
def test_what_is_no_tlv_is_skipped(tlv: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert parsed(machine({'eth0': [tlv, *FRAME]})) == {'eth0': LEAF}
    assert "'eth0': TLV [0] must be [type, hexadecimal digits], not " in caplog.text
    assert len(caplog.text) < 500


def test_one_warning_tells_of_all_faults(caplog: pytest.LogCaptureFixture) -> None:
    data = machine({'eth0': [[7, '0014'], [127, '0080c202'], 'x'], 'ib0': {'a': 1}})
    assert parsed(data) == {}
    (message,) = (record.getMessage() for record in caplog.records if record.levelname == 'WARNING')
    for fault in (
        "'eth0': TLV 7 (0014): it has 2 octets instead of 4",
        "'eth0': TLV of IEEE 802.1 2 (): it has 0 octets instead of 3",
        "'eth0': TLV [2] must be [type, hexadecimal digits], not 'x'",
        "'ib0': the TLVs must be a list, not {'a': 1}",
    ):
        assert fault in message


@pytest.mark.parametrize('raw', ['none', 5, True, [1, 2]])
def test_lldp_raw_must_be_an_object(raw: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert parsed(machine(raw, {'eth0': FRAME})) == {'eth0': LEAF}
    assert 'lldp_raw must be an object, not ' in caplog.text


def test_a_flood_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    flood = [[5, 'ff']] * (lldp_data.MAX_TLVS - 1)
    data = machine({'eth0': [*flood, [4, '61'], [6, '61']], 'ib0': FRAME})
    assert parsed(data) == {'eth0': {'switch_port_description': 'a'}}
    assert len(caplog.text) < 5000
    assert parsed(machine({'eth0': [*flood, [4, '61']]})) == {'eth0': {'switch_port_description': 'a'}}


@given(data=lldp_machines.hostile())
@arbitrary.SETTINGS
def test_anything_may_stand_anywhere(data: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.clear()
    size = len(json.dumps(data))
    found = parsed(data)
    assert found.keys() <= {'eth0', 'ib0'}
    assert len(json.dumps(found)) < 10 * size
    assert all(len(record.getMessage()) < 10_000 for record in caplog.records)
