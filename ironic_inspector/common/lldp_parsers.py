"""Names and values of what a switch says by LLDP, from the TLVs of a frame.

The names, LLDP_*_NM, are those in `lldp_processed` of the introspection data. For the TLVs see
`ironic_inspector.common.lldp_tlvs`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import construct

from ironic_inspector import utils
from ironic_inspector.common import lldp_tlvs as tlv

LOG = utils.getProcessingLogger(__name__)

# Basic TLVs, IEEE 802.1AB

LLDP_CHASSIS_ID_NM = 'switch_chassis_id'
LLDP_PORT_ID_NM = 'switch_port_id'
LLDP_PORT_DESC_NM = 'switch_port_description'
LLDP_SYS_NAME_NM = 'switch_system_name'
LLDP_SYS_DESC_NM = 'switch_system_description'
LLDP_SWITCH_CAP_NM = 'switch_capabilities'
LLDP_CAP_SUPPORT_NM = 'switch_capabilities_support'
LLDP_CAP_ENABLED_NM = 'switch_capabilities_enabled'
LLDP_MGMT_ADDRESSES_NM = 'switch_mgmt_addresses'

# IEEE 802.1

LLDP_PORT_VLANID_NM = 'switch_port_untagged_vlan_id'
LLDP_PORT_PROT_NM = 'switch_port_protocol'
LLDP_PORT_PROT_VLAN_ENABLED_NM = 'switch_port_protocol_vlan_enabled'
LLDP_PORT_PROT_VLAN_SUPPORT_NM = 'switch_port_protocol_vlan_support'
LLDP_PORT_PROT_VLANIDS_NM = 'switch_port_protocol_vlan_ids'
LLDP_PORT_VLANS_NM = 'switch_port_vlans'
LLDP_PROTOCOL_IDENTITIES_NM = 'switch_protocol_identities'
LLDP_PORT_MGMT_VLANID_NM = 'switch_port_management_vlan_id'
LLDP_PORT_LINK_AGG_NM = 'switch_port_link_aggregation'
LLDP_PORT_LINK_AGG_ENABLED_NM = 'switch_port_link_aggregation_enabled'
LLDP_PORT_LINK_AGG_SUPPORT_NM = 'switch_port_link_aggregation_support'
LLDP_PORT_LINK_AGG_ID_NM = 'switch_port_link_aggregation_id'

# IEEE 802.3

LLDP_PORT_MAC_PHY_NM = 'switch_port_mac_phy_config'
LLDP_PORT_LINK_AUTONEG_ENABLED_NM = 'switch_port_autonegotiation_enabled'
LLDP_PORT_LINK_AUTONEG_SUPPORT_NM = 'switch_port_autonegotiation_support'
LLDP_PORT_CAPABILITIES_NM = 'switch_port_physical_capabilities'
LLDP_PORT_MAU_TYPE_NM = 'switch_port_mau_type'
LLDP_MTU_NM = 'switch_port_mtu'

_CAPABILITIES = {
    'repeater': 'Repeater',
    'bridge': 'Bridge',
    'wlan': 'WLAN',
    'router': 'Router',
    'telephone': 'Telephone',
    'docsis': 'DOCSIS cable device',
    'station': 'Station only',
    'cvlan': 'C-Vlan',
    'svlan': 'S-Vlan',
    'tpmr': 'TPMR',
}

Handler = Callable[[Any, Any, bytes], Any]
"""Takes what a parser made of a value, the name to store it under, and the value itself."""
Entry = tuple['Handler | None', Any, 'str | None', bool]
"""A handler, the parser of the value, the name, and whether the value must have exactly the parser's length.

Without a parser the TLV is known, and means nothing here.
"""


class LLDPParser:
    """Collects names and values from TLVs; subclasses fill `parser_map`, an Entry by type.

    `nv_dict` has what was found. `faults` gets, in short, what is wrong with the values that were skipped; if there is
    no such list, that is logged.
    """

    _kind = 'TLV'

    def __init__(self, node_info: Any, nv: dict[str, Any] | None = None, faults: list[str] | None = None) -> None:
        """Collect into `nv`, or into an empty dict; `node_info`, which may be None, is named in the log."""
        self.nv_dict: dict[str, Any] = {} if nv is None else nv
        self.node_info = node_info
        self.parser_map: dict[int, Entry] = {}
        self.faults = faults

    def set_value(self, name: str, value: Any) -> None:
        """Set a value, unless there is one of that name."""
        self.nv_dict.setdefault(name, value)

    def append_value(self, name: str, value: Any) -> None:
        """Add a value to a list."""
        self.nv_dict.setdefault(name, []).append(value)

    def add_single_value(self, struct: Any, name: str, data: bytes) -> None:  # noqa: ARG002
        """Set a value that is all there is in a TLV."""
        self.set_value(name, struct.value)

    def add_nested_value(self, struct: Any, name: str, data: bytes) -> None:
        """Set the value of an id, which has a subtype."""
        value = struct.value and struct.value.value
        if value is None:
            raise ValueError(f'its subtype or its family of addresses is not known: {data[:2].hex()}')
        self.set_value(name, value)

    def parse_tlv(self, tlv_type: int, data: bytes) -> bool:
        """Take a TLV in. Return False if its type is not known, or its value malformed and therefore skipped."""
        entry = self.parser_map.get(tlv_type)
        if entry is None:
            return False
        handler, parser, name, exact = entry
        if handler is None or parser is None:
            return True
        try:
            if exact and len(data) != parser.sizeof():
                raise ValueError(f'it has {len(data)} octets instead of {parser.sizeof()}')
            handler(parser.parse(data), name, data)
        except (construct.ConstructError, ValueError) as exc:
            self._skipped(tlv_type, data, exc)
            return False
        return True

    def add_dot1_link_aggregation(self, struct: Any, name: str, data: bytes) -> None:  # noqa: ARG002
        """Set the values of link aggregation, which IEEE 802.1 and 802.3 have in the same form."""
        self.set_value(LLDP_PORT_LINK_AGG_ENABLED_NM, struct.status.enabled)
        self.set_value(LLDP_PORT_LINK_AGG_SUPPORT_NM, struct.status.supported)
        self.set_value(LLDP_PORT_LINK_AGG_ID_NM, struct.portid)

    def _skipped(self, tlv_type: int, data: bytes, reason: Exception) -> None:
        # The first line of construct's messages is a path of ours.
        text = str(reason).splitlines()[-1:] or [type(reason).__name__]
        value = data[:16].hex() + ('…' if data[16:] else '')
        fault = f'{self._kind} {tlv_type} ({value}): {text[0][:100]}'
        if self.faults is None:
            LOG.warning('A TLV of LLDP is skipped: %s', fault, node_info=self.node_info)
        else:
            self.faults.append(fault)


class LLDPBasicMgmtParser(LLDPParser):
    """The TLVs of IEEE 802.1AB clause 8, and through them those of IEEE 802.1 and 802.3."""

    def __init__(self, nv: Any = None, faults: list[str] | None = None) -> None:
        """Collect into an empty dict. `nv` is taken for the node, as ironic-inspector 12.5 did."""
        super().__init__(nv, faults=faults)
        self.parser_map = {
            tlv.LLDP_TLV_END_LLDPPDU: (None, None, None, False),
            tlv.LLDP_TLV_CHASSIS_ID: (self.add_nested_value, tlv.ChassisId, LLDP_CHASSIS_ID_NM, False),
            tlv.LLDP_TLV_PORT_ID: (self.add_nested_value, tlv.PortId, LLDP_PORT_ID_NM, False),
            tlv.LLDP_TLV_TTL: (None, None, None, False),
            tlv.LLDP_TLV_PORT_DESCRIPTION: (self.add_single_value, tlv.PortDesc, LLDP_PORT_DESC_NM, False),
            tlv.LLDP_TLV_SYS_NAME: (self.add_single_value, tlv.SysName, LLDP_SYS_NAME_NM, False),
            tlv.LLDP_TLV_SYS_DESCRIPTION: (self.add_single_value, tlv.SysDesc, LLDP_SYS_DESC_NM, False),
            tlv.LLDP_TLV_SYS_CAPABILITIES: (self.add_capabilities, tlv.SysCapabilities, LLDP_SWITCH_CAP_NM, True),
            tlv.LLDP_TLV_MGMT_ADDRESS: (self.add_mgmt_address, tlv.MgmtAddress, LLDP_MGMT_ADDRESSES_NM, False),
            tlv.LLDP_TLV_ORG_SPECIFIC: (self.handle_org_specific_tlv, tlv.OrgSpecific, None, False),
        }
        organisations = (
            (tlv.LLDP_802dot1_OUI, LLDPdot1Parser),
            (tlv.LLDP_802dot3_OUI, LLDPdot3Parser),
        )
        self._organisations = {
            bytes.fromhex(oui): parser(self.node_info, self.nv_dict, faults) for oui, parser in organisations
        }

    def add_mgmt_address(self, struct: Any, name: str, data: bytes) -> None:  # noqa: ARG002
        """Add an address of the switch, if it is of a family that is known."""
        if struct.address:
            self.append_value(name, struct.address)

    def add_capabilities(self, struct: Any, name: str, data: bytes) -> None:  # noqa: ARG002
        """Set what the switch can do, and what of that is switched on, as lists of names."""
        self.set_value(LLDP_CAP_SUPPORT_NM, self._get_capabilities_list(struct.system))
        self.set_value(LLDP_CAP_ENABLED_NM, self._get_capabilities_list(struct.enabled))

    def _get_capabilities_list(self, caps: Any) -> list[str]:
        return [name for field, name in _CAPABILITIES.items() if caps[field]]

    def handle_org_specific_tlv(self, struct: Any, name: Any, data: bytes) -> None:  # noqa: ARG002
        """Hand a TLV of IEEE 802.1 or 802.3 to its parser; those of others mean nothing here."""
        parser = self._organisations.get(struct.oui)
        if parser is not None:
            parser.parse_tlv(struct.subtype, data[4:])


class LLDPdot1Parser(LLDPParser):
    """The TLVs of IEEE 802.1Q annex D, by their subtype; the values without OUI and subtype."""

    _kind = 'TLV of IEEE 802.1'

    def __init__(self, node_info: Any, nv: dict[str, Any] | None = None, faults: list[str] | None = None) -> None:
        """See LLDPParser."""
        super().__init__(node_info, nv, faults)
        link_aggregation = (self.add_dot1_link_aggregation, tlv.Dot1_LinkAggregationId, LLDP_PORT_LINK_AGG_NM, True)
        self.parser_map = {
            tlv.dot1_PORT_VLANID: (self.add_single_value, tlv.Dot1_UntaggedVlanId, LLDP_PORT_VLANID_NM, False),
            tlv.dot1_PORT_PROTOCOL_VLANID: (
                self.add_dot1_port_protocol_vlan,
                tlv.Dot1_PortProtocolVlan,
                LLDP_PORT_PROT_NM,
                True,
            ),
            tlv.dot1_VLAN_NAME: (self.add_dot1_vlans, tlv.Dot1_VlanName, None, False),
            tlv.dot1_PROTOCOL_IDENTITY: (
                self.add_dot1_protocol_identities,
                tlv.Dot1_ProtocolIdentity,
                LLDP_PROTOCOL_IDENTITIES_NM,
                False,
            ),
            tlv.dot1_MANAGEMENT_VID: (self.add_single_value, tlv.Dot1_MgmtVlanId, LLDP_PORT_MGMT_VLANID_NM, False),
            tlv.dot1_LINK_AGGREGATION: link_aggregation,
        }

    def add_dot1_port_protocol_vlan(self, struct: Any, name: str, data: bytes) -> None:  # noqa: ARG002
        """Set whether the port has VLANs for some protocols, and add one of them."""
        self.set_value(LLDP_PORT_PROT_VLAN_ENABLED_NM, struct.flags.enabled)
        self.set_value(LLDP_PORT_PROT_VLAN_SUPPORT_NM, struct.flags.supported)
        self.append_value(LLDP_PORT_PROT_VLANIDS_NM, struct.vlanid)

    def add_dot1_vlans(self, struct: Any, name: Any, data: bytes) -> None:  # noqa: ARG002
        """Add a VLAN of the port, {name, id}."""
        self.append_value(LLDP_PORT_VLANS_NM, {'name': struct.vlan_name, 'id': struct.vlanid})

    def add_dot1_protocol_identities(self, struct: Any, name: str, data: bytes) -> None:  # noqa: ARG002
        """Add a protocol, in hexadecimal digits."""
        self.append_value(name, struct.protocol.hex())


class LLDPdot3Parser(LLDPParser):
    """The TLVs of IEEE 802.3 clause 79, by their subtype; the values without OUI and subtype."""

    _kind = 'TLV of IEEE 802.3'

    def __init__(self, node_info: Any, nv: dict[str, Any] | None = None, faults: list[str] | None = None) -> None:
        """See LLDPParser."""
        super().__init__(node_info, nv, faults)
        link_aggregation = (self.add_dot1_link_aggregation, tlv.Dot1_LinkAggregationId, LLDP_PORT_LINK_AGG_NM, True)
        self.parser_map = {
            tlv.dot3_MACPHY_CONFIG_STATUS: (
                self.add_dot3_macphy_config,
                tlv.Dot3_MACPhy_Config_Status,
                LLDP_PORT_MAC_PHY_NM,
                True,
            ),
            tlv.dot3_LINK_AGGREGATION: link_aggregation,
            tlv.dot3_MTU: (self.add_single_value, tlv.Dot3_MTU, LLDP_MTU_NM, False),
        }

    def add_dot3_macphy_config(self, struct: Any, name: str, data: bytes) -> None:  # noqa: ARG002
        """Set the values of auto-negotiation, and the kind of connection, if its number is known."""
        self.set_value(LLDP_PORT_LINK_AUTONEG_ENABLED_NM, struct.autoneg.enabled)
        self.set_value(LLDP_PORT_LINK_AUTONEG_SUPPORT_NM, struct.autoneg.supported)
        self.set_value(LLDP_PORT_CAPABILITIES_NM, tlv.get_autoneg_cap(struct.pmd_autoneg))
        kind = tlv.OPER_MAU_TYPES.get(struct.mau_type)
        if kind is not None:
            self.set_value(LLDP_PORT_MAU_TYPE_NM, kind)
