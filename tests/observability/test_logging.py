"""`LoggingObserver`: log events with structlog, configured or not, or with the standard library."""

from __future__ import annotations

import logging
from collections import OrderedDict, UserDict, deque
from dataclasses import dataclass
from enum import Enum
from itertools import count
from types import SimpleNamespace
from typing import NamedTuple

import pytest
import structlog
from pydantic import BaseModel, SecretStr
from structlog.testing import capture_logs

from helpers import SECRET, create_text_prompt, run_python
from prompt_manager import PromptManager
from prompt_manager.exceptions import TemplateRenderError
from prompt_manager.integrations import OpenAIIntegration
from prompt_manager.observability import BatchEvent, LoggingObserver, ReloadEvent


@pytest.fixture
def logs():
    """The events that structlog gets, configured as by an application."""
    structlog.configure()
    with capture_logs() as logs:
        yield logs
    structlog.reset_defaults()


def test_renders_and_changes_are_logged_with_their_fields(logs):
    manager = PromptManager(observers=[LoggingObserver()])
    first = manager.create_prompt_sync(create_text_prompt(status="active"), author="Ada")
    manager.update_prompt_sync(first, template="Hi {{name}}", author="Bo", changelog="Shorter")
    manager.set_label_sync("greeting", "production", "1.0.0", author="Cy")
    manager.render_sync("greeting", {"name": SECRET}, label="production")
    manager.delete_prompt_sync("greeting")
    created = {"created_by": "Ada", "has_changelog": False, "parent_version": None}
    raised = {"created_by": "Bo", "has_changelog": True, "parent_version": "1.0.0"}
    complete = next(log for log in logs if log["event"] == "render_complete")
    assert complete.pop("duration_ms") > 0
    assert len(complete.pop("execution_id")) == 36
    of = {"prompt_id": "greeting", "log_level": "info"}
    which = {**of, "version": "1.0.0", "target": None, "label": "production"}
    assert logs == [
        {"event": "version_created", "version": "1.0.0", **created, **of},
        {"event": "version_created", "version": "1.0.1", **raised, **of},
        {"event": "label_moved", "label": "production", "version": "1.0.0", "previous": None, "author": "Cy", **of},
        {"event": "render_start", "variable_count": 1, "variables": ["name"], **which},
        {"event": "render_complete", "success": True, "content_length": 6 + len(SECRET) + 1, **which},
        {"event": "prompt_deleted", "version": "1.0.0", **of},
        {"event": "prompt_deleted", "version": "1.0.1", **of},
    ]


def test_a_conversion_is_logged_with_its_target(logs, manager):
    manager.add_observer(LoggingObserver())
    OpenAIIntegration(manager.template_engine).convert_sync(manager.get_prompt_sync("explain"), {"topic": "x"})
    assert [(log["event"], log["target"]) for log in logs] == [
        ("render_start", "openai"),
        ("render_complete", "openai"),
    ]


def test_errors_are_logged_without_values(logs, manager):
    manager.add_observer(LoggingObserver())
    with pytest.raises(TemplateRenderError):
        manager.render_sync("greeting", {"Name": SECRET})
    (log,) = [log for log in logs if log["event"] == "render_error"]
    assert (log["log_level"], log["error_type"]) == ("error", "TemplateRenderError")
    assert "Missing variable 'name'" in log["error_message"]
    manager.template_engine.register_helper("fail", lambda *_: 1 / 0)
    LoggingObserver().on_render_error("greeting", "1.0.0", ValueError(SECRET), event=_event(manager))
    assert SECRET not in repr(logs)


def _event(manager):
    from prompt_manager.observability import RenderEvent

    return RenderEvent(manager.get_prompt_sync("greeting")._core, "render")


@pytest.mark.parametrize(
    ("redact", "logged"),
    [
        (None, {"name": {"token": "t", "list": [{"TOKEN": 1}]}, "token": "x"}),
        (["Token"], {"name": {"token": "[redacted]", "list": [{"TOKEN": "[redacted]"}]}, "token": "[redacted]"}),
        (lambda name, value: f"{name} of {type(value).__name__}", {"name": "name of dict", "token": "token of str"}),
    ],
)
def test_values_are_logged_only_on_request(logs, manager, redact, logged):
    manager.add_observer(LoggingObserver(log_variables=True, redact=redact))
    values = {"name": {"token": "t", "list": [{"TOKEN": 1}]}, "token": "x"}
    manager.template_engine.register_helper("noop", lambda *_: "")
    manager.registry.register_sync(create_text_prompt(id="noop", template="{{noop name token}}", status="active"))
    manager.render_sync("noop", values)
    assert logs[0]["variables"] == logged
    assert values == {"name": {"token": "t", "list": [{"TOKEN": 1}]}, "token": "x"}


@dataclass
class Account:
    token: str
    owner: object = None


class Customer(BaseModel):
    token: str
    plan: str = "free"
    code: SecretStr = SecretStr(SECRET)


class Plan(Enum):
    FREE = "free"


class Row(NamedTuple):
    token: str
    owner: int


KEPT = {"token": "[redacted]", "owner": 1}


def logged_variables(manager, logs, value, redact=("token",)):
    manager.add_observer(LoggingObserver(log_variables=True, redact=redact))
    manager.template_engine.register_helper("noop", lambda *_: "")
    manager.registry.register_sync(create_text_prompt(id="noop", template="{{noop v}}", status="active"))
    manager.render_sync("noop", {"v": value})
    return logs[0]["variables"]["v"]


@pytest.mark.parametrize(
    ("value", "logged"),
    [
        (Account(SECRET, 1), KEPT),
        (Account("x", [Account(SECRET, 1)]), {"token": "[redacted]", "owner": [KEPT]}),
        (Customer(token=SECRET), {"token": "[redacted]", "plan": "free", "code": "SecretStr"}),
        (Row(SECRET, 1), KEPT),
        (deque([{"Token": SECRET, "n": 1}]), [{"Token": "[redacted]", "n": 1}]),
        (UserDict(token=SECRET, owner=1), KEPT),
        (OrderedDict(token=SECRET, owner=1), KEPT),
        ({1: {"token": SECRET}, Row(SECRET, 1): 2}, {1: {"token": "[redacted]"}, "Row": 2}),
        ({"token": SECRET, "owner": 1}.items(), "dict_items"),
        ({1}, [1]),
        (SimpleNamespace(token=SECRET), "SimpleNamespace"),
        (iter([SECRET]), "list_iterator"),
        (SECRET.encode(), "bytes"),
        (Plan.FREE, "free"),
        (10**5000, "int"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_names_are_hidden_whatever_holds_them(logs, manager, value, logged):
    assert logged_variables(manager, logs, value) == logged
    assert SECRET not in repr(logs)


def test_a_redact_function_is_called_for_nested_names(logs, manager):
    value = Account("t", [{"name": Row("u", "v")}])
    logged = logged_variables(manager, logs, value, lambda name, value: value if name in ("v", "owner") else name)
    assert logged == {"token": "token", "owner": [{"name": "name"}]}


def shared(levels):
    value = []
    for _ in range(levels):
        value = [value, value]
    return value


@pytest.mark.parametrize("value", [shared(60), range(10**12), count(), ["x" * 10**6] * 9, {n: n for n in range(10**5)}])
def test_a_bounded_part_of_a_value_is_logged(logs, manager, value):
    assert len(repr(logged_variables(manager, logs, value))) < 1_100_000


def test_a_value_that_holds_itself_is_cut(logs, manager):
    value = {"token": SECRET}
    value["inner"] = value
    assert repr(logged_variables(manager, logs, value)).endswith("'inner': '\u2026'" + "}" * 20)
    assert SECRET not in repr(logs)


@pytest.mark.parametrize(
    ("level", "events"),
    [
        ("debug", ["render_start", "render_error", "reload", "reload", "batch_complete"]),
        ("INFO", ["render_start", "render_error", "reload", "reload", "batch_complete"]),
        ("WARNING", ["render_error", "reload"]),
        ("ERROR", ["render_error", "reload"]),
        ("CRITICAL", []),
    ],
)
def test_a_level_leaves_out_what_is_below(logs, manager, level, events):
    observer = LoggingObserver(level)
    manager.add_observer(observer)
    with pytest.raises(TemplateRenderError) as caught:
        manager.render_sync("greeting", {})
    observer.on_reload(ReloadEvent("prompts", 1)) if level != "CRITICAL" else None
    for event in (ReloadEvent("prompts", 1, [caught.value]),):
        manager._observers.tell_now("on_reload", event)
    manager._observers.tell_now("on_batch_complete", BatchEvent("greeting", "1.0.0", rows=1, duration_ms=1.0))
    assert [log["event"] for log in logs] == events
    assert (manager._renders is manager._core) == (level == "CRITICAL")
    assert bool(manager._observers.by_event["on_render_start"]) == (level.upper() in {"DEBUG", "INFO"})


@pytest.mark.parametrize(("arguments", "error"), [({"log_level": "LOUD"}, ValueError), ({"redact": "name"}, TypeError)])
def test_bad_options_are_refused(arguments, error):
    with pytest.raises(error, match=r"log_level must be|redact must be"):
        LoggingObserver(**arguments)


def test_without_structlog_configured_the_standard_library_logs(manager, caplog):
    caplog.set_level(logging.INFO)
    manager.add_observer(LoggingObserver())
    manager.render_sync("greeting", {"name": SECRET})
    record = caplog.records[0]
    assert (record.name, record.levelname) == ("prompt_manager", "INFO")
    assert record.getMessage() == (
        "render_start prompt_id='greeting' version='1.0.0' target=None variable_count=1 variables=['name']"
    )
    assert (record.event, record.prompt_id, record.variables) == ("render_start", "greeting", ["name"])
    assert SECRET not in caplog.text


SETUP = """
import logging, sys, structlog
{}
from prompt_manager import Prompt, PromptManager
from prompt_manager.observability import LoggingObserver
manager = PromptManager(observers=[LoggingObserver()])
manager.registry.register_sync(Prompt(id="hi", template="Hi {{{{name}}}}", status="active"))
manager.render_sync("hi", {{"name": "Ada"}})
"""
STDLIB = """logging.basicConfig(stream=sys.stdout, level="INFO", format="%(levelname)s %(name)s %(message)s")"""
THROUGH_STDLIB = f"""{STDLIB}
structlog.configure(
    processors=[structlog.processors.JSONRenderer()],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
)"""


@pytest.mark.parametrize(
    ("setup", "line"),
    [
        ("", "render_start"),
        (STDLIB, "INFO prompt_manager render_start prompt_id='hi' version='1.0.0'"),
        ("structlog.configure(processors=[structlog.processors.JSONRenderer()])", '"event": "render_start"'),
        (THROUGH_STDLIB, 'INFO prompt_manager {"prompt_id": "hi"'),
    ],
    ids=["nothing configured", "standard library", "structlog", "structlog over the standard library"],
)
def test_any_configuration_shows_the_events(setup, line):
    assert line in run_python(SETUP.format(setup)).splitlines()[0]
