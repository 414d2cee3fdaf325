"""The hook `local_link_connection`: which port of which switch a node's port is connected to."""

from __future__ import annotations

import re
from typing import Any

from oslo_config import cfg

from ironic_inspector import utils
from ironic_inspector.common import lldp_parsers
from ironic_inspector.plugins import base
from ironic_inspector.plugins import checks
from ironic_inspector.plugins import interfaces
from ironic_inspector.plugins import lldp_data

LOG = utils.getProcessingLogger(__name__)

_MAC = re.compile('[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}')
_IDS = (lldp_parsers.LLDP_CHASSIS_ID_NM, lldp_parsers.LLDP_PORT_ID_NM)


class GenericLocalLinkConnectionHook(base.ProcessingHook):
    """Sets `switch_id` and `port_id` in `local_link_connection` of the node's ports.

    They are the ids of chassis and port in `lldp_processed`, which the hook `lldp_basic` makes, or else in the LLDP
    data. A chassis id that is not a MAC is none that Ironic takes.
    """

    _overwrite: bool

    def configure(self, conf: cfg.ConfigOpts) -> None:
        """Read [processing]overwrite_existing."""
        self._overwrite = conf.processing.overwrite_existing

    def before_update(self, introspection_data: base.JsonObject, node_info: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Set what was found for the ports that Ironic has."""
        if not interfaces.can_be_moved(node_info):
            return
        macs, records = {}, {}
        for name, mac, record in interfaces.with_ports(introspection_data, node_info.port_fields):
            macs[name], records[name] = mac, record
        processed = {name: introspection_data['all_interfaces'][name].get('lldp_processed') for name in records}
        found = {name: values for name, values in processed.items() if _has_ids(values)}
        rest = {name: record for name, record in records.items() if name not in found}
        found |= lldp_data.parse(introspection_data, rest, node_info)
        for name, values in found.items():
            self._connect(macs[name], _link(values, node_info), node_info)

    def _connect(self, mac: str, link: dict[str, str], node_info: Any) -> None:
        present = node_info.port_fields[mac].get('local_link_connection') or {}
        new = {key: value for key, value in link.items() if self._overwrite or not present.get(key)}
        if not new:
            return
        if not present and len(new) < len(_IDS):
            LOG.info('Port %s is left alone: Ironic takes no link with only %s', mac, new, node_info=node_info)
            return
        node_info.patch_port(mac, [{'op': 'add', 'path': '/local_link_connection', 'value': {**present, **new}}])
        LOG.debug('Port %s is connected to %s', mac, new, node_info=node_info)


def _has_ids(values: Any) -> bool:
    return isinstance(values, dict) and any(values.get(name) for name in _IDS)


def _link(values: base.JsonObject, node_info: Any) -> dict[str, str]:
    chassis, port = (values.get(name) for name in _IDS)
    link = {}
    if isinstance(chassis, str) and _MAC.fullmatch(chassis):
        link['switch_id'] = chassis
    elif chassis:
        LOG.info('The chassis id %s is not a MAC: no switch_id', checks.shown(chassis), node_info=node_info)
    if port and isinstance(port, str):
        link['port_id'] = port
    return link
