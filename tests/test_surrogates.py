"""Half a surrogate pair as an argument: an exception of the package or none, and never the text itself."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import traceback
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

from prompt_manager import Prompt, PromptManager, TemplateEngine
from prompt_manager.exceptions import PromptManagerError, SchemaValidationError
from prompt_manager.integrations import LiteLLMIntegration, OpenAIIntegration
from prompt_manager.plugins import PluginRegistry
from prompt_manager.storage import FileSystemStorage, InMemoryStorage, YAMLLoader
from prompt_manager.validation import Schema, SchemaLoader, validators
from prompt_manager.versioning import VersionStore

#: A text that UTF-8 cannot encode. The first part shows whether a message contains it.
BROKEN = "SECRET\ud83d"

SCHEMA = {"name": "s", "fields": [{"name": "a", "type": "string"}]}


def prompt(**more: Any) -> Prompt:
    return Prompt(**{"id": "p", "format": "text", "status": "active", "template": "Hi", **more})


def manager() -> PromptManager:
    manager = PromptManager()
    manager.register_schema("s", SCHEMA)
    manager.create_prompt_sync(prompt(output_schema="s"))
    return manager


def loader() -> SchemaLoader:
    loader = SchemaLoader()
    loader.register(SCHEMA)
    return loader


def stored(storage: Any) -> Any:
    storage.save_sync(prompt())
    return storage


OBJECTS = {
    "PromptManager": lambda _: manager(),
    "PromptRegistry": lambda _: manager().registry,
    "InMemoryStorage": lambda _: stored(InMemoryStorage()),
    "FileSystemStorage": lambda folder: stored(FileSystemStorage(folder)),
    "YAMLLoader": lambda _: YAMLLoader(manager().registry),
    "VersionStore": lambda _: VersionStore(),
    "SchemaLoader": lambda _: loader(),
    "TemplateEngine": lambda _: TemplateEngine(),
    "PluginRegistry": lambda _: PluginRegistry(),
    "OpenAIIntegration": lambda _: OpenAIIntegration(TemplateEngine()),
    "LiteLLMIntegration": lambda _: LiteLLMIntegration(TemplateEngine()),
}

#: A value for each parameter that has no default, by name. Any other gets the id of the prompt.
VALUES: dict[str, Any] = {
    "variables": {},
    "data": {},
    "text": "{}",
    "template": "Hi",
    "schema": "s",
    "schema_name": "s",
    "name": "s",
    "version": "1.0.0",
    "from_version": "1.0.0",
    "to_version": "1.0.0",
    "version1": "1.0.0",
    "version2": "1.0.0",
    "label": "live",
    "model": "{}",
    "partials": {},
    "function": str,
    "helper": str,
}


def takes_text(parameter: inspect.Parameter) -> bool:
    annotation = str(parameter.annotation)
    is_text = re.search(r"\b(str|Path|PathLike)\b", annotation) and not re.match("Mapping|Callable|dict", annotation)
    return parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL) and bool(is_text)


def calls():
    """List each public method with each of its parameters that can be a text."""
    for kind, make in OBJECTS.items():
        made = make(None) if kind != "FileSystemStorage" else FileSystemStorage
        for name in dir(made):
            method = getattr(made, name)
            if name.startswith("_") or not callable(method) or isinstance(method, type):
                continue
            for parameter in inspect.signature(method).parameters.values():
                if takes_text(parameter):
                    yield pytest.param(kind, name, parameter.name, id=f"{kind}.{name}-{parameter.name}")


def shown(error: BaseException | None) -> str:
    """Return everything that an exception and its causes would print or carry."""
    text = ""
    while error is not None:
        text += "".join(traceback.format_exception_only(error)) + repr(error.args) + repr(vars(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return text


async def awaited(result):
    return await result


def failure(call):
    """Call, and return the exception if there is one. Any other than these ends the test."""
    try:
        result = call()
        if inspect.isawaitable(result):
            asyncio.run(awaited(result))
    except (PromptManagerError, TypeError, ValueError, FileExistsError) as error:
        return error
    return None


def check(call):
    """Call, and check the exception if there is one."""
    error = failure(call)
    if error is None:
        return
    assert not isinstance(error, UnicodeError), error
    str(error).encode()
    # The message about an option that is one of a few words may repeat it.
    if isinstance(error, PromptManagerError):
        assert "SECRET" not in shown(error)


@pytest.mark.parametrize(("kind", "name", "parameter"), list(calls()))
def test_no_argument_raises_an_error_with_its_text(kind, name, parameter, tmp_path):
    method = getattr(OBJECTS[kind](tmp_path), name)
    given = {
        each.name: VALUES.get(each.name, "p")
        for each in inspect.signature(method).parameters.values()
        if each.default is each.empty and each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
    }
    if "prompt" in given:
        given["prompt"] = prompt(id="other")
    if given.get("schema") == "s" and name == "register":
        given["schema"] = {**SCHEMA, "name": "t"}
    check(lambda: method(**{**given, parameter: BROKEN}))


@pytest.mark.parametrize(
    "call",
    [
        lambda: prompt(id=BROKEN),
        lambda: prompt(version=BROKEN),
        lambda: prompt(template=BROKEN),
        lambda: prompt(output_schema=BROKEN),
        lambda: prompt(metadata={"author": BROKEN, "tags": [BROKEN]}),
        lambda: prompt(settings={"model": BROKEN}),
        lambda: manager().create_prompt_sync(prompt(id="q", labels=[BROKEN])),
        lambda: manager().register_schema(BROKEN, SCHEMA),
        lambda: Schema.from_json_schema({"type": "object"}, name=BROKEN),
        lambda: Schema(name=BROKEN, fields=[]),
        lambda: FileSystemStorage(BROKEN).list_sync(),
        lambda: VersionStore(BROKEN).list_versions_sync("p"),
        lambda: PromptManager.from_directory_sync(BROKEN),
        lambda: PromptManager.from_directory_sync(os.fsencode(BROKEN.rstrip("\ud83d"))),
        lambda: validators.RegexValidator(pattern=BROKEN).check("x"),
        lambda: validators.RegexValidator(pattern="a", message=BROKEN).check("x"),
    ],
)
def test_no_constructor_raises_an_error_with_its_text(call):
    check(call)


def test_an_answer_with_half_a_pair_is_no_readable_answer():
    with pytest.raises(SchemaValidationError, match="half a surrogate pair is not a character") as caught:
        manager().parse_output("p", '{"a": "SECRET\ud83d"}')
    assert "SECRET" not in shown(caught.value)
    assert caught.value.errors[0]["rule"] == "syntax"


class Refusing(BaseModel):
    """A model whose validator's message pydantic cannot write."""

    a: str

    @field_validator("a")
    @classmethod
    def refuse(cls, _value: str) -> str:
        raise ValueError(BROKEN)


@pytest.mark.parametrize(
    "call",
    [
        lambda made: made.parse_output("r", '{"a": "x"}'),
        lambda made: made.parse_output("r", '{"a": "x"}', Refusing),
        lambda made: made.parse_output("n", '{"a": "x"}', Refusing),
        lambda made: made.validate_output_sync("r", {"a": "x"}),
        lambda made: made.render_sync("i", {"a": "x"}),
    ],
)
def test_a_validator_may_say_half_a_pair(call):
    made = manager()
    made.register_schema("r", Refusing)
    made.create_prompt_sync(prompt(id="r", output_schema="r"))
    made.create_prompt_sync(prompt(id="i", input_schema="r", template="{{a}}"))
    made.create_prompt_sync(prompt(id="n"))
    with pytest.raises(SchemaValidationError, match="is refused by Refusing") as caught:
        call(made)
    assert "SECRET" not in shown(caught.value)


def test_lookups_name_what_is_broken():
    made = manager()
    for call, what in [
        (lambda: made.get_prompt_sync(BROKEN), "the prompt's id"),
        (lambda: made.get_prompt_sync("p", BROKEN), "the version"),
        (lambda: made.get_prompt_sync("p", label=BROKEN), "the label"),
        (lambda: made.load_schemas_sync(BROKEN), "the path"),
    ]:
        with pytest.raises(PromptManagerError, match=f"{what} has half a surrogate pair at character 7"):
            call()
    assert not made.registry.exists_sync(BROKEN)
