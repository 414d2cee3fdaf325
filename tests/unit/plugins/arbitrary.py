"""Data of ramdisks gone wrong: a valid sample in which anything may stand anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck
from hypothesis import settings
from hypothesis import strategies as st

from tests.unit.plugins import nodes

Path = tuple[str | int, ...]

SETTINGS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
"""A busy machine is no failure, and examples may share a node's Ironic."""

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**400, max_value=10**401)
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(['', '0', '-1', '1e999', '52:54:00:aa:bb:03\n', '::1', 'lo', 'a:b,c:d', '\ud800']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
"""Whatever json.loads may return."""


@st.composite
def spoiled(draw: st.DrawFn, places: tuple[str, ...]) -> nodes.JsonObject:
    """The sample with up to three values at or below `places`, such as inventory.disks, replaced or taken away."""
    data = nodes.sample()
    prefixes = [tuple(place.split('.')) for place in places]
    for _ in range(draw(st.integers(1, 3))):
        paths = [path for path in _paths(data) if any(path[: len(prefix)] == prefix for prefix in prefixes)]
        if not paths:
            break
        *parents, key = draw(st.sampled_from(paths))
        parent: Any = data
        for step in parents:
            parent = parent[step]
        if draw(st.integers(0, 4)):
            parent[key] = draw(JSON)
        else:
            del parent[key]
    return data


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _paths(child, (*path, key))
