"""The hook `extra_hardware`: what the collector `extra-hardware` found, in a form that rules can use."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg

from ironic_inspector import utils
from ironic_inspector.plugins import base
from ironic_inspector.plugins import checks

LOG = utils.getProcessingLogger(__name__)


class ExtraHardwareHook(base.ProcessingHook):
    """Makes an object of the lists (eDeploy's form) in `data`, and calls it `extra`.

    `[["disk", "sda", "size", "10"]]` becomes `{"disk": {"sda": {"size": 10}}}`: each list has three names and a value,
    which is made a number where it is the text of a whole one. Without [extra_hardware]strict a list may be longer, and
    what follows the value is dropped.
    """

    _strict: bool

    def configure(self, conf: cfg.ConfigOpts) -> None:
        """Read [extra_hardware]strict."""
        self._strict = conf.extra_hardware.strict

    def before_update(self, introspection_data: base.JsonObject, node_info: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Make `extra`; data of another form are left alone with a warning or, by [extra_hardware]strict, dropped."""
        if 'data' not in introspection_data:
            LOG.warning(
                'The ramdisk sent no extra hardware data: its collector extra-hardware is off', node_info=node_info
            )
            return
        items = introspection_data['data']
        if not self._is_edeploy(items):
            LOG.warning(
                'The extra hardware data have not the form of eDeploy, and are %s',
                'dropped' if self._strict else 'left as they are',
                node_info=node_info,
            )
            if self._strict:
                del introspection_data['data']
            return
        del introspection_data['data']
        introspection_data['extra'] = _nested(items, node_info)

    def _is_edeploy(self, items: Any) -> bool:
        if not isinstance(items, list):
            return False
        return all(isinstance(item, list) and (len(item) == 4 or not self._strict) for item in items)


def _nested(items: list[list[Any]], node_info: Any) -> dict[str, dict[str, dict[str, Any]]]:
    extra: dict[str, dict[str, dict[str, Any]]] = {}
    ignored = []
    for item in items:
        if len(item) < 4 or not all(isinstance(name, str) for name in item[:3]):
            ignored.append(item)
            continue
        group, device, name, value = item[:4]
        extra.setdefault(group, {}).setdefault(device, {})[name] = _number(value)
    if ignored:
        LOG.warning(
            'Ignored in the extra hardware data, as they are not three names and a value: %d items, such as %s',
            len(ignored),
            checks.listed([checks.shown(item) for item in ignored[: checks.LISTED]]),
            node_info=node_info,
        )
    return extra


def _number(value: Any) -> Any:
    """Return the whole number that a text stands for; any other value as it is."""
    if not isinstance(value, str):
        return value
    try:
        return int(value)
    except ValueError:
        return value
