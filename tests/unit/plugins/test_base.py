"""The base classes of plug-ins, used as plug-ins written for ironic-inspector use them."""

from __future__ import annotations

from typing import Any

import pytest

from ironic_inspector.plugins import base

# Without types, as such plug-ins have none.
SOURCE = """
from ironic_inspector.plugins import base

class Hook(base.ProcessingHook):
    dependencies = base.ProcessingHook.dependencies + ['validate_interfaces']

class Condition(base.RuleConditionPlugin):
    REQUIRED_PARAMS = base.RuleConditionPlugin.REQUIRED_PARAMS | {'to'}
    OPTIONAL_PARAMS = {'open'}

    def check(self, node_info, field, params, **kwargs):
        return True

class Action(base.RuleActionPlugin):
    OPTIONAL_PARAMS = base.RuleActionPlugin.OPTIONAL_PARAMS.union(['owner'])
    FORMATTED_PARAMS = base.RuleActionPlugin.FORMATTED_PARAMS + ['owner']

    def apply(self, node_info, params, **kwargs):
        pass
"""


@pytest.fixture(scope='module')
def plugins() -> dict[str, Any]:
    """The classes in SOURCE."""
    names: dict[str, Any] = {}
    exec(SOURCE, names)
    return names


def test_a_hook(plugins: dict[str, Any]) -> None:
    hook = plugins['Hook']()
    assert hook.dependencies == ['validate_interfaces']
    assert hook.before_processing({}, more=1) is None
    assert hook.before_update({}, None, more=1) is None
    assert list(base.ProcessingHook.dependencies) == []


@pytest.mark.parametrize(
    ('params', 'says'),
    [
        ({}, 'to, value'),
        ({'value': 1}, 'to'),
        ({'value': None, 'to': 2}, 'value'),
        ({'value': 1, 'to': 2, 'step': 3}, 'step'),
    ],
)
def test_wrong_parameters(plugins: dict[str, Any], params: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=f' {says}$'):
        plugins['Condition']().validate(params)


@pytest.mark.parametrize('params', [{'value': 1, 'to': 2}, {'value': 0, 'to': '', 'open': None}])
def test_right_parameters(plugins: dict[str, Any], params: dict[str, Any]) -> None:
    plugins['Condition']().validate(params, more=1)


def test_an_action(plugins: dict[str, Any]) -> None:
    action = plugins['Action']()
    assert (set(action.REQUIRED_PARAMS), set(action.OPTIONAL_PARAMS)) == (set(), {'owner'})
    assert action.FORMATTED_PARAMS == ['owner']
    action.validate({})
    action.validate({'owner': 'somebody'})


def test_what_has_to_be_written() -> None:
    for plugin in (base.RuleConditionPlugin, base.RuleActionPlugin):
        with pytest.raises(TypeError, match='abstract'):
            plugin()  # type: ignore[abstract]
