"""Rules of all sorts, on a service: what it does not refuse must not make it fail, whatever the rule does to a node."""

from __future__ import annotations

from collections.abc import Iterator
import re
from typing import Any

from hypothesis import given
from hypothesis import seed
from hypothesis import settings
from hypothesis import strategies as st
import pytest

from tests.functional.lab import Lab
from tests.functional.lab import running_lab
from tests.fuzz import work
from tests.unit.plugins import arbitrary as arbitrary_data
from tests.unit.rules import arbitrary

OPERATORS = ('eq', 'ne', 'lt', 'gt', 'in-net', 'matches', 'contains', 'is-empty', 'is-none', 'is-true', 'one-of')
ACTIONS = (
    *('fail', 'log', 'set-attribute', 'del-attribute', 'extend-attribute', 'set-capability', 'unset-capability'),
    *('add-trait', 'remove-trait', 'set-port-attribute', 'extend-port-attribute', 'del-port-attribute'),
    *('set-data', 'unset-data'),
)
FIELDS = st.sampled_from(
    [
        *(
            'inventory.interfaces[*].mac_address',
            'data://inventory..size',
            'node://properties.cpus',
            'node://$',
            '$..*',
        ),
        *('item://key', 'item://$', 'inventory.disks[-1]', 'memory_mb', 'all_interfaces.*.mac', 'inventory.cpu.flags'),
    ]
)
POINTERS = st.sampled_from(
    [
        *(
            '/extra/x',
            'extra',
            '/properties/capabilities',
            'properties/a~1b',
            '/driver',
            '/name',
            '/uuid',
            '/',
            '/extra/-',
        ),
        *(
            '/traits',
            '/inventory/disks/0',
            '/inventory',
            '/all_interfaces',
            '/boot_interface',
            '/a/b/c',
            '/pxe_enabled',
        ),
    ]
)
TEXTS = st.sampled_from(
    [
        *('{data[inventory][bmc_address]}', '{node[uuid]:>9}', '{item[key]}', '{data}', '{{', '{', '{data[nothing]}'),
        *('52:54:00:00:00:01', '192.0.2.0/24', '(a|aa)+$', '.*', 'CUSTOM_X', 'x:y', 'a,b', 'info', ''),
    ]
)
# NaN and Infinity cannot be sent; what becomes of them is tried with callbacks.
VALUES = TEXTS | arbitrary.PATTERNS | arbitrary_data.JSON.filter(lambda value: not re.search('nan|inf', repr(value)))
CONDITION = st.fixed_dictionaries(
    {'op': st.sampled_from(OPERATORS), 'field': FIELDS | arbitrary.PATHS},
    optional={
        'value': VALUES,
        'multiple': st.sampled_from(['any', 'all', 'first']),
        'invert': st.booleans(),
        'loop': FIELDS | VALUES,
    },
)
PARAMETERS: dict[str, st.SearchStrategy[Any]] = {
    'path': POINTERS | TEXTS,
    'value': VALUES,
    'name': TEXTS,
    'message': TEXTS,
    'port_id': TEXTS,
    'unique': st.booleans(),
    'level': TEXTS,
    'loop': FIELDS | VALUES,
}
NEEDED = {
    **dict.fromkeys(['fail', 'log'], ('message',)),
    **dict.fromkeys(['set-attribute', 'extend-attribute', 'set-data'], ('path', 'value')),
    **dict.fromkeys(['del-attribute', 'unset-data'], ('path',)),
    **dict.fromkeys(['set-capability'], ('name', 'value')),
    **dict.fromkeys(['unset-capability', 'add-trait', 'remove-trait'], ('name',)),
    **dict.fromkeys(['set-port-attribute', 'extend-port-attribute'], ('port_id', 'path', 'value')),
    **dict.fromkeys(['del-port-attribute'], ('port_id', 'path')),
}


@st.composite
def action(draw: st.DrawFn) -> dict[str, Any]:
    """An action with the parameters that it needs, for the most part."""
    name = draw(st.sampled_from(ACTIONS))
    wanted = [*NEEDED[name], *draw(st.sets(st.sampled_from(sorted(PARAMETERS)), max_size=1))]
    return {'action': name} | {key: draw(PARAMETERS[key]) for key in wanted}


RULE = st.fixed_dictionaries(
    {'conditions': st.lists(CONDITION, max_size=2), 'actions': st.lists(action(), min_size=1, max_size=3)},
    optional={'scope': st.none() | TEXTS, 'sensitive': st.booleans(), 'priority': st.integers(-5, 5)},
)


@pytest.fixture(scope='module')
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A service for rules."""
    with running_lab(tmp_path_factory.mktemp('inspector')) as running:
        yield running
        for trace in ('Traceback', 'Unexpected', 'Logging error'):
            assert running.log_of(trace)[:3] == []


def test_whatever_a_rule_says(lab: Lab) -> None:
    applied = 0

    @seed(work.SEED)
    @settings(work.UNHURRIED, max_examples=work.REQUESTS * 6)
    @given(RULE)
    def run(rule: dict[str, Any]) -> None:
        nonlocal applied
        machine = lab.machine(properties={'inspection_scope': 'x'})
        preview = {'rule': rule, 'node': machine.uuid, 'data': machine.data()}
        answer = lab.inspector.call('POST', '/v1/rules/preview', json=preview)
        assert answer.status_code in (200, 400), answer.text
        if answer.status_code == 400:
            return
        told = answer.json()
        created = lab.inspector.call('POST', '/v1/rules', json=rule)
        assert created.status_code == 201, created.text
        try:
            # Nothing is powered: faster, and beside the point here.
            assert lab.start(machine, manage_boot='no').status_code == 202
            answer = lab.call_back(machine.data())
            assert answer.status_code in (200, 400), answer.text
            state = lab.ended(machine)['state']
            assert state == {200: 'finished', 400: 'error'}[answer.status_code]
        finally:
            assert lab.inspector.call('DELETE', '/v1/rules').status_code == 204
        applied += told['rules'][0]['applies']

    run()
    assert applied
