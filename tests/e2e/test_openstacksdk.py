"""The service through openstacksdk's baremetal_introspection proxy."""

from typing import Any

from openstack import exceptions
from openstack.baremetal_introspection.v1 import introspection
from openstack.connection import Connection
import pytest

from tests.e2e import waiting
from tests.e2e.conftest import Http

pytestmark = pytest.mark.xdist_group('ironic')


def wait_for_state(inspector_api: Connection, node: Any, state: str) -> Any:
    """Wait until the node's introspection is in a state; returns it."""
    proxy = inspector_api.baremetal_introspection
    return waiting.until(lambda: proxy.get_introspection(node.id), lambda now: now.state == state)


def test_introspection_from_start_to_data(inspector_api: Connection, http: Http, node: Any, mac: str) -> None:
    proxy = inspector_api.baremetal_introspection

    started = proxy.start_introspection(node)
    assert started.id == node.id
    wait_for_state(inspector_api, node, 'waiting')
    http.call_back(mac)
    done = proxy.wait_for_introspection(started, timeout=60)

    assert (done.state, done.is_finished, done.error) == ('finished', True, None)
    assert done.started_at < done.finished_at
    assert proxy.get_introspection_data(node.id)['macs'] == [mac]
    assert 'macs' not in proxy.get_introspection_data(node.id, processed=False)


def test_start_without_boot_management(inspector_api: Connection, node: Any) -> None:
    inspector_api.baremetal_introspection.start_introspection(node, manage_boot=False)

    assert inspector_api.baremetal_introspection.get_introspection(node.id).state == 'waiting'


def test_abort(inspector_api: Connection, node: Any) -> None:
    proxy = inspector_api.baremetal_introspection
    started = proxy.start_introspection(node)
    wait_for_state(inspector_api, node, 'waiting')

    proxy.abort_introspection(started)

    with pytest.raises(exceptions.ResourceFailure, match='Canceled by operator'):
        proxy.wait_for_introspection(started, timeout=60)


def test_list_in_pages_has_every_node_once(inspector_api: Connection, http: Http, node: Any, mac: str) -> None:
    http.introspect(node.id, mac)

    in_pages = [status.id for status in inspector_api.baremetal_introspection.introspections(limit=1)]

    assert in_pages[0] == node.id, 'the one started last comes first'
    assert len(set(in_pages)) == len(in_pages)
    assert in_pages == [status.id for status in inspector_api.baremetal_introspection.introspections()]


def test_unknown_node(inspector_api: Connection) -> None:
    proxy = inspector_api.baremetal_introspection

    with pytest.raises(exceptions.NotFoundException, match='no-such-node'):
        proxy.start_introspection('no-such-node')
    with pytest.raises(exceptions.NotFoundException, match='no-such-node'):
        proxy.get_introspection('no-such-node')
    with pytest.raises(exceptions.NotFoundException, match='no-such-node'):
        proxy.get_introspection_data('no-such-node')
    with pytest.raises(exceptions.NotFoundException, match='no-such-node'):
        proxy.abort_introspection(introspection.Introspection.new(id='no-such-node'), ignore_missing=False)


def test_node_in_a_state_that_does_not_allow_introspection(
    inspector_api: Connection, ironic_api: Connection, node: Any
) -> None:
    ironic_api.baremetal.set_node_provision_state(node, 'provide', wait=True, timeout=60)

    with pytest.raises(exceptions.BadRequestException, match='available'):
        inspector_api.baremetal_introspection.start_introspection(node)
