"""Loading plug-ins by the names that the configuration gives them."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from ironic_inspector.common import exceptions


def load(namespace: str, name: str, option: str) -> Any:
    """Make an object of the plug-in `name` in the entry point group `namespace`.

    ConfigurationError, naming `option`, if it is not installed or cannot be loaded.
    """
    found = metadata.entry_points(group=namespace)
    if name not in found.names:
        known = ', '.join(sorted(found.names)) or 'none'
        raise exceptions.ConfigurationError(f'{option}: there is no {name!r} installed (there are: {known})')
    try:
        return found[name].load()()
    except Exception as exc:
        raise exceptions.ConfigurationError(f'{option}: {name!r} cannot be loaded: {exc!r}') from exc
