"""Users and their passwords, in a file as Apache's htpasswd writes it."""

from __future__ import annotations

import os
import re
import threading

import bcrypt

MAX_PASSWORD = 72
"""Bytes of a password that bcrypt looks at."""
# The salt ends in a character of which two bits count: bcrypt refuses others when a password is checked.
_DIGEST = re.compile(rb'\$2[aby]\$(?:0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}')
_NOBODYS = b'$2b$10$' + 53 * b'.'


class Unreadable(Exception):
    """The file cannot be read, or has a line that is none of its kind; the text says which."""


class PasswordFile:
    """A file with lines `user:digest` whose digests are bcrypt's. It is read again when it changes."""

    def __init__(self, path: str) -> None:
        """Read the file at `path`; Unreadable if that is not possible."""
        self._path = path
        self._lock = threading.Lock()
        self._seen: object = None
        self._digests: dict[bytes, bytes] = {}
        self._follow()

    def has(self, user: bytes, password: bytes) -> bool:
        """Tell whether a user has a password; Unreadable if the file has become so.

        That takes the same time for a user who is not in the file.
        """
        digests = self._follow()
        # In place of one that is not there comes another one, always the same for a name: so the time tells nothing,
        # even if the digests in the file differ in their costs.
        others = list(digests.values()) or [_NOBODYS]
        digest = digests.get(user) or others[hash(user) % len(others)]
        # htpasswd cannot digest the byte 0: no password has it.
        matches = bcrypt.checkpw(password.replace(b'\0', b'')[:MAX_PASSWORD], digest)
        return matches and user in digests and b'\0' not in password

    def _follow(self) -> dict[bytes, bytes]:
        with self._lock:
            try:
                now = os.stat(self._path)
                seen = (now.st_mtime_ns, now.st_size, now.st_ino)
                if seen != self._seen:
                    # What was there before must not hold any more, even if what is there now cannot be read.
                    self._seen = None
                    with open(self._path, 'rb') as file:
                        self._digests = _parse(file.read())
                    self._seen = seen
            except OSError as exc:
                raise Unreadable(str(exc)) from exc
            return self._digests


def _parse(content: bytes) -> dict[bytes, bytes]:
    """Return the digests by their users; Unreadable, with the number of a line that is none of htpasswd -B."""
    digests: dict[bytes, bytes] = {}
    for number, line in enumerate(content.splitlines(), 1):
        entry = line.strip()
        if not entry or entry.startswith(b'#'):
            continue
        user, colon, digest = entry.partition(b':')
        if not user or not colon or not _DIGEST.fullmatch(digest):
            raise Unreadable(f'line {number} is not USER:DIGEST with a digest of bcrypt: write it with htpasswd -B')
        digests.setdefault(user, digest)
    return digests
