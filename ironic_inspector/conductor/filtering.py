"""The PXE filter in the conductor: when it is brought up to date, and what becomes of its failures."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
import functools
import threading

from oslo_config import cfg
from oslo_log import log

from ironic_inspector.common import exceptions
from ironic_inspector.common import ironic as ironic_client
from ironic_inspector.common import ironic_sdk
from ironic_inspector.common import metrics as service_metrics
from ironic_inspector.conductor import coalescing
from ironic_inspector.plugins import loading
from ironic_inspector.pxe_filter import base
from ironic_inspector.pxe_filter import interface as pxe_interface
from ironic_inspector.pxe_filter import ports as pxe_ports

LOG = log.getLogger(__name__)

NAMESPACE = 'ironic_inspector.pxe_filter'
OPTION = '[pxe_filter]driver'

PATIENCE = 10.0
"""Seconds that the end of the service waits for a synchronisation, which may hang with Ironic."""


class PxeFilter:
    """The PXE filter, one synchronisation at a time."""

    @classmethod
    def load(
        cls,
        conf: cfg.ConfigOpts,
        client: ironic_client.IronicClient,
        active_macs: Callable[[], set[str]],
        metrics: service_metrics.Metrics = service_metrics.OFF,
    ) -> PxeFilter:
        """Return the filter that [pxe_filter]driver names; ConfigurationError if there is none by that name.

        Those of this package get Ironic's ports from `client`, and the MACs on introspection from `active_macs`.
        """
        name = conf.pxe_filter.driver
        driver = loading.load(NAMESPACE, name, OPTION)
        if isinstance(driver, base.PolicyFilter):
            driver.configure(conf, active_macs)
            return PolicyPxeFilter(
                name,
                driver,
                pxe_ports.PortCache(client.all_ports),
                periodic=conf.pxe_filter.sync_period > 0,
                metrics=metrics,
            )
        return cls(name, driver, metrics)

    def __init__(
        self,
        name: str,
        driver: pxe_interface.FilterDriver,
        metrics: service_metrics.Metrics = service_metrics.OFF,
    ) -> None:
        """Take care of `driver`, which the configuration calls `name`."""
        self.name = name
        self._metrics = metrics
        self._driver = driver
        self._ironic = ironic_sdk.LazyClient()
        self._lock = threading.Lock()
        self._runs = coalescing.Coalescer(functools.partial(self._call, self._bring_up_to_date))
        self.periodic_task: Callable[[], object] | None = None
        """What is to be called time and again, once the filter has started."""

    def start(self) -> None:
        """Prepare the filter; ConfigurationError if it fails."""
        with loading.preparing(self.name, OPTION):
            self._driver.init_filter()
            task = self._driver.get_periodic_sync_task()
        if task is not None:
            # Keeps what futurist has noted down about the task.
            self.periodic_task = functools.wraps(task)(functools.partial(self._call, task))

    def learn(self, ports: Iterable[ironic_client.JsonObject]) -> None:
        """Take note of ports (`address`, `extra`) that Ironic has. Drivers from elsewhere ask Ironic for all."""

    def sync(self) -> None:
        """Bring the filter up to date. A failure leaves it as it was, is logged, and made good by the next time.

        Those who ask while another synchronisation goes on get one for all of them, which begins after that.
        """
        self._runs.run()

    def stop(self) -> None:
        """Let the filter clean up."""
        alone = self._lock.acquire(timeout=PATIENCE)
        try:
            self._driver.tear_down_filter()
        except Exception:
            # A foreign driver may raise anything; the service ends all the same.
            LOG.exception('The PXE filter %s could not clean up', self.name)
        finally:
            if alone:
                self._lock.release()

    def _bring_up_to_date(self) -> None:
        self._driver.sync(self._ironic)

    def _call(self, work: Callable[[], object]) -> None:
        with self._lock:
            try:
                with self._metrics.pxe_filter_sync():
                    work()
            except exceptions.InspectorError as exc:
                self._log_failure(exc)
            except Exception:
                # A foreign driver may raise anything, and none of it is the fault of the node at hand.
                LOG.exception(
                    'The PXE filter %s could not be synchronised; it stays as it was until the next attempt', self.name
                )

    def _log_failure(self, failure: Exception) -> None:
        LOG.error(
            'The PXE filter %s could not be synchronised; it stays as it was until the next attempt: %s',
            self.name,
            failure,
        )


class PolicyPxeFilter(PxeFilter):
    """A filter of this package: Ironic is asked for its ports time and again, not for each introspection."""

    _driver: base.PolicyFilter

    def __init__(
        self,
        name: str,
        driver: base.PolicyFilter,
        ports: pxe_ports.PortCache,
        *,
        periodic: bool,
        metrics: service_metrics.Metrics = service_metrics.OFF,
    ) -> None:
        """See PxeFilter. Not `periodic`: Ironic is asked whenever an introspection changes something."""
        super().__init__(name, driver, metrics)
        self._ports = ports
        self._periodic = periodic
        self._looking = threading.Event()

    def start(self) -> None:
        """See PxeFilter."""
        super().start()
        self.periodic_task = self._sync_with_ironic

    def learn(self, ports: Iterable[ironic_client.JsonObject]) -> None:
        """See PxeFilter."""
        self._ports.add(ports)

    def _sync_with_ironic(self) -> None:
        """Bring the filter in line with Ironic's ports, and look whether it still is what it was made."""
        try:
            # Before the synchronisation, which nobody has to wait for meanwhile.
            self._ports.refresh()
        except exceptions.ShuttingDown:
            return
        except exceptions.InspectorError as exc:
            self._log_failure(exc)
            if not self._ports.listed:
                return
        self._looking.set()
        self.sync()

    def _bring_up_to_date(self) -> None:
        look = self._looking.is_set() or not self._periodic
        self._looking.clear()
        known = self._ports.current() if self._periodic else self._ports.refresh()
        self._driver.follow(known, look=look)
