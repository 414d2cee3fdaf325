"""What labels can hold, and that nothing is imported or counted where the metrics are off."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
from typing import Any

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keystoneauth1 import exceptions as ks_exceptions
from oslo_config import cfg
import prometheus_client
from prometheus_client import parser
import pytest
import urllib3

from ironic_inspector.common import exceptions
from ironic_inspector.common import metrics
from ironic_inspector.common import prometheus
from ironic_inspector.introspection_state import TRANSITIONS
from ironic_inspector.introspection_state import Events
from ironic_inspector.introspection_state import States

POOL: Any = None
ROOT = pathlib.Path(__file__).parents[3]


def samples(counted: prometheus.PrometheusMetrics) -> dict[tuple[str, ...], float]:
    text = prometheus_client.generate_latest(counted.registry).decode()
    return {
        (sample.name.removeprefix('ironic_inspector_'), *sample.labels.values()): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ('path', 'kind'),
    [
        ('/nodes', '/nodes'),
        ('/nodes/1be26c0b-03f2-4d2e-ae87-c02d7f33c123', '/nodes/{id}'),
        ('/nodes/a%2Fb/states/power', '/nodes/{id}/states/power'),
        ('/nodes/n/management/boot_device', '/nodes/{id}/management/boot_device'),
        ('/nodes/n/traits/CUSTOM_FAST', '/nodes/{id}/traits/{id}'),
        ('/ports/detail', '/ports/detail'),
        ('/ports/p', '/ports/{id}'),
    ],
)
def test_paths_of_ironic_become_kinds(path: str, kind: str) -> None:
    assert prometheus.template_of(path) == kind


@settings(deadline=None)
@given(st.text(alphabet='abc-0/{}%"\n\\', max_size=40))
def test_nothing_else_gets_into_a_label(name: str) -> None:
    assert set(prometheus.template_of(f'/nodes/{name}').split('/')) <= {'', 'nodes', '{id}'}


@pytest.mark.parametrize(
    ('failure', 'kind'),
    [
        (urllib3.exceptions.NewConnectionError(POOL, 'refused'), 'unreachable'),
        (urllib3.exceptions.ConnectTimeoutError(POOL, 'slow'), 'timeout'),
        (urllib3.exceptions.ReadTimeoutError(POOL, '/', 'slow'), 'timeout'),
        (urllib3.exceptions.ProtocolError('cut'), 'unreachable'),
        (urllib3.exceptions.SSLError('who are you'), 'tls'),
        (ks_exceptions.SSLError('who are you'), 'tls'),
        (ks_exceptions.ConnectTimeout('slow'), 'timeout'),
        (ks_exceptions.ConnectFailure('refused'), 'unreachable'),
        (ks_exceptions.Unauthorized('no'), 'not-authenticated'),
        (ks_exceptions.EndpointNotFound('where'), 'unreachable'),
        (OSError('no certificate'), 'unreachable'),
    ],
)
def test_why_there_was_no_answer(failure: Exception, kind: str) -> None:
    assert prometheus.kind_of_failure(failure) == kind


@pytest.mark.parametrize(
    ('status', 'kind'),
    [
        (302, 'refused'),
        (400, 'refused'),
        (401, 'not-authenticated'),
        (404, 'not-found'),
        (409, 'conflict'),
        (500, 'server-error'),
        (503, 'server-error'),
    ],
)
def test_what_a_status_means(status: int, kind: str) -> None:
    assert prometheus.kind_of_status(status) == kind


@pytest.mark.parametrize(('before', 'event'), TRANSITIONS)
def test_every_transition_counts_once_if_it_ends_something(before: str, event: str) -> None:
    counted = prometheus.PrometheusMetrics()
    after = TRANSITIONS[before, event]
    counted.transition(metrics.Transition(before, after, event, 1.0, 2.0))
    found = samples(counted)
    ended = {key[1:]: value for key, value in found.items() if key[0] == 'introspections_total'}
    phases = {key[1] for key in found if key[0] == 'introspection_phase_duration_seconds_count'}
    if before in States.ENDED:
        assert (ended, phases) == ({}, set())
    elif after in States.ENDED:
        kind = 'reapplication' if before == States.REAPPLYING else 'introspection'
        results = {Events.FINISH: 'finished', Events.TIMEOUT: 'timeout', Events.ABORT_END: 'aborted'}
        assert ended == {(kind, results.get(event, 'failed')): 1.0}
        assert phases == ({before} if kind == 'reapplication' else {before, 'total'})
    else:
        assert (ended, phases) == ({}, {before})


def test_a_clock_that_was_set_back_and_times_that_are_not_known() -> None:
    counted = prometheus.PrometheusMetrics()
    counted.transition(metrics.Transition(States.WAITING, States.PROCESSING, Events.PROCESS, -5.0, None))
    counted.transition(metrics.Transition(States.PROCESSING, States.FINISHED, Events.FINISH, None, None))
    found = samples(counted)
    assert found['introspection_phase_duration_seconds_sum', States.WAITING] == 0
    assert ('introspection_phase_duration_seconds_count', 'total') not in found


def test_what_fails_is_counted_and_raised_on() -> None:
    counted = prometheus.PrometheusMetrics()
    with pytest.raises(LookupError), counted.hook('mine', 'before_update'):
        raise LookupError
    with pytest.raises(LookupError), counted.rules('actions'):
        raise LookupError
    with pytest.raises(LookupError), counted.pxe_filter_sync():
        raise LookupError
    found = samples(counted)
    assert found['hook_failures_total', 'mine', 'before_update'] == 1
    assert found['hook_duration_seconds_count', 'mine', 'before_update'] == 1
    assert found['rules_failures_total', 'actions'] == 1
    assert found['pxe_filter_syncs_total', 'failed'] == 1
    assert found['pxe_filter_last_success_timestamp_seconds',] == 0


def test_every_metric_is_documented() -> None:
    counted = prometheus.PrometheusMetrics()
    counted.watch_states(dict)
    counted.watch_work(lambda: metrics.Load(0, 0, 0.0))
    text = prometheus_client.generate_latest(counted.registry).decode()
    names = set(re.findall(r'^# TYPE ironic_inspector_(\S+) ', text, re.MULTILINE))
    names = {name for name in names if not name.endswith('_created')}
    assert len(names) > 15
    written = (ROOT / 'doc/source/operating.rst').read_text()
    documented = set(re.findall(r'^``(\w+)`` \((?:counter|gauge|histogram)', written, re.MULTILINE))
    assert names == documented


def test_two_in_one_process_do_not_meet() -> None:
    one, other = prometheus.PrometheusMetrics(), prometheus.PrometheusMetrics()
    one.began(Events.START)
    assert ('introspections_started_total', 'introspection') in samples(one)
    assert ('introspections_started_total', 'introspection') not in samples(other)


def test_without_metrics_prometheus_is_not_imported() -> None:
    code = 'import sys, ironic_inspector.cmd.inspector; sys.exit("prometheus_client" in sys.modules)'
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0


def test_off_is_off(conf: cfg.ConfigOpts) -> None:
    counted = metrics.create(conf)
    assert not counted.enabled
    assert counted.app() is None
    with counted.hook('a', 'b'), counted.rules('c'), counted.pxe_filter_sync():
        pass


def test_a_package_that_is_missing_is_named(conf: cfg.ConfigOpts, monkeypatch: pytest.MonkeyPatch) -> None:
    conf.set_override('enabled', True, 'metrics')
    monkeypatch.setitem(sys.modules, 'prometheus_client', None)
    monkeypatch.delitem(sys.modules, 'ironic_inspector.common.prometheus')
    monkeypatch.delattr('ironic_inspector.common.prometheus')
    with pytest.raises(exceptions.ConfigurationError, match='prometheus_client'):
        metrics.create(conf)
