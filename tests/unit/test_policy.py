"""The rules of the API, and the sample that shows them."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

from oslo_policy import policy as oslo_policy

from ironic_inspector import policy
from ironic_inspector.api.routes import ROUTES

ROOT = pathlib.Path(__file__).parents[2]


def test_each_request_of_the_api_is_told_under_its_rule() -> None:
    told = {
        (rule.name, operation['method'], operation['path'])
        for rule in policy.list_policies()
        if isinstance(rule, oslo_policy.DocumentedRuleDefault)
        for operation in rule.operations
    }
    there = {(route.policy, route.method, re.sub('<(.*?)>', r'{\1}', route.path)) for route in ROUTES}
    assert told == there


def test_public_rules_are_what_they_say() -> None:
    checks = {rule.name: rule.check_str for rule in policy.list_policies()}
    assert {name for name, check in checks.items() if check == 'rule:public_api'} == policy.PUBLIC


def test_the_sample_is_what_the_code_says(tmp_path: pathlib.Path) -> None:
    sample = tmp_path / 'sample'
    generator = pathlib.Path(sys.executable).with_name('oslopolicy-sample-generator')
    configuration: list[str | pathlib.Path] = ['--config-file', ROOT / 'etc/policy-generator.conf']
    subprocess.run([generator, *configuration, '--output-file', sample], check=True, capture_output=True)
    kept = (ROOT / 'etc/policy.yaml.sample').read_text()
    assert sample.read_text() == kept, 'run: oslopolicy-sample-generator --config-file etc/policy-generator.conf'
