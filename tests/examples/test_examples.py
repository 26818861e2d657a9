"""Every example prompt renders with its inputs and matches its description."""

from __future__ import annotations

import json
import re

import pytest

from helpers import EXAMPLES
from prompt_manager import PromptManager
from prompt_manager.exceptions import ConversionError, TemplateRenderError
from prompt_manager.integrations import AnthropicIntegration, OpenAIIntegration

IDS = sorted(
    path.relative_to(EXAMPLES / "prompts").with_suffix("").as_posix() for path in (EXAMPLES / "prompts").rglob("*.yaml")
)


def inputs(prompt_id):
    return json.loads((EXAMPLES / "inputs" / f"{prompt_id}.json").read_text(encoding="utf-8"))


def texts_in(value):
    """Collect every string within a value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = [*value, *value.values()]
    return [text for item in value for text in texts_in(item)] if isinstance(value, list) else []


def test_there_are_enough_examples(examples):
    assert len(IDS) >= 8
    assert {summary.format.value for summary in examples.list_prompts_sync()} == {
        "text", "chat", "completion", "instruction",
    }  # fmt: skip


def test_examples_load_without_warnings():
    PromptManager.from_directory_sync(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")


@pytest.mark.parametrize("prompt_id", IDS)
class TestEach:
    def test_each_rendered_example_contains_its_inputs_exactly(self, examples, prompt_id):
        shown = examples.render_sync(prompt_id, inputs(prompt_id))
        if examples.get_prompt_sync(prompt_id).format == "chat":
            messages = examples.render_messages_sync(prompt_id, inputs(prompt_id))
            shown += "\n".join(texts_in(json.loads(json.dumps(messages))))
        for name, value in inputs(prompt_id).items():
            if isinstance(value, str):
                assert value in shown, name

    def test_rendered_examples_have_no_unrendered_tags(self, examples, prompt_id):
        given = " ".join(texts_in(inputs(prompt_id)))
        for tag in re.findall(r"\{\{.*?\}\}", examples.render_sync(prompt_id, inputs(prompt_id))):
            assert tag in given

    def test_missing_variables_are_named(self, examples, prompt_id):
        with pytest.raises(TemplateRenderError, match=f"Missing variable.* for prompt '{prompt_id}'"):
            examples.render_sync(prompt_id, {})
        with pytest.raises(ConversionError, match=f"Failed to convert prompt '{prompt_id}' to OpenAI format: Missing"):
            OpenAIIntegration(examples.template_engine).convert_sync(examples.get_prompt_sync(prompt_id), {})

    def test_each_example_has_a_description_and_tags(self, examples, prompt_id):
        (summary,) = [summary for summary in examples.list_prompts_sync() if summary.id == prompt_id]
        if prompt_id != "greeting":  # the shortest possible prompt
            assert summary.description
            assert summary.tags

    def test_each_example_converts_strictly_without_warnings(self, examples, prompt_id):
        prompt = examples.get_prompt_sync(prompt_id)
        form = OpenAIIntegration(examples.template_engine).convert_sync(prompt, inputs(prompt_id))
        if prompt.format != "chat":
            assert form == examples.render_sync(prompt_id, inputs(prompt_id))
            return
        assert [message["role"] for message in form][-1] in ("user", "tool")
        form = AnthropicIntegration(examples.template_engine).convert_sync(prompt, inputs(prompt_id))
        assert set(form) == {"system", "messages"}


def test_inputs_prompts_and_readme_list_the_same_examples():
    files = (EXAMPLES / "inputs").rglob("*.json")
    assert sorted(path.relative_to(EXAMPLES / "inputs").with_suffix("").as_posix() for path in files) == IDS
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\[`([^`]+)`\]\(prompts/", readme)) == IDS


def test_the_program_in_the_readme_runs(monkeypatch):
    monkeypatch.chdir(EXAMPLES.parent)
    (program,) = re.findall(r"```python\n(.*?)```", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    namespace: dict[str, object] = {}
    exec(program, namespace)  # noqa: S102
    assert [message["role"] for message in namespace["messages"]] == ["system", "user"]
