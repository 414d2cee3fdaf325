"""ironic-inspector-status: what it finds, and its exit statuses."""

from __future__ import annotations

from collections.abc import Callable
import json
import subprocess
from typing import Any

import pytest

from tests.service import BIN
from tests.service import InspectorProcess

MakeInspector = Callable[..., InspectorProcess]
CHECKS = ['Configuration', 'Database', 'Ironic', 'Plug-ins']


def run(process: InspectorProcess, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the check with the configuration of a service."""
    process.write_config()
    command = [str(BIN / 'ironic-inspector-status'), '--config-file', str(process.config_file)]
    command += ['upgrade', 'check', *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def report(process: InspectorProcess, status: int) -> dict[str, tuple[int, str]]:
    """Run the check, which has to end with that status, and return the result and the details of each part."""
    done = run(process, '--json')
    assert done.returncode == status, done
    checks = json.loads(done.stdout)['checks']
    assert [check['check'] for check in checks] == CHECKS
    return {check['check']: (check['result'], check['details'] or '') for check in checks}


def test_all_is_well(make_inspector: MakeInspector) -> None:
    process = make_inspector(start=False)
    assert set(report(process, 0).values()) == {(0, '')}
    done = run(process)
    assert done.returncode == 0
    assert 'Upgrade Check Results' in done.stdout
    assert done.stdout.count('Result: Success') == len(CHECKS)


def test_options_that_nobody_knows_and_deprecated_ones(make_inspector: MakeInspector) -> None:
    process = make_inspector(
        start=False,
        processing={'store_date': 'database', 'processing_hooks': '$default_processing_hooks,example'},
        swift={'user-name': 'x', 'auth_type': 'password', 'retries': 3},
        ironic={'auth-section': 'ironic'},
        database={'sql_connection': 'sqlite://'},
        keystone_authtoken={'auth_type': 'password', 'password': 'x'},
        papyrus={'ink': 'black'},
    )
    result, details = report(process, 1)['Configuration']
    assert result == 1
    assert sorted(complaint.removeprefix(f'{process.config_file}: ') for complaint in details.split('; ')) == [
        '[database]sql_connection is not known, and ignored',
        '[papyrus]ink is not known, and ignored',
        '[processing]store_date is not known, and ignored',
        '[swift]retries is not known, and ignored',
        '[swift]user_name is deprecated, it is [swift]username now',
    ]


@pytest.mark.parametrize(
    ('options', 'failing', 'says'),
    [
        ({'DEFAULT': {'timeout': 'long'}}, 'Configuration', 'timeout'),
        ({'DEFAULT': {'standalone': False}}, 'Configuration', 'standalone'),
        ({'database': {'connection': 'sqlite:////nowhere/at/all.sqlite'}}, 'Database', 'ironic-inspector-dbsync'),
        ({'database': {'connection': 'papyrus://x'}}, 'Database', 'papyrus'),
        ({'database': {'connection': 'nonsense'}}, 'Database', 'connection'),
        ({'ironic': {'auth_type': 'papyrus'}}, 'Ironic', 'papyrus'),
        ({'ironic': {'auth_type': None}}, 'Ironic', 'auth_type'),
        ({'processing': {'processing_hooks': 'ramdisk_error,magic'}}, 'Plug-ins', 'magic'),
        ({'processing': {'node_not_found_hook': 'magic'}}, 'Plug-ins', 'node_not_found_hook'),
        ({'processing': {'store_data': 'papyrus'}}, 'Plug-ins', 'store_data'),
        ({'pxe_filter': {'driver': 'cheesecloth'}}, 'Plug-ins', 'cheesecloth'),
    ],
)
def test_what_keeps_the_service_from_starting(
    make_inspector: MakeInspector, options: dict[str, dict[str, Any]], failing: str, says: str
) -> None:
    process = make_inspector(start=False)
    for group, values in options.items():
        process.options[group].update(values)
    found = report(process, 2)
    assert [name for name, (result, _details) in found.items() if result == 2] == [failing]
    assert says in found[failing][1]


def test_a_database_that_is_not_ready(make_inspector: MakeInspector) -> None:
    process = make_inspector(start=False)
    database = process.folder / 'inspector.sqlite'
    database.unlink()
    assert 'ironic-inspector-dbsync upgrade' in report(process, 2)['Database'][1]
    assert not database.exists()
    database.touch()
    assert 'ironic-inspector-dbsync upgrade' in report(process, 2)['Database'][1]


def test_ironic_away(make_inspector: MakeInspector) -> None:
    process = make_inspector(start=False, ironic={'endpoint_override': 'http://127.0.0.1:1', 'timeout': 5})
    result, details = report(process, 1)['Ironic']
    assert result == 1
    assert 'cannot be reached' in details


def test_a_file_that_is_not_there() -> None:
    command = [str(BIN / 'ironic-inspector-status'), '--config-file', '/nowhere/x.conf', 'upgrade', 'check']
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert '/nowhere/x.conf' in done.stderr
    assert len(done.stderr.splitlines()) == 1
