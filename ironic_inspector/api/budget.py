"""Bounds on the memory that request bodies take: as they come in, and as they are worked on."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import threading

from ironic_inspector.common import exceptions
from ironic_inspector.common import memory

BYTES = 5 * 512 * 1024
"""Bodies worked on at once: a dozen callbacks of usual size. Parsed, a body takes about six times its size."""
PATIENCE = 25.0
"""Seconds to wait for a share: ramdisks give up after 30 s, and send again what was answered 503."""
ROOM = 64 * 1024 * 1024
"""Bytes of bodies that have come in, beyond what each may have anyway: room for two of the largest."""
OWN_ROOM = 2 * 1024 * 1024
"""Bytes that each body may have: more than callbacks of usual size."""


class Room:
    """Memory for bodies as they come in, at most `OWN_ROOM` for each and `size` bytes for all beyond that.

    Nobody waits for it: those who wait would keep what the others wait for.
    """

    def __init__(self, size: int = ROOM, own: int = OWN_ROOM) -> None:
        """Share `size` bytes; each share has `own` bytes from the beginning."""
        self._free = size
        self._own = own
        self._lock = threading.Lock()

    def share(self) -> RoomShare:
        """Return an empty share."""
        return RoomShare(self, self._own)

    def take(self, size: int) -> None:
        """Take so many bytes, or give them back if `size` is negative; Overloaded if they are not there."""
        with self._lock:
            if size > self._free:
                raise exceptions.Overloaded('The service receives too much at once: send the same again in a while')
            self._free -= size


class RoomShare:
    """The memory of one body."""

    def __init__(self, room: Room, own: int) -> None:
        """Have `own` bytes, and of `room` what is needed beyond them."""
        self._room = room
        self._unused = own
        self._taken = 0

    def grow(self, size: int) -> None:
        """Need so many more bytes; Overloaded if they are not there."""
        beyond = max(0, size - self._unused)
        self._unused = max(0, self._unused - size)
        self._room.take(beyond)
        self._taken += beyond

    def end(self) -> None:
        """Give everything back."""
        self._room.take(-self._taken)
        self._taken = 0


class Budget:
    """A number of bytes, shared by requests that have come in and are worked on."""

    def __init__(
        self, size: int = BYTES, patience: float = PATIENCE, relieve: Callable[[], None] = memory.give_back
    ) -> None:
        """Share `size` bytes; nobody waits longer than `patience` seconds for some of them.

        `relieve` is called when a burst is over, one that had more than half of them.
        """
        self._size = size
        self._patience = patience
        self._free = size
        self._relieve = relieve
        self._burst = False
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def share(self, wanted: int) -> Iterator[Callable[[], None]]:
        """Have `wanted` bytes in a `with` block, or all if these are fewer; Overloaded if they can't be had.

        Gives a function that ends the share before the block does.
        """
        share = min(wanted, self._size)
        with self._changed:
            had = self._changed.wait_for(lambda: self._free >= share, self._patience)
            if had:
                self._free -= share
                self._burst |= self._free < self._size // 2
            # One that waits is woken at a time, and wakes the next: to wake hundreds for a single share costs more than
            # the work that they wait for.
            self._changed.notify()
            if not had:
                raise exceptions.Overloaded('The service has too much to do: send the same again in a while')
        with contextlib.ExitStack() as stack:
            stack.callback(self._give_back, share)
            yield stack.close

    def _give_back(self, share: int) -> None:
        with self._changed:
            self._free += share
            self._changed.notify()
            is_over = self._burst and self._free == self._size
            self._burst &= not is_over
        if is_over:
            self._relieve()
