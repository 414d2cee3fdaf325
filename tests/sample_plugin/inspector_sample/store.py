"""A store that keeps introspection data in files."""

import json
import os
import pathlib

from oslo_config import cfg

from ironic_inspector import utils
from ironic_inspector.common.i18n import _

CONF = cfg.CONF
CONF.register_opts(
    [cfg.StrOpt('data_folder', default='/var/lib/inspector-sample/data', help='Where the files are.')],
    group='sample',
)


class FolderStore:
    """Keeps two files for a node: what the hooks made of the data, and what the ramdisk sent."""

    def __init__(self):
        self.folder = pathlib.Path(CONF.sample.data_folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def get(self, node_uuid, processed=True, get_json=False):
        try:
            text = self._path(node_uuid, processed).read_text()
        except FileNotFoundError as exc:
            raise utils.Error(_('There are no data of node %s') % node_uuid, code=404) from exc
        return json.loads(text) if get_json else text

    def save(self, node_uuid, data, processed=True):
        path = self._path(node_uuid, processed)
        # Nobody sees half a file, neither now nor after a crash.
        unfinished = path.with_name(path.name + '.new')
        unfinished.write_text(json.dumps(data))
        os.replace(unfinished, path)

    def _path(self, node_uuid, processed):
        return self.folder / (node_uuid + ('.json' if processed else '-unprocessed.json'))
