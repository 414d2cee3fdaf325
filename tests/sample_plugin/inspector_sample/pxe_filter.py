"""A PXE filter for a DHCP server that reads the MACs it must not answer from a file."""

import os
import pathlib

from futurist import periodics
from oslo_config import cfg

from ironic_inspector import node_cache
from ironic_inspector.common import ironic as ir_utils
from ironic_inspector.pxe_filter import interface

CONF = cfg.CONF
CONF.register_opts(
    [cfg.StrOpt('deny_file', default='/var/lib/inspector-sample/deny', help='The file, with one MAC in a line.')],
    group='sample',
)


class FileFilter(interface.FilterDriver):
    """Denies the MACs of all ports in Ironic, but for those of the nodes on introspection."""

    def init_filter(self):
        self.path = pathlib.Path(CONF.sample.deny_file)
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def sync(self, ironic):
        known = {port.address for port in ironic.ports(fields=['address'])}
        denied = sorted(known - node_cache.active_macs())
        unfinished = self.path.with_name(self.path.name + '.new')
        unfinished.write_text(''.join(mac + '\n' for mac in denied))
        os.replace(unfinished, self.path)

    def tear_down_filter(self):
        # The file stays: the DHCP server goes on while the service is away.
        pass

    def get_periodic_sync_task(self):
        @periodics.periodic(spacing=CONF.pxe_filter.sync_period)
        def sync_again():
            self.sync(ir_utils.get_client())

        return sync_again
