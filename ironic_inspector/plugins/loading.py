"""Loading plug-ins by the names that the configuration gives them."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
from importlib import metadata
from typing import Any

from oslo_config import cfg
from oslo_log import log

from ironic_inspector.common import exceptions

LOG = log.getLogger(__name__)


def load(namespace: str, name: str, option: str) -> Any:
    """Make an object of the plug-in `name` in the entry point group `namespace`.

    ConfigurationError, naming `option`, if it is not installed or cannot be loaded.
    """
    plugin = find(namespace, name, option)
    try:
        return plugin()
    except Exception as exc:
        raise _cannot_be_loaded(name, option, exc) from exc


def find(namespace: str, name: str, option: str) -> Any:
    """Return the plug-in `name` in the entry point group `namespace` as it is: a class or a function.

    ConfigurationError, naming `option`, if it is not installed or cannot be imported.
    """
    found = metadata.entry_points(group=namespace)
    if name not in found.names:
        known = ', '.join(sorted(found.names)) or 'none'
        raise exceptions.ConfigurationError(f'{option}: there is no {name!r} installed (there are: {known})')
    try:
        return found[name].load()
    except Exception as exc:
        raise _cannot_be_loaded(name, option, exc) from exc


def load_all(namespace: str) -> dict[str, Any]:
    """Make an object of each plug-in in the entry point group `namespace`, by name.

    One that cannot be loaded is left out, and logged: nobody has asked for it yet.
    """
    plugins = {}
    for entry_point in metadata.entry_points(group=namespace):
        try:
            plugins[entry_point.name] = entry_point.load()()
        except Exception:
            # The code of somebody else's package.
            LOG.exception('The plug-in %s (%s) cannot be loaded', entry_point.name, namespace)
    return plugins


@contextlib.contextmanager
def preparing(name: str, option: str) -> Iterator[None]:
    """Turn what a plug-in raises in the `with` block into a ConfigurationError that names it and `option`."""
    try:
        yield
    except (exceptions.ConfigurationError, cfg.Error):
        # These say what is wrong with the configuration.
        raise
    except Exception as exc:
        # The code of somebody else's package.
        raise exceptions.ConfigurationError(f'{option}: {name!r} cannot be prepared: {exc!r}') from exc


def _cannot_be_loaded(name: str, option: str, failure: Exception) -> exceptions.ConfigurationError:
    return exceptions.ConfigurationError(f'{option}: {name!r} cannot be loaded: {failure!r}')
