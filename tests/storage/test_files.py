"""Prompts kept in files: where they stand, what is refused, and what is said of files that others left there."""

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
from prompt_manager.storage.file import FileSystemStorage as AtHome


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


def plant(root, place, text):
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


GREETING = "id: greeting\nversion: 1.0.0\nformat: text\ntemplate: Hello\n"


def test_it_is_one_class_under_both_paths():
    assert FileSystemStorage is AtHome


def test_each_version_has_a_file_beside_its_labels_and_its_lock(storage, root):
    storage.save_sync(active())
    storage.save_sync(active("2.0.0-rc.1"))
    storage.save_sync(active(id="greeting/formal"))
    storage.set_label_sync("greeting", "production", "1.0.0")
    assert tree(root) == [
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


def test_yaml_is_written_for_people_and_says_the_same_to_any_parser(root):
    storage = FileSystemStorage(root, format="yaml")
    prompt = create_chat_prompt(status="active", metadata={"description": "no", "custom": {"since": "2026-01-31"}})
    storage.save_sync(prompt)
    text = (root / "explain/1.0.0.yaml").read_text()
    assert text == prompt.to_yaml()
    assert yaml.safe_load(text)["metadata"] == {"description": "no", "custom": {"since": "2026-01-31"}}


def test_both_forms_are_read_and_each_version_keeps_its_own(root):
    FileSystemStorage(root).save_sync(active())
    storage = FileSystemStorage(root, format="yaml")
    storage.save_sync(active("2.0.0"))
    plant(root, "greeting/3.0.0.yml", GREETING.replace("1.0.0", "3.0.0"))
    storage.save_sync(active(metadata={"author": "Ada"}))
    assert tree(root / "greeting") == [".lock", "1.0.0.json", "2.0.0.yaml", "3.0.0.yml"]
    assert json.loads((root / "greeting/1.0.0.json").read_text())["metadata"] == {"author": "Ada"}
    assert [prompt.version for prompt in FileSystemStorage(root).list_sync()] == ["1.0.0", "2.0.0", "3.0.0"]
    assert storage.load_sync("greeting").template.content == "Hello"


def test_what_a_hand_written_file_leaves_out_is_the_same_at_each_load(storage, root):
    plant(root, "greeting/1.0.0.yaml", GREETING)
    first = storage.load_sync("greeting")
    assert first == storage.load_sync("greeting") == storage.list_sync()[0]
    assert first.status == "active"


def test_a_form_that_there_is_not_is_refused(root):
    with pytest.raises(ValueError, match=re.escape("format must be 'json' or 'yaml'")):
        FileSystemStorage(root, format="toml")
    for seconds in (-1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="lock_timeout"):
            FileSystemStorage(root, lock_timeout=seconds)


def test_a_directory_is_made_by_the_first_save_or_must_be_there(root):
    storage = FileSystemStorage(root)
    assert storage.list_sync() == []
    assert not storage.exists_sync("greeting")
    assert not root.exists()
    strict = FileSystemStorage(root, create=False)
    for use in (strict.list_sync, lambda: strict.load_sync("greeting"), lambda: strict.exists_sync("greeting")):
        with pytest.raises(StorageReadError, match="there is none") as caught:
            use()
        assert caught.value.path == str(root)
    with pytest.raises(StorageWriteError, match="there is none"):
        strict.save_sync(active())
    storage.save_sync(active())
    strict.save_sync(active("2.0.0"))
    with pytest.raises(StorageReadError, match="it is not a directory"):
        FileSystemStorage(root / "greeting/1.0.0.json").list_sync()


def test_a_list_is_by_id_and_version(storage):
    for name, version in (("b", "1.10.0"), ("b", "1.9.0"), ("a/b", "1.0.0"), ("a", "1.0.0"), ("b", "1.9.0-rc.1")):
        storage.save_sync(active(version, id=name))
    found = [f"{prompt.id} {prompt.version}" for prompt in storage.list_sync()]
    assert found == ["a 1.0.0", "a/b 1.0.0", "b 1.9.0-rc.1", "b 1.9.0", "b 1.10.0"]


def test_what_is_deleted_leaves_nothing_and_its_parents_go_when_they_are_empty(storage, root):
    storage.save_sync(active(id="a/b/c"))
    storage.save_sync(active(id="a/d"))
    storage.set_label_sync("a/b/c", "production", "1.0.0")
    storage.delete_sync("a/b/c")
    assert tree(root) == [".lock", "a/d/.lock", "a/d/1.0.0.json"]
    assert not (root / "a/b").exists()
    storage.delete_sync("a/d", "1.0.0")
    assert not (root / "a").exists()


def test_a_save_that_is_refused_leaves_no_trace(storage, root):
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


def test_metadata_that_yaml_of_ours_cannot_hold_is_refused_and_not_written(root):
    deep = current = {}
    for _ in range(45):
        current["x"] = current = {}
    prompt = active(metadata={"custom": deep})
    with pytest.raises(StorageWriteError, match="nests too deep"):
        FileSystemStorage(root, format="yaml").save_sync(prompt)
    assert not root.exists()
    storage = FileSystemStorage(root)
    storage.save_sync(prompt)
    assert storage.load_sync("greeting") == prompt


def test_a_nearby_id_is_named(storage):
    storage.save_sync(active(id="support/triage"))
    with pytest.raises(PromptNotFoundError, match="there is no prompt 'support/triag'") as caught:
        storage.load_sync("support/triag")
    assert caught.value.context["hint"] == "did you mean 'support/triage'?"
    with pytest.raises(VersionNotFoundError, match=r"has no version 2\.0\.0") as missing:
        storage.load_sync("support/triage", "2.0.0")
    assert missing.value.context["hint"] == "its only version is 1.0.0"


# Files that others left there: each is named, and hides no other.

DAMAGE = {
    "an empty file": ("greeting/2.0.0.json", "", "ends too early"),
    "nothing but blanks": ("greeting/2.0.0.yaml", " \n", "holds no prompt"),
    "no JSON": ("greeting/2.0.0.json", '{"id": "greeting",}', "this is not JSON"),
    "a key twice in JSON": (
        "greeting/2.0.0.json",
        '{"id": "greeting", "format": "text", "template": "a", "template": "b"}',
        "the key `template` is there twice",
    ),
    "a key twice deep in JSON": (
        "greeting/2.0.0.json",
        '{"id": "greeting", "format": "text", "template": "a", "metadata": {"custom": {"a": 1, "a": 2}}}',
        "the key `a` is there twice",
    ),
    "a key twice in YAML": ("greeting/2.0.0.yaml", GREETING + "template: again\n", "is there twice"),
    "a tab in YAML": ("greeting/2.0.0.yaml", GREETING + "metadata:\n\tauthor: Ada\n", "a tab cannot indent YAML"),
    "a bomb of aliases": (
        "greeting/2.0.0.yaml",
        GREETING
        + "metadata:\n  custom:\n    a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        + "".join(f"    {n}: &{n} [{', '.join([f'*{p}'] * 9)}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)),
        "grows too much by its aliases",
    ),
    "UTF-16": ("greeting/2.0.0.yaml", GREETING.encode("utf-16"), "it is UTF-16"),
    "Latin-1": ("greeting/2.0.0.json", '{"id": "grüße"}'.encode("latin-1"), "must be UTF-8"),
    "more than may be read": ("greeting/2.0.0.yaml", "#" * (16 * 2**20 + 1), "more than the limit"),
    "a number for a template in JSON": (
        "greeting/2.0.0.json",
        '{"id": "greeting", "format": "text", "template": 1.0}',
        "write it in quotes",
    ),
    "another prompt": ("greeting/2.0.0.yaml", GREETING, "it contains prompt 'greeting' in version 1.0.0"),
    "another id": ("other/1.0.0.yaml", GREETING, "it contains prompt 'greeting' in version 1.0.0"),
    "two prompts": ("greeting/2.0.0.yaml", f"{GREETING}---\n{GREETING}", "the file holds 2 prompts"),
    "an unlawful version": ("greeting/02.0.0.json", "{}", "is not a version"),
    "a name that is no version": ("greeting/notes.json", "{}", "is not a version"),
    "an unlawful id": ("my prompt/1.0.0.json", "{}", "cannot be an id"),
    "a file in no directory": ("greeting.yaml", GREETING, "it is not in the directory of a prompt"),
    "labels that are none": ("greeting/.labels.json", "[]", "it does not contain label moves"),
    "a rule that is broken": (
        "greeting/2.0.0.json",
        '{"id": "greeting", "version": "2.0.0", "format": "chat", "template": "a"}',
        "takes `chat_template`",
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_file_that_cannot_be_used_is_named_and_hides_no_other(storage, root, case):
    place, text, told = DAMAGE[case]
    storage.save_sync(active())
    storage.save_sync(active(id="bye"))
    path = plant(root, place, text)
    with pytest.warns(UserWarning, match=re.escape(told)) as warned:
        kept = storage.list_sync()
    assert [str(warning.message).count(str(path)) > 0 for warning in warned] == [True]
    assert [prompt.id for prompt in kept] == ["bye", "greeting"]
    [problem] = storage.check_sync()
    assert isinstance(problem, StorageReadError)
    assert problem.path == str(path)
    assert told in str(problem)
    assert storage.load_sync("bye").id == "bye"
    assert path.read_bytes() == (text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + GREETING.replace("Hello", "no"),
        GREETING.replace("template: Hello", "template: 1.0"),
        GREETING.replace("template: Hello", f"template: {'x' * 10 * 2**20}"),
    ],
    ids=["a byte order mark and `no`", "1.0 where text is meant", "ten megabytes"],
)
def test_odd_files_that_are_good_are_read_to_the_letter(storage, root, text):
    plant(root, "greeting/1.0.0.yaml", text)
    assert storage.load_sync("greeting").template.content == text.partition("template: ")[2].rstrip("\n")
    assert storage.check_sync() == []


def test_a_damaged_latest_is_an_error_and_not_an_older_version(storage, root):
    storage.save_sync(active())
    path = plant(root, "greeting/2.0.0.json", "{")
    with pytest.raises(StorageReadError, match=re.escape(str(path))):
        storage.load_sync("greeting")
    assert storage.load_sync("greeting", "1.0.0").version == "1.0.0"
    storage.delete_sync("greeting", "2.0.0")
    assert storage.load_sync("greeting").version == "1.0.0"


def test_damaged_labels_hide_no_version_and_are_not_overwritten(storage, root):
    storage.save_sync(active(labels=["stable"]))
    path = plant(root, "greeting/.labels.json", '{"moves": [{}]}')
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
    plant(root, "greeting/1.0.0.yaml", GREETING)
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


def test_a_directory_in_the_place_of_a_file_is_named(storage, root):
    storage.save_sync(active())
    (root / "greeting/2.0.0.json").mkdir()
    for use in (lambda: storage.load_sync("greeting", "2.0.0"), lambda: storage.save_sync(active("2.0.0"))):
        with pytest.raises(StorageReadError, match=r"2\.0\.0\.json: it is a directory"):
            use()
    assert [problem.path for problem in storage.check_sync()] == [str(root / "greeting/2.0.0.json")]


@pytest.mark.skipif(os.name != "posix", reason="links may need rights elsewhere")
def test_links_are_not_followed_in_any_direction(storage, root, tmp_path):
    outside = plant(tmp_path, "outside/1.0.0.json", '{"id": "greeting", "format": "text", "template": "theirs"}')
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
    # The directory itself may be reached by a link.
    (tmp_path / "link").symlink_to(root)
    assert FileSystemStorage(tmp_path / "link").load_sync("other", "1.0.0").id == "other"


# Ids.


@pytest.mark.parametrize(
    "id", ["../up", "a/../../up", "/etc", "a//b", "C:", "C:/a", "a\\b", "..", "nul", "com1.txt", "a.", ".a", "a\nb", ""]
)
def test_no_id_leads_out_of_the_store(storage, tmp_path, id):
    storage.save_sync(active())
    before = tree(tmp_path)
    for use in (
        storage.load_sync,
        storage.delete_sync,
        storage.get_label_history_sync,
        lambda unlawful: storage.set_label_sync(unlawful, "a", "1.0.0"),
    ):
        with pytest.raises(PromptNotFoundError):
            use(id)
    with pytest.raises(ValueError, match="cannot be an id"):
        active(id=id)
    assert not storage.exists_sync(id)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("version", ["../../up", "1.0.0/../1.0.0", "1.0.0.json", "", ".labels"])
def test_no_version_leads_out_of_its_directory(storage, version):
    storage.save_sync(active())
    for use in (storage.load_sync, storage.delete_sync):
        with pytest.raises(VersionNotFoundError):
            use("greeting", version)
    assert not storage.exists_sync("greeting", version)


def test_ids_that_differ_only_in_case_cannot_overwrite_one_another(storage, root):
    storage.save_sync(active(id="Team/Greeting"))
    for other in ("team/Greeting", "Team/greeting", "TEAM/other", "team"):
        with pytest.raises(StorageWriteError, match="differs only in case") as caught:
            storage.save_sync(active(id=other))
        assert str(root / "Team") in str(caught.value)
        assert not storage.exists_sync(other)
    storage.save_sync(active(id="Team/Other"))
    assert [prompt.id for prompt in storage.list_sync()] == ["Team/Greeting", "Team/Other"]


@pytest.mark.parametrize("id", ["a" * 255, "a/" * 127 + "a", "b" * 127 + "/" + "c" * 127], ids=len)
def test_ids_of_255_characters_are_kept(storage, id):
    storage.save_sync(active(id=id))
    storage.set_label_sync(id, "production", "1.0.0")
    assert storage.load_sync(id).labels == ("production",)
    assert [prompt.id for prompt in storage.list_sync()] == [id]
    assert storage.check_sync() == []
    storage.delete_sync(id)
    assert storage.list_sync() == []


def test_a_version_too_long_for_a_file_name_is_an_error_that_names_it(storage, root):
    version = f"1.0.0-{'a' * 300}"
    with pytest.raises(StorageWriteError, match="file name too long") as caught:
        storage.save_sync(active(version))
    assert version in caught.value.path
    assert tree(root) == [".lock"]
    assert not (root / "greeting").exists()


@pytest.mark.parametrize("id", ["a/1.0.0.json", "1.0.0.yaml", "a/2.0.0-rc.1.yml/b"])
def test_an_id_that_looks_like_the_file_of_a_version_is_refused(storage, root, id):
    storage.save_sync(active(id="a"))
    before = tree(root)
    with pytest.raises(StorageWriteError, match="is the name of a version's file"):
        storage.save_sync(active(id=id))
    with pytest.raises(PromptNotFoundError):
        storage.load_sync(id)
    assert tree(root) == before
    # What only resembles one is none.
    storage.save_sync(active(id="a/1.0.json"))
    assert storage.load_sync("a/1.0.json").id == "a/1.0.json"


# With the rest of the package.


async def test_a_registry_keeps_its_prompts_there_with_and_without_await(storage, root):
    registry = PromptRegistry(storage)
    await registry.register(active())
    await registry.register(active("2.0.0"))
    assert tree(root / "greeting") == [".lock", "1.0.0.json", "2.0.0.json"]
    fresh = PromptRegistry(FileSystemStorage(root))
    assert await fresh.load_from_storage() == 2
    assert PromptManager(fresh).render_sync("greeting", {"name": "Ada"}) == "Hello Ada!"
    await fresh.delete("greeting", "2.0.0")
    assert "2.0.0.json" not in tree(root / "greeting")


def test_a_registry_refuses_what_the_files_refuse(storage):
    storage.save_sync(active(template="theirs"))
    registry = PromptRegistry(storage)
    with pytest.raises(VersionConflictError):
        registry.register_sync(active())
    assert not registry.exists_sync("greeting")
