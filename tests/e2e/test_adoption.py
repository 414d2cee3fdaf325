"""Taking over the database of a real ironic-inspector 12.5, in place, on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
import copy
from dataclasses import dataclass
import datetime
import json
from pathlib import Path
from typing import Any
from typing import Final

import pytest
import requests
import sqlalchemy as sa

from ironic_inspector.db import models
from ironic_inspector.fixtures import fleet
from ironic_inspector.fixtures import inventories
from ironic_inspector.fixtures.ironic import InMemoryIronic
from tests import databases
from tests.e2e import rules_of_12_5
from tests.e2e import waiting
from tools import components

pytestmark = pytest.mark.xdist_group('adoption')

SCHEMAS: Final = Path(__file__).resolve().parents[1] / 'data' / 'schema'
MACHINES: Final = fleet.machines(12, nics=2)
FINISHED, REAPPLIED, FAILED, ABORTED, WAITING, AGAIN, RULED, *CRASHED = MACHINES
CRASHED_STATES: Final = ('starting', 'processing', 'reapplying', 'enrolling', 'aborting')
RULES: Final[tuple[dict[str, Any], ...]] = (
    {
        'uuid': 'b7ea4c6e-0b62-4b2a-8f5d-6b0a8f2b7f01',
        'description': 'Marks what is large',
        'conditions': [
            {'op': 'ge', 'field': 'memory_mb', 'value': 1, 'multiple': 'all'},
            {'op': 'eq', 'field': 'node://name', 'value': 'nobody', 'invert': True},
        ],
        'actions': [{'action': 'set-attribute', 'path': '/extra/large', 'value': {'memory': '{data[memory_mb]}'}}],
        'scope': None,
    },
    {
        'uuid': 'b7ea4c6e-0b62-4b2a-8f5d-6b0a8f2b7f02',
        'description': 'Only for some',
        'conditions': [],
        'actions': [
            {'action': 'fail', 'message': 'Gerät hält nicht'},
            {'action': 'set-capability', 'name': 'c', 'value': 'v'},
        ],
        'scope': 'some',
    },
    *rules_of_12_5.RULES,
)
OF_12_5: Final = {'X-OpenStack-Ironic-Inspector-API-Version': '1.18'}


@dataclass(frozen=True)
class Service:
    """An ironic-inspector, ours or 12.5's, over HTTP."""

    url: str

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Send a request, which has to succeed."""
        answer = requests.request(method, f'{self.url}{path}', timeout=60, **arguments)
        assert answer.ok, answer.text
        return answer

    def reach(self, machine: fleet.Machine, state: str) -> None:
        """Wait until the introspection of a machine is in a state, and all that goes with the state is written."""
        path = f'/v1/introspection/{machine.uuid}'
        # 12.5 writes the state, and then when that was.
        wanted = state, state in ('finished', 'error')
        waiting.until(
            lambda: self.call('GET', path).json(), lambda now: (now['state'], now['finished_at'] is not None) == wanted
        )

    def start(self, machine: fleet.Machine) -> None:
        """Start an introspection and wait until the ramdisk may call back."""
        self.call('POST', f'/v1/introspection/{machine.uuid}')
        self.reach(machine, 'waiting')

    def introspect(self, machine: fleet.Machine) -> None:
        """Take a machine through an introspection."""
        self.start(machine)
        self.call('POST', '/v1/continue', json=callback(machine))
        self.reach(machine, 'finished')

    def apply_rules(self, ironic: InMemoryIronic) -> dict[str, Any]:
        """Introspect the machine that all the rules are for, and return its node as Ironic has it then."""
        ironic.update_node(RULED.uuid, **copy.deepcopy(rules_of_12_5.NODE))
        self.introspect(RULED)
        return ironic.node(RULED.uuid)

    def rules(self) -> list[dict[str, Any]]:
        """Return all rules, in full."""
        listed = self.call('GET', '/v1/rules', headers=OF_12_5).json()['rules']
        return [self.call('GET', f'/v1/rules/{rule["uuid"]}', headers=OF_12_5).json() for rule in listed]

    def statuses(self) -> list[dict[str, Any]]:
        """Return all statuses, without the links, which depend on the address."""
        listed = self.call('GET', '/v1/introspection').json()['introspection']
        return [{name: value for name, value in status.items() if name != 'links'} for status in listed]

    def data(self) -> dict[str, Any]:
        """Return all data of the nodes that have some, by the path of their resource."""
        paths = [
            f'/v1/introspection/{machine.uuid}/data{kind}'
            for machine in (FINISHED, REAPPLIED, FAILED)
            for kind in ('', '/unprocessed')
        ]
        return {path: self.call('GET', path).json() for path in paths}


@dataclass(frozen=True)
class Content:
    """What a database and the service on it have in them."""

    schema: dict[str, Any]
    rows: dict[str, list[dict[str, Any]]]
    statuses: list[dict[str, Any]]
    data: dict[str, Any]
    rules: list[dict[str, Any]]


@dataclass(frozen=True)
class Adoption:
    """A database that 12.5 has left, before and after our service took it over."""

    kind: str
    before: Content
    after: Content
    ruled: dict[str, Any]
    """The node that all the rules are for, as 12.5 left it."""
    service: Service
    ironic: InMemoryIronic


def callback(machine: fleet.Machine) -> dict[str, Any]:
    """Return what the ramdisk of a machine sends."""
    data = inventories.ramdisk_data(machine.macs[0], macs=machine.macs, bmc_address=machine.bmc_address, size=150_000)
    return data | rules_of_12_5.DATA if machine == RULED else data


def fill(reference: Service, ironic: InMemoryIronic, database_url: str) -> None:
    """Have 12.5 do everything that leaves something in its database, but for applying most of the rules."""
    for rule in RULES:
        reference.call('POST', '/v1/rules', json=rule)
    for machine in (FINISHED, REAPPLIED, AGAIN):
        reference.introspect(machine)
    reference.call('POST', f'/v1/introspection/{REAPPLIED.uuid}/data/unprocessed')
    for machine in (FAILED, ABORTED, WAITING, AGAIN):
        reference.start(machine)
    # In this scope there is a rule that fails the node.
    ironic.update_node(FAILED.uuid, properties={'inspection_scope': 'some'})
    requests.post(f'{reference.url}/v1/continue', json=callback(FAILED), timeout=60)
    reference.call('POST', f'/v1/introspection/{ABORTED.uuid}/abort')
    for machine in (FAILED, ABORTED):
        reference.reach(machine, 'error')
    # By now it has left the state in which it was before.
    reference.reach(REAPPLIED, 'finished')
    leave_as_after_a_crash(database_url)


def leave_as_after_a_crash(url: str) -> None:
    """Add the rows that 12.5 would leave when it ends in the middle of its work, and options, which plug-ins set."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0)
    with databases.connected(url) as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        for number, (machine, state) in enumerate(zip(CRASHED, CRASHED_STATES, strict=True)):
            connection.execute(
                sa.insert(tables.tables['nodes']).values(
                    uuid=machine.uuid,
                    version_id=f'version {number}',
                    state=state,
                    started_at=now + datetime.timedelta(seconds=number),
                    manage_boot=bool(number % 2),
                )
            )
        connection.execute(sa.insert(tables.tables['options']).values(uuid=WAITING.uuid, name='option', value='"ä"'))


def at_rest(content: Content) -> list[dict[str, Any]]:
    """Return the statuses of the nodes that nothing was done with when 12.5 ended."""
    crashed = {machine.uuid for machine in CRASHED}
    return [status for status in content.statuses if status['uuid'] not in crashed]


def read_rows(url: str) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of all tables that 12.5 knows, as lists that can be compared."""
    with databases.connected(url) as connection:
        return {
            table.name: [
                dict(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key)).mappings()
            ]
            for table in reflected(connection)
        }


def reflected(connection: sa.Connection) -> list[sa.Table]:
    """Return the tables in the database, but for those new since 12.5 and Alembic's."""
    tables = sa.MetaData()
    tables.reflect(connection)
    others = {'transitions', 'rules_version', 'alembic_version'}
    return [table for table in tables.sorted_tables if table.name not in others]


NEW_COLUMNS: Final[dict[str, dict[str, Any]]] = {
    'nodes': {'attempt_id': None},
    'rules': {'priority': 0, 'sensitive': False},
    'rule_conditions': {'loop': None},
    'rule_actions': {'loop': None},
}


@pytest.fixture(scope='module', params=databases.KINDS)
def adoption(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adoption]:
    """A database that 12.5 has made and filled, and our service running on it."""
    folder = tmp_path_factory.mktemp('adoption')
    with ExitStack() as stack:
        url = stack.enter_context(databases.new_database(request.param, folder))
        ironic = stack.enter_context(InMemoryIronic(threads=20))
        ironic.populate_with(MACHINES)
        # What runs by itself would go on with, or clean up, what 12.5 has left.
        options: components.Options = {'DEFAULT': {'clean_up_period': 0}, 'database': {'connection': url}}
        with components.ReferenceInspector(folder / 'reference', ironic.url, options) as server:
            reference = Service(server.url)
            fill(reference, ironic, url)
            ruled = reference.apply_rules(ironic)
            statuses, data, rules = reference.statuses(), reference.data(), reference.rules()
        before = Content(databases.describe_schema(url), read_rows(url), statuses, data, rules)

        ours = components.Inspector(folder / 'ours', ironic.url, options)
        ours.prepare()
        schema, rows = databases.describe_schema(url), read_rows(url)
        stack.enter_context(ours)
        service = Service(ours.url)
        after = Content(schema, rows, service.statuses(), service.data(), service.rules())
        yield Adoption(request.param, before, after, ruled, service, ironic)


def test_recorded_schema_is_that_of_12_5(adoption: Adoption) -> None:
    recorded = json.loads((SCHEMAS / f'12.5-{adoption.kind}.json').read_text())

    assert adoption.before.schema == recorded


def test_everything_that_12_5_keeps_was_there(adoption: Adoption) -> None:
    rows = adoption.before.rows

    assert {row['state'] for row in rows['nodes']} == set(models.STATE.enums)
    assert all(rows.values())
    assert {row['processed'] for row in rows['introspection_data']} == {False, True}


def test_all_rows_survive(adoption: Adoption) -> None:
    before, after = copy.deepcopy(adoption.before.rows), copy.deepcopy(adoption.after.rows)
    for table, defaults in NEW_COLUMNS.items():
        for row in after[table]:
            assert {name: row.pop(name) for name in defaults} == defaults
    for row in (*before['rules'], *after['rules']):
        # Where 12.5 kept whole seconds, a fraction makes them distinct.
        row['created_at'] = row['created_at'].replace(microsecond=0)

    assert after == before


def test_rules_survive_in_the_order_of_their_creation(adoption: Adoption) -> None:
    assert [rule['uuid'] for rule in adoption.after.rules] == [rule['uuid'] for rule in RULES]
    by_uuid = {rule['uuid']: rule for rule in adoption.before.rules}
    assert adoption.after.rules == [by_uuid[rule['uuid']] for rule in RULES]


def test_rules_do_what_they_did(adoption: Adoption) -> None:
    node, reference = adoption.service.apply_rules(adoption.ironic), copy.deepcopy(adoption.ruled)

    order = node['extra'].pop('order'), node['extra'].pop('last')
    assert order == ([0, 1, 2, 3, 4], 4)
    # Of rules created within a second 12.5 did not know the order there.
    assert order == (reference['extra'].pop('order'), reference['extra'].pop('last')) or adoption.kind == 'mariadb'
    for field in ('driver', 'driver_info', 'extra', 'name', 'properties', 'resource_class', 'traits'):
        assert node[field] == reference[field], field
    held = [key for key in node['extra'] if key.startswith('condition-')]
    assert 20 < len(held) < len(rules_of_12_5.RULES) - 20


def test_statuses_survive(adoption: Adoption) -> None:
    assert [status['uuid'] for status in adoption.after.statuses] == [
        status['uuid'] for status in adoption.before.statuses
    ]
    assert at_rest(adoption.after) == at_rest(adoption.before)


@pytest.mark.parametrize('machine', CRASHED, ids=CRASHED_STATES)
def test_what_a_crash_left_does_not_stay_so(adoption: Adoption, machine: fleet.Machine) -> None:
    path = f'/v1/introspection/{machine.uuid}'

    waiting.until(lambda: adoption.service.call('GET', path).json()['state'], lambda now: now not in CRASHED_STATES)


def test_data_survive(adoption: Adoption) -> None:
    assert adoption.after.data == adoption.before.data


def test_waiting_introspection_goes_on(adoption: Adoption) -> None:
    adoption.service.call('POST', '/v1/continue', json=callback(WAITING))

    adoption.service.reach(WAITING, 'finished')
    assert adoption.ironic.node(WAITING.uuid)['properties']['cpus']


@pytest.mark.parametrize('machine', [ABORTED, AGAIN], ids=['aborted', 'waiting'])
def test_node_can_be_introspected_again(adoption: Adoption, machine: fleet.Machine) -> None:
    adoption.service.introspect(machine)


def test_stored_data_can_be_reapplied(adoption: Adoption) -> None:
    adoption.service.call('POST', f'/v1/introspection/{FINISHED.uuid}/data/unprocessed')

    adoption.service.reach(FINISHED, 'finished')


def test_node_can_be_started_again_and_aborted(adoption: Adoption) -> None:
    adoption.service.start(FAILED)
    adoption.service.call('POST', f'/v1/introspection/{FAILED.uuid}/abort')

    adoption.service.reach(FAILED, 'error')
