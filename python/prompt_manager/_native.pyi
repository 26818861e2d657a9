from collections.abc import Awaitable, Mapping
from os import PathLike
from typing import Any, Literal, Self, final

from typing_extensions import disjoint_base

__all__ = [
    "DISTRIBUTION",
    "CompiledPrompt",
    "Engine",
    "Registry",
    "Template",
    "__version__",
    "check_prompt",
    "compile_prompt",
    "map_role",
    "validate_alternation",
]

__version__: str
DISTRIBUTION: str

@disjoint_base
class Engine:
    def __new__(
        cls,
        *,
        strict: bool = True,
        allow_none: bool = False,
        escape: bool = False,
        prevent_indent: bool = False,
        ignore_standalone: bool = False,
        explicit_partial_context: bool = False,
        limits: Mapping[str, int] | None = None,
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
    def register_partial(self, name: str, template: str) -> None: ...

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
    def check(self, prompt: CompiledPrompt) -> None: ...
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

def check_prompt(prompt: Mapping[str, Any]) -> None: ...
def compile_prompt(prompt: Mapping[str, Any], engine: Engine) -> CompiledPrompt: ...
def map_role(provider: str, role: str) -> str: ...
def validate_alternation(roles: list[str]) -> None: ...
