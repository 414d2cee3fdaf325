"""The version of this program, as installed."""

from importlib import metadata


def release() -> str:
    """Return the version of the installed distribution."""
    return metadata.version('ironic-inspector')
