"""The service through the commands that python-ironic-inspector-client adds to `openstack`."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Http
from tests.e2e.conftest import Run
from tools import processes

pytestmark = pytest.mark.xdist_group('ironic')


def test_introspection_from_start_to_data(run: Run, http: Http, node: Any, mac: str, tmp_path: Path) -> None:
    assert run('start', node.name).strip() == ''
    http.reach(node.id, 'waiting')
    http.call_back(mac)
    http.reach(node.id, 'finished')

    status = json.loads(run('status', node.name, '-f', 'json'))
    assert (status['uuid'], status['state'], status['finished']) == (node.id, 'finished', True)
    assert status['error'] is None
    [newest] = json.loads(run('list', '--limit', '1', '-f', 'json'))
    assert (newest['UUID'], newest['Error']) == (node.id, None)
    assert json.loads(run('data', 'save', node.id))['macs'] == [mac]
    run('data', 'save', node.id, '--unprocessed', '--file', tmp_path / 'sent.json')
    assert 'macs' not in json.loads((tmp_path / 'sent.json').read_text())
    assert mac in run('interface', 'list', node.id)


def test_reprocess(run: Run, http: Http, node: Any, mac: str) -> None:
    before = http.introspect(node.id, mac)

    assert run('reprocess', node.id).strip() == ''

    assert http.reach(node.id, 'finished')['started_at'] > before['started_at']


def test_abort(run: Run, http: Http, node: Any) -> None:
    http.start(node.id)

    assert run('abort', node.id).strip() == ''

    assert http.reach(node.id, 'error')['error'] == 'Canceled by operator'


@pytest.mark.parametrize('command', ['start', 'status', 'abort', 'reprocess'])
def test_unknown_node(run: Run, command: str) -> None:
    with pytest.raises(processes.ProcessError, match='no-such-node'):
        run(command, 'no-such-node')
