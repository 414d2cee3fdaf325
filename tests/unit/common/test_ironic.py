"""The client of Ironic: what it asks, and how often."""

from __future__ import annotations

from concurrent import futures
import json
import re
import threading

from oslo_config import cfg
import pytest

from ironic_inspector.common import exceptions
from ironic_inspector.common.ironic import ATTEMPTS
from ironic_inspector.common.ironic import IronicClient
from ironic_inspector.common.ironic import PortExists
from ironic_inspector.fixtures.calls import FaultKind
from ironic_inspector.fixtures.ironic import InMemoryIronic

UUID = 'c102d394-fa14-5a04-8dbb-6e5ade81f9f2'


def test_a_node_by_uuid_and_by_name(ironic: InMemoryIronic, client: IronicClient) -> None:
    node = ironic.add_node(name='rack-1.a')
    assert client.get_node(node['uuid'])['name'] == 'rack-1.a'
    assert client.get_node('rack-1.a')['uuid'] == node['uuid']
    with pytest.raises(exceptions.NotFound):
        client.get_node('nobody')
    assert ironic.count() == 3


def test_all_uuids_come_page_by_page(
    ironic: InMemoryIronic, client: IronicClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('ironic_inspector.common.ironic.PAGE_SIZE', 3)
    uuids = {ironic.add_node()['uuid'] for _ in range(7)}
    assert set(client.node_uuids()) == uuids
    assert ironic.count('GET', '/v1/nodes') == 3


def test_all_ports_of_a_node_and_of_no_other(
    ironic: InMemoryIronic, client: IronicClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('ironic_inspector.common.ironic.PAGE_SIZE', 2)
    node, other = ironic.add_node(), ironic.add_node()
    macs = {f'52:54:00:00:00:0{number}' for number in range(5)}
    for mac in macs:
        ironic.add_port(node['uuid'], mac)
    ironic.add_port(other['uuid'], '52:54:00:00:00:99')
    assert {port['address'] for port in client.node_ports(node['uuid'])} == macs


@pytest.mark.parametrize('status', [500, 502, 503, 504])
def test_failures_of_ironic_are_tried_again(ironic: InMemoryIronic, client: IronicClient, status: int) -> None:
    node = ironic.add_node()
    with ironic.fail('GET', '/v1/nodes/', status, times=ATTEMPTS - 1):
        assert client.get_node(node['uuid'])['uuid'] == node['uuid']
    with ironic.fail('GET', '/v1/nodes/', status) as fault:
        with pytest.raises(exceptions.IronicError, match=f'Ironic answered {status}'):
            client.get_node(node['uuid'])
        assert fault.hits == ATTEMPTS


def test_a_lost_connection_is_tried_again(ironic: InMemoryIronic, client: IronicClient) -> None:
    node = ironic.add_node()
    with ironic.fail('GET', '/v1/nodes/', 'drop', times=2):
        assert client.get_node(node['uuid'])['uuid'] == node['uuid']


def test_a_locked_node_is_asked_about_again_for_longer(
    ironic: InMemoryIronic, client: IronicClient, conf: cfg.ConfigOpts
) -> None:
    conf.set_override('max_retries', 9, 'ironic')
    node = ironic.add_node()
    with ironic.fail('PUT', '/states/power', 409) as fault:
        with pytest.raises(exceptions.IronicError, match='409'):
            client.set_power_state(node['uuid'], 'power on')
        assert fault.hits == 10


def test_a_refusal_is_final_only_for_who_waits(ironic: InMemoryIronic, client: IronicClient) -> None:
    node = ironic.add_node()
    with ironic.fail('GET', '/v1/nodes/', 403) as fault, pytest.raises(exceptions.IronicError):
        client.get_node(node['uuid'])
    assert fault.hits == 1
    with ironic.fail('PUT', '/states/power', 400) as fault, pytest.raises(exceptions.IronicError):
        client.set_power_state(node['uuid'], 'power on')
    assert fault.hits == ATTEMPTS


def test_a_taken_mac_is_told_from_a_locked_node(ironic: InMemoryIronic, client: IronicClient) -> None:
    node = ironic.add_node()
    ironic.add_port(node['uuid'], '52:54:00:00:00:01')
    mark = ironic.mark()
    with pytest.raises(PortExists):
        client.create_port({'uuid': UUID, 'node_uuid': node['uuid'], 'address': '52:54:00:00:00:01'})
    assert ironic.count('POST', since=mark) == 1
    with ironic.lock_node(node['uuid']), pytest.raises(exceptions.IronicError) as failure:
        client.create_port({'uuid': UUID, 'node_uuid': node['uuid'], 'address': '52:54:00:00:00:02'})
    assert not isinstance(failure.value, PortExists)


@pytest.mark.parametrize('kind', [500, 'drop'])
def test_a_port_whose_creation_was_not_answered_is_found(
    ironic: InMemoryIronic, client: IronicClient, kind: FaultKind
) -> None:
    node = ironic.add_node()
    with ironic.fail('POST', '^/v1/ports$', kind, times=1, after=True):
        port = client.create_port({'uuid': UUID, 'node_uuid': node['uuid'], 'address': '52:54:00:00:00:01'})
    assert (port['uuid'], port['address']) == (UUID, '52:54:00:00:00:01')
    assert [port['uuid'] for port in ironic.ports()] == [UUID]


CONFLICTS = {
    'name taken': ('A node with name blocked-1 already exists.', False),
    'wrong state': ('Port p can not have any connectivity attributes (pxe_enabled) updated unless …', False),
    'locked': ('Node n is locked by host h, please retry after the current operation is completed.', True),
    'parent locked': ('Node n parent_node p is presently locked and we are unable to perform any action on …', True),
    'in transition': ('Node n can not be updated while a state transition is in progress.', True),
    'inspecting': ('Cannot update node "n" while it is in state "inspecting".', True),
}
"""What Ironic says of a conflict, and whether it ends by itself."""


@pytest.mark.parametrize(('says', 'passes'), CONFLICTS.values(), ids=CONFLICTS)
def test_only_conflicts_that_pass_are_waited_for(
    ironic: InMemoryIronic, client: IronicClient, says: str, passes: bool
) -> None:
    node = ironic.add_node()
    port = ironic.add_port(node['uuid'], '52:54:00:00:00:01')
    patch = [{'op': 'add', 'path': '/extra/x', 'value': 'y'}]
    body = {'error_message': json.dumps({'faultstring': says})}
    for write, uuid in ((client.patch_node, node['uuid']), (client.patch_port, port['uuid'])):
        with ironic.fail('PATCH', '/v1/', 409, body=body, times=3) as fault:
            if passes:
                assert write(uuid, patch)['extra'] == {'x': 'y'}
            else:
                with pytest.raises(exceptions.IronicError, match=re.escape(says)):
                    write(uuid, patch)
            assert fault.hits == (3 if passes else 1)


def test_an_invalid_power_interface_has_a_reason(ironic: InMemoryIronic, client: IronicClient) -> None:
    node = ironic.add_node()
    assert client.validate_power(node['uuid']) is None
    answer = {'power': {'result': False, 'reason': 'no password'}}
    with ironic.fail('GET', '/validate$', 200, body=answer):
        assert client.validate_power(node['uuid']) == 'no password'


def test_nobody_there(conf: cfg.ConfigOpts) -> None:
    conf.set_override('auth_type', 'none', 'ironic')
    conf.set_override('endpoint_override', 'http://127.0.0.1:1', 'ironic')
    client = IronicClient(conf, threading.Event(), attempt_interval=0)
    with pytest.raises(exceptions.IronicError, match='cannot be reached'):
        client.get_node('n')


def test_nobody_waits_once_the_service_stops(
    conf: cfg.ConfigOpts, ironic: InMemoryIronic, client: IronicClient
) -> None:
    stopping = threading.Event()
    hurried = IronicClient(conf, stopping, attempt_interval=3600)
    node = ironic.add_node()
    with ironic.fail('GET', '/v1/nodes/', 500) as fault, futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(hurried.get_node, node['uuid'])
        assert ironic.wait_for(lambda: fault.hits == 1, timeout=10)
        stopping.set()
        assert isinstance(answer.exception(timeout=10), exceptions.ShuttingDown)


def test_one_connection_serves_all_threads(ironic: InMemoryIronic, client: IronicClient) -> None:
    node = ironic.add_node()
    with futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _number: client.get_node(node['uuid']), range(40)))
    discoveries = ironic.count(discovery=True) - ironic.count()
    assert discoveries <= 4


def test_a_redirection_is_no_success(ironic: InMemoryIronic, client: IronicClient) -> None:
    node = ironic.add_node()
    with ironic.fail('PUT', '/states/power', 302), pytest.raises(exceptions.IronicError, match='Ironic answered 302'):
        client.set_power_state(node['uuid'], 'power on')


def test_certificates_that_cannot_be_read_are_named(conf: cfg.ConfigOpts) -> None:
    conf.set_override('auth_type', 'none', 'ironic')
    conf.set_override('endpoint_override', 'https://127.0.0.1:9', 'ironic')
    conf.set_override('cafile', '/nowhere/ca.pem', 'ironic')
    client = IronicClient(conf, threading.Event(), attempt_interval=0)
    with pytest.raises(exceptions.IronicError, match='/nowhere'):
        client.get_node('any')


def test_a_node_is_created(ironic: InMemoryIronic, client: IronicClient) -> None:
    node = client.create_node({'uuid': UUID, 'driver': 'ipmi', 'owner': 'me'})
    assert (node['uuid'], node['owner'], node['provision_state']) == (UUID, 'me', 'enroll')
    assert [each['uuid'] for each in ironic.nodes()] == [UUID]


@pytest.mark.parametrize('kind', [500, 'drop'])
def test_a_node_whose_creation_was_not_answered_is_found(
    ironic: InMemoryIronic, client: IronicClient, kind: FaultKind
) -> None:
    with ironic.fail('POST', '^/v1/nodes$', kind, times=1, after=True):
        assert client.create_node({'uuid': UUID, 'driver': 'ipmi'})['uuid'] == UUID
    assert len(ironic.nodes()) == 1


@pytest.mark.parametrize(
    ('fields', 'says'),
    [
        ({'driver': 'magic'}, 'driver magic'),
        ({'driver': 'ipmi', 'extra': 'text'}, "'text' is not of type 'object'"),
        ({'driver': 'ipmi', 'colour': 'red'}, "'colour' was unexpected"),
        ({'driver': 'ipmi', 'name': 'taken'}, 'A node with name taken already exists'),
    ],
)
def test_a_node_that_ironic_does_not_take(
    ironic: InMemoryIronic, client: IronicClient, fields: dict[str, str], says: str
) -> None:
    ironic.add_node(name='taken')
    with pytest.raises(exceptions.IronicError, match=says):
        client.create_node({'uuid': UUID, **fields})
    assert ironic.count('POST') == 1
    assert len(ironic.nodes()) == 1


@pytest.mark.parametrize('more', [0, 100], ids=['one by one', 'all at once'])
def test_nodes_by_their_macs(
    ironic: InMemoryIronic, client: IronicClient, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    monkeypatch.setattr('ironic_inspector.common.ironic.PAGE_SIZE', 3)
    node, other = ironic.add_node()['uuid'], ironic.add_node()['uuid']
    for number in range(5):
        ironic.add_port(node if number % 2 else other, f'52:54:00:00:00:0{number}')
    wanted = ['52:54:00:00:00:03', '52:54:00:00:00:09', '52:54:00:00:00:04']
    wanted += [f'02:00:00:00:00:{number:02x}' for number in range(more)]
    assert client.nodes_of_macs(wanted) == {'52:54:00:00:00:03': node, '52:54:00:00:00:04': other}
    assert ironic.count('GET', '^/v1/ports$') == (2 if more else 3)
    assert client.nodes_of_macs([]) == {}
