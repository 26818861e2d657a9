"""`OpenTelemetryObserver`: a span for each render, and the prompt's identity on the spans of model calls."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from opentelemetry import context, metrics, trace
from opentelemetry.trace import Status, StatusCode

from prompt_manager._native import __version__
from prompt_manager.core._parts import require_methods
from prompt_manager.exceptions import PromptManagerError
from prompt_manager.observability.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextvars import Token
    from typing import Any

    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

    from prompt_manager.core.events import BatchEvent, RenderEvent
    from prompt_manager.core.models import LabelMove, PromptExecution, PromptVersion

    #: An open render: its span, the token that restores the context, and the time of its start.
    OpenRender = tuple[Span, Token[Context], float]

__all__ = ["OpenTelemetryObserver", "PromptSpanProcessor", "forget_prompt", "prompt_attributes"]

#: The key in OpenTelemetry's context for the attributes of the prompt that was rendered last.
_KEY = context.create_key("prompt-manager-prompt")

#: OpenInference's instrumentations read this key from the context, and put its value on their spans.
_OPENINFERENCE_VERSION = "llm.prompt_template.version"

#: The beginnings of attributes that instrumentations give the spans of model calls.
_MODEL_CALL = ("gen_ai.", "llm.", "openinference.")


class OpenTelemetryObserver(Observer):
    """Makes a span ``prompt.render`` for each render, conversion and request.

    The span is current during the render, and a child of the span that was current before. Its attributes are
    ``gen_ai.prompt.name`` and ``gen_ai.prompt.version`` of the semantic conventions, and ``prompt.id``,
    ``prompt.version``, ``prompt.label``, ``prompt.content_hash``, ``prompt.target``, ``prompt.operation``,
    ``prompt.variable_count``, ``prompt.content_length`` and ``prompt.execution_id``. No attribute and no recorded
    exception has the value of a variable.

    After the render, the identity of the prompt stays in the context until the surrounding span ends, or the next
    render. Add a :class:`PromptSpanProcessor` to your tracer provider, and the span of the model call that follows
    carries it.

    It also records the histogram ``prompt.render.duration`` in seconds, with the attribute ``error.type`` for errors.
    If your program configures no OpenTelemetry SDK, nothing is recorded.

    Args:
        tracer_name: The name of the tracer and the meter.
        tracer_provider: Makes the spans; the global provider by default.
        meter_provider: Makes the histogram; the global provider by default.

    Raises:
        TypeError: the name is not a str, or a provider is none.
    """

    def __init__(
        self,
        tracer_name: str = "prompt-manager",
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        if not isinstance(tracer_name, str):
            raise TypeError(f"tracer_name must be a str, not {type(tracer_name).__name__}")
        for provider, what, method in (
            (tracer_provider, "the tracer provider", "get_tracer"),
            (meter_provider, "the meter provider", "get_meter"),
        ):
            if provider is not None:
                require_methods(provider, what, [method], "OpenTelemetry's providers")
        self._tracer = trace.get_tracer(tracer_name, __version__, tracer_provider)
        meter = metrics.get_meter(tracer_name, __version__, meter_provider)
        self._durations = meter.create_histogram(
            "prompt.render.duration", unit="s", description="The time of renders, conversions and requests"
        )
        #: The renders that have begun and not ended.
        self._open: dict[RenderEvent, OpenRender] = {}

    def on_render_start(
        self, prompt_id: str, version: str, variables: Mapping[str, Any], *, event: RenderEvent
    ) -> None:
        """Start the span, and make it the current one."""
        attributes: dict[str, Any] = {
            **_identity(event),
            "prompt.operation": event.operation,
            "prompt.variable_count": len(variables),
            "prompt.execution_id": str(event.execution_id),
        }
        if event.target is not None:
            attributes["prompt.target"] = event.target
        span = self._tracer.start_span("prompt.render", attributes=attributes)
        token = context.attach(trace.set_span_in_context(span))
        self._open[event] = span, token, perf_counter()

    def on_render_complete(
        self, prompt_id: str, version: str, execution: PromptExecution, *, event: RenderEvent
    ) -> None:
        """End the span, and leave the identity of the prompt in the context."""
        span = self._end(event)
        if span is None:
            return
        span.set_attribute("prompt.content_length", len(execution.rendered_content))
        if event.cache_hit:
            span.set_attribute("prompt.cache_hit", value=True)
        span.end()
        after = context.set_value(_KEY, _identity(event))
        context.attach(context.set_value(_OPENINFERENCE_VERSION, version, after))

    def on_render_error(self, prompt_id: str, version: str, error: BaseException, *, event: RenderEvent) -> None:
        """End the span with the error, without the values that a message of another package may hold."""
        kind = _name_of(error)
        span = self._end(event, {"error.type": kind})
        if span is None:
            return
        message = error.message if isinstance(error, PromptManagerError) else None
        span.set_attribute("error.type", kind)
        span.set_status(Status(StatusCode.ERROR, message))
        details = {"exception.type": kind}
        span.add_event("exception", details if message is None else {**details, "exception.message": message})
        span.end()

    def _end(self, event: RenderEvent, outcome: Mapping[str, str] | None = None) -> Span | None:
        """Restore the context from before the render, and record its duration. Returns its span, to be ended."""
        known = self._open.pop(event, None)
        if known is None:
            return None
        span, token, start = known
        attributes = {"gen_ai.prompt.name": event.prompt_id, "gen_ai.prompt.version": event.version, **(outcome or {})}
        self._durations.record(perf_counter() - start, attributes, trace.set_span_in_context(span))
        context.detach(token)
        return span

    def on_batch_complete(self, batch: BatchEvent) -> None:
        """Record a span ``prompt.batch``."""
        attributes: dict[str, str | int | float] = {
            "gen_ai.prompt.name": batch.prompt_id,
            "gen_ai.prompt.version": batch.version,
            "prompt.id": batch.prompt_id,
            "prompt.version": batch.version,
            "prompt.batch.rows": batch.rows,
            "prompt.batch.errors": batch.errors,
            "prompt.batch.duration_ms": batch.duration_ms,
        }
        self._tracer.start_span("prompt.batch", attributes=attributes).end()

    def on_version_created(self, version: PromptVersion) -> None:
        """Record a span ``prompt.version.create``."""
        attributes = {
            "prompt.id": version.prompt.id,
            "prompt.version": version.version,
            "prompt.parent_version": version.parent_version or "",
            "prompt.created_by": version.created_by or "",
        }
        self._tracer.start_span("prompt.version.create", attributes=attributes).end()

    def on_label_moved(self, prompt_id: str, move: LabelMove) -> None:
        """Record a span ``prompt.label.move``."""
        attributes = {
            "prompt.id": prompt_id,
            "prompt.label": move.label,
            "prompt.version": move.version or "",
            "prompt.previous_version": move.previous or "",
        }
        self._tracer.start_span("prompt.label.move", attributes=attributes).end()


class PromptSpanProcessor:
    """Puts the identity of the prompt that was rendered last on the spans of model calls.

    Add it to the tracer provider of OpenTelemetry's SDK: ``provider.add_span_processor(PromptSpanProcessor())``. A span
    of a model call is one whose instrumentation gives it an attribute of the GenAI conventions or of OpenInference when
    it starts, as those for OpenAI, Anthropic, LangChain and others do. Other spans are left alone.
    """

    def on_start(self, span: Any, parent_context: Context | None = None) -> None:
        """Mark the span of a model call."""
        identity = context.get_value(_KEY, parent_context)
        known = span.attributes
        if identity and known and "prompt.id" not in known and any(name.startswith(_MODEL_CALL) for name in known):
            span.set_attributes(identity)

    def _on_ending(self, span: Any) -> None:
        """Nothing; the SDK calls it before a span ends."""

    def on_end(self, span: Any) -> None:
        """Nothing; the span was marked when it started."""

    def shutdown(self) -> None:
        """Nothing; there is nothing to shut down."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing; there is nothing to flush."""
        return True


def prompt_attributes() -> dict[str, str]:
    """Return the identity of the prompt that was rendered last in this context, as attributes for your own spans."""
    identity: Any = context.get_value(_KEY)
    return dict(identity or {})


def forget_prompt() -> None:
    """Remove the identity of the prompt from the context.

    It is removed anyway when the surrounding span, the task or the request ends. Call this between two pieces of work
    of a thread that has no surrounding span, if the second calls a model without a prompt.
    """
    context.attach(context.set_value(_OPENINFERENCE_VERSION, None, context.set_value(_KEY, None)))


def _identity(event: RenderEvent) -> dict[str, str]:
    """The attributes that say which prompt it is."""
    identity = {
        "gen_ai.prompt.name": event.prompt_id,
        "gen_ai.prompt.version": event.version,
        "prompt.id": event.prompt_id,
        "prompt.version": event.version,
        "prompt.content_hash": event.content_hash,
    }
    return identity if event.label is None else {**identity, "prompt.label": event.label}


def _name_of(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
