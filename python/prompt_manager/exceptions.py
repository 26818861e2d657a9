"""Every exception of the package.

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

An exception keeps its ``message`` and, in ``context``, facts for programs to read: names, places, ids, and never the
value of a variable. Exceptions can be pickled.
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
    """Make an exception again from what was pickled, whatever its constructor takes."""
    error = kind.__new__(kind, state["message"])
    error.__dict__.update(state)
    return error


class PromptManagerError(Exception):
    """The base of every exception here.

    Args:
        message: What happened, in one line.
        context: Facts for programs to read.

    >>> error = PromptManagerError("no such thing", name="greeting")
    >>> str(error), error.context["name"]
    ('no such thing', 'greeting')
    """

    message: str
    context: dict[str, Any]

    #: Message, place and hint as a compiler prints them; what the core gives for an error that has a place.
    _report: str | None = None

    def __init__(self, message: str, **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.context = context

    def __str__(self) -> str:
        return self._report or self.message

    def __reduce__(self) -> tuple[Callable[..., PromptManagerError], tuple[type[Self], dict[str, Any]]]:
        return _restore, (type(self), self.__dict__.copy())


class _PlacedError(PromptManagerError):
    """An exception about a place in a text."""

    @property
    def path(self) -> str | None:
        """The file, where the text is in one."""
        return self.context.get("path")

    @property
    def line(self) -> int | None:
        """The line, from 1."""
        return self.context.get("line")

    @property
    def column(self) -> int | None:
        """The character in the line, from 1."""
        return self.context.get("column")

    @property
    def source_line(self) -> str | None:
        """The line's text."""
        return self.context.get("source_line")

    @property
    def hint(self) -> str | None:
        """What can be done about it."""
        return self.context.get("hint")


class _InFileError(_PlacedError):
    """An exception about a file, or one that sums up those about several places."""

    @property
    def errors(self) -> Sequence[PromptManagerError]:
        """The exceptions that this one sums up; empty where it stands for itself."""
        return tuple(self.context.get("errors", ()))


class PromptError(PromptManagerError):
    """A prompt operation failed."""


class PromptNotFoundError(PromptError):
    """No prompt has this id, or no version of it is there to be used."""


class PromptValidationError(PromptError, _InFileError):
    """A prompt, or a file that should hold one, breaks a rule."""


class TemplateError(_PlacedError):
    """A template cannot be used. Printed as a compiler does: message, place, the line, a caret."""

    @property
    def template_name(self) -> str | None:
        """The template or partial."""
        return self.context.get("template_name")


class TemplateSyntaxError(TemplateError):
    """A template cannot be parsed."""


class TemplateRenderError(TemplateError):
    """A template cannot be rendered with these variables."""


class VersionError(PromptManagerError):
    """A version cannot be used."""


class VersionNotFoundError(VersionError):
    """The prompt exists, this version of it does not."""


class VersionConflictError(VersionError):
    """The id and version exist already, and are no draft that may be replaced."""


class StorageError(_InFileError):
    """A storage failed."""


class StorageReadError(StorageError):
    """A file or directory cannot be read; ``errors`` has one exception for each place."""


class StorageWriteError(StorageError):
    """A file or directory cannot be written."""


class PluginError(PromptManagerError):
    """A plugin failed."""


class PluginNotFoundError(PluginError):
    """No plugin has this name."""


class PluginLoadError(PluginError):
    """A plugin cannot be loaded."""


class PluginValidationError(PluginError):
    """A plugin is not what a plugin must be."""


class SchemaError(_PlacedError):
    """A schema is missing or misused."""


class SchemaParseError(SchemaError, _InFileError):
    """A schema, or a file that should hold some, breaks a rule."""


class SchemaValidationError(SchemaError):
    """Data does not fit a schema, or an answer cannot be read."""

    @property
    def errors(self) -> list[dict[str, str]]:
        """Every violation: ``path`` (such as ``items[3].email``), ``rule`` and ``message``. None holds the data."""
        return [dict(violation) for violation in self.context.get("errors", ())]


class IntegrationError(PromptManagerError):
    """A prompt cannot be handed to a provider."""


class IntegrationNotAvailableError(IntegrationError):
    """The package that an integration builds objects of is not installed.

    Args:
        integration: The integration's name, such as ``"LangChain"``.
        extra: The extra that installs what it needs, such as ``"langchain"``.

    >>> print(IntegrationNotAvailableError("LangChain", "langchain"))
    LangChain integration not available. Install with: pip install prompt-manager[langchain]
    """

    def __init__(self, integration: str, extra: str) -> None:
        from prompt_manager._distribution import install_command

        message = f"{integration} integration not available. Install with: {install_command(extra)}"
        super().__init__(message, integration=integration, extra=extra)


class ConversionError(IntegrationError):
    """A rendered prompt breaks a rule of the provider, or a variable that it needs is missing."""


class IncompatibleFormatError(IntegrationError):
    """The provider has no form for a prompt of this format."""


class ObservabilityError(PromptManagerError):
    """An observer cannot be set up."""
