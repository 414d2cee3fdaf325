"""Introspects this machine for real, and shows what came of it; `make demo` runs it.

A real Ironic and the service run on loopback for as long as that takes, with their files in `.demo`. With KEEP=1 in
the environment they stay up until Ctrl-C.
"""

from collections.abc import Iterator
from contextlib import contextmanager
import fcntl
import os
from pathlib import Path
import shutil
import signal
import sys
import threading
import time
from types import FrameType
from typing import Any
from typing import NoReturn

from openstack import exceptions

from tools import components
from tools import debian
from tools import environments
from tools import processes
from tools import report

NODE = 'this-machine'
FOLDER = environments.CHECKOUT / '.demo'
_WAITING_TIMEOUT = 60
_FINISHED_TIMEOUT = 120

_KEPT = """\
Everything stays up until you press Ctrl-C. In another terminal, in this folder:

  export OS_AUTH_TYPE=none OS_ENDPOINT={ironic} INSPECTOR_URL={inspector}
  PATH=$PWD/.envs/clients/bin:$PWD/.envs/ipa/bin:$PATH

  openstack baremetal introspection list
  openstack baremetal introspection status {node}
  openstack baremetal introspection data save {node} | python3 -m json.tool | less
  openstack baremetal introspection reprocess {node}
  openstack baremetal node show {node} -f json -c properties
  openstack baremetal port list --node {node}

Introspect once more: start it, then post what the ramdisk would.

  openstack baremetal introspection start {node}
  ironic-collect-introspection-data --inspection_callback_url {callback} \\
      --inspection_collectors {collectors}
"""

_ENDED = """\
All of it ran on loopback and is stopped again; the logs are in {folder}.

To go on exploring, keep it up until Ctrl-C with

  make demo KEEP=1

which also prints the lines for the OpenStack command line, such as

  openstack baremetal introspection status {node}
  openstack baremetal introspection data save {node}
"""


class DemoError(Exception):
    """The demo can't go on; the message says why and what to do."""


class Demo:
    """One run."""

    def __init__(self, folder: Path) -> None:
        """`folder` gets all files."""
        self._folder = folder
        self._started = time.monotonic()

    def run(self, *, keep: bool) -> None:
        """Show it all; with `keep`, wait for Ctrl-C at the end."""
        macs = components.machine_macs()
        if not macs:
            raise DemoError(
                'This machine has no network interface with hardware behind it (is it a container?), and the ramdisk '
                'reports no others: there is nothing to introspect it by. A virtual machine will do.'
            )
        self._say('starting a real Ironic')
        with components.Ironic(self._folder / 'ironic') as ironic:
            self._say(f'Ironic serves at {ironic.url}; starting the service')
            options = {'processing': {'add_ports': 'all'}}
            with components.Inspector(self._folder / 'inspector', ironic.url, options) as inspector:
                self._say(f'the service serves at {inspector.url}')
                node = ironic.enrol(NODE, macs)
                self._say(f'this machine is now node {NODE} in Ironic, with ports {", ".join(macs)}')
                self._show(ironic, inspector, node.id)
                if keep:
                    self._keep(ironic, inspector)
        print(_ENDED.format(node=NODE, folder=self._folder), flush=True)

    def _keep(self, ironic: components.Ironic, inspector: components.Inspector) -> None:
        facts = {
            'node': NODE,
            'ironic': ironic.url,
            'inspector': inspector.url,
            'callback': inspector.callback_url,
            'collectors': components.ipa_collectors(),
        }
        print(_KEPT.format(**facts), flush=True)
        threading.Event().wait()

    def _show(self, ironic: components.Ironic, inspector: components.Inspector, node_id: str) -> None:
        with ironic.connect() as ironic_api, inspector.connect() as inspector_api:
            before = _in_ironic(ironic_api, node_id)
            begun = time.monotonic()
            self._introspect(inspector, inspector_api.baremetal_introspection, node_id)
            seconds = time.monotonic() - begun
            found = inspector_api.baremetal_introspection.get_introspection_data(node_id, processed=False)
            after = _in_ironic(ironic_api, node_id)
        parts = [
            f'\nIntrospection of {NODE}: finished in {seconds:.1f} s. What the ramdisk found on this machine:\n',
            report.hardware(found),
            f'\nWhat changed in Ironic for {NODE}:\n',
            report.changes('property', before[0], after[0]),
            '',
            report.changes('port', before[1], after[1]),
            '',
        ]
        print('\n'.join(parts), flush=True)

    def _introspect(self, inspector: components.Inspector, api: Any, node_id: str) -> None:
        api.start_introspection(node_id)
        self._follow(api, node_id, 'waiting', _WAITING_TIMEOUT)
        self._say('a server would boot the ramdisk now; here its real collector runs on this machine')
        components.collect_introspection_data(inspector.callback_url, self._folder / 'ramdisk')
        self._follow(api, node_id, 'finished', _FINISHED_TIMEOUT)

    def _follow(self, api: Any, node_id: str, wanted: str, timeout: float) -> None:
        """Tell each state that the introspection is seen in, until it is in the wanted one."""
        deadline = time.monotonic() + timeout
        pause = threading.Event()
        seen = ''
        while True:
            status = api.get_introspection(node_id)
            if status.state != seen:
                seen = status.state
                self._say(f'introspection is {seen}')
            if seen == wanted:
                return
            if seen == 'error':
                raise DemoError(f'The introspection failed: {status.error}\nThe logs are in {self._folder}.')
            if time.monotonic() > deadline:
                raise DemoError(f'Still {seen} after {timeout:g} s. The logs are in {self._folder}.')
            pause.wait(0.1)

    def _say(self, line: str) -> None:
        print(f'[{time.monotonic() - self._started:4.1f} s] {line}', flush=True)


def _in_ironic(api: Any, node_id: str) -> tuple[dict[str, str], dict[str, str]]:
    """A node's properties and its ports, as {name: value}."""
    properties = api.baremetal.get_node(node_id).properties
    ports = api.baremetal.ports(node_id=node_id, details=True)
    return (
        {name: str(value) for name, value in properties.items()},
        {port.address: f'PXE {"enabled" if port.is_pxe_enabled else "disabled"}' for port in ports},
    )


@contextmanager
def _clean_folder() -> Iterator[Path]:
    """The folder for a run's files, empty; DemoError while another run uses it."""
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / 'lock').open('w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError('Another demo is running in this checkout; end it with Ctrl-C there.') from None
        for left in FOLDER.iterdir():
            if left.is_dir():
                shutil.rmtree(left)
        yield FOLDER


def _interrupted(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> int:
    """Run the demo; returns the exit status."""
    keep = os.environ.get('KEEP', '') not in {'', '0'}
    signal.signal(signal.SIGTERM, _interrupted)
    # Proxies of the user's must not come between openstacksdk and this machine.
    os.environ.update(processes.child_environment())
    try:
        with _clean_folder() as folder:
            Demo(folder).run(keep=keep)
    except KeyboardInterrupt:
        print('\nStopped; nothing is left running.')
        return 0 if keep else 130
    except (
        DemoError,
        debian.MissingToolsError,
        environments.BuildError,
        exceptions.SDKException,
        processes.ProcessError,
    ) as error:
        print(f'\n{error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
