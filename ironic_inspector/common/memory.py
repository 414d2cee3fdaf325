"""Keeping the process small, as far as the C library decides it. Does nothing where that is not glibc."""

from __future__ import annotations

import contextlib
import ctypes

# From malloc.h.
_M_ARENA_MAX = -8
_M_MMAP_THRESHOLD = -3


def limit_heaps() -> None:
    """Keep what a burst of callbacks needed from being spread; to be called before there are threads.

    By default threads have heaps of their own, eight for each processor, and what is freed in one of them is of no use
    to the others; and the text of a callback, once freed, teaches glibc to keep texts of that size in these heaps.
    """
    with contextlib.suppress(AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_ARENA_MAX, 2)
        mallopt(_M_MMAP_THRESHOLD, 128 * 1024)


def give_back() -> None:
    """Return to the system what is free in the heaps. Takes about a millisecond."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
