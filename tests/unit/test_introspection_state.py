"""The table of transitions: total where it has to be, and as the specification draws it."""

import pytest

from ironic_inspector.introspection_state import TRANSITIONS
from ironic_inspector.introspection_state import Events
from ironic_inspector.introspection_state import States
from ironic_inspector.introspection_state import next_state

SPECIFIED = {
    States.STARTING: {'wait': 'waiting', 'error': 'error', 'timeout': 'error'},
    States.WAITING: {
        'process': 'processing',
        'abort': 'aborting',
        'start': 'starting',
        'error': 'error',
        'timeout': 'error',
    },
    States.PROCESSING: {'finish': 'finished', 'error': 'error', 'timeout': 'error'},
    States.FINISHED: {'start': 'starting', 'reapply': 'reapplying', 'finish': 'finished'},
    States.ERROR: {'start': 'starting', 'reapply': 'reapplying', 'abort': 'error', 'error': 'error'},
    States.REAPPLYING: {'finish': 'finished', 'reapply': 'reapplying', 'error': 'error', 'timeout': 'error'},
    States.ENROLLING: {'process': 'processing', 'error': 'error', 'timeout': 'error'},
    States.ABORTING: {'abort_end': 'error', 'error': 'error', 'timeout': 'error'},
}


@pytest.mark.parametrize('event', Events.ALL)
@pytest.mark.parametrize('state', States.ALL)
def test_every_pair_leads_where_the_specification_says(state: str, event: str) -> None:
    assert next_state(state, event) == SPECIFIED[state].get(event)


@pytest.mark.parametrize('state', sorted(States.ACTIVE))
def test_every_active_state_can_fail_and_time_out(state: str) -> None:
    assert next_state(state, Events.ERROR) == States.ERROR
    assert next_state(state, Events.TIMEOUT) == States.ERROR


def test_only_known_names_are_used() -> None:
    assert {state for state, _event in TRANSITIONS} | set(TRANSITIONS.values()) <= set(States.ALL)
    assert {event for _state, event in TRANSITIONS} == set(Events.ALL)


@pytest.mark.parametrize('state', States.ALL)
def test_every_state_leads_to_an_end(state: str) -> None:
    reached, edge = {state}, {state}
    while edge:
        edge = {to for (start, _event), to in TRANSITIONS.items() if start in edge} - reached
        reached |= edge
    assert reached & States.ENDED
