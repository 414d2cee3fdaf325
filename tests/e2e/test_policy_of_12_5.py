"""The policy rules beside those of ironic-inspector 12.5.0, as its own generator writes them."""

from pathlib import Path
import subprocess
import sys

import pytest
import yaml

from tools import environments


def sample_of(generator: Path) -> dict[str, str]:
    """The defaults with those before them, as the sample generator writes them without its comments."""
    done = subprocess.run(
        [generator, '--namespace', 'ironic_inspector.api'], capture_output=True, text=True, check=True
    )
    lines = [line.removeprefix('#') for line in done.stdout.splitlines() if line.startswith('#"')]
    return {name: check for line in lines for name, check in yaml.safe_load(line).items()}


@pytest.fixture(scope='module')
def reference() -> environments.Environment:
    """The environment of ironic-inspector 12.5.0."""
    environments.ensure(['reference'])
    return environments.Environment('reference')


def test_names_and_defaults(reference: environments.Environment) -> None:
    ours = Path(sys.executable).with_name('oslopolicy-sample-generator')

    assert sample_of(ours) == sample_of(reference.program('oslopolicy-sample-generator'))


def test_what_is_accepted_besides(reference: environments.Environment) -> None:
    """The checks that are deprecated, which only the code tells."""
    script = (
        'import json, warnings; warnings.simplefilter("ignore")\n'
        'from ironic_inspector import policy\n'
        'rules = [rule for rule in policy.list_policies() if rule.deprecated_rule]\n'
        'print(json.dumps({rule.name: [rule.deprecated_rule.name, rule.deprecated_rule.check_str] for rule in rules}))'
    )
    told = [
        subprocess.run([python, '-c', script], capture_output=True, text=True, check=True).stdout.splitlines()[-1]
        for python in (reference.python, sys.executable)
    ]

    assert yaml.safe_load(told[0]) == yaml.safe_load(told[1])
