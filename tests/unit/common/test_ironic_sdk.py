"""What plug-ins get of Ironic through openstacksdk."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
import subprocess
import sys
from typing import Any

from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1 import loading
from oslo_config import cfg
import pytest

from ironic_inspector import utils
from ironic_inspector.common import ironic as ir_utils
from ironic_inspector.common import ironic_sdk
from ironic_inspector.fixtures.http_server import Incoming
from ironic_inspector.fixtures.http_server import Response
from ironic_inspector.fixtures.ironic import InMemoryIronic
from ironic_inspector.fixtures.nodes import Nodes
from tools import processes

MACS = ['52:54:00:00:00:0a', '52:54:00:00:00:0b']
OTHER_MAC = '52:54:00:00:00:0c'


@pytest.fixture
def nodes(ironic: InMemoryIronic) -> Iterator[Nodes]:
    """The configuration leads to the in-memory Ironic."""
    with Nodes(ironic) as nodes:
        yield nodes


@pytest.fixture
def uuid(ironic: InMemoryIronic, nodes: Nodes) -> str:
    """A node with two ports and a BMC, beside another one."""
    nodes.enrol([OTHER_MAC], name='other', driver_info={'redfish_address': 'https://192.0.2.2:8000/redfish/v1'})
    return nodes.enrol(MACS, name='this', driver_info={'ipmi_address': '192.0.2.1'}).uuid


def test_the_client_is_the_same_for_all_threads(nodes: Nodes) -> None:
    client = ir_utils.get_client()
    with futures.ThreadPoolExecutor() as pool:
        assert {id(found) for found in pool.map(ir_utils.get_client, range(10))} == {id(client)}
    assert type(client).__module__ == 'openstack.baremetal.v1._proxy'
    assert ir_utils.get_client(token='any') is client


def test_the_client_of_a_node(nodes: Nodes) -> None:
    assert nodes.enrol().ironic is ir_utils.get_client()


def test_the_client_reads_and_writes(ironic: InMemoryIronic, nodes: Nodes) -> None:
    client = ir_utils.get_client()
    node = client.create_node(driver='fake-hardware', name='new', provision_state='enroll')
    client.create_port(node_id=node.id, address=OTHER_MAC)
    client.patch_node(node.id, [{'op': 'add', 'path': '/extra/key', 'value': 'value'}])
    assert ironic.node('new')['extra'] == {'key': 'value'}
    assert [port.address for port in client.ports(node=node.id, fields=['address'])] == [OTHER_MAC]


def test_a_client_that_is_handed_on(uuid: str, ironic: InMemoryIronic) -> None:
    before = ironic.count(discovery=True)
    client = ironic_sdk.LazyClient()
    assert ironic.count(discovery=True) == before
    assert {port.address for port in client.ports(fields=['address'])} == {*MACS, OTHER_MAC}
    with pytest.raises(AttributeError):
        client.nothing_of_the_kind()


def test_credentials_and_timeout_are_those_of_the_configuration() -> None:
    credentials = []

    class Listening(InMemoryIronic):
        def _receive(self, incoming: Incoming) -> Response | None:
            credentials.append(incoming.header('Authorization'))
            return super()._receive(incoming)

    cfg.CONF.register_opts(loading.get_auth_plugin_conf_options('http_basic'), 'ironic')
    login = {'ironic__auth_type': 'http_basic', 'ironic__username': 'inspector', 'ironic__password': 'secret'}
    with Listening(threads=5) as ironic, Nodes(ironic, **login, ironic__timeout=7) as nodes:
        node_info = nodes.enrol(name='this')
        credentials.clear()
        assert ir_utils.get_node('this').id == node_info.uuid
        assert ir_utils.get_client().session.timeout == 7
    # Versions are asked for without.
    assert credentials[-1] == 'Basic aW5zcGVjdG9yOnNlY3JldA=='


def test_an_answer_is_not_waited_for_without_end(nodes: Nodes) -> None:
    assert ir_utils.get_client().session.timeout == ironic_sdk.ANSWER_TIMEOUT


def test_ironic_is_looked_for_again(ironic: InMemoryIronic) -> None:
    port = processes.reserve_port()
    later = InMemoryIronic(threads=5, port=port)
    with Nodes(ironic, ironic__endpoint_override=f'http://127.0.0.1:{port}'):
        for _ in range(2):
            with pytest.raises(ks_exceptions.ClientException):
                ir_utils.get_client()
        with later:
            later.add_node(name='this')
            assert ir_utils.get_node('this').name == 'this'


def test_a_node(uuid: str) -> None:
    node = ir_utils.get_node('this')
    assert (node.id, node.name, node.driver_info) == (uuid, 'this', {'ipmi_address': '192.0.2.1'})
    assert ir_utils.get_node(uuid, ironic=ir_utils.get_client()).name == 'this'
    some = ir_utils.get_node(uuid, fields=['uuid', 'name'])
    assert (some.name, some.driver) == ('this', None)


def test_a_node_that_is_not_there(nodes: Nodes) -> None:
    with pytest.raises(ir_utils.NotFound, match='Ironic has no node nobody') as caught:
        ir_utils.get_node('nobody')
    assert isinstance(caught.value, utils.Error)
    assert caught.value.http_code == 404
    assert ir_utils.NotFound('nobody', 400, log_level='info', data={}).http_code == 400


@pytest.mark.parametrize(
    'wanted',
    [
        {'macs': MACS[:1]},
        {'macs': [MACS[0].upper()]},
        {'macs': [*MACS, '52:54:00:00:00:0f']},
        {'bmc_addresses': ['192.0.2.1']},
        {'bmc_addresses': ['192.0.2.9', '192.0.2.1']},
        {'macs': MACS, 'bmc_addresses': ['192.0.2.1'], 'introspection_data': {}},
        {'macs': MACS, 'bmc_addresses': ['192.0.2.9']},
        {'macs': ['52:54:00:00:00:0f'], 'bmc_addresses': ['192.0.2.1']},
        {'macs': iter(MACS)},
    ],
)
def test_a_node_by_macs_and_addresses(uuid: str, wanted: dict[str, Any]) -> None:
    assert ir_utils.lookup_node(**wanted) == uuid


@pytest.mark.parametrize('wanted', [{}, {'macs': []}, {'macs': ['52:54:00:00:00:0f'], 'bmc_addresses': ['192.0.2.9']}])
def test_no_node_by_macs_and_addresses(uuid: str, wanted: dict[str, Any]) -> None:
    assert ir_utils.lookup_node(**wanted, ironic=ir_utils.get_client()) is None


@pytest.mark.parametrize(
    'wanted',
    [
        {'macs': [MACS[0], OTHER_MAC]},
        {'bmc_addresses': ['192.0.2.1', '192.0.2.2']},
        {'macs': MACS, 'bmc_addresses': ['192.0.2.2']},
    ],
)
def test_several_nodes_by_macs_and_addresses(uuid: str, wanted: dict[str, Any]) -> None:
    with pytest.raises(utils.Error, match=f'Several nodes have one of .*: .*{uuid}'):
        ir_utils.lookup_node(**wanted)


def test_the_service_itself_does_not_import_openstacksdk() -> None:
    program = """
import importlib.metadata
import sys
import ironic_inspector.cmd.inspector
for point in importlib.metadata.distribution('ironic-inspector').entry_points:
    if point.group.startswith('ironic_inspector.'):
        point.load()
assert 'openstack' not in sys.modules
"""
    subprocess.run([sys.executable, '-W', 'ignore', '-c', program], check=True)
