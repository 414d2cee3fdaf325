"""Options of the metrics for Prometheus, in [metrics]."""

from __future__ import annotations

from oslo_config import cfg

GROUP = 'metrics'
OPTS = [
    cfg.BoolOpt(
        'enabled',
        default=False,
        help='Whether the service counts what it does and lets Prometheus read it: at /metrics of the API, without '
        'authentication, unless listen_port is set. Needs the package prometheus_client.',
    ),
    cfg.PortOpt(
        'listen_port',
        min=1,
        help='Port of an address of its own for the metrics, which the API does not serve then. It speaks plain HTTP.',
    ),
    cfg.StrOpt(
        'listen_address',
        help='Address that goes with listen_port. Not set: that of the API, [DEFAULT]listen_address.',
    ),
]
