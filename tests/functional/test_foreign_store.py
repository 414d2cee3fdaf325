"""A data store that somebody else has written for ironic-inspector, installed beside the service."""

from __future__ import annotations

from collections.abc import Callable
import json
import pathlib

import pytest

from tests.functional.lab import Lab
from tests.functional.lab import message

MODULE = """
import json
import pathlib

from ironic_inspector import utils
from ironic_inspector.plugins import introspection_data

FOLDER = pathlib.Path({folder!r})


class FileStore(introspection_data.BaseStorageBackend):
    def get(self, node_uuid, processed=True, get_json=False):
        path = FOLDER / f'{{node_uuid}}-{{processed}}'
        if not path.exists():
            raise utils.IntrospectionDataNotFound(f'No file for {{node_uuid}}')
        text = path.read_text()
        return json.loads(text) if get_json else text

    def save(self, node_uuid, data, processed=True):
        assert isinstance(data, dict), data
        if data.get('refuse') == processed:
            raise utils.Error('The folder is full')
        (FOLDER / f'{{node_uuid}}-{{processed}}').write_text(json.dumps(data))
"""


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The folder that the store keeps its files in; the store is installed for what is started from now on."""
    folder = tmp_path / 'data'
    folder.mkdir()
    installed = tmp_path / 'site-packages'
    information = installed / 'file_store-1.dist-info'
    information.mkdir(parents=True)
    (installed / 'file_store.py').write_text(MODULE.format(folder=str(folder)))
    (information / 'METADATA').write_text('Metadata-Version: 2.1\nName: file-store\nVersion: 1\n')
    points = '[ironic_inspector.introspection_data.store]\nfiles = file_store:FileStore\n'
    (information / 'entry_points.txt').write_text(points)
    monkeypatch.setenv('PYTHONPATH', str(installed))
    return folder


def test_the_whole_life_of_data(make_lab: Callable[..., Lab], folder: pathlib.Path) -> None:
    lab = make_lab(processing={'store_data': 'files'})
    machine = lab.waiting()
    answer = lab.data(machine)
    assert answer.status_code == 404
    assert 'No file' in message(answer)
    assert lab.call_back(machine.data(mark='ä', logs='bG9ncw==')).status_code == 200
    lab.reached(machine, 'finished')
    assert json.loads((folder / f'{machine.uuid}-False').read_text()) == machine.data(mark='ä')
    assert lab.data(machine, processed=False).json() == machine.data(mark='ä')
    assert lab.data(machine).json()['macs'] == [machine.mac]
    assert lab.reapply(machine).status_code == 202
    lab.reached(machine, 'finished')
    assert lab.reapply(machine, json=machine.data(mark=2)).status_code == 202
    lab.reached(machine, 'finished')
    assert lab.data(machine).json()['mark'] == 2


@pytest.mark.parametrize('processed', [True, False])
def test_data_that_it_refuses_fail_the_node(
    make_lab: Callable[..., Lab], folder: pathlib.Path, processed: bool
) -> None:
    lab = make_lab(processing={'store_data': 'files'})
    machine = lab.waiting()
    answer = lab.call_back(machine.data(refuse=processed))
    assert answer.status_code == 400
    status = lab.status(machine)
    assert (status['state'], status['error']) == ('error', 'The folder is full')
    lab.finished(machine)


def test_a_crash(make_lab: Callable[..., Lab], folder: pathlib.Path) -> None:
    lab = make_lab(processing={'store_data': 'files'})
    machine = lab.waiting()
    with lab.ironic.fail('PUT', f'{machine.uuid}/states/power', 'hang') as hanging:
        assert lab.call_back(machine.data(mark=1)).status_code == 200
        assert lab.ironic.wait_for(lambda: hanging.hits, 10)
        lab.inspector.kill()
    lab.inspector.start()
    lab.reached(machine, 'finished')
    assert lab.data(machine).json()['mark'] == 1


def test_a_crash_after_which_the_data_are_gone(make_lab: Callable[..., Lab], folder: pathlib.Path) -> None:
    lab = make_lab(processing={'store_data': 'files'})
    machine = lab.waiting()
    with lab.ironic.fail('PUT', f'{machine.uuid}/states/power', 'hang') as hanging:
        assert lab.call_back(machine.data()).status_code == 200
        assert lab.ironic.wait_for(lambda: hanging.hits, 10)
        lab.inspector.kill()
    for file in folder.iterdir():
        file.unlink()
    lab.inspector.start()
    assert 'start the introspection again' in lab.ended(machine)['error']
