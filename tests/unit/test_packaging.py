"""What setup.cfg says of the package."""

from __future__ import annotations

import configparser
from importlib import metadata
import pathlib

ROOT = pathlib.Path(__file__).parents[2]


def setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / 'setup.cfg')
    return parser


def test_every_package_is_shipped() -> None:
    listed = set(setup()['options']['packages'].split())
    folders = {path.parent for path in (ROOT / 'ironic_inspector').rglob('*.py')}
    present = {'.'.join(folder.relative_to(ROOT).parts) for folder in folders}
    assert listed == present | {'ironic_inspector.alembic', 'ironic_inspector.alembic.versions'}


def test_every_entry_point_leads_somewhere() -> None:
    points = metadata.distribution('ironic-inspector').entry_points
    assert points
    for point in points:
        assert callable(point.load()), point
