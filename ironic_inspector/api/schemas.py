"""JSON Schemas (2020-12) of what goes in and out of the API, and its parameters, for its description."""

from __future__ import annotations

from ironic_inspector.api import microversions
from ironic_inspector.api import rule_schemas
from ironic_inspector.api.schema_parts import FLAG
from ironic_inspector.api.schema_parts import JSON_OBJECT
from ironic_inspector.api.schema_parts import TEXT
from ironic_inspector.api.schema_parts import TEXT_OR_NULL
from ironic_inspector.api.schema_parts import JsonObject
from ironic_inspector.api.schema_parts import list_of
from ironic_inspector.api.schema_parts import object_of
from ironic_inspector.api.schema_parts import ref
from ironic_inspector.conductor import known_data
from ironic_inspector.introspection_state import States
from ironic_inspector.rules import definition

_UUID = '4e1b6f0c-5d0a-4c43-9d0f-1f8c6e6a2b7d'


def schemas(vocabulary: definition.Vocabulary) -> JsonObject:
    """Return all schemas by name; rules may use `vocabulary`."""
    return {**_basics(), **_of_introspection(), **rule_schemas.schemas(vocabulary, _data())}


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
            'schema': TEXT | {'examples': [f'{microversions.SERVICE_TYPE} {newest}']},
        },
        'node_id': {
            'name': 'node_id',
            'in': 'path',
            'required': True,
            'description': "The UUID of a node, or, since version 1.5, the node's name.",
            'schema': TEXT | {'minLength': 1, 'examples': [_UUID, 'node-12']},
        },
        'rule_uuid': {
            'name': 'rule_uuid',
            'in': 'path',
            'required': True,
            'description': 'The UUID of a rule.',
            'schema': TEXT | {'minLength': 1, 'examples': [rule_schemas.UUID]},
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
            'schema': TEXT | {'format': 'uuid'},
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
        'Error': object_of(
            {'error': object_of({'message': TEXT | {'minLength': 1, 'description': 'What is wrong, and what to do'}})},
            examples=[{'error': {'message': 'There is no such URL: GET /v1 lists what there is'}}],
        ),
        'Empty': object_of({}, examples=[{}]),
        'Links': {
            'type': 'array',
            'items': object_of({'rel': TEXT, 'href': TEXT | {'format': 'uri-reference'}}),
        },
        'Versions': object_of(
            {
                'versions': {
                    'type': 'array',
                    'items': object_of({'id': TEXT, 'status': {'const': 'CURRENT'}, 'links': ref('Links')}),
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
        'Resources': object_of(
            {'resources': {'type': 'array', 'items': object_of({'name': TEXT, 'links': ref('Links')})}},
            examples=[
                {'resources': [{'name': 'rules', 'links': [{'rel': 'self', 'href': 'http://192.0.2.1:5050/v1/rules'}]}]}
            ],
        ),
        'Description': {'type': 'object', 'required': ['openapi', 'info', 'paths']},
    }


def _of_introspection() -> JsonObject:
    uuid = TEXT | {'format': 'uuid'}
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
        'Status': object_of(
            {
                'uuid': uuid,
                'finished': FLAG | {'description': 'Whether it has ended, well or not'},
                'state': {'type': 'string', 'enum': list(States.ALL)},
                'started_at': time,
                'finished_at': time,
                'error': TEXT_OR_NULL | {'description': 'Why it failed'},
                'links': ref('Links'),
            },
            examples=[status],
        ),
        'Statuses': object_of({'introspection': list_of('Status')}, examples=[{'introspection': [status]}]),
        'Continued': object_of({'uuid': uuid}, examples=[{'uuid': _UUID}]),
        'IntrospectionData': known_data.SCHEMA
        | {
            'description': (
                'What ironic-python-agent sends. There may be any other keys, and null stands for what is not known. '
                'A wrong type is refused, with its place.'
            ),
            'examples': [_data()],
        },
        'StoredData': JSON_OBJECT | {'examples': [_data()]},
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
