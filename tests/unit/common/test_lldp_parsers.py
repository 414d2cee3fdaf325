"""From the TLVs of a frame to names and values."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector.common import lldp_parsers
from ironic_inspector.common import lldp_tlvs
from tests.unit.common import lldp_frames


def parsed(*tlvs: tuple[int, str]) -> dict[str, Any]:
    parser = lldp_parsers.LLDPBasicMgmtParser()
    for kind, digits in tlvs:
        assert parser.parse_tlv(kind, bytes.fromhex(digits))
    return parser.nv_dict


@pytest.mark.parametrize('name', lldp_frames.NAMES)
def test_frames(name: str) -> None:
    parser = lldp_parsers.LLDPBasicMgmtParser()
    for kind, value in lldp_frames.octets(name):
        parser.parse_tlv(kind, value)
    assert parser.nv_dict == lldp_frames.load(name)['expected']


def test_the_first_value_of_a_name_wins() -> None:
    assert parsed((5, '6161'), (5, '6262'), (127, '0080c2010064'), (127, '0080c2010065')) == {
        'switch_system_name': 'aa',
        'switch_port_untagged_vlan_id': 100,
    }


def test_the_first_flags_of_link_aggregation_win() -> None:
    assert parsed((127, '00120f030300000007'), (127, '0080c2070000000008')) == {
        'switch_port_link_aggregation_enabled': True,
        'switch_port_link_aggregation_support': True,
        'switch_port_link_aggregation_id': 7,
    }


def test_values_of_organisations_may_come_first() -> None:
    assert parsed((127, '0080c2010064'), (127, '00120f0405dc'), (5, '6161')) == {
        'switch_port_untagged_vlan_id': 100,
        'switch_port_mtu': 1500,
        'switch_system_name': 'aa',
    }


def test_lists_grow() -> None:
    assert parsed((8, '0501c0000201'), (8, '0501c0000202')) == {'switch_mgmt_addresses': ['192.0.2.1', '192.0.2.2']}


def test_an_address_of_an_unknown_family_is_left_out() -> None:
    assert parsed((8, '0410616263')) == {}


def test_an_unknown_kind_of_connection_leaves_the_rest() -> None:
    assert parsed((127, '00120f01032001ffff')) == {
        'switch_port_autonegotiation_enabled': True,
        'switch_port_autonegotiation_support': True,
        'switch_port_physical_capabilities': ['1000BASE-T fdx', '10BASE-T fdx'],
    }


@pytest.mark.parametrize(
    ('kind', 'digits', 'result'),
    [
        (0, '', True),
        (3, '0078', True),
        (127, '0012bb01000f04', True),
        (127, '0080c2ff00', True),
        (9, '00', False),
        (126, '', False),
    ],
)
def test_what_means_nothing_here(kind: int, digits: str, result: bool) -> None:
    faults: list[str] = []
    parser = lldp_parsers.LLDPBasicMgmtParser(faults=faults)
    assert parser.parse_tlv(kind, bytes.fromhex(digits)) is result
    assert parser.nv_dict == {}
    assert faults == []


@pytest.mark.parametrize(
    ('kind', 'digits', 'fault'),
    [
        (1, '', 'TLV 1 (): stream read less than specified amount, expected 1, found 0'),
        (1, '08ff', 'TLV 1 (08ff): its subtype or its family of addresses is not known: 08ff'),
        (2, '0410c000', 'TLV 2 (0410c000): its subtype or its family of addresses is not known: 0410'),
        (5, '53fc64', "TLV 5 (53fc64): cannot use encoding 'utf8' to decode b'S\\xfcd'"),
        (7, '0014', 'TLV 7 (0014): it has 2 octets instead of 4'),
        (127, '0080c2', 'TLV 127 (0080c2): stream read less'),
        (127, '0080c20200', 'TLV of IEEE 802.1 2 (00): it has 1 octets instead of 3'),
        (127, '00120f0124', 'TLV of IEEE 802.3 1 (24): it has 1 octets instead of 5'),
        (6, 'ff' * 400, f'TLV 6 ({"ff" * 16}…): cannot use encoding'),
    ],
)
def test_a_malformed_value_is_told_and_skipped(
    kind: int, digits: str, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    faults: list[str] = []
    collecting = lldp_parsers.LLDPBasicMgmtParser(faults=faults)
    logging = lldp_parsers.LLDPBasicMgmtParser()
    for parser in (collecting, logging):
        parser.parse_tlv(kind, bytes.fromhex(digits))
        assert parser.nv_dict == {}
        assert parser.parse_tlv(5, b'next')
        assert parser.nv_dict == {'switch_system_name': 'next'}
    assert len(faults) == 1
    assert faults[0].startswith(fault)
    assert len(faults[0]) < 200
    assert [record.getMessage().endswith(faults[0]) for record in caplog.records] == [True]


def test_the_parsers_of_organisations_by_themselves() -> None:
    values: dict[str, Any] = {}
    dot1 = lldp_parsers.LLDPdot1Parser(None, values)
    dot3 = lldp_parsers.LLDPdot3Parser(None, values)
    assert dot1.parse_tlv(lldp_tlvs.dot1_VLAN_NAME, b'\x00\x64\x01a')
    assert dot3.parse_tlv(lldp_tlvs.dot3_MTU, b'\x05\xdc')
    assert not dot3.parse_tlv(2, b'')
    assert dot1.nv_dict is dot3.nv_dict is values
    assert values == {'switch_port_vlans': [{'id': 100, 'name': 'a'}], 'switch_port_mtu': 1500}


class VendorParser(lldp_parsers.LLDPParser):
    """As a plug-in has it, written for ironic-inspector 12.5."""

    def __init__(self, node_info: Any, nv: dict[str, Any] | None = None) -> None:
        super().__init__(node_info, nv)
        self.parser_map = {
            1: (self.add_single_value, lldp_tlvs.SysName, 'vendor_serial', False),
            2: (self.add_slot, lldp_tlvs.Dot3_MTU, 'vendor_slots', True),
            3: (None, None, None, False),
        }

    def add_slot(self, struct: Any, name: str, data: bytes) -> None:
        if not struct.value:
            raise ValueError('no slot')
        self.append_value(name, (struct.value, data.hex()))


def test_parsers_of_plug_ins() -> None:
    parser = VendorParser(None, {})
    results = [parser.parse_tlv(*tlv) for tlv in ((1, b'x1'), (2, b'\x00\x07'), (2, b'\x00\x00'), (2, b''), (3, b''))]
    assert results == [True, True, False, False, True]
    assert parser.nv_dict == {'vendor_serial': 'x1', 'vendor_slots': [(7, '0007')]}


@given(
    frame=lldp_frames.mutated()
    | st.lists(st.tuples(st.integers(0, 127), st.binary(max_size=40)), max_size=10)
    | st.lists(st.tuples(st.just(127), st.sampled_from([b'\0\x80\xc2', b'\0\x12\x0f'])), max_size=10)
)
def test_any_frame_is_parsed(frame: list[lldp_frames.Tlv]) -> None:
    faults: list[str] = []
    parser = lldp_parsers.LLDPBasicMgmtParser(faults=faults)
    for kind, value in frame:
        parser.parse_tlv(kind, value)
    size = sum(len(value) for _, value in frame)
    assert len(json.dumps(parser.nv_dict)) < 10 * size + 60 * len(frame) + 1000
    assert all(len(fault) < 200 for fault in faults)
    assert len(faults) <= len(frame)
