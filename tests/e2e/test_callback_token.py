"""The secret of the callback URL, with the real ramdisk code."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Http
from tools import components
from tools import processes

pytestmark = pytest.mark.xdist_group('ironic')

TOKEN = 'known-to-ramdisks'


@pytest.fixture
def secured(tmp_path: Path, ironic: components.Ironic) -> Iterator[components.Inspector]:
    """A service with a secret."""
    options = {'processing': {'callback_token': TOKEN, 'add_ports': 'all', 'keep_ports': 'all'}}
    with components.Inspector(tmp_path / 'inspector', ironic.url, options) as running:
        yield running


def test_the_ramdisk_shows_what_is_in_its_url(secured: components.Inspector, machine: Any, tmp_path: Path) -> None:
    http = Http(secured.url)
    http.start(machine.id)

    with pytest.raises(processes.ProcessError, match='callback_token'):
        components.collect_introspection_data(secured.callback_url, tmp_path / 'without')
    assert http.get(f'/v1/introspection/{machine.id}').json()['state'] == 'waiting'

    components.collect_introspection_data(f'{secured.callback_url}?token={TOKEN}', tmp_path / 'with')
    http.reach(machine.id, 'finished')
