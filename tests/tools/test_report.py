"""An introspection's result as text, for every kind of machine in the samples."""

import pytest

from ironic_inspector.fixtures import inventories
from tools import report


@pytest.mark.parametrize('name', inventories.names())
def test_every_sample_can_be_shown(name: str) -> None:
    data = inventories.load(name)

    text = report.hardware(data)

    assert all(nic['name'] in text and nic['mac_address'] in text for nic in data['inventory']['interfaces'])
    assert all(disk['name'] in text for disk in data['inventory'].get('disks') or [])


def test_what_changed_is_shown_side_by_side() -> None:
    text = report.changes('property', {'cpus': '2', 'old': 'x'}, {'cpus': '4', 'memory_mb': '1024'})

    assert text.splitlines() == [
        '  property   before  after',
        '  cpus       2       4',
        '  memory_mb  -       1024',
        '  old        x       -',
    ]


def test_nothing_before_and_after() -> None:
    assert report.changes('port', {}, {}).splitlines() == ['  port  before  after', '  none  -       -']
