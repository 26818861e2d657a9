"""`PromptManager`: an application's prompts, rendered and looked up by id."""

from __future__ import annotations

from _thread import allocate_lock
from types import FunctionType

from prompt_manager._keywords import check_keywords
from prompt_manager._native import CountedRegistry
from prompt_manager._native import PromptManager as ManagerRenders
from prompt_manager.core._batch_calls import BatchCalls
from prompt_manager.core._directory_labels import DirectoryLabels
from prompt_manager.core._executions import tell_of_failure, tell_of_render
from prompt_manager.core._load_warning import warn_of
from prompt_manager.core._observers import Observers, each_observer
from prompt_manager.core._prompt_writer import PromptWriter
from prompt_manager.core._provider_calls import ProviderCalls
from prompt_manager.core._since import check_since
from prompt_manager.core._sync import AWAITING, run, run_asking
from prompt_manager.core.registry import PromptRegistry
from prompt_manager.core.template import native_engine
from prompt_manager.exceptions import PromptNotFoundError, StorageWriteError, VersionNotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType
    from typing import Any, Literal, Self, TypeVar, Unpack, overload

    from pydantic import BaseModel

    from prompt_manager._native import CompiledPrompt, Finding, Registry, Watch
    from prompt_manager.core._changes import PromptChanges
    from prompt_manager.core._observed import ObservedRenders
    from prompt_manager.core._package import PackageDirectory
    from prompt_manager.core._plugin_render import PluginRenders
    from prompt_manager.core._prompt_writer import Bump
    from prompt_manager.core._render_cache import RenderCache
    from prompt_manager.core._requests import ProviderRequests
    from prompt_manager.core.events import RenderEvent
    from prompt_manager.core.filters import PromptFilters
    from prompt_manager.core.models import (
        LabelMove,
        Prompt,
        PromptDiff,
        PromptStatus,
        PromptSummary,
        PromptVersion,
    )
    from prompt_manager.core.protocols import (
        CacheProtocol,
        MetricsCollectorProtocol,
        PluginProtocol,
        StorageBackendProtocol,
        VersionStoreProtocol,
    )
    from prompt_manager.core.template import TemplateEngine
    from prompt_manager.exceptions import PromptManagerError
    from prompt_manager.plugins.registry import PluginRegistry
    from prompt_manager.validation.loader import SchemaLoader
    from prompt_manager.validation.models import Schema
    from prompt_manager.validation.output import ParsedOutput

    T = TypeVar("T")
    #: Calls a model with the rendered prompt, and returns its answer. It may be a coroutine function.
    Model = Callable[[Any], str | Awaitable[str]]

__all__ = ["PromptManager"]


class PromptManager(ManagerRenders, ProviderCalls, BatchCalls):
    """Renders an application's prompts by id, and manages their versions, labels and schemas.

    Args:
        registry: Holds the prompts. An empty registry in memory by default; a registry with a storage also saves them.
        version_store: Keeps the history of versions. In memory by default.
        observers: Objects whose methods are called for renders, new versions and changes of the registry; see
            :class:`~prompt_manager.core.protocols.ObserverProtocol`.
        metrics: Counts the renders for :meth:`get_metrics`: a :class:`~prompt_manager.observability.MetricsCollector`,
            or your own class, which follows :class:`~prompt_manager.core.protocols.MetricsCollectorProtocol`.
        template_engine: Compiles the prompts of the default registry.
        unknown_variables: What a render does about variables that the prompt does not declare, if it declares any.
            ``"warn"`` gives a :class:`~prompt_manager.PromptWarning`, once for each prompt and name, if the name is
            close to a declared variable that was not given, and no other prompt has a variable of that name.
            ``"error"`` raises an error for each undeclared name; use it in tests and CI. ``"ignore"`` does nothing. The
            choice holds for the registry: another manager over the same registry shares it.
        refresh: Take over what other processes write to the storage of ``registry``, looking at most once in this many
            seconds; see :meth:`from_storage`.
        cache: Keeps the texts of :meth:`render`, for example a :class:`~prompt_manager.core.cache.MemoryCache`. The key
            covers the prompt's content, its partials and the values that the render may read. Not cached are prompts
            whose templates call a helper that you registered or ``log``, and renders with values that may change
            between two reads, such as sets, iterators and arrays.

    Each coroutine has a synchronous version with the suffix ``_sync``, the same arguments and the same result.

    Raises:
        ValueError: ``registry`` and ``template_engine`` are both given, and the registry has another engine; or
            ``unknown_variables`` is another word; or ``refresh`` is negative, or the registry has no storage.
        TypeError: ``cache`` lacks a method of :class:`~prompt_manager.core.protocols.CacheProtocol`.

    >>> manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
    >>> manager.render_sync("greeting", {"name": "Ada", "role": "engineer"})
    'Hello Ada! Your role is engineer.'
    """

    def __init__(
        self,
        registry: PromptRegistry | None = None,
        version_store: VersionStoreProtocol | None = None,
        *,
        observers: Iterable[object] = (),
        metrics: MetricsCollectorProtocol | None = None,
        template_engine: TemplateEngine | None = None,
        unknown_variables: Literal["warn", "error", "ignore"] = "warn",
        refresh: float | None = None,
        cache: CacheProtocol | None = None,
    ) -> None:
        if registry is None:
            registry = PromptRegistry(template_engine=template_engine)
        elif template_engine is not None and template_engine is not registry.template_engine:
            raise ValueError(
                "the registry already has a template engine: pass `registry` or `template_engine`, not both"
            )
        if refresh is not None:
            registry._begin_refresh(refresh)
        self._registry = registry
        self._core = registry._core
        #: Takes over changes of the registry's storage.
        self._refresh = registry._refresh
        if unknown_variables != "warn":
            self._core.set_unknown_variables(unknown_variables)
        self._version_store = version_store
        #: The directory that the prompts were loaded from. Its files are edited, not the manager.
        self._directory: str | None = None
        self._schema_directory: str | None = None
        #: The folder of a package that the prompts were loaded from.
        self._package: PackageDirectory | None = None
        #: The arguments of :meth:`from_directory` or :meth:`from_package`, for a copy in another process.
        self._loaded: dict[str, Any] | None = None
        self._unknown_variables = unknown_variables
        self._observers = Observers()
        engine = registry.template_engine
        #: The template engine if its `render` is not the package's: a subclass or a mock renders the texts itself.
        self._own_engine = engine if native_engine(engine) is None else None
        self._cache: RenderCache | None = None
        self._writer = PromptWriter(registry, lambda: self.version_store, self._observers)
        #: Renders prompts: the core itself, or with observers the wrapper that calls them.
        self._renders: Registry | CountedRegistry | ObservedRenders = self._core
        self._choose_renders()
        if cache is not None:
            self._use_cache(cache)
        for observer in each_observer(observers):
            self.add_observer(observer)
        if metrics is not None:
            self._add_metrics(metrics)
        self._watch: Watch | None = None
        self._plugins: PluginRegistry | None = None
        self._plugins_lock = allocate_lock()
        self._rendering_plugins: PluginRenders | None = None
        self._requests: ProviderRequests | None = None

    @classmethod
    async def from_directory(
        cls,
        path: str | os.PathLike[str],
        *,
        schema_dir: str | os.PathLike[str] | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        watch: bool = False,
        refresh: float | None = None,
        template_engine: TemplateEngine | None = None,
        unknown_variables: Literal["warn", "error", "ignore"] = "warn",
        cache: CacheProtocol | None = None,
    ) -> Self:
        """Load every prompt file below a directory.

        Prompt files end in ``.yaml`` or ``.yml``. A prompt without an ``id`` has the path of its file as its id. Every
        prompt can include the partials in ``partials/**/*.hbs``. Files and folders whose name begins with a dot, and
        ``*.test.yaml``, are skipped. ``labels.yaml`` tells where labels point, and :meth:`set_label` and
        :meth:`rollback` write it; everything else is read-only. If the load finds something that is probably a mistake,
        such as a variable that is used and not declared, it gives one :class:`~prompt_manager.PromptWarning` that lists
        every such place when everything is loaded.

        Args:
            path: The directory of the prompts.
            schema_dir: The directory of the schemas that the prompts name; the folder ``schemas`` below ``path`` by
                default. If there is one, a prompt that names a missing schema is an error.
            on_error: With ``"raise"``, one bad file fails the load. With ``"skip"``, the good files load and each bad
                one gives a warning.
            watch: Reload files as they are saved, for development. A saved file is live within half a second, until
                :meth:`close`. If a saved file is broken, the error is logged (logger ``prompt_manager``, level error)
                and listed in :attr:`reload_errors`, and the last good prompts stay in use; with ``on_error="skip"``
                only those of the broken file. A forked process keeps the prompts but does not watch.
            refresh: For production: a call that asks for a label or the latest version looks at ``labels.yaml``, at
                most once in this many seconds, and reads what changed if somebody moved a label. By default, moves of
                other processes and edits by hand are seen at the next load. It has no effect with ``watch``.
            template_engine: Compiles the prompts. Register the helpers and partials that they use before the load.
                Names that you can register only later go into its ``known_helpers`` and ``known_partials``.
            unknown_variables: What a render does about variables that the prompt does not declare; see the class.
            cache: Keeps rendered texts; see the class.

        Raises:
            StorageReadError: files cannot be read or break a rule. Its ``errors`` has one exception for each mistake,
                with file, line and column.
        """
        manager = cls(template_engine=template_engine, cache=cache)
        manager._core.set_unknown_variables(unknown_variables)
        registry = manager._registry
        if watch:
            from prompt_manager.storage.yaml_loader import YAMLLoader

            loader = YAMLLoader(registry, on_error=on_error)
            manager._watch = await loader.watch_directory(path, schema_dir=schema_dir)
        elif refresh is not None:
            from prompt_manager.core._refresh import SourceRefresh

            registry._refresh = manager._refresh = SourceRefresh(manager._core, registry._observers, str(path))
            report = registry._refresh.report_weakly
            findings = await manager._core.refresh_from_directory(
                path, schema_dir=schema_dir, on_error=on_error, seconds=refresh, report=report
            )
            warn_of(findings)
        else:
            findings = await manager._core.load_directory(path, schema_dir=schema_dir, on_error=on_error)
            warn_of(findings)
        registry._directory_labels = DirectoryLabels(manager._core, path)
        manager._directory = str(path)
        manager._schema_directory = None if schema_dir is None else str(schema_dir)
        manager._loaded = _arguments(path, schema_dir, on_error, refresh)
        manager._unknown_variables = unknown_variables
        return manager

    @classmethod
    def from_directory_sync(
        cls,
        path: str | os.PathLike[str],
        *,
        schema_dir: str | os.PathLike[str] | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        watch: bool = False,
        refresh: float | None = None,
        template_engine: TemplateEngine | None = None,
        unknown_variables: Literal["warn", "error", "ignore"] = "warn",
        cache: CacheProtocol | None = None,
    ) -> Self:
        """Load every prompt file below a directory.

        Prompt files end in ``.yaml`` or ``.yml``. A prompt without an ``id`` has the path of its file as its id. Every
        prompt can include the partials in ``partials/**/*.hbs``. Files and folders whose name begins with a dot, and
        ``*.test.yaml``, are skipped. ``labels.yaml`` tells where labels point, and :meth:`set_label` and
        :meth:`rollback` write it; everything else is read-only. If the load finds something that is probably a mistake,
        such as a variable that is used and not declared, it gives one :class:`~prompt_manager.PromptWarning` that lists
        every such place when everything is loaded.

        Args:
            path: The directory of the prompts.
            schema_dir: The directory of the schemas that the prompts name; the folder ``schemas`` below ``path`` by
                default. If there is one, a prompt that names a missing schema is an error.
            on_error: With ``"raise"``, one bad file fails the load. With ``"skip"``, the good files load and each bad
                one gives a warning.
            watch: Reload files as they are saved, for development. A saved file is live within half a second, until
                :meth:`close`. If a saved file is broken, the error is logged (logger ``prompt_manager``, level error)
                and listed in :attr:`reload_errors`, and the last good prompts stay in use; with ``on_error="skip"``
                only those of the broken file. A forked process keeps the prompts but does not watch.
            refresh: For production: a call that asks for a label or the latest version looks at ``labels.yaml``, at
                most once in this many seconds, and reads what changed if somebody moved a label. By default, moves of
                other processes and edits by hand are seen at the next load. It has no effect with ``watch``.
            template_engine: Compiles the prompts. Register the helpers and partials that they use before the load.
                Names that you can register only later go into its ``known_helpers`` and ``known_partials``.
            unknown_variables: What a render does about variables that the prompt does not declare; see the class.
            cache: Keeps rendered texts; see the class.

        Raises:
            StorageReadError: files cannot be read or break a rule. Its ``errors`` has one exception for each mistake,
                with file, line and column.
        """
        manager = cls(template_engine=template_engine, cache=cache)
        manager._core.set_unknown_variables(unknown_variables)
        registry = manager._registry
        if watch:
            from prompt_manager.storage.yaml_loader import YAMLLoader

            loader = YAMLLoader(registry, on_error=on_error)
            manager._watch = loader.watch_directory_sync(path, schema_dir=schema_dir)
        elif refresh is not None:
            from prompt_manager.core._refresh import SourceRefresh

            registry._refresh = manager._refresh = SourceRefresh(manager._core, registry._observers, str(path))
            report = registry._refresh.report_weakly
            findings = manager._core.refresh_from_directory_sync(
                path, schema_dir=schema_dir, on_error=on_error, seconds=refresh, report=report
            )
            warn_of(findings)
        else:
            findings = manager._core.load_directory_sync(path, schema_dir=schema_dir, on_error=on_error)
            warn_of(findings)
        registry._directory_labels = DirectoryLabels(manager._core, path)
        manager._directory = str(path)
        manager._schema_directory = None if schema_dir is None else str(schema_dir)
        manager._loaded = _arguments(path, schema_dir, on_error, refresh)
        manager._unknown_variables = unknown_variables
        return manager

    @classmethod
    async def from_package(
        cls,
        package: str,
        path: str = "prompts",
        *,
        schema_dir: str | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        template_engine: TemplateEngine | None = None,
        unknown_variables: Literal["warn", "error", "ignore"] = "warn",
        cache: CacheProtocol | None = None,
    ) -> Self:
        """Load the prompts that are shipped in a Python package, from a folder, a wheel or a zip file.

        The folder has the same layout as for :meth:`from_directory`. A package does not change while a program runs, so
        it is not read again, and its labels cannot be moved. A pickled manager loads the package of that name in the
        other process.

        Args:
            package: The name of the package, such as ``"my_package"``.
            path: The folder of the prompts in the package, with slashes.
            schema_dir: The folder of the schemas in the package; the folder ``schemas`` below ``path`` by default.
            on_error: As for :meth:`from_directory`.
            template_engine: As for :meth:`from_directory`.
            unknown_variables: What a render does about variables that the prompt does not declare; see the class.
            cache: Keeps rendered texts; see the class.

        Raises:
            StorageReadError: there is no such package, it has no such folder, or files of it break a rule.
            ValueError: a path does not stay in the package.
        """
        from prompt_manager.core._package import PackageDirectory

        manager = cls(template_engine=template_engine, unknown_variables=unknown_variables, cache=cache)
        source = PackageDirectory(package, path, schema_dir)
        with source.opened() as (directory, schemas):
            findings = await manager._core.load_directory(directory, schema_dir=schemas, on_error=on_error)
        warn_of(source.named(findings))
        manager._take_package(
            source, {"package": package, "path": path, "schema_dir": schema_dir, "on_error": on_error}
        )
        return manager

    @classmethod
    def from_package_sync(
        cls,
        package: str,
        path: str = "prompts",
        *,
        schema_dir: str | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        template_engine: TemplateEngine | None = None,
        unknown_variables: Literal["warn", "error", "ignore"] = "warn",
        cache: CacheProtocol | None = None,
    ) -> Self:
        """Load the prompts that are shipped in a Python package, from a folder, a wheel or a zip file.

        The folder has the same layout as for :meth:`from_directory`. A package does not change while a program runs, so
        it is not read again, and its labels cannot be moved. A pickled manager loads the package of that name in the
        other process.

        Args:
            package: The name of the package, such as ``"my_package"``.
            path: The folder of the prompts in the package, with slashes.
            schema_dir: The folder of the schemas in the package; the folder ``schemas`` below ``path`` by default.
            on_error: As for :meth:`from_directory`.
            template_engine: As for :meth:`from_directory`.
            unknown_variables: What a render does about variables that the prompt does not declare; see the class.
            cache: Keeps rendered texts; see the class.

        Raises:
            StorageReadError: there is no such package, it has no such folder, or files of it break a rule.
            ValueError: a path does not stay in the package.
        """
        from prompt_manager.core._package import PackageDirectory

        manager = cls(template_engine=template_engine, unknown_variables=unknown_variables, cache=cache)
        source = PackageDirectory(package, path, schema_dir)
        with source.opened() as (directory, schemas):
            findings = manager._core.load_directory_sync(directory, schema_dir=schemas, on_error=on_error)
        warn_of(source.named(findings))
        manager._take_package(
            source, {"package": package, "path": path, "schema_dir": schema_dir, "on_error": on_error}
        )
        return manager

    def _take_package(self, source: PackageDirectory, loaded: dict[str, Any]) -> None:
        from prompt_manager.core._package import PackageLabels

        self._registry._directory_labels = PackageLabels(self._core, loaded["package"])
        self._directory = source.name
        self._package = source
        self._loaded = loaded

    @classmethod
    async def from_storage(
        cls,
        storage: StorageBackendProtocol,
        *,
        refresh: float | None = 1.0,
        version_store: VersionStoreProtocol | None = None,
        observers: Iterable[object] = (),
        metrics: MetricsCollectorProtocol | None = None,
        template_engine: TemplateEngine | None = None,
        unknown_variables: Literal["warn", "error", "ignore"] = "warn",
        cache: CacheProtocol | None = None,
    ) -> Self:
        """Load every prompt of a storage, and take over what other processes write to it.

        A render, or another call that asks for a label or the latest version, looks for changes if the last look was
        more than ``refresh`` seconds ago. So a label that another process moves is in use at the first render after
        that time. One call looks, and others use what is there meanwhile. If the storage cannot be read, the last good
        prompts stay in use, and the error is logged (logger ``prompt_manager``) and listed in :attr:`reload_errors`.

        Args:
            storage: The storage, such as a :class:`~prompt_manager.storage.FileSystemStorage`. One of your own may have
                ``generation()``; see :class:`~prompt_manager.core.protocols.StorageBackendProtocol`.
            refresh: The number of seconds between two looks; ``None`` never looks again.
            version_store: Keeps the history of versions. In memory by default.
            observers: As for the class.
            metrics: As for the class.
            template_engine: Compiles the prompts. Register the helpers that they use before the load.
            unknown_variables: As for the class.
            cache: As for the class.

        Raises:
            StorageError: the storage cannot be read.
            TemplateSyntaxError: a template of a storage of your own cannot be parsed.
            ValueError: ``refresh`` is negative.

        >>> from prompt_manager import Prompt
        >>> from prompt_manager.storage import InMemoryStorage
        >>> storage = InMemoryStorage()
        >>> storage.save_sync(Prompt(id="hi", template="Hi {{name}}!", status="active"))
        >>> manager = PromptManager.from_storage_sync(storage, refresh=0)
        >>> _ = storage.set_label_sync("hi", "production", "1.0.0")
        >>> manager.render_sync("hi", {"name": "Ada"}, label="production")
        'Hi Ada!'
        """
        registry = PromptRegistry(storage, template_engine=template_engine, refresh=refresh)
        await registry.load_from_storage()
        return cls(
            registry,
            version_store,
            observers=observers,
            metrics=metrics,
            unknown_variables=unknown_variables,
            cache=cache,
        )

    @classmethod
    def from_storage_sync(
        cls,
        storage: StorageBackendProtocol,
        *,
        refresh: float | None = 1.0,
        version_store: VersionStoreProtocol | None = None,
        observers: Iterable[object] = (),
        metrics: MetricsCollectorProtocol | None = None,
        template_engine: TemplateEngine | None = None,
        unknown_variables: Literal["warn", "error", "ignore"] = "warn",
        cache: CacheProtocol | None = None,
    ) -> Self:
        """Load every prompt of a storage, and take over what other processes write to it.

        A render, or another call that asks for a label or the latest version, looks for changes if the last look was
        more than ``refresh`` seconds ago. So a label that another process moves is in use at the first render after
        that time. One call looks, and others use what is there meanwhile. If the storage cannot be read, the last good
        prompts stay in use, and the error is logged (logger ``prompt_manager``) and listed in :attr:`reload_errors`.

        Args:
            storage: The storage, such as a :class:`~prompt_manager.storage.FileSystemStorage`. One of your own may have
                ``generation()``; see :class:`~prompt_manager.core.protocols.StorageBackendProtocol`.
            refresh: The number of seconds between two looks; ``None`` never looks again.
            version_store: Keeps the history of versions. In memory by default.
            observers: As for the class.
            metrics: As for the class.
            template_engine: Compiles the prompts. Register the helpers that they use before the load.
            unknown_variables: As for the class.
            cache: As for the class.

        Raises:
            StorageError: the storage cannot be read.
            TemplateSyntaxError: a template of a storage of your own cannot be parsed.
            ValueError: ``refresh`` is negative.

        >>> from prompt_manager import Prompt
        >>> from prompt_manager.storage import InMemoryStorage
        >>> storage = InMemoryStorage()
        >>> storage.save_sync(Prompt(id="hi", template="Hi {{name}}!", status="active"))
        >>> manager = PromptManager.from_storage_sync(storage, refresh=0)
        >>> _ = storage.set_label_sync("hi", "production", "1.0.0")
        >>> manager.render_sync("hi", {"name": "Ada"}, label="production")
        'Hi Ada!'
        """
        registry = PromptRegistry(storage, template_engine=template_engine, refresh=refresh)
        registry.load_from_storage_sync()
        return cls(
            registry,
            version_store,
            observers=observers,
            metrics=metrics,
            unknown_variables=unknown_variables,
            cache=cache,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """What pickle and deepcopy take: the directory or storage that the prompts came from, or the prompts.

        The copy loads a directory or a storage again, as it is then, and does not watch it. Observers, metrics, a cache
        and plugins stay behind, because they belong to a process.

        Raises:
            PromptPicklingError: something cannot be pickled, such as a lambda helper; with its name.
        """
        from prompt_manager.core._pickling import check_picklable, content_of

        store = self._version_store
        if store is not None:
            check_picklable(f"the version store {type(store).__name__}", store, "give its class a __reduce__")
        if self._loaded is None:
            return _restore, (type(self), self._registry, store, self._unknown_variables)
        engine = self._registry.template_engine
        options = {**self._loaded, "template_engine": engine, "unknown_variables": self._unknown_variables}
        return _load_again, (type(self), options, store, content_of(self._core))

    def check(self, *, providers: Sequence[str] = (), also: Sequence[str] = ()) -> list[Finding]:
        """Find what is wrong, or probably wrong, with the prompts.

        The rules are those of ``prompt-manager check``, except for the one that compares with a commit of git. The
        files of a directory are read again, so the findings are those of the files as they are now. Prompts that come
        from elsewhere are checked as they are registered. Nothing is loaded or changed.

        Args:
            providers: Providers that would have to accept the prompts: ``"openai"``, ``"openai-responses"``,
                ``"anthropic"``, ``"litellm"``, ``"gemini"``, ``"bedrock"``.
            also: Codes or names of rules that are off by default, such as ``"repeated-text"``.

        Returns:
            The findings, sorted by file and line. Each has ``code`` (``"PM009"``), ``rule`` (the name of the code),
            ``severity`` (``"warning"`` or ``"error"``), ``message``, ``file``, ``line``, ``column``, ``source_line``,
            ``prompt_id`` and ``hint``; ``str()`` shows all of it. For a prompt that comes from no file, ``file`` is
            ``None``, and line and column are those in its template.

        Raises:
            StorageReadError: the directory cannot be read.
            ValueError: there is no such provider or rule.

        >>> from prompt_manager import Prompt
        >>> manager = PromptManager()
        >>> prompt = Prompt(id="hi", format="text", template={"content": "Hi {{nmae}}", "variables": ["name"]})
        >>> _ = manager.create_prompt_sync(prompt)
        >>> for finding in manager.check():
        ...     print(finding.rule, finding.line, finding.column, finding.hint)
        misspelt-variable 1 6 did you mean `name`?
        """
        if self._package is not None:
            with self._package.opened() as (directory, schemas):
                findings = self._core.check(directory, schema_dir=schemas, providers=providers, also=also)
            return self._package.named(findings)
        return self._core.check(self._directory, schema_dir=self._schema_directory, providers=providers, also=also)

    @property
    def is_watching(self) -> bool:
        """Whether the manager reloads files as they are saved."""
        return self._watch is not None and self._watch.is_running

    @property
    def reload_errors(self) -> tuple[PromptManagerError, ...]:
        """The mistakes that the last reload found, one exception each. The last good prompts stay in use meanwhile."""
        if self._watch is not None:
            return tuple(self._watch.errors)
        return self._registry._reload_errors

    async def close(self) -> None:
        """Stop watching the directory and shut the plugins down. Rendering still works.

        It may be called more than once, and also if no directory is watched.
        """
        if self._watch is not None:
            await self._watch.close()
        if self._plugins is not None:
            await self._plugins.shutdown_all()

    def close_sync(self) -> None:
        """Stop watching the directory and shut the plugins down. Rendering still works.

        It may be called more than once, and also if no directory is watched.
        """
        if self._watch is not None:
            self._watch.close_sync()
        if self._plugins is not None:
            self._plugins.shutdown_all_sync()

    async def __aenter__(self) -> Self:
        """The manager itself. The end of the block closes it."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __enter__(self) -> Self:
        """The manager itself. The end of the block closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close_sync()

    @property
    def template_engine(self) -> TemplateEngine:
        """The engine that compiles the prompts. Pass it to integrations."""
        return self._registry.template_engine

    @property
    def registry(self) -> PromptRegistry:
        """The registry that holds the prompts."""
        return self._registry

    @property
    def version_store(self) -> VersionStoreProtocol:
        """The store that keeps the history of versions."""
        if self._version_store is None:
            from prompt_manager.versioning.store import VersionStore

            self._version_store = VersionStore()
        return self._version_store

    def add_observer(self, observer: object) -> None:
        """Call this object's methods at the events that they are named after.

        Methods are looked up now, so an event without a method costs nothing. If the object gets a method later, remove
        it and add it again. An exception that it raises is logged once and never fails a call.
        """
        self._observers.add(observer)
        self._registry.add_observer(observer)
        self._registry._link(self._observers)
        self._choose_renders()

    def remove_observer(self, observer: object) -> None:
        """Stop calling this observer."""
        self._observers.remove(observer)
        self._registry.remove_observer(observer)
        self._registry._link(self._observers)
        self._choose_renders()

    def _add_metrics(self, metrics: MetricsCollectorProtocol) -> None:
        from prompt_manager.observability.metrics import ProtocolMetrics
        from prompt_manager.observability.observer import Observer

        self.add_observer(metrics if isinstance(metrics, Observer) else ProtocolMetrics(metrics))

    def _choose_renders(self) -> None:
        is_native = self._own_engine is None and self._cache is None
        counters = self._observers.counters if is_native else []
        #: Whether renders are counted in the core, and nothing else observes them.
        self._is_counted = bool(counters)
        if counters:
            self._renders = CountedRegistry(self._core, counters)
            self._render_by(counted=self._renders)
        elif self._is_observed:
            self._renders = self._observed_renders()
            heard = is_native and self._observers.hear_ends_only
            self._render_by(self._core if heard else None, heard=heard)
        else:
            self._renders = self._core
            self._render_by(self._core)

    def _tell_of_render(self, event: RenderEvent, variables: Any, text: str, ms: float) -> None:
        """Tell the observers that a text was rendered. The core calls this if no observer hears of starts."""
        tell_of_render(self._observers, event, variables, text, ms)

    def _tell_of_failure(self, event: RenderEvent, error: BaseException) -> None:
        """Tell the observers that a render failed, in the same case."""
        tell_of_failure(self._observers, event, error)

    @property
    def _is_observed(self) -> bool:
        """Whether a render is more than a call of the core."""
        return self._observers.hear_renders or self._own_engine is not None or self._cache is not None

    def _observed_renders(self) -> ObservedRenders:
        from prompt_manager.core._observed import ObservedRenders

        return ObservedRenders(self._core, self._observers, self._own_engine, self._cache)

    def _use_cache(self, cache: CacheProtocol) -> None:
        from prompt_manager.core._render_cache import RenderCache

        self._cache = RenderCache(cache)
        self._registry.add_observer(self._cache)
        self._choose_renders()

    async def get_metrics(self, *, since: datetime | None = None) -> dict[str, Any]:
        """Return figures about the manager.

        Args:
            since: Only renders since this time. A naive time is read as UTC.

        Returns:
            ``registry`` has what :meth:`PromptRegistry.get_stats` returns. ``operations`` has what the collector
            returns; see :meth:`~prompt_manager.observability.MetricsCollector.get_metrics`. It is empty without one.

        >>> from prompt_manager.observability import MetricsCollector
        >>> manager = PromptManager(metrics=MetricsCollector())
        >>> manager.get_metrics_sync()["operations"]["summary"]["total_renders"]
        0
        """
        check_since(since)
        metrics = self._observers.metrics
        operations = {} if metrics is None else metrics.get_metrics(since=since)
        if hasattr(operations, "__await__"):
            operations = await operations
        return {"registry": self._registry.get_stats(), "operations": operations}

    def get_metrics_sync(self, *, since: datetime | None = None) -> dict[str, Any]:
        """Return figures about the manager.

        Args:
            since: Only renders since this time. A naive time is read as UTC.

        Returns:
            ``registry`` has what :meth:`PromptRegistry.get_stats` returns. ``operations`` has what the collector
            returns; see :meth:`~prompt_manager.observability.MetricsCollector.get_metrics`. It is empty without one.

        >>> from prompt_manager.observability import MetricsCollector
        >>> manager = PromptManager(metrics=MetricsCollector())
        >>> manager.get_metrics_sync()["operations"]["summary"]["total_renders"]
        0
        """
        check_since(since)
        metrics = self._observers.metrics
        if metrics is None:
            operations = {}
        elif hasattr(metrics, "get_metrics_sync"):
            operations = metrics.get_metrics_sync(since=since)
        elif hasattr(operations := metrics.get_metrics(since=since), "__await__"):
            operations = run(operations, "get_metrics", metrics)
        return {"registry": self._registry.get_stats(), "operations": operations}

    async def render(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        version: str | None = None,
        label: str | None = None,
        output_instructions: bool = True,
        use_cache: bool = True,
    ) -> str:
        """Render a prompt to text.

        A chat prompt becomes a transcript for people to read (``role: content``). To send it to a provider, use
        :meth:`render_messages` or an integration.

        Args:
            prompt_id: The id of the prompt.
            variables: The values of its variables. Values that the prompt does not use are ignored, except for the
                warning that ``unknown_variables`` of the manager describes.
            version: The version to render; the latest by default.
            label: The label of the version to render.
            output_instructions: If the prompt has an output schema, append instructions that describe the answer.
            use_cache: Whether to look the text up in the manager's cache and keep it there, if it has one.

        Raises:
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version or label.
            SchemaError: the prompt names a schema that does not exist.
            SchemaValidationError: the variables do not fit the input schema.
            TemplateRenderError: a variable is missing or has the wrong type, or the template cannot be rendered.
        """
        if self._refresh is not None:
            await self._refresh.before(prompt_id, version)
        if self._is_observed and not self._is_counted:
            given = {} if variables is None else variables
            text: str = await self._observed(
                "render",
                prompt_id,
                given,
                version=version,
                label=label,
                output_instructions=output_instructions,
                use_cache=use_cache,
            )
            return text
        return self.render_sync(
            prompt_id, variables, version=version, label=label, output_instructions=output_instructions
        )

    if TYPE_CHECKING:
        # Inherited from the core, so that a render calls no Python code on the way there.
        def render_sync(
            self,
            prompt_id: str,
            variables: Mapping[str, Any] | None = None,
            *,
            version: str | None = None,
            label: str | None = None,
            output_instructions: bool = True,
            use_cache: bool = True,
        ) -> str:
            """Render a prompt to text.

            A chat prompt becomes a transcript for people to read (``role: content``). To send it to a provider, use
            :meth:`render_messages` or an integration.

            Args:
                prompt_id: The id of the prompt.
                variables: The values of its variables. Values that the prompt does not use are ignored, except for the
                    warning that ``unknown_variables`` of the manager describes.
                version: The version to render; the latest by default.
                label: The label of the version to render.
                output_instructions: If the prompt has an output schema, append instructions that describe the answer.
                use_cache: Whether to look the text up in the manager's cache and keep it there, if it has one.

            Raises:
                PromptNotFoundError: no prompt has this id.
                VersionNotFoundError: the prompt has no such version or label.
                SchemaError: the prompt names a schema that does not exist.
                SchemaValidationError: the variables do not fit the input schema.
                TemplateRenderError: a variable is missing or has the wrong type, or the template cannot be rendered.
            """

    def _render_sync(self, prompt_id: str, variables: Mapping[str, Any], *, use_cache: bool, **options: Any) -> str:
        """Render where more than the core takes part."""
        if not use_cache and self._cache is not None:
            options["use_cache"] = False
        return self._renders.render(prompt_id, variables, **options)

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
        compiled = self._core.get(prompt_id, version=version, label=label)
        return await self._observed_renders().observe(AWAITING, method, compiled, variables, label, **options)

    async def render_messages(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        version: str | None = None,
        label: str | None = None,
        output_instructions: bool = True,
    ) -> list[dict[str, Any]]:
        """Render a chat prompt to messages with the keys of prompt files.

        Each message is a dict with ``role``, ``content`` and the other keys that the prompt gives it. No provider's
        rules are checked; integrations do that. If the prompt has an output schema, instructions that describe the
        answer are appended to the last of the leading system messages, or become a system message of their own.

        Args:
            prompt_id: The id of the prompt.
            variables: The values of its variables. Values that the prompt does not use are ignored, except for the
                warning that ``unknown_variables`` of the manager describes.
            version: The version to render; the latest by default.
            label: The label of the version to render.
            output_instructions: If the prompt has an output schema, append instructions that describe the answer.

        Raises:
            PromptError: the prompt is not a chat.
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version or label.
            SchemaError: the prompt names a schema that does not exist.
            SchemaValidationError: the variables do not fit the input schema.
            TemplateRenderError: a variable is missing or has the wrong type, or a template cannot be rendered.
        """
        if self._refresh is not None:
            await self._refresh.before(prompt_id, version)
        if self._is_observed and not self._is_counted:
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
        """Render a chat prompt to messages with the keys of prompt files.

        Each message is a dict with ``role``, ``content`` and the other keys that the prompt gives it. No provider's
        rules are checked; integrations do that. If the prompt has an output schema, instructions that describe the
        answer are appended to the last of the leading system messages, or become a system message of their own.

        Args:
            prompt_id: The id of the prompt.
            variables: The values of its variables. Values that the prompt does not use are ignored, except for the
                warning that ``unknown_variables`` of the manager describes.
            version: The version to render; the latest by default.
            label: The label of the version to render.
            output_instructions: If the prompt has an output schema, append instructions that describe the answer.

        Raises:
            PromptError: the prompt is not a chat.
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version or label.
            SchemaError: the prompt names a schema that does not exist.
            SchemaValidationError: the variables do not fit the input schema.
            TemplateRenderError: a variable is missing or has the wrong type, or a template cannot be rendered.
        """
        return self._renders.render_messages(
            prompt_id,
            {} if variables is None else variables,
            version=version,
            label=label,
            output_instructions=output_instructions,
        )

    @property
    def plugins(self) -> PluginRegistry:
        """The plugins, by the name of their framework."""
        if self._plugins is None:
            from prompt_manager.plugins.registry import PluginRegistry

            with self._plugins_lock:
                self._plugins = self._plugins or PluginRegistry()
        return self._plugins

    def register_plugin(
        self, plugin: PluginProtocol, *, config: Mapping[str, Any] | None = None, replace: bool = False
    ) -> None:
        """Add your own plugin, or a built-in one with other options; see :meth:`PluginRegistry.register`.

        >>> from prompt_manager.plugins.anthropic_plugin import AnthropicPlugin
        >>> manager = PromptManager()
        >>> manager.register_plugin(AnthropicPlugin(), config={"merge_turns": True})
        >>> [plugin.name for plugin in manager.plugins.list()]
        ['anthropic']

        Raises:
            PluginValidationError: it is not a plugin, or another plugin has its name.
        """
        self.plugins.register(plugin, config=config, replace=replace)

    def discover_plugins(self) -> list[str]:
        """Register the plugins of installed packages. Returns the names of the new ones.

        :meth:`render_for_plugin` calls this by itself. See :meth:`PluginRegistry.discover_entry_points`.
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
        """Render a prompt for a framework, by the name of its plugin.

        The built-in plugins return what ``convert`` of their integration returns. That leaves out the model, the tools,
        the settings and the format of the answer; for OpenAI, Anthropic and LiteLLM :meth:`build_request` includes
        them.

        If no plugin of this name is registered, the plugins of installed packages are discovered first. A plugin is
        initialized at its first use, with this manager's ``template_engine`` and ``schemas`` and its own
        configuration. The variables are validated and completed with defaults before the plugin gets them.

        Args:
            prompt_id: The id of the prompt.
            variables: The values of its variables.
            plugin_name: The name of the plugin, such as ``"openai"``.
            version: The version to render; the latest by default.
            label: The label of the version to render.

        Raises:
            PluginNotFoundError: no plugin has this name.
            PluginLoadError: the plugin cannot be loaded or initialized.
            IntegrationNotAvailableError: a package that the plugin needs is missing. The message has the command that
                installs it.
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version or label.
            SchemaValidationError: the variables do not fit the input schema.
            ConversionError: a variable is missing or has the wrong type, or the result breaks a rule of the provider.
            IncompatibleFormatError: the framework cannot take a prompt of this format.

        >>> manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
        >>> values = {"company": "Acme", "user_query": "How do I reset my password?"}
        >>> manager.render_for_plugin_sync("customer_support", values, "openai")[1]
        {'role': 'user', 'content': 'How do I reset my password?'}
        """
        if self._refresh is not None:
            await self._refresh.before(prompt_id, version)
        which = {} if version is None and label is None else {"version": version, "label": label}
        return await self._plugin_renders().render(AWAITING, plugin_name, prompt_id, variables, **which)

    def render_for_plugin_sync(
        self,
        prompt_id: str,
        variables: Mapping[str, Any] | None,
        plugin_name: str,
        *,
        version: str | None = None,
        label: str | None = None,
    ) -> Any:
        """Render a prompt for a framework, by the name of its plugin.

        The built-in plugins return what ``convert`` of their integration returns. That leaves out the model, the tools,
        the settings and the format of the answer; for OpenAI, Anthropic and LiteLLM :meth:`build_request` includes
        them.

        If no plugin of this name is registered, the plugins of installed packages are discovered first. A plugin is
        initialized at its first use, with this manager's ``template_engine`` and ``schemas`` and its own
        configuration. The variables are validated and completed with defaults before the plugin gets them.

        Args:
            prompt_id: The id of the prompt.
            variables: The values of its variables.
            plugin_name: The name of the plugin, such as ``"openai"``.
            version: The version to render; the latest by default.
            label: The label of the version to render.

        Raises:
            PluginNotFoundError: no plugin has this name.
            PluginLoadError: the plugin cannot be loaded or initialized.
            IntegrationNotAvailableError: a package that the plugin needs is missing. The message has the command that
                installs it.
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version or label.
            SchemaValidationError: the variables do not fit the input schema.
            ConversionError: a variable is missing or has the wrong type, or the result breaks a rule of the provider.
            IncompatibleFormatError: the framework cannot take a prompt of this format.

        >>> manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
        >>> values = {"company": "Acme", "user_query": "How do I reset my password?"}
        >>> manager.render_for_plugin_sync("customer_support", values, "openai")[1]
        {'role': 'user', 'content': 'How do I reset my password?'}
        """
        which = {} if version is None and label is None else {"version": version, "label": label}
        return self._plugin_renders().render_sync(plugin_name, prompt_id, variables, **which)

    def _plugin_renders(self) -> PluginRenders:
        if self._rendering_plugins is None:
            from prompt_manager.core._plugin_render import PluginRenders

            self._rendering_plugins = PluginRenders(self._core, self.plugins, self._observers, self._plugin_config)
        return self._rendering_plugins

    def _plugin_config(self) -> dict[str, Any]:
        """The configuration that every plugin of this manager gets."""
        return {"template_engine": self.template_engine, "schemas": self.schemas}

    @property
    def schemas(self) -> SchemaLoader:
        """The schemas that prompts can name."""
        from prompt_manager.validation.loader import SchemaLoader

        return SchemaLoader._of(self._core.schemas)

    async def load_schemas(self, path: str | os.PathLike[str]) -> int:
        """Load a schema file, or every schema file below a directory. Returns the number of schemas.

        Raises:
            StorageReadError: a file cannot be read.
            SchemaParseError: a file breaks a rule, or a schema of a directory refers to one that does not exist.
            SchemaError: another schema already has one of the names.
        """
        files, findings = await self._core.schemas.load(path)
        warn_of(findings)
        return sum(len(file["names"]) for file in files)

    def load_schemas_sync(self, path: str | os.PathLike[str]) -> int:
        """Load a schema file, or every schema file below a directory. Returns the number of schemas.

        Raises:
            StorageReadError: a file cannot be read.
            SchemaParseError: a file breaks a rule, or a schema of a directory refers to one that does not exist.
            SchemaError: another schema already has one of the names.
        """
        files, findings = self._core.schemas.load_sync(path)
        warn_of(findings)
        return sum(len(file["names"]) for file in files)

    def register_schema(self, name: str, schema: Schema | Mapping[str, Any] | type[BaseModel]) -> None:
        """Register a schema, so that prompts can name it. A pydantic model validates data itself, into an instance.

        A mapping is written as in a schema file. For a JSON Schema, pass the result of ``Schema.from_json_schema``.

        >>> manager = PromptManager()
        >>> manager.register_schema("point", {"fields": [{"name": "x", "type": "float"}]})
        >>> manager.schemas.names()
        ['point']

        Raises:
            SchemaError: another schema already has this name.
            SchemaParseError: the schema breaks a rule, or its own name is not ``name``.
            TypeError: it is neither a schema nor a model.
        """
        if isinstance(schema, type):
            self.schemas.register_model(name, schema)
            return
        from collections.abc import Mapping

        if isinstance(schema, Mapping) and schema.get("name") is None:
            schema = {**schema, "name": name}
        # What is no schema has no name, and `register` refuses it.
        own = schema.get("name") if hasattr(schema, "get") else getattr(schema, "name", name)
        if own != name:
            from prompt_manager._encodable import check_encodable
            from prompt_manager.exceptions import SchemaParseError

            for each in (name, own):
                check_encodable(str(each), "the schema's name", SchemaParseError)
            raise SchemaParseError(f"the schema is named {own!r}: register it as {own!r}, not as {name!r}", schema=name)
        self.schemas.register(schema)

    async def validate_output(
        self, prompt_id: str, data: Any, *, version: str | None = None, label: str | None = None
    ) -> Any:
        """Validate data by the prompt's output schema. Without an output schema, the data is returned unchanged.

        The result has defaults filled in and values converted. If the schema is a pydantic model, it is an instance.

        Raises:
            PromptNotFoundError: no prompt has this id. If a schema has this name, the hint says how to validate by it.
            VersionNotFoundError: the prompt has no such version or label.
            SchemaError: the prompt names a schema that does not exist.
            SchemaValidationError: the data does not fit. Its ``errors`` has every violation.
        """
        return self._with_output(prompt_id, version, label).validate_output(data)

    def validate_output_sync(
        self, prompt_id: str, data: Any, *, version: str | None = None, label: str | None = None
    ) -> Any:
        """Validate data by the prompt's output schema. Without an output schema, the data is returned unchanged.

        The result has defaults filled in and values converted. If the schema is a pydantic model, it is an instance.

        Raises:
            PromptNotFoundError: no prompt has this id. If a schema has this name, the hint says how to validate by it.
            VersionNotFoundError: the prompt has no such version or label.
            SchemaError: the prompt names a schema that does not exist.
            SchemaValidationError: the data does not fit. Its ``errors`` has every violation.
        """
        return self._with_output(prompt_id, version, label).validate_output(data)

    def _with_output(self, prompt_id: str, version: str | None, label: str | None) -> CompiledPrompt:
        """The prompt whose output is validated. ``agentic-prompt-manager`` takes the name of a schema instead."""
        try:
            return self._core.get(prompt_id, version=version, label=label)
        except PromptNotFoundError as error:
            if isinstance(error, VersionNotFoundError) or prompt_id not in self._core.schemas.names():
                raise
            raise PromptNotFoundError(
                f"there is no prompt '{prompt_id}', but a schema: validate by it with "
                f"`manager.schemas.validate_data_sync('{prompt_id}', data)`",
                **error.context,
            ) from None

    if TYPE_CHECKING:

        @overload
        def parse_output(
            self,
            prompt_id: str,
            text: str,
            model: None = None,
            *,
            version: str | None = None,
            label: str | None = None,
            strict: bool = False,
        ) -> ParsedOutput[Any]: ...

        @overload
        def parse_output(
            self,
            prompt_id: str,
            text: str,
            model: type[T],
            *,
            version: str | None = None,
            label: str | None = None,
            strict: bool = False,
        ) -> ParsedOutput[T]: ...

    def parse_output(
        self,
        prompt_id: str,
        text: str,
        model: type[T] | None = None,
        *,
        version: str | None = None,
        label: str | None = None,
        strict: bool = False,
    ) -> ParsedOutput[T] | ParsedOutput[Any]:
        """The JSON in a model's answer, validated by the prompt's output schema.

        Models put JSON into code fences and prose, leave commas behind, quote as Python does, and stop in the middle.
        These mistakes are repaired, and ``repairs`` lists each repair. No value is made up: what was cut off is left
        out, and an answer whose meaning is unclear is an error.

        Args:
            prompt_id: The prompt.
            text: The answer.
            model: The type of the data: a pydantic model, a dataclass, a ``TypedDict``, or a list or dict of these. If
                the prompt has another output schema, the data must fit both.
            version: The version; the latest by default.
            label: A label that points at the version.
            strict: Accept only valid JSON; repair nothing.

        Raises:
            PromptNotFoundError: there is no prompt with this id.
            VersionNotFoundError: it has no such version or label.
            SchemaError: it names a schema that is not there.
            SchemaValidationError: the answer cannot be read (the rule ``syntax``), or the data does not fit.
            TypeError: ``model`` is no type that pydantic can validate by.
        """
        from prompt_manager.validation.output import read_text, read_text_as

        handle = self._core.get(prompt_id, version=version, label=label)
        if model is None:
            return read_text(handle, text, strict=strict)
        return read_text_as(handle, text, model, strict=strict)

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
        """Render a prompt, call a model with it, and return the data of its answer, validated.

        The render fires the observers' events like any other.

        Args:
            prompt_id: The id of the prompt.
            variables: The values of its variables.
            model: A function that takes the rendered prompt (the messages of a chat, the text of any other prompt) and
                returns the model's answer as text; :meth:`render_and_parse` also takes a coroutine function. Or an
                answer that you already have, as text or data.
            version: The version to render; the latest by default.
            label: The label of the version to render.
            output_instructions: If the prompt has an output schema, append instructions that describe the answer.
            strict: Accept JSON only and repair nothing; see :meth:`parse_output`.

        Raises:
            SchemaValidationError: the variables do not fit the input schema, or the answer not the output schema.
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version or label.
            TemplateRenderError: a variable is missing or has the wrong type, or a template cannot be rendered.
        """
        from prompt_manager.validation.output import read_answer

        if self._refresh is not None:
            await self._refresh.before(prompt_id, version)
        core = self._core.get(prompt_id, version=version, label=label)
        render = "render_messages" if core.format == "chat" else "render"
        given, options = {} if variables is None else variables, {"output_instructions": output_instructions}
        if self._is_observed:
            rendered = await self._observed_renders().observe(AWAITING, render, core, given, label, **options)
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
        """Render a prompt, call a model with it, and return the data of its answer, validated.

        The render fires the observers' events like any other.

        Args:
            prompt_id: The id of the prompt.
            variables: The values of its variables.
            model: A function that takes the rendered prompt (the messages of a chat, the text of any other prompt) and
                returns the model's answer as text; :meth:`render_and_parse` also takes a coroutine function. Or an
                answer that you already have, as text or data.
            version: The version to render; the latest by default.
            label: The label of the version to render.
            output_instructions: If the prompt has an output schema, append instructions that describe the answer.
            strict: Accept JSON only and repair nothing; see :meth:`parse_output`.

        Raises:
            SchemaValidationError: the variables do not fit the input schema, or the answer not the output schema.
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version or label.
            TemplateRenderError: a variable is missing or has the wrong type, or a template cannot be rendered.
        """
        from prompt_manager.validation.output import read_answer

        core = self._core.get(prompt_id, version=version, label=label)
        render = "render_messages" if core.format == "chat" else "render"
        given, options = {} if variables is None else variables, {"output_instructions": output_instructions}
        if self._is_observed:
            rendered = self._observed_renders().blocking(render, core, given, label, **options)
        else:
            rendered = getattr(core, render)(given, **options)
        answer = model(rendered) if callable(model) else model
        if hasattr(answer, "__await__"):
            if hasattr(answer, "close"):
                answer.close()
            raise TypeError("the model returned an awaitable: use `await manager.render_and_parse(...)`")
        return read_answer(core, answer, strict=strict)

    async def get_prompt(self, prompt_id: str, version: str | None = None, *, label: str | None = None) -> Prompt:
        """Look up a prompt: its latest version, the version given, or the one that a label points at.

        Raises:
            PromptNotFoundError: no prompt has this id, or all its versions are archived.
            VersionNotFoundError: the prompt has no such version or label.
        """
        return await self._registry.get(prompt_id, version, label=label)

    def get_prompt_sync(self, prompt_id: str, version: str | None = None, *, label: str | None = None) -> Prompt:
        """Look up a prompt: its latest version, the version given, or the one that a label points at.

        Raises:
            PromptNotFoundError: no prompt has this id, or all its versions are archived.
            VersionNotFoundError: the prompt has no such version or label.
        """
        return self._registry.get_sync(prompt_id, version, label=label)

    async def list_prompts(
        self, *, limit: int | None = None, offset: int = 0, **filters: Unpack[PromptFilters]
    ) -> list[PromptSummary]:
        """Summaries of the prompts that match every filter, sorted by id: the latest version of each.

        Args:
            limit: How many to give at most.
            offset: How many to skip first.
            filters: ``status``, ``tags``, ``category``, ``format``, ``label`` and ``text``; see
                :class:`~prompt_manager.core.filters.PromptFilters`.

        Raises:
            TypeError: There is no such filter.
            ValueError: There is no such status or format, or ``limit`` or ``offset`` is negative.
        """
        return await self._registry.list(limit=limit, offset=offset, **filters)

    def list_prompts_sync(
        self, *, limit: int | None = None, offset: int = 0, **filters: Unpack[PromptFilters]
    ) -> list[PromptSummary]:
        """Summaries of the prompts that match every filter, sorted by id: the latest version of each.

        Args:
            limit: How many to give at most.
            offset: How many to skip first.
            filters: ``status``, ``tags``, ``category``, ``format``, ``label`` and ``text``; see
                :class:`~prompt_manager.core.filters.PromptFilters`.

        Raises:
            TypeError: There is no such filter.
            ValueError: There is no such status or format, or ``limit`` or ``offset`` is negative.
        """
        return self._registry.list_sync(limit=limit, offset=offset, **filters)

    def _check_writable(self) -> None:
        if self._directory is not None and self._registry.storage is None:
            raise StorageWriteError(
                f"the prompts were loaded from {self._directory} and are read-only here: edit the files, or use a "
                "manager whose registry has a storage",
                path=self._directory,
            )

    async def create_prompt(
        self,
        prompt: Prompt,
        *,
        changelog: str | None = None,
        author: str | None = None,
        created_by: str | None = None,
    ) -> Prompt:
        """Register a prompt, start its history, and return it as registered.

        A draft of the same version is replaced. A version that exists with the same content is left unchanged.

        Args:
            prompt: The prompt.
            changelog: A note for the history of versions.
            author: Who made this version; the author in the metadata by default.
            created_by: Another name of ``author``.

        Raises:
            TypeError: ``author`` and ``created_by`` are both given.
            VersionConflictError: the version exists and is not a draft, and the prompt has other content or is a
                draft.
            TemplateSyntaxError: a template cannot be parsed.
            StorageError: the storage refuses the prompt. Then it is not registered either.
            StorageWriteError: the prompts were loaded from a directory, and the manager has no storage.
        """
        self._check_writable()
        return await self._writer.create(AWAITING, prompt, (changelog, _author(author, created_by)))

    def create_prompt_sync(
        self,
        prompt: Prompt,
        *,
        changelog: str | None = None,
        author: str | None = None,
        created_by: str | None = None,
    ) -> Prompt:
        """Register a prompt, start its history, and return it as registered.

        A draft of the same version is replaced. A version that exists with the same content is left unchanged.

        Args:
            prompt: The prompt.
            changelog: A note for the history of versions.
            author: Who made this version; the author in the metadata by default.
            created_by: Another name of ``author``.

        Raises:
            TypeError: ``author`` and ``created_by`` are both given.
            VersionConflictError: the version exists and is not a draft, and the prompt has other content or is a
                draft.
            TemplateSyntaxError: a template cannot be parsed.
            StorageError: the storage refuses the prompt. Then it is not registered either.
            StorageWriteError: the prompts were loaded from a directory, and the manager has no storage.
        """
        self._check_writable()
        note = (changelog, _author(author, created_by))
        return run_asking(
            lambda mode: self._writer.create(mode, prompt, note),
            "create_prompt",
            *self._writer.asked(),
            observers_wait=self._writer.observers_wait(),
        )

    async def update_prompt(
        self,
        prompt: Prompt,
        *,
        bump: Bump = "auto",
        changelog: str | None = None,
        author: str | None = None,
        bump_version: bool | None = None,
        created_by: str | None = None,
        status: PromptStatus | str | None = None,
        **changes: Unpack[PromptChanges],
    ) -> Prompt:
        """Register a changed prompt as a new version, and return it. The prompt that you pass does not change.

        If the change does not affect what the model is sent, ``bump="auto"`` keeps the version and changes status and
        metadata in place. A new version has no labels unless you pass ``labels=``; move labels with :meth:`set_label`.

        Args:
            prompt: The prompt with the version that it was made from. It may already contain changes.
            bump: Which part of the version to raise. ``"auto"`` takes the proposal of :meth:`compare_versions`; before
                1.0.0 it never raises the major part, and it raises a pre-release to the next pre-release. Named
                explicitly, a part turns a pre-release into its release.
            changelog: What changed, for the history of versions.
            author: Who changed it; the author in the metadata by default.
            bump_version: ``False`` keeps the version: then a draft may change as a whole, and any other version its
                status and metadata. ``True`` raises it as ``bump`` says.
            created_by: Another name of ``author``.
            status: The status of the new version; that of ``prompt`` by default.
            changes: More fields to change, as for :meth:`Prompt.replace`, with ``messages``, ``variables`` and
                ``partials``. A ``template`` given as a text keeps the variables and partials of ``prompt``.

        Raises:
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the version of ``prompt`` is not registered.
            VersionConflictError: the raised version already exists with other content; or the version is kept, is not a
                draft, and has other content.
            TypeError: an option or a field to change does not exist, and the message has the nearest name. Or two
                options contradict each other.
            pydantic.ValidationError: the changed prompt breaks a rule.
            TemplateSyntaxError: a template cannot be parsed.
            StorageError: the storage refuses the prompt. Then it is not registered either.

        >>> manager = PromptManager()
        >>> from prompt_manager import Prompt
        >>> first = manager.create_prompt_sync(Prompt(id="hi", format="text", template="Hi {{name}}", status="active"))
        >>> manager.update_prompt_sync(first, template="Hi {{name}}!", changelog="Friendlier").version
        '1.0.1'
        """
        self._check_writable()
        note = (changelog, _author(author, created_by))
        raised = _bump(bump, bump_version)
        return await self._writer.update(AWAITING, prompt, raised, note, _fields(status, changes))

    def update_prompt_sync(
        self,
        prompt: Prompt,
        *,
        bump: Bump = "auto",
        changelog: str | None = None,
        author: str | None = None,
        bump_version: bool | None = None,
        created_by: str | None = None,
        status: PromptStatus | str | None = None,
        **changes: Unpack[PromptChanges],
    ) -> Prompt:
        """Register a changed prompt as a new version, and return it. The prompt that you pass does not change.

        If the change does not affect what the model is sent, ``bump="auto"`` keeps the version and changes status and
        metadata in place. A new version has no labels unless you pass ``labels=``; move labels with :meth:`set_label`.

        Args:
            prompt: The prompt with the version that it was made from. It may already contain changes.
            bump: Which part of the version to raise. ``"auto"`` takes the proposal of :meth:`compare_versions`; before
                1.0.0 it never raises the major part, and it raises a pre-release to the next pre-release. Named
                explicitly, a part turns a pre-release into its release.
            changelog: What changed, for the history of versions.
            author: Who changed it; the author in the metadata by default.
            bump_version: ``False`` keeps the version: then a draft may change as a whole, and any other version its
                status and metadata. ``True`` raises it as ``bump`` says.
            created_by: Another name of ``author``.
            status: The status of the new version; that of ``prompt`` by default.
            changes: More fields to change, as for :meth:`Prompt.replace`, with ``messages``, ``variables`` and
                ``partials``. A ``template`` given as a text keeps the variables and partials of ``prompt``.

        Raises:
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the version of ``prompt`` is not registered.
            VersionConflictError: the raised version already exists with other content; or the version is kept, is not a
                draft, and has other content.
            TypeError: an option or a field to change does not exist, and the message has the nearest name. Or two
                options contradict each other.
            pydantic.ValidationError: the changed prompt breaks a rule.
            TemplateSyntaxError: a template cannot be parsed.
            StorageError: the storage refuses the prompt. Then it is not registered either.

        >>> manager = PromptManager()
        >>> from prompt_manager import Prompt
        >>> first = manager.create_prompt_sync(Prompt(id="hi", format="text", template="Hi {{name}}", status="active"))
        >>> manager.update_prompt_sync(first, template="Hi {{name}}!", changelog="Friendlier").version
        '1.0.1'
        """
        self._check_writable()
        note = (changelog, _author(author, created_by))
        raised, fields = _bump(bump, bump_version), _fields(status, changes)
        return run_asking(
            lambda mode: self._writer.update(mode, prompt, raised, note, fields),
            "update_prompt",
            *self._writer.asked(),
            observers_wait=self._writer.observers_wait(),
        )

    async def delete_prompt(self, prompt_id: str, version: str | None = None) -> None:
        """Delete a version of a prompt, or all of them, with the history. Labels that point at it are removed.

        Raises:
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version.
            StorageError: the storage refuses. Then the prompt stays registered.
        """
        self._check_writable()
        await self._writer.delete(AWAITING, prompt_id, version)

    def delete_prompt_sync(self, prompt_id: str, version: str | None = None) -> None:
        """Delete a version of a prompt, or all of them, with the history. Labels that point at it are removed.

        Raises:
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version.
            StorageError: the storage refuses. Then the prompt stays registered.
        """
        self._check_writable()
        run_asking(
            lambda mode: self._writer.delete(mode, prompt_id, version),
            "delete_prompt",
            (self._registry.storage, "delete"),
            *self._registry._asked_for_labels(),
            *self._writer.asked(),
            observers_wait=self._writer.observers_wait(),
        )

    async def get_history(
        self,
        prompt_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> list[PromptVersion]:
        """List the versions of a prompt with their records, the highest version first.

        A version that has no record, because it came from a file or a storage, has the time and author of its prompt.

        Args:
            prompt_id: The id of the prompt.
            since: Only versions made at this time or later. A naive time is read as UTC.
            until: Only versions made at this time or earlier.
            limit: The largest number of records to return.

        Raises:
            PromptNotFoundError: no prompt has this id.
        """
        if self._refresh is not None:
            await self._refresh.when_due()
        return await self._writer.history(AWAITING, prompt_id, since, until, limit)

    def get_history_sync(
        self,
        prompt_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> list[PromptVersion]:
        """List the versions of a prompt with their records, the highest version first.

        A version that has no record, because it came from a file or a storage, has the time and author of its prompt.

        Args:
            prompt_id: The id of the prompt.
            since: Only versions made at this time or later. A naive time is read as UTC.
            until: Only versions made at this time or earlier.
            limit: The largest number of records to return.

        Raises:
            PromptNotFoundError: no prompt has this id.
        """
        self._core.look_if_due()
        return run_asking(
            lambda mode: self._writer.history(mode, prompt_id, since, until, limit),
            "get_history",
            (self.version_store, "list_versions"),
        )

    async def compare_versions(self, prompt_id: str, version1: str, version2: str) -> PromptDiff:
        """Compare two versions of a prompt. The result also proposes which part of the version to raise.

        ``str()`` of the result is a readable diff.

        Raises:
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version.
        """
        return self.compare_versions_sync(prompt_id, version1, version2)

    def compare_versions_sync(self, prompt_id: str, version1: str, version2: str) -> PromptDiff:
        """Compare two versions of a prompt. The result also proposes which part of the version to raise.

        ``str()`` of the result is a readable diff.

        Raises:
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the prompt has no such version.
        """
        from prompt_manager.versioning.compare import of_compiled

        old, new = self._core.get(prompt_id, version=version1), self._core.get(prompt_id, version=version2)
        return of_compiled(old, new)

    async def set_label(
        self, prompt_id: str, label: str, version: str | None, *, author: str | None = None
    ) -> LabelMove:
        """Point a label at a version, or remove it with ``version=None``. See :meth:`PromptRegistry.set_label`.

        Raises:
            PromptNotFoundError: no prompt has this id.
            PromptValidationError: the label's name is not allowed.
            VersionNotFoundError: the prompt has no such version, or there is no such label to remove.
        """
        return await self._registry.set_label(prompt_id, label, version, author=author)

    def set_label_sync(
        self, prompt_id: str, label: str, version: str | None, *, author: str | None = None
    ) -> LabelMove:
        """Point a label at a version, or remove it with ``version=None``. See :meth:`PromptRegistry.set_label`.

        Raises:
            PromptNotFoundError: no prompt has this id.
            PromptValidationError: the label's name is not allowed.
            VersionNotFoundError: the prompt has no such version, or there is no such label to remove.
        """
        return self._registry.set_label_sync(prompt_id, label, version, author=author)

    async def rollback(self, prompt_id: str, label: str, *, author: str | None = None) -> LabelMove:
        """Point a label at the version that it pointed at before. See :meth:`PromptRegistry.rollback`.

        Raises:
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the label was never moved, or it had no version before.
        """
        return await self._registry.rollback(prompt_id, label, author=author)

    def rollback_sync(self, prompt_id: str, label: str, *, author: str | None = None) -> LabelMove:
        """Point a label at the version that it pointed at before. See :meth:`PromptRegistry.rollback`.

        Raises:
            PromptNotFoundError: no prompt has this id.
            VersionNotFoundError: the label was never moved, or it had no version before.
        """
        return self._registry.rollback_sync(prompt_id, label, author=author)

    async def get_label_history(self, prompt_id: str, label: str | None = None) -> list[LabelMove]:
        """List the moves of a prompt's labels, or of one label, the oldest first.

        Raises:
            PromptNotFoundError: no prompt has this id.
        """
        return await self._registry.get_label_history(prompt_id, label)

    def get_label_history_sync(self, prompt_id: str, label: str | None = None) -> list[LabelMove]:
        """List the moves of a prompt's labels, or of one label, the oldest first.

        Raises:
            PromptNotFoundError: no prompt has this id.
        """
        return self._registry.get_label_history_sync(prompt_id, label)


def _arguments(
    path: str | os.PathLike[str],
    schema_dir: str | os.PathLike[str] | None,
    on_error: Literal["raise", "skip"],
    refresh: float | None,
) -> dict[str, Any]:
    """The arguments of a load, for a process with another working directory."""
    from os.path import abspath

    # Importing pathlib for this would take longer than a load.
    schemas = None if schema_dir is None else abspath(schema_dir)  # noqa: PTH100
    return {"path": abspath(path), "schema_dir": schemas, "on_error": on_error, "refresh": refresh}  # noqa: PTH100


def _load_again(
    kind: type[PromptManager], options: dict[str, Any], store: VersionStoreProtocol | None, _content: object
) -> PromptManager:
    """Restore a pickled manager of a directory or package. ``_content`` only tells fingerprints of it apart."""
    manager = kind.from_package_sync(**options) if "package" in options else kind.from_directory_sync(**options)
    manager._version_store = store
    return manager


def _restore(
    kind: type[PromptManager],
    registry: PromptRegistry,
    store: VersionStoreProtocol | None,
    unknown_variables: Literal["warn", "error", "ignore"],
) -> PromptManager:
    """Restore a pickled manager."""
    return kind(registry, store, unknown_variables=unknown_variables)


def _author(author: str | None, created_by: str | None) -> str | None:
    """The author, from whichever of the two arguments is given."""
    if author is not None and created_by is not None:
        raise TypeError("`author` and `created_by` are the same: pass one of them")
    return created_by if author is None else author


def _bump(bump: Bump, bump_version: bool | None) -> Bump | None:  # noqa: FBT001 - an option of the caller
    """How far the version is raised; ``None`` if it is kept."""
    if bump not in {"auto", "major", "minor", "patch"}:
        raise ValueError(f"bump must be 'auto', 'major', 'minor' or 'patch', not {bump!r}")
    if bump_version is None or bump_version:
        return bump
    if bump != "auto":
        raise TypeError(f"bump_version=False keeps the version, and bump={bump!r} raises it: pass one of them")
    return None


#: The options of :meth:`PromptManager.update_prompt` that are not fields of a prompt.
_UPDATE_OPTIONS = ("bump", "changelog", "author", "bump_version", "created_by")


def _fields(status: PromptStatus | str | None, changes: PromptChanges) -> dict[str, Any]:
    """The fields to change. The id stays, and the version is raised by ``bump``."""
    fixed = {
        "id": "create a prompt with the new id instead",
        "version": "choose how far it is raised with `bump`",
    }
    for name, remedy in fixed.items():
        if name in changes:
            raise ValueError(f"{name} cannot be changed by an update: {remedy}")
    from prompt_manager.core.models import SHORT_FIELDS, Prompt

    fields = [name for name in (*Prompt.model_fields, *SHORT_FIELDS) if name not in fixed]
    check_keywords(changes, [*_UPDATE_OPTIONS, *fields])
    return {**changes} if status is None else {**changes, "status": status}


def _name_after_manager(*bases: type) -> None:
    """Name the methods of base classes as those of the manager, as Python's errors for wrong arguments then do."""
    for base in bases:
        for name, call in vars(base).items():
            if isinstance(call, FunctionType):
                # Pickle finds a function by both.
                call.__module__, call.__qualname__ = PromptManager.__module__, f"{PromptManager.__qualname__}.{name}"


_name_after_manager(ProviderCalls, BatchCalls)
