"""How much is tried: a little with the test suite, always the same; much, and each time something else, by `make fuzz`.

INSPECTOR_FUZZ=1 asks for much. INSPECTOR_FUZZ_SEED is the number that everything random here is derived from; whatever
fails names it.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck
from hypothesis import Phase
from hypothesis import settings

FULL = bool(os.environ.get('INSPECTOR_FUZZ'))
SEED = int(os.environ.get('INSPECTOR_FUZZ_SEED', '20260131'))

CALLBACKS = 10_000 if FULL else 1_500
"""Callbacks that are sent."""
REQUESTS = 500 if FULL else 15
"""Requests to each route, of the kind that is right and of the kind that is wrong."""
BODIES = 100_000 if FULL else 2_000
"""Bodies that are parsed."""

UNHURRIED = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    # What fails is told as it is found: over HTTP, to make it smaller takes many requests, each on another state.
    phases=(Phase.explicit, Phase.generate),
)
"""Settings of hypothesis for what takes its time, as services do."""
