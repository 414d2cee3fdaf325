"""Nodes and hooks for the tests of hooks."""

from __future__ import annotations

from collections.abc import Mapping
import copy
import threading
from typing import Any
from typing import TypeVar

from oslo_config import cfg

from ironic_inspector import conf as inspector_conf
from ironic_inspector.common.ironic import IronicClient
from ironic_inspector.db.engine import Database
from ironic_inspector.db.introspections import Introspection
from ironic_inspector.fixtures.ironic import InMemoryIronic
from ironic_inspector.introspection_state import States
from ironic_inspector.node_info import NodeInfo
from ironic_inspector.plugins.base import ProcessingHook

JsonObject = dict[str, Any]
Hook = TypeVar('Hook', bound=ProcessingHook)

GIB = 1024**3


def configuration(**options: Any) -> cfg.ConfigOpts:
    """Return a configuration: defaults but for `options`, named as in processing__add_ports='all'."""
    conf = cfg.ConfigOpts()
    inspector_conf.register_opts(conf)
    conf([], project=inspector_conf.PROJECT, default_config_files=[], default_config_dirs=[])
    for name, value in options.items():
        group, _, option = name.rpartition('__')
        conf.set_override(option, value, group or None)
    return conf


def configured(hook: Hook, **options: Any) -> Hook:
    """Return a hook that has been prepared for a configuration with `options`."""
    hook.configure(configuration(**options))
    return hook


def sample() -> JsonObject:
    """Return the data of a machine with everything that the default hooks read, small and valid."""
    return copy.deepcopy(_SAMPLE)


class Nodes:
    """Nodes in an in-memory Ironic, as the service hands them to hooks."""

    def __init__(self, ironic: InMemoryIronic) -> None:
        self.ironic = ironic
        conf = configuration(
            ironic__auth_type='none',
            ironic__endpoint_override=ironic.url,
            ironic__max_retries=0,
            database__connection='sqlite://',
        )
        self._database = Database(conf)
        self.client = IronicClient(conf, threading.Event(), attempt_interval=0)

    def close(self) -> None:
        """Drop the database."""
        self._database.engine.dispose()

    def enrol(self, ports: Mapping[str, JsonObject] | None = None, **fields: Any) -> NodeInfo:
        """Enrol a node, and ports with fields by their MAC, and return the node in the hands of the service."""
        node = self.ironic.add_node(**fields)
        for mac, port_fields in (ports or {}).items():
            self.ironic.add_port(node['uuid'], mac, **port_fields)
        record = Introspection(node['uuid'], States.PROCESSING, None, None, None, None, True, None)
        return NodeInfo(record, self._database, self.client)

    def properties(self, node_info: NodeInfo) -> JsonObject:
        """Write what has been changed and return the properties that the node has in Ironic now."""
        node_info.write()
        properties: JsonObject = self.ironic.node(node_info.uuid)['properties']
        return properties

    def capabilities(self, node_info: NodeInfo) -> dict[str, str]:
        """Write what has been changed and return the capabilities that the node has in Ironic now."""
        text = self.properties(node_info).get('capabilities', '')
        return dict(pair.split(':', 1) for pair in text.split(',') if pair)

    def ports(self, node_info: NodeInfo) -> dict[str, JsonObject]:
        """Write what has been changed and return the ports that the node has in Ironic now, by their MAC."""
        node_info.write()
        return {port['address']: port for port in self.ironic.ports(node_info.uuid)}


_SAMPLE = {
    'inventory': {
        'interfaces': [
            {
                'name': 'eth0',
                'mac_address': '52:54:00:AA:BB:01',
                'ipv4_address': '192.0.2.11',
                'ipv6_address': 'fe80::1%eth0',
                'client_id': None,
            },
            {
                'name': 'ib0',
                'mac_address': '52:54:00:aa:bb:02',
                'ipv4_address': None,
                'ipv6_address': '2001:db8::2',
                'client_id': 'ff:00:01',
            },
        ],
        'disks': [
            {'name': '/dev/sda', 'size': 100 * GIB, 'model': 'Disk A', 'serial': 'A1', 'rotational': True},
            {'name': '/dev/sdb', 'size': 200 * GIB, 'model': 'Disk B', 'serial': ['B1', 'B2'], 'rotational': False},
        ],
        'cpu': {'count': 8, 'architecture': 'x86_64', 'flags': ['vmx', 'aes', 'fpu']},
        'memory': {'physical_mb': 4096},
        'bmc_address': '192.0.2.1',
        'bmc_v6address': '2001:db8::1/64',
        'boot': {'current_boot_mode': 'uefi'},
    },
    'root_disk': {'name': '/dev/sda', 'size': 100 * GIB},
    'boot_interface': '52:54:00:aa:bb:01',
    'pci_devices': [
        {'vendor_id': '10de', 'product_id': '1eb8', 'bus': '0000:3b:00.0'},
        {'vendor_id': '10de', 'product_id': '1eb8', 'bus': '0000:af:00.0'},
        {'vendor_id': '8086', 'product_id': '1521', 'bus': '0000:01:00.0'},
    ],
    'data': [
        ['disk', 'sda', 'size', '107'],
        ['disk', 'sda', 'model', 'Disk A'],
        ['cpu', 'physical', 'number', 2],
    ],
    'error': None,
}
