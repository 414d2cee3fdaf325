"""A processing hook that finds out in which rack a machine is: its host name says so, as in r07-u12."""

import re

from oslo_config import cfg

from ironic_inspector import utils
from ironic_inspector.common.i18n import _
from ironic_inspector.plugins import base

CONF = cfg.CONF
CONF.register_opts(
    [cfg.StrOpt('rack_pattern', default=r'r(\d+)-', help='The group in this expression is the rack.')],
    group='sample',
)

LOG = utils.getProcessingLogger(__name__)


class RackHook(base.ProcessingHook):
    """Sets the property `rack` of the node."""

    dependencies = ['validate_interfaces']

    def before_processing(self, introspection_data, **kwargs):
        hostname = utils.get_inventory(introspection_data).get('hostname') or ''
        match = re.match(CONF.sample.rack_pattern, hostname)
        introspection_data['rack'] = match.group(1) if match else None

    def before_update(self, introspection_data, node_info, **kwargs):
        rack = introspection_data['rack']
        if rack is None:
            raise utils.Error(_('The host name does not tell the rack'), node_info=node_info, data=introspection_data)
        before = node_info.node().properties.get('rack')
        if before not in (None, rack):
            LOG.warning('Moved from rack %s to %s', before, rack, node_info=node_info, data=introspection_data)
        node_info.patch([{'op': 'add', 'path': '/properties/rack', 'value': rack}])
