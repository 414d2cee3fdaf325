"""Waiting for what a real component does in its own time."""

from collections.abc import Callable
import threading
import time
from typing import TypeVar

_Value = TypeVar('_Value')


def until(get: Callable[[], _Value], wanted: Callable[[_Value], bool], timeout: float = 60) -> _Value:
    """Call `get` until its value is `wanted`, and return that; AssertionError with the last value after `timeout` s."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while not wanted(value := get()):
        assert time.monotonic() < deadline, f'still {value!r} after {timeout:g} s'
        pause.wait(0.1)
    return value
