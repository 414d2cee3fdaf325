"""The whole API, in one table; operations.py describes what is in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

from ironic_inspector.api import callback
from ironic_inspector.api import data
from ironic_inspector.api import introspection
from ironic_inspector.api import microversions
from ironic_inspector.api import rules
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

    @property
    def endpoint(self) -> str:
        """Its name in Flask."""
        return f'{self.method} {self.path}'


ROUTES = (
    Route('GET', '/', versions.list_versions, 'introspection', (1, 0)),
    Route('GET', '/v1', versions.list_resources, 'introspection:version', (1, 0)),
    Route('GET', '/v1/openapi.json', versions.describe, 'introspection:version', (1, 19)),
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
    Route('GET', '/v1/rules', rules.list_all, 'introspection:rule:get', (1, 2)),
    Route('POST', '/v1/rules', rules.create, 'introspection:rule:create', (1, 2)),
    Route('DELETE', '/v1/rules', rules.delete_all, 'introspection:rule:delete', (1, 2)),
    Route('POST', '/v1/rules/preview', rules.preview, 'introspection:rule:get', (1, 19)),
    Route('GET', '/v1/rules/<rule_uuid>', rules.show, 'introspection:rule:get', (1, 2)),
    Route('POST', '/v1/rules/<rule_uuid>', rules.create, 'introspection:rule:create', (1, 2)),
    Route('PATCH', '/v1/rules/<rule_uuid>', rules.change, 'introspection:rule:create', (1, 19)),
    Route('DELETE', '/v1/rules/<rule_uuid>', rules.delete, 'introspection:rule:delete', (1, 2)),
)
