"""The rules of the Gemini API for ``generateContent``, in the spelling of the Python package."""

from __future__ import annotations

import base64
import re

from providers.checks import need, need_keys, need_list, need_number, need_one_of, need_text

FUNCTION = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
IMAGES = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")
MEDIA = (*IMAGES, "application/pdf", "text/", "audio/", "video/")
#: The keys of a JSON Schema that the API knows.
SCHEMA = {
    "$id", "$defs", "$ref", "$anchor", "type", "format", "title", "description", "enum", "items", "prefixItems",
    "minItems", "maxItems", "minimum", "maximum", "anyOf", "oneOf", "properties", "additionalProperties", "required",
}  # fmt: skip
#: The keys of a part that hold its content, and its options.
CONTENT = (
    "text", "inline_data", "file_data", "function_call", "function_response", "executable_code",
    "code_execution_result", "tool_call", "tool_response",
)  # fmt: skip
OPTIONS = (
    "thought", "thought_signature", "media_resolution", "video_metadata", "document_metadata", "part_metadata",
)  # fmt: skip
CONFIG = (
    "temperature", "top_p", "top_k", "candidate_count", "max_output_tokens", "stop_sequences", "seed",
    "presence_penalty", "frequency_penalty", "response_mime_type", "response_json_schema", "thinking_config",
)  # fmt: skip
#: Keys whose values are the caller's data.
DATA = ("args", "response", "parameters_json_schema", "response_json_schema", "part_metadata", "properties")


def snake(value, key=None):
    """Return a body in Python's spelling."""
    if key in DATA:
        return value
    if isinstance(value, list):
        return [snake(each) for each in value]
    if isinstance(value, dict):
        spelled = {re.sub("([A-Z])", r"_\1", each).lower(): inner for each, inner in value.items()}
        return {each: snake(inner, each) for each, inner in spelled.items()}
    return value


def check(form):
    """Check the arguments of ``generate_content``."""
    need_keys(form, "", ("contents",), ("config", "model"))
    config = dict(form.get("config", {}))
    body = {"contents": form["contents"]}
    for key in ("system_instruction", "tools", "tool_config"):
        if key in config:
            body[key] = config.pop(key)
    check_body({**body, "generation_config": config})


def check_body(body):
    """Check the body of a request."""
    need_keys(
        body, "", ("contents",), ("system_instruction", "tools", "tool_config", "generation_config", "safety_settings")
    )
    if isinstance(body["contents"], str):
        return need_text(body["contents"], "contents")
    instruction = body.get("system_instruction")
    if isinstance(instruction, dict):
        need_keys(instruction, "system_instruction", ("parts",), ("role",))
        need_list(instruction["parts"], "system_instruction.parts")
        for at, part in enumerate(instruction["parts"]):
            need_keys(part, f"system_instruction.parts[{at}]", ("text",))
            need(part["text"].strip(), f"system_instruction.parts[{at}]", "is blank")
    elif instruction is not None:
        need_text(instruction, "system_instruction")
        need(instruction.strip(), "system_instruction", "is blank")
    need_list(body["contents"], "contents")
    Conversation().check(body["contents"])
    check_config(body.get("generation_config", {}))
    functions = check_tools(body.get("tools", []))
    check_choice(body.get("tool_config"), functions)
    return None


class Conversation:
    """Checks turns one by one."""

    def __init__(self):
        self.open = []
        self.role = None

    def check(self, contents):
        for at, content in enumerate(contents):
            where = f"contents[{at}]"
            need_keys(content, where, ("parts",), ("role",))
            role = content.get("role", "user")
            need_one_of(role, f"{where}.role", ("user", "model"))
            need_list(content["parts"], f"{where}.parts")
            for number, part in enumerate(content["parts"]):
                check_part(part, f"{where}.parts[{number}]", role)
            calls = [part["function_call"] for part in content["parts"] if "function_call" in part]
            results = [part["function_response"] for part in content["parts"] if "function_response" in part]
            need(not (calls and self.role in (None, "model")), where, "function call turn must follow a user turn")
            need(len(results) == len(self.open), where, "number of function responses differs from that of calls")
            for call, result in zip(self.open, results, strict=True):
                need(result.get("id") == call.get("id"), where, "function response has the id of another call")
                need(result["name"] == call["name"], where, "function response has the name of another call")
            self.open, self.role = calls, role
        need(not self.open, "contents", "function calls at the end have no responses")
        need(self.role == "user", "contents", "must end with a user role or a function response")


def check_part(part, where, role):
    given = [key for key in CONTENT if key in part]
    need(len(given) == 1, where, "needs exactly one kind of content")
    need_keys(part, where, given, OPTIONS)
    kind = given[0]
    value = part[kind]
    if kind == "text":
        need(isinstance(value, str), where, "is not a text")
        need(value.strip() or "thought_signature" in part, where, "is blank")
    elif kind in ("inline_data", "file_data"):
        check_media(value, kind, f"{where}.{kind}")
    elif kind == "function_call":
        need(role == "model", where, "function call outside a model turn")
        need_keys(value, f"{where}.{kind}", ("name",), ("id", "args"))
        need(FUNCTION.fullmatch(value["name"]), f"{where}.{kind}.name", "is no function name")
        need(isinstance(value.get("args", {}), dict), f"{where}.{kind}.args", "is not an object")
    elif kind == "function_response":
        need(role == "user", where, "function response outside a user turn")
        need_keys(value, f"{where}.{kind}", ("name", "response"), ("id", "parts", "scheduling", "will_continue"))
        need(isinstance(value["response"], dict), f"{where}.{kind}.response", "is not an object")
        for number, each in enumerate(value.get("parts", [])):
            [media] = each
            check_media(each[media], media, f"{where}.{kind}.parts[{number}].{media}")


def check_media(value, kind, where):
    source = "data" if kind == "inline_data" else "file_uri"
    need_keys(value, where, (source, "mime_type"), ("display_name",))
    need_text(value[source], f"{where}.{source}")
    need(value["mime_type"].startswith(MEDIA), f"{where}.mime_type", "unsupported MIME type")
    if source == "data":
        data = value["data"]
        try:
            base64.b64decode(data.replace("-", "+").replace("_", "/"), validate=True)
        except ValueError:
            need(fine=False, where=f"{where}.data", why="is not base64")
    else:
        need(value["file_uri"].startswith(("https://", "gs://")), f"{where}.file_uri", "is no https or gs address")


def check_config(config):
    for key, value in config.items():
        need(key in CONFIG, f"generation_config.{key}", "unknown parameter")
        need(value is not None, f"generation_config.{key}", "must not be null")
    if "temperature" in config:
        need_number(config["temperature"], "generation_config.temperature", 0, 2)
    if "max_output_tokens" in config:
        need_number(config["max_output_tokens"], "generation_config.max_output_tokens", 1, 10**9, int)
    thinking = config.get("thinking_config", {})
    has_both = {"thinking_level", "thinking_budget"} <= thinking.keys()
    need(not has_both, "generation_config.thinking_config", "takes a level or a budget")
    if "thinking_level" in thinking:
        levels = ("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")
        need_one_of(thinking["thinking_level"], "generation_config.thinking_config.thinking_level", levels)
    if "response_json_schema" in config:
        need(config.get("response_mime_type") == "application/json", "generation_config", "needs response_mime_type")
        check_schema(config["response_json_schema"], "generation_config.response_json_schema")
        check_cycles(config["response_json_schema"], "generation_config.response_json_schema")


def check_tools(tools):
    names = []
    for at, tool in enumerate(tools):
        for number, function in enumerate(tool.get("function_declarations", ())):
            where = f"tools[{at}].function_declarations[{number}]"
            need_keys(function, where, ("name",), ("description", "parameters_json_schema"))
            need(FUNCTION.fullmatch(function["name"]), f"{where}.name", "is no function name")
            need(function["name"] not in names, f"{where}.name", "duplicate function declaration")
            names.append(function["name"])
            if "parameters_json_schema" in function:
                check_schema(function["parameters_json_schema"], f"{where}.parameters_json_schema")
                check_cycles(function["parameters_json_schema"], f"{where}.parameters_json_schema")
    return names


def check_choice(tool_config, functions):
    if tool_config is None:
        return
    choice = tool_config["function_calling_config"]
    need_keys(choice, "tool_config.function_calling_config", ("mode",), ("allowed_function_names",))
    need_one_of(choice["mode"], "tool_config.function_calling_config.mode", ("AUTO", "ANY", "NONE", "VALIDATED"))
    for name in choice.get("allowed_function_names", ()):
        need(name in functions, "tool_config.function_calling_config.allowed_function_names", "unknown function")


def check_cycles(root, where):
    """Check that a schema refers to itself only in members that are not required."""
    definitions = {"#": root, **{f"#/$defs/{name}": each for name, each in root.get("$defs", {}).items()}}
    needed = {name: set(needed_references(each)) for name, each in definitions.items()}
    for name in definitions:
        reached, new = set(), needed[name]
        while new:
            reached |= new
            new = {each for reference in new for each in needed.get(reference, ())} - reached
        need(name not in reached, where, "refers to itself in a required member")


def needed_references(schema):
    """Iterate over the references of a schema that are in no optional member."""
    if "$ref" in schema:
        yield schema["$ref"]
    inner = [each for name, each in schema.get("properties", {}).items() if name in schema.get("required", ())]
    inner += [each for key in ("anyOf", "oneOf", "prefixItems") for each in schema.get(key, ())]
    inner += [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
    for each in inner:
        yield from needed_references(each)


def check_schema(schema, where):
    """Check that a JSON Schema is in the subset that the API knows."""
    need(isinstance(schema, dict), where, "is not a schema")
    for key in schema:
        need(key in SCHEMA, f"{where}.{key}", "unsupported keyword")
    if "$ref" in schema:
        need(all(key.startswith("$") for key in schema), where, "only keys with $ may be beside $ref")
    for value in schema.get("enum", ()):
        fine = isinstance(value, str | int | float) and not isinstance(value, bool)
        need(fine, f"{where}.enum", "takes texts and numbers")
    for key in ("properties", "$defs"):
        for name, each in schema.get(key, {}).items():
            check_schema(each, f"{where}.{key}.{name}")
    for key in ("anyOf", "oneOf", "prefixItems"):
        for at, each in enumerate(schema.get(key, ())):
            check_schema(each, f"{where}.{key}[{at}]")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            check_schema(schema[key], f"{where}.{key}")
