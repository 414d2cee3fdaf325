"""The plug-ins called `example`: do nothing but log; to be copied by who writes one."""

from __future__ import annotations

from typing import Any

from ironic_inspector import utils
from ironic_inspector.plugins import base
from ironic_inspector.plugins import checks

LOG = utils.getProcessingLogger(__name__)


class ExampleProcessingHook(base.ProcessingHook):
    """Logs, with level DEBUG, what it is called with."""

    def before_processing(self, introspection_data: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        """Log what the ramdisk sent. It is not known yet which node it is from: `data` is how the log names it."""
        LOG.debug('before_processing with %s', _names(introspection_data), data=introspection_data)

    def before_update(self, introspection_data: base.JsonObject, node_info: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Log what the hooks before this one made of it."""
        LOG.debug('before_update with %s', _names(introspection_data), node_info=node_info)


class ExampleRuleAction(base.RuleActionPlugin):
    """Logs, with level DEBUG, that a rule applies to a node."""

    def apply(self, node_info: Any, params: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        """Log it; there are no parameters."""
        LOG.debug('A rule with the action example applies', node_info=node_info)


def example_not_found_hook(introspection_data: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG001
    """Log that a machine matches no node, and have none for it. Any function like this is a node_not_found hook."""
    LOG.debug('Nobody knows the machine with %s', _names(introspection_data), data=introspection_data)


def _names(introspection_data: base.JsonObject) -> str:
    # Not the values: they are hundreds of kilobytes, with whole logs and perhaps secrets among them.
    return checks.shown(list(introspection_data))
