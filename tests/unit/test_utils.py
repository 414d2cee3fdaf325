"""What plug-ins use of ironic_inspector.utils."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from ironic_inspector import utils
from ironic_inspector.common import ironic


@pytest.mark.parametrize(
    ('boot_interface', 'mac'),
    [
        (None, None),
        ('', None),
        (7, None),
        ('52:54:00:AA:BB:01', '52:54:00:aa:bb:01'),
        ('01-52-54-00-AA-BB-01', '52:54:00:aa:bb:01'),
    ],
)
def test_the_mac_of_the_boot_interface(boot_interface: Any, mac: str | None) -> None:
    assert utils.get_pxe_mac({'boot_interface': boot_interface}) == mac


@pytest.mark.parametrize(
    ('inventory', 'ipv4', 'ipv6'),
    [
        ({'bmc_address': '192.0.2.1', 'bmc_v6address': '2001:db8::1/64'}, '192.0.2.1', '2001:db8::1'),
        ({'bmc_address': '0.0.0.0', 'bmc_v6address': '::/0'}, None, None),
        ({'bmc_address': '', 'bmc_v6address': None}, None, None),
        ({'bmc_address': ['x'], 'bmc_v6address': {}}, None, None),
        ({'bmc_v6address': 'fe80::1%eth0/64'}, None, 'fe80::1'),
        ({'bmc_v6address': 'fe80::1%\ud800\0'}, None, 'fe80::1'),
        ({'bmc_address': '2001:db8::1', 'bmc_v6address': '192.0.2.1'}, None, None),
        ('no inventory', None, None),
        (None, None, None),
    ],
)
def test_the_addresses_of_the_bmc(inventory: Any, ipv4: str | None, ipv6: str | None) -> None:
    data = {'inventory': inventory}
    assert utils.get_ipmi_address_from_data(data) == ipv4
    assert utils.get_ipmi_v6address_from_data(data) == ipv6


@pytest.mark.parametrize('data', [{}, {'inventory': {}}, {'inventory': 7}, {'inventory': {'interfaces': []}}])
def test_no_usable_inventory(data: dict[str, Any]) -> None:
    with pytest.raises(utils.Error, match='inventory'):
        utils.get_inventory(data)


def test_the_node_stands_in_front_of_each_message(caplog: pytest.LogCaptureFixture) -> None:
    logger = utils.getProcessingLogger('ironic_inspector.test')
    with caplog.at_level(logging.INFO, 'ironic_inspector.test'):
        logger.info('%d disks', 3, data={'boot_interface': '01-52-54-00-AA-BB-%s'})
        logger.info('nobody')
    assert caplog.messages == ['[MAC: 52:54:00:aa:bb:%s] 3 disks', '[unidentified node] nobody']


def test_a_node_of_the_sdk_does_as_well(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, 'ironic_inspector.test'):
        utils.getProcessingLogger('ironic_inspector.test').info('on', node_info=ironic.as_node({'uuid': 'c0ffee'}))
    assert caplog.messages == ['[node: c0ffee] on']
