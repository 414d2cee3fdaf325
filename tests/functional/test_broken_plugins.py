"""Plug-ins that are broken: it is said which one, and everything else goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.functional import elsewhere
from tests.functional.lab import Lab
from tests.functional.lab import message
from tests.functional.lab import running_lab
from tests.service import InspectorProcess
from tests.service import until

SOURCE = """
from futurist import periodics
from oslo_config import cfg

from ironic_inspector.plugins import base
from ironic_inspector.pxe_filter import interface

CONF = cfg.CONF
CONF.register_opts([cfg.IntOpt('number', default=1)], group='elsewhere')


def broken_by(data, place):
    return data.get('break') == place


def bang(*args, **kwargs):
    raise KeyError('bang')


class NotMade(base.ProcessingHook):
    __init__ = bang

class NotConfigured(base.ProcessingHook):
    configure = bang

class WrongDependencies(base.ProcessingHook):
    dependencies = 7

class Abstract(interface.FilterDriver):
    pass


class Hook:
    # Without the base class, and without one of the methods.
    def before_processing(self, introspection_data, **kwargs):
        if broken_by(introspection_data, 'before_processing'):
            bang()
        if broken_by(introspection_data, 'all data'):
            introspection_data.clear()


class Hook2(Hook, base.ProcessingHook):
    before_processing = base.ProcessingHook.before_processing

    def before_update(self, introspection_data, node_info, **kwargs):
        if broken_by(introspection_data, 'before_update'):
            bang()
        if broken_by(introspection_data, 'data'):
            introspection_data['seen'] = {1, 2}
        if broken_by(introspection_data, 'deep data'):
            introspection_data['seen'] = seen = []
            for _ in range(100_000):
                seen.append([])
                seen = seen[0]
        if broken_by(introspection_data, 'patch'):
            node_info.patch(None)
        if broken_by(introspection_data, 'place'):
            node_info.patch([{'op': 'add', 'path': '/properties/a/b', 'value': 1}])
        if broken_by(introspection_data, 'value'):
            node_info.patch([{'op': 'add', 'path': '/properties/seen', 'value': {1, 2}}])
        if broken_by(introspection_data, 'port'):
            node_info.patch_port('no port', [])
        if broken_by(introspection_data, 'trait'):
            node_info.add_trait(5)


class Condition(base.RuleConditionPlugin):
    REQUIRED_PARAMS = {'value'}

    def validate(self, params, **kwargs):
        if params['value'] == 'validate':
            bang()

    def check(self, node_info, field, params, **kwargs):
        if params['value'] == field == 'check':
            bang()
        return params['value'] == field and ['garbage']


class Action(base.RuleActionPlugin):
    def apply(self, node_info, params, **kwargs):
        bang()


class Store:
    def get(self, node_uuid, processed=True, get_json=False):
        return {1: bang, 2: lambda: None, 3: lambda: '[]', 4: lambda: '{', 5: lambda: {1, 2}}[CONF.elsewhere.number]()

    def save(self, node_uuid, data, processed=True):
        if broken_by(data, 'save'):
            bang()


class Filter(interface.FilterDriver):
    def init_filter(self):
        if CONF.elsewhere.number == 1:
            bang()

    sync = tear_down_filter = bang

    def get_periodic_sync_task(self):
        if CONF.elsewhere.number == 2:
            bang()
        return periodics.periodic(spacing=1)(bang)


class NoJson(base.NodeNotFoundHook):
    def new_node(self, introspection_data):
        return {'name': {1, 2}}


constant = 7
"""

ENTRY_POINTS = {
    'hooks.processing': {
        'not-made': 'NotMade',
        'not-configured': 'NotConfigured',
        'wrong-dependencies': 'WrongDependencies',
        'not-there': 'NotThere',
        'constant': 'constant',
        'hook': 'Hook',
        'hook2': 'Hook2',
    },
    'hooks.node_not_found': {'no-json': 'NoJson'},
    'rules.conditions': {'condition': 'Condition', 'abstract': 'base.RuleConditionPlugin', 'not-there': 'NotThere'},
    'rules.actions': {'action': 'Action', 'not-made': 'NotMade'},
    'introspection_data.store': {'store': 'Store', 'constant': 'constant'},
    'pxe_filter': {'filter': 'Filter', 'abstract': 'Abstract', 'constant': 'constant'},
}

HOOKS = '$default_processing_hooks,hook2'


@pytest.fixture(scope='module', autouse=True)
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp('elsewhere')
    elsewhere.install(folder, SOURCE, ENTRY_POINTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('PYTHONPATH', str(folder))
        yield


@pytest.fixture(scope='module')
def lab(tmp_path_factory: pytest.TempPathFactory, _installed: None) -> Any:
    """A service with broken plug-ins of all kinds but the stores."""
    options: dict[str, Any] = {
        'processing': {'processing_hooks': HOOKS},
        'pxe_filter': {'driver': 'filter'},
        'elsewhere': {'number': 3},
    }
    with running_lab(tmp_path_factory.mktemp('inspector'), **options) as running:
        yield running


# At the start


def refusal(process: InspectorProcess) -> str:
    """Let the service not start, and return the line that says why."""
    process.start(wait=False)
    assert process.wait() == 1
    (line,) = [line for line in process.log().splitlines() if 'cannot start' in line]
    return line


@pytest.mark.parametrize(
    ('option', 'name', 'says'),
    [
        ('processing_hooks', 'not-made', "cannot be loaded: KeyError('bang')"),
        ('processing_hooks', 'not-there', 'cannot be loaded: AttributeError('),
        ('processing_hooks', 'constant', 'cannot be loaded: TypeError('),
        ('processing_hooks', 'not-configured', "cannot be prepared: KeyError('bang')"),
        ('processing_hooks', 'wrong-dependencies', 'cannot be prepared: TypeError('),
        ('store_data', 'constant', 'cannot be loaded: TypeError('),
        ('driver', 'constant', 'cannot be loaded: TypeError('),
        ('driver', 'abstract', 'cannot be loaded: TypeError('),
    ],
)
def test_the_start_is_refused(
    make_inspector: Callable[..., InspectorProcess], option: str, name: str, says: str
) -> None:
    group = 'pxe_filter' if option == 'driver' else 'processing'
    process = make_inspector(start=False, **{group: {option: name}})
    assert f'[{group}]{option}: {name!r} {says}' in refusal(process)


@pytest.mark.parametrize('number', [1, 2])
def test_a_filter_that_does_not_start(make_inspector: Callable[..., InspectorProcess], number: int) -> None:
    process = make_inspector(start=False, pxe_filter={'driver': 'filter'}, elsewhere={'number': number})
    assert "[pxe_filter]driver: 'filter' cannot be prepared: KeyError('bang')" in refusal(process)


def test_a_wrong_value_for_an_option_of_a_plugin(make_inspector: Callable[..., InspectorProcess]) -> None:
    process = make_inspector(start=False, processing={'processing_hooks': 'hook2'}, elsewhere={'number': 'many'})
    line = refusal(process)
    assert 'number' in line
    assert "'many'" in line


# Hooks


@pytest.mark.parametrize(
    ('place', 'says'),
    [
        ('before_update', "Unexpected exception KeyError in hook hook2: 'bang'"),
        ('data', 'hook2) put something into the data that is not JSON: '),
        ('deep data', 'hook2) put something into the data that is not JSON: '),
        ('patch', 'Unexpected exception TypeError in hook hook2: '),
        ('place', 'The patch (add /properties/a/b) does not fit node'),
        ('value', 'What is to be written to Ironic cannot be sent (add /properties/capabilities, '),
        ('port', "Unexpected exception KeyError in hook hook2: 'no port'"),
        ('trait', 'What is to be written to Ironic cannot be sent (add trait 5)'),
    ],
)
def test_a_hook_that_fails_later(lab: Lab, place: str, says: str) -> None:
    machine = lab.waiting()
    answer = lab.call_back(machine.data(**{'break': place}))
    assert answer.status_code == 400
    assert says in message(answer)
    assert says in lab.status(machine)['error']
    assert lab.status(machine)['state'] == 'error'
    lab.finished(machine)


def test_the_log_names_a_hook_whose_patch_does_not_fit(lab: Lab) -> None:
    lab.call_back(lab.waiting().data(**{'break': 'place'}))
    assert lab.log_of('Hook hook2 failed: The patch (add /properties/a/b) does not fit node')


def test_a_hook_that_fails_at_once(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(processing={'processing_hooks': 'validate_interfaces,hook'})
    machine = lab.waiting()
    answer = lab.call_back(machine.data(**{'break': 'before_processing'}))
    assert "Unexpected exception KeyError in hook hook: 'bang'" in message(answer)
    assert "Unexpected exception KeyError in hook hook: 'bang'" in lab.status(machine)['error']
    # It throws away what machines are recognised by.
    machine = lab.waiting()
    assert lab.call_back(machine.data(**{'break': 'all data'})).status_code == 404
    assert lab.status(machine)['state'] == 'waiting'
    # It lacks a method.
    machine = lab.waiting()
    assert 'Unexpected exception AttributeError in hook hook: ' in message(lab.call_back(machine.data()))
    assert lab.status(machine)['state'] == 'error'


def test_a_hook_for_unknown_machines(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(processing={'node_not_found_hook': 'no-json'})
    answer = lab.call_back(lab.stranger().data())
    assert answer.status_code == 400
    assert 'no-json' in message(answer)
    (status,) = lab.inspector.call('GET', '/v1/introspection').json()['introspection']
    assert status['state'] == 'error'
    lab.finished()


# Rules


def test_rules(lab: Lab) -> None:
    def rule(value: str, **action: str) -> dict[str, Any]:
        condition = {'op': 'condition', 'field': 'data://break', 'value': value}
        return {'description': f'The rule of {value}', 'conditions': [condition], 'actions': [action]}

    logs = {'action': 'log', 'message': 'It holds'}
    for op in ('abstract', 'not-there'):
        answer = lab.inspector.call(
            'POST', '/v1/rules', json={'conditions': [{'op': op, 'field': 'a'}], 'actions': [logs]}
        )
        assert answer.status_code == 400
        assert lab.log_of(f'The plug-in {op} (ironic_inspector.rules.conditions) cannot be loaded')
    answer = lab.inspector.call('POST', '/v1/rules', json=rule('validate', **logs))
    assert answer.status_code == 400
    assert 'conditions[0] (condition)' in message(answer)
    for value, action in (('check', logs), ('apply', {'action': 'action'}), ('garbage', logs)):
        assert lab.inspector.call('POST', '/v1/rules', json=rule(value, **action)).status_code in (200, 201)
    for value in ('check', 'apply'):
        machine = lab.waiting()
        answer = lab.call_back(machine.data(**{'break': value}))
        assert answer.status_code == 400
        error = lab.status(machine)['error']
        assert f'The rule of {value}' in error
        assert 'bang' in error
    # What is not false is true.
    lab.finished(None, **{'break': 'garbage'})
    assert lab.log_of('It holds')
    assert lab.inspector.call('DELETE', '/v1/rules').ok


# Stores


def test_a_store_that_cannot_save(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(processing={'store_data': 'store'})
    machine = lab.waiting()
    answer = lab.call_back(machine.data(**{'break': 'save'}))
    assert answer.status_code == 400
    assert "The store store failed: KeyError('bang')" in lab.status(machine)['error']
    lab.finished(machine)


@pytest.mark.parametrize(
    ('number', 'says'),
    [
        (1, "The store store failed: KeyError('bang')"),
        (2, 'What the store store has of'),
        (3, 'What the store store has of'),
        (4, 'What the store store has of'),
        (5, 'What the store store has of'),
    ],
)
def test_a_store_that_returns_garbage(make_lab: Callable[..., Lab], number: int, says: str) -> None:
    lab = make_lab(processing={'store_data': 'store'}, elsewhere={'number': number})
    machine = lab.finished()
    for answer in (lab.data(machine), lab.reapply(machine)):
        assert answer.status_code == 503
        assert says in message(answer)
    assert lab.status(machine)['state'] == 'finished'


# PXE filters


def test_a_filter_that_fails_at_work(lab: Lab) -> None:
    lab.finished()
    says = 'The PXE filter filter could not be synchronised'
    assert lab.log_of(says)
    # Its periodic task fails as well, and is called again all the same.
    count = len(lab.log_of(says))
    until(lambda: len(lab.log_of(says)) >= count + 2)


def test_a_filter_that_cannot_clean_up(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(pxe_filter={'driver': 'filter'}, elsewhere={'number': 3})
    assert lab.inspector.stop() == 0
    assert lab.log_of('The PXE filter filter could not clean up')
