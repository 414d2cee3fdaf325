"""A hook that knows the physical network of each port: every rack has one of its own."""

from oslo_config import cfg

from ironic_inspector.plugins import base_physnet

CONF = cfg.CONF
CONF.register_opts(
    [cfg.StrOpt('physnet_prefix', default='rack-', help='What the names of the physical networks begin with.')],
    group='sample',
)


class RackPhysnetHook(base_physnet.BasePhysnetHook):
    """Sets the physical network of ports, but of those of InfiniBand."""

    dependencies = ['sample_rack']

    def get_physnet(self, port, iface_name, introspection_data):
        if iface_name.startswith('ib'):
            return None
        return CONF.sample.physnet_prefix + introspection_data['rack']
