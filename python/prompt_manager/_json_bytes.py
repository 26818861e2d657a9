"""Bytes in requests, as JSON has them."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

__all__ = ["bytes_as_base64"]


def bytes_as_base64(value: Any) -> Any:
    r"""Replace the bytes in a request by base64 text, as the AWS SDK sends them. The request itself stays as it is.

    >>> bytes_as_base64({"source": {"bytes": b"\x89PNG"}})
    {'source': {'bytes': 'iVBORw=='}}
    """
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    if isinstance(value, dict):
        return {key: bytes_as_base64(each) for key, each in value.items()}
    if isinstance(value, list):
        return [bytes_as_base64(each) for each in value]
    return value
