"""All hooks that are installed, in one service, on what machines of all kinds send; and hooks that need others."""

from importlib import metadata
import json
import pathlib
from typing import Any

import pytest

from ironic_inspector.common import exceptions
from ironic_inspector.fixtures import inventories
from ironic_inspector.node_info import NodeInfo
from ironic_inspector.plugins import hooks as hook_loading
from tests.unit.plugins.nodes import Nodes
from tests.unit.plugins.nodes import configuration

DEFAULT = ('ramdisk_error', 'root_disk_selection', 'scheduler', 'validate_interfaces', 'capabilities', 'pci_devices')
INSTALLED = sorted({point.name for point in metadata.entry_points(group=hook_loading.NAMESPACE)})
OPTIONAL = [name for name in INSTALLED if name not in DEFAULT]
ALIAS = json.dumps({'vendor_id': '10de', 'product_id': '2330', 'name': 'h100'})


@pytest.fixture(scope='module')
def hooks() -> list[hook_loading.NamedHook]:
    conf = configuration(
        processing__processing_hooks=','.join([*DEFAULT, *OPTIONAL]),
        pci_devices__alias=[ALIAS],
        capabilities__boot_mode=True,
    )
    return hook_loading.load(conf)


def run(hooks: list[hook_loading.NamedHook], data: dict[str, Any], node_info: NodeInfo) -> None:
    for named in hooks:
        named.hook.before_processing(data)
    for named in hooks:
        named.hook.before_update(data, node_info)


def test_the_hooks_that_come_with_the_service_are_installed() -> None:
    assert {*DEFAULT, 'accelerators', 'example', 'extra_hardware', 'raid_device'} <= set(INSTALLED)


@pytest.mark.parametrize('name', inventories.names())
def test_every_sample_passes_every_hook(nodes: Nodes, hooks: list[hook_loading.NamedHook], name: str) -> None:
    data, sent = inventories.load(name), inventories.load(name)
    node_info = nodes.enrol()
    run(hooks, data, node_info)
    json.dumps(data, allow_nan=False)

    since = nodes.ironic.mark()
    properties = nodes.properties(node_info)
    assert nodes.ironic.count('PATCH', f'/v1/nodes/{node_info.uuid}$', since=since) == 1
    assert not node_info.changes()

    assert data.get('extra', {}).keys() == {row[0] for row in sent.get('data', ())}
    assert 'data' not in data
    serials = {disk['serial'] for disk in sent['inventory'].get('disks', []) if disk['serial']}
    kept = nodes.ironic.node(node_info.uuid)['extra'].get('block_devices', {'serials': []})
    assert set(kept['serials']) == serials
    assert len(kept['serials']) == len(serials)
    buses = {device['bus'] for device in sent.get('pci_devices', [])}
    assert {device['pci_address'] for device in properties.get('accelerators', [])} <= buses
    assert ('accelerators' in properties) is (name in ('gpu', 'dpu-arm64'))
    assert ('h100:8' in properties.get('capabilities', '').split(',')) is (name == 'gpu')


@pytest.mark.parametrize('name', inventories.names())
def test_a_second_time_changes_nothing_more(nodes: Nodes, hooks: list[hook_loading.NamedHook], name: str) -> None:
    node_info = nodes.enrol()
    run(hooks, inventories.load(name), node_info)
    node_info.write()
    run(hooks, inventories.load(name), node_info)
    assert not node_info.changes(), str(node_info.changes())


@pytest.mark.parametrize('name', INSTALLED)
def test_a_hook_stands_behind_those_it_needs(name: str) -> None:
    needed = list(_hook(name).dependencies)
    hook_loading.load(configuration(processing__processing_hooks=','.join([*needed, name])))
    for without in needed:
        others = [other for other in needed if other != without]
        for wrong in ([*others, name], [*others, name, without]):
            with pytest.raises(exceptions.ConfigurationError, match=f'{name} needs .*{without}.* before it'):
                hook_loading.load(configuration(processing__processing_hooks=','.join(wrong)))


@pytest.fixture
def foreign_hook(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a hook in a package from elsewhere, which needs the hook `scheduler`."""
    (tmp_path / 'foreign_hooks.py').write_text(
        'class Hook:\n'
        "    dependencies = ['scheduler']\n"
        '    def before_processing(self, introspection_data, **kwargs): pass\n'
        '    def before_update(self, introspection_data, node_info, **kwargs): pass\n'
    )
    info = tmp_path / 'foreign_hooks-1.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: foreign-hooks\nVersion: 1\n')
    (info / 'entry_points.txt').write_text(f'[{hook_loading.NAMESPACE}]\nforeign = foreign_hooks:Hook\n')
    monkeypatch.syspath_prepend(tmp_path)
    return 'foreign'


@pytest.mark.parametrize('names', ['foreign', 'foreign,scheduler', 'ramdisk_error, foreign , scheduler'])
def test_a_hook_without_those_it_needs_stops_the_start(foreign_hook: str, names: str) -> None:
    with pytest.raises(exceptions.ConfigurationError, match=f'processing_hooks: .* {foreign_hook} needs scheduler'):
        hook_loading.load(configuration(processing__processing_hooks=names))


def test_a_hook_behind_those_it_needs(foreign_hook: str) -> None:
    found = hook_loading.load(configuration(processing__processing_hooks=f'scheduler,ramdisk_error,{foreign_hook}'))
    assert [named.name for named in found] == ['scheduler', 'ramdisk_error', foreign_hook]


def _hook(name: str) -> Any:
    (point,) = metadata.entry_points(group=hook_loading.NAMESPACE, name=name)
    return point.load()
