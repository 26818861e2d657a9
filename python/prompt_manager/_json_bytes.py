"""Bytes in requests, as JSON has them."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

__all__ = ["base64_as_bytes", "bytes_as_base64"]


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


#: The members of Bedrock's Converse API that are bytes, and those that hold any JSON.
_BYTES = frozenset({"bytes", "redactedContent"})
_ANY_JSON = frozenset({"input", "json", "additionalModelRequestFields"})


def base64_as_bytes(value: Any) -> Any:
    r"""Replace the base64 texts in a request for Bedrock by bytes: the inverse of :func:`bytes_as_base64`.

    Raises:
        ValueError: a text is not base64.

    >>> base64_as_bytes({"source": {"bytes": "iVBORw=="}})
    {'source': {'bytes': b'\x89PNG'}}
    """
    if isinstance(value, list):
        return [base64_as_bytes(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _member(key, each) for key, each in value.items()}


def _member(key: str, value: Any) -> Any:
    if key in _ANY_JSON:
        return value
    if key in _BYTES and isinstance(value, str):
        try:
            return b64decode(value, validate=True)
        except ValueError as error:
            raise ValueError(f"the member `{key}` of the request is not base64: {error}") from error
    return base64_as_bytes(value)
