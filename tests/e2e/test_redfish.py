"""A node with a BMC: its power and boot device really change."""

from typing import Any

import pytest
import requests

from tests.e2e import waiting
from tests.e2e.conftest import Enrol
from tests.e2e.conftest import Http
from tools import components

pytestmark = pytest.mark.xdist_group('ironic')


class System:
    """The machine behind the BMC, seen and changed past Ironic."""

    def __init__(self, bmc: components.SushyEmulator) -> None:
        self._url = f'{bmc.url}{bmc.system}'

    def power(self) -> str:
        """On or Off."""
        return str(self._get()['PowerState'])

    def boot_device(self) -> str:
        """What it boots from next: Pxe, Hdd ..."""
        return str(self._get()['Boot']['BootSourceOverrideTarget'])

    def set_boot_device(self, target: str) -> None:
        """Make it boot from something."""
        boot = {'BootSourceOverrideTarget': target, 'BootSourceOverrideEnabled': 'Continuous'}
        requests.patch(self._url, json={'Boot': boot}, timeout=30).raise_for_status()

    def reset(self, kind: str) -> None:
        """Switch it: On, ForceOff ..."""
        action = f'{self._url}/Actions/ComputerSystem.Reset'
        requests.post(action, json={'ResetType': kind}, timeout=30).raise_for_status()

    def _get(self) -> Any:
        return requests.get(self._url, timeout=30).json()


@pytest.fixture
def system(bmc: components.SushyEmulator) -> System:
    """The machine behind the BMC: off, and set to boot from its disk."""
    machine = System(bmc)
    machine.set_boot_device('Hdd')
    machine.reset('ForceOff')
    waiting.until(machine.power, lambda power: power == 'Off')
    return machine


@pytest.fixture
def server(enrol: Enrol, bmc: components.SushyEmulator, system: System) -> Any:
    """Its node in Ironic."""
    return enrol('server', [bmc.mac], **bmc.node_attributes())


def test_introspection_boots_from_the_network_and_ends_with_power_off(
    http: Http, server: Any, system: System, bmc: components.SushyEmulator
) -> None:
    http.start(server.id)
    waiting.until(system.power, lambda power: power == 'On')
    assert system.boot_device() == 'Pxe'

    assert http.call_back(bmc.mac).status_code == 200

    http.reach(server.id, 'finished')
    waiting.until(system.power, lambda power: power == 'Off')


def test_abort_switches_off(http: Http, server: Any, system: System) -> None:
    http.start(server.id)
    waiting.until(system.power, lambda power: power == 'On')

    assert http.post(f'/v1/introspection/{server.id}/abort').status_code == 202

    status = waiting.until(
        lambda: http.get(f'/v1/introspection/{server.id}').json(), lambda now: now['state'] == 'error'
    )
    assert status['error'] == 'Canceled by operator'
    waiting.until(system.power, lambda power: power == 'Off')


def test_a_machine_that_others_boot_is_left_alone(
    http: Http, server: Any, system: System, bmc: components.SushyEmulator
) -> None:
    answer = http.post(f'/v1/introspection/{server.id}?manage_boot=false')
    assert answer.status_code == 202
    assert http.get(f'/v1/introspection/{server.id}').json()['state'] == 'waiting'
    system.reset('On')
    waiting.until(system.power, lambda power: power == 'On')

    assert http.call_back(bmc.mac).status_code == 200

    http.reach(server.id, 'finished')
    assert (system.power(), system.boot_device()) == ('On', 'Hdd')


def test_a_bmc_that_fails_ends_in_an_error_that_says_so(
    http: Http, enrol: Enrol, bmc: components.SushyEmulator, mac: str
) -> None:
    attributes = bmc.node_attributes()
    attributes['driver_info']['redfish_system_id'] = '/redfish/v1/Systems/none'
    server = enrol('broken-bmc', [mac], manage=False, **attributes)

    assert http.post(f'/v1/introspection/{server.id}').status_code == 202

    status = http.reach(server.id, 'error')
    assert 'boot device' in status['error'] or 'power' in status['error']
