"""Rules over HTTP, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.functional.lab import Lab

Json = dict[str, Any]

VERSION = 'X-OpenStack-Ironic-Inspector-API-Version'
OF_12_5 = '1.18'
NEWEST = '1.19'
UUID = '7d1f0a52-93c1-4a2b-8a55-0c3f6f1f9d10'
OTHER = '7d1f0a52-93c1-4a2b-8a55-0c3f6f1f9d11'
ACTION: Json = {'action': 'set-attribute', 'path': '/extra/rule', 'value': 'applied'}
CONDITION: Json = {'op': 'ge', 'field': 'memory_mb', 'value': 1}


def ask(lab: Lab, method: str, path: str = '', *, version: str | None = None, **kwargs: Any) -> requests.Response:
    """Send a request about rules; `path` comes after /v1/rules."""
    headers = {VERSION: version} if version else {}
    return lab.inspector.call(method, f'/v1/rules{path}', headers=headers, **kwargs)


def create(lab: Lab, *actions: Json, **more: Any) -> Json:
    """Create a rule, with an action of its own if there is none, and return it as the service shows it."""
    answer = ask(lab, 'POST', json={'actions': list(actions or [ACTION]), **more})
    assert answer.status_code == 201, answer.text
    rule: Json = answer.json()
    return rule


def preview(lab: Lab, **body: Any) -> Json:
    """Return what a preview tells."""
    answer = ask(lab, 'POST', '/preview', json=body)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


@pytest.fixture
def no_rules(lab: Lab) -> Iterator[None]:
    """After the test the service has no rules any more."""
    yield
    assert ask(lab, 'DELETE').status_code == 204
