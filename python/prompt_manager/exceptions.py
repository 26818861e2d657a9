"""The exceptions of the package.

::

    PromptManagerError
    ├── PromptError
    │   ├── PromptNotFoundError
    │   └── PromptValidationError
    ├── TemplateError
    │   ├── TemplateSyntaxError
    │   └── TemplateRenderError
    ├── VersionError
    │   ├── VersionNotFoundError
    │   └── VersionConflictError
    ├── StorageError
    │   ├── StorageReadError
    │   └── StorageWriteError
    ├── PluginError
    │   ├── PluginNotFoundError
    │   ├── PluginLoadError
    │   └── PluginValidationError
    ├── SchemaError
    │   ├── SchemaParseError
    │   └── SchemaValidationError
    ├── IntegrationError
    │   ├── IntegrationNotAvailableError
    │   ├── ConversionError
    │   └── IncompatibleFormatError
    └── ObservabilityError

Each exception has a ``message`` for people and a ``context`` for programs, a dict of names, ids, paths and positions.
Neither contains the value of a variable. Exceptions can be pickled.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Self

__all__ = [
    "ConversionError",
    "IncompatibleFormatError",
    "IntegrationError",
    "IntegrationNotAvailableError",
    "ObservabilityError",
    "PluginError",
    "PluginLoadError",
    "PluginNotFoundError",
    "PluginValidationError",
    "PromptError",
    "PromptManagerError",
    "PromptNotFoundError",
    "PromptValidationError",
    "SchemaError",
    "SchemaParseError",
    "SchemaValidationError",
    "StorageError",
    "StorageReadError",
    "StorageWriteError",
    "TemplateError",
    "TemplateRenderError",
    "TemplateSyntaxError",
    "VersionConflictError",
    "VersionError",
    "VersionNotFoundError",
]


def _restore(kind: type[PromptManagerError], state: dict[str, Any]) -> PromptManagerError:
    """Rebuild a pickled exception without calling its constructor."""
    error = kind.__new__(kind, state["message"])
    error.__dict__.update(state)
    return error


class PromptManagerError(Exception):
    """The base class of all exceptions of the package.

    Args:
        message: The description of the problem, in one line.
        context: Values for programs to read, such as names, ids and positions.

    >>> error = PromptManagerError("no such thing", name="greeting")
    >>> str(error), error.context["name"]
    ('no such thing', 'greeting')
    """

    message: str
    context: dict[str, Any]

    #: Message, position, source line and hint, as ``str()`` shows them. The core sets it if it knows the position.
    _report: str | None = None

    def __init__(self, message: str, **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.context = context

    def __str__(self) -> str:
        return self._report or self.message

    def __reduce__(self) -> tuple[Callable[..., PromptManagerError], tuple[type[Self], dict[str, Any]]]:
        return _restore, (type(self), self.__dict__.copy())


class _SourceError(PromptManagerError):
    """An exception with a position in a source text. A property is None if it is not known."""

    @property
    def path(self) -> str | None:
        """The path of the file."""
        return self.context.get("path")

    @property
    def line(self) -> int | None:
        """The line number, counted from 1."""
        return self.context.get("line")

    @property
    def column(self) -> int | None:
        """The column in characters, counted from 1."""
        return self.context.get("column")

    @property
    def source_line(self) -> str | None:
        """The text of the line."""
        return self.context.get("source_line")

    @property
    def hint(self) -> str | None:
        """How to fix the problem."""
        return self.context.get("hint")


class _SummaryError(_SourceError):
    """An exception about one position, or one that summarizes several exceptions."""

    @property
    def errors(self) -> Sequence[PromptManagerError]:
        """The exceptions that this one summarizes. Empty if it describes a single problem."""
        return tuple(self.context.get("errors", ()))


class PromptError(PromptManagerError):
    """A prompt operation failed."""


class PromptNotFoundError(PromptError):
    """No prompt has this id, or all its versions are archived."""


class PromptValidationError(PromptError, _SummaryError):
    """A prompt or a prompt file breaks a rule."""


class TemplateError(_SourceError):
    """A template cannot be used. ``str()`` shows the message, the position, and the source line with a caret."""

    @property
    def template_name(self) -> str | None:
        """The name of the template or partial."""
        return self.context.get("template_name")


class TemplateSyntaxError(TemplateError):
    """A template cannot be parsed."""


class TemplateRenderError(TemplateError):
    """A template cannot be rendered with these variables."""


class VersionError(PromptManagerError):
    """A version cannot be used."""


class VersionNotFoundError(VersionError):
    """The prompt exists, but it has no such version."""


class VersionConflictError(VersionError):
    """The id and version already exist, and this prompt may not replace them."""


class StorageError(_SummaryError):
    """A storage operation failed."""


class StorageReadError(StorageError):
    """A file or directory cannot be read. ``errors`` has one exception for each problem."""


class StorageWriteError(StorageError):
    """A file or directory cannot be written."""


class PluginError(PromptManagerError):
    """A plugin failed."""


class PluginNotFoundError(PluginError):
    """No plugin has this name."""


class PluginLoadError(PluginError):
    """A plugin cannot be loaded."""


class PluginValidationError(PluginError):
    """An object does not meet the requirements for a plugin."""


class SchemaError(_SourceError):
    """A schema is missing or misused."""


class SchemaParseError(SchemaError, _SummaryError):
    """A schema or a schema file breaks a rule."""


class SchemaValidationError(SchemaError):
    """Data does not match a schema, or a model's answer cannot be parsed."""

    @property
    def errors(self) -> list[dict[str, str]]:
        """The violations, each with ``path`` (such as ``items[3].email``), ``rule`` and ``message``; never the data."""
        return [dict(violation) for violation in self.context.get("errors", ())]


class IntegrationError(PromptManagerError):
    """A prompt cannot be converted for a provider."""


class IntegrationNotAvailableError(IntegrationError):
    """An integration needs a package that is not installed.

    Args:
        integration: The integration's name, such as ``"LangChain"``.
        extra: The extra that installs the package, such as ``"langchain"``.

    >>> print(IntegrationNotAvailableError("LangChain", "langchain"))
    LangChain integration not available. Install with: pip install prompt-manager[langchain]
    """

    def __init__(self, integration: str, extra: str) -> None:
        from prompt_manager._distribution import install_command

        message = f"{integration} integration not available. Install with: {install_command(extra)}"
        super().__init__(message, integration=integration, extra=extra)


class ConversionError(IntegrationError):
    """A required variable is missing, or the rendered prompt breaks a rule of the provider."""


class IncompatibleFormatError(IntegrationError):
    """The provider does not support prompts of this format."""


class ObservabilityError(PromptManagerError):
    """An observer cannot be set up."""
