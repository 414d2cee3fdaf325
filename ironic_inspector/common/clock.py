"""The time, as the database and the API have it."""

from __future__ import annotations

import datetime


def utc_now() -> datetime.datetime:
    """Return the time in UTC, without an offset."""
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
