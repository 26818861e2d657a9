"""A version that is not a draft never changes its content and never becomes a draft again, wherever it is kept."""

from __future__ import annotations

import pytest

from helpers import create_text_prompt
from prompt_manager import PromptManager
from prompt_manager.core.models import PromptVersion
from prompt_manager.core.registry import PromptRegistry
from prompt_manager.exceptions import VersionConflictError
from prompt_manager.storage import FileSystemStorage, InMemoryStorage
from prompt_manager.versioning import VersionStore


def _in_history(store):
    def save(prompt):
        store.save_version_sync(PromptVersion(prompt=prompt))

    def load():
        return store.get_version_sync("greeting", "1.0.0").prompt

    return save, load


def _in_registry(registry, write):
    def save(prompt):
        known = registry.exists_sync(prompt.id, prompt.version)
        getattr(registry, f"{write if known else 'register'}_sync")(prompt)

    return save, lambda: registry.get_sync("greeting", "1.0.0")


def _in_manager(manager):
    return manager.create_prompt_sync, lambda: manager.get_prompt_sync("greeting", version="1.0.0")


def _in_storage(storage):
    return storage.save_sync, lambda: storage.load_sync("greeting", "1.0.0")


PLACES = {
    "memory": lambda _: _in_storage(InMemoryStorage()),
    "json": lambda path: _in_storage(FileSystemStorage(path)),
    "yaml": lambda path: _in_storage(FileSystemStorage(path, format="yaml")),
    "history": lambda _: _in_history(VersionStore()),
    "history in files": lambda path: _in_history(VersionStore(path)),
    "register": lambda _: _in_registry(PromptRegistry(), "register"),
    "update": lambda _: _in_registry(PromptRegistry(), "update"),
    "register with a storage": lambda path: _in_registry(PromptRegistry(FileSystemStorage(path)), "register"),
    "manager": lambda _: _in_manager(PromptManager()),
}


@pytest.fixture(params=PLACES)
def place(request, tmp_path):
    return PLACES[request.param](tmp_path)


@pytest.mark.parametrize("status", ["active", "deprecated", "archived"])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"status": "draft"}, "cannot become a draft again\n  hint: make the draft under a new version"),
        ({"template": "Bye {{name}}!"}, "its content cannot change\n  hint: save the change as a new version"),
        (
            {"template": "Bye {{name}}!", "status": "draft"},
            "its content cannot change\n  hint: save the change as a new version",
        ),
    ],
    ids=["draft again", "other content", "both"],
)
def test_one_answer_everywhere(place, status, changes, message):
    save, load = place
    first = create_text_prompt(status=status)
    save(first)
    with pytest.raises(VersionConflictError) as caught:
        save(first.replace(**changes))
    assert str(caught.value).startswith(f"prompt 'greeting' version 1.0.0 is {status} and {message}")
    assert [caught.value.context[name] for name in ("prompt_id", "version")] == ["greeting", "1.0.0"]
    assert load().content_hash == first.content_hash
    assert load().status == status


def test_a_draft_may_change_everywhere(place):
    save, load = place
    save(create_text_prompt(template="first"))
    save(create_text_prompt(template="second"))
    save(create_text_prompt(template="third", status="active"))
    assert (load().template.content, load().status) == ("third", "active")
