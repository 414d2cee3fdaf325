"""The hook `ramdisk_error`."""

from typing import Any

from hypothesis import given
import pytest

from ironic_inspector import utils
from ironic_inspector.plugins.ramdisk_error import RamdiskErrorHook
from tests.unit.plugins import arbitrary
from tests.unit.plugins import nodes


@pytest.fixture
def hook() -> RamdiskErrorHook:
    return nodes.configured(RamdiskErrorHook())


@pytest.mark.parametrize('data', [{}, {'error': None}, {'error': ''}])
def test_a_ramdisk_without_error_passes(hook: RamdiskErrorHook, data: dict[str, Any]) -> None:
    hook.before_processing(data)


def test_an_error_is_reported_in_full(hook: RamdiskErrorHook) -> None:
    reason = 'collector default failed: ' + 'x' * 1000
    with pytest.raises(utils.Error, match=reason):
        hook.before_processing({'error': reason})


def test_an_error_may_be_deep(hook: RamdiskErrorHook) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(utils.Error, match=r'\[\[\['):
        hook.before_processing({'error': deep})
    # Let it go piece by piece: older interpreters free such a thing by recursion.
    while deep:
        deep = deep.pop()


@given(error=arbitrary.JSON)
@arbitrary.SETTINGS
def test_whatever_the_error_is_only_error_is_raised(error: Any) -> None:
    try:
        RamdiskErrorHook().before_processing({'error': error})
    except utils.Error:
        assert error
    else:
        assert not error
