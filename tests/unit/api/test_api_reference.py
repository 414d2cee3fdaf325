"""The API reference: whether it has all that the API has, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
import pathlib
import re
from typing import Any
from typing import NamedTuple

import pytest
import yaml

from ironic_inspector.api import healthcheck
from ironic_inspector.api import metrics
from ironic_inspector.api import microversions
from ironic_inspector.api import openapi
from ironic_inspector.api import operations
from ironic_inspector.api.routes import ROUTES
from ironic_inspector.api.routes import Route
from tests import contract

SOURCE = pathlib.Path(__file__).parents[3] / 'api-ref' / 'source'
BESIDE = {f'GET {healthcheck.PATH}', f'GET {metrics.PATH}'}
"""What is served at the same address beside the API."""
FIRST = (1, 0)


class Section(NamedTuple):
    """What the reference says of one request."""

    request: str
    """Its verb and its path."""
    text: str

    def codes(self, kind: str) -> set[int]:
        """Return the status codes of a kind."""
        (line,) = re.findall(f'^{kind} codes: (.*)$', self.text, re.MULTILINE)
        return {int(code) for code in re.findall(r'\b\d{3}\b', line)}

    def names(self) -> set[str]:
        """Return the names of all parameters, in requests and answers."""
        return {name for name, _key in parameters(self.text)}


def parameters(text: str) -> Iterator[tuple[str, str]]:
    """Yield the names in all tables of parameters, each with the key in parameters.yaml."""
    for table in re.findall(r'\.\. rest_parameters:: parameters\.yaml\n\n((?:   - .*\n)+)', text):
        for line in table.splitlines():
            name, _colon, key = line.removeprefix('   - ').partition(': ')
            yield name, key


def sections(text: str) -> Iterator[Section]:
    """Yield the sections of a page."""
    _introduction, *parts = text.split('.. rest_method:: ')
    for part in parts:
        request, _newline, rest = part.partition('\n')
        yield Section(request.strip(), rest)


PAGES = {path.name: path.read_text() for path in sorted(SOURCE.glob('*.inc'))}
TEXT = '\n'.join(PAGES.values())
SECTIONS = [section for page in PAGES.values() for section in sections(page)]
PARAMETERS: dict[str, Any] = yaml.safe_load((SOURCE / 'parameters.yaml').read_text())


def request_of(route: Route) -> str:
    return route.endpoint.replace('<', '{').replace('>', '}')


def section_of(route: Route) -> Section:
    found = [section for section in SECTIONS if section.request == request_of(route)]
    assert found, f'the API reference lacks {request_of(route)}'
    return found[0]


def test_all_pages_are_part_of_it() -> None:
    index = (SOURCE / 'index.rst').read_text()
    assert sorted(re.findall(r'^\.\. include:: (\S+)$', index, re.MULTILINE)) == sorted(PAGES)


def test_it_has_every_route_once_and_nothing_else() -> None:
    told = [section.request for section in SECTIONS]
    assert sorted(told) == sorted({request_of(route) for route in ROUTES} | BESIDE)


@pytest.mark.parametrize('route', ROUTES, ids=lambda route: route.endpoint)
class TestRoute:
    def test_policy(self, route: Route) -> None:
        assert re.findall('^Policy rule: ``(.*?)``', section_of(route).text, re.MULTILINE) == [route.policy]
        assert f'   * - ``{route.policy}``\n' in PAGES['access.inc']

    def test_first_version(self, route: Route) -> None:
        told = re.findall(r'New\sin\sversion\s(\d+\.\d+)\.', section_of(route).text)
        assert told == ([] if route.since == FIRST else [microversions.text_of(route.since)])

    def test_codes(self, route: Route) -> None:
        described = set(contract.of_the_code().operation(route.endpoint)['responses'])
        assert section_of(route).codes('Normal response') == {code for code in described if code < 400}
        assert section_of(route).codes('Error') == {code for code in described if code >= 400}

    def test_parameters(self, route: Route) -> None:
        wanted = {*re.findall('<(.*?)>', route.path), *operations.OPERATIONS[route.endpoint].query}
        assert wanted <= section_of(route).names()


def test_all_parameters_are_defined_and_used() -> None:
    assert {key for _name, key in parameters(TEXT)} == PARAMETERS.keys()


def test_all_samples_are_there_and_used() -> None:
    used = set(re.findall(r'^\.\. literalinclude:: samples/(\S+)$', TEXT, re.MULTILINE))
    assert used == {path.name for path in (SOURCE / 'samples').iterdir()}


@pytest.mark.parametrize(
    ('page', 'schema'),
    [
        ('versions.inc', 'Versions'),
        ('versions.inc', 'Resources'),
        ('introspection.inc', 'Status'),
        ('introspection.inc', 'Statuses'),
        ('continue.inc', 'IntrospectionData'),
        ('continue.inc', 'Continued'),
        ('rules.inc', 'Rules'),
        ('rules.inc', 'Rule'),
        ('rules.inc', 'NewRule'),
        ('rules.inc', 'NewCondition'),
        ('rules.inc', 'NewAction'),
        ('rules.inc', 'NewPreview'),
        ('rules.inc', 'Preview'),
        ('rules.inc', 'PreviewedRule'),
        ('rules.inc', 'PreviewedCondition'),
    ],
)
def test_members_of_bodies_are_explained(page: str, schema: str) -> None:
    properties = contract.of_the_code().document['components']['schemas'][schema]['properties']
    wanted = {name for name, kind in properties.items() if not kind.get('readOnly')}
    assert wanted <= {name.rpartition('.')[2] for name, _key in parameters(PAGES[page])}


def test_every_version_is_explained() -> None:
    told = re.findall(r'^   \* - (\d+\.\d+)$', PAGES['versions.inc'], re.MULTILINE)
    newest = microversions.MAXIMUM[1]
    assert told == [microversions.text_of((1, minor)) for minor in range(newest + 1)]


def test_every_error_is_explained() -> None:
    told = re.findall(r'^   \* - (\d{3})$', PAGES['errors.inc'], re.MULTILINE)
    assert [int(status) for status in told] == sorted({*openapi.ERRORS, 405})


@pytest.mark.parametrize(
    ('group', 'module', 'key'),
    [
        ('ironic_inspector.rules.conditions', 'rule_conditions', 'condition_op'),
        ('ironic_inspector.rules.actions', 'rule_actions', 'action_action'),
    ],
)
def test_operators_and_actions_are_listed(group: str, module: str, key: str) -> None:
    ours = f'ironic_inspector.plugins.{module}:'
    names = {point.name for point in metadata.entry_points(group=group) if point.value.startswith(ours)}
    told = PARAMETERS[key]['description']
    assert names
    assert sorted(name for name in names if f'``{name}``' not in told) == []
