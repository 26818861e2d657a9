"""``enable_native_logging``: events of the Rust core in Python's logging, off by default."""

from __future__ import annotations

import logging
import os
import time

import pytest

from helpers import create_text_prompt, run_python
from prompt_manager import PromptManager, PromptRegistry
from prompt_manager._native import flush_native_logging
from prompt_manager.integrations import OpenAIIntegration
from prompt_manager.observability import enable_native_logging
from prompt_manager.storage import FileSystemStorage


@pytest.fixture
def messages(caplog):
    """The messages of the core so far."""
    caplog.set_level(logging.DEBUG, "prompt_manager.native")

    def messages():
        flush_native_logging()
        return [(record.levelname, record.getMessage()) for record in caplog.records]

    yield messages
    enable_native_logging(None)


def test_loads_saves_and_label_moves_are_logged(messages, tmp_path):
    enable_native_logging("INFO")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "hi.yaml").write_text("template: Hi {{name}}\n")
    PromptManager.from_directory_sync(tmp_path / "prompts")
    registry = PromptRegistry(FileSystemStorage(tmp_path / "kept"))
    registry.register_sync(create_text_prompt(status="active"))
    registry.set_label_sync("greeting", "production", "1.0.0")
    registry.delete_sync("greeting")
    memory = PromptRegistry()
    memory.register_sync(create_text_prompt(status="active"))
    memory.set_label_sync("greeting", "production", "1.0.0")
    moved = ("INFO", 'moved a label prompt="greeting" label="production" version="1.0.0"')
    assert messages() == [
        ("INFO", f"loaded prompts directory={tmp_path / 'prompts'} files=1 read=1 prompts=1 errors=0"),
        ("INFO", "saved a prompt prompt=greeting version=1.0.0"),
        moved,
        ("INFO", 'deleted a prompt prompt="greeting"'),
        moved,
    ]


def test_slow_renders_are_warnings(messages):
    manager = PromptManager()
    manager.template_engine.register_helper("wait", lambda *_: time.sleep(0.02) or "done")
    manager.create_prompt_sync(create_text_prompt(id="slow", template="{{wait}}", status="active"))
    manager.create_prompt_sync(create_text_prompt(status="active"))
    integration = OpenAIIntegration(manager.template_engine, to_messages=True)
    enable_native_logging("WARNING", slow_render_ms=20)
    # A busy machine may make a plain render slow too.
    manager.render_sync("slow")
    integration.convert_sync(manager.get_prompt_sync("slow"), {})
    manager.render_sync("greeting", {"name": "Ada"})
    texts = messages()
    texts = [(level, text) for level, text in texts if "prompt=greeting" not in text]
    assert len(texts) == 2
    for level, text in texts:
        assert level == "WARNING"
        assert text.startswith("slow render prompt=slow version=1.0.0 duration_ms=")


def test_it_is_off_at_first_and_can_be_turned_off(messages):
    registry = PromptRegistry()
    for step in (lambda: None, lambda: enable_native_logging("ERROR"), lambda: enable_native_logging(None)):
        step()
        registry.register_sync(create_text_prompt(status="active"))
        registry.set_label_sync("greeting", "production", "1.0.0")
        registry.set_label_sync("greeting", "production", None)
    assert messages() == []


@pytest.mark.parametrize("options", [{"level": "LOUD"}, {"slow_render_ms": -1}])
def test_bad_options_are_refused(options):
    with pytest.raises(ValueError, match=r"level must be one of|slow_render_ms must be"):
        enable_native_logging(**options)


SCRIPT = """
import logging, os, sys
from prompt_manager import Prompt, PromptManager
from prompt_manager.observability import enable_native_logging
logging.basicConfig(level="INFO", stream=sys.stdout, format="%(process)d %(message)s")
enable_native_logging("INFO")
manager = PromptManager()
manager.create_prompt_sync(Prompt(id="hi", template="Hi", status="active"))
manager.set_label_sync("hi", "one", "1.0.0")
"""


def test_events_at_the_end_of_a_program_are_logged():
    assert "moved a label" in run_python(SCRIPT)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_logs_its_own_events():
    code = f"""{SCRIPT}
child = os.fork()
manager.set_label_sync("hi", "two" if child else "three", "1.0.0")
if child:
    os.waitpid(child, 0)
"""
    lines = run_python(code).splitlines()
    moves = sorted(line.partition("label=")[2].split()[0] for line in lines if "moved" in line)
    assert moves == ['"one"', '"three"', '"two"']
    assert len({line.split()[0] for line in lines if "moved" in line}) == 2


@pytest.mark.usefixtures("messages")
def test_a_handler_may_use_the_manager():
    manager = PromptManager()
    prompt = manager.create_prompt_sync(create_text_prompt(status="active"))
    seen = []

    class Moving(logging.Handler):
        def emit(self, record):
            if not seen:
                seen.append(record)
                manager.update_prompt_sync(prompt, template="Hi {{name}}")

    handler = Moving()
    logging.getLogger("prompt_manager.native").addHandler(handler)
    try:
        enable_native_logging("INFO")
        manager.set_label_sync("greeting", "production", "1.0.0")
        flush_native_logging()
    finally:
        logging.getLogger("prompt_manager.native").removeHandler(handler)
    assert manager.get_prompt_sync("greeting").version == "1.0.1"
