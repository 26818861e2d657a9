"""Prompt files as people write them: read one, read a directory, put them into a registry, follow what is saved."""

from __future__ import annotations

from prompt_manager import _native
from prompt_manager.core.template import TemplateEngine

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any, Literal

    from prompt_manager._native import CompiledPrompt, Watch
    from prompt_manager.core.models import PromptSchema
    from prompt_manager.core.registry import PromptRegistry

    Path = str | os.PathLike[str]

__all__ = ["YAMLLoader"]

_EXAMPLE = """\
version: 1.0.0
metadata:
  description: Two prompts, to begin with
prompts:
  - id: greeting
    version: 1.0.0
    format: text
    template: "Hello {{name}}! Welcome to {{service}}."
    metadata: {description: Greets a new user, tags: [welcome]}
  - id: customer_support
    version: 1.0.0
    format: chat
    chat_template:
      messages:
        - {role: system, content: "You answer customers of {{company}}."}
        - {role: user, content: "{{customer_query}}"}
    settings: {temperature: 0.7}
"""


class YAMLLoader:
    """Reads prompt files: one prompt, a list under ``prompts``, or several documents.

    Args:
        registry: Where the ``import_`` methods and :meth:`watch_directory` put prompts, unless they are given another.
        template_engine: What compiles the prompts; the registry's by default.
        on_error: ``"raise"``: what is wrong in any file is an error. ``"skip"``: the good prompts are read, the others
            are warned of.

    Every coroutine has a twin with the suffix ``_sync``, which takes and gives the same.

    >>> loader = YAMLLoader()
    >>> [prompt.id for prompt in loader.load_file_sync("examples/prompts/greeting.yaml").prompts]
    ['greeting']
    """

    def __init__(
        self,
        registry: PromptRegistry | None = None,
        *,
        template_engine: TemplateEngine | None = None,
        on_error: Literal["raise", "skip"] = "raise",
    ) -> None:
        if template_engine is None:
            template_engine = TemplateEngine() if registry is None else registry.template_engine
        self._registry = registry
        self._engine = template_engine
        self._on_error: Literal["raise", "skip"] = on_error

    async def load_file(self, filepath: Path) -> PromptSchema:
        """The prompts of a file, with what the file says of itself.

        Raises:
            StorageReadError: the file cannot be read, or breaks a rule; ``errors`` has one exception for each place,
                with line and column. Also where errors are to be skipped and nothing is left.
        """
        files, warnings = await _native.read_prompts(filepath, self._engine, on_error=self._on_error)
        return _only(filepath, _schemas(files, warnings))

    def load_file_sync(self, filepath: Path) -> PromptSchema:
        """:meth:`load_file`, for code that does not await."""
        files, warnings = _native.read_prompts_sync(filepath, self._engine, on_error=self._on_error)
        return _only(filepath, _schemas(files, warnings))

    async def load_directory(self, dirpath: Path) -> list[PromptSchema]:
        """Every prompt file below a directory, in the order of their paths.

        Files end in ``.yaml`` or ``.yml``; what begins with a dot is passed over.

        Raises:
            StorageReadError: files cannot be read or break a rule; ``errors`` has one exception for each place, with
                file, line and column.
        """
        files, warnings = await _native.read_prompts(_directory(dirpath), self._engine, on_error=self._on_error)
        return _schemas(files, warnings)

    def load_directory_sync(self, dirpath: Path) -> list[PromptSchema]:
        """:meth:`load_directory`, for code that does not await."""
        files, warnings = _native.read_prompts_sync(_directory(dirpath), self._engine, on_error=self._on_error)
        return _schemas(files, warnings)

    async def import_to_registry(self, filepath: Path, *, registry: PromptRegistry | None = None) -> int:
        """Register the prompts of a file, one after the other; gives how many.

        Raises:
            ValueError: there is no registry to register them in.
            StorageReadError: as :meth:`load_file`; nothing is registered then.
            VersionConflictError: a version is registered with other content. What stands before it in the file is
                registered.
        """
        target = self._target(registry)
        return await _register(target, [await self.load_file(filepath)])

    def import_to_registry_sync(self, filepath: Path, *, registry: PromptRegistry | None = None) -> int:
        """:meth:`import_to_registry`, for code that does not await."""
        target = self._target(registry)
        return _register_sync(target, [self.load_file_sync(filepath)])

    async def import_directory_to_registry(self, dirpath: Path, *, registry: PromptRegistry | None = None) -> int:
        """Register the prompts of every file below a directory, one after the other; gives how many.

        Raises:
            ValueError: there is no registry to register them in.
            StorageReadError: as :meth:`load_directory`; nothing is registered then.
            VersionConflictError: a version is registered with other content. What comes before it is registered.
        """
        target = self._target(registry)
        return await _register(target, await self.load_directory(dirpath))

    def import_directory_to_registry_sync(self, dirpath: Path, *, registry: PromptRegistry | None = None) -> int:
        """:meth:`import_directory_to_registry`, for code that does not await."""
        target = self._target(registry)
        return _register_sync(target, self.load_directory_sync(dirpath))

    async def watch_directory(
        self,
        dirpath: Path,
        *,
        registry: PromptRegistry | None = None,
        schema_dir: Path | None = None,
    ) -> Watch:
        """Load a directory into a registry and follow it: what is saved there is live soon after.

        The files are the truth: each reload exchanges in one step all that came from them, and leaves other prompts of
        the registry alone. What is wrong after a save is logged (``prompt_manager``, level error) and found in
        ``errors`` of the watch, and the last good prompts stay.

        Args:
            dirpath: The directory of the prompts.
            registry: The registry; the loader's by default.
            schema_dir: The directory of the schemas that they name, which is followed too.

        Returns:
            The watch: ``close`` (or ``close_sync``) ends it, and so does its own end. ``is_running`` and ``errors``
            tell of it. A process that is forked has the prompts and does not follow.

        Raises:
            ValueError: there is no registry, or it keeps its prompts in a storage, which has its own truth.
            StorageReadError: as :meth:`load_directory`, or the system cannot watch the directory.
        """
        target = self._watched(registry)
        watch, warnings = await _native.watch_directory(
            target._core, dirpath, schema_dir=schema_dir, on_error=self._on_error
        )
        _warn(warnings)
        return watch

    def watch_directory_sync(
        self,
        dirpath: Path,
        *,
        registry: PromptRegistry | None = None,
        schema_dir: Path | None = None,
    ) -> Watch:
        """:meth:`watch_directory`, for code that does not await."""
        target = self._watched(registry)
        watch, warnings = _native.watch_directory_sync(
            target._core, dirpath, schema_dir=schema_dir, on_error=self._on_error
        )
        _warn(warnings)
        return watch

    @staticmethod
    def create_example_yaml(output_path: Path) -> None:
        """Write a file of two prompts to begin with. A file that is there is left alone.

        Raises:
            FileExistsError: the file exists.
        """
        with open(output_path, "x", encoding="utf-8", newline="\n") as file:  # noqa: PTH123 - any path will do
            file.write(_EXAMPLE)

    def _target(self, registry: PromptRegistry | None) -> PromptRegistry:
        target = registry if registry is not None else self._registry
        if target is None:
            raise ValueError("there is no registry: give one to the loader or to this call")
        return target

    def _watched(self, registry: PromptRegistry | None) -> PromptRegistry:
        target = self._target(registry)
        if target.storage is not None:
            raise ValueError(
                "a registry with a storage cannot follow a directory, for both would say what its prompts are: "
                "import the directory instead"
            )
        return target


def _directory(path: Path) -> Path:
    """The path with a separator at its end, where only a directory can be."""
    import os

    return os.path.join(path, "")  # noqa: PTH118 - a Path drops the separator


def _schemas(
    files: list[tuple[str | None, dict[str, Any] | None, list[CompiledPrompt]]], warnings: list[str]
) -> list[PromptSchema]:
    from prompt_manager.core.models import Prompt, PromptSchema

    _warn(warnings)
    return [
        PromptSchema(
            prompts=tuple(map(Prompt._of, prompts)),
            **{} if version is None else {"version": version},
            **{} if metadata is None else {"metadata": metadata},
        )
        for version, metadata, prompts in files
    ]


def _only(path: Path, schemas: list[PromptSchema]) -> PromptSchema:
    from prompt_manager.exceptions import StorageReadError

    if not schemas:
        raise StorageReadError(f"no prompt in {path} can be read", path=str(path))
    return schemas[0]


def _warn(warnings: list[str]) -> None:
    if warnings:
        from warnings import warn

        for warning in warnings:
            warn(warning, stacklevel=4)


async def _register(registry: PromptRegistry, schemas: list[PromptSchema]) -> int:
    prompts = [prompt for schema in schemas for prompt in schema.prompts]
    for prompt in prompts:
        await registry.register(prompt)
    return len(prompts)


def _register_sync(registry: PromptRegistry, schemas: list[PromptSchema]) -> int:
    prompts = [prompt for schema in schemas for prompt in schema.prompts]
    for prompt in prompts:
        registry.register_sync(prompt)
    return len(prompts)
