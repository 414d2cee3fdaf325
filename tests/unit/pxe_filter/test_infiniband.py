"""The neighbours of Ethernet over InfiniBand interfaces."""

from __future__ import annotations

import pathlib

import pytest

from ironic_inspector.pxe_filter.infiniband import ethernet_addresses

NEIGHBOURS = """\
EMAC=02:00:02:97:00:01 IMAC=97:fe:80:00:00:00:00:00:00:7c:fe:90:03:00:29:26:52
EMAC=02:00:00:61:00:02 IMAC=61:fe:80:00:00:00:00:00:00:7C:FE:90:03:00:29:24:4F
something else
EMAC=02:00 IMAC=
"""


def test_neighbours(tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
    for name, text in (('ib0', NEIGHBOURS), ('ib1', ''), ('ib2', NEIGHBOURS.replace('26:52', '26:53'))):
        (tmp_path / name).write_text(text)
    path = f'{tmp_path}/{{interface}}'
    assert ethernet_addresses(['ib0'], path) == {
        '7c:fe:90:03:00:29:26:52': '02:00:02:97:00:01',
        '7c:fe:90:03:00:29:24:4f': '02:00:00:61:00:02',
    }
    assert ethernet_addresses([], path) == {}
    assert len(ethernet_addresses(['ib0', 'ib1', 'missing', 'ib2'], path)) == 3
    assert 'ethoib_interfaces' in caplog.text
    assert 'missing' in caplog.text
