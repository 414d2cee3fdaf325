"""The filter in dnsmasq itself: a file for each MAC, in the folder that dnsmasq watches with --dhcp-hostsdir.

A line of such a file is an argument of --dhcp-host: a MAC, followed by `ignore` if it is to be left without an answer;
`*:*:*:*:*:*` stands for all that have no line of their own. dnsmasq reads a file again when it is renamed into the
folder. What a file said stays in force when the file is deleted, until dnsmasq starts again: so a MAC that has left
Ironic keeps a line, which says what is said of unknown ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from oslo_log import log

from ironic_inspector.common import exceptions
from ironic_inspector.pxe_filter import base
from ironic_inspector.pxe_filter import policy as pxe_policy

LOG = log.getLogger(__name__)

UNKNOWN_FILE = 'unknown_hosts_filter'
GONE_FILE = 'gone_hosts_filter'
"""MACs that had left Ironic when the folder was last cleared, a line for each."""
_HIDDEN = '.new'
"""Folder in which files are written; what begins with a dot is nothing to dnsmasq."""
_ANY = '*:*:*:*:*:*'
_MAC = re.compile('[0-9a-f]{2}(:[0-9a-f]{2}){5}')
_MODE = 0o644
"""dnsmasq has a user of its own, who must be able to read."""
_QUEUE = pathlib.Path('/proc/sys/fs/inotify/max_queued_events')
_NOT_FOUND = (126, 127)
"""Statuses of a shell that cannot run a command."""

Signature = tuple[int, int, int]


def line(mac: str, *, served: bool) -> str:
    """Return the line that lets dnsmasq serve a MAC, or not."""
    return f'{mac}\n' if served else f'{mac},ignore\n'


def contents(policy: pxe_policy.Policy, present: Iterable[str] = (), gone: Iterable[str] = ()) -> dict[str, str]:
    """Return what is to be in the folder: text by the name of the file.

    `present` are names of files that are there: those of MACs that Ironic does not know follow the rule for unknown
    ones, like the MACs in `gone`, which have no file of their own.
    """
    files = {mac: line(mac, served=True) for mac in policy.active}
    files.update({mac: line(mac, served=False) for mac in policy.inactive})
    files[UNKNOWN_FILE] = line(_ANY, served=policy.open)
    left = [name for name in present if name not in files and _MAC.fullmatch(name)]
    files.update({mac: line(mac, served=policy.open) for mac in left})
    lines = [line(mac, served=policy.open) for mac in sorted(set(gone).difference(files))]
    if lines or gone:
        files[GONE_FILE] = ''.join(lines)
    return files


def changes(present: dict[str, str], wanted: dict[str, str]) -> list[str]:
    """Return the names of the files to write, in order: what denies goes first, and the rule for unknown MACs last.

    So at no moment is anybody served whom neither what was there nor what is wanted serves. If the rule is to deny, it
    goes before all.
    """
    names = [name for name, text in wanted.items() if present.get(name) != text]
    closing = ',ignore' in wanted[UNKNOWN_FILE]
    order = {UNKNOWN_FILE: -1 if closing else 3, GONE_FILE: 0 if closing else 2}
    return sorted(names, key=lambda name: (order.get(name, 0 if ',ignore' in wanted[name] else 1), name))


class DnsmasqFilter(base.PolicyFilter):
    """Tells dnsmasq, by files, whom to serve."""

    def __init__(self) -> None:
        self._present: dict[str, str] = {}
        self._signatures: dict[str, Signature] = {}
        self._in_force: pxe_policy.Policy | None = None
        self._purging = False

    def init_filter(self) -> None:
        """See FilterDriver: as long as nothing else is known, unknown machines are not served."""
        options = self.conf.dnsmasq_pxe_filter
        self._folder = pathlib.Path(options.dhcp_hostsdir)
        self._shared = not options.purge_dhcp_hostsdir
        self._purging = options.purge_dhcp_hostsdir
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self.alone(), self._writing():
                self._look()
                if UNKNOWN_FILE not in self._present:
                    self._write(UNKNOWN_FILE, line(_ANY, served=False))
        except OSError as exc:
            raise exceptions.ConfigurationError(
                f'[dnsmasq_pxe_filter]dhcp_hostsdir: {self._folder} cannot be written to: {exc}'
            ) from exc
        if options.dnsmasq_start_command:
            _start(options.dnsmasq_start_command)

    def tear_down_filter(self) -> None:
        """See FilterDriver: the files stay, as dnsmasq may go on."""
        command = self.conf.dnsmasq_pxe_filter.dnsmasq_stop_command
        if command:
            status, reason = _shell(command)
            if status:
                LOG.error('[dnsmasq_pxe_filter]dnsmasq_stop_command failed with status %s: %s', status, reason)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """See PolicyFilter: processes that share the folder write one after the other, each what is true then."""
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def put_in_force(self, policy: pxe_policy.Policy, *, look: bool) -> None:
        """See PolicyFilter."""
        if not look and not self._shared and policy == self._in_force:
            return
        if look or self._shared or self._in_force is None:
            self._look()
        self._in_force = None
        gone = set(_macs_in(self._present.get(GONE_FILE, '')))
        stale = self._stale(policy) if self._purging else set()
        wanted = contents(policy, self._present.keys() - stale, gone | {name for name in stale if _MAC.fullmatch(name)})
        written = changes(self._present, wanted)
        if written or stale:
            _warn_of_many(len(written))
            with self._writing():
                for name in written:
                    self._write(name, wanted[name])
            for name in stale:
                self._delete(name)
            LOG.info('PXE filter dnsmasq: %d files written, %d deleted', len(written), len(stale))
        self._purging = False
        self._in_force = policy

    def _stale(self, policy: pxe_policy.Policy) -> set[str]:
        kept = policy.active | policy.inactive | {UNKNOWN_FILE, GONE_FILE}
        return {name for name in self._present if name not in kept}

    def _look(self) -> None:
        """Find out what is in the folder, reading only files that are not as they were last."""
        found: dict[str, str] = {}
        signatures: dict[str, Signature] = {}
        for entry in os.scandir(self._folder):
            if entry.name.startswith('.'):
                continue
            try:
                signature = _signature(entry.stat(follow_symlinks=False))
                if self._signatures.get(entry.name) == signature:
                    text = self._present[entry.name]
                else:
                    text = pathlib.Path(entry.path).read_text(errors='replace')
            except (FileNotFoundError, IsADirectoryError):
                # Another process may have deleted it meanwhile; a folder is nothing to dnsmasq.
                continue
            found[entry.name], signatures[entry.name] = text, signature
        self._present, self._signatures = found, signatures

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        # Not in the folder itself: dnsmasq would be told of each file twice.
        new = self._folder / _HIDDEN
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        try:
            yield
        finally:
            shutil.rmtree(new)

    def _write(self, name: str, text: str) -> None:
        new = self._folder / _HIDDEN / name
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        try:
            # The umask may have taken something away.
            os.fchmod(descriptor, _MODE)
            os.write(descriptor, text.encode())
            signature = _signature(os.fstat(descriptor))
        finally:
            os.close(descriptor)
        os.replace(new, self._folder / name)
        self._present[name], self._signatures[name] = text, signature

    def _delete(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)
        self._present.pop(name, None)
        self._signatures.pop(name, None)


def _signature(status: os.stat_result) -> Signature:
    return (status.st_ino, status.st_mtime_ns, status.st_size)


def _warn_of_many(files: int) -> None:
    try:
        most = int(_QUEUE.read_text())
    except (OSError, ValueError):
        return
    if files >= most:
        LOG.warning(
            '%d files are written at once, but no more than %d changes wait for dnsmasq to take notice: raise the '
            'kernel parameter fs.inotify.max_queued_events, and let dnsmasq read all files again with SIGHUP',
            files,
            most,
        )


def _macs_in(text: str) -> list[str]:
    return [mac for mac in (part.split(',')[0] for part in text.splitlines()) if _MAC.fullmatch(mac)]


def _start(command: str) -> None:
    status, reason = _shell(command)
    if status in _NOT_FOUND:
        raise exceptions.ConfigurationError(f'[dnsmasq_pxe_filter]dnsmasq_start_command cannot be run: {reason}')
    if status:
        # After a crash of the service dnsmasq is still running, and need not start again.
        LOG.error('[dnsmasq_pxe_filter]dnsmasq_start_command failed with status %s: %s', status, reason)


def _shell(command: str) -> tuple[int, str]:
    """Run a shell command; return its status and the last line of its errors."""
    # Not a pipe: it would be open as long as a daemon that the command has started.
    with tempfile.TemporaryFile() as errors:
        done = subprocess.run(  # noqa: S602 (the operator's own command, in the configuration)
            command,
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            check=False,
        )
        errors.seek(0)
        lines = errors.read().decode(errors='replace').strip().splitlines()
    return done.returncode, lines[-1] if lines else 'it does not say why'
