"""What plug-ins import from ironic_inspector.node_cache."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ironic_inspector import node_cache
from ironic_inspector.common import ironic as ir_utils
from ironic_inspector.fixtures.ironic import InMemoryIronic
from ironic_inspector.fixtures.nodes import Nodes

UUID = '5b0c1f0e-6d5c-4c0c-9a63-6c9f7c1b7c5e'
MACS = ['52:54:00:00:00:01', '52:54:00:00:00:02']


@pytest.fixture
def nodes(ironic: InMemoryIronic) -> Iterator[Nodes]:
    """The configuration leads to the in-memory Ironic."""
    with Nodes(ironic) as nodes:
        yield nodes


def test_a_node_that_is_known() -> None:
    found = node_cache.add_node(UUID, 'enrolling', manage_boot=False, mac=MACS, bmc_address=None)
    assert (found.uuid, found.manage_boot) == (UUID, False)
    assert node_cache.add_node(UUID, state='waiting').manage_boot is True


def test_a_node_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="'junk' is not the UUID of a node"):
        node_cache.add_node('junk', 'enrolling')


@pytest.mark.parametrize('with_client', [True, False])
def test_a_new_node(ironic: InMemoryIronic, nodes: Nodes, with_client: bool) -> None:
    client = ir_utils.get_client() if with_client else None
    found = node_cache.create_node('fake-hardware', ironic=client, name='new', provision_state='enroll', extra={'a': 1})
    assert found is not None
    node = ironic.node(found.uuid)
    assert (node['name'], node['provision_state'], node['extra']) == ('new', 'enroll', {'a': 1})


def test_a_new_node_that_ironic_refuses(ironic: InMemoryIronic, nodes: Nodes, caplog: pytest.LogCaptureFixture) -> None:
    assert node_cache.create_node('magic') is None
    assert 'Ironic did not create a node of driver magic: ' in caplog.text
    assert ironic.nodes() == []


def test_the_macs_on_introspection(nodes: Nodes) -> None:
    assert node_cache.active_macs() == set()
    for mac in MACS:
        nodes.enrol().add_attribute('mac', mac)
    assert node_cache.active_macs() == set(MACS)
