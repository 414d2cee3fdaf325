"""/healthcheck, with all well and with something away."""

from __future__ import annotations

from collections.abc import Callable
import pathlib
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from tests import databases
from tests.functional import relay
from tests.functional.lab import Lab
from tests.functional.lab import message
from tests.service import until

NAMES = ['conductor', 'database', 'ironic']


def check(lab: Lab, method: str = 'GET', **kwargs: Any) -> requests.Response:
    return requests.request(method, f'{lab.inspector.url}/healthcheck', timeout=30, **kwargs)


def failed(answer: requests.Response) -> dict[str, str | None]:
    """Return the checks that failed, with their reasons; fails if the rest of the answer says something else."""
    document = answer.json()
    bad = {name: result.get('reason') for name, result in document['checks'].items() if not result['ok']}
    assert document['status'] == ('failed' if bad else 'ok')
    assert answer.status_code == (503 if bad else 200)
    return bad


def test_all_is_well_and_the_api_still_answers(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(healthcheck={'enabled': True})
    until(lambda: failed(check(lab)) == {})
    answer = check(lab)
    assert sorted(answer.json()['checks']) == NAMES
    assert answer.headers['Content-Type'] == 'application/json'
    assert answer.headers['X-OpenStack-Request-Id']
    head = check(lab, 'HEAD')
    assert (head.status_code, head.content) == (200, b'')
    assert requests.get(f'{lab.inspector.url}/healthcheck/', timeout=30).status_code == 200
    # Whatever stands at one path leaves all others to the API.
    versions = lab.inspector.call('GET', '/')
    assert versions.json()['versions']
    assert lab.inspector.call('GET', '/healthcheck/more').status_code == 404
    lab.finished()
    assert lab.log_of('Traceback') == []


def test_it_can_only_be_read(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(healthcheck={'enabled': True})
    answer = check(lab, 'POST')
    assert answer.status_code == 405
    assert answer.headers['Allow'] == 'GET, HEAD'
    assert message(answer)


def test_no_credentials_are_needed(make_lab: Callable[..., Lab], tmp_path: pathlib.Path) -> None:
    users = tmp_path / 'htpasswd'
    users.write_text('admin:$2b$04$abcdefghijklmnopqrstuuAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n')
    lab = make_lab(
        DEFAULT={'auth_strategy': 'http_basic', 'http_basic_auth_user_file': users}, healthcheck={'enabled': True}
    )
    assert lab.inspector.call('GET', '/v1/introspection').status_code == 401
    until(lambda: failed(check(lab)) == {})


@pytest.mark.parametrize('kind', ['drop', 503, 'hang'])
def test_ironic_is_away(make_lab: Callable[..., Lab], kind: Any) -> None:
    lab = make_lab(healthcheck={'enabled': True})
    with lab.ironic.fail('GET', '/nodes$', kind):
        assert list(failed(check(lab))) == ['ironic']
        # What is found out holds for a while, and asks nothing of Ironic.
        mark = lab.ironic.mark()
        for _ in range(3):
            assert list(failed(check(lab))) == ['ironic']
        assert len([call for call in lab.ironic.calls_since(mark) if call.path == '/v1/nodes']) <= 1
    until(lambda: failed(check(lab)) == {})


def test_the_reason_is_told_where_the_operator_wants_it(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(healthcheck={'enabled': True, 'detailed': True})
    with lab.ironic.fail('GET', '/nodes$', 503):
        until(lambda: 'Ironic answered 503' in str(failed(check(lab)).get('ironic')))
    assert lab.log_of('The health check ironic failed')


def test_without_details_only_the_log_has_the_reason(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(healthcheck={'enabled': True})
    with lab.ironic.fail('GET', '/nodes$', 503):
        assert failed(check(lab)) == {'ironic': None}
        # On a busy machine the time for an answer may be over before.
        until(lambda: lab.log_of('Ironic answered 503'))


PORTS = {'mariadb': 3306, 'postgresql': 5432}


@pytest.mark.parametrize('kind', databases.SERVER_KINDS)
def test_the_server_of_the_database_falls_silent_and_goes(
    kind: str, tmp_path: pathlib.Path, make_lab: Callable[..., Lab]
) -> None:
    with databases.new_database(kind, tmp_path) as url:
        server = sa.make_url(url)
        with relay.relaying(server.host or '127.0.0.1', server.port or PORTS[kind]) as between:
            through = server.set(host='127.0.0.1', port=between.port).render_as_string(hide_password=False)
            lab = make_lab(
                healthcheck={'enabled': True, 'detailed': True},
                metrics={'enabled': True},
                database={'connection': through},
                # Nothing but the check asks the database.
                DEFAULT={'clean_up_period': 0},
            )
            until(lambda: failed(check(lab)) == {})
            between.freeze()
            until(lambda: failed(check(lab)) == {'database': 'there was no answer within 3 s'})
            assert requests.get(f'{lab.inspector.url}/metrics', timeout=30).status_code == 200
            between.thaw()
            until(lambda: failed(check(lab)) == {})
            between.cut()
            until(lambda: list(failed(check(lab))) == ['database'])
            until(
                lambda: (
                    'ironic_inspector_database_up 0.0' in requests.get(f'{lab.inspector.url}/metrics', timeout=30).text
                )
            )
            lab.inspector.kill()


def test_the_tables_are_away(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(healthcheck={'enabled': True, 'detailed': True})
    lab.sql('ALTER TABLE nodes RENAME TO gone')
    until(lambda: 'no such table' in str(failed(check(lab)).get('database')))
    lab.sql('ALTER TABLE gone RENAME TO nodes')
    until(lambda: failed(check(lab)) == {})


def test_it_says_that_the_service_ends(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(healthcheck={'enabled': True, 'detailed': True})
    machine = lab.machine()
    with lab.ironic.fail('PUT', f'{machine.uuid}/states/power', 'hang') as hanging:
        assert lab.start(machine).status_code == 202
        assert lab.ironic.wait_for(lambda: hanging.hits, 10)
        until(lambda: failed(check(lab)) == {})
        lab.inspector.send_signal(15)
        until(lambda: 'conductor' in failed(check(lab)))
    assert lab.inspector.wait() == 0


def test_who_may_not_see_it_finds_nothing(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(healthcheck={'enabled': True, 'allowed_source_ranges': '192.0.2.0/24'})
    answer = check(lab, headers={'X-Forwarded-For': '192.0.2.1'})
    assert answer.status_code == 404
    assert message(answer)


def test_what_came_through_a_proxy_can_be_left_out(make_lab: Callable[..., Lab]) -> None:
    options = {'enabled': True, 'ignore_proxied_requests': True, 'allowed_source_ranges': '127.0.0.0/8'}
    lab = make_lab(healthcheck=options)
    assert check(lab, headers={'X-Forwarded-Proto': 'https'}).status_code == 404
    until(lambda: check(lab).status_code == 200)


def test_a_file_that_takes_the_service_out(make_lab: Callable[..., Lab], tmp_path: pathlib.Path) -> None:
    file = tmp_path / 'out-of-service'
    lab = make_lab(healthcheck={'enabled': True, 'backends': 'disable_by_file', 'disable_by_file_path': file})
    assert sorted(check(lab).json()['checks']) == sorted([*NAMES, 'disable_by_file'])
    file.touch()
    until(lambda: list(failed(check(lab))) == ['disable_by_file'])


@pytest.mark.parametrize(('name', 'value'), [('backends', 'nonsense'), ('allowed_source_ranges', '10.0.0.0/99')])
def test_an_option_that_cannot_work_stops_the_start(make_lab: Callable[..., Lab], name: str, value: str) -> None:
    lab = make_lab(start=False)
    lab.inspector.options['healthcheck'] = {'enabled': True, name: value}
    assert lab.inspector.start(wait=False).wait() == 1
    assert f'[healthcheck]{name}' in lab.inspector.log()


def test_off_there_is_nothing(lab: Lab) -> None:
    assert lab.inspector.call('GET', '/healthcheck').status_code == 404
