"""Query arguments of lists."""

from __future__ import annotations

from collections.abc import Mapping
import uuid

from oslo_utils import uuidutils

from ironic_inspector.common import exceptions
from ironic_inspector.introspection_state import States


def limit(arguments: Mapping[str, str], maximum: int) -> int:
    """Return how many items a page may have; InvalidRequest unless it is a number from 0 (no wish) to `maximum`."""
    value = arguments.get('limit', '0')
    # isdecimal alone would let in other digits than ASCII's.
    if not (value.isascii() and value.isdecimal() and len(value) < 20):
        raise exceptions.InvalidRequest(f'limit must be a number from 0 to {maximum}, not {value!r}')
    wished = int(value)
    if wished > maximum:
        raise exceptions.InvalidRequest(f'limit must be at most {maximum} ([DEFAULT]api_max_limit), not {wished}')
    return wished or maximum


def marker(arguments: Mapping[str, str]) -> str | None:
    """Return the UUID of the last item seen, None if there is none; InvalidRequest if it is no UUID."""
    value = arguments.get('marker')
    if value is None:
        return None
    if not uuidutils.is_uuid_like(value):
        raise exceptions.InvalidRequest(f'marker must be the UUID of the last item seen, not {value!r}')
    return str(uuid.UUID(value))


def states(arguments: Mapping[str, str]) -> list[str]:
    """Return the states in the comma-separated `state`; InvalidRequest if there is no such state."""
    value = arguments.get('state')
    if value is None:
        return []
    wanted = [state.strip() for state in value.split(',')]
    unknown = [state for state in wanted if state not in States.ALL]
    if unknown:
        raise exceptions.InvalidRequest(
            f'state: {", ".join(map(repr, unknown))} unknown; the states are {", ".join(States.ALL)}'
        )
    return wanted
