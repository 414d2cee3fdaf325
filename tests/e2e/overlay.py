"""Virtual environments on top of others: what they have is there, and what is installed into them is there besides."""

from pathlib import Path
import shutil
import subprocess
import sys

PURELIB = 'import sysconfig; print(sysconfig.get_path("purelib"))'


def make(folder: Path, below: Path) -> Path:
    """Make an environment in `folder` on top of the one of the interpreter `below`; return its interpreter."""
    _run(below, '-m', 'venv', '--without-pip', folder)
    python = folder / 'bin' / 'python'
    site, site_below = (_run(each, '-I', '-c', PURELIB).strip() for each in (python, below))
    # As a folder of packages, not just in the path: packages that are installed as editable have files of this kind.
    Path(site, 'below.pth').write_text(f'import site; site.addsitedir({site_below!r})\n')
    return python


def build(source: Path, folder: Path) -> Path:
    """Build a wheel of the package in `source`, without network, and return it; everything is left in `folder`."""
    copied = folder / 'source'
    shutil.copytree(source, copied)
    _pip('wheel', '--no-build-isolation', '--no-deps', '--no-index', '--wheel-dir', folder, copied)
    (wheel,) = folder.glob('*.whl')
    return wheel


def install(wheel: Path, python: Path) -> None:
    """Install a wheel into the environment of an interpreter, without network."""
    _pip('--python', python, 'install', '--no-deps', '--no-index', wheel)


def _pip(*arguments: str | Path) -> str:
    return _run(Path(sys.executable), '-m', 'pip', '--disable-pip-version-check', *arguments)


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f'{command}: {done.stdout}{done.stderr}'
    return done.stdout
