"""The node_not_found hook `enroll`, and how such hooks are loaded."""

import logging
from typing import Any

from hypothesis import given
import pytest

from ironic_inspector.common import exceptions
from ironic_inspector.plugins import hooks
from ironic_inspector.plugins.discovery import EnrollHook
from tests.unit.plugins import arbitrary
from tests.unit.plugins import nodes


def hook(**options: Any) -> EnrollHook:
    """Return the hook with options of [discovery]."""
    made = EnrollHook()
    made.configure(nodes.configuration(**{f'discovery__{name}': value for name, value in options.items()}))
    return made


def data(v4: Any = '192.0.2.1', v6: Any = '2001:db8::1/64') -> dict[str, Any]:
    """Return what a machine sends whose BMC has these addresses."""
    return {'inventory': {'bmc_address': v4, 'bmc_v6address': v6}}


@pytest.mark.parametrize(
    ('versions', 'v4', 'v6', 'expected'),
    [
        (['4', '6'], '192.0.2.1', '2001:db8::1/64', '192.0.2.1'),
        (['4', '6'], '0.0.0.0', '2001:db8::1/64', '2001:db8::1'),
        (['4', '6'], None, None, None),
        (['6', '4'], '192.0.2.1', '2001:db8::1/64', '2001:db8::1'),
        (['6', '4'], '192.0.2.1', '::/0', '192.0.2.1'),
        (['4'], '192.0.2.1', '2001:db8::1/64', '192.0.2.1'),
        (['4'], None, '2001:db8::1/64', None),
        (['6'], '192.0.2.1', '', None),
        ([], '192.0.2.1', '2001:db8::1/64', None),
        (['4', '6'], '127.0.0.1', '2001:db8::1', '2001:db8::1'),
        (['6'], None, '::1', None),
        (['4', '6'], 'bmc.example', ['2001:db8::1'], None),
    ],
)
def test_the_address_of_the_bmc(versions: list[str], v4: Any, v6: Any, expected: str | None) -> None:
    node = hook(enabled_bmc_address_version=versions).new_node(data(v4, v6))
    assert node == {'driver': 'fake-hardware', 'driver_info': {'ipmi_address': expected} if expected else {}}


def test_driver_and_fields() -> None:
    fields = {'resource_class': 'baremetal', 'owner': 'me'}
    node = hook(enroll_node_driver='ipmi', enroll_node_fields=fields).new_node(data())
    assert node == fields | {'driver': 'ipmi', 'driver_info': {'ipmi_address': '192.0.2.1'}}


def test_fields_that_are_not_for_the_configuration(caplog: pytest.LogCaptureFixture) -> None:
    fields = {'driver_info': 'x', 'uuid': 'x', 'provision_state': 'x', 'owner': 'me'}
    with caplog.at_level(logging.WARNING):
        made = hook(enroll_node_fields=fields)
    assert set(made.new_node(data())) == {'driver', 'driver_info', 'owner'}
    for name in ('driver_info', 'uuid', 'provision_state'):
        assert f'[discovery]enroll_node_fields: {name} is ignored' in caplog.text
    with pytest.raises(exceptions.ConfigurationError, match='enroll_node_driver'):
        hook(enroll_node_fields={'driver': 'ipmi'})


def test_one_node_does_not_change_the_next() -> None:
    made = hook(enroll_node_fields={'owner': 'me'})
    made.new_node(data())['driver_info']['ipmi_password'] = 'secret'
    assert made.new_node(data())['driver_info'] == {'ipmi_address': '192.0.2.1'}


@given(sent=arbitrary.spoiled(('inventory', 'boot_interface')))
@arbitrary.SETTINGS
def test_whatever_is_sent_makes_a_node(sent: dict[str, Any]) -> None:
    node = hook().new_node(sent)
    assert node['driver'] == 'fake-hardware'
    assert set(node['driver_info']) <= {'ipmi_address'}


@pytest.mark.parametrize('name', [None, ''])
def test_no_hook(name: str | None) -> None:
    assert hooks.load_node_not_found(nodes.configuration(processing__node_not_found_hook=name)) is None


def test_the_hook_is_loaded_with_its_configuration() -> None:
    found = hooks.load_node_not_found(
        nodes.configuration(processing__node_not_found_hook='enroll', discovery__enroll_node_driver='redfish')
    )
    assert found is not None
    assert found.name == 'enroll'
    assert isinstance(found.hook, EnrollHook)
    assert found.hook.new_node(data())['driver'] == 'redfish'


def test_a_function_is_a_hook() -> None:
    found = hooks.load_node_not_found(nodes.configuration(processing__node_not_found_hook='example'))
    assert found is not None
    assert callable(found.hook)
    assert found.hook({'inventory': {}}) is None


def test_a_hook_that_is_not_installed() -> None:
    with pytest.raises(exceptions.ConfigurationError, match=r"\[processing\]node_not_found_hook: .*'magic'.*enroll"):
        hooks.load_node_not_found(nodes.configuration(processing__node_not_found_hook='magic'))
