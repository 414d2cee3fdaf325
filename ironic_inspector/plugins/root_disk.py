"""Choosing the root disk of a node by its root device hints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from oslo_utils import units

from ironic_inspector import utils
from ironic_inspector.plugins import base
from ironic_inspector.plugins import checks
from ironic_inspector.plugins import device_hints

LOG = utils.getProcessingLogger(__name__)


def choose(inventory: base.JsonObject, properties: base.JsonObject, node_info: Any) -> base.JsonObject:
    """Return the first disk in the inventory that fits the hints in the node's `root_device`; Error if none does.

    Disks that its `skip_block_devices` names do not count, and are taken out of the inventory.
    """
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
    if key == 'size' and isinstance(value, int) and 0 <= value < checks.LARGEST_SIZE:
        return f'{value / units.Gi:.2f} GiB'
    return checks.shown(value)
