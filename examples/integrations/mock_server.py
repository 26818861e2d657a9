"""A mock of the providers' servers on the loopback interface. It records requests, and answers what you tell it.

It lets the examples run the real clients without an API key or a network. It does not check the requests.
"""

from __future__ import annotations

import json
import os
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self


class Step(NamedTuple):
    """What the model answers to one request: a text, or a call of a tool; perhaps with its thinking."""

    text: str = ""
    #: The name of the tool and its arguments.
    call: tuple[str, dict[str, Any]] | None = None
    thinking: str = ""
    #: A second call at the same time.
    also: tuple[str, dict[str, Any]] | None = None


def calls_of(step: Step) -> list[tuple[str, dict[str, Any]]]:
    """Return the calls of a step."""
    return [call for call in (step.call, step.also) if call is not None]


def chat_completion(step: Step, number: int) -> dict[str, Any]:
    """Build an answer of OpenAI's Chat Completions, which keeps the thinking to itself."""
    message: dict[str, Any] = {"role": "assistant", "content": step.text or None}
    if step.call:
        function = {"name": step.call[0], "arguments": json.dumps(step.call[1])}
        message["tool_calls"] = [{"id": f"call_{number}", "type": "function", "function": function}]
    choice = {"index": 0, "finish_reason": "tool_calls" if step.call else "stop", "message": message}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "mock", "choices": [choice]}


def response(step: Step, number: int) -> dict[str, Any]:
    """Build an answer of OpenAI's Responses."""
    output: list[dict[str, Any]] = []
    if step.thinking:
        summary = [{"type": "summary_text", "text": step.thinking}]
        output.append({"type": "reasoning", "id": f"rs_{number}", "summary": summary, "encrypted_content": "c2VhbGVk"})
    if step.call:
        call = {"id": f"fc_{number}", "call_id": f"call_{number}", "name": step.call[0]}
        output.append({"type": "function_call", **call, "arguments": json.dumps(step.call[1]), "status": "completed"})
    if step.text:
        content = [{"type": "output_text", "text": step.text, "annotations": []}]
        message = {"id": f"msg_{number}", "type": "message", "role": "assistant", "status": "completed"}
        output.append({**message, "content": content})
    return {"id": "resp_1", "object": "response", "created_at": 1, "model": "mock", "output": output}


def message(step: Step, number: int) -> dict[str, Any]:
    """Build an answer of Anthropic's Messages."""
    content: list[dict[str, Any]] = []
    if step.thinking:
        content.append({"type": "thinking", "thinking": step.thinking, "signature": f"signature {number}"})
    if step.text:
        content.append({"type": "text", "text": step.text})
    if step.call:
        content.append({"type": "tool_use", "id": f"toolu_{number}", "name": step.call[0], "input": step.call[1]})
    reason = "tool_use" if step.call else "end_turn"
    answer = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": "mock", "stop_reason": reason}
    return {**answer, "content": content, "usage": {"input_tokens": 1, "output_tokens": 1}}


def converse(step: Step, number: int) -> dict[str, Any]:
    """Build an answer of Bedrock's Converse."""
    content: list[dict[str, Any]] = []
    if step.thinking:
        text = {"text": step.thinking, "signature": f"signature {number}"}
        content.append({"reasoningContent": {"reasoningText": text}})
    if step.text:
        content.append({"text": step.text})
    for at, (name, arguments) in enumerate(calls_of(step)):
        content.append({"toolUse": {"toolUseId": f"tooluse_{number}_{at}", "name": name, "input": arguments}})
    reason = "tool_use" if step.call else "end_turn"
    return {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": reason}


def generate_content(step: Step, number: int) -> dict[str, Any]:
    """Build an answer of Gemini. Only the first of several calls has a signature."""
    parts: list[dict[str, Any]] = []
    if step.thinking:
        parts.append({"text": step.thinking, "thought": True})
    if step.text:
        parts.append({"text": step.text})
    for at, (name, arguments) in enumerate(calls_of(step)):
        call = {"functionCall": {"id": f"fc_{number}_{at}", "name": name, "args": arguments}}
        signature = {} if at else {"thoughtSignature": b64encode(f"signature {number}".encode()).decode()}
        parts.append({**call, **signature})
    return {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]}


#: The number of characters of a long text to show.
SHOWN = 50

ANSWERS = {
    "/chat/completions": chat_completion,
    "/responses": response,
    "/messages": message,
    "/converse": converse,
    ":generateContent": generate_content,
}


def shortened(value: Any) -> Any:
    """Shorten the long texts in a value, with the number of characters that are left out."""
    if isinstance(value, dict):
        return {key: shortened(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shortened(each) for each in value]
    if isinstance(value, str) and len(value) > SHOWN + 30:
        return f"{value[:SHOWN]}… ({len(value) - SHOWN} more characters)"
    return value


class MockServer:
    """The server, as a context manager. It answers each request with the same text, or with the next of its steps."""

    def __init__(self, text: str = "Gladly.", steps: Sequence[Step] = ()) -> None:
        requests: list[tuple[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                path = self.path.partition("?")[0]
                requests.append((path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
                make = next(make for end, make in ANSWERS.items() if path.endswith(end))
                step = steps[len(requests) - 1] if steps else Step(text)
                answer = json.dumps(make(step, len(requests))).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Do not log."""

        self.requests = requests
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def show(self, *names: str) -> None:
        """Print the last request, or only the given keys of its body."""
        path, body = self.requests[-1]
        if names:
            body = {name: body[name] for name in names}
        print(f"POST {path}")
        print(json.dumps(shortened(body), indent=2, ensure_ascii=False))

    def __enter__(self) -> Self:
        # Do not use a proxy for this server.
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
