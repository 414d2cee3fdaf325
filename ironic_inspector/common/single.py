"""Whether a process is the only one on its database: what one does with a node, another one knows nothing of.

A process is told from others by a name in the kernel, which ends with the process, however that ends. It holds within a
machine (a network namespace, that is): enough for the worker processes of a WSGI server, and for a service that is
started twice.
"""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from typing import Final

from oslo_config import cfg
from oslo_log import log
import sqlalchemy as sa

from ironic_inspector.common import exceptions

LOG = log.getLogger(__name__)

PATIENCE: Final = 20.0
"""Seconds to wait for a process that is about to end: a server that reloads starts the new one first."""
_INTERVAL: Final = 0.1


class Claim:
    """The right to work on a database; ends with the process, or when it is given up."""

    def __init__(self, taken: socket.socket) -> None:
        """Hold what `claim` has taken."""
        self._taken = taken

    def give_up(self) -> None:
        """Let another process go on."""
        self._taken.close()


def try_claim(conf: cfg.ConfigOpts) -> Claim | None:
    """Claim the database in [database]connection for this process; None if another process has it."""
    taken = _try(_name(conf.database.connection))
    return Claim(taken) if taken is not None else None


def claim(conf: cfg.ConfigOpts, patience: float = PATIENCE) -> Claim:
    """Claim the database in [database]connection for this process.

    ConfigurationError if another process still has it after `patience` seconds.
    """
    name = _name(conf.database.connection)
    deadline = time.monotonic() + patience
    pause = threading.Event()
    told = False
    while (taken := _try(name)) is None:
        if time.monotonic() >= deadline:
            raise exceptions.ConfigurationError(
                '[database]connection: another process of the service works on this database, and there may be only '
                'one: stop it, or if a WSGI server has started this one, let it have a single worker process with '
                'threads, such as: gunicorn --workers 1 --threads 32'
            )
        if not told:
            told = True
            LOG.warning('Another process of the service works on this database: waiting %g s for its end', patience)
        pause.wait(_INTERVAL)
    return Claim(taken)


def _try(name: bytes) -> socket.socket | None:
    taken = socket.socket(socket.AF_UNIX)
    try:
        taken.bind(name)
    except OSError:
        taken.close()
        return None
    return taken


def _name(connection: str) -> bytes:
    url = sa.make_url(connection)
    if url.get_backend_name() == 'sqlite':
        # Without a file each process has a database of its own.
        place = (
            os.path.realpath(url.database) if url.database not in (None, '', ':memory:') else f'memory {os.getpid()}'
        )
    else:
        place = f'{url.get_backend_name()} {url.host} {url.port} {url.database}'
    return b'\0ironic-inspector ' + hashlib.sha256(place.encode()).hexdigest().encode()
