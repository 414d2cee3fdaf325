"""What conditions look at: documents, searched once for each path, and a node by all of its names."""

from __future__ import annotations

from typing import Any

from openstack.baremetal.v1.node import Node
import pytest

from ironic_inspector.common import ironic as ironic_client
from ironic_inspector.rules import facts as rule_facts
from ironic_inspector.rules import paths
from ironic_inspector.rules.facts import Facts
from tests.unit.plugins.nodes import Nodes


def find(facts: Facts, scheme: str, path: str) -> list[Any]:
    return facts.find(scheme, paths.compile_path(path))


def test_all_names_that_openstacksdk_has_for_fields_are_known() -> None:
    # The name in Ironic's JSON, and that of openstacksdk, which existing rules use.
    theirs = {alias: name for name, alias in Node._body_mapping().items() if alias != name}
    assert theirs.items() <= ironic_client.SDK_NAMES.items()


def test_a_node_as_openstacksdk_shows_it(nodes: Nodes) -> None:
    info = nodes.enrol(name='machine', properties={'cpus': '1'}, instance_uuid=nodes.enrol().uuid, maintenance=True)
    facts = Facts({}, info.fields)
    for name, value in info.node().to_dict().items():
        # What openstacksdk knows, and this Ironic does not.
        if value is not None and name in (*info.fields, *ironic_client.SDK_NAMES):
            assert facts.node[name] == value, name
    assert find(facts, 'node', 'id') == find(facts, 'node', 'uuid') == [info.uuid]
    assert find(facts, 'node', 'is_maintenance') == find(facts, 'node', 'maintenance') == [True]


def test_a_field_of_ironic_wins_over_another_name() -> None:
    assert Facts({}, {'uuid': 'a', 'id': 7}).node == {'uuid': 'a', 'id': 7}


def test_a_document_is_searched_once_for_each_path() -> None:
    facts = Facts({'a': [1]}, {'a': [2]})
    first = find(facts, 'data', 'a[*]')
    assert find(facts, 'data', 'a[*]') is first
    assert (first, find(facts, 'node', 'a[*]')) == ([1], [2])


def test_what_has_changed_is_looked_at_anew() -> None:
    facts = Facts({'a': 1}, {'a': 2})
    assert (find(facts, 'data', 'a'), find(facts, 'node', 'a')) == ([1], [2])
    facts.data['a'] = 3
    facts.renew({'uuid': 'x'})
    assert (find(facts, 'data', 'a'), find(facts, 'node', 'a'), find(facts, 'node', 'id')) == ([3], [], ['x'])


def test_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = Facts({}, {})
    facts.check_time()
    monkeypatch.setattr(rule_facts, 'MAX_SECONDS', -1.0)
    with pytest.raises(rule_facts.TooLong, match='the conditions of rules take more than'):
        facts.check_time()
