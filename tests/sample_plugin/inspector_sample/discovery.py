"""A node_not_found hook that knows machines by the serial number of their chassis."""

from oslo_config import cfg

from ironic_inspector import node_cache
from ironic_inspector import utils
from ironic_inspector.common import ironic as ir_utils

CONF = cfg.CONF
CONF.register_opts(
    [cfg.StrOpt('driver', default='fake-hardware', help='The driver of the nodes that are created.')],
    group='sample',
)

LOG = utils.getProcessingLogger(__name__)


def by_serial(introspection_data, **kwargs):
    """Return the node with the serial number in `extra`; if there is none, create it."""
    vendor = utils.get_inventory(introspection_data).get('system_vendor') or {}
    serial = vendor.get('serial_number')
    if not serial:
        return None
    ironic = ir_utils.get_client()
    for node in ironic.nodes(fields=['uuid', 'extra']):
        if node.extra.get('serial') == serial:
            LOG.info('Its serial number is that of node %s', node.id, data=introspection_data)
            return node_cache.add_node(node.id, 'enrolling', manage_boot=False)
    introspection_data['auto_discovered'] = True
    return node_cache.create_node(CONF.sample.driver, ironic=ironic, extra={'serial': serial}, provision_state='enroll')
