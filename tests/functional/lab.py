"""A machine room for tests: the service, its in-memory Ironic, and machines that are on nobody else's way."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from concurrent import futures
import contextlib
import dataclasses
import itertools
import pathlib
import sqlite3
from typing import Any

import requests

from ironic_inspector.fixtures import inventories
from ironic_inspector.fixtures.calls import Call
from ironic_inspector.fixtures.ironic import InMemoryIronic
from tests.service import InspectorProcess
from tests.service import until

Json = dict[str, Any]

UNKNOWN = '4e1b6f0c-0000-4000-8000-000000000000'
"""The UUID of no node."""


@dataclasses.dataclass(frozen=True)
class Machine:
    """A machine with one interface and a BMC, and its node in Ironic."""

    uuid: str
    name: str
    mac: str
    bmc: str

    def data(self, **changes: Any) -> Json:
        """Return what its ramdisk sends, with some top-level keys changed."""
        return inventories.ramdisk_data(self.mac, bmc_address=self.bmc) | changes


class Lab:
    """One service with one Ironic. Tests that share a lab each take machines of their own."""

    def __init__(self, ironic: InMemoryIronic, inspector: InspectorProcess) -> None:
        """Work with a service that uses `ironic`."""
        self.ironic = ironic
        self.inspector = inspector
        self._numbers = itertools.count(1)

    def machine(self, *, port: bool = True, bmc: bool = True, **fields: Any) -> Machine:
        """Enrol a new machine; `port` and `bmc` say what Ironic knows of it, `fields` are those of its node."""
        machine = self.stranger()
        fields = {'name': machine.name, 'driver_info': {'ipmi_address': machine.bmc} if bmc else {}} | fields
        node = self.ironic.add_node(**fields)
        if port:
            self.ironic.add_port(node['uuid'], machine.mac)
        return dataclasses.replace(machine, uuid=node['uuid'], name=fields['name'])

    def stranger(self) -> Machine:
        """Return a new machine that Ironic knows nothing of; it has no UUID."""
        number = next(self._numbers)
        mac = f'52:54:00:00:{number >> 8:02x}:{number & 255:02x}'
        address = f'192.0.2.{number}' if number < 250 else f'198.18.{number >> 8}.{number & 255}'
        return Machine('', f'machine-{number}', mac, address)

    # Requests

    def start(self, node: Machine | str, **query: Any) -> requests.Response:
        """Ask for an introspection."""
        return self.inspector.call('POST', f'/v1/introspection/{_id(node)}', params=query)

    def abort(self, node: Machine | str) -> requests.Response:
        """Ask to cancel an introspection."""
        return self.inspector.call('POST', f'/v1/introspection/{_id(node)}/abort')

    def reapply(self, node: Machine | str, **kwargs: Any) -> requests.Response:
        """Ask to process data again; `kwargs` are those of requests, such as json."""
        return self.inspector.call('POST', f'/v1/introspection/{_id(node)}/data/unprocessed', **kwargs)

    def call_back(self, data: Any) -> requests.Response:
        """Send what a ramdisk sends: an object, or bytes as they are."""
        kwargs = {'data': data} if isinstance(data, bytes) else {'json': data}
        return self.inspector.call('POST', '/v1/continue', **kwargs)

    def data(self, node: Machine | str, *, processed: bool = True) -> requests.Response:
        """Ask for stored data."""
        return self.inspector.call('GET', f'/v1/introspection/{_id(node)}/data{"" if processed else "/unprocessed"}')

    # States

    def status(self, node: Machine | str) -> Json:
        """Return the status of a node."""
        return self.inspector.status(_id(node))

    def ended(self, node: Machine | str) -> Json:
        """Wait until an introspection has ended, well or not, and return its status."""
        status: Json = until(lambda: self._status_if(node, 'finished', 'error'))
        return status

    def reached(self, node: Machine | str, state: str) -> Json:
        """Wait until a node is in a state and return its status; any error that comes instead fails the test."""
        return self.inspector.wait_for_state(_id(node), state)

    def waiting(self, node: Machine | None = None, **fields: Any) -> Machine:
        """Start a machine, a new one if none is given, and wait until its callback is awaited."""
        machine = node or self.machine(**fields)
        answer = self.start(machine)
        assert answer.status_code == 202, answer.text
        self.reached(machine, 'waiting')
        return machine

    def finished(self, node: Machine | None = None, **changes: Any) -> Machine:
        """Introspect a machine, a new one if none is given, with `changes` to what its ramdisk sends."""
        machine = self.waiting(node)
        answer = self.call_back(machine.data(**changes))
        assert answer.status_code == 200, answer.text
        self.reached(machine, 'finished')
        return machine

    def failed(self, node: Machine | None = None, reason: str = 'It is broken') -> Machine:
        """Let the introspection of a machine, a new one if none is given, fail."""
        machine = self.waiting(node)
        answer = self.call_back(machine.data(error=reason))
        assert answer.status_code == 400, answer.text
        assert self.status(machine)['state'] == 'error'
        return machine

    def _status_if(self, node: Machine | str, *states: str) -> Json | None:
        status = self.status(node)
        return status if status['state'] in states else None

    # What happened

    def calls(self, machine: Machine, since: int = 0) -> list[Call]:
        """Return the calls of Ironic that were about a machine."""
        names = (machine.uuid, machine.name)
        calls = self.ironic.calls_since(since)
        return [call for call in calls if any(name in (*call.path.split('/'), *_values(call)) for name in names)]

    def summary(self, machine: Machine, since: int = 0) -> list[str]:
        """Return the calls of Ironic that were about a machine as verbs and kinds of paths."""
        return [f'{call.method} {call.template}' for call in self.calls(machine, since)]

    def sql(self, query: str, *parameters: Any) -> list[Any]:
        """Run a statement in the database of the service and return the rows."""
        connection = sqlite3.connect(self.inspector.folder / 'inspector.sqlite', timeout=30)
        try:
            with connection:
                return connection.execute(query, parameters).fetchall()
        finally:
            connection.close()

    def steps(self, machine: Machine) -> list[tuple[str | None, str, str]]:
        """Return the transitions of a machine: from, to, event."""
        query = 'SELECT from_state, to_state, event FROM transitions WHERE node_uuid = ? ORDER BY id'
        return self.sql(query, machine.uuid)

    def log_of(self, text: str) -> list[str]:
        """Return the lines of the service's log that have `text` in them."""
        return [line for line in self.inspector.log().splitlines() if text in line]


@contextlib.contextmanager
def running_lab(folder: pathlib.Path, **options: Json) -> Iterator[Lab]:
    """Run a service with options of its own (group={name: value}), its files in `folder`, for a `with` block."""
    with InMemoryIronic() as ironic:
        process = InspectorProcess(folder, ironic.url, options)
        try:
            process.sync_database()
            yield Lab(ironic, process.start())
        finally:
            process.kill()


def at_once(calls: Iterable[Callable[[], Any]]) -> list[Any]:
    """Run functions in threads of their own at the same time and return their results."""
    wanted = list(calls)
    with futures.ThreadPoolExecutor(max_workers=len(wanted)) as pool:
        return [running.result(120) for running in [pool.submit(call) for call in wanted]]


def message(answer: requests.Response) -> str:
    """Return the message of an error; fails if the answer is not an error as this API writes it."""
    assert answer.status_code >= 400, answer.text
    assert answer.headers['Content-Type'] == 'application/json', answer.text
    document = answer.json()
    assert list(document) == ['error'], document
    assert list(document['error']) == ['message'], document
    text = document['error']['message']
    assert isinstance(text, str), document
    assert text, document
    return text


def _id(node: Machine | str) -> str:
    return node if isinstance(node, str) else node.uuid


def _values(call: Call) -> list[str]:
    return [part.partition('=')[2] for part in call.query.split('&')]
