"""A mock server of the providers on the loopback interface. It checks and answers requests as the APIs do."""

from __future__ import annotations

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from providers import (
    anthropic_messages,
    bedrock_converse,
    chat_servers,
    gemini_api,
    openai_chat,
    openai_responses,
)
from providers.checks import RequestError

ANSWER = "Gladly."


def chat_answer(body):
    message = {"role": "assistant", "content": ANSWER, "refusal": None}
    if name := forced_tool(body):
        call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": "{}"}}
        message = {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}
    reason = "tool_calls" if "tool_calls" in message else "stop"
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": [{"index": 0, "finish_reason": reason, "message": message, "logprobs": None}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def completion_answer(body):
    return {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1,
        "model": body["model"],
        "choices": [{"index": 0, "finish_reason": "stop", "text": ANSWER, "logprobs": None}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def responses_answer(body):
    text = {"type": "output_text", "text": ANSWER, "annotations": [], "logprobs": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [text]}
    if name := forced_tool(body):
        item = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": name, "arguments": "{}"}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": body["model"],
        "output": [item],
        "parallel_tool_calls": True,
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools", []),
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "metadata": {},
        "temperature": 1,
        "top_p": 1,
    }


def messages_answer(body):
    content, reason = {"type": "text", "text": ANSWER}, "end_turn"
    if name := forced_tool(body):
        content, reason = {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}}, "tool_use"
    is_empty = body["max_tokens"] == 0
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [] if is_empty else [content],
        "stop_reason": "max_tokens" if is_empty else reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def gemini_answer(body):
    part = {"text": ANSWER}
    config = body.get("tool_config", {}).get("function_calling_config", {})
    if config.get("mode") == "ANY":
        functions = [each["name"] for tool in body["tools"] for each in tool.get("function_declarations", ())]
        name = config.get("allowed_function_names", functions)[0]
        part = {"functionCall": {"id": "fc_1", "name": name, "args": {}}, "thoughtSignature": "c2lnbmVk"}
    return {
        "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
        "modelVersion": "m",
    }


def converse_answer(body):
    block, reason = {"text": ANSWER}, "end_turn"
    choice = body.get("toolConfig", {}).get("toolChoice", {})
    if "any" in choice or "tool" in choice:
        functions = [tool["toolSpec"] for tool in body["toolConfig"]["tools"] if "toolSpec" in tool]
        name = choice.get("tool", functions[0])["name"]
        block, reason = {"toolUse": {"toolUseId": "tooluse_1", "name": name, "input": {}}}, "tool_use"
    return {
        "output": {"message": {"role": "assistant", "content": [block]}},
        "stopReason": reason,
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
        "metrics": {"latencyMs": 1},
    }


def forced_tool(body):
    """Return the name of the tool that the request forces the model to call, if any."""
    choice = body.get("tool_choice")
    if choice == "required" or (isinstance(choice, dict) and choice["type"] == "any"):
        tool = body["tools"][0]
        return tool.get("function", tool)["name"]
    return choice.get("function", choice).get("name") if isinstance(choice, dict) else None


def openai_error(request_error):
    error = {
        "message": str(request_error),
        "type": "invalid_request_error",
        "param": request_error.where or None,
        "code": None,
    }
    return {"error": error}


def anthropic_error(request_error):
    return {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": str(request_error)},
        "request_id": "req_1",
    }


def gemini_error(request_error):
    return {"error": {"code": 400, "message": str(request_error), "status": "INVALID_ARGUMENT"}}


def bedrock_error(request_error):
    return {"message": str(request_error)}


ROUTES = {
    **{f"/{name}/chat/completions": (check, chat_answer, openai_error) for name, check in chat_servers.CHECKS.items()},
    "/v1/chat/completions": (openai_chat.check, chat_answer, openai_error),
    "/v1/completions": (openai_chat.check_completion, completion_answer, openai_error),
    "/v1/responses": (openai_responses.check, responses_answer, openai_error),
    "/v1/messages": (anthropic_messages.check, messages_answer, anthropic_error),
    ":generateContent": (gemini_api.check_body, gemini_answer, gemini_error),
    "/converse": (bedrock_converse.check_body, converse_answer, bedrock_error),
}


def route(path):
    """Return what answers a path. Gemini's and Bedrock's have the name of the model."""
    return ROUTES.get(path) or next(found for end, found in ROUTES.items() if path.endswith(end))


class MockProviders:
    """The server. ``bodies`` has the bodies of all requests, ``errors`` the errors of those that it rejected."""

    def __init__(self):
        self.bodies, self.errors = [], []
        providers = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = providers.answer(self.path.split("?", maxsplit=1)[0], body)
                answer = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                if status != HTTPStatus.OK:
                    # boto3 finds the kind of an error here.
                    self.send_header("x-amzn-ErrorType", "ValidationException")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def answer(self, path, body):
        """Return the status and the body of the answer."""
        check, answer, error = route(path)
        if check is gemini_api.check_body:
            body = gemini_api.snake(body)
        self.bodies.append(body)
        try:
            check(body)
        except RequestError as request_error:
            self.errors.append(request_error)
            return 400, error(request_error)
        return 200, answer(body)

    def reset(self):
        """Remove the recorded requests and errors."""
        self.bodies.clear()
        self.errors.clear()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
