"""Makes the JSON Schemas of prompt, schema, test and label files, for editors and ``prompt-manager schema --files``.

``python tests/file_schemas.py`` writes them to python/prompt_manager/schemas. The keys come from the tables of the
reader (src/prompt/keys.rs, src/schema/keys.rs, and the cases of test files), and the descriptions from the tables of
the documentation. This file adds the type of each value and the rules between keys; a key without a type is an error.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from helpers import ROOT
from prompt_manager.core.models import PromptFormat, PromptStatus, Role
from prompt_manager.testing.cases import CASE_KEYS, EXPECTATIONS
from prompt_manager.validation.models import FieldType, ValidationType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["FOLDER", "file_schemas", "written"]

FOLDER = ROOT / "python" / "prompt_manager" / "schemas"

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

#: As YAML reads a text without quotes: 5 and true are texts where a text is wanted.
TEXT: Schema = {"type": ["string", "number", "boolean"]}
BOOLEAN: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
OBJECT: Schema = {"type": "object"}
ANYTHING: Schema = {}

VERSION_PATTERN = (
    r"^(0|[1-9]\d{0,18})\.(0|[1-9]\d{0,18})\.(0|[1-9]\d{0,18})"
    r"(-(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?$"
)
#: A segment of an id: no dot at its ends, and no name of a device of Windows.
SEGMENT = r"(?!(?:[Cc][Oo][Nn]|[Pp][Rr][Nn]|[Aa][Uu][Xx]|[Nn][Uu][Ll]|(?:[Cc][Oo][Mm]|[Ll][Pp][Tt])[0-9])(?:[./]|$))"
SEGMENT += r"[A-Za-z0-9_-](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?"
ID: Schema = {"type": "string", "maxLength": 255, "pattern": f"^{SEGMENT}(?:/{SEGMENT})*$"}
VERSION: Schema = {"type": "string", "pattern": VERSION_PATTERN}
LABEL: Schema = {
    "type": "string",
    "pattern": r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$",
    "not": {"pattern": VERSION_PATTERN},
}
VARIABLE_NAME: Schema = {
    "type": "string",
    "pattern": r"^[^\s\u0000-\u001f\u007f-\u009f!\"#%&'()*+,./;<=>@\[\\\]^`{|}~]+$",
}
TOOL_NAME: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
TIME: Schema = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}"}
NOT_BLANK: Schema = {"type": ["string", "number", "boolean"], "pattern": r"\S"}


def ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def list_of(items: Schema, **rules: Any) -> Schema:
    return {"type": "array", "items": items, **rules}


def words(values: Iterable[str]) -> Schema:
    return {"type": "string", "enum": [str(value) for value in values]}


def any_of(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def has(key: str, value: Schema | None = None) -> Schema:
    """A mapping that has this key with a value; a key without a value counts as left out."""
    return {"required": [key], "properties": {key: value or {"not": {"type": "null"}}}}


def if_then(condition: Schema, then: Schema) -> Schema:
    return {"if": condition, "then": then}


def or_null(schema: Schema) -> Schema:
    """The same, or no value at all."""
    if "enum" in schema:
        return {**schema, "type": [schema["type"], "null"], "enum": [*schema["enum"], None]}
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return {**schema, "type": [*kinds, "null"]}
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    return any_of(schema, {"type": "null"}) if schema else {}


def mapping(
    known: Iterable[str],
    types: Mapping[str, Schema],
    *,
    required: Iterable[str] = (),
    filled: Iterable[str] = (),
    rules: Iterable[Schema] = (),
    described: Mapping[str, str] | None = None,
    closed: bool = True,
) -> Schema:
    """A mapping with the keys of a table of the reader. A key that is not required may also have no value, unless it is
    one of ``filled``.
    """
    table, required = list(known), list(required)
    if set(table) != set(types):
        raise LookupError(f"the types are of {sorted(types)}, and the reader knows {sorted(table)}")
    properties = {}
    for key in table:
        schema = types[key] if key in {*required, *filled} else or_null(types[key])
        about = (described or {}).get(key)
        properties[key] = {"description": about, **schema} if about else schema
    schema = {"type": "object", "properties": properties}
    if closed:
        schema["additionalProperties"] = False
    if required:
        schema["required"] = required
    if rules:
        schema["allOf"] = list(rules)
    return schema


def tables(path: str) -> dict[str, list[str]]:
    """The tables of keys in a source file of the reader."""
    source = (ROOT / path).read_text(encoding="utf-8")
    found = re.findall(r"const (\w+): &\[&str\] =\s*&\[(.*?)\];", source, flags=re.DOTALL)
    return {name: re.findall(r'"(\w+)"', listed) for name, listed in found}


def descriptions(page: str, section: str, *, columns: int) -> dict[str, str]:
    """What a table of the documentation has about each key: its type, and its default if there is a column for it."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    (part,) = re.findall(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    about = {}
    for row in re.findall(r"^\| (`.+) \|$", part, flags=re.MULTILINE):
        cells = [re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", cell.strip()) for cell in row.split(" | ")]
        default = f" Default: {cells[2]}." if columns > 2 and cells[2] != "none" else ""
        for key in re.findall(r"`(\w+)`", cells[0]):
            about[key] = f"{cells[1][0].upper()}{cells[1][1:]}.{default}"
    return about


KEYS = tables("src/prompt/keys.rs")
SCHEMA_KEYS = tables("src/schema/keys.rs")


def of_prompts(section: str) -> dict[str, str]:
    return descriptions("prompt-files.md", f"Keys of {section}", columns=3)


def alike(*keys: str, schema: Schema) -> dict[str, Schema]:
    return dict.fromkeys(keys, schema)


def times(owner: str) -> Schema:
    """The lifetimes of a cache hint that the reader accepts."""
    source = (ROOT / "src/prompt/message.rs").read_text(encoding="utf-8")
    (listed,) = re.findall(rf"impl {owner} {{[^}}]*TIMES: .*= \[(.*)\];", source)
    return words(re.findall(r'"(\w+)"', listed))


def cache() -> Schema:
    openai_time = times("OpenAiCache")
    openai = mapping(KEYS["OPENAI_CACHE"], {"mode": words(["explicit"]), "ttl": openai_time})
    types = {
        "type": words(["ephemeral"]),
        "ttl": times("PortableCache"),
        "openai": any_of({"const": True}, openai_time, openai),
    }
    return any_of(BOOLEAN, types["ttl"], mapping(KEYS["CACHE"], types, described=of_prompts("a cache hint")))


FUNCTION_TYPE = words(["function"])


def variable() -> Schema:
    types = {
        "type": words(FieldType),
        "values": list_of({"type": ["string", "number", "boolean"]}, uniqueItems=True),
        "description": TEXT,
        "default": ANYTHING,
        "required": BOOLEAN,
    }
    is_enum = has("type", words(["enum"]))
    rules = [
        if_then(is_enum, has("values", {"type": "array", "minItems": 1})),
        if_then(has("values"), is_enum),
        *(
            if_then(has("type", words([kind])), {"properties": {"default": default}})
            for kind, default in DEFAULTS.items()
        ),
    ]
    return mapping(KEYS["VARIABLE"], types, rules=rules, described=of_prompts("a variable"))


#: What a default may be, for each type that a schema can tell.
DEFAULTS: dict[str, Schema] = {
    "string": {"type": ["string", "null"]},
    "integer": {"type": ["integer", "null"]},
    "float": {"type": ["number", "null"]},
    "boolean": {"type": ["boolean", "null"]},
    "list": {"type": ["array", "null"]},
    "dict": {"type": ["object", "null"]},
    "date": {"type": ["string", "null"], "pattern": r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"},
    "datetime": {
        "type": ["string", "null"],
        "pattern": r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[T ]([01]\d|2[0-3]):",
    },
    "uuid": {"type": ["string", "null"], "pattern": "^[0-9A-Fa-f]{8}-?([0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}$"},
}


def variables() -> Schema:
    declared = any_of({"type": "null"}, words(kind for kind in FieldType if kind != "enum"), ref("variable"))
    return any_of(
        list_of(VARIABLE_NAME, uniqueItems=True),
        {"type": "object", "propertyNames": VARIABLE_NAME, "additionalProperties": declared},
    )


PARTIALS: Schema = {"type": "object", "additionalProperties": TEXT}


def template() -> Schema:
    types = {"content": NOT_BLANK, "variables": ref("variables"), "partials": PARTIALS, "helpers": ANYTHING}
    return any_of(NOT_BLANK, mapping(KEYS["TEMPLATE"], types, required=["content"]))


def chat_template() -> Schema:
    types = {"messages": ref("messages"), "variables": ref("variables"), "partials": PARTIALS, "helpers": ANYTHING}
    return mapping(KEYS["CHAT_TEMPLATE"], types, required=["messages"])


def part() -> Schema:
    url = mapping(KEYS["IMAGE_URL"], {"url": TEXT, "detail": TEXT}, required=["url"])
    audio = mapping(KEYS["INPUT_AUDIO"], {"data": TEXT, "format": TEXT}, required=["data", "format"])
    file = mapping(KEYS["FILE"], alike("file_id", "filename", "file_data", schema=TEXT))
    file["anyOf"] = [has("file_id"), has("file_data")]
    types = {
        "type": words(ORDINARY_PARTS),
        **alike("text", "media_type", "data", schema=TEXT),
        "image_url": url,
        "input_audio": audio,
        "file": file,
        "cache": ref("cache"),
    }
    rules = []
    for kind, own in ORDINARY_PARTS.items():
        others = [key for key in KEYS["PART"] if key not in {"type", "cache", *own}]
        needed = {"required": own, "properties": {**{key: types[key] for key in own}, **dict.fromkeys(others, False)}}
        rules.append(if_then(has("type", words([kind])), needed))
    ordinary = mapping(KEYS["PART"], types, required=["type"], rules=rules, described=of_prompts("a part"))
    return any_of(TEXT, ordinary, uploaded_image(), file_part(file), search_result())


def uploaded_image() -> Schema:
    types = {"type": words(["image"]), "file_id": TEXT, "media_type": TEXT, "cache": ref("cache")}
    return mapping(KEYS["UPLOADED_IMAGE"], types, required=["type", "file_id"])


def file_part(file: Schema) -> Schema:
    types = {
        "type": words(["file"]),
        "file": file,
        **alike("url", "text", "title", "context", schema=TEXT),
        "citations": BOOLEAN,
        "cache": ref("cache"),
    }
    rules = [{"oneOf": [has("file"), has("url"), has("text")]}]
    return mapping(KEYS["FILE_PART"], types, required=["type"], rules=rules, described=of_prompts("a file"))


def search_result() -> Schema:
    text = mapping(
        ["type", "text", "cache"],
        {"type": words(["text"]), "text": TEXT, "cache": ref("cache")},
        required=["type", "text"],
    )
    types = {
        "type": words(["search_result"]),
        **alike("source", "title", schema=TEXT),
        "content": any_of(TEXT, list_of(any_of(TEXT, text))),
        "citations": BOOLEAN,
        "cache": ref("cache"),
    }
    required = ["type", "source", "title", "content"]
    described = of_prompts("a search result")
    return mapping(KEYS["SEARCH_RESULT"], types, required=required, described=described)


#: The types of parts, with the keys of each.
PART_TYPES = {
    kind: re.findall(r'"(\w+)"', keys)
    for kind, keys in re.findall(
        r'\("(\w+)", &\[(.*?)\]\)', (ROOT / "src/prompt/keys.rs").read_text(encoding="utf-8"), flags=re.DOTALL
    )
}

#: Those that have exactly these keys.
ORDINARY_PARTS = {kind: keys for kind, keys in PART_TYPES.items() if kind not in {"file", "search_result"}}

#: Arguments as JSON text; the text of an object, or blank.
ARGUMENTS = any_of(OBJECT, {"type": "string", "pattern": r"^\s*(\{[\s\S]*\}\s*)?$"})


def function_call() -> Schema:
    return mapping(KEYS["FUNCTION_CALL"], {"name": TEXT, "arguments": ARGUMENTS}, required=["name"])


def tool_call() -> Schema:
    types = {
        "id": TEXT,
        "type": FUNCTION_TYPE,
        "function": ref("function_call"),
        "name": TEXT,
        "arguments": ARGUMENTS,
    }
    flat = {"properties": {"name": False, "arguments": False}}
    rules = [{"if": has("function"), "then": flat, "else": {"required": ["name"], "properties": {"name": TEXT}}}]
    return mapping(
        KEYS["TOOL_CALL"], types, required=["id"], filled=["type"], rules=rules, described=of_prompts("a tool call")
    )


def message() -> Schema:
    types = {
        "role": words([*Role, "placeholder"]),
        "content": any_of(TEXT, list_of(ref("part"))),
        **alike("refusal", "name", "tool_call_id", schema=TEXT),
        "tool_calls": list_of(ref("tool_call")),
        "function_call": ref("function_call"),
        "cache": ref("cache"),
        **alike("optional", "is_error", schema=BOOLEAN),
    }
    no_others = {
        key: {"type": "null"} for key in KEYS["MESSAGE"] if key not in {"role", "name", "optional", "tool_calls"}
    }
    placeholder = {
        "required": ["name"],
        "properties": {"name": VARIABLE_NAME, "tool_calls": {"type": ["array", "null"], "maxItems": 0}, **no_others},
    }
    rules = [
        if_then(has("role", words(["placeholder"])), placeholder),
        if_then(has("role", words(["tool"])), has("tool_call_id")),
        if_then(has("role", words(["system", "developer", "user", "assistant"])), has_content()),
    ]
    return mapping(KEYS["MESSAGE"], types, required=["role"], rules=rules, described=of_prompts("a message"))


def has_content() -> Schema:
    """A message of a file says something: a text or part that is not blank, a tool call or a refusal."""
    spoken = {"type": ["string", "number", "boolean"], "pattern": r"\S"}
    blank_part = any_of({"type": "string", "pattern": r"^\s*$"}, {"type": "object", "required": ["type"]})
    text_part = {
        "properties": {"type": words(["text"]), "text": {"type": "string", "pattern": r"^\s*$"}},
        "required": ["text"],
    }
    blank = any_of({"type": "string", "pattern": r"^\s*$"}, {"allOf": [blank_part, text_part]})
    return any_of(
        has("content", spoken),
        has("content", {"type": "array", "contains": {"not": blank}}),
        has("tool_calls", {"type": "array", "minItems": 1}),
        has("function_call"),
        has("refusal", spoken),
    )


PARAMETERS: Schema = {"type": "object", "properties": {"type": {"const": "object"}}}


PROVIDERS = ["openai", "anthropic", "litellm", "gemini", "bedrock"]


def tool() -> Schema:
    own = {"name": TOOL_NAME, "description": TEXT, "parameters": PARAMETERS, "strict": BOOLEAN}
    function = mapping(KEYS["TOOL_FUNCTION"], own, required=["name"], described=of_prompts("a tool"))
    beside = {"cache": ref("cache"), "type": FUNCTION_TYPE, "function": function, "provider": {"const": None}}
    types = {**own, **beside}
    others = {"properties": dict.fromkeys(own, False)}
    rules = [{"if": has("function"), "then": others, "else": {"required": ["name"], "properties": {"name": TOOL_NAME}}}]
    described = of_prompts("a tool")
    of_application = mapping(KEYS["TOOL"], types, filled=["type"], rules=rules, described=described)
    typed = if_then(has("provider", words(["openai", "anthropic", "litellm"])), {"required": ["type"]})
    of_provider = {"properties": {"provider": words(PROVIDERS), "type": {"type": "string"}}, **typed}
    provider = {"provider": {"description": described["provider"]}}
    choice = {"if": has("provider"), "then": of_provider, "else": of_application}
    return {"type": "object", "properties": provider, **choice}


def tool_choice() -> Schema:
    named = {"type": "object", "properties": {"name": TEXT}, "required": ["name"], "additionalProperties": False}
    types = {"name": TEXT, "type": FUNCTION_TYPE, "function": named}
    choice = mapping(KEYS["TOOL_CHOICE"], types, filled=["type", "function"])
    choice["anyOf"] = [has("name", TEXT), has("function", OBJECT)]
    return any_of(words(["auto", "none", "required"]), choice)


def settings() -> Schema:
    count = {"type": "integer", "minimum": 0, "maximum": 2**64 - 1}
    types = {
        "model": TEXT,
        "temperature": {"type": "number", "minimum": 0, "maximum": 2},
        "top_p": {"type": "number", "minimum": 0, "maximum": 1},
        "max_tokens": {**count, "minimum": 1},
        "stop": any_of(TEXT, list_of(TEXT)),
        "seed": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
        **alike("presence_penalty", "frequency_penalty", schema=NUMBER),
        **alike("top_k", "thinking_budget", schema=count),
        "effort": words(documented_words("effort")),
        "verbosity": words(documented_words("verbosity")),
        "parallel_tool_calls": BOOLEAN,
        **alike("extra", "openai", "anthropic", "litellm", "gemini", "bedrock", schema=OBJECT),
    }
    return mapping(KEYS["SETTINGS"], types, described=of_prompts("settings"))


def documented_words(setting: str) -> list[str]:
    """The words of a setting, as the reference has them."""
    return re.findall(r"`(\w+)`", of_prompts("settings")[setting].partition(":")[0])


def metadata() -> Schema:
    types = {
        **alike("author", "description", "category", schema=TEXT),
        **alike("tags", "use_cases", "model_recommendations", schema=list_of(TEXT)),
        "temperature": {"type": "number", "minimum": 0, "maximum": 2},
        "max_tokens": {"type": "integer", "minimum": 1, "maximum": 2**64 - 1},
        "custom": OBJECT,
    }
    return mapping(KEYS["METADATA"], types, described=of_prompts("metadata"), closed=False)


def prompt() -> Schema:
    named_schema = any_of({"type": "string"}, OBJECT)
    types = {
        "id": ID,
        "version": VERSION,
        "format": words(PromptFormat),
        "status": words(PromptStatus),
        "template": ref("template"),
        "messages": ref("messages"),
        "variables": ref("variables"),
        "partials": PARTIALS,
        "chat_template": ref("chat_template"),
        "tools": list_of(ref("tool")),
        "tool_choice": ref("tool_choice"),
        "settings": ref("settings"),
        **alike("input_schema", "output_schema", schema=named_schema),
        "metadata": ref("metadata"),
        "labels": list_of(LABEL),
        "uid": {"type": "string", "pattern": DEFAULTS["uuid"]["pattern"]},
        **alike("created_at", "updated_at", schema=TIME),
        "prompts": {"not": {}},
    }
    schema = mapping(KEYS["PROMPT"], types, rules=rules_of_prompts(), described=of_prompts("a prompt"))
    del schema["properties"]["prompts"]
    return schema


def rules_of_prompts() -> list[Schema]:
    """The rules between the keys of a prompt."""
    chat = any_of(has("messages"), has("chat_template"))
    body = any_of(has("template"), chat)
    filled = any_of({"type": "array", "minItems": 1}, {"type": "object", "minProperties": 1})
    beside = [
        any_of(has("template", has_object(key, filled)), has("chat_template", has_object(key, filled)))
        for key in ("variables", "partials")
    ]
    return [
        {"not": {"allOf": [has("template"), chat]}},
        {"not": {"allOf": [has("messages"), has("chat_template")]}},
        {"anyOf": [has("status", words(["draft"])), body]},
        # A key `template` without a value is a blank template.
        {"properties": {"template": {"not": {"type": "null"}}}},
        if_then(has("format", words(["chat"])), {"not": has("template")}),
        if_then(has("format", words(["text", "completion", "instruction"])), {"not": chat}),
        *(if_then(has(key, filled), body) for key in ("variables", "partials")),
        *(
            {"not": {"allOf": [has(key, filled), within]}}
            for key, within in zip(("variables", "partials"), beside, strict=True)
        ),
        if_then(
            has("tool_choice", any_of(OBJECT, words(["required"]))), has("tools", {"type": "array", "minItems": 1})
        ),
    ]


def has_object(key: str, value: Schema) -> Schema:
    return {"type": "object", **has(key, value)}


def prompt_file() -> Schema:
    several = {
        "type": "object",
        "properties": {
            "version": or_null(TEXT),
            "metadata": or_null(ref("metadata")),
            "prompts": list_of({"allOf": [ref("prompt"), has("id", ID)]}),
        },
        "required": ["prompts"],
        "additionalProperties": False,
    }
    definitions = {
        "prompt": prompt(),
        "several": several,
        "template": template(),
        "chat_template": chat_template(),
        "messages": list_of(ref("message"), minItems=1),
        "message": message(),
        "part": part(),
        "cache": cache(),
        "tool_call": tool_call(),
        "function_call": function_call(),
        "variables": variables(),
        "variable": variable(),
        "tool": tool(),
        "tool_choice": tool_choice(),
        "settings": settings(),
        "metadata": metadata(),
    }
    root = {"type": "object", "if": {"required": ["prompts"]}, "then": ref("several"), "else": ref("prompt")}
    return document("prompt", "A prompt file of prompt-manager", root, definitions)


def schema_file() -> Schema:
    flag = any_of(BOOLEAN, {"type": "integer", "enum": [0, 1]}, {"type": "string", "pattern": FLAG_WORDS})
    name = {"type": ["string", "number", "boolean"], "pattern": r"\S"}
    schema_types = {
        "name": name,
        "version": VERSION,
        "description": TEXT,
        **alike("strict", "allow_extra", "coerce", schema=flag),
        "extends": TEXT,
        "fields": list_of(ref("field")),
        "definitions": list_of(ref("schema")),
        "metadata": OBJECT,
    }
    both = {"allOf": [has("strict", {"const": True}), has("allow_extra", {"const": True})]}
    schema_rules = [
        {"anyOf": [has("fields"), has("extends")]},
        {"not": both},
        {"properties": {"definitions": {"type": "array"}}},
    ]
    field_types = {
        "name": {"type": ["string", "number", "boolean"], "minLength": 1},
        "type": words(FieldType),
        **alike("required", "nullable", "allow_inf_nan", "read_only", "write_only", schema=flag),
        "default": ANYTHING,
        "description": TEXT,
        "item_type": words(FieldType),
        **alike("item_schema", "nested_schema", schema=TEXT),
        "validators": list_of(ref("validator")),
    }
    nested = if_then(has("nested_schema"), has("type", words(["dict", "list", "any"])))
    definitions = {
        "schema": mapping(
            SCHEMA_KEYS["SCHEMA"], schema_types, required=["name"], rules=schema_rules, described=OF_SCHEMAS
        ),
        "field": mapping(
            SCHEMA_KEYS["FIELD"], field_types, required=["name", "type"], rules=[nested], described=OF_FIELDS
        ),
        "validator": validator(),
    }
    types = {"version": TEXT, "metadata": OBJECT, "schemas": list_of(ref("schema"))}
    return document(
        "schema",
        "A schema file of prompt-manager",
        mapping(SCHEMA_KEYS["FILE"], types, required=["schemas"]),
        definitions,
    )


FLAG_WORDS = "^([Tt][Rr][Uu][Ee]|[Yy][Ee][Ss]|[Oo][Nn]|[Ff][Aa][Ll][Ss][Ee]|[Nn][Oo]|[Oo][Ff][Ff])$"

OF_SCHEMAS = {
    "name": "The name by which prompts and other schemas refer to it.",
    "strict": "Keys that are no fields are refused. Default: true, unless `allow_extra` is.",
    "allow_extra": "Keys that are no fields are allowed and kept.",
    "coerce": "Values are converted to their type. Default: true.",
    "extends": "The schema whose fields come first; a field of the same name replaces the parent's.",
    "definitions": "Schemas that only this one names.",
}

OF_FIELDS = {
    "type": "The type of the value.",
    "required": "Whether the key must be there. Default: true, unless there is a default.",
    "default": "The value if the key is missing.",
    "nullable": "Whether null is allowed.",
    "item_type": "The type of the items of a list.",
    "item_schema": "The schema of the items of a list.",
    "nested_schema": "The schema of a dict.",
    "validators": "Rules that the value must keep.",
}


def validator() -> Schema:
    bound = any_of(NUMBER, {"type": "string", "pattern": r"^\s*-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,2})?\s*$"})
    types = {
        "type": words(ValidationType),
        "value": ANYTHING,
        **alike("min_value", "max_value", schema=bound),
        **alike("pattern", "format", "error_message", "custom_function", schema=TEXT),
        "allowed_values": list_of(ANYTHING),
    }
    rules = [
        if_then(has("type", words(["range"])), any_of(has("min_value"), has("max_value"))),
        if_then(has("type", words(["regex"])), has("pattern")),
        if_then(has("type", words(["enum"])), has("allowed_values", {"type": "array", "minItems": 1})),
        if_then(has("type", words(["custom"])), has("custom_function")),
        if_then(has("format"), has("type", words(["date", "datetime"]))),
    ]
    return mapping(SCHEMA_KEYS["VALIDATOR"], types, required=["type"], rules=rules)


def test_file() -> Schema:
    texts = any_of({"type": "string"}, list_of({"type": "string"}, minItems=1))
    types = {
        **alike("name", "prompt", "version", "label", "raises", schema={"type": "string"}),
        "variables": OBJECT,
        "text": {"type": ["string", "null"]},
        "messages": {"type": ["array", "null"]},
        "request": {"type": "object", "properties": {"provider": {"type": "string"}}, "required": ["provider"]},
        **alike("contains", "not_contains", "matches", schema=texts),
        "max_chars": {"type": "integer", "minimum": 0},
        "parses": {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]},
    }
    others = [key for key in EXPECTATIONS if key != "raises"]
    about = descriptions("testing-prompts.md", "The keys of a case", columns=2)
    case = mapping(
        CASE_KEYS,
        types,
        required=CASE_KEYS,
        rules=[
            {"anyOf": [{"required": [key]} for key in EXPECTATIONS]},
            {"not": {"required": ["version", "label"]}},
            if_then({"required": ["raises"]}, {"properties": dict.fromkeys(others, False)}),
        ],
        described=about,
    )
    case["required"] = ["name"]
    return document("test", "A test file of prompt-manager", list_of(ref("case")), {"case": case})


def label_file() -> Schema:
    move = {
        "type": "object",
        "properties": {
            "label": TEXT,
            **alike("version", "previous", schema=or_null(VERSION)),
            "moved_at": TIME,
            "author": or_null(TEXT),
        },
        "required": ["label", "moved_at"],
        "additionalProperties": False,
    }
    targets = {"type": "object", "propertyNames": LABEL, "additionalProperties": or_null(VERSION)}
    by_prompt = {"type": ["object", "null"], "propertyNames": ID}
    root = {
        "type": ["object", "null"],
        "properties": {
            "labels": {
                "description": "Where labels point: the version of each label, by the id of the prompt.",
                **by_prompt,
                "additionalProperties": targets,
            },
            "history": {
                "description": "The moves of labels. Programs write it.",
                **by_prompt,
                "additionalProperties": list_of(ref("move")),
            },
        },
        "additionalProperties": False,
    }
    return document("labels", "The labels of a directory of prompt-manager", root, {"move": move})


def document(name: str, title: str, root: Schema, definitions: Mapping[str, Schema]) -> Schema:
    head = {"$schema": DIALECT, "$id": f"urn:prompt-manager:{name}-file", "title": title}
    return {**head, **root, "$defs": dict(definitions)}


def file_schemas() -> dict[str, Schema]:
    """The schemas by the kind of file."""
    return {"prompt": prompt_file(), "schema": schema_file(), "test": test_file(), "labels": label_file()}


def written(schema: Schema) -> str:
    """A schema as its file has it."""
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for kind, made in file_schemas().items():
        (FOLDER / f"{kind}.schema.json").write_text(written(made), encoding="utf-8")
