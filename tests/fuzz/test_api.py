"""Requests of all sorts, made of the description of the API: each gets an answer that is described, and no failure."""

from __future__ import annotations

import base64
from collections.abc import Iterator
import contextlib
import dataclasses
import pathlib
from typing import Any

import bcrypt
from hypothesis import assume
from hypothesis import given
from hypothesis import seed
from hypothesis import settings
from hypothesis import strategies as st
from openstack.connection import Connection
import pytest
import requests
import schemathesis
from schemathesis import Case
from schemathesis import GenerationMode

from ironic_inspector import policy
from ironic_inspector.api import microversions
from ironic_inspector.api.routes import ROUTES
from ironic_inspector.api.routes import Route
from ironic_inspector.introspection_state import States
from tests.contract import Contract
from tests.functional.lab import UNKNOWN
from tests.functional.lab import Lab
from tests.functional.lab import running_lab
from tests.fuzz import work
from tools import components

RULE = {'uuid': UNKNOWN, 'actions': [{'action': 'log', 'message': 'x'}], 'disabled': True}
TIMEOUT = 60.0
"""Seconds without a byte of an answer."""


@dataclasses.dataclass(frozen=True)
class Api:
    """A service, its description, and what its users send with each request."""

    lab: Lab
    contract: Contract
    schema: Any
    credentials: dict[str, str]
    known: dict[str, list[str]]
    """Values by the names of variables in paths that stand for something."""

    def send(self, case: Case[Any], credentials: dict[str, str] | None = None) -> requests.Response:
        """Send a request, and return the answer; fails if it is a failure, or not described."""
        sent = case.as_transport_kwargs(base_url=self.lab.inspector.url)
        sent['headers'] = {**sent['headers'], **(self.credentials if credentials is None else credentials)}
        answer = self.lab.inspector.http.request(**sent, timeout=TIMEOUT)
        assert answer.status_code < 500, f'{answer.status_code} {answer.text}'
        self.contract.check(answer)
        return answer


Mode = tuple[dict[str, dict[str, Any]], dict[str, str]]
"""Options of a service by their groups, and what its users send with each request."""


@contextlib.contextmanager
def noauth(_folder: pathlib.Path) -> Iterator[Mode]:
    """Everybody may do everything."""
    yield {'DEFAULT': {'auth_strategy': 'noauth'}}, {}


@contextlib.contextmanager
def http_basic(folder: pathlib.Path) -> Iterator[Mode]:
    """Users have passwords."""
    file = folder / 'htpasswd'
    file.write_text(f'admin:{bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode()}\n')
    options = {'auth_strategy': 'http_basic', 'http_basic_auth_user_file': str(file)}
    yield {'DEFAULT': options}, {'Authorization': 'Basic ' + base64.b64encode(b'admin:right').decode()}


@contextlib.contextmanager
def keystone(folder: pathlib.Path) -> Iterator[Mode]:
    """Users have tokens of a real Keystone."""
    with components.Keystone(folder) as running:
        options = {**running.options('admin', 'admin'), 'www_authenticate_uri': running.url}
        with Connection(auth=running.access('admin', 'admin')) as connection:
            credentials = {'X-Auth-Token': str(connection.auth_token)}
        yield {'DEFAULT': {'auth_strategy': 'keystone'}, 'keystone_authtoken': options}, credentials


WITH_KEYSTONE = pytest.param(keystone, marks=[pytest.mark.real, pytest.mark.xdist_group('keystone')], id='keystone')


@pytest.fixture(scope='module', params=[noauth, http_basic, WITH_KEYSTONE])
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A service that knows some nodes and a rule, for each way to say who its users are."""
    folder = tmp_path_factory.mktemp('inspector')
    mode = request.param(tmp_path_factory.mktemp('users'))
    with mode as (options, credentials), running_lab(folder, **options) as lab:
        lab.inspector.http.headers.update(credentials)
        machines = [lab.machine(), lab.finished(), lab.failed(), lab.waiting()]
        assert lab.inspector.call('POST', '/v1/rules', json=RULE).status_code == 201
        document = lab.inspector.call('GET', '/v1/openapi.json').json()
        # From here on each request says itself who sends it.
        for name in credentials:
            del lab.inspector.http.headers[name]
        known = {'node_id': [name for machine in machines for name in (machine.uuid, machine.name)]}
        known['rule_uuid'] = [UNKNOWN]
        yield Api(lab, Contract(document), schemathesis.openapi.from_dict(document), credentials, known)
        lab.inspector.http.headers.update(credentials)
        states = ','.join(sorted(States.WORKING))
        left = lab.inspector.call('GET', '/v1/introspection', params={'state': states}).json()['introspection']
        assert all(lab.inspector.wait_for_state(node['uuid'], *States.ENDED, States.WAITING) for node in left)
        for trace in ('Traceback', 'Unexpected', 'Logging error'):
            assert lab.log_of(trace)[:3] == []


def requests_to(api: Api, route: Route, mode: Any) -> st.SearchStrategy[Case[Any]]:
    """Requests to a route that fit the description, or do not; most of them to something that there is."""
    path = route.path.replace('<', '{').replace('>', '}')
    cases: st.SearchStrategy[Case[Any]] = api.schema[path][route.method].as_strategy(generation_mode=mode)
    known = [name for name in api.known if f'{{{name}}}' in path]

    def made(case: Case[Any], values: list[str | None], plain: bool) -> Case[Any]:
        for name, value in zip(known, values, strict=True):
            if value is not None:
                case.path_parameters[name] = value
        # With a slash it is another path.
        assume(not any('/' in str(value) for value in (case.path_parameters or {}).values()))
        if plain and case.headers:
            # What is wrong there is found before anything else.
            for name in (microversions.VERSION_HEADER, microversions.STANDARD_HEADER):
                case.headers.pop(name, None)
        return case

    values = (st.sampled_from([*api.known[name], *api.known[name], None]) for name in known)
    return st.builds(made, cases, st.tuples(*values), st.booleans())


@pytest.mark.parametrize('mode', list(GenerationMode), ids=str)
@pytest.mark.parametrize('route', ROUTES, ids=lambda route: route.endpoint)
def test_requests_made_of_the_description(api: Api, route: Route, mode: Any) -> None:
    @seed(work.SEED)
    @settings(work.UNHURRIED, max_examples=work.REQUESTS)
    @given(requests_to(api, route, mode))
    def run(case: Case[Any]) -> None:
        if '<rule_uuid>' in route.path:
            # The request before may have deleted it.
            api.lab.inspector.call('POST', '/v1/rules', json=RULE, headers=api.credentials)
        api.send(case)

    run()


@pytest.mark.parametrize('api', [http_basic, WITH_KEYSTONE], indirect=True)
@pytest.mark.parametrize(
    'route', [route for route in ROUTES if route.policy not in policy.PUBLIC], ids=lambda route: route.endpoint
)
def test_requests_without_credentials(api: Api, route: Route) -> None:
    @seed(work.SEED)
    @settings(work.UNHURRIED, max_examples=max(3, work.REQUESTS // 5))
    @given(requests_to(api, route, GenerationMode.POSITIVE))
    def run(case: Case[Any]) -> None:
        assert api.send(case, {}).status_code in (401, 404, 406, 400)

    run()
