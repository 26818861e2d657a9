"""Requests for Bedrock, read from the JSON of a batch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from prompt_manager._json_bytes import base64_as_bytes

__all__ = ["bedrock_request"]


def bedrock_request(request: str | Mapping[str, Any]) -> dict[str, Any]:
    r"""Return the arguments of ``client.converse`` for a request from a table or file of ``to="bedrock-request"``.

    JSON has bytes as base64, which boto3 would encode again. They become bytes.

    Args:
        request: The JSON of a table or a CSV file, or the object of a JSON Lines file.

    Raises:
        ValueError: ``request`` is no JSON object, or bytes in it are not base64.

    >>> image = {"image": {"format": "png", "source": {"bytes": "iVBORw=="}}}
    >>> bedrock_request({"modelId": "m", "messages": [{"role": "user", "content": [image]}]})["messages"][0]["content"]
    [{'image': {'format': 'png', 'source': {'bytes': b'\x89PNG'}}}]
    """
    try:
        found = json.loads(request) if isinstance(request, str) else request
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the request is not JSON: {error}") from error
    if not isinstance(found, Mapping):
        message = f"a request is a JSON object, not {type(found).__name__}"
        raise ValueError(f'{message}\n  hint: pass a request of to="bedrock-request"')  # noqa: TRY004 - JSON may be it
    arguments: dict[str, Any] = base64_as_bytes(dict(found))
    return arguments
