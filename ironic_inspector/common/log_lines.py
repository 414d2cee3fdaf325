"""Keeping what others have sent from looking like lines of the log, or like commands for a terminal."""

from __future__ import annotations

import logging
import re
from typing import Any

from oslo_config import cfg
from oslo_log import formatters

from ironic_inspector import version

# Control characters of ASCII and Unicode, and the two other characters that may end a line; a tab does no harm.
_CONTROLS = re.compile('[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]')
_CONTROLS_IN_LINES = re.compile('[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]')


class LineFormatter(formatters.ContextFormatter):
    """Writes each message as one line, and each line of a traceback with its prefix: control characters as in Python.

    A ramdisk's error, for instance, is logged as it was sent, and anybody on the provisioning network may send one.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (of logging.Formatter)
        """See logging.Formatter; the summary of an error, which oslo.log adds, included."""
        return _CONTROLS.sub(_escaped, super().formatMessage(record))

    def formatException(self, *args: Any, **kwargs: Any) -> str:  # noqa: N802 (of logging.Formatter)
        """See ContextFormatter."""
        return _CONTROLS_IN_LINES.sub(_escaped, super().formatException(*args, **kwargs))


def protect(conf: cfg.ConfigOpts, project: str) -> None:
    """Let all logs that oslo.log has set up as text have lines of this form; those in JSON are safe as they are."""
    for handler in logging.getLogger().handlers:
        known = handler.formatter
        # One that comes from [DEFAULT]log_config_append is the operator's own.
        if type(known) is formatters.ContextFormatter:
            handler.setFormatter(
                LineFormatter(project=project, version=version.release(), datefmt=known.datefmt, config=conf)
            )


def _escaped(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1]
