"""Announcing the API by multicast DNS, so that ramdisks find it without knowing any address.

ironic-python-agent asks for exactly one name, NAME, and takes the address from its SRV and A or AAAA records, and
`path`, `protocol` and options of its own from its TXT record. Only one instance in a network can have that name. The
others announce themselves under names of their own, for those who browse, and the name goes over to one of them when
the instance that has it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import ipaddress
import re
import socket
import threading
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from urllib import parse

from oslo_config import cfg
from oslo_log import log

from ironic_inspector.common import exceptions
from ironic_inspector.common import keystone
from ironic_inspector.conf import service_catalog

if TYPE_CHECKING:
    import zeroconf

LOG = log.getLogger(__name__)

SERVICE: Final = 'baremetal-introspection'
DOMAIN: Final = '_openstack._tcp.local.'
NAME: Final = f'{SERVICE}.{DOMAIN}'

TTL: Final = 120
"""Seconds that others remember the service: as long as the name of an instance that was killed cannot be had."""
CHECK_INTERVAL: Final = 30.0
"""Seconds between two looks whether addresses have changed, and whether the name can be had."""
FIRST_RETRY: Final = 1.0
"""Seconds after a failure until the next attempt; twice as long after each one."""
LONGEST_RETRY: Final = 60.0
CATALOG_TIMEOUT: Final = 12.0
END_TIMEOUT: Final = 10.0
"""Seconds that the end of the service waits for the name to be given back."""

_OWN_RECORDS: Final = frozenset({'path', 'protocol'})
_MAX_RECORD: Final = 255
_DEFAULT_PORTS: Final = {'http': 80, 'https': 443}


@dataclasses.dataclass(frozen=True)
class Location:
    """Where the API is, for others."""

    protocol: str
    host: str
    """A name in DNS, or an IP address; empty if there are only `addresses`."""
    port: int
    path: str
    addresses: tuple[str, ...]

    def __str__(self) -> str:
        hosts = [self.host] if self.host else self.addresses
        return ', '.join(f'{self.protocol}://{_in_url(host)}:{self.port}{self.path}' for host in hosts)


class Announcer:
    """Announces the API from a thread of its own. Failures there are logged, and made good by a later attempt."""

    def __init__(self, conf: cfg.ConfigOpts, *, listens: bool) -> None:
        """Prepare the announcement; `listens` says whether the API is served as the options listen_* say.

        ConfigurationError if the options cannot work.
        """
        _check_package()
        _check_params(conf.mdns.params)
        _check_interfaces(conf.mdns.interfaces or ())
        self._conf = conf
        self._listens = listens and not conf.listen_unix_socket
        self._check_location()
        if conf.processing.callback_token:
            LOG.warning(
                '[processing]callback_token is set, and what is announced by mDNS has no token in it: ramdisks that '
                'find the service by mDNS alone will be refused'
            )
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name='mdns', daemon=True)
        self._zeroconf: zeroconf.Zeroconf | None = None
        self._location: Location | None = None
        self._names: set[str] = set()

    def start(self) -> None:
        """Begin to announce the API."""
        self._thread.start()

    def stop(self) -> None:
        """Take the announcement back."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(END_TIMEOUT)

    def _check_location(self) -> None:
        override = self._conf.service_catalog.endpoint_override
        if override:
            option = f'[{service_catalog.GROUP}]endpoint_override'
            try:
                parts = parse.urlsplit(override)
                usable = parts.scheme in _DEFAULT_PORTS and parts.hostname and parts.port != 0
            except ValueError:
                usable = False
            if not usable:
                raise exceptions.ConfigurationError(f'{option}: {override!r} is no http or https URL')
        elif _uses_catalog(self._conf):
            keystone.check(self._conf, service_catalog.GROUP)
        elif not self._listens:
            raise exceptions.ConfigurationError(
                '[DEFAULT]enable_mdns: the service does not know the address that others reach it at, set '
                f'[{service_catalog.GROUP}]endpoint_override'
            )

    def _run(self) -> None:
        failures = 0
        try:
            while not self._stopping.is_set():
                self._wake.clear()
                pause = CHECK_INTERVAL
                try:
                    self._announce()
                    failures = 0
                except Exception as exc:  # noqa: BLE001
                    # The edge of a thread, with the network behind it: the service does without, until it gets better.
                    failures += 1
                    pause = min(FIRST_RETRY * 2 ** (failures - 1), LONGEST_RETRY)
                    self._complain(exc, failures)
                if not self._stopping.is_set():
                    self._wake.wait(pause)
        finally:
            self._withdraw()

    def _complain(self, failure: Exception, failures: int) -> None:
        worst = failures == self._conf.mdns.registration_attempts
        LOG.log(
            log.ERROR if worst else log.WARNING,
            'The service could not be announced by mDNS, attempt %d (%s: %s); attempts go on',
            failures,
            type(failure).__name__,
            failure,
        )

    def _announce(self) -> None:
        location = self._find_location()
        if location != self._location:
            self._withdraw()
            self._location = location
        if self._zeroconf is None:
            self._zeroconf = self._connect()
        if NAME in self._names or self._register(self._zeroconf, NAME, location):
            return
        own = f'{SERVICE}-{_label(location)}.{DOMAIN}'
        if own not in self._names and not self._register(self._zeroconf, own, location):
            LOG.warning('The names %s and %s are taken: the service is announced once one of them is free', NAME, own)

    def _register(self, network: zeroconf.Zeroconf, name: str, location: Location) -> bool:
        """Announce the service under a name; tell whether the name could be had."""
        import zeroconf

        info = zeroconf.ServiceInfo(
            DOMAIN,
            name,
            port=location.port,
            properties=self._records(location),
            server=_server(location),
            parsed_addresses=list(location.addresses),
            host_ttl=TTL,
            other_ttl=TTL,
        )
        try:
            network.register_service(info)
        except zeroconf.NonUniqueNameException:
            return False
        self._names.add(name)
        LOG.info('The service is announced by mDNS as %s: %s', name, location)
        return True

    def _records(self, location: Location) -> dict[str, str]:
        # Without a path of its own the API is at the root, which is what ramdisks assume.
        path = {'path': location.path} if location.path else {}
        return {**self._conf.mdns.params, **path, 'protocol': location.protocol}

    def _connect(self) -> zeroconf.Zeroconf:
        import zeroconf

        # Left to itself, zeroconf takes the loopback interface as well, complains about it, and needs IPv6.
        interfaces = self._conf.mdns.interfaces or _outside(_local_addresses())
        if not interfaces:
            raise OSError('no interface of this machine has an address yet')
        network = zeroconf.Zeroconf(interfaces=interfaces)
        zeroconf.ServiceBrowser(network, DOMAIN, handlers=[self._notice])
        return network

    def _notice(self, *, name: str, state_change: Any, **_others: Any) -> None:
        import zeroconf

        if state_change is zeroconf.ServiceStateChange.Removed and name == NAME:
            self._wake.set()

    def _withdraw(self) -> None:
        network, self._zeroconf, self._location = self._zeroconf, None, None
        names, self._names = self._names, set()
        if network is None:
            return
        try:
            network.close()
        except Exception:
            # The network may be gone, and others forget the service by themselves.
            LOG.exception('The announcement by mDNS could not be taken back')
        else:
            LOG.info('The service is not announced by mDNS any more: %s', ', '.join(sorted(names)))

    def _find_location(self) -> Location:
        conf = self._conf
        url = conf.service_catalog.endpoint_override
        if not url and _uses_catalog(conf):
            url = keystone.connect(
                conf, service_catalog.GROUP, versions=None, timeout=CATALOG_TIMEOUT, connections=1
            ).url
        if url:
            return _location_of(url)
        return Location(
            protocol='https' if conf.use_ssl else 'http',
            host='',
            port=conf.listen_port,
            path='',
            addresses=tuple(_listening_addresses(conf.listen_address, conf.mdns.interfaces or ())),
        )


def create(conf: cfg.ConfigOpts, *, listens: bool) -> Announcer | None:
    """Return what announces the API, or None if [DEFAULT]enable_mdns does not ask for it; see Announcer."""
    return Announcer(conf, listens=listens) if conf.enable_mdns else None


def _check_package() -> None:
    try:
        import zeroconf  # noqa: F401
    except ImportError as exc:
        raise exceptions.ConfigurationError(
            f"[DEFAULT]enable_mdns: {exc}; install it with: pip install 'ironic-inspector[mdns]'"
        ) from exc


def _check_params(params: Mapping[str, str]) -> None:
    for name, value in params.items():
        if name in _OWN_RECORDS:
            raise exceptions.ConfigurationError(f'[mdns]params: {name} is set by the service itself')
        if not re.fullmatch(r'[\x20-\x3c\x3e-\x7e]+', name):
            raise exceptions.ConfigurationError(f'[mdns]params: {name!r} is no name: these are of printable ASCII')
        if len(f'{name}={value}'.encode()) > _MAX_RECORD:
            raise exceptions.ConfigurationError(
                f'[mdns]params: {name} is too long: name and value have {_MAX_RECORD - 1} bytes at most'
            )


def _check_interfaces(interfaces: Sequence[str]) -> None:
    for interface in interfaces:
        try:
            ipaddress.ip_address(interface)
        except ValueError as exc:
            raise exceptions.ConfigurationError(f'[mdns]interfaces: {interface!r} is no IP address') from exc


def _uses_catalog(conf: cfg.ConfigOpts) -> bool:
    return conf.service_catalog.auth_type not in (None, '', 'none')


def _location_of(url: str) -> Location:
    """Return where a URL leads; OSError if its host cannot be resolved, ValueError if it is no URL of the API."""
    parts = parse.urlsplit(url)
    host = parts.hostname
    if not host or parts.scheme not in _DEFAULT_PORTS:
        raise ValueError(f'{url} is no http or https URL')
    return Location(
        protocol=parts.scheme,
        host=host,
        port=parts.port or _DEFAULT_PORTS[parts.scheme],
        path=parts.path.rstrip('/'),
        addresses=tuple(_resolve(host)),
    )


def _resolve(host: str) -> list[str]:
    return sorted({str(answer[4][0]) for answer in socket.getaddrinfo(host, None, proto=socket.SOL_TCP)})


def _listening_addresses(listen_address: str, interfaces: Sequence[str]) -> list[str]:
    """Return the addresses at which a server that listens on `listen_address` can be reached, IPv4 first.

    Of a server that listens on all interfaces, those of `interfaces` (addresses), or if that is empty those that
    others can use: loopback addresses only where there are no others.
    """
    try:
        listen = ipaddress.ip_address(listen_address)
    except ValueError:
        return _resolve(listen_address)
    if not listen.is_unspecified:
        return [str(listen)]
    found = [ipaddress.ip_address(text) for text in (interfaces or _local_addresses())]
    usable = [address for address in found if address.version <= listen.version and not address.is_link_local]
    usable.sort(key=lambda address: (address.version, int(address)))
    return _outside([str(address) for address in usable])


def _local_addresses() -> list[str]:
    import ifaddr

    # An IPv6 address comes with its flow and its zone.
    ips = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    return [ip if isinstance(ip, str) else ip[0] for ip in ips]


def _outside(addresses: Sequence[str]) -> list[str]:
    """Return those of the addresses that are not of the loopback interface, or all if there are no others."""
    return [address for address in addresses if not ipaddress.ip_address(address).is_loopback] or list(addresses)


def _server(location: Location) -> str:
    """Return the name of the machine. Ramdisks take one in .local for their cue to use the address itself."""
    if location.host and not _is_address(location.host):
        return f'{location.host.rstrip(".")}.'
    return f'ironic-inspector-{_label(location)}.local.'


def _label(location: Location) -> str:
    """Return what tells the instance from others, short enough for a part of a name."""
    host = re.sub('[^a-z0-9-]+', '-', socket.gethostname().partition('.')[0].lower())
    return f'{host[:24]}-{location.port}'


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _in_url(host: str) -> str:
    return f'[{host}]' if ':' in host else host
