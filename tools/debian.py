"""Programs from Debian's packages: found, installed where we are root, or asked for in one line."""

from collections.abc import Mapping
import os
import shutil
import subprocess
import sys

# What the real components run: {program: Debian package}. All of them are ironic-python-agent's.
COMPONENT_TOOLS = {'dmidecode': 'dmidecode', 'lshw': 'lshw', 'udevadm': 'udev'}


class MissingToolsError(Exception):
    """Programs are missing and can't be installed by this user; the message says what to run."""


def tools_path() -> dict[str, str]:
    """The variable PATH with the system's folders: they hold dmidecode and friends, but aren't on every user's path."""
    return {'PATH': f'{os.environ.get("PATH", os.defpath)}:/usr/sbin:/sbin'}


def require_tools(packages: Mapping[str, str]) -> None:
    """Make sure that programs are there: {program: Debian package}.

    As root, installs the packages that are missing. MissingToolsError otherwise, and when the installation fails.
    """
    missing = sorted(
        {package for program, package in packages.items() if not shutil.which(program, path=tools_path()['PATH'])}
    )
    if missing:
        install_packages(missing)


def install_packages(packages: list[str]) -> None:
    """Install Debian packages, with one line of progress each step; MissingToolsError when that can't be done."""
    names = ' '.join(packages)
    if os.geteuid() != 0 or not shutil.which('apt-get'):
        raise MissingToolsError(f'Missing: {names}. Install it with: sudo apt-get install {names}')
    environ = os.environ | {'DEBIAN_FRONTEND': 'noninteractive'}
    for title, command in (
        ("reading Debian's package lists", ['apt-get', 'update']),
        (f'installing {names}', ['apt-get', 'install', '--yes', '--no-install-recommends', *packages]),
    ):
        print(f'[debian] {title} ...', flush=True)
        done = subprocess.run(
            command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            output = (done.stdout + done.stderr).strip()
            raise MissingToolsError(f'{" ".join(command)} failed:\n{output}')


def main() -> int:
    """Command line: make sure that the real components find their programs; returns the exit status."""
    try:
        require_tools(COMPONENT_TOOLS)
    except MissingToolsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
