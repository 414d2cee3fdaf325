"""Writing JSON, fast: introspection data are hundreds of kilobytes, and written twice for each node."""

from __future__ import annotations

import json
from typing import Any

import orjson


def dumps(document: Any) -> str:
    """Return a document as JSON text (RFC 8259).

    What orjson does not write, such as numbers of more than 64 bits and halves of surrogate pairs, the standard library
    does. Raises TypeError or ValueError for what is not JSON at all.
    """
    try:
        return orjson.dumps(document).decode('utf-8')
    except orjson.JSONEncodeError:
        return json.dumps(document, allow_nan=False)
