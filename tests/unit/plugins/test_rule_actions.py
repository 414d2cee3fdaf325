"""The actions of rules: what they do to a node, its ports and the data, and what they do not take."""

from __future__ import annotations

import copy
import logging
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.fixtures.calls import Call
from ironic_inspector.node_info import NodeInfo
from ironic_inspector.plugins import base
from ironic_inspector.plugins import rule_actions
from tests.unit.plugins import arbitrary
from tests.unit.plugins.nodes import Nodes
from tests.unit.rules import documents

PLUGINS = documents.plugins().actions
OF_12_5 = {'add-trait', 'extend-attribute', 'fail', 'remove-trait', 'set-attribute', 'set-capability'}
NEW = {
    'del-attribute', 'del-port-attribute', 'extend-port-attribute', 'log', 'set-data', 'set-port-attribute',
    'unset-capability', 'unset-data',
}  # fmt: skip
MAC = '52:54:00:aa:bb:01'
OTHER = '52:54:00:aa:bb:02'


def apply(action: str, info: NodeInfo, /, **params: Any) -> None:
    plugin = PLUGINS[action]
    plugin.validate(dict(params))
    plugin.apply(info, dict(params))


def change(action: str, data: Any, /, **params: Any) -> Any:
    """Return the data as an action leaves them."""
    plugin = PLUGINS[action]
    assert isinstance(plugin, base.RuleDataActionPlugin)
    plugin.validate(dict(params))
    plugin.apply_to_data(data, dict(params))
    return data


def written(nodes: Nodes, info: NodeInfo) -> dict[str, Any]:
    """Write what has been changed and return the node as Ironic has it now."""
    info.write()
    return nodes.ironic.node(info.uuid)


def writes(nodes: Nodes, info: NodeInfo) -> list[Call]:
    """Write what has been changed and return the calls of Ironic that this took."""
    since = nodes.ironic.mark()
    info.write()
    return nodes.ironic.calls_since(since)


def test_all_actions_are_installed() -> None:
    assert PLUGINS.keys() == OF_12_5 | NEW


@pytest.mark.parametrize('name', sorted(PLUGINS))
def test_each_says_what_it_is(name: str) -> None:
    assert str(type(PLUGINS[name]).__doc__).startswith(f'{name}: ')


# fail, log


@pytest.mark.parametrize('message', ['broken', '{data[x]}', 7, {'a': 1}])
def test_fail(nodes: Nodes, message: Any) -> None:
    with pytest.raises(utils.Error) as failure:
        apply('fail', nodes.enrol(), message=message)
    assert str(failure.value) == str(message)


@pytest.mark.parametrize('level', ['debug', 'info', 'warning', 'error', 'critical'])
def test_log(nodes: Nodes, caplog: pytest.LogCaptureFixture, level: str) -> None:
    caplog.set_level(logging.DEBUG)
    info = nodes.enrol()
    apply('log', info, message='100 % of %s', level=level)
    (record,) = [record for record in caplog.records if 'of %s' in record.getMessage()]
    assert record.levelname == level.upper()
    assert record.getMessage() == f'[node: {info.uuid}] 100 % of %s'


def test_log_is_bounded(nodes: Nodes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    apply('log', nodes.enrol(), message='x' * 1_000_000)
    assert caplog.records[-1].levelname == 'INFO'
    assert len(caplog.text) < 20_000


@pytest.mark.parametrize(
    ('params', 'message'),
    [
        ({}, 'it needs message'),
        ({'message': ''}, 'message: it must be text'),
        ({'message': 7}, 'message: it must be text'),
        ({'message': 'x', 'level': 'loud'}, 'level: it must be one of debug, info, warning, error, critical'),
        ({'message': 'x', 'level': []}, 'level: it must be one of'),
    ],
)
def test_what_log_does_not_take(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PLUGINS['log'].validate(params)


# Fields of the node


@pytest.mark.parametrize('path', ['/extra/x', 'extra/x'])
@pytest.mark.parametrize('value', ['y', 7, None, True, [], {'a': [1]}])
def test_set_attribute(nodes: Nodes, path: str, value: Any) -> None:
    info = nodes.enrol(extra={'x': 'old', 'kept': 1})
    apply('set-attribute', info, path=path, value=value)
    assert written(nodes, info)['extra'] == {'x': value, 'kept': 1}


def test_set_attribute_of_a_field_as_such(nodes: Nodes) -> None:
    info = nodes.enrol(name='before')
    apply('set-attribute', info, path='name', value='after')
    apply('set-attribute', info, path='/resource_class', value='large')
    assert info.fields['name'] == info.node().name == 'after'
    node = written(nodes, info)
    assert (node['name'], node['resource_class']) == ('after', 'large')


@pytest.mark.parametrize(
    ('path', 'more', 'reset'),
    [
        ('/driver', {}, True),
        ('driver', {}, True),
        ('/driver', {'reset_interfaces': True}, True),
        ('/driver', {'reset_interfaces': False}, False),
        ('/extra/driver', {'reset_interfaces': True}, False),
    ],
)
def test_a_new_driver_resets_the_interfaces(nodes: Nodes, path: str, more: dict[str, Any], reset: bool) -> None:
    info = nodes.enrol(driver='redfish')
    apply('set-attribute', info, path=path, value='ipmi', **more)
    (call,) = writes(nodes, info)
    assert ('reset_interfaces=true' in call.query.lower()) is reset


def test_del_attribute(nodes: Nodes) -> None:
    info = nodes.enrol(name='machine', extra={'x': {'y': 1, 'z': 2}, 'list': [1, 2]})
    for path in ('/extra/x/y', 'extra/list/0', '/name'):
        apply('del-attribute', info, path=path)
    node = written(nodes, info)
    assert (node['extra'], node['name']) == ({'x': {'z': 2}, 'list': [2]}, None)


@pytest.mark.parametrize(
    'path', ['/extra/missing', '/extra/x/y', 'missing', '/extra/list/7', '/extra/list/x', '/name/x']
)
def test_del_attribute_of_what_is_not_there(nodes: Nodes, path: str) -> None:
    info = nodes.enrol(extra={'x': 1, 'list': [1]})
    apply('del-attribute', info, path=path)
    assert not info.changes()


@pytest.mark.parametrize(
    ('before', 'params', 'after'),
    [
        ({}, {'value': 'x'}, ['x']),
        ({'list': None}, {'value': 'x'}, ['x']),
        ({'list': []}, {'value': {'a': 1}}, [{'a': 1}]),
        ({'list': ['x']}, {'value': 'x'}, ['x', 'x']),
        ({'list': ['x']}, {'value': 'x', 'unique': True}, ['x']),
        ({'list': ['x']}, {'value': 'y', 'unique': True}, ['x', 'y']),
        ({'list': ['x']}, {'value': 'x', 'unique': False}, ['x', 'x']),
    ],
)
@pytest.mark.parametrize('path', ['/extra/list', 'extra/list'])
def test_extend_attribute(nodes: Nodes, before: dict[str, Any], params: dict[str, Any], after: Any, path: str) -> None:
    info = nodes.enrol(extra=copy.deepcopy(before))
    apply('extend-attribute', info, path=path, **params)
    assert written(nodes, info)['extra'] == {'list': after}


def test_extend_attribute_of_what_is_no_list(nodes: Nodes) -> None:
    info = nodes.enrol(extra={'text': 'x', 'nested': {}})
    with pytest.raises(ValueError, match='/extra/text is no list that could be extended'):
        apply('extend-attribute', info, path='/extra/text', value=1)
    with pytest.raises(exceptions.InvalidRequest, match='does not fit'):
        apply('extend-attribute', info, path='/extra/missing/list', value=1)
    assert not info.changes()


@pytest.mark.parametrize('name', ['set-attribute', 'extend-attribute', 'del-attribute'])
def test_a_path_that_does_not_fit_the_node_says_nothing_of_its_values(nodes: Nodes, name: str) -> None:
    info = nodes.enrol(driver_info={'address': 'hunter2'})
    params = {'value': 'hunter2'} if name != 'del-attribute' else {}
    try:
        apply(name, info, path='/driver_info/x/y', **params)
    except exceptions.InvalidRequest as failure:
        assert 'driver_info/x/y' in str(failure)  # noqa: PT017
        assert 'hunter2' not in str(failure)  # noqa: PT017


# Capabilities


@pytest.mark.parametrize(
    ('before', 'params', 'after'),
    [
        ('', {'name': 'a', 'value': 'b'}, 'a:b'),
        (None, {'name': 'a', 'value': 'b'}, 'a:b'),
        ('a:x,c:d', {'name': 'a', 'value': 'b'}, 'a:b,c:d'),
        ('c:d', {'name': 'a', 'value': 7}, 'c:d,a:7'),
        ('c:d', {'name': 'a', 'value': True}, 'c:d,a:True'),
        ('a:x,c:d', {'name': 'a', 'value': None}, 'c:d'),
        ('a:x,c:d', {'name': 'a'}, 'c:d'),
        ('c:d', {'name': 'a'}, 'c:d'),
        ('c:d', {'name': 7, 'value': 'x'}, 'c:d,7:x'),
        # The name of a parameter of what once did this.
        ('c:d', {'name': 'ironic', 'value': 'x'}, 'c:d,ironic:x'),
        ('c:d', {'name': 'self', 'value': 'x'}, 'c:d,self:x'),
    ],
)
def test_set_capability(nodes: Nodes, before: str | None, params: dict[str, Any], after: str) -> None:
    info = nodes.enrol(properties={'capabilities': before, 'cpus': '1'})
    apply('set-capability', info, **params)
    assert written(nodes, info)['properties'] == {'capabilities': after, 'cpus': '1'}


def test_unset_capability(nodes: Nodes) -> None:
    info = nodes.enrol(properties={'capabilities': 'a:b,c:d'})
    apply('unset-capability', info, name='a')
    apply('unset-capability', info, name='missing')
    assert nodes.capabilities(info) == {'c': 'd'}


def test_unset_capability_of_a_node_without_any(nodes: Nodes) -> None:
    info = nodes.enrol()
    apply('unset-capability', info, name='a')
    assert not info.changes()


# Traits


def test_traits(nodes: Nodes) -> None:
    info = nodes.enrol(traits=['CUSTOM_OLD'])
    apply('add-trait', info, name='CUSTOM_NEW')
    apply('remove-trait', info, name='CUSTOM_OLD')
    apply('remove-trait', info, name='CUSTOM_MISSING')
    assert written(nodes, info)['traits'] == ['CUSTOM_NEW']


# Ports


@pytest.fixture
def info(nodes: Nodes) -> NodeInfo:
    """A node with two ports."""
    extra = {'x': 1, 'list': ['a'], 'null': None}
    return nodes.enrol(ports={MAC: {'extra': extra}, OTHER: {'extra': copy.deepcopy(extra)}})


def ports(nodes: Nodes, info: NodeInfo) -> tuple[Any, Any]:
    """Write what has been changed and return `extra` of both ports."""
    found = nodes.ports(info)
    return found[MAC]['extra'], found[OTHER]['extra']


@pytest.mark.parametrize('known_by', ['MAC', 'mac', 'uuid', 'UUID'])
def test_a_port_is_known_by_its_mac_or_its_uuid(nodes: Nodes, info: NodeInfo, known_by: str) -> None:
    port_id = {
        'MAC': MAC.upper(),
        'mac': MAC,
        'uuid': info.port_fields[MAC]['uuid'],
        'UUID': info.port_fields[MAC]['uuid'].upper(),
    }[known_by]
    apply('set-port-attribute', info, port_id=port_id, path='/extra/x', value=2)
    apply('extend-port-attribute', info, port_id=port_id, path='/extra/list', value='b')
    apply('del-port-attribute', info, port_id=port_id, path='/extra/null')
    assert ports(nodes, info) == ({'x': 2, 'list': ['a', 'b']}, {'x': 1, 'list': ['a'], 'null': None})


@pytest.mark.parametrize(
    ('name', 'params', 'after'),
    [
        ('set-port-attribute', {'path': 'extra/y', 'value': None}, {'x': 1, 'list': ['a'], 'null': None, 'y': None}),
        ('extend-port-attribute', {'path': 'extra/null', 'value': 1}, {'x': 1, 'list': ['a'], 'null': [1]}),
        ('extend-port-attribute', {'path': 'extra/new', 'value': 1}, {'x': 1, 'list': ['a'], 'null': None, 'new': [1]}),
        ('extend-port-attribute', {'path': 'extra/list', 'value': 'a', 'unique': True}, None),
        ('del-port-attribute', {'path': 'extra/x'}, {'list': ['a'], 'null': None}),
        ('del-port-attribute', {'path': 'extra/missing'}, None),
        ('del-port-attribute', {'path': 'extra/x/y'}, None),
    ],
)
def test_fields_of_ports(nodes: Nodes, info: NodeInfo, name: str, params: dict[str, Any], after: Any) -> None:
    apply(name, info, port_id=MAC, **params)
    assert bool(info.changes()) is (after is not None)
    assert ports(nodes, info)[0] == (after or {'x': 1, 'list': ['a'], 'null': None})


def test_several_changes_of_a_port_are_one_request(nodes: Nodes, info: NodeInfo) -> None:
    for number in range(3):
        apply('set-port-attribute', info, port_id=MAC, path=f'/extra/{number}', value=number)
    apply('set-port-attribute', info, port_id=MAC, path='/physical_network', value='net')
    assert [call.method for call in writes(nodes, info)] == ['PATCH']


@pytest.mark.parametrize('name', ['set-port-attribute', 'extend-port-attribute', 'del-port-attribute'])
def test_a_port_that_is_not_there(info: NodeInfo, name: str) -> None:
    for port_id in ('52:54:00:00:00:00', 'eth0', '\0'):
        params = {'value': 1} if name != 'del-port-attribute' else {}
        with pytest.raises(ValueError, match='the node has no port'):
            apply(name, info, port_id=port_id, path='/extra/x', **params)


def test_what_is_no_list_of_a_port(info: NodeInfo) -> None:
    with pytest.raises(ValueError, match='/extra/x is no list that could be extended'):
        apply('extend-port-attribute', info, port_id=MAC, path='/extra/x', value=1)


# Data


@pytest.mark.parametrize(
    ('path', 'after'),
    [
        ('new', {'a': {'b': [1, 2]}, 'text': 'x', 'new': 'v'}),
        ('/a/new', {'a': {'b': [1, 2], 'new': 'v'}, 'text': 'x'}),
        ('a/b', {'a': {'b': 'v'}, 'text': 'x'}),
        ('a/b/0', {'a': {'b': ['v', 1, 2]}, 'text': 'x'}),
        ('a/b/-', {'a': {'b': [1, 2, 'v']}, 'text': 'x'}),
        ('a~1b', {'a': {'b': [1, 2]}, 'text': 'x', 'a/b': 'v'}),
    ],
)
def test_set_data(path: str, after: Any) -> None:
    assert change('set-data', {'a': {'b': [1, 2]}, 'text': 'x'}, path=path, value='v') == after


@pytest.mark.parametrize('path', ['missing/x', 'text/0', 'a/b/7', 'a/b/x', 'a/b/c/d', 'a/b/' + '9' * 5000])
def test_set_data_where_there_is_no_place(path: str) -> None:
    data = {'a': {'b': [1, 2]}, 'text': 'hunter2'}
    with pytest.raises(ValueError, match=r'the data have no place .* to add a value') as failure:
        change('set-data', data, path=path, value='v')
    assert 'hunter2' not in str(failure.value)
    assert data == {'a': {'b': [1, 2]}, 'text': 'hunter2'}


@pytest.mark.parametrize(
    ('path', 'after'),
    [
        ('text', {'a': {'b': [1, 2]}}),
        ('/a/b', {'a': {}, 'text': 'x'}),
        ('a/b/1', {'a': {'b': [1]}, 'text': 'x'}),
    ],
)
def test_unset_data(path: str, after: Any) -> None:
    assert change('unset-data', {'a': {'b': [1, 2]}, 'text': 'x'}, path=path) == after


@pytest.mark.parametrize('path', ['missing', 'a/x/y', 'text/0', 'a/b/7', 'a/b/x', 'a/b/-'])
def test_unset_data_that_are_not_there(path: str) -> None:
    data = {'a': {'b': [1, 2]}, 'text': 'x'}
    assert change('unset-data', copy.deepcopy(data), path=path) == data


# Parameters


NEEDS: dict[str, dict[str, Any]] = {
    'add-trait': {'name': 'CUSTOM_X'},
    'del-attribute': {'path': 'x'},
    'del-port-attribute': {'port_id': MAC, 'path': 'x'},
    'extend-attribute': {'path': 'x', 'value': 1},
    'extend-port-attribute': {'port_id': MAC, 'path': 'x', 'value': 1},
    'fail': {'message': 'x'},
    'log': {'message': 'x'},
    'remove-trait': {'name': 'CUSTOM_X'},
    'set-attribute': {'path': 'x', 'value': 1},
    'set-capability': {'name': 'x'},
    'set-data': {'path': 'x', 'value': 1},
    'set-port-attribute': {'port_id': MAC, 'path': 'x', 'value': 1},
    'unset-capability': {'name': 'x'},
    'unset-data': {'path': 'x'},
}


@pytest.mark.parametrize(('name', 'params'), NEEDS.items())
def test_parameters(name: str, params: dict[str, Any]) -> None:
    PLUGINS[name].validate(params)
    PLUGINS[name].validate(params | {'more': None})
    for missing in params:
        with pytest.raises(ValueError, match=f'it needs {missing}'):
            PLUGINS[name].validate({key: value for key, value in params.items() if key != missing})
    with pytest.raises(ValueError, match='it takes no less, more'):
        PLUGINS[name].validate(params | {'more': 1, 'less': 1})


@pytest.mark.parametrize('name', [name for name, params in NEEDS.items() if 'path' in params])
@pytest.mark.parametrize('path', ['', 7, [], {}, True, '~', '/a/~5'])
def test_what_is_no_path(name: str, path: Any) -> None:
    with pytest.raises(ValueError, match=r'^path: '):
        PLUGINS[name].validate(NEEDS[name] | {'path': path})


@pytest.mark.parametrize('name', ['set-attribute', 'set-port-attribute', 'set-data'])
def test_null_is_a_value(name: str) -> None:
    PLUGINS[name].validate(NEEDS[name] | {'value': None})


@pytest.mark.parametrize('name', ['extend-attribute', 'extend-port-attribute'])
def test_null_is_nothing_to_extend_a_list_by(name: str) -> None:
    with pytest.raises(ValueError, match='it needs value'):
        PLUGINS[name].validate(NEEDS[name] | {'value': None})


@pytest.mark.parametrize(
    ('name', 'changes', 'message'),
    [
        ('set-port-attribute', {'port_id': 7}, 'port_id: it must be text'),
        ('del-port-attribute', {'port_id': ''}, 'port_id: it must be text'),
        ('extend-port-attribute', {'unique': 'yes'}, 'unique: it must be true or false'),
        ('unset-capability', {'name': 7}, 'name: it must be text'),
        ('unset-capability', {'name': ''}, 'name: it must be text'),
    ],
)
def test_wrong_types(name: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PLUGINS[name].validate(NEEDS[name] | changes)


def test_which_parameters_may_have_fields() -> None:
    formatted = {name: set(plugin.FORMATTED_PARAMS) for name, plugin in PLUGINS.items() if plugin.FORMATTED_PARAMS}
    on_ports = {f'{verb}-port-attribute': {'port_id', 'value'} for verb in ('set', 'extend', 'del')}
    on_values = ('set-attribute', 'extend-attribute', 'set-capability', 'set-data')
    assert formatted == {'log': {'message'}, **on_ports, **{name: {'value'} for name in on_values}}


def test_the_names_that_others_import() -> None:
    for name in ('Fail', 'SetAttribute', 'ExtendAttribute', 'SetCapability', 'AddTrait', 'RemoveTrait'):
        assert issubclass(getattr(rule_actions, f'{name}Action'), base.RuleActionPlugin)


PATHS = st.lists(st.sampled_from(['extra', 'x', 'list', '0', '-', 'name', '~0', '~1', '', 'é', '99']), min_size=1)


@given(st.sampled_from(sorted(NEEDS)), PATHS.map('/'.join), arbitrary.JSON, st.dictionaries(st.text(), arbitrary.JSON))
@arbitrary.SETTINGS
def test_anything_at_all(nodes: Nodes, name: str, path: str, value: Any, data: dict[str, Any]) -> None:
    nodes.ironic.reset()
    node_info = nodes.enrol(ports={MAC: {'extra': {'x': 1, 'list': ['a']}}}, extra={'x': 'y', 'list': [1]})
    params: dict[str, Any] = dict(NEEDS[name])
    params |= {key: given for key, given in (('path', path), ('value', value), ('name', path)) if key in params}
    plugin = PLUGINS[name]
    try:
        plugin.validate(dict(params))
    except ValueError:
        return
    try:
        if isinstance(plugin, base.RuleDataActionPlugin):
            plugin.apply_to_data(data | {'x': 'y', 'list': [1]}, params)
        else:
            plugin.apply(node_info, params)
    except (ValueError, exceptions.InspectorError):
        assert not node_info.changes()
