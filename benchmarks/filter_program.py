"""Times one PXE filter of whichever ironic-inspector it runs with; started by benchmarks/filters.py.

Command line: filter_program.py DRIVER PORTS FOLDER. Prints the seconds, in JSON, of the first synchronisation with that
many ports, of one without a change, and of one after one MAC has become active. Ironic is a list in memory, so none of
them is Ironic's own time; the database is SQLite in FOLDER.
"""

from collections.abc import Callable
from importlib import metadata
import json
import os
from pathlib import Path
import sqlite3
import statistics
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

from oslo_config import cfg

REPEATS = 3
_NODE = '4e1b6f0c-0000-4000-8000-000000000001'


class Nodes:
    """A node on introspection in a new database, and its MACs."""

    def __init__(self, config: Path, database: Path) -> None:
        program = Path(sys.executable).with_name('ironic-inspector-dbsync')
        subprocess.run([program, '--config-file', config, 'upgrade'], check=True, capture_output=True)
        self._database = sqlite3.connect(database, isolation_level=None)
        self._database.execute(
            "INSERT INTO nodes (uuid, version_id, state, started_at) VALUES (?, 'x', 'waiting', '2024-01-01 00:00:00')",
            [_NODE],
        )

    def activate(self, mac: str) -> None:
        """Give the node a MAC."""
        self._database.execute(
            "INSERT INTO attributes (uuid, node_uuid, name, value) VALUES (?, ?, 'mac', ?)", [f'id {mac}', _NODE, mac]
        )


def main() -> None:
    """See the top of the module."""
    name, count, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    macs = [f'52:54:01:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}' for number in range(count)]
    ports = [SimpleNamespace(address=mac, extra={}) for mac in macs]
    ironic = SimpleNamespace(ports=lambda **_query: iter(ports))
    nodes = Nodes(_configured(folder), folder / 'inspector.sqlite')
    # As while one introspection goes on: the MACs of all others are denied one by one.
    nodes.activate('52:54:02:00:00:00')
    driver = _driver(name, folder, ironic)
    # One of 12.5.0 synchronises as it is prepared.
    first = _seconds(lambda: (driver.init_filter(), driver.sync(ironic)))
    change = _change(driver, ironic)
    unchanged, changed = [], []
    for mac in macs[:REPEATS]:
        unchanged.append(_seconds(lambda: driver.sync(ironic)))
        nodes.activate(mac)
        changed.append(_seconds(change))
    print(
        json.dumps({'first': first, 'unchanged': statistics.median(unchanged), 'one MAC': statistics.median(changed)})
    )


def _configured(folder: Path) -> Path:
    (folder / 'hostsdir').mkdir(parents=True)
    config = folder / 'filter.conf'
    config.write_text(
        f'[iptables]\ndnsmasq_interface = lo\n[dnsmasq_pxe_filter]\ndhcp_hostsdir = {folder}/hostsdir\n'
        f'[database]\nconnection = sqlite:///{folder}/inspector.sqlite\n'
    )
    try:
        from ironic_inspector.conf import register_opts
    except ImportError:
        # 12.5.0 registers them as it is imported.
        import ironic_inspector.conf.opts  # noqa: F401
    else:
        register_opts(cfg.CONF)
    cfg.CONF(['--config-file', str(config)], project='ironic-inspector')
    return config


def _driver(name: str, folder: Path, ironic: Any) -> Any:
    from ironic_inspector import node_cache

    driver = metadata.entry_points(group='ironic_inspector.pxe_filter')[name].load()()
    if hasattr(driver, 'configure'):
        driver.configure(cfg.CONF, node_cache.active_macs)
        return driver
    # 12.5.0 finds Ironic itself.
    from ironic_inspector.common import ironic as ironic_client

    client: Any = ironic_client
    client.get_client = lambda: ironic
    # It runs each command through sudo and rootwrap, whose time is left out.
    sudo = folder / 'bin' / 'sudo'
    sudo.parent.mkdir()
    sudo.write_text('#!/bin/sh\nshift 2\nexec "$@"\n')
    sudo.chmod(0o755)
    os.environ['PATH'] = f'{sudo.parent}:{os.environ["PATH"]}:/usr/sbin:/sbin'
    return driver


def _change(driver: Any, ironic: Any) -> Callable[[], object]:
    """Return what happens when an introspection begins or ends: 12.5.0 makes all anew, we know the ports already."""
    if not hasattr(driver, 'follow'):
        return lambda: driver.sync(ironic)
    from ironic_inspector.pxe_filter import policy

    known = policy.known_ports((port.address, port.extra) for port in ironic.ports())
    return lambda: driver.follow(known, look=False)


def _seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


if __name__ == '__main__':
    main()
