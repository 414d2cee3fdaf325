"""Rules with every condition and action of ironic-inspector 12.5, all in one scope, and a machine that they look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from typing import Final

Json = dict[str, Any]

SCOPE: Final = 'ruled'
NODE: Final[Json] = {
    'extra': {'list': ['a'], 'replaced': 'before', 'kept': [1, {'x': None}]},
    'properties': {'inspection_scope': SCOPE, 'capabilities': 'kept:1,replaced:before'},
    'traits': ['CUSTOM_KEPT', 'CUSTOM_REMOVED'],
    'driver': 'ipmi',
    'resource_class': None,
}
"""Fields of the node before the rules are applied."""
DATA: Final[Json] = {
    'number': 5,
    'real': 2.5,
    'numbers': [1, 5, 9],
    'text': 'Vendor Inc. é',
    'digits': '7',
    'address': '192.0.2.7',
    'addresses': ['192.0.2.7', '2001:db8::7'],
    'flags': ['aes', 'vmx'],
    'nothing': None,
    'empty': '',
    'nested': {'a': [{'b': 1}, {'b': 2}, {'c': 3}]},
    'odd key': {'a-b': 1},
}
"""What its ramdisk sends beside the usual."""

_COMPARED: Final = (
    ('number', 5),
    ('number', 4),
    ('number', 6.5),
    ('real', 2.5),
    ('real', 2),
    ('digits', 7),
    ('text', 'V'),
)
_SEARCHED: Final = (
    *(('text', pattern) for pattern in ('Vendor.*', 'Vendor', 'é$', '^x', 'x|V')),
    *(('flags', pattern) for pattern in ('aes', 'svm')),
    ('number', '5'),
    ('nothing', 'None'),
)
_NETWORKS: Final = (('address', '192.0.2.0/24'), ('address', '198.51.100.0/24'), ('address', '::/0'))
_FOUND_SEVERAL: Final = ('numbers[*]', 'numbers[1:]', 'nested.a[*].b', 'missing', 'number', '$.numbers[-1]')


def _on_single_values() -> Iterator[Json]:
    for op in ('eq', 'ne', 'lt', 'le', 'gt', 'ge'):
        for field, value in _COMPARED:
            yield {'op': op, 'field': field, 'value': value}
    for op in ('matches', 'contains'):
        for field, pattern in _SEARCHED:
            yield {'op': op, 'field': field, 'value': pattern}
        # In these two it did not look at further parameters.
        yield {'op': op, 'field': 'text', 'value': 'V.*', 'comment': 'Machines of the vendor'}
    for field, network in _NETWORKS:
        yield {'op': 'in-net', 'field': field, 'value': network}
    yield {'op': 'eq', 'field': 'data://number', 'value': 5}
    for field in ('missing', 'empty', 'nothing', 'text', 'numbers', 'nested.d', 'nested..c', '*', "'odd key'.'a-b'"):
        yield {'op': 'is-empty', 'field': field}


def _on_several_values() -> Iterator[Json]:
    for field in _FOUND_SEVERAL:
        for multiple in ('any', 'all', 'first'):
            for invert in (False, True):
                yield {'op': 'ge', 'field': field, 'value': 5, 'multiple': multiple, 'invert': invert}
    yield {'op': 'in-net', 'field': 'addresses[*]', 'value': '2001:db8::/32', 'multiple': 'all', 'invert': True}


def _on_the_node() -> Iterator[Json]:
    # openstacksdk's names, by which 12.5 knew the fields of a node.
    for name in ('id', 'name', 'driver', 'is_maintenance', 'provision_state', 'properties.cpus', 'extra.replaced'):
        yield {'op': 'contains', 'field': f'node://{name}', 'value': '.'}
    for name in ('instance_id', 'extra', 'extra.list', 'resource_class', 'no_such_field'):
        yield {'op': 'is-empty', 'field': f'node://{name}'}


_ACTIONS: Final[tuple[Json, ...]] = (
    {'action': 'set-attribute', 'path': '/extra/replaced', 'value': '{data[text]}'},
    {'action': 'set-attribute', 'path': 'extra/new', 'value': {'{data[digits]}': ['{data[number]:>4}', None, 1.5]}},
    {'action': 'set-attribute', 'path': '/extra/null', 'value': None},
    {'action': 'set-attribute', 'path': '/extra/braces', 'value': '{{}} {data[numbers][1]} {data[nested][a][0][b]!r}'},
    {'action': 'set-attribute', 'path': '/resource_class', 'value': 'large'},
    {'action': 'set-attribute', 'path': '/driver', 'value': 'redfish', 'reset_interfaces': False},
    {'action': 'extend-attribute', 'path': '/extra/list', 'value': '{data[text]}'},
    {'action': 'extend-attribute', 'path': 'extra/list', 'value': 'a', 'unique': True},
    {'action': 'extend-attribute', 'path': '/extra/made', 'value': {'n': '{data[number]}'}},
    {'action': 'set-capability', 'name': 'replaced', 'value': '{data[number]}'},
    {'action': 'set-capability', 'name': 'new', 'value': 'true'},
    {'action': 'add-trait', 'name': 'CUSTOM_NEW'},
    {'action': 'remove-trait', 'name': 'CUSTOM_REMOVED'},
    {'action': 'remove-trait', 'name': 'CUSTOM_MISSING'},
)

RULES: Final[tuple[Json, ...]] = (
    # Each condition leaves a mark where it holds.
    *(
        {
            'uuid': f'0c6e5d1a-0000-4000-8000-{number:012}',
            'description': f'{condition["op"]} {condition["field"]}',
            'conditions': [condition],
            'actions': [{'action': 'set-attribute', 'path': f'/extra/condition-{number}', 'value': 'holds'}],
            'scope': SCOPE,
        }
        for number, condition in enumerate((*_on_single_values(), *_on_several_values(), *_on_the_node()))
    ),
    {
        'uuid': '0c6e5d1a-0000-4000-9000-000000000000',
        'description': 'Every action that does not fail a node',
        'conditions': [{'op': 'eq', 'field': 'text', 'value': DATA['text']}, {'op': 'gt', 'field': 'real', 'value': 1}],
        'actions': list(_ACTIONS),
        'scope': SCOPE,
    },
    # The last one to set this.
    *(
        {
            'uuid': f'0c6e5d1a-0000-4000-a000-{9 - number:012}',
            'actions': [
                {'action': 'set-attribute', 'path': '/extra/last', 'value': number},
                {'action': 'extend-attribute', 'path': '/extra/order', 'value': number},
            ],
            'scope': SCOPE,
        }
        for number in range(5)
    ),
)
