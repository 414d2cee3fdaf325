"""What oslo-config-generator lists for the namespace `ironic_inspector`."""

from __future__ import annotations

from collections.abc import Sequence

from oslo_config import cfg

from ironic_inspector.conf import capabilities
from ironic_inspector.conf import default
from ironic_inspector.conf import ironic
from ironic_inspector.conf import oslo_middleware
from ironic_inspector.conf import pci_devices
from ironic_inspector.conf import processing
from ironic_inspector.conf import pxe_filter


def list_opts() -> list[tuple[str, Sequence[cfg.Opt]]]:
    """Return the service's own options as (group, options) pairs."""
    return [
        ('DEFAULT', default.OPTS),
        ('capabilities', capabilities.OPTS),
        ('ironic', ironic.list_opts()),
        (oslo_middleware.GROUP, oslo_middleware.list_opts()),
        ('pci_devices', pci_devices.OPTS),
        ('processing', processing.OPTS),
        ('pxe_filter', pxe_filter.OPTS),
    ]
