"""The version of this program, as installed."""

from importlib import metadata


def release() -> str:
    """Return the version of the installed distribution, or that there is none, as in a mere checkout."""
    try:
        return metadata.version('ironic-inspector')
    except metadata.PackageNotFoundError:
        return 'unknown (not installed)'
