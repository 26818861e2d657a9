"""The template engine: Handlebars, strict and without escaping unless told otherwise."""

from __future__ import annotations

from prompt_manager._native import ChatTemplate, Engine, HelperOptions, Template, compile_chat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeVar, overload

    from prompt_manager._native import VariableUsage
    from prompt_manager.core.models import Message

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["ChatTemplate", "ChatTemplateEngine", "HelperOptions", "Template", "TemplateEngine"]


class TemplateEngine(Engine):
    r"""Compiles and renders Handlebars templates.

    Args:
        dialect: ``"prompt"``: no escaping, strict, values as Python writes them, the helpers for prompts.
            ``"handlebars"``: as handlebars.js has it, for templates that are shared with JavaScript.
        strict: A tag whose value is missing, or has no text, is an error; by default in ``prompt``. In ``handlebars``
            it is handlebars.js's own strict mode.
        allow_none: A tag whose value is ``None`` prints nothing instead of being an error; by default in
            ``handlebars``.
        escape: Escape what tags print for HTML, except in ``{{{ }}}`` and ``{{& }}``; by default in ``handlebars``.
        assume_objects: A path whose middle is missing is an error.
        known_helpers: Names that are helpers' even where they are not registered.
        known_helpers_only: No other name is a helper's.
        prevent_indent: Partials that stand alone on an indented line do not indent their lines.
        ignore_standalone: Block tags that stand alone on a line leave the line where it is.
        explicit_partial_context: Partials see only the context that they are given.
        compat: A name that the context lacks is looked for in the contexts around it.
        limits: Budgets by name, of those in ``source_bytes`` (10 MiB), ``nesting`` (100), ``partial_depth`` (50),
            ``depth`` (400), ``steps`` (10,000,000) and ``output_bytes`` (256 MiB).

    >>> engine = TemplateEngine()
    >>> engine.render_sync("{{#each items}}{{@index}}: {{name}}\n{{/each}}", {"items": [{"name": "a"}]})
    '0: a\n'
    >>> engine.compile("Dear {{title}} {{name}}").variables
    ['name', 'title']
    """

    __slots__ = ()

    async def render(
        self,
        template: str | Template,
        variables: Mapping[str, Any],
        *,
        partials: Mapping[str, str | Template] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> str:
        """Render a template.

        Args:
            template: The template, as text or compiled.
            variables: The context: a mapping, or an object with declared fields.
            partials: Templates that this one can include, before those of the engine.
            data: What ``@name`` finds.

        Raises:
            TemplateSyntaxError: the template cannot be parsed.
            TemplateRenderError: a value is missing or has no text, a partial does not exist, a limit is passed.
        """
        return self.render_sync(template, variables, partials=partials, data=data)

    async def validate(self, template: str) -> bool:
        """Whether the template can be parsed: true, or an error that says why not.

        Raises:
            TemplateSyntaxError: the template cannot be parsed.
        """
        return self.validate_sync(template)

    # At run time there is the one method; `typing` is not loaded for the two ways to call it.
    if TYPE_CHECKING:

        @overload
        def register_helper(self, name: str, function: F, *, pass_options: bool = False) -> F: ...

        @overload
        def register_helper(self, name: str, *, pass_options: bool = False) -> Callable[[F], F]: ...

    def register_helper(
        self, name: str, function: F | None = None, *, pass_options: bool = False
    ) -> F | Callable[[F], F]:
        r"""Let templates call a function; as a method or as a decorator.

        Positional arguments come in order, named ones as keywords, a missing variable as ``None``; what it returns is
        the value. Templates that were compiled before do not know a new name, so register first.

        Args:
            name: The name in templates. It wins over a variable of the same name.
            function: The function.
            pass_options: Hand the function a :class:`HelperOptions` first, with ``context``, ``data``, ``hash`` (the
                named arguments) and, for a helper that opens a block, ``fn()`` and ``inverse()``.

        >>> engine = TemplateEngine()
        >>> @engine.register_helper("stars")
        ... def stars(count):
        ...     return "*" * count
        >>> engine.render_sync("{{stars 3}}", {})
        '***'
        >>> @engine.register_helper("twice", pass_options=True)
        ... def twice(options):
        ...     return options.fn() + options.fn()
        >>> engine.render_sync("{{#twice}}{{word}} {{/twice}}", {"word": "ha"})
        'ha ha '
        """

        def register(function: F) -> F:
            if not callable(function):
                raise TypeError(f"helper {name!r} must be callable, not {type(function).__name__}")
            self._register_helper(name, function, pass_options)
            return function

        return register if function is None else register(function)


class ChatTemplateEngine:
    """Compiles and renders the messages of a chat without a prompt around them.

    Messages are those of prompt files: mappings or :class:`~prompt_manager.core.models.Message`, with content or parts,
    tool calls, and the role ``placeholder`` for messages that are given at render. Each text is a template of its own,
    so that no value can open, close or forge a message.

    Args:
        template_engine: What compiles the texts, with its options, helpers and partials; a new one by default.

    >>> engine = ChatTemplateEngine()
    >>> engine.render_messages_sync(
    ...     [
    ...         {"role": "system", "content": "You answer for {{company}}."},
    ...         {"role": "placeholder", "name": "history"},
    ...         {"role": "user", "content": "{{question}}"},
    ...     ],
    ...     {"company": "Acme", "history": [{"role": "user", "content": "{{hi}}"}], "question": "Why?"},
    ... )
    [{'role': 'system', 'content': 'You answer for Acme.'}, {'role': 'user', 'content': '{{hi}}'}, \
{'role': 'user', 'content': 'Why?'}]
    """

    __slots__ = ("_engine",)

    def __init__(self, template_engine: TemplateEngine | None = None) -> None:
        self._engine = TemplateEngine() if template_engine is None else template_engine

    @property
    def template_engine(self) -> TemplateEngine:
        """What compiles the texts."""
        return self._engine

    def compile(
        self,
        messages: Sequence[Mapping[str, Any] | Message],
        *,
        partials: Mapping[str, str | Template] | None = None,
    ) -> ChatTemplate:
        """Compile messages, to render them often.

        Args:
            messages: The messages and placeholders, in order.
            partials: Templates that they can include, before those of the engine.

        Raises:
            PromptValidationError: something is no message.
            TemplateSyntaxError: a text cannot be parsed.
        """
        return compile_chat(messages, self._engine, partials=partials)

    async def render_messages(
        self,
        messages: Sequence[Mapping[str, Any] | Message],
        variables: Mapping[str, Any],
        *,
        partials: Mapping[str, str | Template] | None = None,
    ) -> list[dict[str, Any]]:
        """Render messages, to the form of prompt files.

        Raises:
            PromptValidationError: something is no message.
            TemplateSyntaxError: a text cannot be parsed.
            TemplateRenderError: a value is missing or has no text, or a placeholder is given something else than
                messages.
        """
        return self.compile(messages, partials=partials).render(variables)

    def render_messages_sync(
        self,
        messages: Sequence[Mapping[str, Any] | Message],
        variables: Mapping[str, Any],
        *,
        partials: Mapping[str, str | Template] | None = None,
    ) -> list[dict[str, Any]]:
        """:meth:`render_messages`, for code that does not await."""
        return self.compile(messages, partials=partials).render(variables)

    async def validate(self, messages: Sequence[Mapping[str, Any] | Message]) -> bool:
        """Whether the messages can be compiled: true, or an error that says why not.

        Raises:
            PromptValidationError: something is no message.
            TemplateSyntaxError: a text cannot be parsed.
        """
        return self.validate_sync(messages)

    def validate_sync(self, messages: Sequence[Mapping[str, Any] | Message]) -> bool:
        """:meth:`validate`, for code that does not await."""
        self.compile(messages)
        return True

    def extract_variables(
        self,
        messages: Sequence[Mapping[str, Any] | Message],
        *,
        partials: Mapping[str, str | Template] | None = None,
    ) -> list[str]:
        """The names of the variables that the messages read and of their placeholders, sorted."""
        return self.compile(messages, partials=partials).variables

    def analyze(
        self,
        messages: Sequence[Mapping[str, Any] | Message],
        *,
        partials: Mapping[str, str | Template] | None = None,
    ) -> dict[str, VariableUsage]:
        """How the messages use each variable; a placeholder counts as a list that is walked."""
        return self.compile(messages, partials=partials).analyze()
