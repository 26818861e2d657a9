"""A web application in one file: an ASGI app, as FastAPI makes one, and a small server for it.

Each worker is a process with its own manager over the storage that all of them share:

    python app.py PROMPTS

It prints its port, and then one line for each render.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from prompt_manager import PromptManager
from prompt_manager.storage import FileSystemStorage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from prompt_manager.core.models import PromptExecution

    Scope = dict[str, Any]
    Send = Callable[[dict[str, Any]], Awaitable[None]]


class Traces:
    """Prints which version each render used. In production, use ``observability.OpenTelemetryObserver``."""

    def on_render_complete(self, prompt_id: str, version: str, execution: PromptExecution) -> None:
        print(f"rendered {prompt_id} {version}: {execution.rendered_content}", flush=True)


class App:
    """Answers ``GET /?name=Ada`` with the prompt that the label ``production`` points at."""

    def __init__(self, manager: PromptManager) -> None:
        self.manager = manager

    async def __call__(self, scope: Scope, _receive: object, send: Send) -> None:
        query = dict(parse_qsl(scope["query_string"].decode()))
        # The label is looked up for each request, so that a rollback needs no restart.
        text = await self.manager.render("greeting", {"name": query.get("name", "you")}, label="production")
        body = json.dumps({"prompt": text}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def answer(app: App, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read one request, and write what the app sends. A real server does more."""
    request = (await reader.readuntil(b"\r\n\r\n")).decode()
    path, _, query = request.split(" ", 2)[1].partition("?")

    async def send(event: dict[str, Any]) -> None:
        if event["type"] == "http.response.start":
            lines = [f"HTTP/1.1 {event['status']} OK".encode(), b"connection: close"]
            lines += [name + b": " + value for name, value in event["headers"]]
            writer.write(b"\r\n".join(lines) + b"\r\n\r\n")
        else:
            writer.write(event["body"])

    await app({"type": "http", "path": path, "query_string": query.encode()}, reader, send)
    await writer.drain()
    writer.close()


async def main(prompts: str) -> None:
    """Serve until the process is stopped."""
    manager = await PromptManager.from_storage(FileSystemStorage(prompts), refresh=1.0, observers=[Traces()])
    app = App(manager)
    server = await asyncio.start_server(lambda reader, writer: answer(app, reader, writer), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
