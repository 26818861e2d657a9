"""The base of the integrations that make the messages of a framework from messages in the format of prompt files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from prompt_manager._native import CompiledPrompt
from prompt_manager.core._sync import AWAITING
from prompt_manager.exceptions import ConversionError, IntegrationNotAvailableError, PromptManagerError
from prompt_manager.integrations._framework_messages import checked_messages
from prompt_manager.integrations._framework_problems import Problems
from prompt_manager.integrations.base import BaseIntegration, explain_templates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prompt_manager.core._sync import CallMode
    from prompt_manager.core.models import Prompt
    from prompt_manager.integrations._framework_problems import PlacedMessage

__all__ = ["FrameworkIntegration", "require", "split_data_url"]

T = TypeVar("T")


def require(module: str, name: str, package: str) -> None:
    """Check that a framework is installed.

    Raises:
        IntegrationNotAvailableError: it is not. The message has the command that installs it.
    """
    from importlib.util import find_spec

    try:
        found = find_spec(module)
    except ModuleNotFoundError:
        # `module` is within a package that is not installed.
        found = None
    if found is None:
        raise IntegrationNotAvailableError(name, package=package)


def split_data_url(url: str) -> tuple[str, str]:
    """The MIME type and the base64 text of a ``data:`` URL. Both are empty for another address.

    >>> split_data_url("data:image/png;base64,AAAA"), split_data_url("https://example.org/a.png")
    (('image/png', 'AAAA'), ('', ''))
    """
    media_type, _, data = url.removeprefix("data:").partition(";base64,")
    return (media_type, data) if url.startswith("data:") else ("", "")


class FrameworkIntegration(BaseIntegration[T], Generic[T]):
    """An integration that makes the messages of a framework. A prompt that is not a chat is one user message."""

    #: The framework's name, for error messages.
    _name = ""
    #: The keys of a file that the framework does not accept.
    _left_out: Sequence[str] = ("context", "citations")
    #: Whether the framework has calls and their results.
    _has_calls = True

    async def convert(self, prompt: Prompt, variables: Mapping[str, Any]) -> T:
        """Render a prompt and convert it to the framework's objects, which the class describes.

        Raises:
            ConversionError: a variable is missing, or the framework cannot express a message.
        """
        converted: T = await self._observed(AWAITING, "convert", prompt, variables, self._convert)
        return converted

    def convert_sync(self, prompt: Prompt, variables: Mapping[str, Any]) -> T:
        """Render a prompt and convert it to the framework's objects, which the class describes.

        Raises:
            ConversionError: a variable is missing, or the framework cannot express a message.
        """
        converted: T = self._blocking("convert", prompt, variables, self._convert)
        return converted

    async def _convert(self, mode: CallMode, prompt: Prompt | CompiledPrompt, variables: Mapping[str, Any]) -> T:
        # A prompt comes here as its handle.
        core = prompt if isinstance(prompt, CompiledPrompt) else prompt._opaque()
        problems = Problems(self._name, core.id, strict=self._strict_validation)
        try:
            messages = await self._conversation(mode, core, variables)
        except IntegrationNotAvailableError:
            raise
        except PromptManagerError as error:
            if isinstance(error, ConversionError) and "prompt_id" in error.context:
                raise
            hint = str(error.context.get("hint") or "give each variable a value of its type")
            raise problems.error(error.message, hint) from error
        checked = checked_messages(messages, self._name, problems, self._left_out, has_calls=self._has_calls)
        return self._converted(core, checked, problems)

    async def _conversation(
        self, mode: CallMode, core: CompiledPrompt, variables: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """The messages in the format of prompt files."""
        if core.format == "chat":
            return await self._chat(mode, core, variables)
        if self._native_engine is None:
            opaque, context, texts = await self._render_texts(mode, core, variables)
            return [{"role": "user", "content": opaque.assemble(context, texts, self._appends_instructions(core))}]
        text = core.render(variables, self._appends_instructions(core), self._schemas)
        return [{"role": "user", "content": text}]

    async def _chat(self, mode: CallMode, core: CompiledPrompt, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The messages of a chat. In strict mode, what only one provider understands is an error."""
        options = (self._appends_instructions(core), self._schemas, self._name if self._strict_validation else None)
        if self._native_engine is None:
            opaque, context, texts = await self._render_texts(mode, core, variables)
            return opaque.assemble_messages(context, texts, *options)
        return self._compiled(core, self._native_engine).render_messages(variables, *options)

    def _appends_instructions(self, core: CompiledPrompt) -> bool:  # noqa: ARG002 - a subclass reads the prompt
        """Whether the messages have the instructions for the answer."""
        return self._output_instructions

    def _converted(self, core: CompiledPrompt, messages: Sequence[PlacedMessage], problems: Problems) -> T:
        """The objects for messages in the format of prompt files, which were checked."""
        raise NotImplementedError

    def validate_compatibility(self, prompt: Prompt) -> bool:
        """Return whether the templates of the prompt can be rendered. Its messages depend on its variables."""
        return not explain_templates(prompt, self._native_engine)
