"""The manager: prompts by id, rendered and handed out."""

from __future__ import annotations

from _thread import allocate_lock

from prompt_manager.core._observers import Observers
from prompt_manager.core._prompt_writer import PromptWriter
from prompt_manager.core._sync import AWAITING, run_asking
from prompt_manager.core.registry import PromptRegistry
from prompt_manager.exceptions import StorageWriteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType
    from typing import Any, Literal, Self

    from pydantic import BaseModel

    from prompt_manager._native import Registry, Watch
    from prompt_manager.core._observed import ObservedRenders
    from prompt_manager.core._prompt_writer import Bump
    from prompt_manager.core.models import (
        LabelMove,
        Prompt,
        PromptDiff,
        PromptFormat,
        PromptStatus,
        PromptSummary,
        PromptVersion,
    )
    from prompt_manager.core.protocols import PluginProtocol, VersionStoreProtocol
    from prompt_manager.core.template import TemplateEngine
    from prompt_manager.exceptions import PromptManagerError
    from prompt_manager.plugins.registry import PluginRegistry
    from prompt_manager.validation.loader import SchemaLoader
    from prompt_manager.validation.models import Schema
    from prompt_manager.validation.output import ParsedOutput

    #: Calls a model with what was rendered, and gives its answer; a coroutine function does too.
    Model = Callable[[Any], str | Awaitable[str]]

__all__ = ["PromptManager"]


def _warn(warnings: list[str]) -> None:
    """Tell the author of prompt files what a load found."""
    if warnings:
        from warnings import warn

        for warning in warnings:
            warn(warning, stacklevel=3)


class PromptManager:
    """An application's prompts.

    Args:
        registry: The prompts; an empty registry by default. One with a storage keeps them there.
        version_store: The history of versions; kept in memory by default.
        observers: Who is told of renders, versions, and changes of the registry: see
            :class:`~prompt_manager.core.protocols.ObserverProtocol`.
        template_engine: What compiles the prompts of the registry that is made by default.

    Every coroutine has a twin with the suffix ``_sync``, which takes and gives the same.

    >>> manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
    >>> manager.render_sync("greeting", {"name": "Ada", "role": "engineer"})
    'Hello Ada! Your role is engineer.'
    """

    def __init__(
        self,
        registry: PromptRegistry | None = None,
        *,
        version_store: VersionStoreProtocol | None = None,
        observers: Iterable[object] = (),
        template_engine: TemplateEngine | None = None,
    ) -> None:
        if registry is None:
            registry = PromptRegistry(template_engine=template_engine)
        elif template_engine is not None and template_engine is not registry.template_engine:
            raise ValueError("the registry has a template engine of its own: give one or the other")
        self._registry = registry
        self._core = registry._core
        self._version_store = version_store
        #: The directory that the prompts come from, where its files are the truth.
        self._directory: str | None = None
        self._observers = Observers()
        self._writer = PromptWriter(registry, lambda: self.version_store, self._observers)
        #: What renders: the core, and where somebody observes, what tells them of it.
        self._renders: Registry | ObservedRenders = self._core
        for observer in observers:
            self.add_observer(observer)
        self._watch: Watch | None = None
        self._plugins: PluginRegistry | None = None
        self._plugins_lock = allocate_lock()

    @classmethod
    async def from_directory(
        cls,
        path: str | os.PathLike[str],
        *,
        schema_dir: str | os.PathLike[str] | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        watch: bool = False,
        template_engine: TemplateEngine | None = None,
    ) -> Self:
        """Load every prompt file below a directory.

        Files end in ``.yaml`` or ``.yml``; what begins with a dot is passed over.

        Args:
            path: The directory of the prompts.
            schema_dir: The directory of the schemas that they name. Where it is given, a prompt that names a schema
                that is not there is an error.
            on_error: ``"raise"``: one bad file fails the load. ``"skip"``: the good ones load, the others are warned
                of.
            watch: Follow the directories, for development: what is saved is live within half a second, until
                :meth:`close`. A save that breaks something is logged (``prompt_manager``, level error) and in
                :attr:`reload_errors`, and the last good prompts stay; with ``on_error="skip"`` those of the broken
                file. A process that is forked has the prompts and does not follow.
            template_engine: What compiles the prompts.

        Raises:
            StorageReadError: files cannot be read or break a rule; ``errors`` has one exception for each place, with
                file, line and column.
        """
        manager = cls(template_engine=template_engine)
        if watch:
            from prompt_manager.storage.yaml_loader import YAMLLoader

            loader = YAMLLoader(manager.registry, on_error=on_error)
            manager._watch = await loader.watch_directory(path, schema_dir=schema_dir)
        else:
            _warn(await manager._core.load_directory(path, schema_dir=schema_dir, on_error=on_error))
        manager._directory = str(path)
        return manager

    @classmethod
    def from_directory_sync(
        cls,
        path: str | os.PathLike[str],
        *,
        schema_dir: str | os.PathLike[str] | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        watch: bool = False,
        template_engine: TemplateEngine | None = None,
    ) -> Self:
        """:meth:`from_directory`, for code that does not await."""
        manager = cls(template_engine=template_engine)
        if watch:
            from prompt_manager.storage.yaml_loader import YAMLLoader

            loader = YAMLLoader(manager.registry, on_error=on_error)
            manager._watch = loader.watch_directory_sync(path, schema_dir=schema_dir)
        else:
            _warn(manager._core.load_directory_sync(path, schema_dir=schema_dir, on_error=on_error))
        manager._directory = str(path)
        return manager

    @property
    def is_watching(self) -> bool:
        """Whether what is saved in the directory becomes live."""
        return self._watch is not None and self._watch.is_running

    @property
    def reload_errors(self) -> tuple[PromptManagerError, ...]:
        """What is wrong in the directory that is followed, one exception for each place; the last good prompts stay."""
        return () if self._watch is None else tuple(self._watch.errors)

    async def close(self) -> None:
        """Follow the directory no more, and shut the plugins down; the manager renders on.

        It may be called again, and where no directory is followed.
        """
        if self._watch is not None:
            await self._watch.close()
        if self._plugins is not None:
            await self._plugins.shutdown_all()

    def close_sync(self) -> None:
        """:meth:`close`, for code that does not await."""
        if self._watch is not None:
            self._watch.close_sync()
        if self._plugins is not None:
            self._plugins.shutdown_all_sync()

    async def __aenter__(self) -> Self:
        """The manager itself, which the end of the block closes."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __enter__(self) -> Self:
        """The manager itself, which the end of the block closes."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close_sync()

    @property
    def template_engine(self) -> TemplateEngine:
        """What compiles the prompts, and what integrations are given."""
        return self._registry.template_engine

    @property
    def registry(self) -> PromptRegistry:
        """The prompts."""
        return self._registry

    @property
    def version_store(self) -> VersionStoreProtocol:
        """The history of versions."""
        if self._version_store is None:
            from prompt_manager.versioning.store import VersionStore

            self._version_store = VersionStore()
        return self._version_store

    def add_observer(self, observer: object) -> None:
        """Tell this part of events too. What it raises is logged once and never breaks a call."""
        from prompt_manager.core._observed import ObservedRenders

        self._observers.add(observer)
        self._registry.add_observer(observer)
        self._renders = ObservedRenders(self._core, self._observers)

    def remove_observer(self, observer: object) -> None:
        """Tell this part no more."""
        self._observers.remove(observer)
        self._registry.remove_observer(observer)
        if not self._observers:
            self._renders = self._core

    async def render(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        version: str | None = None,
        label: str | None = None,
        output_instructions: bool = True,
    ) -> str:
        """Render a prompt to text.

        A chat becomes a transcript for people to read (``role: content``); what a provider is sent comes from
        :meth:`render_messages` or an integration.

        Args:
            prompt_id: The prompt.
            variables: The values of its variables. More than it uses may be given.
            version: The version; the latest by default.
            label: A label that points at the version.
            output_instructions: Append what the answer must look like, where the prompt has an output schema.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: it has no such version or label.
            SchemaError: it names a schema that is not there.
            SchemaValidationError: the variables do not fit its input schema.
            TemplateRenderError: a variable is missing or of another type, or the template cannot be rendered.
        """
        if self._observers:
            given = {} if variables is None else variables
            text: str = await self._observed(
                "render", prompt_id, given, version=version, label=label, output_instructions=output_instructions
            )
            return text
        return self.render_sync(
            prompt_id, variables, version=version, label=label, output_instructions=output_instructions
        )

    def render_sync(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        version: str | None = None,
        label: str | None = None,
        output_instructions: bool = True,
    ) -> str:
        """:meth:`render`, for code that does not await."""
        given = {} if variables is None else variables
        if version is None and label is None and output_instructions:
            # The usual call hands on no keywords, for they cost too.
            return self._renders.render(prompt_id, given)
        return self._renders.render(
            prompt_id, given, version=version, label=label, output_instructions=output_instructions
        )

    async def _observed(
        self,
        method: str,
        prompt_id: str,
        variables: Mapping[str, Any],
        *,
        version: str | None,
        label: str | None,
        **options: Any,
    ) -> Any:
        from prompt_manager.core._observed import ObservedRenders

        compiled = self._core.get(prompt_id, version=version, label=label)
        renders = ObservedRenders(self._core, self._observers)
        return await renders.observe(AWAITING, method, prompt_id, compiled, variables, **options)

    async def render_messages(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        version: str | None = None,
        label: str | None = None,
        output_instructions: bool = True,
    ) -> list[dict[str, Any]]:
        """Render a chat prompt to messages, in the form of prompt files.

        Each message is ``{"role": ..., "content": ...}`` with what else it has. No provider's rules are checked;
        for those there are the integrations. Where the prompt has an output schema, what the answer must look like is
        appended to the last of the leading system messages, or put into one of its own.

        Raises:
            PromptError: the prompt is no chat.
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: it has no such version or label.
            SchemaError: it names a schema that is not there.
            SchemaValidationError: the variables do not fit its input schema.
            TemplateRenderError: a variable is missing or of another type, or a template cannot be rendered.
        """
        if self._observers:
            given = {} if variables is None else variables
            messages: list[dict[str, Any]] = await self._observed(
                "render_messages",
                prompt_id,
                given,
                version=version,
                label=label,
                output_instructions=output_instructions,
            )
            return messages
        return self.render_messages_sync(
            prompt_id, variables, version=version, label=label, output_instructions=output_instructions
        )

    def render_messages_sync(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        version: str | None = None,
        label: str | None = None,
        output_instructions: bool = True,
    ) -> list[dict[str, Any]]:
        """:meth:`render_messages`, for code that does not await."""
        return self._renders.render_messages(
            prompt_id,
            {} if variables is None else variables,
            version=version,
            label=label,
            output_instructions=output_instructions,
        )

    @property
    def plugins(self) -> PluginRegistry:
        """The frameworks that prompts are rendered for by name."""
        if self._plugins is None:
            from prompt_manager.plugins.registry import PluginRegistry

            with self._plugins_lock:
                self._plugins = self._plugins or PluginRegistry()
        return self._plugins

    def register_plugin(
        self, plugin: PluginProtocol, *, config: Mapping[str, Any] | None = None, replace: bool = False
    ) -> None:
        """Add a plugin of your own, or a built-in one with other options; see :meth:`PluginRegistry.register`.

        >>> from prompt_manager.plugins.anthropic_plugin import AnthropicPlugin
        >>> manager = PromptManager()
        >>> manager.register_plugin(AnthropicPlugin(), config={"merge_turns": True})
        >>> [plugin.name for plugin in manager.plugins.list()]
        ['anthropic']

        Raises:
            PluginValidationError: it is no plugin, or another has its name.
        """
        self.plugins.register(plugin, config=config, replace=replace)

    def discover_plugins(self) -> list[str]:
        """Register the plugins of installed packages; gives the names of those that were not there before.

        :meth:`render_for_plugin` does so by itself. See :meth:`PluginRegistry.discover_entry_points`.
        """
        return self.plugins.discover_entry_points()

    async def render_for_plugin(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None,
        plugin_name: str,
        *,
        version: str | None = None,
        label: str | None = None,
    ) -> Any:
        """Render a prompt in the form of a framework, by the name of its plugin.

        Where no plugin of this name is registered, those of installed packages are discovered. A plugin is initialized
        at its first use, with ``template_engine`` and ``schemas`` of this manager and what it was registered with. The
        variables are validated here, and defaults laid over, before it is handed them.

        Args:
            prompt_id: The prompt.
            variables: The values of its variables.
            plugin_name: The plugin, such as ``"openai"``.
            version: The version; the latest by default.
            label: A label that points at the version.

        Raises:
            PluginNotFoundError: there is no plugin of this name.
            PluginLoadError: it cannot be loaded or initialized.
            IntegrationNotAvailableError: a package that it needs is missing; the message has the command that
                installs it.
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: it has no such version or label.
            SchemaValidationError: the variables do not fit its input schema.
            ConversionError: a variable is missing or of another type, or the result breaks a rule of the provider.
            IncompatibleFormatError: the framework has no form for prompts of this format.

        >>> manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
        >>> values = {"company": "Acme", "user_query": "How do I reset my password?"}
        >>> manager.render_for_plugin_sync("customer_support", values, "openai")[1]
        {'role': 'user', 'content': 'How do I reset my password?'}
        """
        from prompt_manager.core._plugged import PluggedRender

        render = PluggedRender(self, plugin_name, prompt_id, variables, version=version, label=label)
        return await render.run(AWAITING)

    def render_for_plugin_sync(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None,
        plugin_name: str,
        *,
        version: str | None = None,
        label: str | None = None,
    ) -> Any:
        """:meth:`render_for_plugin`, for code that does not await."""
        from prompt_manager.core._plugged import PluggedRender

        render = PluggedRender(self, plugin_name, prompt_id, variables, version=version, label=label)
        return run_asking(render.run, "render_for_plugin", *render.asked())

    @property
    def schemas(self) -> SchemaLoader:
        """The schemas that prompts name."""
        from prompt_manager.validation.loader import SchemaLoader

        return SchemaLoader._of(self._core.schemas)

    async def load_schemas(self, path: str | os.PathLike[str]) -> int:
        """Load a schema file, or every schema file below a directory; gives how many schemas were read.

        Raises:
            StorageReadError: it cannot be read.
            SchemaParseError: a file breaks a rule; in a directory also, a schema refers to one that is not there.
            SchemaError: a name stands for another schema already.
        """
        files, warnings = await self._core.schemas.load(path)
        _warn(warnings)
        return sum(len(file["names"]) for file in files)

    def load_schemas_sync(self, path: str | os.PathLike[str]) -> int:
        """:meth:`load_schemas`, for code that does not await."""
        files, warnings = self._core.schemas.load_sync(path)
        _warn(warnings)
        return sum(len(file["names"]) for file in files)

    def register_schema(self, name: str, schema: Schema | Mapping[str, Any] | type[BaseModel]) -> None:
        """Let prompts name a schema; a pydantic model validates by itself, and gives its instance.

        >>> manager = PromptManager()
        >>> manager.register_schema("point", {"name": "point", "fields": [{"name": "x", "type": "float"}]})
        >>> manager.schemas.names()
        ['point']

        Raises:
            SchemaError: another schema has this name.
            SchemaParseError: the schema breaks a rule, or has another name.
            TypeError: it is neither a schema nor a model.
        """
        if isinstance(schema, type):
            self.schemas.register_model(name, schema)
            return
        own = schema.get("name") if hasattr(schema, "get") else schema.name
        if own != name:
            from prompt_manager.exceptions import SchemaParseError

            raise SchemaParseError(f"the schema is named {own!r}, and is to be registered as {name!r}", schema=name)
        self.schemas.register(schema)

    async def validate_output(
        self, prompt_id: str, data: Any, *, version: str | None = None, label: str | None = None
    ) -> Any:
        """An answer as the prompt's output schema has it; without one as it is.

        Of a schema that is a pydantic model, the result is its instance.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: it has no such version or label.
            SchemaError: it names a schema that is not there.
            SchemaValidationError: the data does not fit; ``errors`` has every violation.
        """
        return self._core.get(prompt_id, version=version, label=label).validate_output(data)

    def validate_output_sync(
        self, prompt_id: str, data: Any, *, version: str | None = None, label: str | None = None
    ) -> Any:
        """:meth:`validate_output`, for code that does not await."""
        return self._core.get(prompt_id, version=version, label=label).validate_output(data)

    def parse_output(
        self,
        prompt_id: str,
        text: str,
        *,
        version: str | None = None,
        label: str | None = None,
        strict: bool = False,
    ) -> ParsedOutput:
        """The JSON in a model's answer, validated by the prompt's output schema.

        Models put JSON into code fences and prose, leave commas behind, quote as Python does, and stop in the middle.
        That is mended and told in ``mended``. No value is made up: what was cut off is left out, and where it cannot be
        known what is meant, that is an error.

        Args:
            prompt_id: The prompt.
            text: The answer.
            version: The version; the latest by default.
            label: A label that points at the version.
            strict: Take JSON alone, and mend nothing.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: it has no such version or label.
            SchemaError: it names a schema that is not there.
            SchemaValidationError: the answer cannot be read (the rule ``syntax``), or the data does not fit.
        """
        from prompt_manager.validation.output import read_text

        return read_text(self._core.get(prompt_id, version=version, label=label), text, strict=strict)

    async def render_and_parse(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None,
        model: Model | str | Mapping[str, Any],
        *,
        version: str | None = None,
        label: str | None = None,
        output_instructions: bool = True,
        strict: bool = False,
    ) -> Any:
        """Render a prompt, have a model answer, and give the answer's data, validated.

        Args:
            prompt_id: The prompt.
            variables: The values of its variables.
            model: A function, or a coroutine function, that is handed what is rendered (the messages of a chat, the
                text of any other prompt) and gives the model's answer as text; or an answer that is there already, as
                text or as data.
            version: The version; the latest by default.
            label: A label that points at the version.
            output_instructions: Append what the answer must look like; see :meth:`render`.
            strict: Take JSON alone, and mend nothing; see :meth:`parse_output`.

        Observers are told of the render, as of any other.

        Raises:
            SchemaValidationError: the variables do not fit the input schema, or the answer not the output schema.
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: it has no such version or label.
            TemplateRenderError: a variable is missing or of another type, or a template cannot be rendered.
        """
        from prompt_manager.validation.output import read_answer

        core = self._core.get(prompt_id, version=version, label=label)
        render = "render_messages" if core.format == "chat" else "render"
        given, options = {} if variables is None else variables, {"output_instructions": output_instructions}
        if self._observers:
            from prompt_manager.core._observed import ObservedRenders

            renders = ObservedRenders(self._core, self._observers)
            rendered = await renders.observe(AWAITING, render, prompt_id, core, given, **options)
        else:
            rendered = getattr(core, render)(given, **options)
        answer = model(rendered) if callable(model) else model
        if hasattr(answer, "__await__"):
            answer = await answer
        return read_answer(core, answer, strict=strict)

    def render_and_parse_sync(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None,
        model: Callable[[Any], str] | str | Mapping[str, Any],
        *,
        version: str | None = None,
        label: str | None = None,
        output_instructions: bool = True,
        strict: bool = False,
    ) -> Any:
        """:meth:`render_and_parse`, for code that does not await; ``model`` does not either."""
        from prompt_manager.validation.output import read_answer

        core = self._core.get(prompt_id, version=version, label=label)
        render = "render_messages" if core.format == "chat" else "render"
        given, options = {} if variables is None else variables, {"output_instructions": output_instructions}
        if self._observers:
            from prompt_manager.core._observed import ObservedRenders

            renders = ObservedRenders(self._core, self._observers)
            rendered = renders.blocking(render, prompt_id, core, given, **options)
        else:
            rendered = getattr(core, render)(given, **options)
        answer = model(rendered) if callable(model) else model
        if hasattr(answer, "__await__"):
            if hasattr(answer, "close"):
                answer.close()
            raise TypeError("the model gave something to await: use `await render_and_parse(...)`")
        return read_answer(core, answer, strict=strict)

    async def get_prompt(self, prompt_id: str, version: str | None = None, *, label: str | None = None) -> Prompt:
        """The whole of a prompt, in its latest version, in this one, or in the one that a label points at.

        Raises:
            PromptNotFoundError: there is no prompt with this id, or all its versions are archived.
            VersionNotFoundError: it has no such version or label.
        """
        return self._registry.get_sync(prompt_id, version, label=label)

    def get_prompt_sync(self, prompt_id: str, version: str | None = None, *, label: str | None = None) -> Prompt:
        """:meth:`get_prompt`, for code that does not await."""
        return self._registry.get_sync(prompt_id, version, label=label)

    async def list_prompts(
        self,
        *,
        status: PromptStatus | str | None = None,
        tags: Sequence[str] | None = None,
        category: str | None = None,
        format: PromptFormat | str | None = None,
        label: str | None = None,
        text: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[PromptSummary]:
        """Summaries of the latest versions that fit all that is given, by id; see :meth:`PromptRegistry.list`."""
        return self.list_prompts_sync(
            status=status,
            tags=tags,
            category=category,
            format=format,
            label=label,
            text=text,
            limit=limit,
            offset=offset,
        )

    def list_prompts_sync(
        self,
        *,
        status: PromptStatus | str | None = None,
        tags: Sequence[str] | None = None,
        category: str | None = None,
        format: PromptFormat | str | None = None,
        label: str | None = None,
        text: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[PromptSummary]:
        """:meth:`list_prompts`, for code that does not await."""
        return self._registry.list_sync(
            status=status,
            tags=tags,
            category=category,
            format=format,
            label=label,
            text=text,
            limit=limit,
            offset=offset,
        )

    def _check_writable(self) -> None:
        if self._directory is not None and self._registry.storage is None:
            raise StorageWriteError(
                f"the prompts come from {self._directory}, where the files are the truth: edit those, or give the "
                "manager a registry with a storage",
                path=self._directory,
            )

    async def create_prompt(self, prompt: Prompt, *, changelog: str | None = None, author: str | None = None) -> Prompt:
        """Register a prompt and begin its history; gives it as it is registered.

        A draft is replaced; a version that is there with the same content is left as it is.

        Args:
            prompt: The prompt.
            changelog: What is to be known of this version.
            author: Who made it; the author in the metadata by default.

        Raises:
            VersionConflictError: the id and version exist with other content.
            TemplateSyntaxError: a template cannot be parsed.
            StorageError: the storage refuses it; then it is not registered.
            StorageWriteError: the prompts come from a directory, and there is no storage.
        """
        self._check_writable()
        return await self._writer.create(AWAITING, prompt, (changelog, author))

    def create_prompt_sync(self, prompt: Prompt, *, changelog: str | None = None, author: str | None = None) -> Prompt:
        """:meth:`create_prompt`, for code that does not await."""
        self._check_writable()
        return run_asking(
            lambda ask: self._writer.create(ask, prompt, (changelog, author)), "create_prompt", *self._writer.asked()
        )

    async def update_prompt(
        self,
        prompt: Prompt,
        *,
        bump: Bump = "auto",
        changelog: str | None = None,
        author: str | None = None,
        status: PromptStatus | str | None = None,
        **changes: Any,
    ) -> Prompt:
        """Register a changed prompt as a new version; gives it, and leaves its argument alone.

        Where the model is sent the same, ``bump="auto"`` raises nothing: status and metadata change in place. The new
        version carries no labels unless ``labels=`` gives it some; move those with :meth:`set_label`.

        Args:
            prompt: The prompt, changed or not, in the version that it was made from.
            bump: How far the version is raised; ``"auto"``: as far as :meth:`compare_versions` proposes. Before 1.0.0
                that never raises the major number, and a pre-release is followed by the next one; raised by name, it
                becomes its release.
            changelog: What changed.
            author: Who changed it; the author in the metadata by default.
            status: The status of the new version; the prompt's by default.
            changes: Further fields to change, as :meth:`Prompt.replace` takes them.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: it has not the version that the prompt says it was made from.
            VersionConflictError: the version that it would be raised to is there with other content.
            pydantic.ValidationError: the changed prompt breaks a rule.
            TemplateSyntaxError: a template cannot be parsed.
            StorageError: the storage refuses it; then it is not registered.

        >>> manager = PromptManager()
        >>> from prompt_manager import Prompt
        >>> first = manager.create_prompt_sync(Prompt(id="hi", format="text", template="Hi {{name}}", status="active"))
        >>> manager.update_prompt_sync(first, template="Hi {{name}}!", changelog="Friendlier").version
        '1.0.1'
        """
        self._check_writable()
        return await self._writer.update(AWAITING, prompt, bump, (changelog, author), _fields(status, changes))

    def update_prompt_sync(
        self,
        prompt: Prompt,
        *,
        bump: Bump = "auto",
        changelog: str | None = None,
        author: str | None = None,
        status: PromptStatus | str | None = None,
        **changes: Any,
    ) -> Prompt:
        """:meth:`update_prompt`, for code that does not await."""
        self._check_writable()
        changes = _fields(status, changes)
        return run_asking(
            lambda ask: self._writer.update(ask, prompt, bump, (changelog, author), changes),
            "update_prompt",
            *self._writer.asked(),
        )

    async def delete_prompt(self, prompt_id: str, version: str | None = None) -> None:
        """Remove a version of a prompt, or all, with its history. Labels that point at it come off.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: it has no such version.
            StorageError: the storage refuses; then it stays registered.
        """
        self._check_writable()
        await self._writer.delete(AWAITING, prompt_id, version)

    def delete_prompt_sync(self, prompt_id: str, version: str | None = None) -> None:
        """:meth:`delete_prompt`, for code that does not await."""
        self._check_writable()
        run_asking(
            lambda ask: self._writer.delete(ask, prompt_id, version),
            "delete_prompt",
            (self._registry.storage, "delete"),
            *self._registry._asked_for_labels(),
            *self._writer.asked(),
        )

    async def get_history(
        self,
        prompt_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> list[PromptVersion]:
        """The versions of a prompt with what is known of each, the highest first.

        A version that came without a record, from a file or a storage, has its own time and author.

        Args:
            prompt_id: The prompt.
            since: Made at this time or after it; a naive time is read as UTC.
            until: Made at this time or before it.
            limit: At most so many.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
        """
        return await self._writer.history(AWAITING, prompt_id, since, until, limit)

    def get_history_sync(
        self,
        prompt_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> list[PromptVersion]:
        """:meth:`get_history`, for code that does not await."""
        return run_asking(
            lambda ask: self._writer.history(ask, prompt_id, since, until, limit),
            "get_history",
            (self.version_store, "list_versions"),
        )

    async def compare_versions(self, prompt_id: str, version1: str, version2: str) -> PromptDiff:
        """What differs between two versions of a prompt, and how far that raises the version; as text with ``str()``.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: it has no such version.
        """
        return self.compare_versions_sync(prompt_id, version1, version2)

    def compare_versions_sync(self, prompt_id: str, version1: str, version2: str) -> PromptDiff:
        """:meth:`compare_versions`, for code that does not await."""
        from prompt_manager.versioning.compare import of_compiled

        old, new = self._core.get(prompt_id, version=version1), self._core.get(prompt_id, version=version2)
        return of_compiled(old, new)

    async def set_label(
        self, prompt_id: str, label: str, version: str | None, *, author: str | None = None
    ) -> LabelMove:
        """Point a label at a version; without a version, take it off. See :meth:`PromptRegistry.set_label`.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            PromptValidationError: no label can have this name.
            VersionNotFoundError: there is no such version, or no such label to take off.
        """
        self._check_writable()
        return await self._registry.set_label(prompt_id, label, version, author=author)

    def set_label_sync(
        self, prompt_id: str, label: str, version: str | None, *, author: str | None = None
    ) -> LabelMove:
        """:meth:`set_label`, for code that does not await."""
        self._check_writable()
        return self._registry.set_label_sync(prompt_id, label, version, author=author)

    async def rollback(self, prompt_id: str, label: str, *, author: str | None = None) -> LabelMove:
        """Point a label at the version that it pointed at before; see :meth:`PromptRegistry.rollback`.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: the label was never moved, or nothing is before.
        """
        self._check_writable()
        return await self._registry.rollback(prompt_id, label, author=author)

    def rollback_sync(self, prompt_id: str, label: str, *, author: str | None = None) -> LabelMove:
        """:meth:`rollback`, for code that does not await."""
        self._check_writable()
        return self._registry.rollback_sync(prompt_id, label, author=author)

    async def get_label_history(self, prompt_id: str, label: str | None = None) -> list[LabelMove]:
        """Every move of a prompt's labels, or of one, oldest first.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
        """
        return await self._registry.get_label_history(prompt_id, label)

    def get_label_history_sync(self, prompt_id: str, label: str | None = None) -> list[LabelMove]:
        """:meth:`get_label_history`, for code that does not await."""
        return self._registry.get_label_history_sync(prompt_id, label)


def _fields(status: PromptStatus | str | None, changes: dict[str, Any]) -> dict[str, Any]:
    """The fields to change; the version is not among them, for it is raised."""
    for name in ("id", "version"):
        if name in changes:
            raise ValueError(f"{name} cannot be changed by an update: say how far the version is raised with `bump`")
    return changes if status is None else {**changes, "status": status}
