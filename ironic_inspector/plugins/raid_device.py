"""The hook `raid_device`: finds the RAID volume that was made between two introspections, to install on."""

from __future__ import annotations

from typing import Any

from ironic_inspector import utils
from ironic_inspector.plugins import base
from ironic_inspector.plugins import checks

LOG = utils.getProcessingLogger(__name__)

_EXTRA = 'block_devices'


class RaidDeviceDetection(base.ProcessingHook):
    """Compares the serial numbers of a node's disks with those of an introspection before, kept in the node's `extra`.

    The first introspection writes {"serials": [text]} to `extra/block_devices`. When a later one finds exactly one disk
    that is new, `root_device` in the node's properties names it, and the serial numbers are dropped.
    """

    def before_processing(self, introspection_data: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        """Let a node that has no volume yet seem to have a disk of 1 GiB: hooks may insist on a `local_gb`."""
        if not introspection_data.get('local_gb'):
            introspection_data['local_gb'] = 1

    def before_update(self, introspection_data: base.JsonObject, node_info: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Keep the serial numbers, or set the root device hint; a node that has hints already is left alone."""
        if (node_info.fields.get('properties') or {}).get('root_device'):
            LOG.info('The node has root device hints already, no new disk is looked for', node_info=node_info)
            return
        disks = _serials(utils.get_inventory(introspection_data, node_info))
        if not disks:
            LOG.warning('The inventory has no disk with a serial number', node_info=node_info)
            return
        kept = (node_info.fields.get('extra') or {}).get(_EXTRA)
        if kept is None:
            serials = list(dict.fromkeys(serial for disk in disks for serial in disk))
            node_info.patch([{'op': 'add', 'path': f'/extra/{_EXTRA}', 'value': {'serials': serials}}])
            return
        serial = _new_serial(disks, _known(kept), node_info)
        if serial is not None:
            LOG.info('The root device is the disk %s', checks.shown(serial), node_info=node_info)
            node_info.patch(
                [
                    {'op': 'remove', 'path': f'/extra/{_EXTRA}'},
                    {'op': 'add', 'path': '/properties/root_device', 'value': {'serial': serial}},
                ]
            )


def _serials(inventory: base.JsonObject) -> list[list[str]]:
    """Return the serial numbers of each disk that has any: a multipath disk may have several."""
    found = []
    for index, disk in enumerate(checks.as_objects(inventory['disks'], 'inventory.disks')):
        value = disk.get('serial')
        serials = [serial for serial in (value if isinstance(value, list) else [value]) if serial]
        if not all(isinstance(serial, str) for serial in serials):
            raise utils.Error(checks.fault(f'inventory.disks[{index}].serial', 'text', value))
        if serials:
            found.append(serials)
    return found


def _known(kept: Any) -> set[str]:
    """Return the serial numbers that an introspection before has kept."""
    serials = kept.get('serials') if isinstance(kept, dict) else None
    if not isinstance(serials, list):
        raise utils.Error(
            checks.fault(f'extra/{_EXTRA} of the node', 'an object with a list of serials', kept)
            + ': remove it from the node and start the introspection again'
        )
    # ironic-inspector has lists among them, of the disks with several.
    return {str(serial) for item in serials for serial in (item if isinstance(item, list) else [item])}


def _new_serial(disks: list[list[str]], known: set[str], node_info: Any) -> str | None:
    """Return the serial number of the one new disk; None, with a warning, if there is none or more than one."""
    new = [disk for disk in disks if known.isdisjoint(disk)]
    if not new:
        LOG.warning('No disk is new: the root device stays unknown', node_info=node_info)
        return None
    # A disk with several paths is listed once for each of them.
    shared = set(new[0]).intersection(*new[1:])
    if not shared:
        LOG.warning(
            'Several disks are new, the root device stays unknown: %s',
            checks.listed([checks.shown(disk[0]) for disk in new]),
            node_info=node_info,
        )
        return None
    return next(serial for serial in new[0] if serial in shared)
