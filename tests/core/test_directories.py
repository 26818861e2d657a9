"""What a directory of prompts holds beside prompts: partials, schemas, tests and labels."""

from __future__ import annotations

import time
from typing import ClassVar

import pytest

from prompt_manager import PromptManager, PromptRegistry, TemplateEngine
from prompt_manager.exceptions import PromptManagerError, StorageReadError
from prompt_manager.integrations import OpenAIIntegration
from prompt_manager.storage import YAMLLoader

TRIAGE = """\
messages:
  - role: system
    content: |-
      You triage tickets.
      {{> support/tone}}
  - {role: user, content: "{{ticket}}"}
"""
SCHEMA = """\
schemas:
  - name: answer
    fields: [{name: text, type: string}]
"""


@pytest.fixture(params=["await", "sync"])
async def load(request):
    """Load a directory, asynchronously or by the ``_sync`` version."""

    async def run(root, **options):
        if request.param == "sync":
            return PromptManager.from_directory_sync(root, **options)
        return await PromptManager.from_directory(root, **options)

    return run


class TestPartials:
    FILES: ClassVar = {"triage.yaml": TRIAGE, "partials/support/tone.hbs": "Be {{mood}}.", "partials/.draft.hbs": "{{"}

    async def test_every_prompt_can_include_them(self, load, directory):
        manager = await load(directory(self.FILES))
        system = manager.render_messages_sync("triage", {"ticket": "Help", "mood": "kind"})[0]["content"]
        assert system == "You triage tickets.\nBe kind."

    async def test_so_can_prompts_of_the_program_and_integrations(self, load, directory):
        manager = await load(directory(self.FILES))
        prompt = manager.get_prompt_sync("triage")
        sent = OpenAIIntegration(TemplateEngine()).convert_sync(prompt, {"ticket": "Help", "mood": "kind"})
        assert sent[0]["content"] == "You triage tickets.\nBe kind."
        assert manager.template_engine.render_sync("{{> support/tone}}", {"mood": "kind"}) == "Be kind."

    async def test_a_registered_partial_and_a_prompts_own_take_precedence(self, load, directory):
        own = "template: '{{> tone}}'\npartials: {tone: own}\n"
        root = directory({"a.yaml": "template: '{{> tone}}'\n", "b.yaml": own, "partials/tone.hbs": "shared"})
        manager = await load(root)
        assert (manager.render_sync("a"), manager.render_sync("b")) == ("shared", "own")
        engine = TemplateEngine()
        engine.register_partial("tone", "registered")
        manager = await load(root, template_engine=engine)
        assert (manager.render_sync("a"), manager.render_sync("b")) == ("registered", "own")

    async def test_a_mistake_has_its_place(self, load, directory):
        root = directory({"a.yaml": "template: '{{> tone}}'\n", "partials/tone.hbs": "Be\n{{#if x}} kind."})
        with pytest.raises(StorageReadError) as caught:
            await load(root)
        (error,) = caught.value.errors
        assert "(partial 'tone')" in error.message
        assert (error.context["path"], error.context["line"]) == (str(root / "partials/tone.hbs"), 2)

    async def test_a_failed_load_leaves_none_behind(self, load, directory):
        root = directory({"a.yaml": "template: '{{'\n", "partials/tone.hbs": "Be kind."})
        engine = TemplateEngine()
        with pytest.raises(StorageReadError):
            await load(root, template_engine=engine)
        with pytest.raises(PromptManagerError, match="tone"):
            engine.render_sync("{{> tone}}", {})

    async def test_a_prompt_file_among_them_is_an_error(self, load, directory):
        root = directory({"a.yaml": "template: x\n", "partials/tone.YAML": "template: y\n", "partials/README.md": "{{"})
        with pytest.raises(StorageReadError) as caught:
            await load(root)
        (error,) = caught.value.errors
        assert error.message == "a prompt file cannot be in `partials/`, which holds partials"
        assert error.context["path"] == str(root / "partials/tone.YAML")

    async def test_a_directory_of_this_name_further_down_holds_prompts(self, load, directory):
        manager = await load(directory({"x/partials/a.yaml": "template: x\n"}))
        assert manager.render_sync("x/partials/a") == "x"

    def test_the_loader_of_files_reads_them_too(self, directory):
        registry = PromptRegistry()
        assert YAMLLoader(registry).import_directory_to_registry_sync(directory(self.FILES)) == 1
        messages = registry.get_sync("triage")
        sent = OpenAIIntegration(TemplateEngine()).convert_sync(messages, {"ticket": "Help", "mood": "kind"})
        assert sent[0]["content"] == "You triage tickets.\nBe kind."

    def test_a_change_is_live_while_the_directory_is_watched(self, directory):
        root = directory({"a.yaml": "template: '{{> tone}}'\n", "partials/tone.hbs": "one"})
        with PromptManager.from_directory_sync(root, watch=True) as manager:
            for text in ("two", "three"):
                (root / "partials/tone.hbs").write_text(text)
                end = time.monotonic() + 10
                while manager.render_sync("a") != text and time.monotonic() < end:
                    time.sleep(0.01)
                assert manager.render_sync("a") == text
            (root / "partials/tone.hbs").write_text("{{#if x}}")
            end = time.monotonic() + 10
            while not manager.reload_errors and time.monotonic() < end:
                time.sleep(0.01)
            assert "(partial 'tone')" in str(manager.reload_errors[0])
            assert manager.render_sync("a") == "three"


class TestSchemas:
    FILES: ClassVar = {"a.yaml": "template: x\noutput_schema: answer\n", "schemas/all.yaml": SCHEMA}

    async def test_they_are_found_without_an_option(self, load, directory):
        manager = await load(directory(self.FILES))
        assert manager.schemas.names() == ["answer"]
        assert [prompt.id for prompt in manager.list_prompts_sync()] == ["a"]

    async def test_a_prompt_that_names_another_is_an_error(self, load, directory):
        root = directory({**self.FILES, "b.yaml": "template: x\ninput_schema: anser\n"})
        with pytest.raises(StorageReadError, match="uses the schema 'anser'"):
            await load(root)

    @pytest.mark.parametrize("place", ["schemas", "my_schemas", "sub/schemas"])
    async def test_a_directory_that_is_named_may_be_among_the_prompts(self, load, directory, place):
        root = directory({"a.yaml": "template: x\noutput_schema: answer\n", f"{place}/all.yaml": SCHEMA})
        manager = await load(root, schema_dir=root / place)
        assert manager.schemas.names() == ["answer"]
        assert [prompt.id for prompt in manager.list_prompts_sync()] == ["a"]


async def test_tests_and_hidden_files_are_no_prompts(load, directory):
    root = directory(
        {"a.yaml": "template: x\n", "a.test.yaml": "{", "sub/b.TEST.yml": "{", ".c.yaml": "{", ".d/e.yaml": "{"}
    )
    assert [prompt.id for prompt in (await load(root)).list_prompts_sync()] == ["a"]


@pytest.mark.parametrize("name", ["labels.yaml", "Labels.YML"])
async def test_a_prompt_under_the_name_of_the_labels_is_an_error(load, directory, name):
    root = directory({"a.yaml": "template: x\n", name: "template: y\n", "sub/labels.yaml": "template: z\n"})
    with pytest.raises(StorageReadError) as caught:
        await load(root)
    (error,) = caught.value.errors
    assert error.hint == "this file is for the labels of the directory; give a prompt file another name"
    (root / name).unlink()
    assert [prompt.id for prompt in (await load(root)).list_prompts_sync()] == ["a", "sub/labels"]
