"""The secret of the callback URL."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import pathlib
from typing import Any
from urllib import parse

import pytest

from ironic_inspector.fixtures.keystone import InMemoryKeystone
from tests.functional.lab import Lab
from tests.functional.lab import message
from tests.functional.lab import running_lab

TOKEN = 'known/only+to=ramdisks'
QUOTED = parse.quote(TOKEN, safe='')


@pytest.fixture(scope='module')
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A service with a secret, that logs all it can."""
    options: dict[str, Any] = {'DEFAULT': {'debug': True}, 'processing': {'callback_token': TOKEN}}
    with running_lab(tmp_path_factory.mktemp('inspector'), **options) as running:
        yield running


def status_of_callback(lab: Lab, query: str, **kwargs: Any) -> int:
    """Call back with a query string, as it is, and return the status of the answer."""
    answer = lab.inspector.call('POST', f'/v1/continue{query}', **kwargs)
    if answer.status_code >= 400:
        assert TOKEN not in message(answer)
    return answer.status_code


@pytest.mark.parametrize(
    'query', [f'?token={TOKEN}', f'?token={QUOTED}', f'?a=b&token={QUOTED}&c', f'?%74oken={TOKEN}']
)
def test_with_the_token(secured: Lab, query: str) -> None:
    machine = secured.waiting()
    assert status_of_callback(secured, query, json=machine.data()) == 200
    secured.reached(machine, 'finished')


@pytest.mark.parametrize(
    'query',
    [
        '',
        '?',
        '?token',
        '?token=',
        f'?token={TOKEN[:-1]}',
        f'?token={TOKEN}x',
        f'?token={TOKEN.upper()}',
        f'?Token={TOKEN}',
        f'?tokens={TOKEN}',
        f'?x&token=wrong&token={TOKEN}',
        '?token=%',
        '?token=%ff',
        '?token=\u20ac',
        f'?token={"x" * 60000}',
    ],
)
def test_without_the_token(secured: Lab, query: str) -> None:
    machine = secured.waiting()
    answer = secured.inspector.call('POST', f'/v1/continue{query}', json=machine.data())
    assert answer.status_code == 401
    assert answer.headers['WWW-Authenticate'].startswith('CallbackToken ')
    assert '[processing]callback_token' in message(answer)
    assert secured.status(machine)['state'] == 'waiting'


def test_the_token_is_asked_for_before_the_data_are_looked_at(secured: Lab) -> None:
    assert status_of_callback(secured, '', data=b'nonsense') == 401
    assert status_of_callback(secured, f'?token={QUOTED}', data=b'nonsense') == 400
    # In chunks, what is not read would be taken for the next request.
    assert status_of_callback(secured, '', data=(b'GET / HTTP/1.1\r\n\r\n' for _number in range(3))) == 401
    assert status_of_callback(secured, f'?token={QUOTED}', data=b'nonsense') == 400


def test_only_callbacks_need_it(secured: Lab) -> None:
    machine = secured.machine()
    assert secured.start(machine).status_code == 202
    secured.reached(machine, 'waiting')
    for path in ('/', '/v1', '/v1/introspection', '/v1/rules'):
        assert secured.inspector.call('GET', path).status_code == 200
    # Elsewhere it means nothing, and does no harm.
    answer = secured.inspector.call('GET', f'/v1/introspection?token={QUOTED}&limit=1')
    assert len(answer.json()['introspection']) == 1


def test_the_token_is_in_no_log(secured: Lab) -> None:
    """Last in the file, though that does not matter: all that can be logged of one is made here once more."""
    machine = secured.waiting()
    for query, data in (
        (f'?token={TOKEN}', machine.data()),
        (f'?token={QUOTED}', machine.data()),
        (f'?token={TOKEN}', machine.data(error='broken')),
        (f'?token={TOKEN}x', {}),
    ):
        secured.inspector.call('POST', f'/v1/continue{query}', json=data)
    secured.inspector.call('GET', f'/v1/nowhere?token={TOKEN}')
    secured.inspector.call('PUT', f'/v1/continue?token={TOKEN}')
    log = secured.inspector.log()
    assert 'DEBUG' in log
    for text in (TOKEN, QUOTED, parse.quote(TOKEN), TOKEN.upper()):
        assert text not in log


def test_no_token_is_needed_where_none_is_set(lab: Lab) -> None:
    machine = lab.waiting()
    assert status_of_callback(lab, '?token=some', json=machine.data()) == 200


def test_with_keystone(make_lab: Callable[..., Lab], tmp_path: pathlib.Path) -> None:
    with InMemoryKeystone() as keystone:
        lab = make_lab(
            DEFAULT={'auth_strategy': 'keystone'},
            keystone_authtoken=keystone.options(),
            processing={'callback_token': TOKEN},
        )
        assert status_of_callback(lab, f'?token={QUOTED}', data=b'') == 400
        # A token of Keystone is none of these.
        headers = {'X-Auth-Token': keystone.issue('admin')}
        assert status_of_callback(lab, '', json={}, headers=headers) == 401
