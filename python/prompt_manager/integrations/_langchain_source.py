"""The source of a LangChain template: a prompt, or one of its messages, and how it is rendered, pickled and written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self
from warnings import warn

from langchain_core.load.serializable import Serializable
from pydantic import ConfigDict, Field, PrivateAttr, SkipValidation, model_validator

from prompt_manager._native import Engine, LangChainSource, Schemas, compile_prompt, opaque_prompt
from prompt_manager.core._sync import AWAITING, run_asking
from prompt_manager.core.protocols import TemplateEngineProtocol  # noqa: TC001 - pydantic reads it
from prompt_manager.core.template import TemplateEngine, native_engine
from prompt_manager.integrations.base import PromptConversionWarning, convert_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from langchain_core.load.serializable import SerializedConstructor, SerializedNotImplemented

    from prompt_manager.core._sync import CallMode

__all__ = ["NAMESPACE", "PromptSource", "compile_source"]

#: The module under which ``dumps`` writes the classes of this integration.
NAMESPACE = ["prompt_manager", "integrations", "langchain"]


def _warned(made: tuple[list[dict[str, Any] | None], list[str]]) -> list[dict[str, Any] | None]:
    """Return the messages, and warn about each step that lost something."""
    messages, steps = made
    for step in steps:
        warn(step, PromptConversionWarning, stacklevel=4)
    return messages


class PromptSource(Serializable):
    """A prompt, or one message of it, with the engine and the schemas that render it. It is immutable.

    ``dumps`` can write it if all of that is data. An engine with helpers, and a schema that is a model or calls a
    function, can be pickled, but not written as JSON.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    core: LangChainSource = Field(exclude=True, repr=False)
    engine: Annotated[TemplateEngineProtocol, SkipValidation()] = Field(exclude=True, repr=False)

    _required: list[str] = PrivateAttr()
    _optional: list[str] = PrivateAttr()
    #: The names that it accepts; ``None`` if it accepts any.
    _known: frozenset[str] | None = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def _read(cls, values: dict[str, Any]) -> dict[str, Any]:
        if "core" in values:
            return values
        known = dict(values)
        engine = TemplateEngine(**known.pop("options"))
        for name, text in known.pop("partials").items():
            engine.register_partial(name, text)
        return {"core": compile_source(engine=engine, models={}, functions={}, **known), "engine": engine}

    def model_post_init(self, context: object, /) -> None:  # noqa: ARG002 - pydantic calls it so
        """Read the variables once."""
        required, optional, complete = self.core.variables()
        if native_engine(self.engine) is None:
            required = sorted({*required, *(self._read_by_engine() - {*optional})})
        self._required = required
        self._optional = optional
        self._known = frozenset((*required, *optional)) if complete else None

    def _read_by_engine(self) -> set[str]:
        """The variables that a custom engine finds in the templates, if it has ``extract_variables``."""
        extract = getattr(self.engine, "extract_variables", None)
        return {name for text in self.core.texts for name in extract(text)} if callable(extract) else set()

    @property
    def required(self) -> list[str]:
        """The variables that must be given."""
        return list(self._required)

    @property
    def optional(self) -> list[str]:
        """The variables that may be given."""
        return list(self._optional)

    def only_used(self, variables: Mapping[str, Any], removable: frozenset[str] | None = None) -> Mapping[str, Any]:
        """Remove the variables that this prompt does not use; with ``removable``, only those that are named there."""
        known = self._known
        if known is None:
            return variables
        return {
            name: value
            for name, value in variables.items()
            if name in known or not (removable is None or name in removable)
        }

    def text(self, variables: Mapping[str, Any]) -> str:
        """The text of a prompt that is not a chat."""
        if native_engine(self.engine) is not None:
            return self.core.render(variables)
        return self.core.assemble(self._render_texts_sync(variables)[0])

    async def atext(self, variables: Mapping[str, Any]) -> str:
        """Coroutine version of :meth:`text`."""
        if native_engine(self.engine) is not None:
            return self.core.render(variables)
        return self.core.assemble((await self._render_texts(AWAITING, variables))[0])

    def rendered(self, variables: Mapping[str, Any]) -> list[dict[str, Any] | None]:
        """Return the messages, each as a class and its arguments; ``None`` for one that is left out."""
        if native_engine(self.engine) is not None:
            return _warned(self.core.render_messages(variables))
        return _warned(self.core.assemble_messages(self._render_texts_sync(variables)))

    async def arendered(self, variables: Mapping[str, Any]) -> list[dict[str, Any] | None]:
        """Coroutine version of :meth:`rendered`."""
        if native_engine(self.engine) is not None:
            return _warned(self.core.render_messages(variables))
        return _warned(self.core.assemble_messages(await self._render_texts(AWAITING, variables)))

    async def _render_texts(self, mode: CallMode, variables: Mapping[str, Any]) -> list[str]:
        return await convert_texts(self.engine, mode, self.core.id, "langchain", self.core.prepare(variables))

    def _render_texts_sync(self, variables: Mapping[str, Any]) -> list[str]:
        asked = (self.engine, "render")
        return run_asking(lambda mode: self._render_texts(mode, variables), "ainvoke", asked, sync_name="invoke")

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """The module under which ``dumps`` writes the class."""
        return NAMESPACE

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Always true: :meth:`to_json` refuses a source that contains code."""
        return True

    def to_json(self) -> SerializedConstructor | SerializedNotImplemented:
        """The data that ``dumps`` writes, or a refusal if the source contains code."""
        state = self._state()
        if type(self.engine) is not TemplateEngine or state["models"] or state["functions"]:
            return self.to_json_not_implemented()
        helpers, partials, types = self.engine.__getstate__()
        if helpers or types:
            return self.to_json_not_implemented()
        data = {name: value for name, value in state.items() if name not in {"models", "functions"}}
        options = self.engine.__getnewargs_ex__()[1]
        return {
            "lc": 1,
            "type": "constructor",
            "id": self.lc_id(),
            "kwargs": {**data, "options": options, "partials": dict(partials)},
        }

    def _state(self) -> dict[str, Any]:
        """Everything except the engine."""
        core = self.core
        schemas, models, functions = core.dependencies()
        return {
            "prompt": core.to_dict(),
            "schemas": schemas,
            "models": models,
            "functions": functions,
            "index": core.index,
            "instructions": core.instructions,
            "strict": core.strict,
            "cache_control": core.cache_control,
        }

    def __repr__(self) -> str:
        return f"PromptSource({self.core.id!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PromptSource):
            return NotImplemented
        return self.core is other.core or (self._state(), _engine(self)) == (other._state(), _engine(other))

    def __hash__(self) -> int:
        return hash((self.core.id, self.core.index))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self

    def __reduce__(self) -> tuple[Callable[..., PromptSource], tuple[dict[str, Any], TemplateEngineProtocol]]:
        return _restore, (self._state(), self.engine)


def _engine(source: PromptSource) -> object:
    """The engine as a value that can be compared."""
    engine = source.engine
    if not isinstance(engine, Engine) or native_engine(engine) is None:
        return engine
    return type(engine), engine.__getnewargs_ex__(), engine.__getstate__()


def _restore(state: dict[str, Any], engine: TemplateEngineProtocol) -> PromptSource:
    """Restore a source from its pickled state."""
    return PromptSource(core=compile_source(engine=engine, **state), engine=engine)


def compile_source(
    *,
    engine: TemplateEngineProtocol,
    prompt: dict[str, Any],
    schemas: Sequence[dict[str, Any]],
    models: Mapping[str, Any],
    functions: Mapping[str, Callable[[Any], bool]],
    index: int,
    instructions: str | None = None,
    strict: bool,
    cache_control: bool = False,
) -> LangChainSource:
    """Compile the prompt of a source for its engine, with the schemas that it needs."""
    known = Schemas()
    for name, function in functions.items():
        known.register_function(name, function)
    for name, model in models.items():
        known.put_model(name, model)
    for schema in schemas:
        known.put(schema)
    native = native_engine(engine)
    return LangChainSource(
        opaque_prompt(prompt) if native is None else compile_prompt(prompt, native),
        strict=strict,
        schemas=known,
        opaque=native is None,
        index=index,
        instructions=instructions,
        cache_control=cache_control,
    )
