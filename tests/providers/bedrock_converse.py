"""The rules of Bedrock's ``Converse``: those of botocore's service model, and those that only the service checks."""

from __future__ import annotations

import json
import re
from functools import cache

from providers.checks import RequestError, need

CALL_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
TOOL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
DOCUMENT = re.compile(r"(?!.*\s\s)[a-zA-Z0-9\s()\[\]-]{1,200}")


@cache
def shape():
    """Return what botocore knows about the arguments of ``converse``."""
    from botocore.session import get_session

    return get_session().get_service_model("bedrock-runtime").operation_model("Converse").input_shape


def check(form):
    """Check the arguments of ``converse``."""
    check_shape(form)
    check_body(form)


def check_shape(form):
    """Check arguments against the service model."""
    from botocore.validate import ParamValidator

    report = ParamValidator().validate({"modelId": "m", **form}, shape())
    need(not report.has_errors(), "", report.generate_report())
    check_enums(form, shape(), "")


def check_enums(value, shape, where):
    """Check words and patterns, which botocore leaves to the service."""
    if shape.type_name == "structure" and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
        for key, each in value.items():
            check_enums(each, shape.members[key], f"{where}.{key}")
    elif shape.type_name == "list":
        for at, each in enumerate(value):
            check_enums(each, shape.member, f"{where}[{at}]")
    elif shape.type_name == "string" and shape.enum:
        need(value in shape.enum, where, f"is none of {', '.join(shape.enum)}")


def check_body(body):
    """Check what only the service knows. Bytes may be bytes or base64."""
    messages = body.get("messages", [])
    need(messages, "messages", "A conversation must start with a user message")
    for at, block in enumerate(body.get("system", ())):
        check_text(block, f"system[{at}]")
    tools = body.get("toolConfig", {}).get("tools", [])
    names = [tool["toolSpec"]["name"] for tool in tools if "toolSpec" in tool]
    need(len(set(names)) == len(names), "toolConfig.tools", "has a name twice")
    for at, tool in enumerate(tools):
        if "toolSpec" in tool:
            spec = tool["toolSpec"]
            need(TOOL.fullmatch(spec["name"]), f"toolConfig.tools[{at}]", "is no tool name")
            need(spec["inputSchema"]["json"].get("type") == "object", f"toolConfig.tools[{at}]", "takes an object")
    choice = body.get("toolConfig", {}).get("toolChoice", {}).get("tool", {}).get("name")
    need(choice is None or choice in names, "toolConfig.toolChoice", "names no tool")
    for key, (low, high) in {"temperature": (0, 1), "topP": (0, 1), "maxTokens": (1, 10**9)}.items():
        value = body.get("inferenceConfig", {}).get(key)
        need(value is None or low <= value <= high, f"inferenceConfig.{key}", f"is not between {low} and {high}")
    check_format(body.get("outputConfig", {}).get("textFormat"))
    Conversation(has_tools=bool(tools)).check(messages)


def check_text(block, where):
    need("text" not in block or block["text"].strip(), where, "The text field is blank")


def check_format(text_format):
    if text_format is None:
        return
    schema = text_format["structure"]["jsonSchema"]["schema"]
    check_schema(json.loads(schema), "outputConfig.textFormat")


def check_schema(schema, where):
    """Check that objects are closed, and that no rule is there that structured output lacks."""
    if isinstance(schema, list):
        for each in schema:
            check_schema(each, where)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object":
        need(schema.get("additionalProperties") is False, where, "additionalProperties must be false")
    for key in ("minimum", "maximum", "pattern", "minLength", "maxLength", "maxItems", "multipleOf"):
        need(key not in schema, where, f"does not support {key}")
    for key, value in schema.items():
        inner = value.values() if key in ("properties", "$defs") else [value]
        for each in inner:
            check_schema(each, where)


class Conversation:
    """Checks messages one by one."""

    def __init__(self, *, has_tools):
        self.has_tools = has_tools
        self.open = []
        self.names = set()
        self.points = []

    def check(self, messages):
        role = None
        for at, message in enumerate(messages):
            where = f"messages[{at}]"
            need(message["content"], where, "The content field is empty")
            need(at or message["role"] == "user", where, "A conversation must start with a user message")
            need(message["role"] != role, where, "A conversation must alternate between user and assistant roles")
            role = message["role"]
            keys = [key for block in message["content"] for key in block]
            need("document" not in keys or "text" in keys, where, "A document needs a text in the same message")
            self.results(message, where)
            for number, block in enumerate(message["content"]):
                self.block(block, role, f"{where}.content[{number}]")
        need(not self.open, "messages", "Expected toolResult blocks")
        need(role == "user", "messages", "The conversation must end with a user message")
        need(len(self.points) <= 4, "messages", "has more than four cache points")
        ttls = [point.get("ttl", "5m") for point in self.points]
        need(ttls == sorted(ttls, key=("1h", "5m").index), "messages", "has a cache point of 1h after one of 5m")

    def results(self, message, where):
        """Match the results of a message with the calls of the one before."""
        if message["role"] != "user":
            need(not self.open, where, "Expected toolResult blocks")
            return
        results = [block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block]
        need(sorted(results) == sorted(self.open), where, "toolResult blocks do not match the toolUse blocks before")
        need(len(set(results)) == len(results), where, "has two results with one id")
        self.open = []

    def block(self, block, role, where):
        check_text(block, where)
        self.points += [block["cachePoint"]] if "cachePoint" in block else []
        if "toolUse" in block or "toolResult" in block:
            need(self.has_tools, where, "The toolConfig field must be defined")
        if "toolUse" in block:
            call = block["toolUse"]
            need(role == "assistant", where, "toolUse outside an assistant message")
            need(CALL_ID.fullmatch(call["toolUseId"]), where, "is no id of a call")
            need(TOOL.fullmatch(call["name"]), where, "is no tool name")
            need(isinstance(call["input"], dict), where, "input is not an object")
            need(call["toolUseId"] not in self.open, where, "has the id of another call")
            self.open.append(call["toolUseId"])
        for key in ("image", "document", "audio", "video"):
            need(key not in block or role == "user", where, f"{key} outside a user message")
        if "document" in block:
            name = block["document"]["name"]
            need(DOCUMENT.fullmatch(name), where, "has a document name with characters that are not allowed")
            need(name not in self.names, where, "duplicate document name")
            self.names.add(name)


__all__ = ["RequestError", "check", "check_body"]
