"""Metrics for Prometheus, named as https://prometheus.io/docs/practices/naming/ says.

No label holds anything that there may be any number of, such as a node, a rule or a URL as it was sent.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import ssl
from typing import Any

from keystoneauth1 import exceptions as ks_exceptions
from oslo_log import log
import prometheus_client
from prometheus_client import core
import urllib3

from ironic_inspector import version
from ironic_inspector.common import metrics
from ironic_inspector.introspection_state import Events
from ironic_inspector.introspection_state import States

LOG = log.getLogger(__name__)

PREFIX = 'ironic_inspector'
FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30)
"""Buckets of what takes milliseconds, in seconds."""
CALLS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Buckets of requests to Ironic."""
PHASES = (0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200)
"""Buckets of the phases of an introspection, some of which wait for a machine to boot."""

_RESULTS = {
    Events.FINISH: 'finished',
    Events.TIMEOUT: 'timeout',
    Events.ABORT_END: 'aborted',
}
"""How an attempt has ended, by the last event; by any other one it has failed."""
_PATH_WORDS = frozenset(
    (
        'allocations', 'boot_device', 'chassis', 'detail', 'inventory', 'maintenance', 'management', 'nodes',
        'portgroups', 'ports', 'power', 'provision', 'states', 'traits', 'validate', 'vifs',
    )
)  # fmt: skip
"""Parts of Ironic's paths that name no object."""


class PrometheusMetrics(metrics.Metrics):
    """Counts in a registry of its own."""

    enabled = True

    def __init__(self) -> None:
        self.registry = prometheus_client.CollectorRegistry()
        prometheus_client.ProcessCollector(registry=self.registry)
        prometheus_client.Info(f'{PREFIX}_build', 'Version of the service.', registry=self.registry).info(
            {'version': version.release()}
        )
        self._started = self._counter(
            'introspections_started', 'Attempts that began: introspections, and stored data reapplied.', 'kind'
        )
        self._ended = self._counter('introspections', 'Attempts that ended, by their result.', 'kind', 'result')
        self._phases = self._histogram(
            'introspection_phase_duration_seconds',
            'Time that attempts spent in a state; total: whole introspections, without reapplying.',
            PHASES,
            'phase',
        )
        self._callbacks = self._counter(
            'callbacks', 'Callbacks of ramdisks, by the class of the HTTP status and the reason.', 'status', 'reason'
        )
        self._requests = self._counter(
            'ironic_requests', 'Requests to Ironic; status none: no answer.', 'method', 'path', 'status'
        )
        self._request_seconds = self._histogram(
            'ironic_request_duration_seconds', 'Time until Ironic answered, or did not.', CALLS, 'method', 'path'
        )
        self._request_errors = self._counter('ironic_errors', 'Requests to Ironic that failed.', 'kind')
        self._hooks = self._histogram(
            'hook_duration_seconds', 'Time that processing hooks took for one node.', FAST, 'hook', 'step'
        )
        self._hook_failures = self._counter('hook_failures', 'Calls of hooks that failed.', 'hook', 'step')
        self._rules = self._histogram(
            'rules_duration_seconds', 'Time that all introspection rules took for one node.', FAST, 'step'
        )
        self._rule_failures = self._counter('rules_failures', 'Nodes that rules failed.', 'step')
        self._syncs = self._counter('pxe_filter_syncs', 'Synchronisations of the PXE filter.', 'result')
        self._sync_seconds = self._histogram(
            'pxe_filter_sync_duration_seconds', 'Time that a synchronisation of the PXE filter took.', FAST
        )
        self._last_sync = prometheus_client.Gauge(
            f'{PREFIX}_pxe_filter_last_success_timestamp_seconds',
            'When the PXE filter was last synchronised.',
            registry=self.registry,
        )

    def began(self, event: str) -> None:
        """See Metrics.began."""
        self._started.labels('reapplication' if event == Events.REAPPLY else 'introspection').inc()

    def transition(self, transition: metrics.Transition) -> None:
        """See Metrics.transition."""
        if transition.before not in States.ACTIVE:
            return
        if transition.seconds_before is not None:
            self._phases.labels(transition.before).observe(max(transition.seconds_before, 0.0))
        if transition.after not in States.ENDED:
            return
        reapplied = transition.before == States.REAPPLYING
        kind = 'reapplication' if reapplied else 'introspection'
        self._ended.labels(kind, _RESULTS.get(transition.event, 'failed')).inc()
        if transition.seconds_in_all is not None and not reapplied:
            self._phases.labels('total').observe(max(transition.seconds_in_all, 0.0))

    def callback(self, status: int, reason: str) -> None:
        """See Metrics.callback."""
        self._callbacks.labels(f'{status // 100}xx', reason).inc()

    def ironic_answered(self, method: str, path: str, status: int, seconds: float) -> None:
        """See Metrics.ironic_answered."""
        self._count_request(method, path, str(status), seconds)
        if status >= 300:
            self._request_errors.labels(kind_of_status(status)).inc()

    def ironic_failed(self, method: str, path: str, failure: Exception, seconds: float) -> None:
        """See Metrics.ironic_failed."""
        self._count_request(method, path, 'none', seconds)
        self._request_errors.labels(kind_of_failure(failure)).inc()

    @contextlib.contextmanager
    def hook(self, name: str, step: str) -> Iterator[None]:
        """See Metrics.hook."""
        with self._hooks.labels(name, step).time(), self._hook_failures.labels(name, step).count_exceptions():
            yield

    @contextlib.contextmanager
    def rules(self, step: str) -> Iterator[None]:
        """See Metrics.rules."""
        with self._rules.labels(step).time(), self._rule_failures.labels(step).count_exceptions():
            yield

    @contextlib.contextmanager
    def pxe_filter_sync(self) -> Iterator[None]:
        """See Metrics.pxe_filter_sync."""
        result = 'failed'
        try:
            with self._sync_seconds.time():
                yield
            self._last_sync.set_to_current_time()
            result = 'done'
        finally:
            self._syncs.labels(result).inc()

    def watch_states(self, count: Callable[[], Mapping[str, int]]) -> None:
        """See Metrics.watch_states."""
        self.registry.register(_Collector(lambda: _states(count)))

    def watch_work(self, load: Callable[[], metrics.Load]) -> None:
        """See Metrics.watch_work."""
        self.registry.register(_Collector(lambda: _work(load())))

    def app(self) -> Any:
        """See Metrics.app."""
        return prometheus_client.make_wsgi_app(self.registry)

    def _count_request(self, method: str, path: str, status: str, seconds: float) -> None:
        kind = template_of(path)
        self._requests.labels(method, kind, status).inc()
        self._request_seconds.labels(method, kind).observe(seconds)

    def _counter(self, name: str, text: str, *labels: str) -> prometheus_client.Counter:
        return prometheus_client.Counter(f'{PREFIX}_{name}', text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: Iterable[float], *labels: str) -> prometheus_client.Histogram:
        return prometheus_client.Histogram(
            f'{PREFIX}_{name}', text, labels, buckets=tuple(buckets), registry=self.registry
        )


class _Collector:
    """Asks when the metrics are read."""

    def __init__(self, collect: Callable[[], Iterable[core.Metric]]) -> None:
        self._collect = collect

    def collect(self) -> Iterable[core.Metric]:
        return self._collect()

    def describe(self) -> Iterable[core.Metric]:
        # Nothing is asked at the registration.
        return ()


def _states(count: Callable[[], Mapping[str, int]]) -> Iterator[core.Metric]:
    up = 1
    counts: Mapping[str, int] = {}
    try:
        counts = count()
    except Exception as exc:  # noqa: BLE001
        # All other metrics are worth having while the database, by whatever it raises, is away.
        LOG.warning('The states of nodes cannot be counted: %s', exc)
        up = 0
    yield core.GaugeMetricFamily(f'{PREFIX}_database_up', 'Whether the database answers.', value=up)
    nodes = core.GaugeMetricFamily(f'{PREFIX}_nodes', 'Nodes with a record, by state.', labels=['state'])
    if up:
        for state in States.ALL:
            nodes.add_metric([state], counts.get(state, 0))
    yield nodes


def _work(load: metrics.Load) -> Iterator[core.Metric]:
    for name, text, value in (
        ('work_in_progress', 'Requests and tasks that work on nodes, or wait for a thread to do so.', load.going_on),
        ('work_queued', 'Tasks that wait for a thread.', load.queued),
        ('work_queue_age_seconds', 'Time that the first of the tasks in the queue has been waiting.', load.age),
    ):
        yield core.GaugeMetricFamily(f'{PREFIX}_{name}', text, value=value)


def template_of(path: str) -> str:
    """Return the kind of a path of Ironic's API: with {id} in place of all that names an object."""
    return '/'.join(part if part in _PATH_WORDS or not part else '{id}' for part in path.split('/'))


def kind_of_status(status: int) -> str:
    """Return what an HTTP status of Ironic that is no success means."""
    if status >= 500:
        return 'server-error'
    return {401: 'not-authenticated', 404: 'not-found', 409: 'conflict'}.get(status, 'refused')


def kind_of_failure(failure: BaseException) -> str:
    """Return why there was no answer: timeout, tls, not-authenticated or unreachable."""
    for kind, classes in _FAILURES:
        if isinstance(failure, classes):
            return kind
    return 'unreachable'


_FAILURES: tuple[tuple[str, tuple[type[BaseException], ...]], ...] = (
    # An address that refuses at once is urllib3's NewConnectionError, to it a kind of timeout.
    ('unreachable', (urllib3.exceptions.NewConnectionError,)),
    ('timeout', (urllib3.exceptions.TimeoutError, ks_exceptions.ConnectTimeout, TimeoutError)),
    ('tls', (urllib3.exceptions.SSLError, ks_exceptions.SSLError, ssl.SSLError)),
    (
        'not-authenticated',
        (ks_exceptions.Unauthorized, ks_exceptions.AuthorizationFailure, ks_exceptions.AuthPluginException),
    ),
)
