"""The template engine: Handlebars, by default strict and without HTML escaping."""

from __future__ import annotations

from prompt_manager._native import ChatTemplate, Engine, HelperOptions, Template, compile_chat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, SupportsIndex, TypeVar, overload

    from prompt_manager._native import VariableUsage
    from prompt_manager.core.models import Message

    F = TypeVar("F", bound=Callable[..., Any])
    C = TypeVar("C", bound=type)

__all__ = ["ChatTemplate", "ChatTemplateEngine", "HelperOptions", "Template", "TemplateEngine"]


class TemplateEngine(Engine):
    r"""Compiles and renders Handlebars templates.

    Args:
        dialect: ``"prompt"`` does not escape, is strict, prints values as Python does, and adds the helpers for
            prompts. ``"handlebars"`` behaves like handlebars.js, for templates that you share with JavaScript.
        strict: Raise an error for a tag whose value is missing or has no text. The default in ``prompt``. In
            ``handlebars`` this is the strict mode of handlebars.js.
        allow_none: Print nothing for a tag whose value is ``None``, instead of raising an error. The default in
            ``handlebars``.
        escape: Escape the output of tags for HTML, except ``{{{ }}}`` and ``{{& }}``. The default in ``handlebars``.
        assume_objects: Raise an error for a path if a part before its last one is missing.
        known_helpers: Treat these names as helpers even if they are not registered. A prompt or template that calls one
            compiles, and a render fails if it is still not registered.
        known_helpers_only: Treat no other names as helpers.
        known_partials: The names of partials that you register only after a load. A directory whose prompts include
            one loads, and a render fails if it is still not registered. Other unknown partials are errors at load.
        prevent_indent: Do not indent the output of a partial that is alone on an indented line.
        ignore_standalone: Keep the whitespace and line break around a block tag that is alone on its line.
        explicit_partial_context: Let partials see only the context that they are given.
        compat: Look up a name that the context lacks in the contexts around it.
        limits: Limits by name: ``source_bytes`` (default 10 MiB), ``nesting`` (100), ``partial_depth`` (50),
            ``depth`` (400), ``steps`` (10,000,000) and ``output_bytes`` (256 MiB).

    >>> engine = TemplateEngine()
    >>> engine.render_sync("{{#each items}}{{@index}}: {{name}}\n{{/each}}", {"items": [{"name": "a"}]})
    '0: a\n'
    >>> engine.compile("Dear {{title}} {{name}}").variables
    ['name', 'title']
    """

    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        """What pickle takes: the options, helpers, partials and registered types.

        Raises:
            PromptPicklingError: a helper, a registered type or the class of the engine cannot be pickled.
        """
        from prompt_manager.core._pickling import check_engine_picklable

        check_engine_picklable(self)
        return super().__reduce_ex__(protocol)

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
            partials: Templates that this one can include. They take precedence over the engine's partials.
            data: The values of ``@name`` variables.

        Raises:
            TemplateSyntaxError: the template cannot be parsed.
            TemplateRenderError: a value is missing or has no text, a partial does not exist, or a limit is exceeded.
        """
        return self.render_sync(template, variables, partials=partials, data=data)

    async def validate(self, template: str) -> bool:
        """Return True if the template can be parsed. Raise an error that explains why if it cannot.

        Raises:
            TemplateSyntaxError: the template cannot be parsed.
        """
        return self.validate_sync(template)

    # The overloads are for type checkers only, so that importing this module does not load `typing`.
    if TYPE_CHECKING:

        @overload
        def register_helper(self, name: str, function: F, *, pass_options: bool = False) -> F: ...

        @overload
        def register_helper(self, name: str, *, pass_options: bool = False) -> Callable[[F], F]: ...

    def register_helper(
        self, name: str, function: F | None = None, *, pass_options: bool = False
    ) -> F | Callable[[F], F]:
        r"""Register a function as a helper that templates can call. Works as a method and as a decorator.

        Positional arguments of the tag are passed in order and named ones as keywords. A missing variable is passed
        as ``None``. The return value is the value of the tag. Register helpers before you compile templates or load
        prompts that call them: an unknown helper is an error there, unless its name is in ``known_helpers``.

        Args:
            name: The name in templates. It takes precedence over a variable of the same name.
            function: The function to call.
            pass_options: Pass a :class:`HelperOptions` as the first argument, with ``context``, ``data``, ``hash``
                (the named arguments) and, for a block, ``fn()`` and ``inverse()``.

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

    # The overloads are for type checkers only, so that importing this module does not load `typing`.
    if TYPE_CHECKING:

        @overload
        def register_type(self, cls: C, fields: Iterable[str]) -> C: ...

        @overload
        def register_type(self, *, fields: Iterable[str]) -> Callable[[C], C]: ...

    def register_type(self, cls: C | None = None, fields: Iterable[str] = ()) -> C | Callable[[C], C]:
        """Let templates read fields of a class of your own, such as an ORM model. Works as a method and as a decorator.

        Objects of the class, and of its subclasses, become records with exactly these members, in rendering, schemas,
        ``{{json x}}`` and conversions. No other attribute becomes reachable. Fields of pydantic models, dataclasses,
        attrs and msgspec classes, named tuples and database rows need no registration.

        Args:
            cls: The class. A later registration of the same class replaces this one.
            fields: The names of the fields. A field can be a property. Names that begin with an underscore are private
                and refused.

        Raises:
            TypeError: ``cls`` is not a class, or is one of Python's own types or a subclass of one, or ``fields`` is
                not a sequence of names.
            ValueError: ``fields`` is empty, or a name is private.

        >>> class User:
        ...     def __init__(self, id, name, password):
        ...         self.id, self.name, self.password = id, name, password
        >>> engine = TemplateEngine()
        >>> _ = engine.register_type(User, fields=("id", "name"))
        >>> engine.render_sync("{{user.name}} has the id {{user.id}}", {"user": User(7, "Ada", "secret")})
        'Ada has the id 7'
        """
        names = _field_names(fields)

        def register(cls: C) -> C:
            if not isinstance(cls, type):
                raise TypeError(f"register_type takes a class, not {type(cls).__name__}")
            if cls is object or issubclass(cls, _OWN_TYPES):
                raise TypeError(f"templates read {cls.__name__} as the value that it is; register a class of your own")
            self._register_type(cls, names)
            return cls

        return register if cls is None else register(cls)


# Objects of these types, and of their subclasses, are texts, numbers, lists and mappings for a template.
_OWN_TYPES = (str, bytes, bytearray, int, float, complex, dict, list, tuple, set, frozenset, type, type(None))


def _field_names(fields: Iterable[str]) -> list[str]:
    """The names of the fields for ``register_type``, checked."""
    names = [] if isinstance(fields, str) else list(fields)
    if isinstance(fields, str) or not all(isinstance(name, str) for name in names):
        raise TypeError("fields must be a sequence of names, such as ('id', 'name')")
    if not names:
        raise ValueError("fields is empty: name the fields that templates may read")
    private = [name for name in names if name.startswith("_") or not name]
    if private:
        raise ValueError(f"the field {private[0]!r} is private, so templates cannot read it")
    return names


#: The package's own methods, taken before a test can patch the class.
_OWN_METHODS = {"render": TemplateEngine.render, "render_sync": TemplateEngine.render_sync}


def native_engine(engine: object) -> Engine | None:
    """Return the engine if the core may render in its place, or ``None`` if its ``render`` is not the package's.

    A mock with ``spec=TemplateEngine`` passes ``isinstance``, so the real type counts.
    """
    kind = type(engine)
    if not issubclass(kind, Engine):
        return None
    overrides = getattr(engine, "__dict__", {})
    for name, own in _OWN_METHODS.items():
        if name in overrides or getattr(kind, name, own) is not own:
            return None
    return engine  # type: ignore[return-value] # its type is checked above


def compiling_engine(engine: object) -> Engine:
    """Return the engine that parses the templates: the engine itself, or a new one if a mock stands in for it.

    Raises:
        TypeError: the engine is not a :class:`TemplateEngine`.
    """
    if issubclass(type(engine), Engine):
        return engine  # type: ignore[return-value] # its type is checked above
    if isinstance(engine, TemplateEngine):
        return TemplateEngine()
    raise TypeError(
        f"it needs a prompt_manager.TemplateEngine, not {type(engine).__name__}; pass your own engine to an integration"
    )


class ChatTemplateEngine:
    """Compiles and renders chat messages without a :class:`~prompt_manager.Prompt`.

    Messages have the format of prompt files: mappings or :class:`~prompt_manager.core.models.Message`, with content or
    parts, tool calls, and the role ``placeholder`` for messages that you pass when you render. Each text is a separate
    template, so that no value can open, close or forge a message.

    Args:
        template_engine: The engine that compiles the texts, with its options, helpers and partials. By default a new
            one.

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
        """The engine that compiles the texts."""
        return self._engine

    def compile(
        self,
        messages: Sequence[Mapping[str, Any] | Message],
        *,
        partials: Mapping[str, str | Template] | None = None,
    ) -> ChatTemplate:
        """Compile messages once, to render them many times.

        Args:
            messages: The messages and placeholders, in order.
            partials: Templates that the messages can include. They take precedence over the engine's partials.

        Raises:
            PromptValidationError: an item is not a valid message.
            TemplateSyntaxError: a text cannot be parsed.
            TypeError: the engine is a subclass that overrides ``render``, or a mock. A compiled template would not call
                it; :meth:`render_messages` does.
        """
        if self._is_own:
            raise TypeError(
                f"a compiled template would not call the `render` of {type(self._engine).__name__}: use render_messages"
            )
        return self._compiled(messages, partials)

    def _compiled(
        self, messages: Sequence[Mapping[str, Any] | Message], partials: Mapping[str, str | Template] | None
    ) -> ChatTemplate:
        return compile_chat(messages, compiling_engine(self._engine), partials=partials)

    @property
    def _is_own(self) -> bool:
        """Whether the engine's ``render`` is not the package's."""
        return native_engine(self._engine) is None

    async def render_messages(
        self,
        messages: Sequence[Mapping[str, Any] | Message],
        variables: Mapping[str, Any],
        *,
        partials: Mapping[str, str | Template] | None = None,
    ) -> list[dict[str, Any]]:
        """Render messages to dicts in the format of prompt files.

        Args:
            messages: The messages and placeholders, in order.
            variables: The values of the variables, and the messages for the placeholders.
            partials: Templates that the messages can include. They take precedence over the engine's partials.

        Raises:
            PromptValidationError: an item is not a valid message.
            TemplateSyntaxError: a text cannot be parsed.
            TemplateRenderError: a value is missing or has no text, or the value of a placeholder is not a list of
                messages.
        """
        if self._is_own:
            from prompt_manager.core._own_engine import render_messages
            from prompt_manager.core._sync import AWAITING

            return await render_messages(self._engine, AWAITING, messages, variables, partials or {})
        return self.compile(messages, partials=partials).render(variables)

    def render_messages_sync(
        self,
        messages: Sequence[Mapping[str, Any] | Message],
        variables: Mapping[str, Any],
        *,
        partials: Mapping[str, str | Template] | None = None,
    ) -> list[dict[str, Any]]:
        """Render messages to dicts in the format of prompt files.

        Args:
            messages: The messages and placeholders, in order.
            variables: The values of the variables, and the messages for the placeholders.
            partials: Templates that the messages can include. They take precedence over the engine's partials.

        Raises:
            PromptValidationError: an item is not a valid message.
            TemplateSyntaxError: a text cannot be parsed.
            TemplateRenderError: a value is missing or has no text, or the value of a placeholder is not a list of
                messages.
        """
        if self._is_own:
            from prompt_manager.core._own_engine import render_messages
            from prompt_manager.core._sync import run_asking

            return run_asking(
                lambda mode: render_messages(self._engine, mode, messages, variables, partials or {}),
                "render_messages",
                (self._engine, "render"),
            )
        return self.compile(messages, partials=partials).render(variables)

    async def validate(self, messages: Sequence[Mapping[str, Any] | Message]) -> bool:
        """Return True if the messages can be compiled. Raise an error that explains why if they cannot.

        Raises:
            PromptValidationError: an item is not a valid message.
            TemplateSyntaxError: a text cannot be parsed.
        """
        return self.validate_sync(messages)

    def validate_sync(self, messages: Sequence[Mapping[str, Any] | Message]) -> bool:
        """Return True if the messages can be compiled. Raise an error that explains why if they cannot.

        Raises:
            PromptValidationError: an item is not a valid message.
            TemplateSyntaxError: a text cannot be parsed.
        """
        self._compiled(messages, None)
        return True

    def extract_variables(
        self,
        messages: Sequence[Mapping[str, Any] | Message],
        *,
        partials: Mapping[str, str | Template] | None = None,
    ) -> list[str]:
        """Return the names of the variables that the messages read, and of the placeholders, sorted."""
        return self._compiled(messages, partials).variables

    def extract_variables_from_messages(self, messages: Sequence[Mapping[str, Any] | Message]) -> list[str]:
        """The same as :meth:`extract_variables`, by its name in ``agentic-prompt-manager``.

        >>> ChatTemplateEngine().extract_variables_from_messages([{"role": "user", "content": "{{name}} {{age}}"}])
        ['age', 'name']
        """
        return self.extract_variables(messages)

    def analyze(
        self,
        messages: Sequence[Mapping[str, Any] | Message],
        *,
        partials: Mapping[str, str | Template] | None = None,
    ) -> dict[str, VariableUsage]:
        """Return how the messages use each variable. A placeholder counts as a list that is looped over."""
        return self._compiled(messages, partials).analyze()
