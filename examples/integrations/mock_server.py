"""A mock of the providers' servers on the loopback interface. It records requests, and answers with a fixed text.

It lets the examples run the real clients without an API key or a network. It does not check the requests.
"""

from __future__ import annotations

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


def chat_completion(text: str) -> dict[str, Any]:
    """Build an answer of OpenAI's Chat Completions."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "mock", "choices": [choice]}


def response(text: str) -> dict[str, Any]:
    """Build an answer of OpenAI's Responses."""
    content = [{"type": "output_text", "text": text, "annotations": []}]
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": content}
    return {"id": "resp_1", "object": "response", "created_at": 1, "model": "mock", "output": [message]}


def message(text: str) -> dict[str, Any]:
    """Build an answer of Anthropic's Messages."""
    answer = {"id": "msg_1", "type": "message", "role": "assistant", "model": "mock", "stop_reason": "end_turn"}
    return {
        **answer,
        "content": [{"type": "text", "text": text}],
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def converse(text: str) -> dict[str, Any]:
    """Build an answer of Bedrock's Converse."""
    return {"output": {"message": {"role": "assistant", "content": [{"text": text}]}}, "stopReason": "end_turn"}


#: The number of characters of a long text to show.
SHOWN = 50

ANSWERS = {"/chat/completions": chat_completion, "/responses": response, "/messages": message, "/converse": converse}


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
    """The server, as a context manager. It answers each request with the same text."""

    def __init__(self, text: str = "Gladly.") -> None:
        requests: list[tuple[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                path = self.path.partition("?")[0]
                requests.append((path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
                make = next(make for end, make in ANSWERS.items() if path.endswith(end))
                answer = json.dumps(make(text)).encode()
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
