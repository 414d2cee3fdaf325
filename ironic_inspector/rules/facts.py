"""What the conditions of rules look at: the introspection data and the node."""

from __future__ import annotations

import time
from typing import Any

from ironic_inspector.common import ironic as ironic_client
from ironic_inspector.rules import paths

JsonObject = dict[str, Any]

DATA = 'data'
NODE = 'node'
ITEM = 'item'
"""The item of a loop."""
MAX_SECONDS = 5.0
"""CPU time that the conditions of all rules may take for one node: a thousand times of what is usual."""


class TooLong(Exception):
    """The conditions take too long."""


class Facts:
    """The documents of one node, searched once for each path however many conditions have it."""

    def __init__(self, data: JsonObject, node: ironic_client.JsonObject) -> None:
        """Look at the introspection data and the node, as Ironic's API represents it; both are only read."""
        self.data = data
        self._fields = node
        self._node: JsonObject | None = None
        self._found: dict[tuple[str, str], list[Any]] = {}
        self._begin = time.thread_time()

    def check_time(self) -> None:
        """Raise TooLong if the conditions have taken more than MAX_SECONDS so far: the data may be made for that."""
        if time.thread_time() - self._begin > MAX_SECONDS:
            raise TooLong(f'the conditions of rules take more than {MAX_SECONDS:.0f} s for these data')

    @property
    def node(self) -> JsonObject:
        """The node, with each field also under the name that openstacksdk has for it."""
        if self._node is None:
            fields = self._fields
            aliases = ironic_client.SDK_NAMES.items()
            self._node = {**{alias: fields[name] for alias, name in aliases if name in fields}, **fields}
        return self._node

    def renew(self, node: ironic_client.JsonObject) -> None:
        """Look at the node as it is now, and at the data again, which may have changed as well."""
        self._fields = node
        self._node = None
        self._found.clear()

    def find(self, scheme: str, path: paths.Path) -> list[Any]:
        """Return the values at a path of the data or the node; not to be changed."""
        key = scheme, path.text
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = path.find(self.data if scheme == DATA else self.node)
        return found
