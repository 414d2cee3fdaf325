"""Finding, checking and ordering the processing hooks that the configuration names."""

from __future__ import annotations

from collections.abc import Sequence
import dataclasses

from oslo_config import cfg

from ironic_inspector.common import exceptions
from ironic_inspector.plugins import base
from ironic_inspector.plugins import loading

NAMESPACE = 'ironic_inspector.hooks.processing'


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
        hook = loading.load(NAMESPACE, name, '[processing]processing_hooks')
        _check_dependencies(name, hook.dependencies, names[:position])
        # Hooks written for ironic-inspector need not have our base class, nor anything to configure.
        if isinstance(hook, base.ProcessingHook):
            hook.configure(conf)
        hooks.append(NamedHook(name, hook))
    return hooks


def _check_dependencies(name: str, dependencies: Sequence[str], before: Sequence[str]) -> None:
    missing = [dependency for dependency in dependencies if dependency not in before]
    if missing:
        raise exceptions.ConfigurationError(
            f'[processing]processing_hooks: the hook {name} needs {", ".join(missing)} to be enabled before it'
        )
