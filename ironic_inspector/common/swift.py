"""The client of Swift: objects of one container, written whole and read whole."""

from __future__ import annotations

import threading
import time
from typing import Any
from urllib import parse

from oslo_config import cfg

from ironic_inspector.common import exceptions
from ironic_inspector.common import keystone
from ironic_inspector.common import remote
from ironic_inspector.conf import swift as swift_conf

ATTEMPTS = 5
"""How often a request is tried in all when Swift cannot be reached or fails."""
ATTEMPT_INTERVAL = 1.0
"""Seconds between two of these attempts."""
ANSWER_TIMEOUT = 12.0
"""Seconds to wait for an answer where [swift]timeout is not set."""
PATIENCE = 15.0
"""Seconds after which there is no other attempt: ramdisks give up after 30 s."""
MAX_NAME = 256
"""Bytes in the name of a container."""
_TRANSIENT = frozenset({408, 409, 429, 498})
"""Refusals that the same request may not meet again: time-outs, a write at the same instant, too many requests."""


class Unavailable(exceptions.StoreError):
    """Swift is away or out of order, and still was at the last attempt."""


class _Missing(exceptions.StoreError):
    """Swift has no such object, no such container, or no such account."""


class SwiftClient:
    """What the service asks of Swift.

    Every method raises exceptions.StoreError, with what Swift said, if Swift refuses a request, and Unavailable once
    the retries are used up.
    """

    def __init__(
        self, conf: cfg.ConfigOpts, stopping: threading.Event, attempt_interval: float = ATTEMPT_INTERVAL
    ) -> None:
        """Prepare a client for the Swift in [swift]; connects when first used.

        Once `stopping` is set, nothing waits for the next attempt any more: ShuttingDown. ConfigurationError if [swift]
        cannot work.
        """
        container = conf.swift.container
        if not container or '/' in container or len(container.encode()) > MAX_NAME:
            raise exceptions.ConfigurationError(
                f'[swift]container: {container!r} is no name for a container, which has 1 to {MAX_NAME} bytes and no /'
            )
        keystone.check(conf, swift_conf.GROUP)
        self._conf = conf
        self._stopping = stopping
        self._attempt_interval = attempt_interval
        self._container = f'/{parse.quote(container, safe="")}'
        self._connection = remote.Connection(self._connect)

    def get(self, name: str) -> bytes:
        """Return the content of an object; NotFound if there is no such object."""
        try:
            # Its copies may differ for a while after a write that not all disks could take part in.
            return self._request('GET', self._path(name), headers={'X-Newest': 'true'}).body
        except _Missing as exc:
            raise exceptions.NotFound(str(exc)) from exc

    def put(self, name: str, content: bytes) -> None:
        """Write an object, in place of the one that had the name; it lives for [swift]delete_after."""
        lifetime = self._conf.swift.delete_after
        headers = {'X-Delete-After': str(lifetime)} if lifetime else {}
        try:
            self._request('PUT', self._path(name), content=content, headers=headers)
        except _Missing:
            self._request('PUT', self._container)
            self._request('PUT', self._path(name), content=content, headers=headers)

    def _path(self, name: str) -> str:
        return f'{self._container}/{parse.quote(name, safe="")}'

    def _request(self, method: str, path: str, **kwargs: Any) -> keystone.Answer:
        deadline = time.monotonic() + PATIENCE

        def pause(_exc: Unavailable, attempts: int) -> float | None:
            return self._attempt_interval if attempts < ATTEMPTS and time.monotonic() < deadline else None

        return remote.persist(
            lambda: self._attempt(method, path, **kwargs),
            pause,
            failure=Unavailable,
            stopping=self._stopping,
            title=f'Swift: {method} {path}',
        )

    def _attempt(self, method: str, path: str, **kwargs: Any) -> keystone.Answer:
        try:
            answer = self._connection.request(method, path, **kwargs)
        except keystone.Failure as exc:
            raise Unavailable(
                f'Swift cannot be reached, check that it is up and that [swift] leads to it: {exc}'
            ) from exc
        # Nothing follows redirections: the request has not been carried out.
        if answer.status < 300:
            return answer
        # Its bodies only say the same in HTML.
        reason = f'Swift answered {answer.status} {answer.reason} to {method} {path}'
        if answer.status == 404:
            raise _Missing(f'{reason}: check that [swift] leads to an account of Swift')
        if answer.status in (401, 403):
            raise exceptions.StoreError(f'{reason}: check the credentials in [swift]')
        if answer.status >= 500 or answer.status in _TRANSIENT:
            raise Unavailable(reason)
        raise exceptions.StoreError(reason)

    def _connect(self) -> keystone.Endpoint:
        return keystone.connect(
            self._conf,
            swift_conf.GROUP,
            versions=None,
            timeout=ANSWER_TIMEOUT,
            connections=self._conf.max_concurrency,
        )
