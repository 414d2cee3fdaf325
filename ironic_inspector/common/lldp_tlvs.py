"""The TLVs of the Link Layer Discovery Protocol: their numbers, and parsers of their values.

A switch sends a frame of TLVs, each a type (7 bits), a length (9 bits) and a value, the information string. A parser
takes the value, `SysName.parse(octets)`, and returns a `construct.Container` with the fields as attributes; it raises
`construct.ConstructError` for a value that is malformed. What follows the fields is ignored. Names and fields are those
of ironic-inspector 12.5.

Sources: IEEE 802.1AB clause 8 (basic TLVs), IEEE 802.1Q annex D (VLANs), IEEE 802.1AX annex F (link aggregation, in
802.1AB-2005 an annex of its own) and IEEE 802.3 clause 79 (MAC and PHY).
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
import socket
from typing import Any

import construct
from construct import this

MAX_LENGTH = 511
"""Octets of a value at most: what nine bits can say."""

# Types, IEEE 802.1AB table 8-1

LLDP_TLV_END_LLDPPDU = 0
LLDP_TLV_CHASSIS_ID = 1
LLDP_TLV_PORT_ID = 2
LLDP_TLV_TTL = 3
LLDP_TLV_PORT_DESCRIPTION = 4
LLDP_TLV_SYS_NAME = 5
LLDP_TLV_SYS_DESCRIPTION = 6
LLDP_TLV_SYS_CAPABILITIES = 7
LLDP_TLV_MGMT_ADDRESS = 8
LLDP_TLV_ORG_SPECIFIC = 127

# Organisations and their subtypes: IEEE 802.1Q table D-1, IEEE 802.3 table 79-1

LLDP_802dot1_OUI = '0080c2'
LLDP_802dot3_OUI = '00120f'

dot1_PORT_VLANID = 1
dot1_PORT_PROTOCOL_VLANID = 2
dot1_VLAN_NAME = 3
dot1_PROTOCOL_IDENTITY = 4
dot1_MANAGEMENT_VID = 6
dot1_LINK_AGGREGATION = 7

dot3_MACPHY_CONFIG_STATUS = 1
dot3_LINK_AGGREGATION = 3
dot3_MTU = 4


def mapping_for_enum(mapping: Mapping[tuple[str, int], Any]) -> dict[str, int]:
    """Return the numbers by their names, of a mapping {(name, number): parser}."""
    return {name: number for name, number in mapping}  # noqa: C416


def mapping_for_switch(mapping: Mapping[tuple[str, int], Any]) -> dict[str, Any]:
    """Return the parsers by their names, of a mapping {(name, number): parser}."""
    return {name: parser for (name, _), parser in mapping.items()}


def _chosen_by(mapping: Mapping[tuple[str, int], Any], field: Any) -> tuple[Any, Any]:
    """Return the parser of a number, and that of a value of the kind that `field` says; None if it is not known."""
    kinds = construct.Enum(construct.Byte, **mapping_for_enum(mapping))
    return kinds, construct.Switch(field, mapping_for_switch(mapping))


def _address(length: int, to_text: Callable[[bytes], str], to_octets: Callable[[str], bytes]) -> Any:
    return construct.ExprAdapter(
        construct.Bytes(length), lambda octets, _context: to_text(octets), lambda text, _context: to_octets(text)
    )


def _inet(length: int, family: socket.AddressFamily) -> Any:
    return _address(
        length, lambda octets: socket.inet_ntop(family, octets), lambda text: socket.inet_pton(family, text)
    )


def _text() -> Any:
    octets = construct.ExprValidator(construct.GreedyBytes, lambda octets, _context: len(octets) <= MAX_LENGTH)
    return construct.Struct('value' / construct.StringEncoded(octets, 'utf8'))


# Addresses: numbers of families as IANA's "Address Family Numbers" has them

IPv4Address = _inet(4, socket.AF_INET)
IPv6Address = _inet(16, socket.AF_INET6)
MACAddress = _address(6, lambda octets: octets.hex(':'), lambda text: bytes.fromhex(text.replace(':', '')))

IANA_ADDRESS_FAMILY_ID_MAPPING = {('ipv4', 1): IPv4Address, ('ipv6', 2): IPv6Address, ('mac', 6): MACAddress}

_family, _address_of_family = _chosen_by(IANA_ADDRESS_FAMILY_ID_MAPPING, this.family)

IANAAddress = construct.Struct('family' / _family, 'value' / _address_of_family)
"""`family` (ipv4, ipv6, mac, or its number) and `value`, text; None in an unknown family."""

# Basic TLVs, IEEE 802.1AB clause 8.5

CHASSIS_ID_MAPPING = {
    ('entPhysAlias_c', 1): _text(),
    ('ifAlias', 2): _text(),
    ('entPhysAlias_p', 3): _text(),
    ('mac_address', 4): construct.Struct('value' / MACAddress),
    ('IANA_address', 5): IANAAddress,
    ('ifName', 6): _text(),
    ('local', 7): _text(),
}
PORT_ID_MAPPING = {
    ('ifAlias', 1): _text(),
    ('entPhysicalAlias', 2): _text(),
    ('mac_address', 3): construct.Struct('value' / MACAddress),
    ('IANA_address', 4): IANAAddress,
    ('ifName', 5): _text(),
    ('local', 7): _text(),
}

_chassis_subtype, _chassis_value = _chosen_by(CHASSIS_ID_MAPPING, this.subtype)
_port_subtype, _port_value = _chosen_by(PORT_ID_MAPPING, this.subtype)

ChassisId = construct.Struct('subtype' / _chassis_subtype, 'value' / _chassis_value)
"""802.1AB 8.5.2: `subtype`, a name or its number, and `value.value`; `value` is None for an unknown subtype."""

PortId = construct.Struct('subtype' / _port_subtype, 'value' / _port_value)
"""802.1AB 8.5.3: as ChassisId."""

PortDesc = _text()
"""802.1AB 8.5.5: `value`, UTF-8."""

SysName = _text()
"""802.1AB 8.5.6: `value`, UTF-8."""

SysDesc = _text()
"""802.1AB 8.5.7: `value`, UTF-8."""

Capabilities = construct.BitStruct(
    construct.Padding(5),
    'tpmr' / construct.Bit,
    'svlan' / construct.Bit,
    'cvlan' / construct.Bit,
    'station' / construct.Bit,
    'docsis' / construct.Bit,
    'telephone' / construct.Bit,
    'router' / construct.Bit,
    'wlan' / construct.Bit,
    'bridge' / construct.Bit,
    'repeater' / construct.Bit,
    construct.Padding(1),
)
"""802.1AB table 8-4, each 1 or 0; the last bit stands for other capabilities."""

SysCapabilities = construct.Struct('system' / Capabilities, 'enabled' / Capabilities)
"""802.1AB 8.5.8: what the system can do, and what of that is switched on."""

MgmtAddress = construct.Struct(
    'len' / construct.Byte,
    'family' / _family,
    'address' / construct.FixedSized(this.len - 1, _address_of_family),
)
"""802.1AB 8.5.9: `len` of family and address in octets; `address`, text; None in an unknown family."""

OrgSpecific = construct.Struct('oui' / construct.Bytes(3), 'subtype' / construct.Byte)
"""802.1AB 8.6: what a TLV of an organisation begins with."""

# TLVs of IEEE 802.1, 802.1Q annex D.2; the last one 802.1AX annex F


def _flags(padding: int, *names: str) -> Any:
    return construct.BitStruct(
        construct.Padding(padding),
        *(name / construct.Flag for name in names),
        construct.Padding(8 - padding - len(names)),
    )


Dot1_UntaggedVlanId = construct.Struct('value' / construct.Int16ub)
"""The port's VLAN id (PVID); 0 if it has none."""

Dot1_PortProtocolVlan = construct.Struct('flags' / _flags(5, 'enabled', 'supported'), 'vlanid' / construct.Int16ub)
"""A VLAN for some protocols: `flags.enabled`, `flags.supported` and `vlanid`."""

Dot1_VlanName = construct.Struct(
    'vlanid' / construct.Int16ub,
    'name_len' / construct.Byte,
    'vlan_name' / construct.StringEncoded(construct.Bytes(this.name_len), 'utf8'),
)
"""A VLAN of the port."""

Dot1_ProtocolIdentity = construct.Struct('len' / construct.Byte, 'protocol' / construct.Bytes(this.len))
"""The first octets of a protocol's frames, from the EtherType on."""

Dot1_MgmtVlanId = construct.Struct('value' / construct.Int16ub)
"""The VLAN that the switch is managed in."""

Dot1_LinkAggregationId = construct.Struct('status' / _flags(6, 'enabled', 'supported'), 'portid' / construct.Int32ub)
"""`status.enabled`, `status.supported`, and the number of the aggregated port. IEEE 802.3 has the same TLV."""

# TLVs of IEEE 802.3, clause 79.3

Dot3_MACPhy_Config_Status = construct.Struct(
    'autoneg' / _flags(6, 'enabled', 'supported'),
    'pmd_autoneg'
    / construct.BitStruct(
        construct.Padding(1),
        '_10base_t_hdx' / construct.Bit,
        '_10base_t_fdx' / construct.Bit,
        '_10base_t4' / construct.Bit,  # in truth 100BASE-T4: the name that plug-ins know
        '_100base_tx_hdx' / construct.Bit,
        '_100base_tx_fdx' / construct.Bit,
        '_100base_t2_hdx' / construct.Bit,
        '_100base_t2_fdx' / construct.Bit,
        'pause_fdx' / construct.Bit,
        'asym_pause' / construct.Bit,
        'sym_pause' / construct.Bit,
        'asym_sym_pause' / construct.Bit,
        '_1000base_x_hdx' / construct.Bit,
        '_1000base_x_fdx' / construct.Bit,
        '_1000base_t_hdx' / construct.Bit,
        '_1000base_t_fdx' / construct.Bit,
    ),
    'mau_type' / construct.Int16ub,
)
"""Auto-negotiation: `autoneg.enabled`, `autoneg.supported`, what is advertised (`get_autoneg_cap`), and in use.

The bits of `pmd_autoneg` are those of ifMauAutoNegCapAdvertisedBits (RFC 4836); `mau_type` is a key of OPER_MAU_TYPES.
"""

Dot3_MTU = construct.Struct('value' / construct.Int16ub)
"""The largest frame in octets."""

_ADVERTISED = {
    '_10base_t_hdx': '10BASE-T hdx',
    '_10base_t_fdx': '10BASE-T fdx',
    '_10base_t4': '100BASE-T4',
    '_100base_tx_hdx': '100BASE-TX hdx',
    '_100base_tx_fdx': '100BASE-TX fdx',
    '_100base_t2_hdx': '100BASE-T2 hdx',
    '_100base_t2_fdx': '100BASE-T2 fdx',
    'pause_fdx': 'PAUSE fdx',
    'asym_pause': 'Asym PAUSE fdx',
    'sym_pause': 'Sym PAUSE fdx',
    'asym_sym_pause': 'Asym and Sym PAUSE fdx',
    '_1000base_x_hdx': '1000BASE-X hdx',
    '_1000base_x_fdx': '1000BASE-X fdx',
    '_1000base_t_hdx': '1000BASE-T hdx',
    '_1000base_t_fdx': '1000BASE-T fdx',
}


def get_autoneg_cap(pmd: Any) -> list[str]:
    """Return the names, sorted, of what `pmd_autoneg` of a Dot3_MACPhy_Config_Status advertises."""
    return sorted(name for field, name in _ADVERTISED.items() if pmd[field])


OPER_MAU_TYPES = dict(
    enumerate(
        (
            'Unknown',
            'AUI',
            '10BASE-5',
            'FOIRL',
            '10BASE-2',
            '10BASE-T duplex mode unknown',
            '10BASE-FP',
            '10BASE-FB',
            '10BASE-FL duplex mode unknown',
            '10BROAD36',
            '10BASE-T half duplex',
            '10BASE-T full duplex',
            '10BASE-FL half duplex',
            '10BASE-FL full duplex',
            '100 BASE-T4',
            '100BASE-TX half duplex',
            '100BASE-TX full duplex',
            '100BASE-FX half duplex',
            '100BASE-FX full duplex',
            '100BASE-T2 half duplex',
            '100BASE-T2 full duplex',
            '1000BASE-X half duplex',
            '1000BASE-X full duplex',
            '1000BASE-LX half duplex',
            '1000BASE-LX full duplex',
            '1000BASE-SX half duplex',
            '1000BASE-SX full duplex',
            '1000BASE-CX half duplex',
            '1000BASE-CX full duplex',
            '1000BASE-T half duplex',
            '1000BASE-T full duplex',
            *('10GBASE-X', '10GBASE-LX4', '10GBASE-R', '10GBASE-ER', '10GBASE-LR', '10GBASE-SR', '10GBASE-W'),
            *('10GBASE-EW', '10GBASE-LW', '10GBASE-SW', '10GBASE-CX4', '2BASE-TL', '10PASS-TS', '100BASE-BX10D'),
            *('100BASE-BX10U', '100BASE-LX10', '1000BASE-BX10D', '1000BASE-BX10U', '1000BASE-LX10', '1000BASE-PX10D'),
            *('1000BASE-PX10U', '1000BASE-PX20D', '1000BASE-PX20U', '10GBASE-T', '10GBASE-LRM', '1000BASE-KX'),
            *('10GBASE-KX4', '10GBASE-KR', '10/1GBASE-PRX-D1', '10/1GBASE-PRX-D2', '10/1GBASE-PRX-D3'),
            *('10/1GBASE-PRX-U1', '10/1GBASE-PRX-U2', '10/1GBASE-PRX-U3', '10GBASE-PR-D1', '10GBASE-PR-D2'),
            *('10GBASE-PR-D3', '10GBASE-PR-U1', '10GBASE-PR-U3', '40GBASE-KR4', '40GBASE-CR4', '40GBASE-SR4'),
            *('40GBASE-FR', '40GBASE-LR4', '100GBASE-CR10', '100GBASE-SR10', '100GBASE-LR4', '100GBASE-ER4'),
            *('1000BASE-T1', '1000BASE-PX30D', '1000BASE-PX30U', '1000BASE-PX40D', '1000BASE-PX40U'),
            *('10/1GBASE-PRX-D4', '10/1GBASE-PRX-U4', '10GBASE-PR-D4', '10GBASE-PR-U4', '25GBASE-CR', '25GBASE-CR-S'),
            *('25GBASE-KR', '25GBASE-KR-S', '25GBASE-R', '25GBASE-SR', '25GBASE-T', '40GBASE-ER4', '40GBASE-R'),
            *('40GBASE-T', '100GBASE-CR4', '100GBASE-KR4', '100GBASE-KP4', '100GBASE-R', '100GBASE-SR4'),
            *('2.5GBASE-T', '5GBASE-T', '100BASE-T1', '1000BASE-RHA', '1000BASE-RHB', '1000BASE-RHC', '2.5GBASE-KX'),
            *('2.5GBASE-X', '5GBASE-KR', '5GBASE-R', '10GPASS-XR', '25GBASE-LR', '25GBASE-ER', '50GBASE-R'),
            *('50GBASE-CR', '50GBASE-KR', '50GBASE-SR', '50GBASE-FR', '50GBASE-LR', '50GBASE-ER', '100GBASE-CR2'),
            *('100GBASE-KR2', '100GBASE-SR2', '100GBASE-DR', '200GBASE-R', '200GBASE-DR4', '200GBASE-FR4'),
            *('200GBASE-LR4', '200GBASE-CR4', '200GBASE-KR4', '200GBASE-SR4', '200GBASE-ER4', '400GBASE-R'),
            *('400GBASE-SR16', '400GBASE-DR4', '400GBASE-FR8', '400GBASE-LR8', '400GBASE-ER8', '10BASE-T1L'),
            *('10BASE-T1S half duplex', '10BASE-T1S multidrop', '10BASE-T1S full duplex'),
        )
    )
)
"""Kinds of connection by the number of their dot3MauType in IANA-MAU-MIB."""
