"""The actions of rules that come with the service. Each is one class, named after its `action`.

Paths are JSON pointers (RFC 6901), with or without the slash in front.
"""

from __future__ import annotations

from typing import Any

import jsonpatch
import jsonpointer
from oslo_log import log as oslo_log

from ironic_inspector import utils
from ironic_inspector.common import text
from ironic_inspector.plugins import base

LOG = utils.getProcessingLogger(__name__)


def _pointer(path: Any) -> str:
    """Return a path as RFC 6901 has it."""
    return path if str(path).startswith('/') else f'/{path}'


def _check_texts(params: base.JsonObject, *names: str) -> None:
    for name in names:
        if not isinstance(params.get(name, ''), str) or params.get(name) == '':
            raise ValueError(f'{name}: it must be text')


def _check_pointer(params: base.JsonObject) -> None:
    _check_texts(params, 'path')
    try:
        jsonpointer.JsonPointer(_pointer(params['path']))
    except jsonpointer.JsonPointerException as exc:
        raise ValueError(f'path: {exc}') from exc


def _check_value_is_given(params: base.JsonObject) -> None:
    if 'value' not in params:
        raise ValueError('it needs value; null is one')


def _check_flags(params: base.JsonObject, *names: str) -> None:
    for name in names:
        if not isinstance(params.get(name, False), bool):
            raise ValueError(f'{name}: it must be true or false')


class _NodeAction(base.RuleActionPlugin):
    CAN_BE_PREVIEWED = True


class FailAction(_NodeAction):
    """fail: fails the introspection with `message`."""

    REQUIRED_PARAMS = ('message',)

    def apply(self, node_info: Any, params: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        """See RuleActionPlugin."""
        raise utils.Error(params['message'], node_info=node_info)


class LogAction(_NodeAction):
    """log: writes `message` to the log of the service, at `level` (debug, info, warning, error; info)."""

    REQUIRED_PARAMS = ('message',)
    OPTIONAL_PARAMS = ('level',)
    FORMATTED_PARAMS = ('message',)
    IS_PUBLIC = True
    _LEVELS = ('debug', 'info', 'warning', 'error', 'critical')

    def validate(self, params: base.JsonObject, **kwargs: Any) -> None:
        """See RuleActionPlugin."""
        super().validate(params, **kwargs)
        _check_texts(params, 'message')
        if params.get('level', 'info') not in self._LEVELS:
            raise ValueError(f'level: it must be one of {", ".join(self._LEVELS)}')

    def apply(self, node_info: Any, params: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        """See RuleActionPlugin."""
        level = getattr(oslo_log, params.get('level', 'info').upper())
        LOG.log(level, '%s', text.storable(str(params['message'])), node_info=node_info)


class SetAttributeAction(_NodeAction):
    """set-attribute: sets `path` of the node to `value`.

    With a new `driver` the interfaces go back to its defaults, unless `reset_interfaces` is false.
    """

    REQUIRED_PARAMS = ('path',)
    OPTIONAL_PARAMS = ('value', 'reset_interfaces')
    FORMATTED_PARAMS = ('value',)

    def validate(self, params: base.JsonObject, **kwargs: Any) -> None:
        """See RuleActionPlugin."""
        super().validate(params, **kwargs)
        _check_pointer(params)
        _check_value_is_given(params)

    def apply(self, node_info: Any, params: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        """See RuleActionPlugin."""
        path = _pointer(params['path'])
        options = {'reset_interfaces': True} if path == '/driver' and params.get('reset_interfaces', True) else {}
        node_info.patch([{'op': 'add', 'path': path, 'value': params.get('value')}], **options)


class DelAttributeAction(_NodeAction):
    """del-attribute: removes `path` from the node, where it is there."""

    REQUIRED_PARAMS = ('path',)

    def validate(self, params: base.JsonObject, **kwargs: Any) -> None:
        """See RuleActionPlugin."""
        super().validate(params, **kwargs)
        _check_pointer(params)

    def apply(self, node_info: Any, params: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        """See RuleActionPlugin."""
        path = _pointer(params['path'])
        if _is_there(node_info.fields, path):
            node_info.patch([{'op': 'remove', 'path': path}])


class ExtendAttributeAction(_NodeAction):
    """extend-attribute: appends `value` to the list at `path` of the node; with `unique` only if it is not in it."""

    REQUIRED_PARAMS = ('path', 'value')
    OPTIONAL_PARAMS = ('unique',)
    FORMATTED_PARAMS = ('value',)

    def validate(self, params: base.JsonObject, **kwargs: Any) -> None:
        """See RuleActionPlugin."""
        super().validate(params, **kwargs)
        _check_pointer(params)

    def apply(self, node_info: Any, params: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        """See RuleActionPlugin."""
        node_info.replace_field(_pointer(params['path']), lambda items: _extended(items, params), default=[])


class SetCapabilityAction(_NodeAction):
    """set-capability: sets the capability `name` of the node to `value`; without one, removes it."""

    REQUIRED_PARAMS = ('name',)
    OPTIONAL_PARAMS = ('value',)
    FORMATTED_PARAMS = ('value',)

    def apply(self, node_info: Any, params: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        """See RuleActionPlugin."""
        capabilities = _capabilities(node_info)
        name, value = str(params['name']), params.get('value')
        capabilities.pop(name, None) if value is None else capabilities.update({name: str(value)})
        node_info.update_properties(capabilities=text.format_capabilities(capabilities))


class UnsetCapabilityAction(_NodeAction):
    """unset-capability: removes the capability `name` of the node, where it has it."""

    REQUIRED_PARAMS = ('name',)

    def validate(self, params: base.JsonObject, **kwargs: Any) -> None:
        """See RuleActionPlugin."""
        super().validate(params, **kwargs)
        _check_texts(params, 'name')

    def apply(self, node_info: Any, params: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        """See RuleActionPlugin."""
        capabilities = _capabilities(node_info)
        if capabilities.pop(params['name'], None) is not None:
            node_info.update_properties(capabilities=text.format_capabilities(capabilities))


def _capabilities(node_info: Any) -> dict[str, str]:
    return text.parse_capabilities((node_info.fields.get('properties') or {}).get('capabilities'))


class AddTraitAction(_NodeAction):
    """add-trait: adds the trait `name` to the node."""

    REQUIRED_PARAMS = ('name',)

    def apply(self, node_info: Any, params: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        """See RuleActionPlugin."""
        node_info.add_trait(str(params['name']))


class RemoveTraitAction(_NodeAction):
    """remove-trait: removes the trait `name` from the node, where it has it."""

    REQUIRED_PARAMS = ('name',)

    def apply(self, node_info: Any, params: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        """See RuleActionPlugin."""
        node_info.remove_trait(str(params['name']))


class _PortAction(_NodeAction):
    """An action on the port of the node with the MAC or the UUID `port_id`."""

    FORMATTED_PARAMS = ('port_id', 'value')

    def validate(self, params: base.JsonObject, **kwargs: Any) -> None:
        """See RuleActionPlugin."""
        super().validate(params, **kwargs)
        _check_texts(params, 'port_id')
        _check_pointer(params)


def _port(node_info: Any, params: base.JsonObject) -> tuple[str, base.JsonObject]:
    """Return the MAC of the port that `port_id` names, and its fields."""
    wanted = params['port_id'].lower()
    for mac, port in node_info.port_fields.items():
        if wanted in (mac, port['uuid']):
            return mac, port
    raise ValueError(f'the node has no port {params["port_id"]}')


class SetPortAttributeAction(_PortAction):
    """set-port-attribute: sets `path` of a port to `value`."""

    REQUIRED_PARAMS = ('port_id', 'path')
    OPTIONAL_PARAMS = ('value',)

    def validate(self, params: base.JsonObject, **kwargs: Any) -> None:
        """See RuleActionPlugin."""
        super().validate(params, **kwargs)
        _check_value_is_given(params)

    def apply(self, node_info: Any, params: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        """See RuleActionPlugin."""
        mac, _fields = _port(node_info, params)
        node_info.patch_port(mac, [{'op': 'add', 'path': _pointer(params['path']), 'value': params['value']}])


class ExtendPortAttributeAction(_PortAction):
    """extend-port-attribute: appends `value` to the list at `path` of a port; with `unique` only if not in it."""

    REQUIRED_PARAMS = ('port_id', 'path', 'value')
    OPTIONAL_PARAMS = ('unique',)

    def validate(self, params: base.JsonObject, **kwargs: Any) -> None:
        """See RuleActionPlugin."""
        super().validate(params, **kwargs)
        _check_flags(params, 'unique')

    def apply(self, node_info: Any, params: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        """See RuleActionPlugin."""
        mac, port = _port(node_info, params)
        path = _pointer(params['path'])
        items = _extended(_found(port, path, []), params)
        node_info.patch_port(mac, [{'op': 'add', 'path': path, 'value': items}])


class DelPortAttributeAction(_PortAction):
    """del-port-attribute: removes `path` from a port, where it is there."""

    REQUIRED_PARAMS = ('port_id', 'path')

    def apply(self, node_info: Any, params: base.JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        """See RuleActionPlugin."""
        mac, port = _port(node_info, params)
        path = _pointer(params['path'])
        if _is_there(port, path):
            node_info.patch_port(mac, [{'op': 'remove', 'path': path}])


class SetDataAction(base.RuleDataActionPlugin):
    """set-data: sets `path` of the introspection data to `value`."""

    REQUIRED_PARAMS = ('path',)
    OPTIONAL_PARAMS = ('value',)
    FORMATTED_PARAMS = ('value',)

    def validate(self, params: base.JsonObject, **kwargs: Any) -> None:
        """See RuleActionPlugin."""
        super().validate(params, **kwargs)
        _check_pointer(params)
        _check_value_is_given(params)

    def apply_to_data(self, introspection_data: base.JsonObject, params: base.JsonObject) -> None:
        """See RuleDataActionPlugin."""
        path = _pointer(params['path'])
        _patch_data(introspection_data, {'op': 'add', 'path': path, 'value': params['value']})


class UnsetDataAction(base.RuleDataActionPlugin):
    """unset-data: removes `path` from the introspection data, where it is there."""

    REQUIRED_PARAMS = ('path',)

    def validate(self, params: base.JsonObject, **kwargs: Any) -> None:
        """See RuleActionPlugin."""
        super().validate(params, **kwargs)
        _check_pointer(params)

    def apply_to_data(self, introspection_data: base.JsonObject, params: base.JsonObject) -> None:
        """See RuleDataActionPlugin."""
        path = _pointer(params['path'])
        if _is_there(introspection_data, path):
            _patch_data(introspection_data, {'op': 'remove', 'path': path})


def _patch_data(data: base.JsonObject, operation: base.JsonObject) -> None:
    try:
        jsonpatch.JsonPatch([operation]).apply(data, in_place=True)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError) as exc:
        # Not what the library says: it quotes the data.
        raise ValueError(f'the data have no place {operation["path"]} to {operation["op"]} a value') from exc


def _is_there(document: base.JsonObject, path: str) -> bool:
    missing = object()
    return _found(document, path, missing) is not missing


def _found(document: base.JsonObject, path: str, default: Any) -> Any:
    """Return the value at a path, `default` if there is none."""
    try:
        found = jsonpointer.resolve_pointer(document, path, default)
    except (jsonpointer.JsonPointerException, TypeError):
        # In a loop the path may be made of anything.
        return default
    # The place behind the last item of a list, which - stands for.
    return default if isinstance(found, jsonpointer.EndOfList) else found


def _extended(items: Any, params: base.JsonObject) -> list[Any]:
    """Return a list with `value` at its end, or as it is if `unique` is set and it has it already."""
    # What is not set is null in Ironic.
    items = [] if items is None else items
    if not isinstance(items, list):
        raise ValueError(f'{params["path"]} is no list that could be extended')
    if params.get('unique') and params['value'] in items:
        return items
    return [*items, params['value']]
