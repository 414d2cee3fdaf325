"""Keeping the logs that ramdisks send."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
import datetime
import pathlib
from typing import Any

from oslo_config import cfg

from ironic_inspector import utils
from ironic_inspector.common import exceptions

LOG = utils.getProcessingLogger(__name__)

_FIELDS = ('uuid', 'bmc', 'dt', 'mac')


class RamdiskLogs:
    """A folder of archives, one for each callback whose logs are kept."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Use the folder and the names in [processing]; ConfigurationError if the format of the names is wrong."""
        self._folder = conf.processing.ramdisk_logs_dir
        self._format = conf.processing.ramdisk_logs_filename_format
        self.keep_all: bool = conf.processing.always_store_ramdisk_logs
        """Whether the logs of successful introspections are kept as well."""
        try:
            self._name(None, {})
        except (KeyError, IndexError, ValueError, AttributeError) as exc:
            raise exceptions.ConfigurationError(
                f'[processing]ramdisk_logs_filename_format: {self._format!r} cannot be used ({exc!r}); the fields are '
                + ', '.join(f'{{{field}}}' for field in _FIELDS)
            ) from exc

    def store(self, node_uuid: str | None, data: Mapping[str, Any]) -> None:
        """Keep the `logs` in the data of a ramdisk, if there are any and a folder is configured.

        A failure is logged and nothing else: logs are never a reason to fail a node.
        """
        logs = data.get('logs')
        if not self._folder or not logs:
            return
        try:
            content = base64.b64decode(logs, validate=False)
            self._write(self._name(node_uuid, data), content)
        except (TypeError, ValueError, binascii.Error) as exc:
            LOG.warning('The ramdisk logs are not base64 (%s): dropped', exc, data=data)
        except OSError as exc:
            LOG.warning(
                'The ramdisk logs cannot be written to [processing]ramdisk_logs_dir %s: %s',
                self._folder,
                exc,
                data=data,
            )

    def _name(self, node_uuid: str | None, data: Mapping[str, Any]) -> str:
        name = self._format.format(
            uuid=node_uuid or 'unknown',
            # Only what has been read as an address or a MAC gets here: nothing in it can lead to another folder.
            bmc=utils.get_ipmi_address_from_data(data) or utils.get_ipmi_v6address_from_data(data) or 'unknown',
            dt=datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None),
            mac=_hex_digits(utils.get_pxe_mac(data)) or 'unknown',
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
