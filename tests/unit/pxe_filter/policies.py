"""Policies that hypothesis makes up."""

from __future__ import annotations

from hypothesis import strategies as st

from ironic_inspector.pxe_filter.policy import KnownPorts
from ironic_inspector.pxe_filter.policy import Policy
from ironic_inspector.pxe_filter.policy import decide

MACS = [f'52:54:00:00:00:{number:02x}' for number in range(6)]
STRANGER = '52:54:00:00:00:ff'

_sets = st.frozensets(st.sampled_from(MACS))


def policies(*, deny_unknown: st.SearchStrategy[bool] | None = None) -> st.SearchStrategy[Policy]:
    """Policies for a few MACs, of an installation that denies unknown ones or does not."""
    return st.builds(
        lambda macs, active, discovers, denies: decide(
            KnownPorts(macs), active, discovers=discovers, deny_unknown=denies
        ),
        _sets,
        _sets,
        st.booleans(),
        st.booleans() if deny_unknown is None else deny_unknown,
    )
