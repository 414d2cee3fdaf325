"""The minor versions of the API that a request can ask for."""

from __future__ import annotations

import re

from werkzeug import datastructures

from ironic_inspector.common import exceptions

Version = tuple[int, int]

MINIMUM: Version = (1, 0)
MAXIMUM: Version = (1, 19)
SERVICE_TYPE = 'baremetal-introspection'

VERSION_HEADER = 'X-OpenStack-Ironic-Inspector-API-Version'
MINIMUM_HEADER = 'X-OpenStack-Ironic-Inspector-API-Minimum-Version'
MAXIMUM_HEADER = 'X-OpenStack-Ironic-Inspector-API-Maximum-Version'
STANDARD_HEADER = 'OpenStack-API-Version'

_PATTERN = re.compile(r'([0-9]{1,4})\.([0-9]{1,4})')


class VersionNotSupported(exceptions.InvalidRequest):
    """The version that a request asks for lies outside of what there is."""

    code = 'version-not-supported'


def text_of(version: Version) -> str:
    """Write a version as it stands in headers."""
    return f'{version[0]}.{version[1]}'


def requested(headers: datastructures.Headers) -> Version:
    """Return the version that the headers of a request ask for, the newest if they ask for none.

    InvalidRequest if it is malformed, VersionNotSupported if there is no such version.
    """
    # Empty, it says nothing.
    value: str | None = headers.get(VERSION_HEADER, '').strip()
    if not value:
        value = _standard(headers.get(STANDARD_HEADER, ''))
    if value is None or value.strip().lower() == 'latest':
        return MAXIMUM
    match = _PATTERN.fullmatch(value.strip())
    if match is None:
        raise exceptions.InvalidRequest(
            f'The API version {value!r} is malformed: it must be "X.Y", for example {text_of(MAXIMUM)}, or "latest"'
        )
    version = int(match[1]), int(match[2])
    if not MINIMUM <= version <= MAXIMUM:
        raise VersionNotSupported(
            f'The API version {value} is not supported: ask for {text_of(MINIMUM)} to {text_of(MAXIMUM)}'
        )
    return version


def _standard(header: str) -> str | None:
    """Return what the standard header says for this service; it may list others, separated by commas."""
    for part in header.split(','):
        service, _space, version = part.strip().partition(' ')
        if service.lower() == SERVICE_TYPE:
            return version
    return None
