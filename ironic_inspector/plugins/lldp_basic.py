"""The hook `lldp_basic`: what the switches say about themselves, in words."""

from __future__ import annotations

from typing import Any

from ironic_inspector.plugins import base
from ironic_inspector.plugins import interfaces
from ironic_inspector.plugins import lldp_data


class LLDPBasicProcessingHook(base.ProcessingHook):
    """Parses the LLDP data of each interface into `lldp_processed` of its entry in `all_interfaces`.

    That is an object by the names in `ironic_inspector.common.lldp_parsers`; an interface without LLDP data has none.
    """

    def before_update(self, introspection_data: base.JsonObject, node_info: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Parse what there is."""
        records = interfaces.known(introspection_data)
        for name, values in lldp_data.parse(introspection_data, records, node_info).items():
            introspection_data['all_interfaces'][name]['lldp_processed'] = values
