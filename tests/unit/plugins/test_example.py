"""The plug-ins `example`."""

import logging
from typing import Any

from hypothesis import given
import pytest

from ironic_inspector.plugins.example import ExampleProcessingHook
from ironic_inspector.plugins.example import ExampleRuleAction
from tests.unit.plugins import arbitrary
from tests.unit.plugins.nodes import Nodes
from tests.unit.plugins.nodes import configured
from tests.unit.plugins.nodes import sample


def run(data: dict[str, Any], nodes: Nodes) -> str:
    node_info = nodes.enrol()
    hook = configured(ExampleProcessingHook())
    hook.before_processing(data)
    hook.before_update(data, node_info)
    assert not node_info.changes()
    return node_info.uuid


def test_both_phases_are_logged(nodes: Nodes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, 'ironic_inspector.plugins.example'):
        uuid = run(sample() | {'password': 'secret'}, nodes)
    first, second = caplog.messages
    assert first.startswith("[MAC: 52:54:00:aa:bb:01] before_processing with ['inventory', ")
    assert second.startswith(f"[node: {uuid}] before_update with ['inventory', ")
    assert 'secret' not in caplog.text


def test_the_action_of_a_rule_is_logged(nodes: Nodes, caplog: pytest.LogCaptureFixture) -> None:
    node_info = nodes.enrol()
    action = ExampleRuleAction()
    action.validate({})
    with caplog.at_level(logging.DEBUG, 'ironic_inspector.plugins.example'):
        action.apply(node_info, {})
    assert caplog.messages == [f'[node: {node_info.uuid}] A rule with the action example applies']
    assert not node_info.changes()


@given(data=arbitrary.spoiled(('inventory', 'boot_interface')))
@arbitrary.SETTINGS
def test_nothing_is_raised(nodes: Nodes, data: dict[str, Any]) -> None:
    run(data, nodes)
