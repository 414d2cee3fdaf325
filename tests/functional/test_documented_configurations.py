"""The complete configurations in doc/source/configuration.rst: the check accepts each of them, and the service starts.

Addresses and paths are replaced by ones of this machine. Keystone, Swift and the database server are away: the service
has to start without the first two, and gets an SQLite database.
"""

from __future__ import annotations

from collections.abc import Iterator
import json
import os
import pathlib
import re
import subprocess

import bcrypt
from oslo_upgradecheck.upgradecheck import Code
import pytest
import requests

from ironic_inspector.fixtures.ironic import InMemoryIronic
from tests.service import BIN
from tests.service import InspectorProcess
from tools.processes import reserve_port

PAGE = pathlib.Path(__file__).parents[2] / 'doc' / 'source' / 'configuration.rst'
NAMES = ('configuration-standalone', 'configuration-keystone', 'configuration-all')
BLOCK = re.compile(r'^\.\. code-block:: ini\n   :name: (\S+)\n\n((?:(?:   .*)?\n)+)', re.MULTILINE)


def documented() -> dict[str, str]:
    """Return the text of each named configuration in the page."""
    return {name: re.sub(r'^   ', '', text, flags=re.MULTILINE) for name, text in BLOCK.findall(PAGE.read_text())}


class Documented(InspectorProcess):
    """The service with a configuration out of the page, as it is but for what this machine has elsewhere."""

    def __init__(self, folder: pathlib.Path, ironic: InMemoryIronic, name: str) -> None:
        super().__init__(folder, ironic.url)
        text = documented()[name]
        # This user has no right to a firewall, nor any use for it.
        text = re.sub(r'^driver = iptables$', 'driver = noop', text, flags=re.MULTILINE)
        for pattern, replacement in (
            (r'^connection = .*$', f'connection = sqlite:///{folder}/inspector.sqlite'),
            (r'^listen_port = .*$', f'listen_port = {reserve_port()}'),
            (r'^listen_address = .*$', 'listen_address = 127.0.0.1'),
            (r'^endpoint_override = .*$', f'endpoint_override = {ironic.url}'),
            (r'https://identity\.example\.com/v3', 'http://127.0.0.1:1/v3'),
            (r'192\.0\.2\.5:11211', '127.0.0.1:1'),
            (r'/(?:etc|var/lib|var/log)/ironic-inspector', str(folder)),
        ):
            text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
        self.text = text.replace('[DEFAULT]\n', f'[DEFAULT]\nlisten_port = {self.port}\n', 1)
        assert '192.0.2.' not in self.text
        (folder / 'htpasswd').write_text(f'jane:{bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()}\n')

    def write_config(self) -> None:
        """Write the configuration file."""
        self.config_file.write_text(self.text)

    def check(self) -> dict[str, tuple[int, str]]:
        """Return what the check before a start says, by its names: a status, and the reason."""
        done = subprocess.run(
            [BIN / 'ironic-inspector-status', '--config-file', self.config_file, 'upgrade', 'check', '--json'],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {'PYTHONWARNINGS': 'ignore'},
        )
        checks = json.loads(done.stdout)['checks']
        return {each['check']: (each['result'], each['details']) for each in checks}


@pytest.fixture(params=NAMES)
def process(request: pytest.FixtureRequest, tmp_path: pathlib.Path, ironic: InMemoryIronic) -> Iterator[Documented]:
    """A service with each of the configurations, not started, and its database."""
    process = Documented(tmp_path, ironic, request.param)
    process.sync_database()
    yield process
    process.kill()


def test_page_has_these_configurations() -> None:
    assert tuple(documented()) == NAMES


def test_check_accepts_it(process: Documented) -> None:
    results = process.check()

    ironic, _details = results.pop('Ironic')
    # The others find Ironic through Keystone, which is away.
    assert ironic == (Code.SUCCESS if 'http_basic' in process.text else Code.WARNING)
    assert set(results) == {'Configuration', 'Database', 'Plug-ins'}
    assert all(result == Code.SUCCESS for result, _details in results.values()), results


def test_service_starts_with_it(process: Documented) -> None:
    process.start()

    assert process.call('GET', '/v1').status_code == 200
    # Who brings no credentials is asked for some.
    assert process.call('GET', '/v1/introspection').status_code == 401
    assert process.stop() == 0


def test_user_of_the_file_is_let_in(tmp_path: pathlib.Path, ironic: InMemoryIronic) -> None:
    process = Documented(tmp_path, ironic, 'configuration-standalone')
    process.sync_database()
    try:
        process.start()
        assert process.call('GET', '/v1/introspection', auth=('jane', 'secret')).json() == {'introspection': []}
        assert process.call('POST', '/v1/continue', json={}).status_code == 401
        # With the secret it is looked at, and matches no node.
        assert process.call('POST', '/v1/continue?token=0LlPmHqTeXp1', json={}).status_code == 404
    finally:
        process.kill()


def test_metrics_have_an_address_of_their_own(tmp_path: pathlib.Path, ironic: InMemoryIronic) -> None:
    process = Documented(tmp_path, ironic, 'configuration-all')
    process.sync_database()
    _api, port = re.findall(r'^listen_port = (\d+)$', process.text, re.MULTILINE)
    try:
        process.start()
        answer = requests.get(f'http://127.0.0.1:{port}/metrics', timeout=30)
        assert 'ironic_inspector_build_info' in answer.text
    finally:
        process.kill()
