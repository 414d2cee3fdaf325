"""Load on a service: requests one by one or many at once, and waiting for what they set off.

The load comes from another process than the service's, with bodies that are encoded beforehand, and every request opens
a connection of its own, as ramdisks and command-line clients do.
"""

from collections.abc import Callable
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
import http.client
import json
import threading
import time
from typing import Any
from urllib import parse

from ironic_inspector.fixtures import fleet
from ironic_inspector.fixtures import inventories

POLL_SECONDS = 0.02
"""Between two looks at the list of introspections; each asks for one item at most, to cost the service little."""
_ANSWER_SECONDS = 300
_WAIT_SECONDS = 300


class LoadError(Exception):
    """The service did something else than it was asked for; the message says what."""


def request(base: str, method: str, path: str, body: bytes | None = None) -> bytes:
    """Send a request to the service at `base`; returns the body of the answer, LoadError unless it is a success."""
    connection = http.client.HTTPConnection(parse.urlsplit(base).netloc, timeout=_ANSWER_SECONDS)
    headers = {'Content-Type': 'application/json'} if body else {}
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        answer = response.read()
    except OSError as error:
        raise LoadError(f'{method} {path} got no answer: {error}') from error
    finally:
        connection.close()
    if response.status >= 300:
        raise LoadError(f'{method} {path} was answered {response.status}: {answer.decode(errors="replace")}')
    return answer


def encode_callback(machine: fleet.Machine, size: int) -> bytes:
    """The body of a machine's callback, about `size` bytes."""
    data = inventories.ramdisk_data(machine.macs[0], bmc_address=machine.bmc_address, size=size)
    return json.dumps(data).encode()


class Operator:
    """Asks the service at `url` for introspections, and plays the ramdisks that call back."""

    def __init__(self, url: str) -> None:
        self._url = url

    def start(self, machine: fleet.Machine) -> None:
        """Start an introspection; returns with the answer."""
        request(self._url, 'POST', f'/v1/introspection/{machine.uuid}')

    def call_back(self, body: bytes) -> None:
        """Send a callback; returns with the answer."""
        request(self._url, 'POST', '/v1/continue', body)

    def create_rule(self, rule: dict[str, Any]) -> None:
        """Create an introspection rule."""
        request(self._url, 'POST', '/v1/rules', json.dumps(rule).encode())

    def list_page(self, **query: str | int) -> list[dict[str, Any]]:
        """A page of the list of introspections."""
        page = request(self._url, 'GET', f'/v1/introspection?{parse.urlencode(query)}')
        statuses: list[dict[str, Any]] = json.loads(page)['introspection']
        return statuses

    def wait_all_left(self, *states: str) -> None:
        """Return once no introspection is in any of `states`; LoadError if one has failed, or after minutes."""
        deadline = time.monotonic() + _WAIT_SECONDS
        pause = threading.Event()
        while self.list_page(state=','.join(states), limit=1):
            if time.monotonic() > deadline:
                raise LoadError(f'There still are introspections in {states} after {_WAIT_SECONDS} s')
            pause.wait(POLL_SECONDS)
        if failed := self.list_page(state='error', limit=1):
            raise LoadError(f'An introspection has failed: {failed[0]}')


def seconds_of(call: Callable[[], object]) -> float:
    """Make a call and return how long it took."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def at_once(calls: Sequence[Callable[[], None]]) -> list[float]:
    """Make all calls at the same time, each in a thread of its own; returns the seconds that each took."""
    begin = threading.Barrier(len(calls))

    def timed(call: Callable[[], None]) -> float:
        begin.wait()
        return seconds_of(call)

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(timed, calls))
