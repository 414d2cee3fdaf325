"""The states of an introspection and the events that lead from one to the next.

The machine is data: `TRANSITIONS` says for a state and an event which state follows; a pair that is not in it is
refused. `ironic_inspector.node_cache` applies transitions.
"""

from __future__ import annotations

from typing import Final


class States:
    """Names of the states, as they stand in the database and in the API."""

    STARTING: Final = 'starting'
    """An operator asked for an introspection; boot device and power of the node are being set."""
    WAITING: Final = 'waiting'
    """The node boots the ramdisk; its callback is awaited."""
    PROCESSING: Final = 'processing'
    """The data of the ramdisk are processed."""
    FINISHED: Final = 'finished'
    """The last introspection succeeded."""
    ERROR: Final = 'error'
    """The last introspection failed or was aborted."""
    REAPPLYING: Final = 'reapplying'
    """Stored data are processed once more."""
    ENROLLING: Final = 'enrolling'
    """An unknown node is being created in Ironic."""
    ABORTING: Final = 'aborting'
    """An operator cancelled the introspection; the node is being powered off."""

    ALL: Final = (STARTING, WAITING, PROCESSING, FINISHED, ERROR, REAPPLYING, ENROLLING, ABORTING)
    ENDED: Final = frozenset({FINISHED, ERROR})
    """Nothing goes on: `finished_at` is set and there are no lookup attributes."""
    ACTIVE: Final = frozenset(ALL) - ENDED
    """An introspection goes on; it may time out."""
    WORKING: Final = ACTIVE - {WAITING}
    """Some thread of a process works on the node: after a crash nobody does."""


class Events:
    """Names of the events."""

    START: Final = 'start'
    WAIT: Final = 'wait'
    PROCESS: Final = 'process'
    FINISH: Final = 'finish'
    REAPPLY: Final = 'reapply'
    ABORT: Final = 'abort'
    ABORT_END: Final = 'abort_end'
    ERROR: Final = 'error'
    TIMEOUT: Final = 'timeout'

    ALL: Final = (START, WAIT, PROCESS, FINISH, REAPPLY, ABORT, ABORT_END, ERROR, TIMEOUT)


TRANSITIONS: Final[dict[tuple[str, str], str]] = {
    # The ramdisk has been told to boot, or the operator boots it.
    (States.STARTING, Events.WAIT): States.WAITING,
    (States.STARTING, Events.ERROR): States.ERROR,
    (States.STARTING, Events.TIMEOUT): States.ERROR,
    # The ramdisk called back.
    (States.WAITING, Events.PROCESS): States.PROCESSING,
    # Somebody starts the introspection once more instead of waiting on.
    (States.WAITING, Events.START): States.STARTING,
    (States.WAITING, Events.ABORT): States.ABORTING,
    # The ramdisk itself reported a failure, or was never heard of.
    (States.WAITING, Events.ERROR): States.ERROR,
    (States.WAITING, Events.TIMEOUT): States.ERROR,
    (States.PROCESSING, Events.FINISH): States.FINISHED,
    (States.PROCESSING, Events.ERROR): States.ERROR,
    (States.PROCESSING, Events.TIMEOUT): States.ERROR,
    (States.FINISHED, Events.START): States.STARTING,
    (States.FINISHED, Events.REAPPLY): States.REAPPLYING,
    (States.FINISHED, Events.FINISH): States.FINISHED,
    (States.ERROR, Events.START): States.STARTING,
    (States.ERROR, Events.REAPPLY): States.REAPPLYING,
    # To cancel what has failed is no mistake: the node is powered off.
    (States.ERROR, Events.ABORT): States.ERROR,
    (States.ERROR, Events.ERROR): States.ERROR,
    (States.REAPPLYING, Events.FINISH): States.FINISHED,
    (States.REAPPLYING, Events.REAPPLY): States.REAPPLYING,
    (States.REAPPLYING, Events.ERROR): States.ERROR,
    (States.REAPPLYING, Events.TIMEOUT): States.ERROR,
    # The new node exists in Ironic; its data are processed like those of any node.
    (States.ENROLLING, Events.PROCESS): States.PROCESSING,
    (States.ENROLLING, Events.ERROR): States.ERROR,
    (States.ENROLLING, Events.TIMEOUT): States.ERROR,
    (States.ABORTING, Events.ABORT_END): States.ERROR,
    (States.ABORTING, Events.ERROR): States.ERROR,
    (States.ABORTING, Events.TIMEOUT): States.ERROR,
}


def next_state(state: str, event: str) -> str | None:
    """Return the state that follows when `event` happens in `state`; None where the event is not allowed."""
    return TRANSITIONS.get((state, event))
