"""What holds for all tests: the marker of those with real components, and whether they may be skipped."""

from collections.abc import Generator
import os
from pathlib import Path

import pytest

_REAL = Path(__file__).with_name('e2e')


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line('markers', 'real: needs a real component, started by tools/components.py')
    # Libraries that warn about themselves, whatever we do with them: openstacksdk, and WebOb below oslo.middleware.
    for known in ('ignore::PendingDeprecationWarning', "ignore:'cgi' is deprecated"):
        config.addinivalue_line('filterwarnings', known)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests with real components."""
    for item in items:
        if _REAL in item.path.parents:
            item.add_marker(pytest.mark.real)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where components are required (INSPECTOR_REQUIRE_COMPONENTS), a skipped test with one is a failure."""
    report = yield
    required = os.environ.get('INSPECTOR_REQUIRE_COMPONENTS') and item.get_closest_marker('real')
    if required and report.skipped and not hasattr(report, 'wasxfail'):
        report.outcome = 'failed'
        report.longrepr = f'INSPECTOR_REQUIRE_COMPONENTS is set, but the test was skipped: {report.longrepr}'
    return report
