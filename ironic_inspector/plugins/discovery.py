"""The node_not_found hook `enroll`: machines that nobody knows become nodes in the provision state enroll."""

from __future__ import annotations

import ipaddress

from oslo_config import cfg
from oslo_log import log

from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.plugins import base

LOG = utils.getProcessingLogger(__name__)

_DECIDED_HERE = ('driver_info', 'provision_state', 'uuid')
"""Fields that enroll_node_fields has no say in."""


class EnrollHook(base.NodeNotFoundHook):
    """Has a node created for each machine, as [discovery] says, with the address of its BMC if that is known."""

    _driver: str
    _fields: base.JsonObject
    _versions: list[str]

    def configure(self, conf: cfg.ConfigOpts) -> None:
        """Read all of [discovery]; ConfigurationError if enroll_node_fields has the driver."""
        self._driver = conf.discovery.enroll_node_driver
        self._fields = dict(conf.discovery.enroll_node_fields)
        self._versions = conf.discovery.enabled_bmc_address_version
        if 'driver' in self._fields:
            raise exceptions.ConfigurationError(
                '[discovery]enroll_node_fields cannot have the driver: set [discovery]enroll_node_driver'
            )
        for name in _DECIDED_HERE:
            # Files written for ironic-inspector may have them: there as well they came to nothing.
            if self._fields.pop(name, None) is not None:
                log.getLogger(__name__).warning('[discovery]enroll_node_fields: %s is ignored', name)

    def new_node(self, introspection_data: base.JsonObject) -> base.JsonObject:
        """Return the fields of the node: driver, driver_info and those of the configuration."""
        address = self._bmc_address(introspection_data)
        if address is None:
            LOG.warning(
                'The ramdisk knows no address of the BMC in IPv%s: the node has to be given one',
                ' or IPv'.join(self._versions),
                data=introspection_data,
            )
        driver_info = {'ipmi_address': address} if address else {}
        return {**self._fields, 'driver': self._driver, 'driver_info': driver_info}

    def _bmc_address(self, data: base.JsonObject) -> str | None:
        found = {'4': utils.get_ipmi_address_from_data(data), '6': utils.get_ipmi_v6address_from_data(data)}
        addresses = (found[version] for version in self._versions)
        # A loopback address would lead to whatever runs beside Ironic.
        return next((each for each in addresses if each and not ipaddress.ip_address(each).is_loopback), None)
