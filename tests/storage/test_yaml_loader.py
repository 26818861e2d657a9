"""The loader of prompt files: what it reads, what it registers, and its errors for broken files."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import pytest

from helpers import EXAMPLES
from prompt_manager import PromptManager, PromptRegistry, TemplateEngine
from prompt_manager.core.models import PromptSchema
from prompt_manager.exceptions import (
    PromptValidationError,
    SchemaError,
    SchemaValidationError,
    StorageReadError,
    VersionConflictError,
)
from prompt_manager.integrations import OpenAIIntegration
from prompt_manager.storage import InMemoryStorage, YAMLLoader

GREETING = 'id: greeting\nformat: text\ntemplate: "Hello {{name}}!"\n'
SEVERAL = """\
version: 2.1.0
metadata: {author: Ada, team: {name: core}}
prompts:
  - {id: one, format: text, template: "1"}
  - {id: two, format: text, template: "2"}
"""
BROKEN = "id: broken\nformat: text\ntemplate: '{{x'\n"


@pytest.fixture(params=["await", "sync"])
def call(request):
    """Call a method of a loader by name, asynchronously or by its ``_sync`` version."""

    def run(loader, name, *arguments, **options):
        if request.param == "sync":
            return getattr(loader, f"{name}_sync")(*arguments, **options)

        async def use():
            return await getattr(loader, name)(*arguments, **options)

        return asyncio.run(use())

    return run


def ids(schema: PromptSchema) -> list[str]:
    return [prompt.id for prompt in schema.prompts]


class TestLoadFile:
    def test_load_file_returns_the_prompt_of_a_file(self, call, directory):
        schema = call(YAMLLoader(), "load_file", directory({"a.yaml": GREETING}) / "a.yaml")
        assert isinstance(schema, PromptSchema)
        assert ids(schema) == ["greeting"]
        assert schema.prompts[0].template.content == "Hello {{name}}!"
        assert schema.prompts[0].status == "active"
        assert (schema.version, schema.metadata) == ("1.0.0", {})

    def test_load_file_returns_all_prompts_and_file_metadata(self, call, directory):
        schema = call(YAMLLoader(), "load_file", str(directory({"a.yaml": SEVERAL}) / "a.yaml"))
        assert ids(schema) == ["one", "two"]
        assert (schema.version, schema.metadata) == ("2.1.0", {"author": "Ada", "team": {"name": "core"}})

    def test_load_file_reads_all_documents_under_any_file_name(self, call, directory):
        path = directory({"a.txt": GREETING + "---\n" + SEVERAL}) / "a.txt"
        assert ids(call(YAMLLoader(), "load_file", path)) == ["greeting", "one", "two"]

    @pytest.mark.parametrize(
        ("content", "line", "piece"),
        [
            (BROKEN, 3, "never closed"),
            ("", 1, "contains no prompt"),
            ("id: a\nid: b\nformat: text\ntemplate: x\n", 2, "id"),
            (GREETING + "---\n" + GREETING, 5, "has version 1.0.0 twice"),
            (SEVERAL + "id: three\n", 6, "both `prompts` and `id`"),
        ],
    )
    def test_load_file_errors_have_a_location(self, call, directory, content, line, piece):
        path = directory({"a.yaml": content}) / "a.yaml"
        with pytest.raises(StorageReadError) as caught:
            call(YAMLLoader(), "load_file", path)
        (error,) = caught.value.errors
        assert piece in error._report
        assert (error.context["path"], error.context["line"]) == (str(path), line)

    def test_load_file_refuses_a_missing_file(self, call, tmp_path):
        with pytest.raises(StorageReadError) as caught:
            call(YAMLLoader(), "load_file", tmp_path / "none.yaml")
        assert "no such file" in str(caught.value.errors[0])

    def test_load_file_can_skip_broken_prompts(self, call, directory):
        root = directory({"a.yaml": GREETING + "---\n" + BROKEN, "b.yaml": BROKEN})
        loader = YAMLLoader(on_error="skip")
        with pytest.warns(UserWarning, match="never closed"):
            assert ids(call(loader, "load_file", root / "a.yaml")) == ["greeting"]
        with (
            pytest.warns(UserWarning, match="never closed"),
            pytest.raises(StorageReadError, match=r"b\.yaml has no valid prompt"),
        ):
            call(loader, "load_file", root / "b.yaml")

    def test_on_error_must_be_raise_or_skip(self, directory):
        with pytest.raises(ValueError, match="on_error must be 'raise' or 'skip'"):
            YAMLLoader(on_error="ignore").load_file_sync(directory({"a.yaml": GREETING}) / "a.yaml")


class TestLoadDirectory:
    def test_load_directory_returns_files_in_order(self, call, directory):
        root = directory({"b.yaml": SEVERAL, "a.yml": GREETING, "sub/c.yaml": BROKEN.replace("{{x", "x"), "d.txt": "{"})
        schemas = call(YAMLLoader(), "load_directory", root)
        assert [ids(schema) for schema in schemas] == [["greeting"], ["one", "two"], ["broken"]]
        assert schemas[1].version == "2.1.0"

    def test_load_directory_agrees_with_a_manager(self, call):
        found = call(YAMLLoader(), "load_directory", EXAMPLES / "prompts")
        manager = PromptManager.from_directory_sync(EXAMPLES / "prompts")
        prompts = sorted((prompt for schema in found for prompt in schema.prompts), key=lambda prompt: prompt.id)
        assert prompts == [manager.get_prompt_sync(prompt.id) for prompt in manager.list_prompts_sync()]

    def test_load_directory_reports_every_error(self, call, directory):
        root = directory({"a.yaml": BROKEN, "b.yaml": "id: b\nformat: txt\ntemplate: x\n", "c.yaml": GREETING})
        with pytest.raises(StorageReadError, match="2 problems in") as caught:
            call(YAMLLoader(), "load_directory", root)
        assert [error.context["path"] for error in caught.value.errors] == [str(root / "a.yaml"), str(root / "b.yaml")]
        assert isinstance(caught.value.errors[1], PromptValidationError)

    def test_load_directory_can_skip_broken_files(self, call, directory):
        root = directory({"a.yaml": BROKEN, "c.yaml": GREETING})
        with pytest.warns(UserWarning, match="never closed"):
            (schema,) = call(YAMLLoader(on_error="skip"), "load_directory", root)
        assert ids(schema) == ["greeting"]

    def test_load_directory_refuses_a_file(self, call, directory):
        with pytest.raises(StorageReadError):
            call(YAMLLoader(), "load_directory", directory({"a.yaml": GREETING}) / "a.yaml")


class TestImport:
    def test_import_registers_the_prompts_of_a_file(self, call, directory):
        registry = PromptRegistry()
        path = directory({"a.yaml": SEVERAL}) / "a.yaml"
        assert call(YAMLLoader(registry), "import_to_registry", path) == 2
        assert [prompt.id for prompt in registry.list_sync()] == ["one", "two"]

    def test_import_registers_the_prompts_of_a_directory(self, call, directory):
        registry = PromptRegistry()
        root = directory({"a.yaml": SEVERAL, "sub/b.yaml": GREETING})
        assert call(YAMLLoader(), "import_directory_to_registry", root, registry=registry) == 3
        assert PromptManager(registry).render_sync("greeting", {"name": "Ada"}) == "Hello Ada!"

    def test_import_saves_in_the_storage_of_the_registry(self, call, directory):
        storage = InMemoryStorage()
        path = directory({"a.yaml": GREETING}) / "a.yaml"
        call(YAMLLoader(PromptRegistry(storage)), "import_to_registry", path)
        assert storage.load_sync("greeting").template.content == "Hello {{name}}!"

    def test_import_compiles_with_the_engine_of_the_registry(self, call, directory):
        engine = TemplateEngine()
        engine.register_helper("shout", lambda text: f"{text}!")
        path = directory({"a.yaml": "id: a\nformat: text\ntemplate: '{{shout x}}'\n"}) / "a.yaml"
        registry = PromptRegistry(template_engine=engine)
        assert call(YAMLLoader(registry), "import_to_registry", path) == 1
        assert PromptManager(registry).render_sync("a", {"x": "hi"}) == "hi!"

    def test_import_does_not_change_registered_prompts(self, call, directory):
        registry = PromptRegistry()
        root = directory({"a.yaml": GREETING, "b.yaml": GREETING.replace("Hello", "Hi")})
        loader = YAMLLoader(registry)
        assert call(loader, "import_to_registry", root / "a.yaml") == 1
        assert call(loader, "import_to_registry", root / "a.yaml") == 1
        with pytest.raises(VersionConflictError):
            call(loader, "import_to_registry", root / "b.yaml")
        assert registry.get_sync("greeting").template.content == "Hello {{name}}!"

    def test_import_of_a_broken_directory_registers_nothing(self, call, directory):
        registry = PromptRegistry()
        with pytest.raises(StorageReadError):
            call(
                YAMLLoader(registry),
                "import_directory_to_registry",
                directory({"a.yaml": GREETING, "b.yaml": BROKEN}),
            )
        assert registry.count_sync() == 0

    @pytest.mark.parametrize("name", ["import_to_registry", "import_directory_to_registry", "watch_directory"])
    def test_import_needs_a_registry(self, call, name, tmp_path):
        with pytest.raises(ValueError, match="there is no registry"):
            call(YAMLLoader(), name, tmp_path)


class TestSchemas:
    FILES: ClassVar = {
        "a.yaml": "template: Hi {{name}}{{count}}\ninput_schema: order\n",
        "schemas/all.yaml": "schemas:\n"
        "  - {name: order, fields: [{name: name, type: string}, {name: count, type: integer, default: 1}]}\n",
    }

    def test_an_imported_prompt_has_its_schema(self, call, directory):
        root = directory(self.FILES)
        registry = PromptRegistry()
        assert call(YAMLLoader(registry), "import_directory_to_registry", root) == 1
        manager = PromptManager(registry)
        loaded = PromptManager.from_directory_sync(root)
        assert manager.schemas.names() == loaded.schemas.names() == ["order"]
        for each in (manager, loaded):
            assert each.render_sync("a", {"name": "Ada"}) == "Hi Ada1"
            with pytest.raises(SchemaValidationError):
                each.render_sync("a", {"name": "Ada", "count": "many"})

    def test_a_loaded_prompt_is_converted_with_its_schema(self, call, directory):
        [schema] = call(YAMLLoader(), "load_directory", directory(self.FILES))
        (prompt,) = schema.prompts
        integration = OpenAIIntegration(TemplateEngine())
        for each in (prompt, prompt.replace(template="Hi {{name}}{{count}}", version="1.0.1")):
            assert integration.convert_sync(each, {"name": "Ada"}) == "Hi Ada1"
            with pytest.raises(SchemaValidationError):
                integration.convert_sync(each, {"name": "Ada", "count": "many"})

    def test_another_schema_of_the_same_name_is_an_error(self, call, directory):
        registry = PromptRegistry()
        PromptManager(registry).register_schema("order", {"name": "order", "fields": []})
        with pytest.raises(SchemaError, match="order"):
            call(YAMLLoader(registry), "import_directory_to_registry", directory(self.FILES))
        assert registry.count_sync() == 0


class TestExample:
    def test_the_example_file_loads(self, tmp_path):
        path = tmp_path / "example.yaml"
        YAMLLoader.create_example_yaml(path)
        registry = PromptRegistry()
        assert YAMLLoader(registry).import_to_registry_sync(path) == 2
        manager = PromptManager(registry)
        assert manager.render_sync("greeting", {"name": "Ada", "service": "us"}) == "Hello Ada! Welcome to us."

    def test_the_example_overwrites_no_file(self, tmp_path):
        path = tmp_path / "example.yaml"
        path.write_text("mine")
        with pytest.raises(FileExistsError):
            YAMLLoader.create_example_yaml(path)
        assert path.read_text() == "mine"
