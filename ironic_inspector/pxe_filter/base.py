"""What the filters of this package have in common: they are told what to put in force."""

from __future__ import annotations

import abc
from collections.abc import Callable
from collections.abc import Iterable
import contextlib
from typing import Any

from oslo_config import cfg

from ironic_inspector.pxe_filter import infiniband
from ironic_inspector.pxe_filter import interface
from ironic_inspector.pxe_filter import policy as pxe_policy


class PolicyFilter(interface.FilterDriver):
    """A filter that puts a policy in force, and knows neither Ironic nor the database."""

    conf: cfg.ConfigOpts

    def configure(self, conf: cfg.ConfigOpts, active_macs: Callable[[], Iterable[str]]) -> None:
        """Work by `conf`; `active_macs` returns the MACs of all nodes on introspection. Comes before all else."""
        self.conf = conf
        self._active_macs = active_macs

    def sync(self, ironic: Any) -> None:
        """See FilterDriver."""
        ports = ironic.ports(fields=['address', 'extra'])
        self.follow(pxe_policy.known_ports((port.address, port.extra) for port in ports), look=True)

    def follow(self, known: pxe_policy.KnownPorts, *, look: bool) -> None:
        """Put in force what follows from Ironic's ports and from the introspections that go on now.

        `look`: see `put_in_force`. What it raises: the filter is as it was.
        """
        conf = self.conf
        with self.alone():
            self.put_in_force(
                pxe_policy.decide(
                    known,
                    self._active_macs(),
                    discovers=bool(conf.processing.node_not_found_hook),
                    deny_unknown=conf.pxe_filter.deny_unknown_macs,
                    ethernet=infiniband.ethernet_addresses(conf.iptables.ethoib_interfaces),
                ),
                look=look,
            )

    def alone(self) -> contextlib.AbstractContextManager[object]:
        """Return what keeps other processes from the filter in a `with` block; nothing does unless a driver says so."""
        return contextlib.nullcontext()

    @abc.abstractmethod
    def put_in_force(self, policy: pxe_policy.Policy, *, look: bool) -> None:
        """Put a policy in force, changing only what has to change, and being at no moment wider than it or the last.

        `look`: find out first what really is in force, which somebody may have changed; otherwise what this object
        knows of it is good enough, and where nothing has to change, nothing is done.
        """
