"""The whole API, in one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

from ironic_inspector.api import callback
from ironic_inspector.api import data
from ironic_inspector.api import introspection
from ironic_inspector.api import microversions
from ironic_inspector.api import versions


class Route(NamedTuple):
    """A URL and a verb of the API, and what is behind them."""

    method: str
    path: str
    """As Flask writes it."""
    view: Callable[..., Any]
    policy: str
    """The name of the rule that says who may use it."""
    since: microversions.Version
    """The first version of the API that has it."""


ROUTES = (
    Route('GET', '/', versions.list_versions, 'introspection', (1, 0)),
    Route('GET', '/v1', versions.list_resources, 'introspection:version', (1, 0)),
    Route('POST', '/v1/continue', callback.continue_introspection, 'introspection:continue', (1, 0)),
    Route('GET', '/v1/introspection', introspection.list_all, 'introspection:status', (1, 8)),
    Route('POST', '/v1/introspection/<node_id>', introspection.start, 'introspection:start', (1, 0)),
    Route('GET', '/v1/introspection/<node_id>', introspection.show, 'introspection:status', (1, 0)),
    Route('POST', '/v1/introspection/<node_id>/abort', introspection.abort, 'introspection:abort', (1, 3)),
    Route('GET', '/v1/introspection/<node_id>/data', data.show, 'introspection:data', (1, 1)),
    Route(
        'GET',
        '/v1/introspection/<node_id>/data/unprocessed',
        data.show_unprocessed,
        'introspection:data',
        (1, 17),
    ),
    Route('POST', '/v1/introspection/<node_id>/data/unprocessed', data.reapply, 'introspection:reapply', (1, 4)),
)
