"""The table of the API."""

from __future__ import annotations

import pytest

from ironic_inspector.api import microversions
from ironic_inspector.api.routes import ROUTES
from ironic_inspector.api.routes import Route


@pytest.mark.parametrize('route', ROUTES, ids=lambda route: f'{route.method} {route.path}')
def test_every_route_is_complete(route: Route) -> None:
    assert route.method in ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')
    assert route.path.startswith('/')
    assert route.path == '/' or not route.path.endswith('/')
    assert callable(route.view)
    assert route.policy.split(':')[0] == 'introspection'
    assert microversions.MINIMUM <= route.since <= microversions.MAXIMUM


def test_no_route_is_listed_twice() -> None:
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)
