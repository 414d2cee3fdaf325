"""Query arguments of lists."""

from __future__ import annotations

import pytest

from ironic_inspector.api import paging
from ironic_inspector.common import exceptions

UUID = '1be26c0b-03f2-4d2e-ae87-c02d7f33c123'


@pytest.mark.parametrize(('value', 'expected'), [(None, 100), ('0', 100), ('1', 1), ('007', 7), ('100', 100)])
def test_limit(value: str | None, expected: int) -> None:
    assert paging.limit({} if value is None else {'limit': value}, 100) == expected


@pytest.mark.parametrize('value', ['', '-1', '+1', '1.0', 'x', '101', '٣', '²', '9' * 5000])
def test_a_wrong_limit(value: str) -> None:
    with pytest.raises(exceptions.InvalidRequest, match='limit must be'):
        paging.limit({'limit': value}, 100)


def test_marker() -> None:
    assert paging.marker({}) is None
    assert paging.marker({'marker': UUID}) == UUID


@pytest.mark.parametrize('value', ['', 'x', UUID[:-1], UUID + '0'])
def test_a_wrong_marker(value: str) -> None:
    with pytest.raises(exceptions.InvalidRequest, match='marker must be'):
        paging.marker({'marker': value})


def test_states() -> None:
    assert paging.states({}) == []
    assert paging.states({'state': 'error, finished'}) == ['error', 'finished']


@pytest.mark.parametrize('value', ['', 'x', 'error,', 'error,Finished'])
def test_a_wrong_state(value: str) -> None:
    with pytest.raises(exceptions.InvalidRequest, match='the states are starting, waiting'):
        paging.states({'state': value})
