"""Rules in a YAML file, and every way in which it can be wrong."""

from __future__ import annotations

from collections.abc import Callable
import pathlib

import pytest

from ironic_inspector.common import exceptions
from ironic_inspector.rules import built_in
from ironic_inspector.rules import compiled
from tests.unit.plugins.nodes import configuration
from tests.unit.rules import documents
from tests.unit.rules.documents import UUID

Load = Callable[[str | bytes], list[compiled.Rule]]
RULE = 'actions: [{action: add-trait, name: CUSTOM_X}]'


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / 'rules.yaml'


@pytest.fixture
def load(path: pathlib.Path) -> Load:
    """Load the rules in a file with this content."""

    def load_content(content: str | bytes) -> list[compiled.Rule]:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_file(path)

    return load_content


def load_file(path: pathlib.Path | None) -> list[compiled.Rule]:
    conf = configuration(inspection_rules__built_in_rules=str(path) if path else None)
    return built_in.load(conf, documents.vocabulary(), documents.plugins())


def test_no_file() -> None:
    assert load_file(None) == []


def test_rules_as_the_api_takes_them(load: Load) -> None:
    first, second = load(f"""
# A comment
- uuid: {UUID}
  description: First
  priority: 100
  sensitive: true
  scope: some
  conditions:
  - op: contains
    field: data://inventory.system_vendor.manufacturer
    value: Vendor|Other
    invert: yes
  actions:
  - action: set-attribute
    path: driver_info/ipmi_password
    value: "{{data[inventory][hostname]}}"
- {{{RULE}}}
""")
    assert (first.written.uuid, first.written.description, first.written.priority) == (UUID, 'First', 100)
    assert (first.written.scope, first.written.sensitive, first.written.built_in) == ('some', True, True)
    assert first.written.conditions[0].invert is True
    assert second.written.actions[0].params == {'name': 'CUSTOM_X'}


def test_a_rule_without_a_uuid_keeps_the_one_it_gets(load: Load) -> None:
    (first,) = load(f'- {{{RULE}}}')
    (again,) = load(f'- {{{RULE}, uuid: null}}')
    (same,) = load('- actions:\n  - name: CUSTOM_X\n    action: add-trait\n')
    (other,) = load(f'- {{{RULE}, priority: 1}}')
    assert first.written.uuid == same.written.uuid
    assert len({rule.written.uuid for rule in (first, again, other)}) == 3


def test_an_empty_list(load: Load) -> None:
    assert load('[]') == []


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        ('', 'must hold a list of rules'),
        ('null', 'must hold a list of rules'),
        ('rules: []', 'must hold a list of rules'),
        ('just text', 'must hold a list of rules'),
        ('7', 'must hold a list of rules'),
        ('[', 'is not YAML'),
        ('- {', 'is not YAML'),
        ('\t- x', 'is not YAML'),
        ('- !!python/object:os.system {}', 'is not YAML'),
        ('- *unknown', 'is not YAML'),
        ('- {[]: 1}', 'is not YAML'),
        ('- 2026-13-45', 'is not YAML'),
        ('[' * 100_000, 'is not YAML'),
        (b'- \xff\xfe', 'cannot be read'),
        ('- \0', 'is not YAML'),
        (f'- {{{RULE}}}\n---\n- {{{RULE}}}', 'is not YAML'),
        ('- x', 'rule 1: The rule is invalid: it must be a JSON object'),
        (f'- {{{RULE}}}\n-', 'rule 2: The rule is invalid: it must be a JSON object'),
        ('- {}', 'rule 1: The rule is invalid: actions: there must be at least one'),
        (f'- {{{RULE}, unknown: 1}}', "rule 1: The rule is invalid: 'unknown': a rule has no such key"),
        (f'- {{{RULE}, uuid: x}}', "rule 1: The rule is invalid: uuid must be a UUID, not 'x'"),
        (f'- {{{RULE}, uuid: 7}}', 'rule 1: The rule is invalid: uuid must be a UUID, not 7'),
        (f'- {{{RULE}, priority: high}}', 'rule 1: The rule is invalid: priority must be a whole number'),
        ('- actions: [{action: nope}]', r'rule 1: The rule is invalid: actions\[0\]\.action must be one of'),
        ('- actions: [{action: fail}]', r'rule 1: The rule is invalid: actions\[0\] \(fail\): it needs message'),
        (f'- {{{RULE}, conditions: [{{op: eq, field: "a[["}}]}}', r'conditions\[0\] \(eq\): field: The JSON path'),
        ('- {sensitive: true, actions: [{action: log, message: x}]}', r'actions\[0\] \(log\): a sensitive rule'),
        (f'- {{{RULE}}}\n- {{{RULE}}}', 'rule 2: there is the same one, or one with the same UUID, before it'),
        (f'- {{{RULE}, uuid: {UUID}}}\n- {{{RULE}, uuid: {UUID}, scope: x}}', 'rule 2: there is the same one'),
        # What YAML has, and JSON has not.
        (f'- {{{RULE}, description: 2026-01-31}}', 'rule 1: it is not JSON: .*date.* needs quotes'),
        (f'- {{{RULE}, description: 2026-01-31, uuid: {UUID}}}', 'rule 1: it is not JSON: .*date.* needs quotes'),
        ('- actions: [{action: set-attribute, path: x, value: .nan}]', 'rule 1: it is not JSON'),
        ('- actions: [{action: set-attribute, path: x, value: -.inf}]', 'rule 1: it is not JSON'),
        ('- actions: [{action: set-attribute, path: x, value: !!binary aGk=}]', 'rule 1: it is not JSON'),
        ('- actions: [{action: set-attribute, path: x, value: !!set {a, b}}]', 'rule 1: it is not JSON'),
        ('- actions: [{action: set-attribute, path: x, value: {1: 2}}]', 'rule 1: it is not JSON: keys .* need quotes'),
        ('- actions: [{action: set-attribute, path: x, value: {yes: 2}}]', 'rule 1: it is not JSON: keys'),
        (f'- &rule {{{RULE}, description: *rule}}', 'rule 1: it is not JSON: Circular'),
        (f'- &rule {{{RULE}, uuid: {UUID}, conditions: [*rule]}}', 'rule 1: it is not JSON: Circular'),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_told(load: Load, path: pathlib.Path, content: str | bytes, reason: str) -> None:
    with pytest.raises(exceptions.ConfigurationError, match=reason) as failure:
        load(content)
    assert str(failure.value).startswith(f'[inspection_rules]built_in_rules: {path}')


def test_a_file_that_cannot_be_read(tmp_path: pathlib.Path) -> None:
    for path in (tmp_path, tmp_path / 'missing.yaml', tmp_path / 'missing' / 'x'):
        with pytest.raises(
            exceptions.ConfigurationError, match=r'^\[inspection_rules\]built_in_rules: .*cannot be read'
        ):
            load_file(path)


def test_one_part_may_stand_for_several(load: Load) -> None:
    first, second = load("""
- conditions: &where [{op: eq, field: memory_mb, value: 4096}]
  actions: [{action: fail, message: x}]
- conditions: *where
  actions: [{action: add-trait, name: CUSTOM_X}]
""")
    assert first.written.conditions == second.written.conditions
