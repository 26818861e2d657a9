from collections.abc import Awaitable, Callable, Mapping, Sequence
from os import PathLike
from typing import Any, Literal, Self, TypeAlias, TypedDict, final, type_check_only

from typing_extensions import disjoint_base

from prompt_manager.exceptions import PromptManagerError

__all__ = [
    "DISTRIBUTION",
    "ChatTemplate",
    "CompiledPrompt",
    "Engine",
    "HelperOptions",
    "Registry",
    "Template",
    "Watch",
    "__version__",
    "check_prompt",
    "compile_chat",
    "compile_prompt",
    "content_hash",
    "map_role",
    "plain_json",
    "read_prompts",
    "read_prompts_sync",
    "restore_template",
    "validate_alternation",
    "watch_directory",
    "watch_directory_sync",
]

__version__: str
DISTRIBUTION: str

@type_check_only
class VariableUsage(TypedDict):
    # Whether a render needs it: some use is more than a test, and not under a test of it.
    required: bool
    # Whether it is only tested: nothing of it is printed, walked or handed on.
    tested: bool
    # Whether a loop walks it.
    iterated: bool
    # What is read of it, such as ``user.name`` or ``docs[].title``.
    paths: list[str]

# Helpers as name, function and whether it takes options; partials as name and source.
_EngineState: TypeAlias = tuple[list[tuple[str, Callable[..., Any], bool]], list[tuple[str, str]]]

@disjoint_base
class Engine:
    def __new__(
        cls,
        *,
        dialect: Literal["prompt", "handlebars"] = "prompt",
        strict: bool | None = None,
        allow_none: bool | None = None,
        escape: bool | None = None,
        limits: Mapping[str, int] | None = None,
        assume_objects: bool = False,
        known_helpers: Sequence[str] = ...,
        known_helpers_only: bool = False,
        prevent_indent: bool = False,
        ignore_standalone: bool = False,
        explicit_partial_context: bool = False,
        compat: bool = False,
    ) -> Self: ...
    def compile(self, template: str, *, name: str | None = None) -> Template: ...
    def render_sync(
        self,
        template: str | Template,
        variables: Mapping[str, Any],
        *,
        partials: Mapping[str, str | Template] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> str: ...
    def validate_sync(self, template: str) -> bool: ...
    def extract_variables(
        self, template: str, *, partials: Mapping[str, str | Template] | None = None
    ) -> list[str]: ...
    def analyze(
        self, template: str, *, partials: Mapping[str, str | Template] | None = None
    ) -> dict[str, VariableUsage]: ...
    def register_partial(self, name: str, template: str) -> None: ...
    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, Any]]: ...
    def __getstate__(self) -> _EngineState: ...
    def __setstate__(self, state: _EngineState) -> None: ...
    def _register_helper(self, name: str, function: Callable[..., Any], pass_options: bool) -> None: ...

@final
class HelperOptions:
    @property
    def name(self) -> str: ...
    @property
    def context(self) -> Any: ...
    @property
    def data(self) -> dict[str, Any]: ...
    @property
    def hash(self) -> dict[str, Any]: ...
    @property
    def block_params(self) -> int: ...
    def fn(
        self, context: Any = ..., *, data: Mapping[str, Any] | None = None, block_params: Sequence[Any] | None = None
    ) -> str: ...
    def inverse(
        self, context: Any = ..., *, data: Mapping[str, Any] | None = None, block_params: Sequence[Any] | None = None
    ) -> str: ...

@final
class Template:
    def render(
        self,
        variables: Mapping[str, Any],
        *,
        partials: Mapping[str, str | Template] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> str: ...
    @property
    def variables(self) -> list[str]: ...
    @property
    def source(self) -> str: ...
    def __reduce__(
        self,
    ) -> tuple[Callable[[Engine, str, str | None], Template], tuple[Engine, str, str | None]]: ...

@final
class ChatTemplate:
    def render(self, variables: Mapping[str, Any]) -> list[dict[str, Any]]: ...
    @property
    def variables(self) -> list[str]: ...
    def analyze(self) -> dict[str, VariableUsage]: ...

@final
class CompiledPrompt:
    @property
    def id(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def content_hash(self) -> str: ...
    @property
    def description(self) -> str | None: ...
    @property
    def category(self) -> str | None: ...
    @property
    def author(self) -> str | None: ...
    @property
    def tags(self) -> list[str]: ...
    @property
    def labels(self) -> list[str]: ...
    def belongs_to(self, engine: Engine) -> bool: ...
    def to_dict(self) -> dict[str, Any]: ...
    def variables(self) -> list[dict[str, Any]]: ...
    def render(self, variables: Mapping[str, Any]) -> str: ...
    def render_messages(self, variables: Mapping[str, Any]) -> list[dict[str, Any]]: ...
    def openai(self, variables: Mapping[str, Any], *, strict: bool) -> tuple[list[dict[str, Any]] | str, list[str]]: ...
    def anthropic(
        self,
        variables: Mapping[str, Any],
        *,
        strict: bool,
        merge_system: bool,
        merge_turns: bool,
        allow_prefill: bool,
    ) -> tuple[dict[str, Any], list[str]]: ...

@final
class Registry:
    def __new__(cls, engine: Engine) -> Self: ...
    def load_directory_sync(
        self,
        path: str | PathLike[str],
        *,
        schema_dir: str | PathLike[str] | None,
        on_error: Literal["raise", "skip"],
    ) -> list[str]: ...
    def load_directory(
        self,
        path: str | PathLike[str],
        *,
        schema_dir: str | PathLike[str] | None,
        on_error: Literal["raise", "skip"],
    ) -> Awaitable[list[str]]: ...
    def replace(self, prompt: CompiledPrompt) -> CompiledPrompt | None: ...
    def restore(self, prompt: CompiledPrompt, before: CompiledPrompt | None) -> None: ...
    def insert(self, prompt: CompiledPrompt) -> None: ...
    def remove(self, id: str, version: str | None = None) -> None: ...
    def get(self, id: str, *, version: str | None = None, label: str | None = None) -> CompiledPrompt: ...
    def latest(self) -> list[CompiledPrompt]: ...
    def all(self) -> list[CompiledPrompt]: ...
    def versions(self, id: str) -> list[str]: ...
    def contains(self, id: str, version: str | None = None) -> bool: ...
    def __len__(self) -> int: ...
    def render(
        self,
        id: str,
        variables: Mapping[str, Any],
        *,
        version: str | None = None,
        label: str | None = None,
    ) -> str: ...
    def render_messages(
        self,
        id: str,
        variables: Mapping[str, Any],
        *,
        version: str | None = None,
        label: str | None = None,
    ) -> list[dict[str, Any]]: ...

@final
class Watch:
    def close(self) -> Awaitable[None]: ...
    def close_sync(self) -> None: ...
    @property
    def is_running(self) -> bool: ...
    @property
    def errors(self) -> list[PromptManagerError]: ...
    @property
    def reloads(self) -> int: ...

# What a file says of itself, its version and metadata, and its prompts.
_File: TypeAlias = tuple[str | None, dict[str, Any] | None, list[CompiledPrompt]]

def compile_chat(
    messages: Sequence[Any], engine: Engine, *, partials: Mapping[str, str | Template] | None = None
) -> ChatTemplate: ...
def check_prompt(prompt: Mapping[str, Any]) -> None: ...
def compile_prompt(prompt: Mapping[str, Any], engine: Engine) -> CompiledPrompt: ...
def plain_json(value: object, name: str) -> Any: ...
def read_prompts(
    path: str | PathLike[str], engine: Engine, *, on_error: Literal["raise", "skip"]
) -> Awaitable[tuple[list[_File], list[str]]]: ...
def read_prompts_sync(
    path: str | PathLike[str], engine: Engine, *, on_error: Literal["raise", "skip"]
) -> tuple[list[_File], list[str]]: ...
def restore_template(engine: Engine, source: str, name: str | None) -> Template: ...
def content_hash(prompt: Mapping[str, Any], engine: str | None = None) -> str: ...
def map_role(provider: str, role: str) -> str: ...
def validate_alternation(roles: list[str]) -> None: ...
def watch_directory(
    registry: Registry,
    path: str | PathLike[str],
    *,
    schema_dir: str | PathLike[str] | None,
    on_error: Literal["raise", "skip"],
) -> Awaitable[tuple[Watch, list[str]]]: ...
def watch_directory_sync(
    registry: Registry,
    path: str | PathLike[str],
    *,
    schema_dir: str | PathLike[str] | None,
    on_error: Literal["raise", "skip"],
) -> tuple[Watch, list[str]]: ...
