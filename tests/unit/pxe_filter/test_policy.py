"""Who may boot, as it follows from Ironic's ports and the introspections that go on."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector.pxe_filter.policy import KnownPorts
from ironic_inspector.pxe_filter.policy import Policy
from ironic_inspector.pxe_filter.policy import decide
from ironic_inspector.pxe_filter.policy import known_ports
from tests.unit.pxe_filter.policies import MACS
from tests.unit.pxe_filter.policies import STRANGER

A, B = MACS[:2]
GUID = '7c:fe:90:03:00:29:24:4f'
CLIENT_ID = f'ff:00:00:00:00:00:02:00:00:02:c9:00:{GUID}'
ETHERNET = '02:00:00:61:00:02'


@pytest.mark.parametrize(
    ('active', 'options', 'served'),
    [
        ([], {}, []),
        ([A], {}, [A, STRANGER]),
        ([], {'discovers': True}, [STRANGER]),
        ([A], {'discovers': True}, [A, STRANGER]),
        ([], {'deny_unknown': True}, []),
        ([A], {'deny_unknown': True}, [A]),
        # The port has been deleted, its node is still on introspection.
        (['52:54:00:00:00:77'], {}, ['52:54:00:00:00:77', STRANGER]),
    ],
)
def test_who_is_served(active: list[str], options: dict[str, Any], served: list[str]) -> None:
    policy = decide(KnownPorts(frozenset({A, B})), active, **options)
    assert [mac for mac in (A, B, '52:54:00:00:00:77', STRANGER) if policy.serves(mac)] == (
        served if '52:54:00:00:00:77' in served or not policy.open else sorted({*served, '52:54:00:00:00:77'})
    )
    assert policy.closed == (not served)


@given(st.frozensets(st.sampled_from(MACS)), st.frozensets(st.sampled_from(MACS)), st.booleans(), st.booleans())
def test_what_holds_for_every_policy(
    known: frozenset[str], active: frozenset[str], discovers: bool, denies: bool
) -> None:
    policy = decide(KnownPorts(known), active, discovers=discovers, deny_unknown=denies)
    assert all(policy.serves(mac) for mac in active)
    assert not any(policy.serves(mac) for mac in known - active)
    assert policy.serves(STRANGER) == ((discovers or bool(active)) and not denies)
    assert policy.closed == (not any(policy.serves(mac) for mac in (*MACS, STRANGER)))


@pytest.mark.parametrize(
    'address', [None, 7, '', 'x', f'{A},ignore\n', f'{A}\n-A INPUT -j ACCEPT', A + ':01', '../../x']
)
def test_what_is_no_mac_is_left_out(address: Any) -> None:
    assert known_ports([(address, {}), (A.upper(), None)]) == KnownPorts(frozenset({A}), {})
    assert decide(KnownPorts(), [address, A.upper()]).active == {A}


@pytest.mark.parametrize('extra', [None, 7, {}, {'client-id': None}, {'client-id': 'x'}, {'client-id': [GUID]}])
def test_ports_without_a_guid(extra: Any) -> None:
    assert known_ports([(A, extra)]).guids == {}


def test_a_port_of_infiniband_counts_by_its_ethernet_address() -> None:
    known = known_ports([(A, {'client-id': CLIENT_ID.upper()}), (B, {})])
    assert known == KnownPorts(frozenset({A, B}), {A: GUID})
    policy = decide(known, [B], ethernet={GUID: ETHERNET})
    assert policy == Policy(frozenset({B}), frozenset({ETHERNET}), open=True)
    policy = decide(known, [A], ethernet={GUID: ETHERNET})
    assert policy == Policy(frozenset({ETHERNET}), frozenset({B}), open=True)
    # The kernel does not know it (yet).
    policy = decide(known, [B], ethernet={'00:' * 7 + '00': ETHERNET})
    assert policy == Policy(frozenset({B}), frozenset({A}), open=True)


def test_ports_are_added_up() -> None:
    first = known_ports([(A, {'client-id': CLIENT_ID})])
    other = CLIENT_ID[:-2] + '00'
    both = first | known_ports([(A, {'client-id': other}), (B, {})])
    assert both == KnownPorts(frozenset({A, B}), {A: GUID[:-2] + '00'})
