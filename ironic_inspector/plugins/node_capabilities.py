"""The capabilities of a node, "name:value,name:value" in its properties, as the hooks set them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ironic_inspector.common import text


def is_valid(part: str) -> bool:
    """Tell whether a text can be the name or the value of a capability, and is still the same when it is read again."""
    return bool(part) and part == part.strip() and not {',', ':'} & set(part)


def merge(node_info: Any, found: Mapping[str, str], *, overwrite: bool) -> None:
    """Set capabilities of a node; without `overwrite` only those that it does not have."""
    if not overwrite:
        present = text.parse_capabilities((node_info.fields.get('properties') or {}).get('capabilities'))
        found = {name: value for name, value in found.items() if not present.get(name)}
    if found:
        node_info.update_capabilities(**found)
