"""Managers, registries, storages and integrations in other processes: pickled, copied, forked and spawned."""

from __future__ import annotations

import concurrent.futures
import copy
import multiprocessing
import pickle
import subprocess
import sys

import pytest

from helpers import EXAMPLES, ROOT, create_chat_prompt, create_text_prompt
from prompt_manager import PromptManager, PromptRegistry, TemplateEngine, VersionStore
from prompt_manager.exceptions import PromptManagerError, PromptPicklingError
from prompt_manager.integrations.anthropic import AnthropicIntegration
from prompt_manager.integrations.langchain import LangChainIntegration
from prompt_manager.integrations.openai import OpenAIIntegration
from prompt_manager.storage import FileSystemStorage, InMemoryStorage
from prompt_manager.validation.loader import SchemaLoader

pytestmark = pytest.mark.integration

ADA = {"name": "Ada"}


def shout(text):
    return text.upper()


def is_even(number):
    return number % 2 == 0


def in_memory():
    """A manager with prompts, labels, schemas, helpers, partials and a history."""
    engine = TemplateEngine()
    engine.register_helper("shout", shout)
    engine.register_partial("sign", "-- {{shout name}}")
    manager = PromptManager(template_engine=engine)
    manager.register_schema("person", {"name": "person", "fields": [{"name": "name", "type": "string"}]})
    first = create_text_prompt(template="Hello {{name}} {{> sign}}", status="active", input_schema="person")
    first = manager.create_prompt_sync(first, changelog="First words")
    manager.update_prompt_sync(first, template="Hi {{name}} {{> sign}}", changelog="Shorter")
    manager.set_label_sync("greeting", "production", "1.0.0", author="Bo")
    return manager


def from_directory():
    return PromptManager.from_directory_sync(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")


def pickled(value):
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("travel", [pickled, copy.deepcopy, copy.copy])
def test_a_manager_in_memory_carries_its_prompts(travel):
    manager = in_memory()
    copied = travel(manager)
    for each in (manager, copied):
        assert each.render_sync("greeting", ADA) == "Hi Ada -- ADA"
        assert each.render_sync("greeting", ADA, label="production") == "Hello Ada -- ADA"
    assert copied.get_label_history_sync("greeting") == manager.get_label_history_sync("greeting")
    assert copied.get_history_sync("greeting") == manager.get_history_sync("greeting")
    assert copied.get_prompt_sync("greeting") == manager.get_prompt_sync("greeting")
    if travel is not copy.copy:
        copied.set_label_sync("greeting", "production", "1.0.1")
        assert manager.render_sync("greeting", ADA, label="production") == "Hello Ada -- ADA"


@pytest.mark.parametrize("travel", [pickled, copy.deepcopy])
def test_a_manager_from_a_directory_loads_it_again(travel, directory, monkeypatch):
    root = directory({"greeting.yaml": 'template: "Hello {{name}}!"\nvariables: {name: string}\n'})
    monkeypatch.chdir(root.parent)
    manager = PromptManager.from_directory_sync("prompts", refresh=0, unknown_variables="error")
    monkeypatch.chdir(ROOT)
    copied = travel(manager)
    assert copied.render_sync("greeting", ADA) == "Hello Ada!"
    manager.set_label_sync("greeting", "production", "1.0.0")
    assert copied.render_sync("greeting", ADA, label="production") == "Hello Ada!"
    with pytest.raises(PromptManagerError):
        copied.render_sync("greeting", {**ADA, "nmae": 1})


@pytest.mark.parametrize("travel", [pickled, copy.deepcopy])
@pytest.mark.parametrize("make", [FileSystemStorage, lambda _path: InMemoryStorage()], ids=["files", "memory"])
def test_a_manager_from_a_storage_reads_it_again(travel, make, tmp_path):
    storage = make(tmp_path)
    for version in ("1.0.0", "1.0.1"):
        storage.save_sync(create_text_prompt(version=version, template=f"{version} {{{{name}}}}", status="active"))
    storage.set_label_sync("greeting", "production", "1.0.0", author="Bo")
    copied = travel(PromptManager.from_storage_sync(storage, refresh=0))
    assert copied.render_sync("greeting", ADA, label="production") == "1.0.0 Ada"
    assert copied.get_label_history_sync("greeting") == storage.get_label_history_sync("greeting")
    if make is FileSystemStorage:
        storage.set_label_sync("greeting", "production", "1.0.1")
        assert copied.render_sync("greeting", ADA, label="production") == "1.0.1 Ada"


@pytest.mark.parametrize("travel", [pickled, copy.deepcopy])
def test_registries_stores_and_loaders_travel_too(travel, tmp_path):
    registry = travel(in_memory().registry)
    assert type(registry) is PromptRegistry
    assert registry.get_versions_sync("greeting") == ["1.0.0", "1.0.1"]
    store = VersionStore(tmp_path)
    manager = PromptManager(version_store=store)
    manager.create_prompt_sync(create_text_prompt(status="active"), changelog="First")
    assert travel(store).get_latest_sync("greeting").changelog == "First"
    loader = SchemaLoader()
    rule = {"type": "custom", "custom_function": "is_even"}
    loader.register({"name": "s", "fields": [{"name": "n", "type": "integer", "validators": [rule]}]})
    loader.register_function("is_even", is_even)
    copied = travel(loader)
    assert copied.validate_data_sync("s", {"n": 4}) == {"n": 4}
    with pytest.raises(PromptManagerError):
        copied.validate_data_sync("s", {"n": 3})


INTEGRATIONS = [
    (OpenAIIntegration, {}),
    (OpenAIIntegration, {"api": "responses", "strict_validation": False}),
    (AnthropicIntegration, {"merge_turns": True}),
]


@pytest.mark.parametrize("travel", [pickled, copy.deepcopy])
@pytest.mark.parametrize(("kind", "options"), INTEGRATIONS, ids=str)
def test_an_integration_converts_the_same_elsewhere(kind, options, travel):
    manager = from_directory()
    prompt = manager.get_prompt_sync("customer_support")
    integration = kind(manager.template_engine, schemas=manager.schemas, **options)
    values = {"company": "Acme", "user_query": "How?"}
    expected = integration.convert_sync(prompt, values)
    assert travel(integration).convert_sync(travel(prompt), values) == expected


def test_langchain_s_integration_travels():
    pytest.importorskip("langchain_core")
    integration = pickled(LangChainIntegration(TemplateEngine()))
    assert integration.convert_sync(create_chat_prompt(), {"topic": "tea"})


def test_what_cannot_travel_is_an_error_that_names_it():
    engine = TemplateEngine()
    engine.register_helper("wave", lambda: "~")
    manager = PromptManager(template_engine=engine)
    for each in (manager, manager.registry, engine, OpenAIIntegration(engine)):
        with pytest.raises(PromptPicklingError, match="the helper 'wave' cannot be pickled") as caught:
            pickle.dumps(each)
        assert isinstance(caught.value, pickle.PicklingError)
        assert "at the top of a module" in str(caught.value)
    # A copy stays in the process.
    assert copy.deepcopy(manager).template_engine.render_sync("{{wave}}", {}) == "~"


def test_an_engine_of_an_application_that_cannot_travel_is_named():
    class Engine(TemplateEngine):
        """It is defined where no other process finds it."""

    with pytest.raises(PromptPicklingError, match=r"the template engine .*Engine cannot be pickled"):
        pickle.dumps(PromptManager(template_engine=Engine()))

    class Storage(InMemoryStorage):
        pass

    with pytest.raises(PromptPicklingError, match="the storage Storage cannot be pickled"):
        pickle.dumps(PromptManager(PromptRegistry(Storage())))


def test_observers_stay_behind():
    class Observer:
        def on_render_start(self, prompt_id, version, variables):
            raise AssertionError((prompt_id, version, variables))

    manager = in_memory()
    manager.add_observer(Observer())
    assert pickled(manager).render_sync("greeting", ADA) == "Hi Ada -- ADA"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_pool_of_processes_renders(method, directory):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    root = directory({"greeting.yaml": 'template: "Hello {{name}}!"\n'})
    manager = PromptManager.from_directory_sync(root, refresh=0)
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        results = [pool.submit(manager.render_sync, "greeting", {"name": number}) for number in range(8)]
        assert [result.result(timeout=120) for result in results] == [f"Hello {number}!" for number in range(8)]


FINGERPRINT = """
import hashlib, pickle
from prompt_manager import Prompt, PromptManager
from prompt_manager.integrations.openai import OpenAIIntegration

manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
values = [manager, manager.registry, manager.get_prompt_sync("greeting"), manager.schemas,
          OpenAIIntegration(manager.template_engine, schemas=manager.schemas)]
made = Prompt(
    id="made",
    messages=[{"role": "system", "content": "{{> tone}}"}, {"role": "user", "content": "{{question}}"}],
    variables={"question": {"type": "string", "description": "What to answer"}},
    partials={"tone": "Be brief.", "farewell": "Bye."},
    tools=[{"name": "search", "parameters": {"type": "object", "properties": {"query": {"type": "string"}}}}],
    settings={"model": "gpt-5", "openai": {"service_tier": "flex"}},
    metadata={"tags": ["b", "a"], "custom": {"team": "docs", "level": 2}},
    labels=["production", "beta"],
    status="active",
    uid="0f8fad5b-d9cb-469f-a165-70867728950e",
    created_at="2026-01-31T12:00:00Z",
    updated_at="2026-01-31T12:00:00Z",
)
in_memory = PromptManager()
in_memory.registry.register_sync(made)
values += [made, in_memory.get_prompt_sync("made"), in_memory]
for value in values:
    print(hashlib.sha256(pickle.dumps(value)).hexdigest())
"""


def test_every_process_pickles_to_the_same_bytes():
    """Hugging Face's `map` hashes what it pickles, and looks its results up by the hash."""
    seen = {
        subprocess.run(
            [sys.executable, "-c", FINGERPRINT],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1
    assert len(set(seen.pop().split())) == 8


def test_a_changed_prompt_changes_the_fingerprint(directory):
    root = directory({"greeting.yaml": 'template: "Hello {{name}}!"\n'})
    before = pickle.dumps(PromptManager.from_directory_sync(root))
    assert pickle.dumps(PromptManager.from_directory_sync(root)) == before
    (root / "greeting.yaml").write_text('template: "Hi {{name}}!"\n', encoding="utf-8")
    assert pickle.dumps(PromptManager.from_directory_sync(root)) != before


MAP = """
import sys
from datasets import Dataset, disable_progress_bars
from prompt_manager import PromptManager

disable_progress_bars()
manager = PromptManager.from_directory_sync(sys.argv[1])
rows = Dataset.from_dict({"name": ["Ada", "Bo"]})
rendered = rows.map(lambda row: {"text": manager.render_sync("greeting", {"name": row["name"]})})
print(rendered["text"][:], rendered._fingerprint)
"""


def test_datasets_map_finds_the_results_of_another_process(directory):
    root = directory({"greeting.yaml": 'template: "Hello {{name}}!"\n'})

    def mapped(seed):
        return subprocess.run(
            [sys.executable, "-c", MAP, root],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "HF_HUB_OFFLINE": "1", "HOME": str(root)},
        ).stdout

    first = mapped("1")
    assert first.startswith("['Hello Ada!', 'Hello Bo!'] ")
    assert mapped("2") == first
    (root / "greeting.yaml").write_text('template: "Hi {{name}}!"\n', encoding="utf-8")
    assert mapped("1").split()[-1] != first.split()[-1]
