"""The samples in the API reference, recorded from the running service.

One story is told to the service, always the same. What changes from run to run (times, and the port in links) is
replaced. With INSPECTOR_RECORD_SAMPLES=1 the samples are written anew, otherwise they are compared with what is there.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import datetime
import difflib
import json
import os
import pathlib
import re
from typing import Any

from ironic_inspector.fixtures import inventories
from tests.functional.lab import UNKNOWN
from tests.functional.lab import Lab
from tests.functional.lab import Machine
from tests.service import until

SAMPLES = pathlib.Path(__file__).parents[2] / 'api-ref' / 'source' / 'samples'
RECORD = 'INSPECTOR_RECORD_SAMPLES'
WIDTH = 100

# What stands in the samples for what differs from run to run.
SERVICE = 'http://127.0.0.1:5050'
FIRST_TIME = datetime.datetime(2026, 1, 31, 12, 20, 55, 481203)
TIME_STEP = datetime.timedelta(seconds=66.37)
TIME = re.compile(r'\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{6})?')

RULE_UUID = '7d1f0a52-93c1-4a2b-8a55-0c3f6f1f9d10'
RULE = {
    'uuid': RULE_UUID,
    'description': 'Large machines of Dell',
    'conditions': [
        {'op': 'eq', 'field': 'data://inventory.system_vendor.manufacturer', 'value': 'Dell Inc.'},
        {'op': 'ge', 'field': 'data://inventory.memory.physical_mb', 'value': 262144},
    ],
    'actions': [
        {'action': 'set-attribute', 'path': '/resource_class', 'value': 'large'},
        {
            'action': 'set-attribute',
            'path': '/extra/serial_number',
            'value': '{data[inventory][system_vendor][serial_number]}',
        },
    ],
}
SECRET_UUID = '7d1f0a52-93c1-4a2b-8a55-0c3f6f1f9d11'
SECRET = {
    'description': 'The password of the BMCs in rack 2',
    'scope': 'rack2',
    'sensitive': True,
    'actions': [{'action': 'set-attribute', 'path': '/driver_info/redfish_password', 'value': 'kRt5xQ9w'}],
}
JSON_PATCH = [
    {'op': 'replace', 'path': '/actions/0/value', 'value': 'dell-large'},
    {'op': 'add', 'path': '/priority', 'value': 10},
]
MERGE_PATCH = {'description': 'Not needed any more', 'disabled': True}
PREVIEW = {
    'node': 'rack1-node7',
    'rule': {
        'uuid': '7d1f0a52-93c1-4a2b-8a55-0c3f6f1f9d12',
        'description': 'Machines with 25 Gbit/s on each interface',
        'conditions': [
            {'op': 'ge', 'field': 'data://inventory.interfaces[*].speed_mbps', 'value': 25000, 'multiple': 'all'}
        ],
        'actions': [
            {'action': 'add-trait', 'name': 'CUSTOM_25G'},
            {
                'action': 'set-port-attribute',
                'port_id': '{data[boot_interface]}',
                'path': '/extra/driver',
                'value': '{data[inventory][interfaces][0][driver]}',
            },
        ],
    },
}


class _Story:
    """A service that is told a story, and what was said meanwhile."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.documents: dict[str, Any] = {}
        """By the name of the sample."""

    def keep(self, name: str, document: Any) -> None:
        """Make a sample of a document."""
        assert name not in self.documents
        self.documents[name] = document

    def ask(self, expected: int, method: str, path: str, body: Any = None, **kwargs: Any) -> Any:
        """Send a request, and return the document in the answer."""
        answer = self.lab.inspector.call(method, path, json=body, **kwargs)
        assert answer.status_code == expected, f'{method} {path}: {answer.status_code} {answer.text}'
        return answer.json() if answer.content else None

    def samples(self) -> dict[str, str]:
        """Return the text of each sample, by the name of its file."""
        texts = {name: json.dumps(document) for name, document in self.documents.items()}
        times = sorted({time for text in texts.values() for time in TIME.findall(text)})
        fixed = {time: (FIRST_TIME + number * TIME_STEP).isoformat() for number, time in enumerate(times)}
        for name, text in texts.items():
            replaced = TIME.sub(lambda found: fixed[found[0]], text.replace(self.lab.inspector.url, SERVICE))
            texts[name] = _written(json.loads(replaced)) + '\n'
        return {f'{name}.json': text for name, text in texts.items()}


def test_samples_are_what_the_service_answers(make_lab: Callable[..., Lab]) -> None:
    story = _Story(make_lab(healthcheck={'enabled': True}))
    with story.lab.ironic.fail('GET', '/nodes$', 503):
        story.keep('healthcheck-failed', story.ask(503, 'GET', '/healthcheck'))
    _versions(story)
    _rules(story)
    _introspection(story)
    _preview(story)
    _statuses(story)
    _changed_rules(story)
    _health(story)
    recorded = story.samples()
    if os.environ.get(RECORD):
        _write(recorded)
    different = '\n'.join(_differences(recorded))
    assert not different, (
        f'The samples of the API reference are not what the service answers:\n{different}\n'
        f'If the service is right, run this test with {RECORD}=1: it writes the samples.'
    )


def _versions(story: _Story) -> None:
    story.keep('versions', story.ask(200, 'GET', '/'))
    story.keep('resources', story.ask(200, 'GET', '/v1'))
    story.keep('error', story.ask(404, 'GET', f'/v1/introspection/{UNKNOWN}'))


def _rules(story: _Story) -> None:
    story.keep('rule-create-request', RULE)
    story.keep('rule', story.ask(201, 'POST', '/v1/rules', RULE))
    assert story.ask(200, 'GET', f'/v1/rules/{RULE_UUID}') == story.documents['rule']
    story.keep('rule-sensitive-request', SECRET)
    story.keep('rule-sensitive', story.ask(201, 'POST', f'/v1/rules/{SECRET_UUID}', SECRET))
    story.keep('rules', story.ask(200, 'GET', '/v1/rules'))
    story.keep('rule-error', story.ask(400, 'POST', '/v1/rules', {'conditions': [{'op': 'eq'}], 'actions': []}))


def _introspection(story: _Story) -> None:
    data = inventories.load('bmc-ipv6')
    machine = _machine(story, 7, data['boot_interface'], data['inventory']['bmc_v6address'])
    story.lab.waiting(machine)
    story.keep('continue-request', data)
    story.keep('continue', story.ask(200, 'POST', '/v1/continue', data))
    story.lab.reached(machine, 'finished')
    story.keep('status', story.ask(200, 'GET', f'/v1/introspection/{machine.name}'))
    story.keep('data', story.ask(200, 'GET', f'/v1/introspection/{machine.name}/data'))
    story.keep('data-unprocessed', story.ask(200, 'GET', f'/v1/introspection/{machine.name}/data/unprocessed'))


def _preview(story: _Story) -> None:
    story.keep('rule-preview-request', PREVIEW)
    story.keep('rule-preview', story.ask(200, 'POST', '/v1/rules/preview', PREVIEW))


def _statuses(story: _Story) -> None:
    aborted = story.lab.waiting(_machine(story, 8, '00:00:5e:00:53:81', '2001:db8:b::80'))
    story.lab.abort(aborted)
    story.lab.ended(aborted)
    story.lab.waiting(_machine(story, 9, '00:00:5e:00:53:71', '2001:db8:b::70'))
    story.keep('statuses', story.ask(200, 'GET', '/v1/introspection?limit=2&state=waiting,error'))


def _changed_rules(story: _Story) -> None:
    one = f'/v1/rules/{RULE_UUID}'
    story.keep('rule-json-patch', JSON_PATCH)
    headers = {'Content-Type': 'application/json-patch+json'}
    story.keep('rule-changed', story.ask(200, 'PATCH', one, JSON_PATCH, headers=headers))
    story.keep('rule-merge-patch', MERGE_PATCH)
    headers = {'Content-Type': 'application/merge-patch+json'}
    changed = story.ask(200, 'PATCH', one, MERGE_PATCH, headers=headers)
    assert changed == story.documents['rule-changed'] | MERGE_PATCH
    story.ask(204, 'DELETE', one)
    story.ask(204, 'DELETE', '/v1/rules')


def _health(story: _Story) -> None:
    # What was found when Ironic failed holds for a while.
    until(lambda: story.lab.inspector.call('GET', '/healthcheck').status_code == 200)
    story.keep('healthcheck', story.ask(200, 'GET', '/healthcheck'))


def _machine(story: _Story, number: int, mac: str, bmc: str) -> Machine:
    """Return a machine with a node that always has the same UUID and name."""
    ironic, uuid = story.lab.ironic, f'4e1b6f0c-5d0a-4c43-9d0f-1f8c6e6a2b{number:02d}'
    name = f'rack1-node{number}'
    ironic.add_node(uuid=uuid, name=name, driver='redfish', driver_info={'redfish_address': f'https://[{bmc}]'})
    ironic.add_port(uuid, mac, uuid=f'a3c1f5d2-0f3b-4b8e-9c67-5d2e8f10b9{number:02d}')
    return Machine(uuid, name, mac, bmc)


# Files


def _differences(recorded: dict[str, str]) -> Iterator[str]:
    present = {path.name: path.read_text() for path in SAMPLES.iterdir()}
    for name in sorted(recorded.keys() | present.keys()):
        if name not in recorded:
            yield f'{name} is none of the samples that this test records'
        elif name not in present:
            yield f'{name} is missing'
        else:
            there, now = (text.splitlines() for text in (present[name], recorded[name]))
            yield from difflib.unified_diff(there, now, name, 'what the service answers', lineterm='')


def _write(recorded: dict[str, str]) -> None:
    for path in SAMPLES.iterdir():
        if path.name not in recorded:
            path.unlink()
    for name, text in recorded.items():
        (SAMPLES / name).write_text(text)


def _written(value: Any, indent: int = 0, used: int = 0) -> str:
    """Return JSON in which a line holds what fits into it; `used` columns of the first line are taken."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + used < WIDTH or not isinstance(value, (dict, list)):
        return line
    inner = ' ' * (indent + 2)
    opening, closing = '[]'
    if isinstance(value, dict):
        opening, closing = '{}'
        names = {name: f'{json.dumps(name)}: ' for name in value}
        items = [names[name] + _written(value[name], indent + 2, indent + 2 + len(names[name])) for name in value]
    elif any(isinstance(item, (dict, list)) for item in value):
        items = [_written(item, indent + 2, indent + 2) for item in value]
    else:
        items = list(_filled([json.dumps(item, ensure_ascii=False) for item in value], WIDTH - indent - 3))
    lines = f',\n{inner}'.join(items)
    return f'{opening}\n{inner}{lines}\n{" " * indent}{closing}'


def _filled(words: list[str], width: int) -> Iterator[str]:
    """Yield lines of words with commas between them."""
    line = ''
    for word in words:
        if line and len(line) + len(word) + 2 > width:
            yield line
            line = word
        else:
            line = f'{line}, {word}' if line else word
    yield line
