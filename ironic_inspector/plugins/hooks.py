"""Finding, checking and ordering the hooks that the configuration names."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
import dataclasses
from typing import Any

from oslo_config import cfg

from ironic_inspector.common import exceptions
from ironic_inspector.plugins import base
from ironic_inspector.plugins import loading

NAMESPACE = 'ironic_inspector.hooks.processing'
NODE_NOT_FOUND_NAMESPACE = 'ironic_inspector.hooks.node_not_found'
HOOKS_OPTION = '[processing]processing_hooks'


@dataclasses.dataclass(frozen=True)
class NamedHook:
    """A hook with the name it has in the configuration."""

    name: str
    hook: base.ProcessingHook


def load(conf: cfg.ConfigOpts) -> list[NamedHook]:
    """Return the hooks in [processing]processing_hooks, configured, in their order.

    ConfigurationError if one is not installed, lacks a hook it depends on, or cannot work with the configuration.
    """
    names = [name.strip() for name in conf.processing.processing_hooks.split(',') if name.strip()]
    hooks = []
    for position, name in enumerate(names):
        hook = loading.load(NAMESPACE, name, HOOKS_OPTION)
        with loading.preparing(name, HOOKS_OPTION):
            # Hooks written for ironic-inspector need not have our base class, nor anything to configure.
            _check_dependencies(name, getattr(hook, 'dependencies', ()), names[:position])
            if isinstance(hook, base.ProcessingHook):
                hook.configure(conf)
        hooks.append(NamedHook(name, hook))
    return hooks


@dataclasses.dataclass(frozen=True)
class NamedNodeNotFoundHook:
    """A hook for machines that match no node, or a function that is one, with the name it has in the configuration."""

    name: str
    hook: base.NodeNotFoundHook | Callable[[base.JsonObject], Any]


def load_node_not_found(conf: cfg.ConfigOpts) -> NamedNodeNotFoundHook | None:
    """Return the hook in [processing]node_not_found_hook, configured; None if there is none.

    ConfigurationError if it is not installed or cannot work with the configuration.
    """
    name, option = conf.processing.node_not_found_hook, '[processing]node_not_found_hook'
    if not name:
        return None
    hook = loading.find(NODE_NOT_FOUND_NAMESPACE, name, option)
    if isinstance(hook, type) and issubclass(hook, base.NodeNotFoundHook):
        hook = loading.load(NODE_NOT_FOUND_NAMESPACE, name, option)
        with loading.preparing(name, option):
            hook.configure(conf)
    elif not callable(hook):
        raise exceptions.ConfigurationError(f'{option}: {name!r} is neither a NodeNotFoundHook nor a function')
    return NamedNodeNotFoundHook(name, hook)


def _check_dependencies(name: str, dependencies: Sequence[str], before: Sequence[str]) -> None:
    missing = [dependency for dependency in dependencies if dependency not in before]
    if missing:
        raise exceptions.ConfigurationError(
            f'{HOOKS_OPTION}: the hook {name} needs {", ".join(missing)} to be enabled before it'
        )
