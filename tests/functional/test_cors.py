"""Requests of pages from other origins."""

from __future__ import annotations

from collections.abc import Iterator
import pathlib
from typing import Any

import pytest
import requests

from tests.functional.lab import Lab
from tests.functional.lab import running_lab

ORIGIN = 'https://horizon.example.com'
VERSION = 'X-OpenStack-Ironic-Inspector-API-Version'


@pytest.fixture(scope='module')
def open_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp('inspector'), cors={'allowed_origin': ORIGIN}) as lab:
        yield lab


def ask(lab: Lab, origin: str = ORIGIN, method: str = 'POST', headers: str = f'X-Auth-Token,{VERSION}') -> Any:
    wanted = {'Origin': origin, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': headers}
    return requests.options(f'{lab.inspector.url}/v1/rules', headers=wanted, timeout=30)


def test_a_browser_may_ask_before_it_sends(open_lab: Lab) -> None:
    answer = ask(open_lab)
    assert answer.status_code == 200
    assert answer.headers['Access-Control-Allow-Origin'] == ORIGIN
    assert answer.headers['Access-Control-Allow-Methods'] == 'POST'
    assert answer.headers['Access-Control-Allow-Headers'] == f'X-Auth-Token,{VERSION}'
    assert answer.headers['Access-Control-Allow-Credentials'] == 'true'
    assert answer.headers['Access-Control-Max-Age'] == '3600'


@pytest.mark.parametrize('header', ['Authorization', 'OpenStack-API-Version', 'Content-Type'])
def test_what_else_a_page_may_send(open_lab: Lab, header: str) -> None:
    answer = ask(open_lab, headers=header)
    assert answer.headers['Access-Control-Allow-Origin'] == ORIGIN
    assert answer.headers['Access-Control-Allow-Headers'] == header


@pytest.mark.parametrize(
    'question', [{'origin': 'https://elsewhere.example.com'}, {'method': 'TRACE'}, {'headers': 'X-Unknown'}]
)
def test_what_is_not_allowed_is_not_granted(open_lab: Lab, question: dict[str, str]) -> None:
    assert 'Access-Control-Allow-Origin' not in ask(open_lab, **question).headers


@pytest.mark.parametrize(('path', 'status'), [('/', 200), ('/v1/introspection/nobody', 404), ('/nowhere', 404)])
def test_answers_and_errors_can_be_read(open_lab: Lab, path: str, status: int) -> None:
    answer = open_lab.inspector.call('GET', path, headers={'Origin': ORIGIN})
    assert answer.status_code == status
    assert answer.headers['Access-Control-Allow-Origin'] == ORIGIN
    exposed = answer.headers['Access-Control-Expose-Headers'].split(',')
    assert len(exposed) == 3
    assert all(answer.headers[name] for name in exposed)
    assert 'X-OpenStack-Request-Id' in exposed


def test_the_api_is_otherwise_as_ever(open_lab: Lab) -> None:
    machine = open_lab.finished()
    assert open_lab.reapply(machine).status_code == 202
    answer = open_lab.inspector.call('DELETE', '/v1/rules', headers={'Origin': ORIGIN})
    assert answer.status_code == 204
    assert answer.content == b''
    plain = open_lab.inspector.call('GET', '/v1')
    assert 'Access-Control-Allow-Origin' not in plain.headers


def test_users_are_not_asked_who_they_are_before_they_send(tmp_path: pathlib.Path) -> None:
    users = tmp_path / 'htpasswd'
    users.write_text('admin:$2b$04$abcdefghijklmnopqrstuuAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n')
    options = {'auth_strategy': 'http_basic', 'http_basic_auth_user_file': users}
    with running_lab(tmp_path, DEFAULT=options, cors={'allowed_origin': ORIGIN}) as lab:
        assert ask(lab).headers['Access-Control-Allow-Origin'] == ORIGIN
        refused = lab.inspector.call('GET', '/v1/rules', headers={'Origin': ORIGIN})
        assert refused.status_code == 401
        assert refused.headers['Access-Control-Allow-Origin'] == ORIGIN


def test_without_an_allowed_origin_nobody_is_granted_anything(lab: Lab) -> None:
    assert 'Access-Control-Allow-Origin' not in ask(lab).headers
