"""ironic-inspector: API and conductor in one process."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from concurrent import futures
import contextlib
import gc
import signal
import socket
import sys
from types import FrameType
from typing import Final
from typing import NoReturn

from oslo_config import cfg
from oslo_log import log

from ironic_inspector import conf as configuration
from ironic_inspector.api import access
from ironic_inspector.api import app as api_app
from ironic_inspector.api import metrics as api_metrics
from ironic_inspector.api import server as api_server
from ironic_inspector.cmd import startup
from ironic_inspector.common import mdns
from ironic_inspector.common import memory
from ironic_inspector.common import single

LOG = log.getLogger(__name__)

DESCRIPTION: Final = (
    'Introspection of bare metal: serves the API, and works on the nodes, in one process. All else is in the '
    'configuration file, by default ironic-inspector.conf in ~/.ironic-inspector, ~, /etc/ironic-inspector or /etc. '
    'The database has to be there: run ironic-inspector-dbsync upgrade first.'
)
EPILOG: Final = (
    'SIGHUP reads those options again that may change, SIGTERM and SIGINT let work in progress end. Exit status: 0 '
    'after a signal, 1 if the service could not start; standard error then says in one line what to correct. '
    'ironic-inspector-status upgrade check tells beforehand.'
)
ENDING: Final = (signal.SIGTERM, signal.SIGINT)
"""The signals that end the service. Others, which a plug-in may handle, do not."""


class _Service:
    """The parts of the service."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Build them, on a database that is there; raises startup.FAILURES."""
        self._conf = conf
        self._conductor = startup.build_conductor(conf)
        self._server = api_server.Server(conf, api_app.create_app(conf, self._conductor))
        self._announcer = mdns.create(conf, listens=True)
        self._metrics_server = api_metrics.create_server(conf, self._conductor.services.metrics)
        self._servers: list[api_server.Server | api_metrics.NoServer] = [self._server, self._metrics_server]
        self._works = False

    @property
    def address(self) -> str:
        """Where the API is, for people."""
        return self._server.address

    def prepare(self) -> None:
        """Bring up all but the API, which may have to wait for others; raises startup.FAILURES."""
        self._claim = single.claim(self._conf)
        with contextlib.ExitStack() as undo:
            # Their threads would keep a process that cannot start from ending.
            for server in self._servers:
                server.bind()
                undo.callback(server.stop)
            self._works = True
            self._conductor.start()
            undo.pop_all()

    def open(self) -> None:
        """Let clients in, after `prepare`."""
        self._metrics_server.start()
        self._server.start()
        if self._announcer:
            self._announcer.start()

    def close(self) -> None:
        """End, after `open`."""
        if self._announcer:
            self._announcer.stop()
        startup.end(self._conf, self._conductor, self._servers)
        self._claim.give_up()

    def break_off(self) -> NoReturn:
        """End with the process while `prepare` goes on."""
        # Before that, what a PXE filter has set up may be another process's.
        if self._works:
            startup.end(self._conf, self._conductor, self._servers)
        startup.leave()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the service until SIGTERM or SIGINT; return the exit status, 1 if it could not start."""
    memory.limit_heaps()
    conf = cfg.CONF
    with _signals(*ENDING, signal.SIGHUP) as signals:
        try:
            configuration.load(
                conf,
                sys.argv[1:] if argv is None else argv,
                prog='ironic-inspector',
                description=DESCRIPTION,
                epilog=EPILOG,
            )
            # In this thread, as plug-ins may want to handle signals.
            service = _Service(conf)
            signals.is_urgent = False
            read_again = _prepare(service, signals)
        except startup.FAILURES as exc:
            print(f'ironic-inspector cannot start: {startup.reason(exc)}', file=sys.stderr)
            return 1
        _run(conf, service, signals, read_again=read_again)
    return 0


def _settle_objects() -> None:
    # What has been imported and built stays: looking through it again and again took a tenth of the time of a callback.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _read_again(conf: cfg.ConfigOpts) -> None:
    try:
        conf.mutate_config_files()
    except (cfg.Error, OSError) as exc:
        LOG.error('The configuration cannot be read again, everything stays as it was: %s', exc)
    else:
        LOG.info('The options that may change have been read again')


class _Signals:
    """The signals that the process gets, one after the other."""

    def __init__(self, reader: socket.socket, writer: socket.socket) -> None:
        """Read their numbers, a byte each, from `reader`."""
        self._reader = reader
        self._writer = writer
        self.is_urgent = True
        """Whether one that ends the service does so at once (SystemExit), as long as there is nothing to clean up."""

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Be called by Python for a signal, some time after `next` can return it."""
        if self.is_urgent and number in ENDING:
            sys.exit(0)

    def next(self) -> int:
        """Wait for a signal and return its number; 0 after `wake`."""
        return self._reader.recv(1)[0]

    def wake(self) -> None:
        """Let `next` return without a signal."""
        # Full, it wakes anyway; closed, nobody waits.
        with contextlib.suppress(OSError):
            self._writer.send(b'\0')


@contextlib.contextmanager
def _signals(*numbers: signal.Signals) -> Iterator[_Signals]:
    """Handle signals as long as the `with` block lasts, which gets them."""
    # A queue filled by a handler would not do: the handler runs when the main thread goes on, and a signal that another
    # thread has received does not wake that.
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        signals = _Signals(reader, writer)
        for number in numbers:
            signal.signal(number, signals.handle)
        try:
            yield signals
        finally:
            signal.set_wakeup_fd(-1)


def _prepare(service: _Service, signals: _Signals) -> bool:
    """Prepare a service, unless a signal ends the process; tell whether another has asked to read the options again.

    Raises startup.FAILURES.
    """
    read_again = False
    # In a thread of its own: it may wait for Ironic, or for another process to end.
    starter = futures.ThreadPoolExecutor(1, thread_name_prefix='start')
    prepared = starter.submit(service.prepare)
    starter.shutdown(wait=False)
    prepared.add_done_callback(lambda _outcome: signals.wake())
    while not prepared.done():
        number = signals.next()
        read_again |= number == signal.SIGHUP
        if number in ENDING:
            LOG.info('Shutting down before the service is up')
            service.break_off()
    prepared.result()
    return read_again


def _run(conf: cfg.ConfigOpts, service: _Service, signals: _Signals, *, read_again: bool) -> None:
    _settle_objects()
    service.open()
    access.warn_if_open(conf)
    LOG.info('The service is up and listens on %s', service.address)
    if read_again:
        _read_again(conf)
    while (number := signals.next()) not in ENDING:
        if number == signal.SIGHUP:
            _read_again(conf)
    timeout = conf.graceful_shutdown_timeout or None
    LOG.info('Shutting down: no new work is taken, work in progress gets %s s', timeout or 'any number of')
    service.close()
    LOG.info('The service has ended')
