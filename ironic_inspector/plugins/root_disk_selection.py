"""The hook `root_disk_selection`: the disk to install on, and its size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from oslo_config import cfg
from oslo_utils import units

from ironic_inspector import utils
from ironic_inspector.plugins import base
from ironic_inspector.plugins import checks
from ironic_inspector.plugins import device_hints

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
        size = device_hints.size_of(disk, 'root_disk')
        local_gb = size // units.Gi
        if local_gb == 0:
            LOG.warning('The root disk has less than 1 GiB: %s bytes', size, node_info=node_info)
            return 0
        return local_gb - 1 if self._spacing else local_gb


def _choose(inventory: base.JsonObject, properties: base.JsonObject, node_info: Any) -> base.JsonObject:
    hints = device_hints.parse(properties['root_device'], 'properties/root_device')
    disks = checks.as_objects(inventory.get('disks'), 'inventory.disks')
    skipped = _skipped(disks, properties.get('skip_block_devices'))
    if skipped:
        LOG.info('Disks that are skipped: %s', _names(disks[index] for index in skipped), node_info=node_info)
    candidates = {index: disk for index, disk in enumerate(disks) if index not in skipped}
    for index, disk in candidates.items():
        if device_hints.fits(disk, hints, _place(index)):
            LOG.info('Root disk by the hints: %s', checks.shown(disk.get('name')), node_info=node_info)
            inventory['disks'] = list(candidates.values())
            return disk
    raise utils.Error(
        f'No disk fits the root device hints {properties["root_device"]}; the disks are: '
        f'{_described(list(candidates.values()), hints)}'
        + (f'; skipped by skip_block_devices: {_names(disks[index] for index in skipped)}' if skipped else '')
    )


def _skipped(disks: list[base.JsonObject], rules: Any) -> list[int]:
    """Return the indexes of the disks that fit one of the hints in `skip_block_devices`."""
    skipped: list[int] = []
    for number, rule in enumerate(checks.as_objects(rules, 'properties/skip_block_devices')):
        # Names a RAID volume that is kept when the node is cleaned; says nothing about disks.
        if 'volume_name' in rule:
            continue
        hints = device_hints.parse(rule, f'properties/skip_block_devices/{number}')
        skipped += [
            index
            for index, disk in enumerate(disks)
            if index not in skipped and device_hints.fits(disk, hints, _place(index))
        ]
    return skipped


def _place(index: int) -> str:
    return f'inventory.disks[{index}]'


def _names(disks: Iterable[base.JsonObject]) -> str:
    return checks.listed([checks.shown(disk.get('name')) for disk in disks])


def _described(disks: list[base.JsonObject], hints: Iterable[device_hints.Hint]) -> str:
    if not disks:
        return 'none'
    keys = sorted({'name', 'size'} | {hint.name for hint in hints})
    return checks.listed([', '.join(f'{key} {_value(disk, key)}' for key in keys) for disk in disks])


def _value(disk: base.JsonObject, key: str) -> str:
    value = disk.get(key)
    # Beyond these no float holds it.
    if key == 'size' and isinstance(value, int) and 0 <= value < device_hints.LARGEST_SIZE:
        return f'{value / units.Gi:.2f} GiB'
    return checks.shown(value)
