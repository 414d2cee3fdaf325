"""Base class of hooks that find the physical networks of ports."""

from __future__ import annotations

import abc
from typing import Any

from oslo_config import cfg

from ironic_inspector import utils
from ironic_inspector.plugins import base
from ironic_inspector.plugins import interfaces

LOG = utils.getProcessingLogger(__name__)


class BasePhysnetHook(base.ProcessingHook, abc.ABC):
    """Sets `physical_network` of the node's ports to what a subclass finds."""

    _overwrite = True

    def configure(self, conf: cfg.ConfigOpts) -> None:
        """Read [processing]overwrite_existing."""
        self._overwrite = conf.processing.overwrite_existing

    @abc.abstractmethod
    def get_physnet(self, port: Any, iface_name: str, introspection_data: base.JsonObject) -> str | None:
        """Return the name of the physical network of a port (openstacksdk's Port), None if it is not known.

        `iface_name` is the name of the port's interface in the inventory.
        """

    def before_update(self, introspection_data: base.JsonObject, node_info: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Ask for the physical network of each interface that has a port, and set it."""
        if not interfaces.can_be_moved(node_info):
            return
        ports = node_info.ports()
        for name, mac, _record in interfaces.with_ports(introspection_data, ports):
            self._set(mac, self.get_physnet(ports[mac], name, introspection_data), node_info)

    def _set(self, mac: str, physnet: str | None, node_info: Any) -> None:
        present = node_info.port_fields[mac].get('physical_network')
        if not physnet or physnet == present or (present and not self._overwrite):
            return
        LOG.debug('Port %s is in the physical network %s', mac, physnet, node_info=node_info)
        node_info.patch_port(mac, [{'op': 'add', 'path': '/physical_network', 'value': physnet}])
