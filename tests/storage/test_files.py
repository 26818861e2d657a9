"""Prompts stored in files: the layout, refused input, and reports about files that others left there."""

from __future__ import annotations

import json
import os
import re

import pytest
import yaml

from helpers import create_chat_prompt, create_text_prompt
from prompt_manager import PromptManager, PromptRegistry
from prompt_manager.exceptions import (
    PromptError,
    PromptNotFoundError,
    StorageReadError,
    StorageWriteError,
    VersionConflictError,
    VersionNotFoundError,
)
from prompt_manager.storage import FileSystemStorage
from prompt_manager.storage.file import FileSystemStorage as FromModule


@pytest.fixture
def root(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def storage(root):
    return FileSystemStorage(root)


def active(version="1.0.0", **changes):
    return create_text_prompt(version=version, status="active", **changes)


def tree(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def write_file(root, place, text):
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


GREETING = "id: greeting\nversion: 1.0.0\nformat: text\ntemplate: Hello\n"


def test_both_import_paths_give_one_class():
    assert FileSystemStorage is FromModule


def test_a_version_is_a_file_beside_labels_and_lock(storage, root):
    storage.save_sync(active())
    storage.save_sync(active("2.0.0-rc.1"))
    storage.save_sync(active(id="greeting/formal"))
    storage.set_label_sync("greeting", "production", "1.0.0")
    assert tree(root) == [
        ".generation",
        ".lock",
        "greeting/.labels.json",
        "greeting/.lock",
        "greeting/1.0.0.json",
        "greeting/2.0.0-rc.1.json",
        "greeting/formal/.lock",
        "greeting/formal/1.0.0.json",
    ]
    written = json.loads((root / "greeting/1.0.0.json").read_text())
    assert list(written)[:5] == ["id", "version", "format", "status", "template"]


def test_saved_yaml_is_readable_and_parses_elsewhere(root):
    storage = FileSystemStorage(root, format="yaml")
    prompt = create_chat_prompt(status="active", metadata={"description": "no", "custom": {"since": "2026-01-31"}})
    storage.save_sync(prompt)
    text = (root / "explain/1.0.0.yaml").read_text()
    assert text == prompt.to_yaml()
    assert yaml.safe_load(text)["metadata"] == {"description": "no", "custom": {"since": "2026-01-31"}}


def test_json_and_yaml_are_read_and_versions_keep_their_format(root):
    FileSystemStorage(root).save_sync(active())
    storage = FileSystemStorage(root, format="yaml")
    storage.save_sync(active("2.0.0"))
    write_file(root, "greeting/3.0.0.yml", GREETING.replace("1.0.0", "3.0.0"))
    storage.save_sync(active(metadata={"author": "Ada"}))
    assert tree(root / "greeting") == [".lock", "1.0.0.json", "2.0.0.yaml", "3.0.0.yml"]
    assert json.loads((root / "greeting/1.0.0.json").read_text())["metadata"] == {"author": "Ada"}
    assert [prompt.version for prompt in FileSystemStorage(root).list_sync()] == ["1.0.0", "2.0.0", "3.0.0"]
    assert storage.load_sync("greeting").template.content == "Hello"


def test_defaults_of_a_handwritten_file_are_stable(storage, root):
    write_file(root, "greeting/1.0.0.yaml", GREETING)
    first = storage.load_sync("greeting")
    assert first == storage.load_sync("greeting") == storage.list_sync()[0]
    assert first.status == "active"


def test_unknown_formats_and_bad_timeouts_are_refused(root):
    with pytest.raises(ValueError, match=re.escape("format must be 'json' or 'yaml'")):
        FileSystemStorage(root, format="toml")
    for seconds in (-1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="lock_timeout"):
            FileSystemStorage(root, lock_timeout=seconds)


def test_the_first_save_creates_the_directory_if_allowed(root):
    storage = FileSystemStorage(root)
    assert storage.list_sync() == []
    assert not storage.exists_sync("greeting")
    assert not root.exists()
    strict = FileSystemStorage(root, create=False)
    for use in (strict.list_sync, lambda: strict.load_sync("greeting"), lambda: strict.exists_sync("greeting")):
        with pytest.raises(StorageReadError, match="it does not exist") as caught:
            use()
        assert caught.value.path == str(root)
    with pytest.raises(StorageWriteError, match="it does not exist"):
        strict.save_sync(active())
    storage.save_sync(active())
    strict.save_sync(active("2.0.0"))
    with pytest.raises(StorageReadError, match="it is not a directory"):
        FileSystemStorage(root / "greeting/1.0.0.json").list_sync()


def test_a_list_is_ordered_by_id_and_version(storage):
    for name, version in (("b", "1.10.0"), ("b", "1.9.0"), ("a/b", "1.0.0"), ("a", "1.0.0"), ("b", "1.9.0-rc.1")):
        storage.save_sync(active(version, id=name))
    found = [f"{prompt.id} {prompt.version}" for prompt in storage.list_sync()]
    assert found == ["a 1.0.0", "a/b 1.0.0", "b 1.9.0-rc.1", "b 1.9.0", "b 1.10.0"]


def test_delete_leaves_no_files_or_empty_directories(storage, root):
    storage.save_sync(active(id="a/b/c"))
    storage.save_sync(active(id="a/d"))
    storage.set_label_sync("a/b/c", "production", "1.0.0")
    storage.delete_sync("a/b/c")
    assert tree(root) == [".generation", ".lock", "a/d/.lock", "a/d/1.0.0.json"]
    assert not (root / "a/b").exists()
    storage.delete_sync("a/d", "1.0.0")
    assert not (root / "a").exists()


def test_a_refused_save_leaves_no_files(storage, root):
    deep = current = {}
    for _ in range(70):
        current["x"] = current = {}
    with pytest.raises(PromptError):
        storage.save_sync(create_text_prompt(template=None))
    storage.save_sync(active())
    before = tree(root)
    with pytest.raises((StorageWriteError, ValueError)):
        storage.save_sync(active(id="deep", metadata={"custom": deep}))
    with pytest.raises(VersionConflictError, match="active and its content cannot change") as caught:
        storage.save_sync(active(template="other"))
    assert caught.value.context["version"] == "1.0.0"
    assert tree(root) == before


def test_metadata_too_deep_for_yaml_is_refused(root):
    deep = current = {}
    for _ in range(45):
        current["x"] = current = {}
    prompt = active(metadata={"custom": deep})
    with pytest.raises(StorageWriteError, match="is nested too deeply"):
        FileSystemStorage(root, format="yaml").save_sync(prompt)
    assert not root.exists()
    storage = FileSystemStorage(root)
    storage.save_sync(prompt)
    assert storage.load_sync("greeting") == prompt


def test_an_unknown_id_gets_a_suggestion(storage):
    storage.save_sync(active(id="support/triage"))
    with pytest.raises(PromptNotFoundError, match="there is no prompt 'support/triag'") as caught:
        storage.load_sync("support/triag")
    assert caught.value.context["hint"] == "did you mean 'support/triage'?"
    with pytest.raises(VersionNotFoundError, match=r"has no version 2\.0\.0") as missing:
        storage.load_sync("support/triage", "2.0.0")
    assert missing.value.context["hint"] == "its only version is 1.0.0"


# Files that others left there: each is reported by name, and hides no other.

DAMAGE = {
    "an empty file": ("greeting/2.0.0.json", "", "ends too early"),
    "only whitespace": ("greeting/2.0.0.yaml", " \n", "contains no prompt"),
    "invalid JSON": ("greeting/2.0.0.json", '{"id": "greeting",}', "this is not JSON"),
    "a duplicate key in JSON": (
        "greeting/2.0.0.json",
        '{"id": "greeting", "format": "text", "template": "a", "template": "b"}',
        "the key `template` is defined twice",
    ),
    "a nested duplicate key in JSON": (
        "greeting/2.0.0.json",
        '{"id": "greeting", "format": "text", "template": "a", "metadata": {"custom": {"a": 1, "a": 2}}}',
        "the key `a` is defined twice",
    ),
    "a duplicate key in YAML": ("greeting/2.0.0.yaml", GREETING + "template: again\n", "is defined twice"),
    "a tab in YAML": ("greeting/2.0.0.yaml", GREETING + "metadata:\n\tauthor: Ada\n", "a tab cannot indent YAML"),
    "an alias bomb": (
        "greeting/2.0.0.yaml",
        GREETING
        + "metadata:\n  custom:\n    a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        + "".join(f"    {n}: &{n} [{', '.join([f'*{p}'] * 9)}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)),
        "its aliases make it too large",
    ),
    "UTF-16": ("greeting/2.0.0.yaml", GREETING.encode("utf-16"), "it is UTF-16"),
    "UTF-32": ("greeting/2.0.0.yaml", GREETING.encode("utf-32"), "it is UTF-32"),
    "Latin-1": ("greeting/2.0.0.json", '{"id": "grüße"}'.encode("latin-1"), "must be UTF-8"),
    "a file above the size limit": ("greeting/2.0.0.yaml", "#" * (16 * 2**20 + 1), "more than the limit"),
    "a number for a template in JSON": (
        "greeting/2.0.0.json",
        '{"id": "greeting", "format": "text", "template": 1.0}',
        "write it in quotes",
    ),
    "another prompt": ("greeting/2.0.0.yaml", GREETING, "it contains prompt 'greeting' in version 1.0.0"),
    "another id": ("other/1.0.0.yaml", GREETING, "it contains prompt 'greeting' in version 1.0.0"),
    "two prompts": ("greeting/2.0.0.yaml", f"{GREETING}---\n{GREETING}", "the file contains 2 prompts"),
    "an invalid version": ("greeting/02.0.0.json", "{}", "is not a version"),
    "a file name that is not a version": ("greeting/notes.json", "{}", "is not a version"),
    "an invalid id": ("my prompt/1.0.0.json", "{}", "cannot be an id"),
    "a file outside of a prompt directory": ("greeting.yaml", GREETING, "it is not in the directory of a prompt"),
    "labels in another format": ("greeting/.labels.json", "[]", "it does not contain label moves"),
    "a prompt that breaks a rule": (
        "greeting/2.0.0.json",
        '{"id": "greeting", "version": "2.0.0", "format": "chat", "template": "a"}',
        "takes `messages`",
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_an_unusable_file_is_named_and_hides_no_other(storage, root, case):
    place, text, reason = DAMAGE[case]
    storage.save_sync(active())
    storage.save_sync(active(id="bye"))
    path = write_file(root, place, text)
    with pytest.warns(UserWarning, match=re.escape(reason)) as warned:
        kept = storage.list_sync()
    assert [str(warning.message).count(str(path)) > 0 for warning in warned] == [True]
    assert [prompt.id for prompt in kept] == ["bye", "greeting"]
    [problem] = storage.check_sync()
    assert isinstance(problem, StorageReadError)
    assert problem.path == str(path)
    assert reason in str(problem)
    assert storage.load_sync("bye").id == "bye"
    assert path.read_bytes() == (text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + GREETING.replace("Hello", "no"),
        GREETING.replace("template: Hello", "template: 1.0"),
        GREETING.replace("template: Hello", f"template: {'x' * 10 * 2**20}"),
    ],
    ids=["a byte order mark and `no`", "1.0 as text", "ten megabytes"],
)
def test_unusual_but_valid_files_are_read_exactly(storage, root, text):
    write_file(root, "greeting/1.0.0.yaml", text)
    assert storage.load_sync("greeting").template.content == text.partition("template: ")[2].rstrip("\n")
    assert storage.check_sync() == []


def test_a_damaged_latest_version_is_an_error(storage, root):
    storage.save_sync(active())
    path = write_file(root, "greeting/2.0.0.json", "{")
    with pytest.raises(StorageReadError, match=re.escape(str(path))):
        storage.load_sync("greeting")
    assert storage.load_sync("greeting", "1.0.0").version == "1.0.0"
    storage.delete_sync("greeting", "2.0.0")
    assert storage.load_sync("greeting").version == "1.0.0"


def test_damaged_labels_are_kept_and_hide_no_version(storage, root):
    storage.save_sync(active(labels=["stable"]))
    path = write_file(root, "greeting/.labels.json", '{"moves": [{}]}')
    with pytest.warns(UserWarning, match=re.escape(str(path))):
        assert storage.load_sync("greeting").labels == ("stable",)
    for use in (
        lambda: storage.get_label_history_sync("greeting"),
        lambda: storage.set_label_sync("greeting", "production", "1.0.0"),
    ):
        with pytest.raises(StorageReadError, match=re.escape(str(path))):
            use()
    assert path.read_text() == '{"moves": [{}]}'


def test_one_version_in_two_files_names_both(storage, root):
    storage.save_sync(active())
    write_file(root, "greeting/1.0.0.yaml", GREETING)
    storage.save_sync(active("0.9.0"))
    for use in (
        lambda: storage.load_sync("greeting"),
        lambda: storage.load_sync("greeting", "1.0.0"),
        lambda: storage.save_sync(active()),
    ):
        with pytest.raises(StorageReadError, match=r"has version 1\.0\.0 twice") as caught:
            use()
        assert all(str(root / "greeting" / name) in str(caught.value) for name in ("1.0.0.json", "1.0.0.yaml"))
    with pytest.warns(UserWarning, match="twice"):
        assert [prompt.version for prompt in storage.list_sync()] == ["0.9.0"]
    storage.delete_sync("greeting", "1.0.0")
    assert tree(root / "greeting") == [".lock", "0.9.0.json"]


def test_a_directory_in_place_of_a_file_is_named(storage, root):
    storage.save_sync(active())
    (root / "greeting/2.0.0.json").mkdir()
    for use in (lambda: storage.load_sync("greeting", "2.0.0"), lambda: storage.save_sync(active("2.0.0"))):
        with pytest.raises(StorageReadError, match=r"2\.0\.0\.json: it is a directory"):
            use()
    assert [problem.path for problem in storage.check_sync()] == [str(root / "greeting/2.0.0.json")]


@pytest.mark.skipif(os.name != "posix", reason="links may need special rights on other systems")
def test_links_are_not_followed_in_any_direction(storage, root, tmp_path):
    outside = write_file(tmp_path, "outside/1.0.0.json", '{"id": "greeting", "format": "text", "template": "theirs"}')
    storage.save_sync(active(id="other"))
    (root / "greeting").symlink_to(outside.parent)
    for use in (
        lambda: storage.load_sync("greeting"),
        lambda: storage.save_sync(active()),
        lambda: storage.delete_sync("greeting"),
        lambda: storage.save_sync(active(id="greeting/formal")),
    ):
        with pytest.raises(StorageReadError, match="it is a link"):
            use()
    (root / "other/2.0.0.json").symlink_to(outside)
    with pytest.raises(StorageReadError, match=r"2\.0\.0\.json: it is a link"):
        storage.load_sync("other", "2.0.0")
    with pytest.raises(StorageReadError, match=r"2\.0\.0\.json: it is a link"):
        storage.save_sync(active("2.0.0", id="other"))
    assert {problem.path for problem in storage.check_sync()} == {
        str(root / "greeting"),
        str(root / "other/2.0.0.json"),
    }
    assert [path.name for path in outside.parent.iterdir()] == ["1.0.0.json"]
    assert "theirs" in outside.read_text()
    # The directory itself may be a link.
    (tmp_path / "link").symlink_to(root)
    assert FileSystemStorage(tmp_path / "link").load_sync("other", "1.0.0").id == "other"


# Ids.


@pytest.mark.parametrize(
    "id", ["../up", "a/../../up", "/etc", "a//b", "C:", "C:/a", "a\\b", "..", "nul", "com1.txt", "a.", ".a", "a\nb", ""]
)
def test_no_id_can_escape_the_store(storage, tmp_path, id):
    storage.save_sync(active())
    before = tree(tmp_path)
    for use in (
        storage.load_sync,
        storage.delete_sync,
        storage.get_label_history_sync,
        lambda invalid: storage.set_label_sync(invalid, "a", "1.0.0"),
    ):
        with pytest.raises(PromptNotFoundError):
            use(id)
    with pytest.raises(ValueError, match="cannot be an id"):
        active(id=id)
    assert not storage.exists_sync(id)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("version", ["../../up", "1.0.0/../1.0.0", "1.0.0.json", "", ".labels"])
def test_no_version_can_escape_its_directory(storage, version):
    storage.save_sync(active())
    for use in (storage.load_sync, storage.delete_sync):
        with pytest.raises(VersionNotFoundError):
            use("greeting", version)
    assert not storage.exists_sync("greeting", version)


def test_ids_differing_only_in_case_do_not_collide(storage, root):
    storage.save_sync(active(id="Team/Greeting"))
    for other in ("team/Greeting", "Team/greeting", "TEAM/other", "team"):
        with pytest.raises(StorageWriteError, match="differs only in case") as caught:
            storage.save_sync(active(id=other))
        assert str(root / "Team") in str(caught.value)
        assert not storage.exists_sync(other)
    storage.save_sync(active(id="Team/Other"))
    assert [prompt.id for prompt in storage.list_sync()] == ["Team/Greeting", "Team/Other"]


@pytest.mark.parametrize("id", ["a" * 255, "a/" * 127 + "a", "b" * 127 + "/" + "c" * 127], ids=len)
def test_ids_of_255_characters_can_be_saved(storage, id):
    storage.save_sync(active(id=id))
    storage.set_label_sync(id, "production", "1.0.0")
    assert storage.load_sync(id).labels == ("production",)
    assert [prompt.id for prompt in storage.list_sync()] == [id]
    assert storage.check_sync() == []
    storage.delete_sync(id)
    assert storage.list_sync() == []


def test_a_version_too_long_for_a_file_name_is_an_error(storage, root):
    version = f"1.0.0-{'a' * 300}"
    with pytest.raises(StorageWriteError, match="file name too long") as caught:
        storage.save_sync(active(version))
    assert version in caught.value.path
    assert tree(root) == [".generation", ".lock"]
    assert not (root / "greeting").exists()


@pytest.mark.parametrize("id", ["a/1.0.0.json", "1.0.0.yaml", "a/2.0.0-rc.1.yml/b"])
def test_an_id_that_looks_like_a_version_file_is_refused(storage, root, id):
    storage.save_sync(active(id="a"))
    before = tree(root)
    with pytest.raises(StorageWriteError, match="is reserved for the file of a version"):
        storage.save_sync(active(id=id))
    with pytest.raises(PromptNotFoundError):
        storage.load_sync(id)
    assert tree(root) == before
    # An id that only resembles a version file is fine.
    storage.save_sync(active(id="a/1.0.json"))
    assert storage.load_sync("a/1.0.json").id == "a/1.0.json"


# Together with the rest of the package.


async def test_a_registry_saves_and_loads_its_prompts(storage, root):
    registry = PromptRegistry(storage)
    await registry.register(active())
    await registry.register(active("2.0.0"))
    assert tree(root / "greeting") == [".lock", "1.0.0.json", "2.0.0.json"]
    fresh = PromptRegistry(FileSystemStorage(root))
    assert await fresh.load_from_storage() == 2
    assert PromptManager(fresh).render_sync("greeting", {"name": "Ada"}) == "Hello Ada!"
    await fresh.delete("greeting", "2.0.0")
    assert "2.0.0.json" not in tree(root / "greeting")


def test_a_registry_drops_a_prompt_that_files_refuse(storage):
    storage.save_sync(active(template="theirs"))
    registry = PromptRegistry(storage)
    with pytest.raises(VersionConflictError):
        registry.register_sync(active())
    assert not registry.exists_sync("greeting")
