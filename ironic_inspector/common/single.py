"""Whether a process is the only one on its database: what one does with a node, another one knows nothing of.

`claim` is all that others use of this: a process that shares its work with others would do without it.

The kernel keeps what tells a process from others, and lets it go with the process, however that ends. With SQLite it is
a lock on a file beside that of the database, which holds for all that use the file on one machine, be it in containers.
With a server it is a name, which holds within a network namespace of a machine: enough for the worker processes of a
WSGI server, and for a service that is started twice.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import ipaddress
import os
import socket
import threading
import time
from typing import Final
from typing import Protocol
from urllib import parse

from oslo_config import cfg
from oslo_log import log
import sqlalchemy as sa

from ironic_inspector.common import exceptions

LOG = log.getLogger(__name__)

PATIENCE: Final = 20.0
"""Seconds to wait for a process that is about to end: a server that reloads starts the new one first."""
_INTERVAL: Final = 0.1

SUFFIX: Final = '.lock'
"""What the name of the file beside an SQLite database ends with.

It stays: if it were deleted at the end, two processes could each hold a file of that name.
"""
_PORTS: Final = {'mysql': 3306, 'postgresql': 5432}


class _Taken(Protocol):
    def close(self) -> None: ...


class Claim:
    """The right to work on a database; ends with the process, or when it is given up."""

    def __init__(self, taken: _Taken) -> None:
        """Hold what `claim` has taken."""
        self._taken = taken

    def give_up(self) -> None:
        """Let another process go on."""
        self._taken.close()


def claim(conf: cfg.ConfigOpts, patience: float = PATIENCE) -> Claim:
    """Claim the database in [database]connection for this process.

    ConfigurationError if another process still has it after `patience` seconds, or if there is no telling.
    """
    url = sa.make_url(conf.database.connection)
    deadline = time.monotonic() + patience
    pause = threading.Event()
    told = False
    while (taken := _try(url)) is None:
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


def _try(url: sa.URL) -> _Taken | None:
    """Take what only one process can have of the database at `url`; None if another one has it."""
    if url.get_backend_name() != 'sqlite':
        return _try_name(_server(url))
    path = _file(url)
    # Without a file each process has a database of its own.
    return _try_name(f'memory {os.getpid()}') if path is None else _try_file(path + SUFFIX)


def _try_file(path: str) -> _Taken | None:
    try:
        # To read is enough for the lock, also where it was once made by another user, such as root.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_CREAT, 0o644), 'rb')
    except OSError as exc:
        raise exceptions.ConfigurationError(
            f'[database]connection: the file {path}, by which processes are told from each other, cannot be had: '
            f'{exc.strerror}'
        ) from exc
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    except OSError:
        file.close()
        raise
    return file


def _try_name(place: str) -> _Taken | None:
    name = b'\0ironic-inspector ' + hashlib.sha256(place.encode()).hexdigest().encode()
    taken = socket.socket(socket.AF_UNIX)
    try:
        taken.bind(name)
    except OSError as exc:
        taken.close()
        if exc.errno == errno.EADDRINUSE:
            return None
        raise
    return taken


def _file(url: sa.URL) -> str | None:
    """Return the path of an SQLite database, the same however it is written; None for one in memory."""
    name = url.database or ''
    if name.startswith('file:'):
        name = '' if url.query.get('mode') == 'memory' else parse.unquote(parse.urlsplit(name).path)
    return None if name in ('', ':memory:') else os.path.realpath(name)


def _server(url: sa.URL) -> str:
    """Return a name of the database at `url`, the same for the usual ways to write it."""
    kind = url.get_backend_name().replace('mariadb', 'mysql')
    path = url.query.get('unix_socket')
    where = f'socket {os.path.realpath(str(path))}' if path else f'{_host(url)} {url.port or _PORTS.get(kind)}'
    return f'{kind} {where} {url.database}'


def _host(url: sa.URL) -> str:
    host = (url.host or str(url.query.get('host', ''))).lower()
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        # The socket of PostgreSQL is called like its port.
        local = host in ('', 'localhost') or host.startswith('/')
    return 'localhost' if local else host
