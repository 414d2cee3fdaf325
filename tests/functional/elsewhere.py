"""Packages of plug-ins that somebody else might have written."""

from __future__ import annotations

from collections.abc import Mapping
import pathlib


def install(folder: pathlib.Path, source: str, entry_points: Mapping[str, Mapping[str, str]]) -> None:
    """Put a package of one module, `elsewhere`, into `folder`, which is to be in the path of the service.

    `entry_points` are the names in the module by their names in the groups, without the "ironic_inspector." in front.
    """
    information = folder / 'elsewhere-1.dist-info'
    information.mkdir(parents=True)
    (folder / 'elsewhere.py').write_text(source)
    (information / 'METADATA').write_text('Metadata-Version: 2.1\nName: elsewhere\nVersion: 1\n')
    lines = []
    for group, names in entry_points.items():
        lines.append(f'[ironic_inspector.{group}]')
        lines += [f'{name} = elsewhere:{target}' for name, target in names.items()]
    (information / 'entry_points.txt').write_text('\n'.join(lines) + '\n')
