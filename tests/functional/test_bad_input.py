"""What nobody should send: each gets a reason, and none of it a failure of the service."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import copy
import json
import socket
from typing import Any

import pytest
import requests

from ironic_inspector.api.body import MAX_DEPTH
from tests.functional.lab import Lab
from tests.functional.lab import Machine
from tests.functional.lab import at_once
from tests.functional.lab import message
from tests.functional.raw_http import ANSWER_TIMEOUT
from tests.functional.raw_http import LIMIT
from tests.functional.raw_http import nothing_unexpected
from tests.functional.raw_http import raw

__all__ = ['nothing_unexpected']


# Bodies

BODIES = {
    'nothing': b'',
    'blank': b' \r\n',
    'not UTF-8': b'{"error": "\xff\xfe"}',
    'UTF-16': '{"error": "x"}'.encode('utf-16'),
    'a byte order mark': b'\xef\xbb\xbf{}',
    'half': b'{"inventory": {"interfaces": [',
    'not JSON': b"{'inventory': None}",
    'a form': b'inventory=x&error=y',
    'two documents': b'{}{}',
    'NaN': b'{"x": NaN}',
    'Infinity': b'{"x": [-Infinity]}',
    'a number beyond all floats': b'{"x": 1e400}',
    'a number of 5000 digits': b'{"x": ' + b'9' * 5000 + b'}',
    'a list': b'[{"inventory": {}}]',
    'text': b'"inventory"',
    'a number': b'7',
    'null': b'null',
    'true': b'true',
    'NUL': b'\0',
    'a little too deep': b'{"x":' + b'[' * MAX_DEPTH + b']' * MAX_DEPTH + b'}',
    '100,000 lists': b'[' * 100_000,
    '100,000 lists in an object': b'{"x":' + b'[' * 100_000 + b']' * 100_000 + b'}',
    '100,000 objects': b'{"x":' * 100_000,
}


@pytest.mark.parametrize('body', BODIES.values(), ids=BODIES)
def test_bodies_that_are_no_json_object(lab: Lab, body: bytes) -> None:
    answers = [lab.call_back(body)]
    # To reapply, no body means the stored data; none are stored for a node that is unknown.
    answers += [lab.reapply(lab.machine(), data=body)] if body.strip() else []
    for answer in answers:
        assert answer.status_code == 400, answer.text
        assert len(message(answer)) < 500


@pytest.mark.parametrize('data', [{}, {'inventory': {}}, {'inventory': None}, {'error': 'x'}, {'x': '\ud800\0'}])
def test_objects_that_are_no_data(lab: Lab, data: dict[str, Any]) -> None:
    answer = lab.call_back(data)
    assert answer.status_code == 404
    assert 'inventory' in message(answer)


@pytest.mark.parametrize('path', ['/v1/continue', '/v1/introspection/nobody/abort', '/nowhere'])
@pytest.mark.parametrize('chunked', [False, True], ids=['length', 'chunks'])
def test_bodies_that_are_too_large(lab: Lab, path: str, chunked: bool) -> None:
    piece = b' ' * (1 << 20)
    pieces = LIMIT // len(piece) + 1
    body = iter([piece] * pieces) if chunked else piece * pieces
    with requests.Session() as session:
        answer = session.post(lab.inspector.url + path, data=body, timeout=ANSWER_TIMEOUT)
    assert answer.status_code == 413
    assert 'max_request_body_size' in message(answer)


@pytest.mark.parametrize('method', ['GET', 'POST', 'PUT'])
def test_the_length_alone_tells_that_a_body_is_too_large(lab: Lab, method: str) -> None:
    head = f'{method} /v1/continue HTTP/1.1\r\nHost: x\r\nContent-Length: {1 << 40}\r\n\r\n'
    # Nothing of it has to be sent to get the answer.
    status, _headers, document = raw(lab, head.encode())
    assert status == 413
    assert 'max_request_body_size' in document['error']['message']


@pytest.mark.parametrize('path', ['/v1/continue', '/v1/introspection/{}/data/unprocessed'])
@pytest.mark.parametrize('chunked', [False, True], ids=['length', 'chunks'])
def test_a_body_without_its_end_is_not_used(lab: Lab, path: str, chunked: bool) -> None:
    machine = lab.finished()
    if path == '/v1/continue':
        lab.waiting(machine)
    steps = lab.steps(machine)
    # As it is a whole document, only its length tells that there is more to come.
    body = json.dumps(machine.data()).encode()
    length, start = (f'Content-Length: {len(body) + 1}', b'')
    if chunked:
        length, start = 'Transfer-Encoding: chunked', b'%x\r\n' % len(body)
    head = f'POST {path.format(machine.uuid)} HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n'.encode()
    with socket.create_connection(('127.0.0.1', lab.inspector.port), ANSWER_TIMEOUT) as connection:
        connection.sendall(head + start + body)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile('rb') as stream:
            answer = stream.read()
    assert answer.startswith(b'HTTP/1.1 400 ')
    assert lab.steps(machine) == steps


def test_every_wrong_field_is_named_and_nothing_is_written(lab: Lab) -> None:
    machine = lab.waiting()
    data = machine.data(pci_devices=[{'bus': 7}], root_disk='sda')
    data['inventory'] |= {'memory': 'much', 'disks': {}}
    data['inventory']['interfaces'].append({'name': 'eth9', 'mac_address': 7})
    since = lab.ironic.mark()
    answer = lab.call_back(data)
    assert answer.status_code == 400
    status = lab.status(machine)
    assert status['state'] == 'error'
    for place in ('pci_devices[0].bus', 'root_disk', 'inventory.memory', 'inventory.disks'):
        for text in (message(answer), status['error']):
            assert text.count(f'{place} must be ') == 1
    assert 'inventory.interfaces[1].mac_address must be text, not 7' in message(answer)
    assert lab.data(machine, processed=False).status_code == 404
    assert lab.summary(machine, since) == []


def test_a_machine_that_is_not_known_is_told_so_first(lab: Lab) -> None:
    answer = lab.call_back(lab.machine().data(root_disk='sda'))
    assert answer.status_code == 404
    assert 'root_disk must be an object' in message(answer)


# Data

VALUES: tuple[Any, ...] = (7, -1.5, 'x', '', '\ud800\0\U0001f600', None, [], [[]], {}, {'x': [7]}, True, 10**30)
HALF = len(VALUES) // 2
ALIKE = ('lldp_raw', 'data', 'dmi', 'numa_topology', 'configuration', 'plugin_data')
"""Parts of the data that no hook looks into; the service only keeps them."""


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything in a document, of lists only of the first two items."""
    keys: list[Any] = []
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = list(range(min(len(value), 2)))
    for key in keys:
        yield (*place, key)
        if key not in ALIKE:
            yield from places(value[key], (*place, key))


def replaced(data: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """Return a copy of a document with another value at a place."""
    changed = copy.deepcopy(data)
    parent: Any = changed
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = value
    return changed


def fault_of(lab: Lab, machine: Machine, data: dict[str, Any]) -> str | None:
    """Let a waiting machine send data, and say what of the consequences is wrong."""
    answer = lab.call_back(data)
    if answer.status_code == 200:
        state = lab.ended(machine)['state']
        return None if state == 'finished' else f'200, then {state}'
    if answer.status_code not in (400, 404):
        return f'{answer.status_code} {answer.text}'
    reason, status = message(answer), lab.status(machine)
    # Without its identity a machine is not found, and awaited further.
    if status['state'] != {400: 'error', 404: 'waiting'}[answer.status_code]:
        return f'{answer.status_code} {reason}, and the state is {status["state"]}'
    return None


def test_wrong_types_anywhere_in_the_data(lab: Lab) -> None:
    machines = [lab.machine(properties={'root_device': {'rotational': False}}) for _ in range(4)]

    def try_all(number: int) -> list[str]:
        machine, faults = machines[number], []
        data = machine.data()
        # Every place is reached, and every value, but not every pair of them: that would take minutes.
        cases = [
            (place, value)
            for index, place in enumerate(places(data))
            for value in (VALUES[index % HALF], VALUES[index % HALF + HALF])
        ]
        for place, value in cases[number :: len(machines)]:
            # Nothing is powered: faster, and beside the point here.
            assert lab.start(machine, manage_boot='0').status_code == 202
            fault = fault_of(lab, machine, replaced(data, place, value))
            if fault:
                faults.append(f'{place} = {value!r}: {fault}')
        return faults

    faults = at_once([lambda number=number: try_all(number) for number in range(len(machines))])  # type: ignore[misc]
    assert [fault for each in faults for fault in each] == []


def test_all_interfaces_come_from_the_service_alone(lab: Lab) -> None:
    machine = lab.waiting()
    data = machine.data(all_interfaces={'x': 7}, interfaces='x', macs={'x': 'y'}, ipmi_address=[], local_gb='x')
    assert lab.call_back(data).status_code == 200
    lab.reached(machine, 'finished')
    assert lab.data(machine).json()['macs'] == [machine.mac]


def test_wrong_types_where_no_hook_looks_at_them(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(processing={'processing_hooks': 'ramdisk_error'})
    for data in (
        {'all_interfaces': {'eth0': 7}},
        {'all_interfaces': {'eth0': {'mac': ['x']}}},
        {'all_interfaces': {'eth0': {'mac': 7}, 'eth1': {'mac': 'x'}}},
        {'all_interfaces': {'eth0': {'mac': '\ud800'}}},
        {'all_interfaces': 7},
        {'inventory': 7},
        {'inventory': {'interfaces': 7}},
        {'inventory': {'interfaces': 'eth0'}},
        {'inventory': {'interfaces': [7, {'mac_address': 7}, {'mac_address': '\ud800\0'}]}},
    ):
        answer = lab.call_back(data)
        assert answer.status_code == 404, (data, answer.text)
    machine = lab.waiting()
    assert lab.call_back(machine.data()).status_code == 200
    lab.reached(machine, 'finished')


def test_an_error_of_a_megabyte(lab: Lab) -> None:
    machine = lab.waiting()
    answer = lab.call_back(machine.data(error='It burns. ' + '\u20ac' * 1_000_000))
    assert answer.status_code == 400
    for text in (message(answer), lab.status(machine)['error']):
        assert 'It burns.' in text
        assert len(text) < 100_000
    assert max(len(line) for line in lab.log_of('It burns')) < 100_000


@pytest.mark.parametrize(
    'text', ['half \ud800 a pair', 'NUL \0', 'face \U0001f600', '100 %s %d %', '{uuid}', '\x1b[31m']
)
def test_peculiar_characters_in_an_error(lab: Lab, text: str) -> None:
    machine = lab.waiting()
    answer = lab.call_back(machine.data(error=text))
    assert answer.status_code == 400
    assert text[:3] in message(answer)
    assert text[:3] in lab.status(machine)['error']


def test_peculiar_characters_in_names(lab: Lab) -> None:
    machine = lab.waiting()
    name = 'eth\ud800\0\U0001f600%s{uuid}'
    data = machine.data(boot_interface=None, name=name)
    data['inventory']['interfaces'][0]['name'] = name
    data['inventory']['cpu']['architecture'] = name
    data['inventory']['hostname'] = name
    assert lab.call_back(data).status_code == 200
    lab.reached(machine, 'finished')
    assert list(lab.data(machine).json()['all_interfaces']) == [name]


def test_many_interfaces_and_many_faults(lab: Lab) -> None:
    machine = lab.waiting()
    data = machine.data()
    data['inventory']['interfaces'] += [7] * 20_000
    answer = lab.call_back(data)
    assert answer.status_code == 400
    assert len(message(answer)) < 10_000
    machine = lab.waiting()
    data = machine.data()
    data['inventory']['interfaces'] += [
        {'name': f'x{number}', 'mac_address': f'02:00:00:00:{number >> 8:02x}:{number & 255:02x}'}
        for number in range(5_000)
    ]
    assert lab.call_back(data).status_code == 200
    lab.reached(machine, 'finished')


# URLs, queries, headers

SEGMENTS = ['.', '..', '%2e%2e', 'detail', '%00', 'a%00b', 'a%2fb', '..%2f..', '%ff', '%c3%a9', 'a%0d%0ab', 'a;b=c',
            'a%3fb%23c', '%7b%7d', '*', '-', '%20', 'x' * 5000]  # fmt: skip


@pytest.mark.parametrize('segment', SEGMENTS)
@pytest.mark.parametrize('request_', ['POST {}', 'GET {}', 'POST {}/abort', 'GET {}/data', 'POST {}/data/unprocessed'])
def test_garbage_in_place_of_a_node(lab: Lab, request_: str, segment: str) -> None:
    method, _space, tail = request_.partition(' ')
    # A library would tidy the URL up.
    line = f'{method} /v1/introspection/{tail.format(segment)} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'
    status, headers, document = raw(lab, line.encode())
    assert status == 404, document
    assert 'content-type: application/json' in headers
    assert document['error']['message']


@pytest.mark.parametrize(
    'query', ['%', '%zz', '&&&', '=', '?', 'limit', 'x=%00', 'x=%ff', 'a' * 5000, '&'.join('a' * 999)]
)
def test_garbage_in_a_query(lab: Lab, query: str) -> None:
    for path in ('/', '/v1/introspection'):
        status, _headers, document = raw(lab, f'GET {path}?{query} HTTP/1.1\r\nHost: x\r\n\r\n'.encode())
        assert status == (400 if (path, query) == ('/v1/introspection', 'limit') else 200), document


@pytest.mark.parametrize('value', [b'', b'x', b'\xff\xfe', b'a b', b'[', b'"', b',' * 100, b'x' * 10_000, b'99999999'])
@pytest.mark.parametrize(
    'header',
    ['Host', 'Accept', 'Content-Type', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Port', 'X-Forwarded-Proto',
     'X-Forwarded-Prefix', 'X-OpenStack-Request-ID', 'X-Auth-Token', 'Cookie', 'Authorization', 'Range', 'Expect',
     'If-None-Match', 'OpenStack-API-Version', 'X-OpenStack-Ironic-Inspector-API-Version'],
)  # fmt: skip
def test_garbage_in_a_header(lab: Lab, header: str, value: bytes) -> None:
    head = b'POST /v1/continue HTTP/1.1\r\n' + header.encode() + b': ' + value + b'\r\nContent-Length: 2\r\n\r\n{}'
    status, headers, document = raw(lab, head)
    assert status in (400, 404, 406), document
    assert 'x-openstack-ironic-inspector-api-minimum-version: 1.0' in headers
    assert document['error']['message']
