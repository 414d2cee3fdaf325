"""An introspection's result as text for a person."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

_GIB = 2**30


def hardware(data: Mapping[str, Any]) -> str:
    """What a ramdisk found, by the data it sent: CPUs, memory, disks, network interfaces."""
    inventory = data['inventory']
    cpu = inventory['cpu']
    vendor = inventory.get('system_vendor') or {}
    system = [vendor.get(key) for key in ('manufacturer', 'product_name')]
    rows = [
        ('System', ' '.join(filter(None, system)) or 'does not say'),
        ('CPUs', f'{cpu["count"]} x {cpu.get("model_name") or "unknown model"} ({cpu["architecture"]})'),
        ('Memory', f'{inventory["memory"]["physical_mb"] / 1024:.1f} GiB'),
        ('Boot mode', (inventory.get('boot') or {}).get('current_boot_mode') or 'unknown'),
        *_labelled('Disks', (_disk(disk) for disk in inventory.get('disks') or [])),
        *_labelled('NICs', (_interface(nic) for nic in inventory['interfaces'])),
    ]
    return table(rows)


def _labelled(label: str, lines: Iterable[str]) -> list[tuple[str, str]]:
    listed = list(lines) or ['none']
    return [(label if number == 0 else '', line) for number, line in enumerate(listed)]


def _disk(disk: Mapping[str, Any]) -> str:
    kind = 'rotational' if disk.get('rotational') else 'solid state'
    return '  '.join(filter(None, [disk['name'], f'{disk["size"] / _GIB:.1f} GiB', kind, disk.get('model')]))


def _interface(nic: Mapping[str, Any]) -> str:
    address = nic.get('ipv4_address') or nic.get('ipv6_address') or 'no IP address'
    return '  '.join([nic['name'], nic['mac_address'], address, 'link up' if nic.get('has_carrier') else 'link down'])


def changes(title: str, before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Two states of something, {name: value}, side by side."""
    names = sorted({*before, *after})
    rows = [(name, before.get(name, '-'), after.get(name, '-')) for name in names]
    return table([(title, 'before', 'after'), *(rows or [('none', '-', '-')])])


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as aligned columns, indented by two."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ('  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return '\n'.join(f'  {line}'.rstrip() for line in lines)
