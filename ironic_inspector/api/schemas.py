"""JSON Schemas (2020-12) of what goes in and out of the API, and its parameters, for its description."""

from __future__ import annotations

from typing import Any

from ironic_inspector.api import microversions
from ironic_inspector.conductor import known_data
from ironic_inspector.introspection_state import States
from ironic_inspector.rules import definition

JsonObject = dict[str, Any]

_UUID = '4e1b6f0c-5d0a-4c43-9d0f-1f8c6e6a2b7d'
_RULE_UUID = '7d1f0a52-93c1-4a2b-8a55-0c3f6f1f9d10'
_TEXT = {'type': 'string'}
_TEXT_OR_NULL = {'type': ['string', 'null']}
_FLAG = {'type': 'boolean'}
_JSON_OBJECT = {'type': 'object'}


def _ref(name: str) -> JsonObject:
    return {'$ref': f'#/components/schemas/{name}'}


def _list_of(name: str) -> JsonObject:
    return {'type': 'array', 'items': _ref(name)}


def _object(properties: JsonObject, *, optional: JsonObject | None = None, **more: Any) -> JsonObject:
    """Return an object that has all of `properties`, perhaps some of `optional`, and nothing else."""
    return {
        'type': 'object',
        'properties': properties | (optional or {}),
        **({'required': list(properties)} if properties else {}),
        'additionalProperties': False,
        **more,
    }


def schemas(vocabulary: definition.Vocabulary) -> JsonObject:
    """Return all schemas by name; rules may use `vocabulary`."""
    return {**_basics(), **_of_introspection(), **_of_rules(), **_of_new_rules(vocabulary), **_of_previews()}


def parameters(max_limit: int) -> JsonObject:
    """Return all parameters by name; lists have up to `max_limit` items a page."""
    newest = microversions.text_of(microversions.MAXIMUM)
    versions = [f'1.{minor}' for minor in range(microversions.MINIMUM[1], microversions.MAXIMUM[1] + 1)]
    return {
        'version': {
            'name': microversions.VERSION_HEADER,
            'in': 'header',
            'description': f'The version of the API that the request is written for; without it, {newest}.',
            'schema': {'type': 'string', 'enum': ['latest', *versions]},
        },
        'standard_version': {
            'name': microversions.STANDARD_HEADER,
            'in': 'header',
            'description': 'The same in the form that all services share; versions of other services may stand in it.',
            'schema': _TEXT | {'examples': [f'{microversions.SERVICE_TYPE} {newest}']},
        },
        'node_id': {
            'name': 'node_id',
            'in': 'path',
            'required': True,
            'description': "The UUID of a node, or, since version 1.5, the node's name.",
            'schema': _TEXT | {'minLength': 1, 'examples': [_UUID, 'node-12']},
        },
        'rule_uuid': {
            'name': 'rule_uuid',
            'in': 'path',
            'required': True,
            'description': 'The UUID of a rule.',
            'schema': _TEXT | {'minLength': 1, 'examples': [_RULE_UUID]},
        },
        'manage_boot': {
            'name': 'manage_boot',
            'in': 'query',
            'description': 'Whether the service sets the boot device and the power state; any word for yes or no.',
            'schema': {'type': 'string', 'enum': ['true', 'false', '1', '0', 'yes', 'no'], 'default': 'true'},
        },
        'limit': {
            'name': 'limit',
            'in': 'query',
            'description': f'Items of a page at most; 0 stands for {max_limit}.',
            'schema': {'type': 'integer', 'minimum': 0, 'maximum': max_limit, 'default': 0},
        },
        'marker': {
            'name': 'marker',
            'in': 'query',
            'description': 'The UUID of the last item of the page before.',
            'schema': _TEXT | {'format': 'uuid'},
        },
        'state': {
            'name': 'state',
            'in': 'query',
            'description': 'Only introspections in these states, separated by commas; since version 1.18.',
            'style': 'form',
            'explode': False,
            'schema': {'type': 'array', 'minItems': 1, 'items': {'type': 'string', 'enum': list(States.ALL)}},
        },
    }


def _basics() -> JsonObject:
    return {
        'Error': _object(
            {'error': _object({'message': _TEXT | {'minLength': 1, 'description': 'What is wrong, and what to do'}})},
            examples=[{'error': {'message': 'There is no such URL: GET /v1 lists what there is'}}],
        ),
        'Empty': _object({}, examples=[{}]),
        'Links': {
            'type': 'array',
            'items': _object({'rel': _TEXT, 'href': _TEXT | {'format': 'uri-reference'}}),
        },
        'Versions': _object(
            {
                'versions': {
                    'type': 'array',
                    'items': _object({'id': _TEXT, 'status': {'const': 'CURRENT'}, 'links': _ref('Links')}),
                }
            },
            examples=[
                {
                    'versions': [
                        {
                            'id': microversions.text_of(microversions.MAXIMUM),
                            'status': 'CURRENT',
                            'links': [{'rel': 'self', 'href': 'http://192.0.2.1:5050/v1'}],
                        }
                    ]
                }
            ],
        ),
        'Resources': _object(
            {'resources': {'type': 'array', 'items': _object({'name': _TEXT, 'links': _ref('Links')})}},
            examples=[
                {'resources': [{'name': 'rules', 'links': [{'rel': 'self', 'href': 'http://192.0.2.1:5050/v1/rules'}]}]}
            ],
        ),
        'Description': {'type': 'object', 'required': ['openapi', 'info', 'paths']},
    }


def _of_introspection() -> JsonObject:
    uuid = _TEXT | {'format': 'uuid'}
    time = {
        'type': ['string', 'null'],
        'pattern': r'^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{6})?$',
        'description': 'UTC',
    }
    status = {
        'uuid': _UUID,
        'finished': False,
        'state': 'waiting',
        'started_at': '2026-01-31T12:22:01.123456',
        'finished_at': None,
        'error': None,
        'links': [{'rel': 'self', 'href': f'http://192.0.2.1:5050/v1/introspection/{_UUID}'}],
    }
    return {
        'Status': _object(
            {
                'uuid': uuid,
                'finished': _FLAG | {'description': 'Whether it has ended, well or not'},
                'state': {'type': 'string', 'enum': list(States.ALL)},
                'started_at': time,
                'finished_at': time,
                'error': _TEXT_OR_NULL | {'description': 'Why it failed'},
                'links': _ref('Links'),
            },
            examples=[status],
        ),
        'Statuses': _object({'introspection': _list_of('Status')}, examples=[{'introspection': [status]}]),
        'Continued': _object({'uuid': uuid}, examples=[{'uuid': _UUID}]),
        'IntrospectionData': known_data.SCHEMA
        | {
            'description': (
                'What ironic-python-agent sends. There may be any other keys, and null stands for what is not known. '
                'A wrong type is refused, with its place.'
            ),
            'examples': [_data()],
        },
        'StoredData': _JSON_OBJECT | {'examples': [_data()]},
    }


def _data() -> JsonObject:
    disk = {'name': '/dev/sda', 'size': 960197124096, 'rotational': False, 'serial': 'S4X0NA0M0123', 'vendor': 'ATA'}
    return {
        'inventory': {
            'interfaces': [
                {
                    'name': 'eno1',
                    'mac_address': '52:54:00:4e:3d:30',
                    'ipv4_address': '192.0.2.100',
                    'ipv6_address': None,
                    'has_carrier': True,
                    'client_id': None,
                }
            ],
            'disks': [disk],
            'cpu': {'count': 32, 'architecture': 'x86_64', 'flags': ['aes', 'vmx']},
            'memory': {'total': 134872203264, 'physical_mb': 131072},
            'bmc_address': '192.0.2.50',
            'bmc_v6address': None,
            'system_vendor': {'manufacturer': 'Example', 'product_name': 'Server 1', 'serial_number': 'EX12345'},
            'boot': {'current_boot_mode': 'uefi', 'pxe_interface': '52:54:00:4e:3d:30'},
            'hostname': 'ramdisk',
        },
        'root_disk': disk,
        'boot_interface': '01-52-54-00-4e-3d-30',
        'error': None,
    }


# Rules. What comes in is told apart from what goes out: the former may be incomplete, the latter may be of plug-ins
# that are not installed any more.

_CONDITION = {'op': 'eq', 'field': 'data://inventory.system_vendor.manufacturer', 'value': 'Example'}
_ACTION = {'action': 'set-capability', 'name': 'vendor', 'value': '{data[inventory][system_vendor][manufacturer]}'}
_LOOP = {
    'type': ['array', 'object', 'string'],
    'description': 'What to go through: a list, an object, or the path of one; since version 1.19',
}
_MULTIPLE = {'type': 'string', 'enum': list(definition.MULTIPLE)}


def _shown_rule() -> JsonObject:
    return {
        'uuid': _RULE_UUID,
        'description': 'Where it was made',
        'scope': None,
        'priority': 0,
        'sensitive': False,
        'disabled': False,
        'built_in': False,
        'conditions': [_CONDITION | {'multiple': 'any', 'invert': False}],
        'actions': [_ACTION],
        'links': [{'rel': 'self', 'href': f'/v1/rules/{_RULE_UUID}'}],
    }


def _summary() -> tuple[JsonObject, JsonObject]:
    """Return the members of a rule in short: those that are always there, and those since version 1.19."""
    always = {'uuid': _TEXT, 'description': _TEXT_OR_NULL, 'scope': _TEXT_OR_NULL, 'links': _ref('Links')}
    extended = {'priority': {'type': 'integer'}, 'sensitive': _FLAG, 'disabled': _FLAG, 'built_in': _FLAG}
    return always, {key: schema | {'description': 'Since version 1.19'} for key, schema in extended.items()}


def _of_rules() -> JsonObject:
    always, extended = _summary()
    example = _shown_rule()
    in_short = {key: value for key, value in example.items() if key not in ('conditions', 'actions')}
    return {
        'Rules': _object(
            {'rules': {'type': 'array', 'items': _object(always, optional=extended)}},
            examples=[{'rules': [in_short]}],
        ),
        'Rule': _object(
            always | {'conditions': _list_of('Condition'), 'actions': _list_of('Action')},
            optional=extended,
            examples=[example],
        ),
        'Condition': {
            'type': 'object',
            'description': 'Beside what is told here it has the parameters of its operator.',
            'properties': {'op': _TEXT, 'field': _TEXT, 'multiple': _MULTIPLE, 'invert': _FLAG, 'loop': _LOOP},
            'required': ['op', 'field', 'multiple', 'invert'],
        },
        'Action': {
            'type': 'object',
            'description': 'Beside what is told here it has its parameters.',
            'properties': {'action': _TEXT, 'loop': _LOOP},
            'required': ['action'],
        },
    }


def _of_new_rules(vocabulary: definition.Vocabulary) -> JsonObject:
    example = {'description': 'Where it was made', 'conditions': [_CONDITION], 'actions': [_ACTION]}
    members = {
        'uuid': _TEXT_OR_NULL | {'description': 'A new one is made up if there is none'},
        'description': _TEXT_OR_NULL,
        'scope': _TEXT_OR_NULL
        | {
            'maxLength': definition.MAX_SCOPE,
            'description': 'Only nodes with this inspection_scope in their properties; since version 1.16',
        },
        'conditions': _list_of('NewCondition') | {'maxItems': definition.MAX_PARTS},
        'actions': _list_of('NewAction') | {'minItems': 1, 'maxItems': definition.MAX_PARTS},
        'priority': {'type': ['integer', 'null'], 'description': 'Greater ones come first; since version 1.19'},
        'sensitive': {'type': ['boolean', 'null'], 'description': 'Its values are secrets; since version 1.19'},
        'disabled': {'type': ['boolean', 'null'], 'description': 'It does nothing; since version 1.19'},
        **{key: {'readOnly': True} for key in ('links', 'built_in', 'created_at')},
    }
    return {
        'NewRule': {
            'type': 'object',
            'properties': members,
            'required': ['actions'],
            'additionalProperties': False,
            'examples': [example],
        },
        'NewCondition': {
            'type': 'object',
            'description': 'Beside what is told here it needs the parameters of its operator, mostly `value`.',
            'properties': {
                'op': {'type': 'string', 'enum': sorted(vocabulary.operators)},
                'field': _TEXT | {'description': 'A JSON path: data://... or node://...; data if there is no scheme'},
                'multiple': _MULTIPLE | {'default': 'any', 'description': 'Which values count; since version 1.11'},
                'invert': _FLAG | {'default': False, 'description': 'Since version 1.11'},
                'loop': _LOOP,
            },
            'required': ['op', 'field'],
            'examples': [_CONDITION],
        },
        'NewAction': {
            'type': 'object',
            'description': 'Beside what is told here it needs its parameters, such as `path` and `value`.',
            'properties': {'action': {'type': 'string', 'enum': sorted(vocabulary.actions)}, 'loop': _LOOP},
            'required': ['action'],
            'examples': [_ACTION],
        },
        'RuleChange': {'oneOf': [_ref('JsonPatch'), _ref('MergePatch')]},
        'MergePatch': {
            'type': 'object',
            'properties': {key: members[key] for key in ('description', 'scope', 'priority', 'sensitive', 'disabled')},
            'examples': [{'disabled': True}],
        },
        'JsonPatch': {
            'type': 'array',
            'items': {
                'type': 'object',
                'properties': {
                    'op': {'type': 'string', 'enum': ['add', 'remove', 'replace', 'test']},
                    'path': _TEXT,
                    'value': {},
                },
                'required': ['op', 'path'],
            },
            'examples': [[{'op': 'replace', 'path': '/description', 'value': 'Made elsewhere'}]],
        },
    }


def _of_previews() -> JsonObject:
    always, extended = _summary()
    shown = _shown_rule()
    del shown['links']
    (condition,) = shown['conditions']
    patch = {'op': 'add', 'path': '/properties/capabilities', 'value': 'vendor:Example'}
    changes = {
        'node': [patch],
        'reset_interfaces': False,
        'ports': [],
        'created_ports': [],
        'deleted_ports': [],
        'added_traits': [],
        'removed_traits': [],
        'data': [],
    }
    outcome = {'values': ['Example'], 'results': [True], 'result': True, 'error': None}
    example = shown | {
        'conditions': [condition | outcome],
        'in_scope': True,
        'applies': True,
        'error': None,
        'changes': changes,
    }
    return {
        'NewPreview': _object(
            {},
            optional={
                'rule': {
                    'oneOf': [_ref('NewRule'), _TEXT, {'type': 'null'}],
                    'description': 'A rule, or the UUID of one; without it, all rules.',
                },
                'node': _TEXT_OR_NULL | {'description': 'The UUID or the name of a node; without it, one of nothing.'},
                'data': {
                    'type': ['object', 'null'],
                    'description': 'Introspection data; without them, those stored for the node.',
                },
            },
            anyOf=[{'required': ['node']}, {'required': ['data']}],
            examples=[{'data': _data()}],
        ),
        'Preview': _object(
            {
                'rules': _list_of('PreviewedRule'),
                'error': _TEXT_OR_NULL | {'description': 'What would fail the introspection'},
            },
            examples=[{'rules': [example], 'error': None}],
        ),
        'PreviewedRule': _object(
            {key: value for key, value in always.items() if key != 'links'}
            | extended
            | {
                'conditions': _list_of('PreviewedCondition'),
                'actions': _list_of('Action'),
                'in_scope': _FLAG,
                'applies': _FLAG,
                'error': _TEXT_OR_NULL,
                'changes': {'oneOf': [_ref('Changes'), {'type': 'null'}]},
            },
        ),
        'PreviewedCondition': {
            'allOf': [_ref('Condition')],
            'type': 'object',
            'properties': {
                'values': {'description': 'Those that were looked at; masked if the rule is sensitive'},
                'results': {'type': 'array', 'items': _FLAG},
                'result': _FLAG,
                'error': _TEXT_OR_NULL,
            },
        },
        'Changes': _object(
            {
                'node': _ref('JsonPatch'),
                'reset_interfaces': _FLAG,
                'ports': {'type': 'array', 'items': _object({'uuid': _TEXT, 'patch': _ref('JsonPatch')})},
                'created_ports': {'type': 'array', 'items': _JSON_OBJECT},
                **{
                    key: {'type': 'array', 'items': _TEXT}
                    for key in ('deleted_ports', 'added_traits', 'removed_traits')
                },
                'data': _ref('JsonPatch'),
            },
        ),
    }
