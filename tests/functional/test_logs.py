"""The lines of the log: whose they are, as text and as JSON, and what can be changed while the service runs."""

from __future__ import annotations

from collections.abc import Callable
import json
import re
import signal
from typing import Any

from tests.functional.lab import Lab
from tests.service import until

REQUEST_ID = re.compile(r'req-[0-9a-f-]{36}')


def json_lines(lab: Lab) -> list[dict[str, Any]]:
    # The last line may not be whole yet.
    lines = lab.inspector.log().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.startswith('{') and line.endswith('\n')]


def test_all_lines_about_a_node_name_it_and_its_request(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    machine = lab.machine()
    started = lab.start(machine).headers['X-OpenStack-Request-Id']
    lab.reached(machine, 'waiting')
    called = lab.call_back(machine.data()).headers['X-OpenStack-Request-Id']
    lab.reached(machine, 'finished')

    def transitions() -> list[str]:
        return [line for line in lab.log_of(' -> ') if machine.uuid in line]

    # Each is logged after it can be seen.
    until(lambda: len(transitions()) >= 3)
    for line, request in zip(transitions(), (started, called, called), strict=True):
        assert f'[node: {machine.uuid}]' in line
        assert request in line
    for line in lab.log_of('Written to Ironic'):
        assert line.count('[node: ') == 1
        assert called in line


def test_as_json_as_well(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'use_json': True})
    machine, other = lab.machine(), lab.machine()
    with lab.ironic.fail('PUT', f'{other.uuid}/states/power', 500):
        assert lab.start(other).status_code == 202
        request = lab.start(machine).headers['X-OpenStack-Request-Id']
        lab.reached(machine, 'waiting')
        lab.abort(machine)
        lab.ended(machine)
        lab.ended(other)
    found = until(lambda: [line for line in json_lines(lab) if 'starting -> waiting' in line['message']])
    assert [(line['context']['resource_uuid'], line['context']['request_id']) for line in found] == [
        (machine.uuid, request)
    ]
    # Also what does not say it in its message, in the threads of the pool and at their edge.
    failures = until(lambda: [line for line in json_lines(lab) if 'could not be powered on' in line['message']])
    assert {line['context']['resource_uuid'] for line in failures} == {other.uuid}
    # Nobody's lines are those of a node.
    started = next(line for line in json_lines(lab) if 'The service is up' in line['message'])
    assert started['context'].get('resource_uuid') is None


def test_after_a_crash_each_node_has_an_id_of_its_own(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'use_json': True})
    machines = [lab.machine(), lab.machine()]
    with lab.ironic.fail('PUT', 'states/power', 'hang') as hanging:
        for machine in machines:
            lab.start(machine)
        assert lab.ironic.wait_for(lambda: hanging.hits == 2, 10)
        lab.inspector.kill()
    lab.inspector.start()
    for machine in machines:
        lab.reached(machine, 'waiting')
    found = until(
        lambda: (
            [line for line in json_lines(lab) if 'starting -> waiting' in line['message']][1:]
            and [line for line in json_lines(lab) if 'starting -> waiting' in line['message']]
        )
    )
    assert {line['context']['resource_uuid'] for line in found} == {machine.uuid for machine in machines}
    assert all(line['context']['resource_uuid'] in line['message'] for line in found)
    assert len({line['context']['request_id'] for line in found}) == 2
    assert {line['context'].get('resource_uuid') for line in json_lines(lab) if 'is up' in line['message']} == {None}


def test_periodic_work_names_the_node_it_is_about(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(DEFAULT={'clean_up_period': 1})
    machine = lab.waiting()
    lab.sql("UPDATE nodes SET started_at = '2020-01-01 00:00:00.000000'")
    lab.ended(machine)
    (line,) = until(lambda: lab.log_of('waiting -> error'))
    assert f'[node: {machine.uuid}]' in line
    assert REQUEST_ID.search(line)


def test_the_level_of_the_log_follows_the_configuration(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    lab.finished()
    assert lab.log_of(' DEBUG ') == []
    for debug in (True, False):
        lab.inspector.options['DEFAULT']['debug'] = debug
        lab.inspector.write_config()
        count = len(lab.log_of('have been read again'))
        lab.inspector.send_signal(signal.SIGHUP)
        until(lambda seen=count: len(lab.log_of('have been read again')) > seen)
        before = len(lab.log_of(' DEBUG ironic_inspector'))
        lab.finished()
        assert (len(lab.log_of(' DEBUG ironic_inspector')) > before) is debug
    assert lab.inspector.stop() == 0


def test_an_option_that_may_not_change_keeps_its_value_and_is_named(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    lab.inspector.options['DEFAULT'] |= {'api_max_limit': 3, 'timeout': 1234}
    lab.inspector.write_config()
    lab.inspector.send_signal(signal.SIGHUP)
    until(lambda: lab.log_of('have been read again'))
    assert lab.inspector.call('GET', '/v1/introspection', params={'limit': 4}).status_code == 200
    assert lab.log_of('api_max_limit')


def test_nobody_writes_lines_of_his_own(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    machine = lab.machine()
    lab.start(machine)
    lab.reached(machine, 'waiting')
    forged = '2026-01-01 00:00:00.000 1 INFO nobody [-] FORGED'
    for data in (machine.data(), lab.stranger().data()):
        answer = lab.call_back({**data, 'error': f'broken\n{forged}\r{forged}\u2028{forged}\x1b[2J'})
        assert answer.status_code in (400, 404)
    lab.ended(machine)
    found = lab.log_of('FORGED')
    assert found
    for line in found:
        assert r'broken\n2026-01-01' in line
        assert '\x1b' not in line
    assert lab.status(machine)['error'].count('\n') == 1
