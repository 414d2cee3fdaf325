"""The hook `validate_interfaces`."""

import reprlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.plugins.validate_interfaces import ValidateInterfacesHook
from tests.unit.plugins import arbitrary
from tests.unit.plugins.nodes import Nodes
from tests.unit.plugins.nodes import configured
from tests.unit.plugins.nodes import sample

PXE = '52:54:00:aa:bb:01'
INFINIBAND = '52:54:00:aa:bb:02'
IDLE = '52:54:00:aa:bb:03'
GONE = '52:54:00:aa:bb:0f'


def hook_with(**options: Any) -> ValidateInterfacesHook:
    return configured(ValidateInterfacesHook(), **{f'processing__{name}': value for name, value in options.items()})


def interface(name: Any, mac: Any, ipv4: Any = None, **fields: Any) -> dict[str, Any]:
    return {'name': name, 'mac_address': mac, 'ipv4_address': ipv4, **fields}


def machine(*more: dict[str, Any], boot_interface: Any = PXE) -> dict[str, Any]:
    """The sample with an interface that has no IP address, one of the loopback and `more`."""
    data = sample() | {'boot_interface': boot_interface}
    data['inventory']['interfaces'] += [
        interface('eth1', IDLE),
        interface('lo', '00:00:00:00:00:00', '127.0.0.1'),
        *more,
    ]
    return data


def processed(data: dict[str, Any], **options: Any) -> dict[str, Any]:
    hook_with(**options).before_processing(data)
    return data


def updated(nodes: Nodes, node_info: Any, data: dict[str, Any], **options: Any) -> dict[str, dict[str, Any]]:
    """The node's ports in Ironic after both phases."""
    hook = hook_with(**options)
    hook.before_processing(data)
    hook.before_update(data, node_info)
    return nodes.ports(node_info)


# Interfaces


def test_all_interfaces() -> None:
    assert processed(machine())['all_interfaces'] == {
        'eth0': {'ip': '192.0.2.11', 'mac': PXE, 'client_id': None, 'pxe': True},
        'ib0': {'ip': '2001:db8::2', 'mac': INFINIBAND, 'client_id': 'ff:00:01', 'pxe': False},
        'eth1': {'ip': None, 'mac': IDLE, 'client_id': None, 'pxe': False},
        'lo': {'ip': '127.0.0.1', 'mac': '00:00:00:00:00:00', 'client_id': None, 'pxe': False},
    }


@pytest.mark.parametrize(
    ('add_ports', 'boot_interface', 'names'),
    [
        ('all', PXE, ['eth0', 'ib0', 'eth1']),
        ('active', PXE, ['eth0', 'ib0']),
        ('pxe', PXE, ['eth0']),
        ('pxe', PXE.upper(), ['eth0']),
        ('pxe', '01-52-54-00-AA-BB-01', ['eth0']),
        ('pxe', '20-52-54-00-aa-bb-02', ['ib0']),
        ('pxe', None, ['eth0', 'ib0']),
        ('pxe', '', ['eth0', 'ib0']),
        ('disabled', PXE, ['eth0', 'ib0']),
    ],
)
def test_add_ports_selects_interfaces(add_ports: str, boot_interface: Any, names: list[str]) -> None:
    data = processed(machine(boot_interface=boot_interface), add_ports=add_ports)
    assert list(data['interfaces']) == names
    assert data['macs'] == [data['all_interfaces'][name]['mac'] for name in names]


@pytest.mark.parametrize('boot_interface', [None, ''])
def test_without_a_boot_interface_nothing_is_known_about_pxe(boot_interface: Any) -> None:
    found = processed(machine(boot_interface=boot_interface))['all_interfaces']
    assert {details['pxe'] for details in found.values()} == {None}


@pytest.mark.parametrize(
    ('fields', 'ip'),
    [
        ({'ipv4_address': '192.0.2.5', 'ipv6_address': '2001:db8::5'}, '192.0.2.5'),
        ({'ipv4_address': None, 'ipv6_address': 'fe80::5%eth0'}, 'fe80::5'),
        ({'ipv4_address': '', 'ipv6_address': '2001:db8::5'}, '2001:db8::5'),
        ({'ipv4_address': '192.0.2.999', 'ipv6_address': '2001:db8::5'}, '2001:db8::5'),
        ({'ipv4_address': '192.0.2.999'}, None),
        ({}, None),
    ],
)
def test_the_address_of_an_interface(fields: dict[str, Any], ip: str | None) -> None:
    data = sample()
    data['inventory']['interfaces'] = [{'name': 'eth0', 'mac_address': PXE, **fields}]
    assert processed(data, add_ports='all')['all_interfaces']['eth0']['ip'] == ip


@pytest.mark.parametrize('address', ['127.0.0.1', '127.8.9.10', '::1'])
def test_a_loopback_address_is_not_suitable(address: str) -> None:
    data = machine(interface('dummy0', '52:54:00:aa:bb:04', ipv6_address=address))
    assert 'dummy0' not in processed(data, add_ports='all')['interfaces']


def test_the_loopback_interface_is_not_suitable_without_an_address() -> None:
    data = sample()
    data['inventory']['interfaces'].append(interface('lo', '00:00:00:00:00:00'))
    assert list(processed(data, add_ports='all')['interfaces']) == ['eth0', 'ib0']


@pytest.mark.parametrize(
    'broken',
    [
        interface(None, GONE, '192.0.2.12'),
        interface('', GONE, '192.0.2.12'),
        interface('eth9', 'not a MAC', '192.0.2.12'),
        interface('eth9', f'{GONE}\n', '192.0.2.12'),
        interface('eth9', f'{GONE}:00', '192.0.2.12'),
        interface('eth9', '52-54-00-aa-bb-0f', '192.0.2.12'),
    ],
    ids=str,
)
def test_an_interface_without_name_or_valid_mac_is_ignored(
    broken: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    data = processed(machine(broken), add_ports='all')
    assert list(data['all_interfaces']) == ['eth0', 'ib0', 'eth1', 'lo']
    assert 'Ignored' in caplog.text


@pytest.mark.parametrize('mac', [None, ''])
def test_an_interface_without_mac_is_no_news(mac: Any, caplog: pytest.LogCaptureFixture) -> None:
    data = processed(machine(interface('tun0', mac, '192.0.2.12')), add_ports='all')
    assert 'tun0' not in data['all_interfaces']
    assert 'Ignored' not in caplog.text


def test_what_the_ramdisk_calls_all_interfaces_does_not_count() -> None:
    forged = {'all_interfaces': 7, 'interfaces': [], 'macs': [GONE], 'ipmi_address': '192.0.2.66'}
    data = processed(machine() | forged)
    assert data['macs'] == [PXE]
    assert data['ipmi_address'] == '192.0.2.1'
    data = {'inventory': {}, **forged}
    with pytest.raises(utils.Error, match='no inventory'):
        processed(data)
    assert (data['all_interfaces'], data['interfaces'], data['macs']) == ({}, {}, [])


@pytest.mark.parametrize(
    ('key', 'value', 'name', 'expected'),
    [
        ('bmc_address', '192.0.2.1', 'ipmi_address', '192.0.2.1'),
        ('bmc_address', '', 'ipmi_address', None),
        ('bmc_address', '0.0.0.0', 'ipmi_address', None),
        ('bmc_address', None, 'ipmi_address', None),
        ('bmc_v6address', '2001:db8::1/64', 'ipmi_v6address', '2001:db8::1'),
        ('bmc_v6address', '::/0', 'ipmi_v6address', None),
        ('bmc_v6address', '', 'ipmi_v6address', None),
        ('bmc_v6address', None, 'ipmi_v6address', None),
    ],
)
def test_the_addresses_of_the_bmc(key: str, value: Any, name: str, expected: str | None) -> None:
    data = sample()
    data['inventory'][key] = value
    assert processed(data)[name] == expected


@pytest.mark.parametrize(
    ('interfaces', 'options', 'message'),
    [
        ([interface('eth0', PXE)], {}, r'add_ports = pxe: .eth0. \(52:54:00:aa:bb:01\) has no IP address'),
        ([interface('eth1', IDLE, '192.0.2.7')], {}, r'is not the interface that the node booted from'),
        ([interface('eth1', IDLE)], {'add_ports': 'active'}, r'has no IP address'),
        ([interface('lo', IDLE, '127.0.0.1')], {'add_ports': 'all'}, r'is a loopback interface'),
        ([interface('eth0', 'x')], {'add_ports': 'all'}, r'none has a name and a valid MAC'),
    ],
)
def test_none_suitable_is_a_failure(interfaces: list[Any], options: dict[str, str], message: str) -> None:
    data = sample()
    data['inventory']['interfaces'] = interfaces
    with pytest.raises(utils.Error, match=message):
        processed(data, **options)


def test_a_failure_leaves_what_the_node_can_be_found_by() -> None:
    data = machine(boot_interface=GONE)
    with pytest.raises(utils.Error):
        processed(data, add_ports='pxe')
    assert utils.get_valid_macs(data)[:3] == [PXE, INFINIBAND, IDLE]
    assert data['ipmi_address'] == '192.0.2.1'


def test_interfaces_with_wrong_types_are_left_out() -> None:
    data = machine(interface(['eth9'], GONE), interface('eth9', 7), interface('eth9', GONE, client_id=[]))
    data['inventory']['interfaces'] += ['eth9', None, 7]
    assert list(processed(data)['all_interfaces']) == ['eth0', 'ib0', 'eth1', 'lo']


@pytest.mark.parametrize('interfaces', [{'eth0': {}}, 'eth0', 5, [5] * 100_000], ids=reprlib.repr)
def test_nothing_of_the_right_type_is_no_suitable_interface(interfaces: Any) -> None:
    data = sample()
    data['inventory']['interfaces'] = interfaces
    with pytest.raises(utils.Error, match='none has a name and a valid MAC'):
        processed(data)


# Ports


def test_options_that_contradict_each_other_stop_the_start() -> None:
    with pytest.raises(exceptions.ConfigurationError, match=r'\[processing\]keep_ports'):
        hook_with(add_ports='disabled', keep_ports='added')


@pytest.mark.parametrize(
    ('add_ports', 'macs'),
    [('all', {PXE, INFINIBAND, IDLE}), ('active', {PXE, INFINIBAND}), ('pxe', {PXE}), ('disabled', set())],
)
def test_missing_ports_are_created(nodes: Nodes, add_ports: str, macs: set[str]) -> None:
    ports = updated(nodes, nodes.enrol(), machine(), add_ports=add_ports)
    assert ports.keys() == macs
    assert {mac: port['pxe_enabled'] for mac, port in ports.items()} == {mac: mac == PXE for mac in macs}


def test_the_client_id_of_infiniband(nodes: Nodes) -> None:
    ports = updated(nodes, nodes.enrol(), machine(), add_ports='active')
    assert ports[INFINIBAND]['extra'] == {'client-id': 'ff:00:01'}
    assert ports[PXE]['extra'] == {}


def test_interfaces_that_share_a_mac_are_one_port(nodes: Nodes, caplog: pytest.LogCaptureFixture) -> None:
    data = machine(interface('eth0.5', PXE.upper(), '192.0.2.50'))
    assert updated(nodes, nodes.enrol(), data, add_ports='active').keys() == {PXE, INFINIBAND}
    assert 'already' not in caplog.text


def test_a_port_that_exists_is_a_warning(nodes: Nodes, caplog: pytest.LogCaptureFixture) -> None:
    node_info = nodes.enrol({PXE.upper(): {'extra': {'mine': 1}}})
    (port,) = updated(nodes, node_info, machine()).values()
    assert port['extra'] == {'mine': 1}
    assert 'already' in caplog.text
    assert nodes.ironic.count('POST', '/v1/ports') == 0


@pytest.mark.parametrize(
    ('add_ports', 'keep_ports', 'left'),
    [
        ('pxe', 'all', {PXE, IDLE, GONE}),
        ('pxe', 'present', {PXE, IDLE}),
        ('pxe', 'added', {PXE}),
        ('active', 'added', {PXE, INFINIBAND}),
        ('all', 'added', {PXE, INFINIBAND, IDLE}),
        ('disabled', 'all', {IDLE, GONE}),
        ('disabled', 'present', {IDLE}),
    ],
)
@pytest.mark.parametrize('case', [str.lower, str.upper])
def test_keep_ports_deletes_the_others(
    nodes: Nodes, add_ports: str, keep_ports: str, left: set[str], case: Any
) -> None:
    node_info = nodes.enrol({case(IDLE): {}, case(GONE): {}})
    ports = updated(nodes, node_info, machine(), add_ports=add_ports, keep_ports=keep_ports)
    assert {mac.lower() for mac in ports} == left


def test_keep_ports_by_the_macs_that_other_hooks_have_chosen(nodes: Nodes) -> None:
    node_info = nodes.enrol({PXE: {}, IDLE: {}, GONE: {}})
    hook = hook_with(add_ports='all', keep_ports='added')
    data = machine()
    hook.before_processing(data)
    data['macs'] = [PXE, INFINIBAND, GONE]
    hook.before_update(data, node_info)
    assert nodes.ports(node_info).keys() == {PXE, INFINIBAND, GONE}


@pytest.mark.parametrize(
    ('state', 'maintenance', 'corrected'),
    [('inspect failed', False, False), ('enroll', False, True), ('inspect failed', True, True)],
)
def test_pxe_enabled_where_ironic_permits_it(nodes: Nodes, state: str, maintenance: bool, corrected: bool) -> None:
    node_info = nodes.enrol({PXE: {'pxe_enabled': False}}, provision_state=state, maintenance=maintenance)
    ports = updated(nodes, node_info, machine())
    assert ports[PXE]['pxe_enabled'] is corrected


@pytest.mark.parametrize('state', ['active', 'rescue'])
def test_ports_of_a_node_in_use_stay_as_they_are(nodes: Nodes, state: str) -> None:
    node_info = nodes.enrol({IDLE: {}, GONE: {}, INFINIBAND: {'pxe_enabled': True}}, provision_state=state)
    ports = updated(nodes, node_info, machine(), add_ports='active', keep_ports='added')
    assert ports.keys() == {PXE, INFINIBAND, IDLE, GONE}
    assert ports[INFINIBAND]['pxe_enabled'] is True


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        ({}, {PXE: True, INFINIBAND: False}),
        ({'overwrite_existing': False}, {PXE: False, INFINIBAND: True}),
        ({'update_pxe_enabled': False}, {PXE: False, INFINIBAND: True}),
    ],
)
def test_pxe_enabled_of_existing_ports_is_corrected(
    nodes: Nodes, options: dict[str, bool], expected: dict[str, bool]
) -> None:
    node_info = nodes.enrol({PXE: {'pxe_enabled': False}, INFINIBAND.upper(): {'pxe_enabled': True}})
    ports = updated(nodes, node_info, machine(), add_ports='active', **options)
    assert {mac.lower(): port['pxe_enabled'] for mac, port in ports.items()} == expected


def test_pxe_enabled_is_left_to_ironic_where_it_is_not_to_be_updated(nodes: Nodes) -> None:
    ports = updated(nodes, nodes.enrol(), machine(), add_ports='active', update_pxe_enabled=False)
    assert {mac: port['pxe_enabled'] for mac, port in ports.items()} == {PXE: True, INFINIBAND: True}


def test_pxe_enabled_is_left_alone_where_the_boot_interface_is_not_known(nodes: Nodes) -> None:
    node_info = nodes.enrol({INFINIBAND: {'pxe_enabled': False}, PXE: {'pxe_enabled': True}})
    ports = updated(nodes, node_info, machine(boot_interface=None), add_ports='all')
    assert {mac: port['pxe_enabled'] for mac, port in ports.items()} == {PXE: True, INFINIBAND: False, IDLE: True}


def test_nothing_is_written_where_everything_fits(nodes: Nodes) -> None:
    node_info = nodes.enrol({PXE: {'pxe_enabled': True}})
    hook = hook_with(keep_ports='added')
    data = machine()
    hook.before_processing(data)
    hook.before_update(data, node_info)
    assert not node_info.changes()


@given(
    data=arbitrary.spoiled(('inventory', 'boot_interface')),
    add_ports=st.sampled_from(['all', 'active', 'pxe', 'disabled']),
    keep_ports=st.sampled_from(['all', 'present']),
)
@arbitrary.SETTINGS
def test_only_error_is_raised(nodes: Nodes, data: dict[str, Any], add_ports: str, keep_ports: str) -> None:
    nodes.ironic.reset()
    node_info = nodes.enrol({PXE: {}, GONE: {}})
    hook = hook_with(add_ports=add_ports, keep_ports=keep_ports)
    try:
        hook.before_processing(data)
    except utils.Error:
        assert all(isinstance(mac, str) for mac in utils.get_valid_macs(data))
        return
    hook.before_update(data, node_info)
    assert set(data['macs']) <= node_info.port_fields.keys() or add_ports == 'disabled'
