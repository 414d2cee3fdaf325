"""Keeping the logs that ramdisks send."""

from __future__ import annotations

import base64
from collections.abc import Mapping
import dataclasses
import os
import pathlib
from typing import Any

from oslo_config import cfg

from ironic_inspector import utils
from ironic_inspector.common import clock
from ironic_inspector.common import exceptions

LOG = utils.getProcessingLogger(__name__)

_FIELDS = ('uuid', 'bmc', 'dt', 'mac')


@dataclasses.dataclass(frozen=True)
class PendingLogs:
    """The logs of one callback, and what their file is named by; without the data that they came in."""

    keeper: RamdiskLogs
    encoded: Any
    bmc: str | None
    mac: str | None

    def store(self, node_uuid: str | None) -> None:
        """Write the logs. A failure is logged and nothing else: logs are never a reason to fail a node."""
        self.keeper.store(self, node_uuid)


class RamdiskLogs:
    """A folder of archives, one for each callback whose logs are kept."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Use the folder and the names in [processing]; ConfigurationError if they cannot be used."""
        self._folder = conf.processing.ramdisk_logs_dir
        self._format = conf.processing.ramdisk_logs_filename_format
        self.keep_all: bool = conf.processing.always_store_ramdisk_logs
        """Whether the logs of successful introspections are kept as well."""
        self._check_folder()
        try:
            self._name(PendingLogs(self, '', None, None), None)
        except (KeyError, IndexError, ValueError, AttributeError) as exc:
            raise exceptions.ConfigurationError(
                f'[processing]ramdisk_logs_filename_format: {self._format!r} cannot be used ({exc!r}); the fields are '
                + ', '.join(f'{{{field}}}' for field in _FIELDS)
            ) from exc

    def _check_folder(self) -> None:
        if not self._folder:
            return
        try:
            pathlib.Path(self._folder).mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise exceptions.ConfigurationError(f'[processing]ramdisk_logs_dir: {exc}') from exc
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise exceptions.ConfigurationError(
                f'[processing]ramdisk_logs_dir: {self._folder} cannot be written to by this user'
            )

    def take(self, data: Mapping[str, Any]) -> PendingLogs | None:
        """Return the `logs` in the data of a ramdisk; None if there are none, or no folder to keep them in."""
        logs = data.get('logs')
        if not self._folder or not logs:
            return None
        bmc = utils.get_ipmi_address_from_data(data) or utils.get_ipmi_v6address_from_data(data)
        return PendingLogs(self, logs, bmc, utils.get_pxe_mac(data))

    def store(self, logs: PendingLogs, node_uuid: str | None) -> None:
        """See PendingLogs.store."""
        try:
            self._write(self._name(logs, node_uuid), base64.b64decode(logs.encoded, validate=False))
        except (TypeError, ValueError) as exc:
            LOG.warning('The ramdisk logs of node %s are not base64 (%s): dropped', node_uuid, exc)
        except OSError as exc:
            LOG.warning(
                'The ramdisk logs of node %s cannot be written to [processing]ramdisk_logs_dir %s: %s',
                node_uuid,
                self._folder,
                exc,
            )

    def _name(self, logs: PendingLogs, node_uuid: str | None) -> str:
        name = self._format.format(
            uuid=node_uuid or 'unknown',
            # Only what has been read as an address or a MAC gets here: nothing in it can lead to another folder.
            bmc=logs.bmc or 'unknown',
            dt=clock.utc_now(),
            mac=_hex_digits(logs.mac) or 'unknown',
        )
        return str(name)

    def _write(self, name: str, content: bytes) -> None:
        folder = pathlib.Path(self._folder).resolve()
        path = (folder / name).resolve()
        if not path.is_relative_to(folder):
            raise OSError(f'{path} is outside')
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whoever collects the folder never sees half a file.
        unfinished = path.with_name(f'.{path.name}.part')
        unfinished.write_bytes(content)
        unfinished.replace(path)
        LOG.info('Ramdisk logs stored as %s', path)


def _hex_digits(mac: str | None) -> str:
    return ''.join(character for character in mac or '' if character in '0123456789abcdef')[:40]
