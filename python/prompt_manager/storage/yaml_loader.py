"""Loads prompt files and directories, registers their prompts, and watches directories for changes."""

from __future__ import annotations

from prompt_manager import _native
from prompt_manager._encodable import check_encodable
from prompt_manager.core._load_warning import warn_of
from prompt_manager.core.template import TemplateEngine, compiling_engine
from prompt_manager.exceptions import StorageWriteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any, Literal

    from prompt_manager._native import CompiledPrompt, Finding, Watch
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
    """Loads prompt files. A file contains one prompt, a list under ``prompts``, or several YAML documents.

    Every coroutine has a synchronous version with the suffix ``_sync``.

    Args:
        registry: The default registry of the ``import_…`` methods and of :meth:`watch_directory`.
        template_engine: The engine that compiles the prompts. By default the registry's.
        on_error: ``"raise"`` raises an error if any file has a problem. ``"skip"`` loads the valid prompts and warns
            about the others.

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
        self._engine = compiling_engine(template_engine)
        self._on_error: Literal["raise", "skip"] = on_error

    async def load_file(self, filepath: Path) -> PromptSchema:
        """Load the prompts of a file, with the version and metadata of the file itself.

        Raises:
            StorageReadError: the file cannot be read or breaks a rule. ``errors`` has one exception for each problem,
                with line and column. With ``on_error="skip"``: the file has no valid prompt.
        """
        files, findings, _ = await _native.read_prompts(filepath, self._engine, on_error=self._on_error)
        return _only(filepath, _schemas(files, findings))

    def load_file_sync(self, filepath: Path) -> PromptSchema:
        """Load the prompts of a file, with the version and metadata of the file itself.

        Raises:
            StorageReadError: the file cannot be read or breaks a rule. ``errors`` has one exception for each problem,
                with line and column. With ``on_error="skip"``: the file has no valid prompt.
        """
        files, findings, _ = _native.read_prompts_sync(filepath, self._engine, on_error=self._on_error)
        return _only(filepath, _schemas(files, findings))

    async def load_directory(self, dirpath: Path) -> list[PromptSchema]:
        """Load every prompt file below a directory, sorted by path.

        Files end in ``.yaml`` or ``.yml``. Names that begin with a dot are skipped. The prompts know the schemas of the
        folder ``schemas`` below the directory, so that an integration converts them without ``schemas=``.

        Raises:
            StorageReadError: files cannot be read or break a rule. ``errors`` has one exception for each problem, with
                file, line and column.
        """
        files, findings, _ = await _native.read_prompts(_directory(dirpath), self._engine, on_error=self._on_error)
        return _schemas(files, findings)

    def load_directory_sync(self, dirpath: Path) -> list[PromptSchema]:
        """Load every prompt file below a directory, sorted by path.

        Files end in ``.yaml`` or ``.yml``. Names that begin with a dot are skipped. The prompts know the schemas of the
        folder ``schemas`` below the directory, so that an integration converts them without ``schemas=``.

        Raises:
            StorageReadError: files cannot be read or break a rule. ``errors`` has one exception for each problem, with
                file, line and column.
        """
        files, findings, _ = _native.read_prompts_sync(_directory(dirpath), self._engine, on_error=self._on_error)
        return _schemas(files, findings)

    async def import_to_registry(self, filepath: Path, *, registry: PromptRegistry | None = None) -> int:
        """Register the prompts of a file, in order, and return how many there are.

        Args:
            filepath: The file.
            registry: The registry. By default the loader's.

        Raises:
            ValueError: neither the loader nor the call has a registry.
            StorageReadError: the file cannot be read or breaks a rule. Nothing is registered.
            VersionConflictError: a version is already registered with different content. The prompts before it in the
                file are registered.
        """
        target = self._target(registry)
        return await _register(target, [await self.load_file(filepath)])

    def import_to_registry_sync(self, filepath: Path, *, registry: PromptRegistry | None = None) -> int:
        """Register the prompts of a file, in order, and return how many there are.

        Args:
            filepath: The file.
            registry: The registry. By default the loader's.

        Raises:
            ValueError: neither the loader nor the call has a registry.
            StorageReadError: the file cannot be read or breaks a rule. Nothing is registered.
            VersionConflictError: a version is already registered with different content. The prompts before it in the
                file are registered.
        """
        target = self._target(registry)
        return _register_sync(target, [self.load_file_sync(filepath)])

    async def import_directory_to_registry(self, dirpath: Path, *, registry: PromptRegistry | None = None) -> int:
        """Register the prompts of every file below a directory, in order, and return how many there are.

        The schemas of the folder ``schemas`` below the directory are registered too.

        Args:
            dirpath: The directory.
            registry: The registry. By default the loader's.

        Raises:
            ValueError: neither the loader nor the call has a registry.
            StorageReadError: files cannot be read or break a rule. Nothing is registered.
            SchemaError: the registry has another schema of the same name. Nothing is registered.
            VersionConflictError: a version is already registered with different content. The prompts before it are
                registered.
        """
        target = self._target(registry)
        files, findings, schemas = await _native.read_prompts(
            _directory(dirpath), self._engine, on_error=self._on_error
        )
        target._core.schemas.add_all(schemas)
        return await _register(target, _schemas(files, findings))

    def import_directory_to_registry_sync(self, dirpath: Path, *, registry: PromptRegistry | None = None) -> int:
        """Register the prompts of every file below a directory, in order, and return how many there are.

        The schemas of the folder ``schemas`` below the directory are registered too.

        Args:
            dirpath: The directory.
            registry: The registry. By default the loader's.

        Raises:
            ValueError: neither the loader nor the call has a registry.
            StorageReadError: files cannot be read or break a rule. Nothing is registered.
            SchemaError: the registry has another schema of the same name. Nothing is registered.
            VersionConflictError: a version is already registered with different content. The prompts before it are
                registered.
        """
        target = self._target(registry)
        files, findings, schemas = _native.read_prompts_sync(_directory(dirpath), self._engine, on_error=self._on_error)
        target._core.schemas.add_all(schemas)
        return _register_sync(target, _schemas(files, findings))

    async def watch_directory(
        self,
        dirpath: Path,
        *,
        registry: PromptRegistry | None = None,
        schema_dir: Path | None = None,
    ) -> Watch:
        """Load a directory into a registry, and reload it when a file changes.

        Each reload replaces all prompts that came from the directory in one step. Other prompts of the registry stay.
        If a changed file has a problem, the last valid prompts stay in use. The problem is logged (logger
        ``prompt_manager``, level ERROR) and is in ``errors`` of the watch.

        Args:
            dirpath: The directory of the prompts.
            registry: The registry. By default the loader's.
            schema_dir: The directory of the schemas that the prompts refer to. It is watched too.

        Returns:
            The watch. It has ``is_running``, ``errors``, and ``close`` or ``close_sync`` to stop it. It also stops when
            it is garbage-collected. A forked process keeps the prompts, but does not watch.

        Raises:
            ValueError: there is no registry, or the registry has a storage.
            StorageReadError: files cannot be read or break a rule, or the system cannot watch the directory.
        """
        target = self._watched(registry)
        watch, findings = await _native.watch_directory(
            target._core, dirpath, schema_dir=schema_dir, on_error=self._on_error
        )
        warn_of(findings)
        return watch

    def watch_directory_sync(
        self,
        dirpath: Path,
        *,
        registry: PromptRegistry | None = None,
        schema_dir: Path | None = None,
    ) -> Watch:
        """Load a directory into a registry, and reload it when a file changes.

        Each reload replaces all prompts that came from the directory in one step. Other prompts of the registry stay.
        If a changed file has a problem, the last valid prompts stay in use. The problem is logged (logger
        ``prompt_manager``, level ERROR) and is in ``errors`` of the watch.

        Args:
            dirpath: The directory of the prompts.
            registry: The registry. By default the loader's.
            schema_dir: The directory of the schemas that the prompts refer to. It is watched too.

        Returns:
            The watch. It has ``is_running``, ``errors``, and ``close`` or ``close_sync`` to stop it. It also stops when
            it is garbage-collected. A forked process keeps the prompts, but does not watch.

        Raises:
            ValueError: there is no registry, or the registry has a storage.
            StorageReadError: files cannot be read or break a rule, or the system cannot watch the directory.
        """
        target = self._watched(registry)
        watch, findings = _native.watch_directory_sync(
            target._core, dirpath, schema_dir=schema_dir, on_error=self._on_error
        )
        warn_of(findings)
        return watch

    @staticmethod
    def create_example_yaml(output_path: Path) -> None:
        """Write an example file with two prompts.

        Raises:
            FileExistsError: the file exists already. It is not changed.
            StorageWriteError: the path has half a surrogate pair.
        """
        check_encodable(str(output_path), "the path", StorageWriteError)
        with open(output_path, "x", encoding="utf-8", newline="\n") as file:  # noqa: PTH123 - any path will do
            file.write(_EXAMPLE)

    def _target(self, registry: PromptRegistry | None) -> PromptRegistry:
        target = registry if registry is not None else self._registry
        if target is None:
            raise ValueError("there is no registry: pass one to the loader or to this call")
        return target

    def _watched(self, registry: PromptRegistry | None) -> PromptRegistry:
        target = self._target(registry)
        if target.storage is not None:
            raise ValueError(
                "a registry with a storage cannot watch a directory, because its prompts would have two sources: "
                "import the directory instead"
            )
        return target


def _directory(path: Path) -> Path:
    """Append a separator to the path, so that a file at that path is an error."""
    import os

    return os.path.join(path, "")  # noqa: PTH118 - a Path drops the separator


def _schemas(
    files: list[tuple[str | None, dict[str, Any] | None, list[CompiledPrompt]]], findings: list[Finding]
) -> list[PromptSchema]:
    from prompt_manager.core.models import Prompt, PromptSchema

    warn_of(findings)
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
        raise StorageReadError(f"{path} has no valid prompt", path=str(path))
    return schemas[0]


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
