"""What the description of the API says of each route, beyond what the table in routes.py has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

JSON = 'application/json'


class Answer(NamedTuple):
    """An answer that is no error."""

    description: str
    schema: str | None = None
    """The name of its schema in schemas.py; None if there is no body."""


class Body(NamedTuple):
    """The body of a request."""

    types: Mapping[str, str]
    """Names of schemas in schemas.py by content type; all of them are read as JSON, whatever a request names."""
    description: str = ''
    required: bool = True


class Operation(NamedTuple):
    """One route. What holds for all, such as the errors 400, 406, 413, 500 and 503, is not repeated."""

    name: str
    """Unique, and made for programs."""
    summary: str
    answers: Mapping[int, Answer]
    errors: tuple[int, ...] = ()
    description: str = ''
    query: tuple[str, ...] = ()
    """Names of parameters in schemas.py."""
    body: Body | None = None


_ACCEPTED = {202: Answer('Accepted: what was asked for is on its way', 'Empty')}
_DELETED = {204: Answer('Done')}
_RULE_CREATED = {
    200: Answer('The rule, as it was answered before version 1.6', 'Rule'),
    201: Answer('The rule', 'Rule'),
}

OPERATIONS: Mapping[str, Operation] = {
    'GET /': Operation(
        name='listVersions',
        summary='List the versions of the API',
        answers={200: Answer('The versions', 'Versions')},
    ),
    'GET /v1': Operation(
        name='listResources',
        summary='List the resources of version 1',
        answers={200: Answer('The resources', 'Resources')},
    ),
    'GET /v1/openapi.json': Operation(
        name='describe',
        summary='Describe the API',
        description='This description, as OpenAPI 3.1, of the service as it is configured.',
        answers={200: Answer('The description', 'Description')},
        errors=(404,),
    ),
    'POST /v1/continue': Operation(
        name='continueIntrospection',
        summary='Hand over the inventory of a machine',
        description=(
            'For the ramdisk only. The node is the one on introspection that shares most with the data: the MACs of '
            'its network interfaces, and the addresses of its BMC. Data that name no such node are answered with 404; '
            'data that cannot be used fail the introspection of the node, and the answer names what is wrong.'
        ),
        body=Body({JSON: 'IntrospectionData'}),
        answers={200: Answer('The node, whose introspection is as good as finished', 'Continued')},
        errors=(404, 409),
    ),
    'GET /v1/introspection': Operation(
        name='listIntrospections',
        summary='List the statuses of introspections',
        description='The one started last comes first; of those started at the same time, that of the greatest UUID.',
        query=('limit', 'marker', 'state'),
        answers={200: Answer('One page of statuses', 'Statuses')},
        errors=(404,),
    ),
    'POST /v1/introspection/<node_id>': Operation(
        name='startIntrospection',
        summary='Start the introspection of a node',
        description=(
            'Makes the machine boot the ramdisk that sends its inventory. The answer comes before the machine has been '
            'touched: the status of the node tells what becomes of it. A node that waits is started once more.'
        ),
        query=('manage_boot',),
        answers=_ACCEPTED,
        errors=(404, 409),
    ),
    'GET /v1/introspection/<node_id>': Operation(
        name='showIntrospection',
        summary='Show the status of the last introspection of a node',
        answers={200: Answer('The status', 'Status')},
        errors=(404,),
    ),
    'POST /v1/introspection/<node_id>/abort': Operation(
        name='abortIntrospection',
        summary='Abort the introspection of a node',
        description='Powers the machine off and ends its introspection with an error.',
        answers=_ACCEPTED,
        errors=(404, 409),
    ),
    'GET /v1/introspection/<node_id>/data': Operation(
        name='showData',
        summary='Show the processed data of a node',
        description='What its ramdisk sent, with all that the processing hooks have added.',
        answers={200: Answer('The data; which keys there are depends on ramdisk and hooks', 'StoredData')},
        errors=(404,),
    ),
    'GET /v1/introspection/<node_id>/data/unprocessed': Operation(
        name='showUnprocessedData',
        summary='Show what the ramdisk of a node sent',
        description='Its logs are left out.',
        answers={200: Answer('The data', 'StoredData')},
        errors=(404,),
    ),
    'POST /v1/introspection/<node_id>/data/unprocessed': Operation(
        name='reapplyData',
        summary='Process data of a node again',
        description=(
            'Runs the processing hooks and the rules once more, without touching the machine. The introspection of the '
            'node must have ended.'
        ),
        body=Body(
            {JSON: 'IntrospectionData'},
            'Without a body the stored data are processed, else those in the body, which are stored in their place.',
            required=False,
        ),
        answers=_ACCEPTED,
        errors=(404, 409),
    ),
    'GET /v1/rules': Operation(
        name='listRules',
        summary='List all introspection rules',
        description='Built-in ones come first, then the oldest.',
        answers={200: Answer('The rules, in short', 'Rules')},
    ),
    'POST /v1/rules': Operation(
        name='createRule',
        summary='Create an introspection rule',
        body=Body({JSON: 'NewRule'}),
        answers=_RULE_CREATED,
        errors=(409,),
    ),
    'DELETE /v1/rules': Operation(
        name='deleteRules',
        summary='Delete all introspection rules but built-in ones',
        answers=_DELETED,
    ),
    'POST /v1/rules/preview': Operation(
        name='previewRules',
        summary='Show what rules would do',
        description=(
            'Applies a rule, or all of them, to a node of Ironic with its stored data or those in the request, without '
            'changing anything.'
        ),
        body=Body({JSON: 'NewPreview'}),
        answers={200: Answer('What each rule found, and would change', 'Preview')},
        errors=(404,),
    ),
    'GET /v1/rules/<rule_uuid>': Operation(
        name='showRule',
        summary='Show an introspection rule',
        answers={200: Answer('The rule', 'Rule')},
        errors=(404,),
    ),
    'POST /v1/rules/<rule_uuid>': Operation(
        name='createRuleAt',
        summary='Create an introspection rule with a given UUID',
        body=Body({JSON: 'NewRule'}, 'A UUID in it must be the one in the URL.'),
        answers=_RULE_CREATED,
        errors=(409,),
    ),
    'PATCH /v1/rules/<rule_uuid>': Operation(
        name='changeRule',
        summary='Change an introspection rule',
        body=Body(
            {
                JSON: 'RuleChange',
                'application/json-patch+json': 'JsonPatch',
                'application/merge-patch+json': 'MergePatch',
            },
            'A list is a JSON patch (RFC 6902), an object has the new values of some keys (RFC 7396).',
        ),
        answers={200: Answer('The changed rule', 'Rule')},
        errors=(403, 404, 409),
    ),
    'DELETE /v1/rules/<rule_uuid>': Operation(
        name='deleteRule',
        summary='Delete an introspection rule',
        answers=_DELETED,
        errors=(403, 404),
    ),
}
"""By `Route.endpoint`."""
