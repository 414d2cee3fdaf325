"""What holds for all tests: their markers, whether those with real components may be skipped, and how hard to try."""

from collections.abc import Generator
import os
from pathlib import Path
import signal

import hypothesis
import pytest

_REAL = Path(__file__).with_name('e2e')
_FUNCTIONAL = Path(__file__).with_name('functional')
_FUZZ = Path(__file__).with_name('fuzz')
_OWN_ADDRESSES = '127.0.0.1,localhost,192.0.2.0/24,198.18.0.0/15'
"""Where tests have what they talk to: this machine, and networks of their own."""
_EXAMPLES = 1_000
"""Examples that hypothesis tries for each test when much is asked for (tests/fuzz/work.py)."""


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known, and say how hard hypothesis should try."""
    # A shell that runs the tests in the background has it ignored, also for the programs that tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # A proxy of the user's leads to none of these.
    for name in ('no_proxy', 'NO_PROXY'):
        os.environ[name] = ','.join(filter(None, (os.environ.get(name), _OWN_ADDRESSES)))
    config.addinivalue_line('markers', 'fuzz: random input, on a service')
    # A test fails by what the code does, not by the load of the machine; and the same examples come each time, unless
    # new ones are looked for.
    hypothesis.settings.register_profile('steady', deadline=None, derandomize=True, max_examples=25)
    hypothesis.settings.register_profile('fuzz', deadline=None, max_examples=_EXAMPLES)
    hypothesis.settings.load_profile('fuzz' if os.environ.get('INSPECTOR_FUZZ') else 'steady')
    config.addinivalue_line('markers', 'real: needs a real component, started by tools/components.py')
    # Libraries that warn about themselves, whatever we do with them: openstacksdk, and WebOb below oslo.middleware.
    for known in ('ignore::PendingDeprecationWarning', "ignore:'cgi' is deprecated"):
        config.addinivalue_line('filterwarnings', known)


# Before xdist looks at the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests with real components, those with random input, and those that share a service."""
    for item in items:
        if _FUNCTIONAL in item.path.parents and not item.get_closest_marker('xdist_group'):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
        if _REAL in item.path.parents:
            item.add_marker(pytest.mark.real)
        if _FUZZ in item.path.parents:
            item.add_marker(pytest.mark.fuzz)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where components are required (INSPECTOR_REQUIRE_COMPONENTS), a skipped test with one is a failure."""
    report = yield
    required = os.environ.get('INSPECTOR_REQUIRE_COMPONENTS') and item.get_closest_marker('real')
    if required and report.skipped and not hasattr(report, 'wasxfail'):
        report.outcome = 'failed'
        report.longrepr = f'INSPECTOR_REQUIRE_COMPONENTS is set, but the test was skipped: {report.longrepr}'
    return report
