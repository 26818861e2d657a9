"""The template engine: Handlebars, strict and without escaping unless told otherwise."""

from __future__ import annotations

from prompt_manager._native import Engine, HelperOptions, Template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar, overload

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["HelperOptions", "Template", "TemplateEngine"]


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
