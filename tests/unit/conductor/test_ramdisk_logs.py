"""Archives of ramdisk logs."""

from __future__ import annotations

import base64
import pathlib
from typing import Any

from oslo_config import cfg
import pytest

from ironic_inspector.common import exceptions
from ironic_inspector.conductor.ramdisk_logs import RamdiskLogs

LOGS = base64.b64encode(b'what happened').decode()


def stored(conf: cfg.ConfigOpts, folder: pathlib.Path, data: dict[str, Any], form: str) -> list[str]:
    conf.set_override('ramdisk_logs_dir', str(folder / 'logs'), 'processing')
    conf.set_override('ramdisk_logs_filename_format', form, 'processing')
    logs = RamdiskLogs(conf).take({'logs': LOGS} | data)
    if logs:
        logs.store('a-uuid')
    files = [path for path in folder.rglob('*') if path.is_file()]
    assert all(path.read_bytes() == b'what happened' for path in files)
    return [str(path.relative_to(folder)) for path in files]


@pytest.mark.parametrize(
    ('form', 'name'),
    [
        ('{uuid}.tar.gz', 'logs/a-uuid.tar.gz'),
        ('{bmc}', 'logs/192.0.2.1'),
        ('{mac}', 'logs/525400000001'),
        ('{uuid}/{mac}', 'logs/a-uuid/525400000001'),
    ],
)
def test_the_name_is_made_of_its_fields(conf: cfg.ConfigOpts, tmp_path: pathlib.Path, form: str, name: str) -> None:
    data = {'boot_interface': '01-52-54-00-00-00-01', 'inventory': {'bmc_address': '192.0.2.1'}}
    assert stored(conf, tmp_path, data, form) == [name]


def test_the_time_is_in_the_default_name(conf: cfg.ConfigOpts, tmp_path: pathlib.Path) -> None:
    (name,) = stored(conf, tmp_path, {}, conf.processing.ramdisk_logs_filename_format)
    assert pathlib.Path(name).match('logs/a-uuid_????????-??????.??????.tar.gz')


@pytest.mark.parametrize('hostile', ['../../x', '/etc/passwd', '..', 'a/../../b', '\0', {'a': 1}, 7, 'x' * 10_000])
def test_nothing_in_the_data_leads_out_of_the_folder(
    conf: cfg.ConfigOpts, tmp_path: pathlib.Path, hostile: Any
) -> None:
    data = {'boot_interface': hostile, 'inventory': {'bmc_address': hostile, 'bmc_v6address': hostile}}
    (name,) = stored(conf, tmp_path, data, '{bmc}-{mac}')
    assert pathlib.Path(name).parent == pathlib.Path('logs')


def test_a_format_that_leads_out_of_the_folder_stores_nothing(conf: cfg.ConfigOpts, tmp_path: pathlib.Path) -> None:
    assert stored(conf, tmp_path, {}, '../{uuid}') == []


@pytest.mark.parametrize('logs', ['', None, 'é', 'abc', 7, ['x'], {'a': 1}])
def test_logs_that_are_none_do_no_harm(conf: cfg.ConfigOpts, tmp_path: pathlib.Path, logs: Any) -> None:
    assert stored(conf, tmp_path, {'logs': logs}, '{uuid}') == []


@pytest.mark.parametrize('form', ['{nothing}', '{', '{uuid.x}', '{0}', '{dt:%Q}{'])
def test_a_wrong_format_stops_the_start(conf: cfg.ConfigOpts, form: str) -> None:
    conf.set_override('ramdisk_logs_filename_format', form, 'processing')
    with pytest.raises(exceptions.ConfigurationError, match='ramdisk_logs_filename_format'):
        RamdiskLogs(conf)
