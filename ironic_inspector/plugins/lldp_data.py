"""What ramdisks send of LLDP: the TLVs of one frame an interface, each [type, value in hexadecimal digits]."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from ironic_inspector import utils
from ironic_inspector.common import lldp_parsers
from ironic_inspector.common import lldp_tlvs
from ironic_inspector.plugins import checks

LOG = utils.getProcessingLogger(__name__)

JsonObject = dict[str, Any]

MAX_TLVS = 10_000
"""TLVs of a machine that are looked at: those of 200 interfaces at 50 each."""


def parse(introspection_data: JsonObject, records: Mapping[str, JsonObject], node_info: Any) -> dict[str, JsonObject]:
    """Return what switches told the interfaces (records of the inventory by name): names and values by interface.

    The TLVs of an interface are in `lldp_raw`, by its name, or else in its record under `lldp`. An interface that has
    none that can be used is left out. What is malformed is skipped, with one warning for all.
    """
    raw, faults = introspection_data.get('lldp_raw'), list[str]()
    if raw and not isinstance(raw, dict):
        faults.append(checks.fault('lldp_raw', 'an object', raw))
    by_name = raw if isinstance(raw, dict) else {}
    found: dict[str, JsonObject] = {}
    left = MAX_TLVS
    for name, record in records.items():
        tlvs, wrong = _first_list(by_name.get(name), record.get('lldp'))
        if len(tlvs) > left:
            wrong.append(f'more than {MAX_TLVS} TLVs, with those of other interfaces')
        values = _parse_frame(tlvs[:left], node_info, wrong)
        left -= len(tlvs[:left])
        faults += [f'{checks.shown(name)}: {fault}' for fault in wrong]
        if values:
            found[name] = values
    _log(records, found, faults, node_info)
    return found


def _log(records: Mapping[str, JsonObject], found: JsonObject, faults: Sequence[str], node_info: Any) -> None:
    if faults:
        LOG.warning('Ignored in the LLDP data, as it is not valid: %s', checks.listed(faults), node_info=node_info)
    without = [checks.shown(name) for name in records if name not in found]
    if without:
        LOG.debug('There are no LLDP data of the interfaces %s', checks.listed(without), node_info=node_info)


def _first_list(*values: Any) -> tuple[list[Any], list[str]]:
    """Return the first of the values that is a list and not empty, and faults of those before it."""
    wrong: list[str] = []
    for value in values:
        if value and isinstance(value, list):
            return value, wrong
        if value:
            wrong.append(checks.fault('the TLVs', 'a list', value))
    return [], wrong


def _parse_frame(tlvs: Sequence[Any], node_info: Any, faults: list[str]) -> JsonObject:
    parser = lldp_parsers.LLDPBasicMgmtParser(node_info, faults)
    for index, tlv in enumerate(tlvs):
        try:
            kind, value = _decode(tlv)
        except ValueError:
            faults.append(checks.fault(f'TLV [{index}]', '[type, hexadecimal digits]', tlv))
            continue
        # Nothing comes after it but what fills the frame up (802.1AB 8.5.1).
        if kind == lldp_tlvs.LLDP_TLV_END_LLDPPDU:
            break
        parser.parse_tlv(kind, value)
    return parser.nv_dict


def _decode(tlv: Any) -> tuple[int, bytes]:
    """Return type and value of a TLV; ValueError if it is not one."""
    if not isinstance(tlv, (list, tuple)) or len(tlv) != 2:
        raise ValueError(tlv)
    kind, digits = tlv
    if type(kind) is not int or not isinstance(digits, str) or len(digits) > 2 * lldp_tlvs.MAX_LENGTH:
        raise ValueError(tlv)
    return kind, binascii.unhexlify(digits)
