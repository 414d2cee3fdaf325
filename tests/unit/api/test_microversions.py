"""Which version of the API a request asks for."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import Headers

from ironic_inspector.api import microversions
from ironic_inspector.common import exceptions

OWN, STANDARD = microversions.VERSION_HEADER, microversions.STANDARD_HEADER


@pytest.mark.parametrize(
    ('headers', 'version'),
    [
        ({}, microversions.MAXIMUM),
        ({OWN: '1.0'}, (1, 0)),
        ({OWN: ' 1.18 '}, (1, 18)),
        ({OWN: '1.19'}, (1, 19)),
        ({OWN: 'latest'}, microversions.MAXIMUM),
        ({STANDARD: 'baremetal-introspection 1.5'}, (1, 5)),
        ({STANDARD: 'baremetal-introspection latest'}, microversions.MAXIMUM),
        ({STANDARD: 'compute 2.1, baremetal-introspection 1.5'}, (1, 5)),
        ({STANDARD: 'compute 2.1'}, microversions.MAXIMUM),
        ({OWN: '1.3', STANDARD: 'baremetal-introspection 1.5'}, (1, 3)),
        ({OWN: ''}, microversions.MAXIMUM),
        ({OWN: ' '}, microversions.MAXIMUM),
        ({OWN: '', STANDARD: 'baremetal-introspection 1.5'}, (1, 5)),
    ],
)
def test_versions_that_there_are(headers: dict[str, str], version: tuple[int, int]) -> None:
    assert microversions.requested(Headers(headers)) == version


@pytest.mark.parametrize('value', ['x', '1', '1.', '.1', '1.2.3', '-1.2', '1.x', '١.٢', '1.99999', 'newest'])
@pytest.mark.parametrize('header', [OWN, STANDARD])
def test_malformed_versions(header: str, value: str) -> None:
    prefix = 'baremetal-introspection ' if header == STANDARD else ''
    with pytest.raises(exceptions.InvalidRequest) as failure:
        microversions.requested(Headers({header: prefix + value}))
    assert not isinstance(failure.value, microversions.VersionNotSupported)


def test_a_service_without_its_version() -> None:
    with pytest.raises(exceptions.InvalidRequest, match='malformed'):
        microversions.requested(Headers({STANDARD: 'baremetal-introspection '}))


@pytest.mark.parametrize('value', ['0.9', '1.20', '2.0', '9999.9999'])
def test_versions_that_there_are_not(value: str) -> None:
    with pytest.raises(microversions.VersionNotSupported, match=r'1\.0 to 1\.19'):
        microversions.requested(Headers({OWN: value}))
