"""Options of oslo.middleware that the service obeys, in [oslo_middleware]."""

from __future__ import annotations

from oslo_config import cfg
from oslo_middleware import opts

GROUP = 'oslo_middleware'
MAX_REQUEST_BODY_SIZE = 32 * 1024 * 1024
"""Bytes. A server with hundreds of disks and its ramdisk logs needs far more than oslo.middleware's default."""


def list_opts() -> list[cfg.Opt]:
    """Return the options of the size limit, with our default."""
    options: list[cfg.Opt] = [option for _group, options in opts.list_opts_sizelimit() for option in options]
    cfg.set_defaults(options, max_request_body_size=MAX_REQUEST_BODY_SIZE)
    return options
