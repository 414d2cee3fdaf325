"""All that is random here comes from one number, which a failure names."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.fuzz import work


def pytest_report_header() -> str:
    """Name the number that random things are derived from."""
    return f'fuzzing: INSPECTOR_FUZZ_SEED={work.SEED}{" with all there is" if work.FULL else ""}'


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add it to what failed, too: with several workers there is no header."""
    report = yield
    if report.failed:
        report.sections.append(('How to try the same again', f'INSPECTOR_FUZZ_SEED={work.SEED}'))
    return report
