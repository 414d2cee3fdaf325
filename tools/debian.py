"""Programs from Debian's packages: found, installed where we are root, or asked for in one line."""

import argparse
from collections.abc import Mapping
import os
import shutil
import subprocess
import sys

# What the real components run: {program: Debian package}. All of them are ironic-python-agent's.
COMPONENT_TOOLS = {'dmidecode': 'dmidecode', 'lshw': 'lshw', 'udevadm': 'udev'}
# What only tests need: a Swift with passwords keeps its tokens there.
SWIFT_TOOLS = {'memcached': 'memcached'}
# The same: a switch in a network of its own.
LLDP_TOOLS = {'ip': 'iproute2', 'lldpd': 'lldpd', 'unshare': 'util-linux'}
# DHCP servers, clients and firewalls, in networks of their own.
DHCP_TOOLS = {
    'busybox': 'busybox',
    'dhclient': 'isc-dhcp-client',
    'dnsmasq': 'dnsmasq-base',
    'ip': 'iproute2',
    'ip6tables': 'iptables',
    'iptables': 'iptables',
    'nft': 'nftables',
    'sudo': 'sudo',
    'unshare': 'util-linux',
}
# The same: what checks units, of which none is started.
SYSTEMD_TOOLS = {'systemd-analyze': 'systemd'}
TEST_TOOLS = SWIFT_TOOLS | LLDP_TOOLS | DHCP_TOOLS | SYSTEMD_TOOLS


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
    parser = argparse.ArgumentParser(description="Install the programs from Debian's packages that are missing.")
    parser.add_argument('--tests', action='store_true', help='those as well that only tests need')
    try:
        require_tools(COMPONENT_TOOLS | TEST_TOOLS if parser.parse_args().tests else COMPONENT_TOOLS)
    except MissingToolsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
