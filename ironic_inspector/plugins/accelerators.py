"""The hook `accelerators`: GPUs, FPGAs and other accelerators that the operator knows."""

from __future__ import annotations

import re
from typing import Any

from oslo_config import cfg
import yaml

from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.plugins import base
from ironic_inspector.plugins import checks
from ironic_inspector.plugins import pci

LOG = utils.getProcessingLogger(__name__)

_OPTION = '[accelerators]known_devices'
_ID = re.compile('[0-9a-fA-F]{4}')


class AcceleratorsHook(base.ProcessingHook):
    """Sets `accelerators` in the node's properties, a list of the known devices among `pci_devices` in the data.

    Each is an object with what the file [accelerators]known_devices says of such a device, and its `pci_address`.
    """

    _known: dict[pci.Kind, base.JsonObject]
    _overwrite: bool

    def configure(self, conf: cfg.ConfigOpts) -> None:
        """Read the known devices, and [processing]overwrite_existing; ConfigurationError if the file cannot be used."""
        self._known = _read(conf.accelerators.known_devices)
        self._overwrite = conf.processing.overwrite_existing

    def before_update(self, introspection_data: base.JsonObject, node_info: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Set the accelerators that were found; without any, those that the node has stay."""
        found = [
            {**self._known[device.kind], 'pci_address': device.text('bus')}
            for device in pci.devices(introspection_data, node_info)
            if device.kind in self._known
        ]
        LOG.info('Accelerators found: %d', len(found), node_info=node_info)
        properties = node_info.fields.get('properties') or {}
        if found and (self._overwrite or not properties.get('accelerators')):
            node_info.update_properties(accelerators=found)


def _read(path: str) -> dict[pci.Kind, base.JsonObject]:
    """Return the entries of a file of known devices by what they describe; the first of several for one kind."""
    try:
        with open(path, 'rb') as file:
            document = yaml.safe_load(file)
    except OSError as exc:
        raise exceptions.ConfigurationError(f'{_OPTION}: {path!r} cannot be read: {exc.strerror or exc}') from exc
    except (yaml.YAMLError, ValueError) as exc:
        # The parts of what PyYAML says are on lines of their own.
        reason = ' '.join(str(exc).split())
        raise exceptions.ConfigurationError(f'{_OPTION}: {path} is not valid YAML: {reason}') from exc
    entries = document.get('pci_devices') if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise exceptions.ConfigurationError(
            f'{_OPTION}: {path} must be an object with a list of devices under pci_devices, not '
            f'{checks.shown(document)}'
        )
    known: dict[pci.Kind, base.JsonObject] = {}
    for index, entry in enumerate(entries):
        fault = _fault(entry, f'pci_devices[{index}]')
        if fault:
            raise exceptions.ConfigurationError(f'{_OPTION}: {path}: {fault}')
        known.setdefault(pci.kind(entry['vendor_id'], entry['device_id']), entry)
    return known


def _fault(entry: Any, place: str) -> str | None:
    """Say what is wrong with an entry that stands at `place` of the file, if anything."""
    if not isinstance(entry, dict):
        return checks.fault(place, 'an object', entry)
    for key in ('vendor_id', 'device_id'):
        value = entry.get(key)
        if not isinstance(value, str) or not _ID.fullmatch(value):
            return checks.fault(f'{place}.{key}', 'four hexadecimal digits in quotation marks', value)
    for key, value in entry.items():
        if not isinstance(key, str) or not isinstance(value, str):
            return checks.fault(f'{place}.{key}', 'text', value)
    return None
