"""Parsers of the values of LLDP's TLVs."""

from __future__ import annotations

import inspect
from typing import Any

import construct
from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector.common import lldp_tlvs as tlv

PARSERS = {
    name: value
    for name, value in inspect.getmembers(tlv)
    if isinstance(value, construct.Construct) and not name.startswith('_')
}


def plain(parsed: Any) -> Any:
    """What was parsed, as a dict without what construct keeps for itself."""
    if isinstance(parsed, construct.Container):
        return {key: plain(value) for key, value in parsed.items() if key != '_io'}
    return parsed


def test_numbers() -> None:
    numbers = {
        'LLDP_TLV_END_LLDPPDU': 0,
        'LLDP_TLV_CHASSIS_ID': 1,
        'LLDP_TLV_PORT_ID': 2,
        'LLDP_TLV_TTL': 3,
        'LLDP_TLV_PORT_DESCRIPTION': 4,
        'LLDP_TLV_SYS_NAME': 5,
        'LLDP_TLV_SYS_DESCRIPTION': 6,
        'LLDP_TLV_SYS_CAPABILITIES': 7,
        'LLDP_TLV_MGMT_ADDRESS': 8,
        'LLDP_TLV_ORG_SPECIFIC': 127,
        'LLDP_802dot1_OUI': '0080c2',
        'LLDP_802dot3_OUI': '00120f',
        'dot1_PORT_VLANID': 1,
        'dot1_PORT_PROTOCOL_VLANID': 2,
        'dot1_VLAN_NAME': 3,
        'dot1_PROTOCOL_IDENTITY': 4,
        'dot1_MANAGEMENT_VID': 6,
        'dot1_LINK_AGGREGATION': 7,
        'dot3_MACPHY_CONFIG_STATUS': 1,
        'dot3_LINK_AGGREGATION': 3,
        'dot3_MTU': 4,
    }
    assert {name: getattr(tlv, name) for name in numbers} == numbers


@pytest.mark.parametrize(
    ('octets', 'subtype', 'number', 'value'),
    [
        ('01636831', 'entPhysAlias_c', 1, 'ch1'),
        ('02616c', 'ifAlias', 2, 'al'),
        ('03627034', 'entPhysAlias_p', 3, 'bp4'),
        ('0400005e0053e1', 'mac_address', 4, '00:00:5e:00:53:e1'),
        ('0501c0000201', 'IANA_address', 5, '192.0.2.1'),
        ('050220010db8000000000000000000000001', 'IANA_address', 5, '2001:db8::1'),
        ('050600005e0053e1', 'IANA_address', 5, '00:00:5e:00:53:e1'),
        ('0665746830', 'ifName', 6, 'eth0'),
        ('076e616d65', 'local', 7, 'name'),
        ('07c3a9', 'local', 7, 'é'),
    ],
)
def test_chassis_id(octets: str, subtype: str, number: int, value: str) -> None:
    parsed = tlv.ChassisId.parse(bytes.fromhex(octets))
    assert parsed.subtype == subtype
    assert int(parsed.subtype) == number
    assert parsed.value.value == value


@pytest.mark.parametrize(
    ('octets', 'subtype', 'value'),
    [
        ('01616c', 'ifAlias', 'al'),
        ('02627034', 'entPhysicalAlias', 'bp4'),
        ('0300005e0053e1', 'mac_address', '00:00:5e:00:53:e1'),
        ('0401c0000201', 'IANA_address', '192.0.2.1'),
        ('0545746865726e6574312f37', 'ifName', 'Ethernet1/7'),
        ('07353137', 'local', '517'),
    ],
)
def test_port_id(octets: str, subtype: str, value: str) -> None:
    parsed = tlv.PortId.parse(bytes.fromhex(octets))
    assert parsed.subtype == subtype
    assert parsed.value.value == value


@pytest.mark.parametrize('parser', [tlv.ChassisId, tlv.PortId])
@pytest.mark.parametrize('octets', ['00', '08ff', 'ff'])
def test_an_unknown_subtype_has_no_value(parser: Any, octets: str) -> None:
    assert plain(parser.parse(bytes.fromhex(octets))) == {'subtype': int(octets[:2], 16), 'value': None}


def test_an_address_of_an_unknown_family_has_no_value() -> None:
    assert plain(tlv.IANAAddress.parse(b'\x10abc')) == {'family': 16, 'value': None}
    assert plain(tlv.MgmtAddress.parse(b'\x04\x10abc')) == {'len': 4, 'family': 16, 'address': None}


@pytest.mark.parametrize(
    ('octets', 'expected'),
    [
        ('0501c00002fa020000001100', {'len': 5, 'family': 'ipv4', 'address': '192.0.2.250'}),
        ('110220010db8000000000000000000000250', {'len': 17, 'family': 'ipv6', 'address': '2001:db8::250'}),
        ('110200000000000000000000000000000001', {'len': 17, 'family': 'ipv6', 'address': '::1'}),
        ('070600005e0053c1020000001100', {'len': 7, 'family': 'mac', 'address': '00:00:5e:00:53:c1'}),
    ],
)
def test_management_address(octets: str, expected: dict[str, Any]) -> None:
    assert plain(tlv.MgmtAddress.parse(bytes.fromhex(octets))) == expected


@pytest.mark.parametrize('parser', [tlv.PortDesc, tlv.SysName, tlv.SysDesc])
@pytest.mark.parametrize('text', ['', 'leaf-1', 'süd', 'x' * tlv.MAX_LENGTH])
def test_text(parser: Any, text: str) -> None:
    octets = text.encode()
    assert parser.parse(octets).value == text
    assert parser.build({'value': text}) == octets


@pytest.mark.parametrize(
    ('bit', 'name'),
    list(
        enumerate(
            ['repeater', 'bridge', 'wlan', 'router', 'telephone', 'docsis', 'station', 'cvlan', 'svlan', 'tpmr'],
            start=1,
        )
    ),
)
def test_capabilities(bit: int, name: str) -> None:
    parsed = tlv.SysCapabilities.parse((1 << bit).to_bytes(2, 'big') + bytes(2))
    assert [field for field, value in plain(parsed.system).items() if value] == [name]
    assert not any(plain(parsed.enabled).values())


@pytest.mark.parametrize(
    ('parser', 'octets', 'expected'),
    [
        ('OrgSpecific', '0080c2010064', {'oui': b'\x00\x80\xc2', 'subtype': 1}),
        ('Dot1_UntaggedVlanId', '0064', {'value': 100}),
        ('Dot1_PortProtocolVlan', '020064', {'flags': {'enabled': False, 'supported': True}, 'vlanid': 100}),
        ('Dot1_PortProtocolVlan', '040064', {'flags': {'enabled': True, 'supported': False}, 'vlanid': 100}),
        ('Dot1_VlanName', '00640474657374', {'vlanid': 100, 'name_len': 4, 'vlan_name': 'test'}),
        ('Dot1_ProtocolIdentity', '0288cc', {'len': 2, 'protocol': b'\x88\xcc'}),
        ('Dot1_MgmtVlanId', '0001', {'value': 1}),
        ('Dot1_LinkAggregationId', '0100000007', {'status': {'enabled': False, 'supported': True}, 'portid': 7}),
        ('Dot1_LinkAggregationId', '0200000007', {'status': {'enabled': True, 'supported': False}, 'portid': 7}),
        ('Dot3_MTU', '2400', {'value': 9216}),
    ],
)
def test_values_of_organisations(parser: str, octets: str, expected: dict[str, Any]) -> None:
    assert plain(getattr(tlv, parser).parse(bytes.fromhex(octets))) == expected


@pytest.mark.parametrize(
    ('bit', 'name'),
    list(
        enumerate(
            [
                '1000BASE-T fdx',
                '1000BASE-T hdx',
                '1000BASE-X fdx',
                '1000BASE-X hdx',
                'Asym and Sym PAUSE fdx',
                'Sym PAUSE fdx',
                'Asym PAUSE fdx',
                'PAUSE fdx',
                '100BASE-T2 fdx',
                '100BASE-T2 hdx',
                '100BASE-TX fdx',
                '100BASE-TX hdx',
                '100BASE-T4',
                '10BASE-T fdx',
                '10BASE-T hdx',
            ]
        )
    ),
)
def test_what_is_advertised(bit: int, name: str) -> None:
    parsed = tlv.Dot3_MACPhy_Config_Status.parse(b'\x01' + (1 << bit).to_bytes(2, 'big') + b'\x00\x1e')
    assert tlv.get_autoneg_cap(parsed.pmd_autoneg) == [name]
    assert plain(parsed.autoneg) == {'enabled': False, 'supported': True}
    assert parsed.mau_type == 30


@pytest.mark.parametrize(
    ('number', 'name'),
    [
        (0, 'Unknown'),
        (9, '10BROAD36'),
        (16, '100BASE-TX full duplex'),
        (30, '1000BASE-T full duplex'),
        (36, '10GBASE-SR'),
        (53, '1000BASE-PX20U'),
        (54, '10GBASE-T'),
        (72, '40GBASE-SR4'),
        (93, '25GBASE-SR'),
        (102, '100GBASE-SR4'),
        (126, '100GBASE-DR'),
        (140, '400GBASE-ER8'),
        (144, '10BASE-T1S full duplex'),
    ],
)
def test_kinds_of_connection(number: int, name: str) -> None:
    assert tlv.OPER_MAU_TYPES[number] == name


@pytest.mark.parametrize(
    ('parser', 'octets'),
    [
        ('ChassisId', ''),
        ('ChassisId', '040000'),
        ('ChassisId', '05'),
        ('ChassisId', '0501c00002'),
        ('ChassisId', '07ff'),
        ('PortId', ''),
        ('SysName', '53fc64'),
        ('SysName', '61' * (tlv.MAX_LENGTH + 1)),
        ('SysCapabilities', '0014'),
        ('MgmtAddress', ''),
        ('MgmtAddress', '0001c0000201'),
        ('MgmtAddress', '0301c0000201'),
        ('MgmtAddress', 'ff01c0000201'),
        ('OrgSpecific', '0080c2'),
        ('Dot1_UntaggedVlanId', '00'),
        ('Dot1_VlanName', '00640561'),
        ('Dot1_VlanName', '006401ff'),
        ('Dot1_ProtocolIdentity', '0588'),
        ('Dot1_LinkAggregationId', '01'),
        ('Dot3_MACPhy_Config_Status', '036c1100'),
        ('Dot3_MTU', '24'),
    ],
)
def test_malformed(parser: str, octets: str) -> None:
    with pytest.raises(construct.ConstructError):
        getattr(tlv, parser).parse(bytes.fromhex(octets))


@given(parser=st.sampled_from(sorted(PARSERS)), octets=st.binary(max_size=600))
def test_anything_is_parsed_or_malformed(parser: str, octets: bytes) -> None:
    try:
        parsed = PARSERS[parser].parse(octets)
    except construct.ConstructError:
        return
    assert len(repr(plain(parsed))) < 5 * tlv.MAX_LENGTH + 1000
