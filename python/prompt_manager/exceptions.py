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
    ├── ObservabilityError
    └── PromptPicklingError

    UserWarning
    └── PromptWarning

A ``VersionNotFoundError`` is a ``PromptNotFoundError`` too.

Each exception has a ``message`` for people and a ``context`` for programs, a dict of names, ids, paths and positions.
Neither contains the value of a variable. Exceptions can be pickled.

Constructors take a message, and the context as keywords. Some also take the arguments that they have in
``agentic-prompt-manager``, so that code which raises them keeps working; their docstrings show the call.
"""

from __future__ import annotations

# `pickle` itself would take longer to import than the rest of the package.
from _pickle import PicklingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, Self

    from prompt_manager._native import Finding

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
    "PromptPicklingError",
    "PromptValidationError",
    "PromptWarning",
    "SchemaError",
    "SchemaParseError",
    "SchemaValidationError",
    "StorageError",
    "StorageReadError",
    "StorageWriteError",
    "TelemetryError",
    "TemplateError",
    "TemplateRenderError",
    "TemplateSyntaxError",
    "TracingError",
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
        context: Values for programs to read, such as names, ids and positions. ``str()`` shows a ``hint``.

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
        if self._report:
            return self._report
        hint = self.context.get("hint")
        return f"{self.message}\n  hint: {hint}" if hint else self.message

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
    """No prompt has this id or this version, or all its versions are archived.

    >>> error = PromptNotFoundError("greeting", "2.0.0")
    >>> str(error), error.context
    ("prompt 'greeting' has no version '2.0.0'", {'prompt_id': 'greeting', 'version': '2.0.0'})
    """

    def __init__(self, message: str = "", version: str | None = None, /, **context: Any) -> None:
        if version is not None:
            context = {"prompt_id": message, "version": version, **context}
            message = ""
        if not message:
            prompt_id, version = context.get("prompt_id"), context.get("version")
            message = f"no prompt has the id '{prompt_id}'"
            if version is not None:
                message = f"prompt '{prompt_id}' has no version '{version}'"
        super().__init__(message, **{name: value for name, value in context.items() if value is not None})


class PromptValidationError(PromptError, _SummaryError):
    """A prompt or a prompt file breaks a rule.

    >>> PromptValidationError("the prompt breaks a rule", [PromptError("no template")]).errors
    (PromptError('no template'),)
    """

    def __init__(self, message: str, errors: Sequence[Any] | None = None, /, **context: Any) -> None:
        super().__init__(message, **context if errors is None else {"errors": list(errors), **context})


class TemplateError(_SourceError):
    """A template cannot be used. ``str()`` shows the message, the position, and the source line with a caret."""

    @property
    def template_name(self) -> str | None:
        """The name of the template or partial."""
        return self.context.get("template_name")


class TemplateSyntaxError(TemplateError):
    """A template cannot be parsed."""


class TemplateRenderError(TemplateError):
    """A template cannot be rendered with these variables.

    An engine of your own may raise it with its template, its variables and the exception. The exception becomes the
    cause, and of the variables nothing is kept.

    >>> error = TemplateRenderError("Hi {{name}}", {"name": "Ada"}, KeyError("name"))
    >>> str(error), error.__cause__
    ('the template cannot be rendered (KeyError)', KeyError('name'))
    """

    def __init__(
        self,
        message: str,
        variables: Mapping[str, Any] | None = None,
        cause: BaseException | None = None,
        /,
        **context: Any,
    ) -> None:
        if variables is not None or cause is not None:
            reason = "" if cause is None else f" ({type(cause).__name__})"
            message = f"the template cannot be rendered{reason}"
        super().__init__(message, **context)
        if cause is not None:
            self.__cause__ = cause


class VersionError(PromptManagerError):
    """A version cannot be used."""


class VersionNotFoundError(VersionError, PromptNotFoundError):
    """The prompt exists, but it has no such version or label. ``except PromptNotFoundError`` catches it too.

    >>> str(VersionNotFoundError("greeting", "2.0.0"))
    "prompt 'greeting' has no version '2.0.0'"
    """


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
        extra: The extra that installs the package, such as ``"langchain"``. By default the name in lower case.
        package: The package, if no extra installs it.

    >>> print(IntegrationNotAvailableError("LangChain", "langchain"))
    LangChain integration not available. Install with: pip install prompt-manager[langchain]
    """

    def __init__(self, integration: str, extra: str | None = None, *, package: str | None = None) -> None:
        from prompt_manager._distribution import install_command

        extra = integration.lower() if extra is None else extra
        command = install_command(extra) if package is None else f"pip install {package}"
        message = f"{integration} integration not available. Install with: {command}"
        installs = {"extra": extra} if package is None else {"package": package}
        super().__init__(message, integration=integration, **installs)


class ConversionError(IntegrationError):
    """A required variable is missing, or the rendered prompt breaks a rule of the provider.

    Args:
        message: The description of the problem, in one line.
        prompt_id: The id of the prompt.
        framework: The framework, by the name of its plugin, such as ``"openai"``.
        cause: The exception that is the reason; it becomes ``__cause__``, as with ``raise ... from cause``.
        context: More values for programs to read.

    >>> error = ConversionError("no such model", framework="openai", cause=KeyError("model"))
    >>> error.context, error.__cause__
    ({'framework': 'openai'}, KeyError('model'))
    """

    def __init__(
        self,
        message: str,
        prompt_id: str | None = None,
        framework: str | None = None,
        cause: BaseException | None = None,
        **context: Any,
    ) -> None:
        named = {"prompt_id": prompt_id, "framework": framework}
        super().__init__(message, **{name: value for name, value in named.items() if value is not None}, **context)
        if cause is not None:
            self.__cause__ = cause


class IncompatibleFormatError(IntegrationError):
    """The provider does not support prompts of this format.

    >>> error = IncompatibleFormatError("text", "anthropic", ["chat"])
    >>> str(error), error.context["framework"]
    ('anthropic does not support prompts of format text; it supports: chat', 'anthropic')
    """

    def __init__(
        self,
        message: str = "",
        framework: str | None = None,
        supported_formats: Sequence[str] | None = None,
        /,
        **context: Any,
    ) -> None:
        if framework is not None:
            given = {"prompt_format": message, "framework": framework, "supported_formats": supported_formats}
            context = {**given, **context}
            message = ""
        if not message:
            supported = context.get("supported_formats")
            known = f"; it supports: {', '.join(supported)}" if supported else ""
            message = (
                f"{context.get('framework')} does not support prompts of format {context.get('prompt_format')}{known}"
            )
        super().__init__(message, **{name: value for name, value in context.items() if value is not None})


class ObservabilityError(PromptManagerError):
    """An observer cannot be set up."""


#: Names of ``agentic-prompt-manager`` for :class:`ObservabilityError`.
TelemetryError = TracingError = ObservabilityError


class PromptWarning(UserWarning):
    """A prompt is probably not as its author meant it. A load gives one such warning about all problems that it found.

    Args:
        message: The text of the warning.
        findings: The problems, for programs to read.

    To make it an error, for example in CI, run ``python -W error::UserWarning`` or call
    ``warnings.simplefilter("error", PromptWarning)``. The load is complete when the warning is raised.
    """

    #: The problems that a load found, each with code, severity, message, file, line and column.
    findings: tuple[Finding, ...]

    def __init__(self, message: str, findings: Iterable[Finding] = ()) -> None:
        super().__init__(message)
        self.findings = tuple(findings)


class PromptPicklingError(PromptManagerError, PicklingError):
    """Something that a manager, an engine or an integration holds cannot be pickled, such as a lambda as a helper."""
