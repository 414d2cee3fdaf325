"""What oslo-config-generator lists for the namespace `ironic_inspector`."""

from __future__ import annotations

from collections.abc import Sequence

from oslo_config import cfg

from ironic_inspector.conf import accelerators
from ironic_inspector.conf import capabilities
from ironic_inspector.conf import default
from ironic_inspector.conf import discovery
from ironic_inspector.conf import dnsmasq_pxe_filter
from ironic_inspector.conf import extra_hardware
from ironic_inspector.conf import healthcheck
from ironic_inspector.conf import inspection_rules
from ironic_inspector.conf import iptables
from ironic_inspector.conf import ironic
from ironic_inspector.conf import mdns
from ironic_inspector.conf import metrics
from ironic_inspector.conf import oslo_middleware
from ironic_inspector.conf import pci_devices
from ironic_inspector.conf import port_physnet
from ironic_inspector.conf import processing
from ironic_inspector.conf import pxe_filter
from ironic_inspector.conf import service_catalog
from ironic_inspector.conf import ssl
from ironic_inspector.conf import swift


def list_opts() -> list[tuple[str, Sequence[cfg.Opt]]]:
    """Return the service's own options as (group, options) pairs."""
    return [
        ('DEFAULT', default.OPTS),
        ('accelerators', accelerators.OPTS),
        ('capabilities', capabilities.OPTS),
        ('discovery', discovery.OPTS),
        ('dnsmasq_pxe_filter', dnsmasq_pxe_filter.OPTS),
        ('extra_hardware', extra_hardware.OPTS),
        (healthcheck.GROUP, healthcheck.OPTS),
        ('inspection_rules', inspection_rules.OPTS),
        ('iptables', iptables.OPTS),
        ('ironic', ironic.list_opts()),
        ('mdns', mdns.OPTS),
        (metrics.GROUP, metrics.OPTS),
        (oslo_middleware.GROUP, oslo_middleware.list_opts()),
        ('pci_devices', pci_devices.OPTS),
        ('port_physnet', port_physnet.OPTS),
        ('processing', processing.OPTS),
        ('pxe_filter', pxe_filter.OPTS),
        (service_catalog.GROUP, service_catalog.list_opts()),
        (ssl.GROUP, ssl.OPTS),
        ('swift', swift.list_opts()),
    ]
