"""The policy file: what it changes, how it is followed, what stops the start."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from concurrent import futures
import json
import os
import pathlib
import socket
import subprocess
import sys
from typing import Any

import pytest
import requests

from ironic_inspector.fixtures.keystone import InMemoryKeystone
from tests.functional.lab import Lab
from tests.service import InspectorProcess
from tests.service import until

BIN = pathlib.Path(sys.executable).parent
STATUSES = '/v1/introspection'


@pytest.fixture(scope='module')
def keystone() -> Iterator[InMemoryKeystone]:
    """An in-memory Keystone for all tests of the module."""
    with InMemoryKeystone() as server:
        yield server


Guard = Callable[..., Lab]


@pytest.fixture
def guard(make_lab: Callable[..., Lab], keystone: InMemoryKeystone, tmp_path: pathlib.Path) -> Guard:
    """A function that starts a service with a policy file, `policy.yaml` in the folder of the test."""
    return lambda **options: make_lab(**guarded(keystone, tmp_path, **options))


def guarded(keystone: InMemoryKeystone, folder: pathlib.Path, **options: Any) -> dict[str, dict[str, Any]]:
    """The options of a service with a policy file in `folder`."""
    policy = {'policy_file': str(folder / 'policy.yaml'), 'policy_dirs': str(folder / 'policy.d'), **options}
    return {
        'DEFAULT': {'auth_strategy': 'keystone'},
        'keystone_authtoken': {**keystone.options(), 'www_authenticate_uri': keystone.url},
        'oslo_policy': policy,
    }


def write(file: pathlib.Path, **rules: str) -> None:
    """Write a policy file, noticeably later than the one that was there."""
    before = file.stat().st_mtime if file.exists() else 0.0
    file.write_text(''.join(f'{json.dumps(name)}: {json.dumps(check)}\n' for name, check in rules.items()))
    _touch(file, before)


def _touch(file: pathlib.Path, before: float) -> None:
    now = file.stat().st_mtime
    os.utime(file, (now, max(now, before + 1)))


def ask(lab: Lab, token: str | None, method: str = 'GET', path: str = STATUSES) -> requests.Response:
    """Send a request with a token."""
    return lab.inspector.call(method, path, headers={} if token is None else {'X-Auth-Token': token})


def test_the_file_changes_rules_and_is_followed(
    guard: Guard, keystone: InMemoryKeystone, tmp_path: pathlib.Path
) -> None:
    file = tmp_path / 'policy.yaml'
    member, admin = keystone.issue('member'), keystone.issue('admin')
    lab = guard()
    assert ask(lab, member).status_code == 403

    # It comes later than the service.
    write(file, **{'introspection:status': 'role:member'})
    assert ask(lab, member).status_code == 200
    assert ask(lab, admin).status_code == 403
    # The rest stays as it is.
    assert ask(lab, member, 'GET', '/v1/rules').status_code == 403
    assert ask(lab, admin, 'GET', '/v1/rules').status_code == 200

    write(file, **{'introspection:status': 'rule:is_admin', 'is_admin': 'role:manager'})
    assert ask(lab, member).status_code == 403
    assert ask(lab, keystone.issue('manager')).status_code == 200
    write(file, **{'introspection:status': '!'})
    assert ask(lab, admin).status_code == 403
    write(file, **{'introspection:status': '@'})
    assert ask(lab, member).status_code == 200
    # Who is nobody has to say so first.
    assert ask(lab, None).status_code == 401


def test_a_folder_of_files(guard: Guard, keystone: InMemoryKeystone, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / 'policy.d'
    folder.mkdir()
    write(tmp_path / 'policy.yaml', **{'introspection:status': 'role:member'})
    write(folder / 'more.yaml', **{'introspection:status': 'role:manager'})
    lab = guard()
    manager, member = keystone.issue('manager'), keystone.issue('member')
    assert (ask(lab, manager).status_code, ask(lab, member).status_code) == (200, 403)

    # What a file forbids stays forbidden when the file cannot be read any more.
    before = (folder / 'more.yaml').stat().st_mtime
    (folder / 'more.yaml').write_text('a: [')
    _touch(folder / 'more.yaml', before)
    assert (ask(lab, manager).status_code, ask(lab, member).status_code) == (200, 403)
    assert (ask(lab, manager).status_code, ask(lab, member).status_code) == (200, 403)
    assert lab.log_of('The policy has changed and stays as it was')


@pytest.mark.parametrize(
    'content',
    [
        'a: [',
        '[a, b]',
        'introspection:status: 5',
        '\udcff',
        'introspection:status: rule:one\none: rule:two\ntwo: rule:one',
        'introspection:status: rule:nowhere',
    ],
)
def test_a_file_that_becomes_useless(
    guard: Guard, keystone: InMemoryKeystone, tmp_path: pathlib.Path, content: str
) -> None:
    file = tmp_path / 'policy.yaml'
    write(file, **{'introspection:status': 'role:member', 'introspection:start': '!'})
    lab = guard()
    member, admin = keystone.issue('member'), keystone.issue('admin')
    before = file.stat().st_mtime
    file.write_bytes(content.encode('utf-8', 'surrogateescape'))
    _touch(file, before)
    for _time in range(3):
        assert (ask(lab, member).status_code, ask(lab, admin).status_code) == (200, 403)
        assert ask(lab, admin, 'POST', '/v1/introspection/x').status_code == 403
    assert lab.log_of('The policy has changed and stays as it was')
    write(file, **{'introspection:status': 'role:manager'})
    assert ask(lab, member).status_code == 403


def test_a_rule_that_asks_a_server_which_is_away(
    guard: Guard, keystone: InMemoryKeystone, tmp_path: pathlib.Path
) -> None:
    write(tmp_path / 'policy.yaml', **{'introspection:status': 'http://127.0.0.1:1/allowed'})
    lab = guard()
    assert ask(lab, keystone.issue('admin')).status_code == 403
    assert lab.log_of('asks a server that does not answer')


def test_a_rule_that_asks_a_server_which_says_nothing(
    guard: Guard, keystone: InMemoryKeystone, tmp_path: pathlib.Path
) -> None:
    with socket.create_server(('127.0.0.1', 0)) as silent:
        write(tmp_path / 'policy.yaml', **{'introspection:status': f'http://127.0.0.1:{silent.getsockname()[1]}/x'})
        lab = guard(remote_timeout=1)
        assert ask(lab, keystone.issue('admin')).status_code == 403
    assert lab.log_of('asks a server that does not answer')


def test_nobody_waits_for_a_server_that_another_request_has_to_ask(
    guard: Guard, keystone: InMemoryKeystone, tmp_path: pathlib.Path
) -> None:
    admin = keystone.issue('admin')
    with socket.create_server(('127.0.0.1', 0)) as slow, futures.ThreadPoolExecutor(1) as pool:
        file = tmp_path / 'policy.yaml'
        remote = {'introspection:status': f'http://127.0.0.1:{slow.getsockname()[1]}/x'}
        write(file, **remote)
        lab = guard()
        asking = pool.submit(lambda: requests.get(lab.inspector.url + STATUSES, headers={'X-Auth-Token': admin}))
        with slow.accept()[0] as question, question.makefile('rb') as stream:
            stream.readline()
            assert ask(lab, None, 'GET', '/v1').status_code == 200
            assert ask(lab, admin, 'GET', '/v1/rules').status_code == 200
            assert lab.call_back({}).status_code in (400, 404)
            # What changes meanwhile is for those who come later.
            write(file, **remote, **{'introspection:rule:get': '!'})
            assert ask(lab, admin, 'GET', '/v1/rules').status_code == 403
            assert not asking.done()
            question.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nTrue')
            assert asking.result().status_code == 200


def test_public_requests_can_be_closed(guard: Guard, keystone: InMemoryKeystone, tmp_path: pathlib.Path) -> None:
    lab = guard()
    machine = lab.machine()
    admin, ramdisk = keystone.issue('admin'), keystone.issue('ramdisk')
    assert ask(lab, admin, 'POST', f'/v1/introspection/{machine.uuid}').status_code == 202
    until(lambda: ask(lab, admin, 'GET', f'/v1/introspection/{machine.uuid}').json()['state'] == 'waiting')

    write(tmp_path / 'policy.yaml', **{'introspection:continue': 'role:ramdisk', 'introspection': '!'})
    statuses = {
        name: lab.inspector.call('POST', '/v1/continue', json=machine.data(), headers=headers).status_code
        for name, headers in {
            'nobody': {},
            'admin': {'X-Auth-Token': admin},
            'ramdisk': {'X-Auth-Token': ramdisk},
        }.items()
    }
    assert statuses == {'nobody': 401, 'admin': 403, 'ramdisk': 200}
    assert ask(lab, None, 'GET', '/').status_code == 401
    assert ask(lab, None, 'GET', '/v1').status_code == 200


def test_only_the_new_defaults(guard: Guard, keystone: InMemoryKeystone) -> None:
    lab = guard(enforce_new_defaults=True)
    assert ask(lab, keystone.issue('baremetal_observer')).status_code == 403
    assert ask(lab, keystone.issue('baremetal_admin')).status_code == 403
    assert ask(lab, keystone.issue('reader', system=True)).status_code == 200


@pytest.mark.parametrize(
    'content', ['a: [', '[a, b]', 'introspection:status: 5', '"introspection:status": "rule:nowhere"', 'a: rule:a']
)
def test_a_useless_file_stops_the_start(
    make_inspector: Callable[..., InspectorProcess], keystone: InMemoryKeystone, tmp_path: pathlib.Path, content: str
) -> None:
    (tmp_path / 'policy.yaml').write_text(content)
    inspector = make_inspector(start=False, **guarded(keystone, tmp_path))
    inspector.start(wait=False)
    assert inspector.wait() == 1
    assert '[oslo_policy]policy_file' in inspector.log().splitlines()[-1]
    assert str(tmp_path / 'policy.yaml') in inspector.log().splitlines()[-1]


def test_the_commands_of_oslo_policy(tmp_path: pathlib.Path) -> None:
    (tmp_path / 'policy.yaml').write_text(
        '"introspection:status": "role:member"\n"introspection:data": "role:member"\n'
    )
    (tmp_path / 'inspector.conf').write_text(f'[oslo_policy]\npolicy_file = {tmp_path}/policy.yaml\n')

    def run(command: str, *arguments: str) -> str:
        done = subprocess.run([BIN / command, *arguments], capture_output=True, text=True, check=True, cwd=tmp_path)
        return done.stdout

    ours = ['--namespace', 'ironic_inspector', '--config-file', 'inspector.conf']
    in_force = run('oslopolicy-policy-generator', *ours).splitlines()
    assert '"introspection:status": "role:member"' in in_force
    assert '"introspection": "rule:public_api"' in in_force
    assert run('oslopolicy-validator', *ours) == ''
    assert run('oslopolicy-list-redundant', *ours).strip() == ''
    domain = {'id': 'default', 'name': 'Default'}
    token = {
        'user': {'id': 'u', 'name': 'u', 'domain': domain},
        'project': {'id': 'p', 'name': 'p', 'domain': domain},
        'roles': [{'id': 'm', 'name': 'member'}],
    }
    (tmp_path / 'access.json').write_text(json.dumps({'token': token}))
    checked = run('oslopolicy-checker', '--policy', 'policy.yaml', '--access', 'access.json')
    assert checked.split('\n')[:2] == ['passed: introspection:data', 'passed: introspection:status']
    (tmp_path / 'old.yaml').write_text('"introspection:status": "role:member"\n')
    assert 'role:member' in run(
        'oslopolicy-policy-upgrade', '--policy', 'old.yaml', '--namespace', 'ironic_inspector.api'
    )
