"""What the functions behind the URLs work with."""

from __future__ import annotations

from collections.abc import Callable
import dataclasses
from typing import Any

import flask
from oslo_config import cfg

from ironic_inspector.api import access
from ironic_inspector.api import budget
from ironic_inspector.conductor.manager import ConductorManager
from ironic_inspector.conductor.services import Services


@dataclasses.dataclass(frozen=True)
class Api:
    """The service as its API sees it, in `app.extensions['inspector']`."""

    conf: cfg.ConfigOpts
    conductor: ConductorManager
    access: access.Access
    describe: Callable[[], dict[str, Any]]
    """Returns the description of the API; see openapi.py."""
    bodies: budget.Budget = dataclasses.field(default_factory=budget.Budget)

    @property
    def services(self) -> Services:
        """What can be read without asking the conductor."""
        return self.conductor.services


def current() -> Api:
    """Return the Api of the application that handles the request."""
    api: Api = flask.current_app.extensions['inspector']
    return api


def link(path: str) -> str:
    """Return an absolute URL of this service, below the root that the request came in by."""
    return flask.request.url_root.rstrip('/') + path
