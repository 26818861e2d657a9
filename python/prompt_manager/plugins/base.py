"""The base class of plugins."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from prompt_manager.core._sync import run
from prompt_manager.exceptions import PluginError, PromptManagerError

if TYPE_CHECKING:
    from prompt_manager.core.models import Prompt

__all__ = ["BasePlugin"]


def as_dict(config: Mapping[str, Any] | None) -> dict[str, Any]:
    """A copy of a plugin's configuration."""
    if config is None:
        return {}
    if not isinstance(config, Mapping):
        raise TypeError(f"the configuration of a plugin must be a mapping of its options, not {type(config).__name__}")
    return dict(config)


class BasePlugin(ABC):
    """Renders prompts for a framework, which :meth:`PromptManager.render_for_plugin` selects by name.

    A subclass implements :meth:`render_for_framework`, and may override :meth:`_initialize_impl`,
    :meth:`validate_compatibility`, :meth:`_shutdown_impl` and :meth:`check_available`. Each coroutine has a synchronous
    version with the suffix ``_sync``. It runs the coroutine, unless a subclass overrides it too.

    Args:
        name: The name of the plugin. Its entry point, if it has one, must have the same name.
        version: The version of the plugin.

    >>> class Shouting(BasePlugin):
    ...     async def render_for_framework(self, prompt, variables):
    ...         return (await self.config["template_engine"].render(prompt.template.content, variables)).upper()
    >>> from prompt_manager import Prompt, PromptManager
    >>> manager = PromptManager()
    >>> hi = Prompt(id="hi", format="text", template="Hi, {{name}}!", status="active")
    >>> _ = manager.create_prompt_sync(hi)
    >>> manager.register_plugin(Shouting("shouting", "1.0.0"))
    >>> manager.render_for_plugin_sync("hi", {"name": "Ada"}, "shouting")
    'HI, ADA!'
    """

    def __init__(self, name: str, version: str) -> None:
        self._name = name
        self._version = version
        self._config: Mapping[str, Any] = MappingProxyType({})
        self._initialized = False

    @property
    def name(self) -> str:
        """The name of the plugin."""
        return self._name

    @property
    def version(self) -> str:
        """The version of the plugin."""
        return self._version

    @property
    def config(self) -> Mapping[str, Any]:
        """The configuration of :meth:`initialize`. Empty before that."""
        return self._config

    def get_config(self) -> dict[str, Any]:
        """A copy of :attr:`config`."""
        return dict(self._config)

    @property
    def is_initialized(self) -> bool:
        """Whether the plugin is ready to use."""
        return self._initialized

    def check_available(self) -> None:  # noqa: B027 - a plugin that needs nothing has nothing to check
        """Check that everything that the plugin needs is installed.

        Raises:
            IntegrationNotAvailableError: a package is missing. The message has the install command.
        """

    async def initialize(self, config: Mapping[str, Any] | None = None) -> None:
        """Prepare the plugin for use. Call it again to change the configuration.

        Args:
            config: The configuration. A manager passes ``template_engine``, ``schemas``, and the configuration that the
                plugin was registered with.

        Raises:
            IntegrationNotAvailableError: a package that the plugin needs is missing.
            PluginLoadError: :meth:`_initialize_impl` raised an exception, which is the cause. An exception of this
                package is raised as it is.
        """
        self._begin(config)
        try:
            await self._initialize_impl(self._config)
        except PromptManagerError:
            raise
        except Exception as error:
            # A subclass's code, which may raise anything.
            from prompt_manager.plugins._discovery import initialize_failure

            origin = f"{type(self).__module__}:{type(self).__qualname__}"
            raise initialize_failure(self._name, origin, error) from error
        self._initialized = True

    def initialize_sync(self, config: Mapping[str, Any] | None = None) -> None:
        """Prepare the plugin for use. Call it again to change the configuration.

        Args:
            config: The configuration. A manager passes ``template_engine``, ``schemas``, and the configuration that the
                plugin was registered with.

        Raises:
            IntegrationNotAvailableError: a package that the plugin needs is missing.
            PluginLoadError: :meth:`_initialize_impl` raised an exception, which is the cause. An exception of this
                package is raised as it is.
        """
        run(
            self.initialize(config),
            f"{type(self).__name__}.initialize",
            self._waiting("initialize", "_initialize_impl"),
        )

    def _begin(self, config: Mapping[str, Any] | None) -> None:
        self.check_available()
        self._initialized = False
        self._config = MappingProxyType(as_dict(config))

    async def _initialize_impl(self, config: Mapping[str, Any]) -> None:  # noqa: B027 - one may need nothing
        """Prepare the plugin. A subclass may override this."""

    def _ensure_initialized(self) -> None:
        """Check that the plugin is ready.

        Raises:
            PluginError: the plugin was not initialized, or was shut down.
        """
        if not self._initialized:
            raise PluginError(
                f"plugin '{self._name}' is not initialized: await its initialize(config) first, or use it with "
                "PromptManager.render_for_plugin, which initializes it",
                plugin=self._name,
            )

    @abstractmethod
    async def render_for_framework(self, prompt: Prompt, variables: Mapping[str, Any]) -> Any:
        """Render a prompt in the framework's format.

        Args:
            prompt: The prompt.
            variables: The values of its variables. A manager passes validated values, with the defaults filled in.
        """

    def render_for_framework_sync(self, prompt: Prompt, variables: Mapping[str, Any]) -> Any:
        """Render a prompt in the framework's format.

        Args:
            prompt: The prompt.
            variables: The values of its variables. A manager passes validated values, with the defaults filled in.
        """
        return run(self.render_for_framework(prompt, variables), f"{type(self).__name__}.render_for_framework", self)

    async def validate_compatibility(self, prompt: Prompt) -> bool:  # noqa: ARG002 - a subclass asks it
        """Return whether the framework supports this prompt. True for any prompt, unless a subclass overrides it."""
        return True

    def validate_compatibility_sync(self, prompt: Prompt) -> bool:
        """Return whether the framework supports this prompt. True for any prompt, unless a subclass overrides it."""
        name = "validate_compatibility"
        return run(self.validate_compatibility(prompt), f"{type(self).__name__}.{name}", self._waiting(name))

    async def shutdown(self) -> None:
        """Release the resources of the plugin. It can be initialized again. Does nothing if it is not initialized."""
        if self._initialized:
            self._initialized = False
            await self._shutdown_impl()

    def shutdown_sync(self) -> None:
        """Release the resources of the plugin. It can be initialized again. Does nothing if it is not initialized."""
        run(self.shutdown(), f"{type(self).__name__}.shutdown", self._waiting("shutdown", "_shutdown_impl"))

    async def _shutdown_impl(self) -> None:  # noqa: B027 - one may hold nothing
        """Release resources. A subclass may override this."""

    def _waiting(self, *names: str) -> BasePlugin | None:
        """Return the plugin if a subclass overrides one of these coroutines, because it may then wait."""
        own = all(getattr(type(self), name) is getattr(BasePlugin, name) for name in names)
        return None if own else self

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name} {self._version}>"
