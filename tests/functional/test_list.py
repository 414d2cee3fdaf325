"""GET /v1/introspection and /v1/introspection/{node_id}: statuses, one and many."""

from __future__ import annotations

from collections.abc import Iterator
import datetime
from typing import Any
import uuid

import pytest

from ironic_inspector.introspection_state import States
from tests.functional.lab import UNKNOWN
from tests.functional.lab import Lab
from tests.functional.lab import message
from tests.functional.lab import running_lab

COUNT = 500
NAMESPACE = uuid.UUID('9d3f9b5e-5d0e-4c31-8a53-c1d3ab0a2a11')
FIRST = datetime.datetime(2026, 1, 31, 12, 22, 1, 123456)
STATES = ('waiting', 'finished', 'error', 'finished')


def identity(number: int) -> str:
    """Return the UUID of a record."""
    return str(uuid.uuid5(NAMESPACE, str(number)))


@pytest.fixture(scope='module')
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A service with many records, of which groups of ten have begun at the same time, and some never have."""
    with running_lab(tmp_path_factory.mktemp('inspector'), DEFAULT={'clean_up_period': 0, 'api_max_limit': 100}) as lab:
        values = []
        for number in range(COUNT):
            begun = 'NULL' if number < 15 else f"'{FIRST + datetime.timedelta(seconds=number // 10)}'"
            state = STATES[number % len(STATES)]
            values.append(f"('{identity(number)}', '{state}', {begun}, '{number}')")
        lab.sql(f'INSERT INTO nodes (uuid, state, started_at, version_id) VALUES {", ".join(values)}')
        yield lab


@pytest.fixture(scope='module')
def everything(lab: Lab) -> list[str]:
    """The UUIDs of all records in the order in which they are to be listed."""
    rows = lab.sql('SELECT uuid, started_at FROM nodes')
    return [row[0] for row in sorted(rows, key=lambda row: (row[1] or '', row[0]), reverse=True)]


def page(lab: Lab, **query: Any) -> list[dict[str, Any]]:
    """Return the statuses of a page."""
    answer = lab.inspector.call('GET', '/v1/introspection', params=query)
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ['introspection']
    statuses: list[dict[str, Any]] = answer.json()['introspection']
    return statuses


def walk(lab: Lab, **query: Any) -> list[str]:
    """Return the UUIDs of all pages, by markers."""
    seen: list[str] = []
    while statuses := page(lab, **query, **({'marker': seen[-1]} if seen else {})):
        seen += [status['uuid'] for status in statuses]
    return seen


def test_newest_first(lab: Lab, everything: list[str]) -> None:
    assert [status['uuid'] for status in page(lab)] == everything[:100]


@pytest.mark.parametrize('limit', [1, 7, 10, 99, 100, 0, None])
def test_all_pages_together_are_everything(lab: Lab, everything: list[str], limit: int | None) -> None:
    if limit == 1:
        marker = everything[COUNT - 20]
        assert [status['uuid'] for status in page(lab, limit=1, marker=marker)] == [everything[COUNT - 19]]
        return
    assert walk(lab, limit=limit) == everything


@pytest.mark.parametrize('states', [('waiting',), ('finished', 'error'), ('aborting',), States.ALL])
def test_lists_of_some_states(lab: Lab, everything: list[str], states: tuple[str, ...]) -> None:
    of = {identity(number): STATES[number % len(STATES)] for number in range(COUNT)}
    assert walk(lab, state=','.join(states), limit=60) == [node for node in everything if of[node] in states]


def test_a_list_of_states_with_blanks(lab: Lab) -> None:
    assert page(lab, state='error, waiting') == page(lab, state='waiting,error')


@pytest.mark.parametrize(
    ('query', 'status', 'says'),
    [
        ({'limit': '-1'}, 400, 'limit'),
        ({'limit': '101'}, 400, 'api_max_limit'),
        ({'limit': 'many'}, 400, 'limit'),
        ({'limit': ''}, 400, 'limit'),
        ({'limit': '1.5'}, 400, 'limit'),
        ({'limit': '\u0661'}, 400, 'limit'),
        ({'limit': '9' * 5000}, 400, 'limit'),
        ({'marker': ''}, 400, 'marker'),
        ({'marker': 'node-1'}, 400, 'marker'),
        ({'marker': '\0'}, 400, 'marker'),
        ({'marker': UNKNOWN}, 404, 'marker'),
        ({'state': ''}, 400, 'state'),
        ({'state': 'sleeping'}, 400, 'sleeping'),
        ({'state': 'finished,sleeping'}, 400, 'sleeping'),
        ({'state': 'Finished'}, 400, 'Finished'),
        ({'state': 'finished,'}, 400, 'state'),
        ({'state': "'; DROP TABLE nodes; --"}, 400, 'state'),
    ],
)
def test_queries_that_are_refused(lab: Lab, query: dict[str, str], status: int, says: str) -> None:
    answer = lab.inspector.call('GET', '/v1/introspection', params=query)
    assert answer.status_code == status
    assert says in message(answer)


def test_a_marker_in_any_spelling(lab: Lab, everything: list[str]) -> None:
    expected = page(lab, limit=3, marker=everything[5])
    assert page(lab, limit=3, marker=everything[5].upper()) == expected


def test_paging_is_stable_while_records_change(lab: Lab, everything: list[str]) -> None:
    seen = [status['uuid'] for status in page(lab, limit=50)]
    # One that was seen starts anew, one that was not seen ends, and a new one comes.
    lab.sql("UPDATE nodes SET state = 'error' WHERE uuid = ?", everything[60])
    newcomer = lab.waiting()
    while statuses := page(lab, limit=50, marker=seen[-1]):
        seen += [status['uuid'] for status in statuses]
    assert seen == everything
    assert page(lab, limit=1)[0]['uuid'] == newcomer.uuid
    lab.sql('UPDATE nodes SET state = ? WHERE uuid = ?', STATES[0], everything[60])
    lab.sql('DELETE FROM attributes')
    lab.sql('DELETE FROM nodes WHERE uuid = ?', newcomer.uuid)


def test_a_status(lab: Lab) -> None:
    number = 20
    node = identity(number)
    expected = {
        'uuid': node,
        'finished': False,
        'state': STATES[number % len(STATES)],
        'started_at': (FIRST + datetime.timedelta(seconds=number // 10)).isoformat(),
        'finished_at': None,
        'error': None,
        'links': [{'rel': 'self', 'href': f'{lab.inspector.url}/v1/introspection/{node}'}],
    }
    for spelling in (node, node.upper()):
        assert lab.status(spelling) == expected
    assert expected in page(lab, state=expected['state'], limit=100, marker=identity(40))
    assert lab.status(identity(3))['started_at'] is None


def test_a_status_by_name(lab: Lab) -> None:
    machine = lab.finished()
    assert lab.status(machine.name) == lab.status(machine.uuid)
    lab.sql('DELETE FROM introspection_data')
    lab.sql('DELETE FROM nodes WHERE uuid = ?', machine.uuid)


@pytest.mark.parametrize('node', ['nobody', UNKNOWN])
def test_an_unknown_node(lab: Lab, node: str) -> None:
    answer = lab.inspector.call('GET', f'/v1/introspection/{node}')
    assert answer.status_code == 404
    assert node in message(answer)


def test_the_list_does_not_ask_ironic(lab: Lab) -> None:
    since = lab.ironic.mark()
    page(lab)
    lab.status(identity(1))
    assert lab.ironic.calls_since(since) == []
