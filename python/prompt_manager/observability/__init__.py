"""Observers: logs, metrics and traces of renders and of changes to prompts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from prompt_manager.core.events import BatchEvent, ReloadEvent, RenderEvent
    from prompt_manager.observability.logging import LoggingObserver
    from prompt_manager.observability.metrics import MetricsCollector
    from prompt_manager.observability.native import enable_native_logging
    from prompt_manager.observability.observer import Observer
    from prompt_manager.observability.prometheus import PrometheusCollector
    from prompt_manager.observability.stream import EventStreamObserver
    from prompt_manager.observability.telemetry import (
        OpenTelemetryObserver,
        PromptSpanProcessor,
        forget_prompt,
        prompt_attributes,
    )

__all__ = [
    "BatchEvent",
    "EventStreamObserver",
    "LoggingObserver",
    "MetricsCollector",
    "Observer",
    "OpenTelemetryObserver",
    "PrometheusCollector",
    "PromptSpanProcessor",
    "ReloadEvent",
    "RenderEvent",
    "enable_native_logging",
    "forget_prompt",
    "prompt_attributes",
]

_HOMES = {
    "BatchEvent": "prompt_manager.core.events",
    "EventStreamObserver": "prompt_manager.observability.stream",
    "LoggingObserver": "prompt_manager.observability.logging",
    "MetricsCollector": "prompt_manager.observability.metrics",
    "Observer": "prompt_manager.observability.observer",
    "OpenTelemetryObserver": "prompt_manager.observability.telemetry",
    "PrometheusCollector": "prompt_manager.observability.prometheus",
    "PromptSpanProcessor": "prompt_manager.observability.telemetry",
    "ReloadEvent": "prompt_manager.core.events",
    "RenderEvent": "prompt_manager.core.events",
    "enable_native_logging": "prompt_manager.observability.native",
    "forget_prompt": "prompt_manager.observability.telemetry",
    "prompt_attributes": "prompt_manager.observability.telemetry",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
