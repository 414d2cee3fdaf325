"""What the parts of the service tell of what they do, to be counted."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
import contextlib
import dataclasses
from typing import Any
from typing import NamedTuple

from oslo_config import cfg

from ironic_inspector.common import exceptions

_NOTHING: contextlib.AbstractContextManager[None] = contextlib.nullcontext()


@dataclasses.dataclass(frozen=True)
class Transition:
    """A change of the state of an introspection, as it was committed."""

    before: str
    after: str
    event: str
    seconds_before: float | None
    """How long the introspection was in the state `before`; None if that is not known."""
    seconds_in_all: float | None
    """How long the introspection has been going on; None if that is not known."""


class Load(NamedTuple):
    """How much a pool of threads has to do."""

    going_on: int
    """All work that has not ended: requests that change something, and what was handed to the pool."""
    queued: int
    """What of that waits for a thread."""
    age: float
    """Seconds that the first of these has been waiting."""


class Metrics:
    """Counts nothing: what there is where [metrics]enabled is off. `prometheus.PrometheusMetrics` is the other one."""

    enabled = False
    """Whether it is worthwhile to find out what is to be counted."""

    def began(self, event: str) -> None:
        """Count an attempt that begins by `event`."""

    def transition(self, transition: Transition) -> None:
        """Count a change of state."""

    def callback(self, status: int, reason: str) -> None:
        """Count a callback by the HTTP status of its answer and the code of its failure."""

    def ironic_answered(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count a request that Ironic answered."""

    def ironic_failed(self, method: str, path: str, failure: Exception, seconds: float) -> None:
        """Count a request that Ironic did not answer."""

    def hook(self, name: str, step: str) -> contextlib.AbstractContextManager[None]:  # noqa: ARG002
        """Time the `with` block, in which a hook is called by its method `step`."""
        return _NOTHING

    def rules(self, step: str) -> contextlib.AbstractContextManager[None]:  # noqa: ARG002
        """Time the `with` block, in which rules do `step`: conditions or actions."""
        return _NOTHING

    def pxe_filter_sync(self) -> contextlib.AbstractContextManager[None]:
        """Time the `with` block, in which the PXE filter is synchronised."""
        return _NOTHING

    def watch_states(self, count: Callable[[], Mapping[str, int]]) -> None:
        """Ask `count` for the number of nodes by state whenever the metrics are read; it may raise anything."""

    def watch_work(self, load: Callable[[], Load]) -> None:
        """Ask `load` whenever the metrics are read."""

    def app(self) -> Any:
        """Return a WSGI application that answers any request with all metrics; None if there are none."""
        return None


OFF = Metrics()


def create(conf: cfg.ConfigOpts) -> Metrics:
    """Return what counts, as [metrics] says; ConfigurationError if that cannot work."""
    options = conf.metrics
    if not options.enabled:
        return OFF
    if options.listen_address and not options.listen_port:
        raise exceptions.ConfigurationError('[metrics]listen_address: set listen_port as well')
    try:
        # By need: it is no small package, and not installed everywhere.
        from ironic_inspector.common import prometheus
    except ImportError as exc:
        raise exceptions.ConfigurationError(f'[metrics]enabled: install prometheus_client ({exc})') from exc
    return prometheus.PrometheusMetrics()
