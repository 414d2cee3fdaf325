"""The hook `root_disk_selection`: the disk to install on, and its size."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg
from oslo_utils import units

from ironic_inspector import utils
from ironic_inspector.plugins import base
from ironic_inspector.plugins import checks

LOG = utils.getProcessingLogger(__name__)


class RootDiskSelectionHook(base.ProcessingHook):
    """Replaces `root_disk` by the disk that the node's root device hints name, if it has any, and sets `local_gb`."""

    _spacing: bool
    _overwrite: bool

    def configure(self, conf: cfg.ConfigOpts) -> None:
        """Read [processing]disk_partitioning_spacing and overwrite_existing."""
        self._spacing = conf.processing.disk_partitioning_spacing
        self._overwrite = conf.processing.overwrite_existing

    def before_update(self, introspection_data: base.JsonObject, node_info: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Set `root_disk` and `local_gb` in the data, `local_gb` in the properties; Error if no disk fits the hints.

        Disks that `skip_block_devices` names are taken out of the inventory where there are hints.
        """
        inventory = utils.get_inventory(introspection_data, node_info)
        properties = node_info.fields.get('properties') or {}
        if properties.get('root_device'):
            introspection_data['root_disk'] = _choose(inventory, properties, node_info)
        local_gb = self._local_gb(introspection_data.get('root_disk'), node_info)
        introspection_data['local_gb'] = local_gb
        if self._overwrite or not properties.get('local_gb'):
            node_info.update_properties(local_gb=str(local_gb))

    def _local_gb(self, root_disk: Any, node_info: Any) -> int:
        disk = checks.as_object(root_disk, 'root_disk')
        if not disk:
            LOG.info('The node has no root disk', node_info=node_info)
            return 0
        size = checks.as_bytes(disk.get('size'), 'root_disk.size')
        local_gb = size // units.Gi
        if local_gb == 0:
            LOG.warning('The root disk has less than 1 GiB: %s bytes', size, node_info=node_info)
            return 0
        return local_gb - 1 if self._spacing else local_gb


def _choose(inventory: base.JsonObject, properties: base.JsonObject, node_info: Any) -> base.JsonObject:
    # By need: few nodes have hints, and the library that compares them takes 5 MB of memory.
    from ironic_inspector.plugins import root_disk

    return root_disk.choose(inventory, properties, node_info)
