"""The metrics, as Prometheus reads them from a service that has done something."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import re

from prometheus_client import parser
import pytest
import requests

from tests.functional.lab import Lab
from tests.functional.lab import at_once
from tests.functional.lab import message
from tests.functional.lab import running_lab
from tests.service import until
from tools.processes import reserve_port

RULE = {
    'conditions': [{'op': 'eq', 'field': 'data://metrics_test', 'value': 'yes'}],
    'actions': [{'action': 'set-attribute', 'path': '/extra/metrics', 'value': 'yes'}],
}

ENDS = (
    ('introspection', 'finished'),
    ('introspection', 'failed'),
    ('introspection', 'aborted'),
    ('reapplication', 'finished'),
)


class Metrics:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self.families = {family.name: family for family in parser.text_string_to_metric_families(text)}
        self._samples = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def get(self, name: str, **labels: str) -> float:
        """Return the value of a sample, 0 if there is none."""
        return self._samples.get((f'ironic_inspector_{name}', *sorted(labels.items())), 0.0)


def scrape(lab: Lab, url: str | None = None) -> Metrics:
    answer = requests.get(url or f'{lab.inspector.url}/metrics', timeout=30)
    assert answer.status_code == 200, answer.text
    assert answer.headers['Content-Type'].startswith('text/plain')
    return Metrics(answer.text)


def ended(metrics: Metrics) -> list[float]:
    """Return how many introspections and reapplications have ended in each way."""
    return [metrics.get('introspections_total', kind=kind, result=result) for kind, result in ENDS]


@pytest.fixture(scope='module')
def counting_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp('inspector'), metrics={'enabled': True}) as lab:
        yield lab


def test_what_happened_to_a_node_is_counted(counting_lab: Lab) -> None:
    lab = counting_lab
    before = scrape(lab)
    assert lab.inspector.call('POST', '/v1/rules', json=RULE).status_code == 201
    machine = lab.finished(metrics_test='yes')
    assert lab.reapply(machine).status_code == 202
    lab.ended(machine)
    lab.failed()
    aborted = lab.waiting()
    assert lab.abort(aborted).status_code == 202
    lab.ended(aborted)
    assert lab.call_back(lab.stranger().data()).status_code == 404
    assert lab.call_back(b'[]').status_code == 400
    # The end of an introspection is counted after the database, which the state comes from, has it; its time last.
    until(lambda: sum(ended(scrape(lab))) - sum(ended(before)) == 4)
    duration = 'introspection_phase_duration_seconds_count'
    until(lambda: scrape(lab).get(duration, phase='total') - before.get(duration, phase='total') == 3)
    after = scrape(lab)

    def more(name: str, **labels: str) -> float:
        return after.get(name, **labels) - before.get(name, **labels)

    assert more('introspections_started_total', kind='introspection') == 3
    assert more('introspections_started_total', kind='reapplication') == 1
    assert [now - then for now, then in zip(ended(after), ended(before), strict=True)] == [1, 1, 1, 1]
    phases = {'starting': 3, 'waiting': 3, 'processing': 1, 'reapplying': 1, 'aborting': 1, 'total': 3}
    for phase, count in phases.items():
        assert more('introspection_phase_duration_seconds_count', phase=phase) >= count, phase
    assert more('callbacks_total', status='2xx', reason='accepted') == 1
    assert more('callbacks_total', status='4xx', reason='not-found') == 1
    assert more('callbacks_total', status='4xx', reason='introspection-failed') == 1
    assert (
        more('callbacks_total', status='4xx', reason='invalid-data')
        + more('callbacks_total', status='4xx', reason='invalid')
        == 1
    )
    assert more('ironic_requests_total', method='PUT', path='/nodes/{id}/states/power', status='202') == 5
    assert more('ironic_request_duration_seconds_count', method='PATCH', path='/nodes/{id}') >= 1
    for step in ('before_processing', 'before_update'):
        assert more('hook_duration_seconds_count', hook='validate_interfaces', step=step) >= 2
    assert more('rules_duration_seconds_count', step='conditions') == 2
    assert more('rules_duration_seconds_count', step='actions') == 2
    assert more('pxe_filter_syncs_total', result='done') > 0
    assert after.get('pxe_filter_last_success_timestamp_seconds') > 1e9
    assert after.get('database_up') == 1


def test_no_label_holds_what_belongs_to_one_node(counting_lab: Lab) -> None:
    lab = counting_lab
    machine = lab.finished()
    text = requests.get(f'{lab.inspector.url}/metrics', timeout=30).text
    for secret in (machine.uuid, machine.name, machine.mac, machine.bmc):
        assert secret not in text
    assert not re.search(r'[0-9a-f]{8}-[0-9a-f]{4}-', text)


def test_names_are_as_prometheus_wants_them(counting_lab: Lab) -> None:
    counting_lab.finished()
    own = [family for name, family in scrape(counting_lab).families.items() if name.startswith('ironic_inspector')]
    assert len(own) > 15
    for family in own:
        assert family.documentation.endswith('.'), family.name
        if family.type == 'histogram':
            assert family.name.endswith('_seconds'), family.name


def test_the_nodes_in_each_state(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(metrics={'enabled': True})
    lab.waiting()
    lab.failed()
    found = scrape(lab)
    assert {state: found.get('nodes', state=state) for state in ('waiting', 'error', 'finished')} == {
        'waiting': 1,
        'error': 1,
        'finished': 0,
    }


def test_errors_of_ironic_by_their_kind(counting_lab: Lab) -> None:
    lab = counting_lab
    machine = lab.machine()
    before = scrape(lab)
    with (
        lab.ironic.fail('GET', f'/nodes/{machine.uuid}$', 503, times=1),
        lab.ironic.fail('*', 'validate', 'drop', times=1),
    ):
        lab.waiting(machine)
    after = scrape(lab)
    for kind in ('server-error', 'unreachable'):
        assert after.get('ironic_errors_total', kind=kind) - before.get('ironic_errors_total', kind=kind) == 1
    assert after.get('ironic_requests_total', method='GET', path='/nodes/{id}/validate', status='none') >= 1


def test_work_in_progress_and_its_queue(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(metrics={'enabled': True}, DEFAULT={'max_concurrency': 2})
    machines = [lab.machine() for _ in range(3)]
    with lab.ironic.fail('PUT', 'boot_device', 'hang') as hanging:
        for machine in machines:
            assert lab.start(machine).status_code == 202
        assert lab.ironic.wait_for(lambda: hanging.hits == 2, 10)
        until(lambda: scrape(lab).get('work_in_progress') == 3)
        assert scrape(lab).get('work_queued') == 1
        assert scrape(lab).get('work_queue_age_seconds') > 0
    for machine in machines:
        lab.reached(machine, 'waiting')
    until(lambda: scrape(lab).get('work_in_progress') == 0)
    assert scrape(lab).get('work_queued') == 0


def test_without_its_tables_the_database_is_down_and_the_rest_is_there(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(metrics={'enabled': True})
    lab.finished()
    until(lambda: ended(scrape(lab)) == [1, 0, 0, 0])
    lab.sql('ALTER TABLE nodes RENAME TO gone')
    until(lambda: scrape(lab).families['ironic_inspector_database_up'].samples[0].value == 0)
    found = scrape(lab)
    assert found.families['ironic_inspector_nodes'].samples == []
    assert ended(found) == [1, 0, 0, 0]


def test_many_scrapes_at_once_are_one_query(counting_lab: Lab) -> None:
    found = at_once([lambda: scrape(counting_lab) for _ in range(20)])
    assert len({tuple(sample.value for sample in one.families['ironic_inspector_nodes'].samples) for one in found}) == 1


def test_off_there_is_nothing(lab: Lab) -> None:
    assert lab.inspector.call('GET', '/metrics').status_code == 404


def check_that_they_can_only_be_read(url: str) -> None:
    for method in ('POST', 'DELETE', 'HEAD'):
        answer = requests.request(method, url, data=b'{}', timeout=30)
        assert answer.status_code == 405
        assert answer.headers['Content-Type'] == 'application/json'
        assert 'GET' in answer.headers['Allow']
        assert method == 'HEAD' or 'can only be read' in message(answer)


def test_they_can_only_be_read(counting_lab: Lab) -> None:
    check_that_they_can_only_be_read(f'{counting_lab.inspector.url}/metrics')


def test_an_address_of_their_own(make_lab: Callable[..., Lab]) -> None:
    port = reserve_port()
    lab = make_lab(metrics={'enabled': True, 'listen_port': port})
    lab.finished()
    assert scrape(lab, f'http://127.0.0.1:{port}/metrics').get('database_up') == 1
    assert lab.inspector.call('GET', '/metrics').status_code == 404
    check_that_they_can_only_be_read(f'http://127.0.0.1:{port}/metrics')
    assert requests.options(f'http://127.0.0.1:{port}/metrics', timeout=30).status_code == 200
    assert lab.inspector.stop() == 0


@pytest.mark.parametrize('taken', [True, False])
def test_an_address_that_cannot_work_stops_the_start(make_lab: Callable[..., Lab], taken: bool) -> None:
    lab = make_lab(start=False)
    options = {'listen_port': lab.inspector.port} if taken else {'listen_address': '127.0.0.1'}
    lab.inspector.options['metrics'] = {'enabled': True, **options}
    lab.inspector.start(wait=False)
    assert lab.inspector.wait() == 1
    assert 'cannot start' in lab.inspector.log()
