"""The PXE filter in the conductor: when it is brought up to date, and what becomes of its failures."""

from __future__ import annotations

import threading

from oslo_config import cfg
from oslo_log import log

from ironic_inspector.common import ironic as ironic_client
from ironic_inspector.plugins import loading
from ironic_inspector.pxe_filter import interface as pxe_interface

LOG = log.getLogger(__name__)

NAMESPACE = 'ironic_inspector.pxe_filter'


class PxeFilter:
    """The PXE filter, one synchronisation at a time."""

    @classmethod
    def load(cls, conf: cfg.ConfigOpts, client: ironic_client.IronicClient) -> PxeFilter:
        """Return the filter that [pxe_filter]driver names; ConfigurationError if there is none by that name."""
        return cls(loading.load(NAMESPACE, conf.pxe_filter.driver, '[pxe_filter]driver'), client)

    def __init__(self, driver: pxe_interface.FilterDriver, client: ironic_client.IronicClient) -> None:
        """Keep `driver` in line with the Ironic behind `client`."""
        self.driver = driver
        self._client = client
        self._lock = threading.Lock()

    def sync(self) -> None:
        """Bring the filter up to date. A failure leaves it as it was, is logged, and made good by the next time."""
        with self._lock:
            try:
                self.driver.sync(self._client)
            except Exception:
                # A foreign driver may raise anything, and none of it is the fault of the node at hand.
                LOG.exception('The PXE filter could not be synchronised; it stays as it was until the next attempt')
