"""Checks that the sdist and the wheel in dist/ carry all of the package: modules, migrations, data files.

Command line: python3 -m tools.check_packages
"""

from collections.abc import Iterator
from pathlib import Path
import sys
import tarfile
import zipfile

from tools import environments


def package_files(checkout: Path) -> Iterator[tuple[str, str]]:
    """Each file of the package: its path in the checkout, and the one it is installed as."""
    for folder, installed in (('ironic_inspector', 'ironic_inspector'), ('alembic', 'ironic_inspector/alembic')):
        for path in sorted((checkout / folder).rglob('*')):
            if path.is_file() and path.suffix != '.pyc':
                inside = path.relative_to(checkout / folder).as_posix()
                yield f'{folder}/{inside}', f'{installed}/{inside}'


def missing_files(checkout: Path) -> list[str]:
    """What the packages lack, as lines to print; ValueError unless dist/ holds one of each."""
    [sdist] = (checkout / 'dist').glob('*.tar.gz')
    [wheel] = (checkout / 'dist').glob('*.whl')
    with tarfile.open(sdist) as archive:
        in_sdist = {name.partition('/')[2] for name in archive.getnames()}
    with zipfile.ZipFile(wheel) as archive_of_wheel:
        in_wheel = set(archive_of_wheel.namelist())
    lines = []
    for source, installed in package_files(checkout):
        if source not in in_sdist:
            lines.append(f'{sdist.name} lacks {source}')
        if installed not in in_wheel:
            lines.append(f'{wheel.name} lacks {installed}')
    return lines


def main() -> int:
    """Command line; returns the exit status."""
    lines = missing_files(environments.CHECKOUT)
    print('\n'.join(lines) or 'The sdist and the wheel carry all of the package.')
    return 1 if lines else 0


if __name__ == '__main__':
    sys.exit(main())
