"""JSON Schemas (2020-12) of rules and previews.

What comes in is told apart from what goes out: the former may be incomplete, the latter may be of plug-ins that are not
installed any more.
"""

from __future__ import annotations

from ironic_inspector.api.schema_parts import FLAG
from ironic_inspector.api.schema_parts import JSON_OBJECT
from ironic_inspector.api.schema_parts import TEXT
from ironic_inspector.api.schema_parts import TEXT_OR_NULL
from ironic_inspector.api.schema_parts import JsonObject
from ironic_inspector.api.schema_parts import list_of
from ironic_inspector.api.schema_parts import object_of
from ironic_inspector.api.schema_parts import ref
from ironic_inspector.rules import definition

UUID = '7d1f0a52-93c1-4a2b-8a55-0c3f6f1f9d10'
"""Of the rule in the examples."""
_CONDITION = {'op': 'eq', 'field': 'data://inventory.system_vendor.manufacturer', 'value': 'Example'}
_ACTION = {'action': 'set-capability', 'name': 'vendor', 'value': '{data[inventory][system_vendor][manufacturer]}'}
_LOOP = {
    'type': ['array', 'object', 'string'],
    'description': 'What to go through: a list, an object, or the path of one; since version 1.19',
}
_MULTIPLE = {'type': 'string', 'enum': list(definition.MULTIPLE)}


def schemas(vocabulary: definition.Vocabulary, data: JsonObject) -> JsonObject:
    """Return the schemas by name; rules may use `vocabulary`, and `data` are introspection data for an example."""
    return {**_of_rules(), **_of_new_rules(vocabulary), **_of_previews(data)}


def _shown_rule() -> JsonObject:
    return {
        'uuid': UUID,
        'description': 'Where it was made',
        'scope': None,
        'priority': 0,
        'sensitive': False,
        'disabled': False,
        'built_in': False,
        'conditions': [_CONDITION | {'multiple': 'any', 'invert': False}],
        'actions': [_ACTION],
        'links': [{'rel': 'self', 'href': f'/v1/rules/{UUID}'}],
    }


def _summary() -> tuple[JsonObject, JsonObject]:
    """Return the members of a rule in short: those that are always there, and those since version 1.19."""
    always = {'uuid': TEXT, 'description': TEXT_OR_NULL, 'scope': TEXT_OR_NULL, 'links': ref('Links')}
    extended = {'priority': {'type': 'integer'}, 'sensitive': FLAG, 'disabled': FLAG, 'built_in': FLAG}
    return always, {key: schema | {'description': 'Since version 1.19'} for key, schema in extended.items()}


def _of_rules() -> JsonObject:
    always, extended = _summary()
    example = _shown_rule()
    in_short = {key: value for key, value in example.items() if key not in ('conditions', 'actions')}
    return {
        'Rules': object_of(
            {'rules': {'type': 'array', 'items': object_of(always, optional=extended)}},
            examples=[{'rules': [in_short]}],
        ),
        'Rule': object_of(
            always | {'conditions': list_of('Condition'), 'actions': list_of('Action')},
            optional=extended,
            examples=[example],
        ),
        'Condition': {
            'type': 'object',
            'description': 'Beside what is told here it has the parameters of its operator.',
            'properties': {'op': TEXT, 'field': TEXT, 'multiple': _MULTIPLE, 'invert': FLAG, 'loop': _LOOP},
            'required': ['op', 'field', 'multiple', 'invert'],
        },
        'Action': {
            'type': 'object',
            'description': 'Beside what is told here it has its parameters.',
            'properties': {'action': TEXT, 'loop': _LOOP},
            'required': ['action'],
        },
    }


def _of_new_rules(vocabulary: definition.Vocabulary) -> JsonObject:
    example = {'description': 'Where it was made', 'conditions': [_CONDITION], 'actions': [_ACTION]}
    members = {
        'uuid': TEXT_OR_NULL | {'description': 'A new one is made up if there is none'},
        'description': TEXT_OR_NULL,
        'scope': TEXT_OR_NULL
        | {
            'maxLength': definition.MAX_SCOPE,
            'description': 'Only nodes with this inspection_scope in their properties; since version 1.16',
        },
        'conditions': list_of('NewCondition') | {'maxItems': definition.MAX_PARTS},
        'actions': list_of('NewAction') | {'minItems': 1, 'maxItems': definition.MAX_PARTS},
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
                'field': TEXT | {'description': 'A JSON path: data://... or node://...; data if there is no scheme'},
                'multiple': _MULTIPLE | {'default': 'any', 'description': 'Which values count; since version 1.11'},
                'invert': FLAG | {'default': False, 'description': 'Since version 1.11'},
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
        'RuleChange': {'oneOf': [ref('JsonPatch'), ref('MergePatch')]},
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
                    'path': TEXT,
                    'value': {},
                },
                'required': ['op', 'path'],
            },
            'examples': [[{'op': 'replace', 'path': '/description', 'value': 'Made elsewhere'}]],
        },
    }


def _of_previews(data: JsonObject) -> JsonObject:
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
        'NewPreview': object_of(
            {},
            optional={
                'rule': {
                    'oneOf': [ref('NewRule'), TEXT, {'type': 'null'}],
                    'description': 'A rule, or the UUID of one; without it, all rules.',
                },
                'node': TEXT_OR_NULL | {'description': 'The UUID or the name of a node; without it, one of nothing.'},
                'data': {
                    'type': ['object', 'null'],
                    'description': 'Introspection data; without them, those stored for the node.',
                },
            },
            anyOf=[{'required': ['node']}, {'required': ['data']}],
            examples=[{'data': data}],
        ),
        'Preview': object_of(
            {
                'rules': list_of('PreviewedRule'),
                'error': TEXT_OR_NULL | {'description': 'What would fail the introspection'},
            },
            examples=[{'rules': [example], 'error': None}],
        ),
        'PreviewedRule': object_of(
            {key: value for key, value in always.items() if key != 'links'}
            | extended
            | {
                'conditions': list_of('PreviewedCondition'),
                'actions': list_of('Action'),
                'in_scope': FLAG,
                'applies': FLAG,
                'error': TEXT_OR_NULL,
                'changes': {'oneOf': [ref('Changes'), {'type': 'null'}]},
            },
        ),
        'PreviewedCondition': {
            'allOf': [ref('Condition')],
            'type': 'object',
            'properties': {
                'values': {'description': 'Those that were looked at; masked if the rule is sensitive'},
                'results': {'type': 'array', 'items': FLAG},
                'result': FLAG,
                'error': TEXT_OR_NULL,
            },
        },
        'Changes': object_of(
            {
                'node': ref('JsonPatch'),
                'reset_interfaces': FLAG,
                'ports': {'type': 'array', 'items': object_of({'uuid': TEXT, 'patch': ref('JsonPatch')})},
                'created_ports': {'type': 'array', 'items': JSON_OBJECT},
                **{
                    key: {'type': 'array', 'items': TEXT} for key in ('deleted_ports', 'added_traits', 'removed_traits')
                },
                'data': ref('JsonPatch'),
            },
        ),
    }
