"""Options of cross-origin requests, in [cors], which are those of oslo.middleware."""

from __future__ import annotations

from oslo_config import cfg
from oslo_middleware import cors

GROUP = 'cors'


def register(conf: cfg.ConfigOpts) -> None:
    """Register the options of the group, with our defaults."""
    set_defaults()
    conf.register_opts(cors.CORS_OPTS, GROUP)


def set_defaults() -> None:
    """Let pages from the allowed origins send what the clients of this API send, and read what they read."""
    versions = 'X-OpenStack-Ironic-Inspector-API'
    cors.set_defaults(
        allow_headers=[
            'X-Auth-Token',
            'Authorization',
            'OpenStack-API-Version',
            f'{versions}-Minimum-Version',
            f'{versions}-Maximum-Version',
            f'{versions}-Version',
        ],
        expose_headers=[
            f'{versions}-Minimum-Version',
            f'{versions}-Maximum-Version',
            'X-OpenStack-Request-Id',
        ],
        allow_methods=['GET', 'POST', 'PUT', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS'],
    )
