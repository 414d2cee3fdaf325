"""All rules of the service: kept, compiled, chosen."""

from __future__ import annotations

import dataclasses
import json
import logging
import pathlib
from typing import Any

from oslo_config import cfg
import pytest

from ironic_inspector import utils
from ironic_inspector.common import exceptions
from ironic_inspector.db import engine
from ironic_inspector.db import rules as db_rules
from ironic_inspector.plugins import base
from ironic_inspector.rules import book
from ironic_inspector.rules import compiled
from ironic_inspector.rules import definition
from ironic_inspector.rules.book import RuleBook
from tests import databases
from tests.unit.plugins.nodes import Nodes
from tests.unit.plugins.nodes import configuration
from tests.unit.rules import documents
from tests.unit.rules.documents import ACTION
from tests.unit.rules.documents import CONDITION

UUIDS = [f'7d1f0a52-0000-4000-8000-00000000000{number}' for number in range(10)]
SECRET = 'hunter2'


@pytest.fixture
def conf() -> cfg.ConfigOpts:
    return configuration()


@pytest.fixture
def rules(conf: cfg.ConfigOpts, database: engine.Database) -> RuleBook:
    """The rules of a process, on each kind of database."""
    return RuleBook(conf, database, documents.plugins())


def rule(number: int, *actions: dict[str, Any], **more: Any) -> db_rules.Rule:
    return documents.rule(*actions, uuid=UUIDS[number], **more)


def of(items: Any) -> list[int]:
    """Return the numbers of rules, compiled or written."""
    written = [item.written if isinstance(item, compiled.AnyRule) else item for item in items]
    return [UUIDS.index(each.uuid) for each in written]


class Counting(base.RuleConditionPlugin):
    """Counts how often a condition is prepared."""

    def __init__(self) -> None:
        self.prepared = 0

    def check(self, node_info: Any, field: Any, params: base.JsonObject, **kwargs: Any) -> bool:  # noqa: ARG002
        return True

    def prepare(self, params: base.JsonObject) -> Any:  # noqa: ARG002
        """See RuleConditionPlugin."""
        self.prepared += 1


# Keeping


def test_from_creation_to_the_end(rules: RuleBook) -> None:
    assert rules.all() == []
    created = rules.create(rule(1, conditions=[CONDITION], description='first'))
    rules.create(rule(0))
    assert of(rules.all()) == [1, 0]
    assert dataclasses.replace(rules.get(UUIDS[1]), created_at=None) == created
    present = rules.get(UUIDS[1])
    changed = dataclasses.replace(present, description='changed', priority=7)
    assert rules.replace(changed, present) == changed
    assert rules.get(UUIDS[1]) == changed
    assert of(rules.all()) == [1, 0]
    rules.delete(UUIDS[1])
    assert of(rules.all()) == [0]
    rules.delete_all()
    assert rules.all() == []


def test_what_is_not_there(rules: RuleBook) -> None:
    with pytest.raises(exceptions.NotFound, match=UUIDS[0]):
        rules.get(UUIDS[0])
    with pytest.raises(exceptions.NotFound, match=UUIDS[0]):
        rules.delete(UUIDS[0])
    with pytest.raises(exceptions.NotFound, match=UUIDS[0]):
        rules.replace(rule(0), rule(0))
    rules.delete_all()


def test_a_uuid_that_is_taken(rules: RuleBook) -> None:
    rules.create(rule(0))
    with pytest.raises(book.RuleExists, match=UUIDS[0]):
        rules.create(rule(0, description='other'))
    assert rules.get(UUIDS[0]).description is None


def test_an_invalid_rule_is_not_kept(rules: RuleBook) -> None:
    with pytest.raises(definition.InvalidRule):
        rules.create(rule(0, ACTION | {'value': '{nope}'}))
    assert rules.all() == []
    rules.create(rule(0))
    present = rules.get(UUIDS[0])
    with pytest.raises(definition.InvalidRule):
        rules.replace(rule(0, ACTION | {'value': '{nope}'}), present)
    assert rules.get(UUIDS[0]) == present


def test_a_change_of_what_somebody_else_has_changed(rules: RuleBook) -> None:
    rules.create(rule(0))
    seen = rules.get(UUIDS[0])
    rules.replace(dataclasses.replace(seen, description='theirs'), seen)
    with pytest.raises(exceptions.Busy, match='try again'):
        rules.replace(dataclasses.replace(seen, description='mine'), seen)
    assert rules.get(UUIDS[0]).description == 'theirs'


# In force


def test_the_order(rules: RuleBook) -> None:
    for number, priority in ((3, 0), (1, 5), (2, 0), (4, -1), (5, 5)):
        rules.create(rule(number, priority=priority))
    assert of(rules.in_force()) == [1, 5, 3, 2, 4]


def test_rules_are_compiled_once(conf: cfg.ConfigOpts, database: engine.Database) -> None:
    counting = Counting()
    rules = RuleBook(conf, database, documents.plugins(count=counting))
    condition = db_rules.Condition('count', 'x', {'value': 1})
    rules.create(dataclasses.replace(rule(0), conditions=(condition,)))
    created = counting.prepared
    first = rules.in_force()
    assert rules.in_force() is first
    assert counting.prepared == created + 1
    rules.create(rule(1))
    assert rules.in_force() is not first
    assert counting.prepared == created + 2


def test_changes_of_other_processes_are_followed(conf: cfg.ConfigOpts, database_url: str, rules: RuleBook) -> None:
    with databases.opened(database_url) as elsewhere:
        others = RuleBook(conf, elsewhere, documents.plugins())
        assert rules.in_force() == []
        others.create(rule(0))
        assert of(rules.in_force()) == [0]
        present = others.get(UUIDS[0])
        others.replace(dataclasses.replace(present, priority=9), present)
        assert rules.in_force()[0].written.priority == 9
        others.delete(UUIDS[0])
        assert rules.in_force() == []
        others.create(rule(1))
        assert of(rules.in_force()) == [1]
        others.delete_all()
        assert rules.in_force() == []


def test_the_rules_that_hold_are_chosen_before_any_is_applied(rules: RuleBook, nodes: Nodes) -> None:
    unset = {'op': 'is-empty', 'field': 'node://extra.rule'}
    rules.create(rule(0, ACTION, conditions=[unset]))
    rules.create(rule(1, {'action': 'set-data', 'path': 'seen', 'value': '{node[extra][rule]}'}, conditions=[unset]))
    rules.create(rule(2, ACTION | {'value': 'never'}, conditions=[unset | {'invert': True}]))
    rules.create(rule(3, ACTION | {'value': 'never'}, disabled=True))
    info, data = nodes.enrol(), {'a': 1}
    chosen = rules.choose(info, data)
    assert of(chosen.rules) == [0, 1]
    assert str(chosen) == f'{UUIDS[0]}, {UUIDS[1]}'
    assert not info.changes()
    chosen.apply(info)
    assert chosen.change_data
    assert data == {'a': 1, 'seen': 'applied'}
    assert info.fields['extra'] == {'rule': 'applied'}


def test_nothing_is_chosen(rules: RuleBook, nodes: Nodes) -> None:
    rules.create(rule(0, conditions=[CONDITION]))
    assert not rules.choose(nodes.enrol(), {})


def test_whether_the_data_may_have_changed(rules: RuleBook, nodes: Nodes) -> None:
    rules.create(rule(0))
    assert not rules.choose(nodes.enrol(), {}).change_data


@pytest.mark.parametrize('sensitive', [False, True])
def test_whether_secrets_are_set(rules: RuleBook, nodes: Nodes, sensitive: bool) -> None:
    rules.create(rule(0))
    rules.create(rule(1, sensitive=sensitive))
    assert rules.choose(nodes.enrol(), {}).is_sensitive is sensitive


# Plug-ins that are not installed any more


def leave_a_broken_rule(database: engine.Database, **changes: Any) -> None:
    fields: dict[str, Any] = {
        'uuid': UUIDS[0],
        'conditions': (),
        'actions': (db_rules.Action('gone', {'value': SECRET}),),
    }
    database.write(lambda connection: db_rules.add(connection, db_rules.Rule(**(fields | changes))))


def test_a_broken_rule_fails_a_node_and_can_be_disabled_or_deleted(
    rules: RuleBook, database: engine.Database, nodes: Nodes, caplog: pytest.LogCaptureFixture
) -> None:
    leave_a_broken_rule(database)
    rules.create(rule(1))
    info = nodes.enrol()
    with pytest.raises(utils.Error, match=f'rule {UUIDS[0]} cannot be used: .*there is no such plug-in'):
        rules.choose(info, {})
    assert f'Introspection rule {UUIDS[0]} cannot be used' in caplog.text
    present = rules.get(UUIDS[0])
    with pytest.raises(definition.InvalidRule):
        rules.replace(dataclasses.replace(present, description='still in force'), present)
    rules.replace(dataclasses.replace(present, disabled=True), present)
    assert of(rules.choose(info, {}).rules) == [1]
    rules.delete(UUIDS[0])
    assert of(rules.all()) == [1]


def test_a_broken_sensitive_rule_tells_nothing(
    rules: RuleBook, database: engine.Database, nodes: Nodes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    parts = (db_rules.Condition('in-net', 'x', {'value': SECRET}),)
    leave_a_broken_rule(database, conditions=parts, sensitive=True)
    with pytest.raises(utils.Error) as failure:
        rules.choose(nodes.enrol(), {})
    assert SECRET not in caplog.text + str(failure.value)
    assert 'cannot be used' in caplog.text


# Built-in rules


@pytest.fixture
def file(conf: cfg.ConfigOpts, tmp_path: pathlib.Path) -> pathlib.Path:
    """A file with two built-in rules."""
    path = tmp_path / 'rules.yaml'
    path.write_text(json.dumps([{'uuid': UUIDS[number], 'actions': [ACTION], 'priority': 1} for number in (8, 7)]))
    conf.set_override('built_in_rules', str(path), 'inspection_rules')
    return path


def test_built_in_rules_come_first(file: pathlib.Path, rules: RuleBook) -> None:
    for number, priority in ((1, 1), (2, 2), (0, 0)):
        rules.create(rule(number, priority=priority))
    assert of(rules.all()) == [8, 7, 1, 2, 0]
    assert of(rules.in_force()) == [2, 8, 7, 1, 0]
    assert [each.built_in for each in rules.all()] == [True, True, False, False, False]


def test_built_in_rules_cannot_be_changed(file: pathlib.Path, rules: RuleBook) -> None:
    present = rules.get(UUIDS[7])
    assert present.built_in
    with pytest.raises(book.RuleIsBuiltIn, match='built_in_rules'):
        rules.delete(UUIDS[7])
    with pytest.raises(book.RuleIsBuiltIn, match='built_in_rules'):
        rules.replace(rule(7), present)
    with pytest.raises(book.RuleExists):
        rules.create(rule(7))
    rules.delete_all()
    assert of(rules.all()) == [8, 7]


def test_a_rule_that_has_moved_to_the_file_applies_once(
    file: pathlib.Path, conf: cfg.ConfigOpts, database: engine.Database
) -> None:
    database.write(lambda connection: db_rules.add(connection, rule(7, description='the old one')))
    rules = RuleBook(conf, database, documents.plugins())
    assert of(rules.all()) == of(rules.in_force()) == [8, 7]
    assert rules.get(UUIDS[7]).built_in


def test_all_plug_ins_that_are_installed(conf: cfg.ConfigOpts, database: engine.Database) -> None:
    rules = RuleBook.load(conf, database)
    assert documents.plugins().conditions.keys() <= rules.vocabulary.operators
    assert documents.plugins().actions.keys() <= rules.vocabulary.actions
