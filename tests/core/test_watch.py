"""Watching a directory: saves by various editors, broken saves, many saves at once, and the end of watching."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest

from helpers import run_python
from prompt_manager import PromptManager, PromptRegistry
from prompt_manager.core.models import Prompt
from prompt_manager.exceptions import (
    PromptNotFoundError,
    StorageReadError,
    TemplateSyntaxError,
    VersionConflictError,
)

BROKEN = "id: greeting\nformat: text\ntemplate: 'Hi {{name'\n"


def text(word: str, prompt_id: str = "greeting") -> str:
    return f"id: {prompt_id}\nformat: text\ntemplate: {word}\n"


def until(condition, what="it"):
    """Wait for a condition, long enough for slow machines."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, f"{what} did not come about within ten seconds"
        time.sleep(0.005)


def renders(manager, word, prompt_id="greeting"):
    def condition():
        try:
            return manager.render_sync(prompt_id) == word
        except PromptNotFoundError:
            return False

    until(condition, f"{prompt_id} as {word}")


def ids(manager):
    return [prompt.id for prompt in manager.list_prompts_sync()]


@pytest.fixture
def root(directory):
    return directory({"a.yaml": text("first")})


@pytest.fixture(params=["await", "sync"])
def watch(request):
    """Call ``from_directory`` or ``from_directory_sync`` with ``watch=True``; the managers are closed at the end."""
    managers = []

    def start(path, **options):
        if request.param == "sync":
            manager = PromptManager.from_directory_sync(path, watch=True, **options)
        else:
            manager = asyncio.run(PromptManager.from_directory(path, watch=True, **options))
        managers.append(manager)
        return manager

    yield start
    for manager in managers:
        manager.close_sync()


def in_place(path: Path, content: str) -> None:
    path.write_text(content)


def slowly(path: Path, content: str) -> None:
    with path.open("w") as file:
        for character in content:
            file.write(character)
            file.flush()


def like_vim(path: Path, content: str) -> None:
    probe = path.with_name("4913")
    probe.touch()
    probe.unlink()
    backup = path.with_name(path.name + "~")
    path.rename(backup)
    path.write_text(content)
    backup.unlink()


def like_emacs(path: Path, content: str) -> None:
    lock = path.with_name(".#" + path.name)
    lock.symlink_to("me@here.1:1")
    path.with_name(f"#{path.name}#").write_text(content[:5])
    shutil.copy2(path, path.with_name(path.name + "~"))
    path.write_text(content)
    path.with_name(f"#{path.name}#").unlink()
    lock.unlink()


def by_rename(path: Path, content: str) -> None:
    new = path.with_name(path.name + ".tmp")
    new.write_text(content)
    new.replace(path)


def by_hidden_rename(path: Path, content: str) -> None:
    new = path.with_name(f".{path.name}.tmp")
    new.write_text(content)
    new.replace(path)


def like_jetbrains(path: Path, content: str) -> None:
    new, old = path.with_name(path.name + "___jb_tmp___"), path.with_name(path.name + "___jb_old___")
    new.write_text(content)
    path.rename(old)
    new.rename(path)
    old.unlink()


def delete_and_write(path: Path, content: str) -> None:
    path.unlink()
    path.write_text(content)


SAVES = [in_place, slowly, like_vim, like_emacs, by_rename, by_hidden_rename, like_jetbrains, delete_and_write]


class TestSaves:
    @pytest.mark.parametrize("save", SAVES)
    def test_a_saved_file_is_reloaded(self, watch, root, save):
        manager = watch(root)
        for word in ("second", "third"):
            save(root / "a.yaml", text(word))
            renders(manager, word)
        assert ids(manager) == ["greeting"]
        until(lambda: not manager.reload_errors)

    def test_the_first_load_is_complete_at_once(self, watch, root):
        assert watch(root).render_sync("greeting") == "first"

    def test_an_active_version_can_be_edited_in_place(self, watch, root):
        manager = watch(root)
        in_place(root / "a.yaml", "version: 1.0.0\n" + text("other"))
        renders(manager, "other")
        assert manager.registry.get_versions_sync("greeting") == ["1.0.0"]

    def test_a_raised_version_replaces_the_old_one(self, watch, root):
        manager = watch(root)
        in_place(root / "a.yaml", "version: 2.0.0\n" + text("newer"))
        renders(manager, "newer")
        assert manager.registry.get_versions_sync("greeting") == ["2.0.0"]

    def test_new_renamed_and_deleted_files_are_noticed(self, watch, root):
        manager = watch(root)
        in_place(root / "b.yaml", text("new", "b"))
        renders(manager, "new", "b")
        (root / "b.yaml").rename(root / "c.yml")
        in_place(root / "d.yaml", text("other", "d"))
        renders(manager, "other", "d")
        assert ids(manager) == ["b", "d", "greeting"]
        (root / "c.yml").unlink()
        until(lambda: ids(manager) == ["d", "greeting"])
        (root / "d.yaml").rename(root / "d.off")
        until(lambda: ids(manager) == ["greeting"])
        with pytest.raises(PromptNotFoundError):
            manager.render_sync("b")

    def test_watching_works_after_chdir(self, watch, root, monkeypatch):
        monkeypatch.chdir(root.parent)
        manager = watch("prompts")
        monkeypatch.chdir("/")
        in_place(root / "a.yaml", text("second"))
        renders(manager, "second")


class TestDirectories:
    def test_new_subdirectories_are_watched(self, watch, root):
        manager = watch(root)
        deep = root / "one" / "two"
        deep.mkdir(parents=True)
        in_place(deep / "b.yaml", text("deep", "b"))
        renders(manager, "deep", "b")
        in_place(deep / "b.yaml", text("deeper", "b"))
        renders(manager, "deeper", "b")
        shutil.rmtree(root / "one")
        until(lambda: ids(manager) == ["greeting"])

    def test_directories_moved_in_and_out_are_noticed(self, watch, root, tmp_path):
        manager = watch(root)
        outside = tmp_path / "v1.2"
        outside.mkdir()
        in_place(outside / "b.yaml", text("moved", "b"))
        outside.rename(root / "v1.2")
        renders(manager, "moved", "b")
        in_place(root / "v1.2" / "b.yaml", text("edited", "b"))
        renders(manager, "edited", "b")
        (root / "v1.2").rename(outside)
        until(lambda: ids(manager) == ["greeting"])

    def test_a_deleted_and_recreated_directory_is_watched(self, watch, root):
        manager = watch(root)
        shutil.rmtree(root)
        until(lambda: manager.reload_errors)
        assert str(root) in str(manager.reload_errors[0])
        assert manager.render_sync("greeting") == "first"
        root.mkdir()
        in_place(root / "a.yaml", text("again"))
        renders(manager, "again")
        until(lambda: not manager.reload_errors)
        in_place(root / "a.yaml", text("and again"))
        renders(manager, "and again")

    def test_a_directory_replaced_by_rename_is_watched(self, watch, root, tmp_path):
        manager = watch(root)
        new = tmp_path / "new"
        new.mkdir()
        in_place(new / "a.yaml", text("other"))
        root.rename(tmp_path / "old")
        new.rename(root)
        renders(manager, "other")
        in_place(root / "a.yaml", text("edited"))
        renders(manager, "edited")

    def test_a_retargeted_link_to_the_directory_is_noticed(self, watch, root, tmp_path):
        link = tmp_path / "current"
        link.symlink_to(root)
        manager = watch(link)
        in_place(root / "a.yaml", text("behind the link"))
        renders(manager, "behind the link")
        new = tmp_path / "new"
        new.mkdir()
        in_place(new / "a.yaml", text("elsewhere"))
        (tmp_path / "next").symlink_to(new)
        (tmp_path / "next").replace(link)
        renders(manager, "elsewhere")
        in_place(new / "a.yaml", text("edited"))
        renders(manager, "edited")

    def test_targets_of_links_in_the_directory_are_watched(self, watch, root, tmp_path):
        (tmp_path / "shared").mkdir()
        in_place(tmp_path / "shared" / "b.yaml", text("linked", "b"))
        (tmp_path / "files").mkdir()
        in_place(tmp_path / "files" / "c.yaml", text("linked", "c"))
        manager = watch(root)
        (root / "shared").symlink_to(tmp_path / "shared")
        (root / "c.yaml").symlink_to(tmp_path / "files" / "c.yaml")
        renders(manager, "linked", "b")
        renders(manager, "linked", "c")
        # One after the other, because a reload reads both.
        in_place(tmp_path / "files" / "c.yaml", text("edited", "c"))
        renders(manager, "edited", "c")
        in_place(tmp_path / "shared" / "b.yaml", text("edited", "b"))
        renders(manager, "edited", "b")

    def test_schema_files_are_watched_too(self, watch, directory, tmp_path):
        root = directory({"a.yaml": text("first") + "input_schema: person\n"})
        schemas = tmp_path / "schemas"
        schemas.mkdir()
        schema = schemas / "person.yaml"
        schema.write_text("schemas:\n  - name: person\n    fields:\n      - {name: age, type: integer}\n")
        manager = watch(root, schema_dir=schemas)
        schema.rename(tmp_path / "person.yaml")
        until(lambda: manager.reload_errors)
        assert "uses the schema 'person'" in str(manager.reload_errors[0])
        (tmp_path / "person.yaml").rename(schema)
        until(lambda: not manager.reload_errors)

    def test_watching_a_missing_directory_is_an_error(self, tmp_path):
        found = []
        for watch in (False, True):
            with pytest.raises(StorageReadError) as caught:
                PromptManager.from_directory_sync(tmp_path / "none", watch=watch)
            found.append((str(caught.value), caught.value.context["path"]))
        assert found[0] == found[1]


class TestBrokenSaves:
    def test_a_broken_save_keeps_the_last_good_prompts(self, watch, root, caplog):
        manager = watch(root)
        in_place(root / "b.yaml", text("other", "b"))
        renders(manager, "other", "b")
        caplog.clear()
        in_place(root / "a.yaml", BROKEN)
        until(lambda: manager.reload_errors)
        (error,) = manager.reload_errors
        assert isinstance(error, TemplateSyntaxError)
        assert (error.context["path"], error.context["line"]) == (str(root / "a.yaml"), 3)
        assert manager.render_sync("greeting") == "first"
        assert manager.render_sync("b") == "other"
        until(lambda: caplog.records)
        (record,) = caplog.records
        assert (record.name, record.levelno) == ("prompt_manager", logging.ERROR)
        assert "this tag is never closed" in record.message
        assert f"{root / 'a.yaml'}:3:" in record.message
        assert record.message.endswith("The last good prompts stay in use.")

    def test_a_fixed_file_is_reloaded(self, watch, root):
        manager = watch(root)
        in_place(root / "a.yaml", BROKEN)
        until(lambda: manager.reload_errors)
        in_place(root / "a.yaml", text("fixed"))
        renders(manager, "fixed")
        until(lambda: not manager.reload_errors)

    def test_each_broken_save_is_logged(self, watch, root, caplog):
        manager = watch(root)
        for count in (1, 2):
            in_place(root / "a.yaml", BROKEN)
            until(lambda count=count: len(caplog.records) == count)
            in_place(root / "a.yaml", text(f"fixed{count}"))
            renders(manager, f"fixed{count}")

    def test_skip_reloads_the_good_files_of_a_broken_save(self, watch, root, caplog):
        manager = watch(root, on_error="skip")
        in_place(root / "b.yaml", text("b", "b"))
        renders(manager, "b", "b")
        in_place(root / "a.yaml", BROKEN)
        until(lambda: manager.reload_errors)
        in_place(root / "b.yaml", text("newer", "b"))
        renders(manager, "newer", "b")
        assert manager.render_sync("greeting") == "first"
        (root / "a.yaml").unlink()
        until(lambda: ids(manager) == ["b"])
        until(lambda: not manager.reload_errors)
        assert {record.levelname for record in caplog.records} == {"ERROR"}

    def test_skip_loads_a_file_broken_at_start_once_fixed(self, watch, directory):
        root = directory({"a.yaml": BROKEN, "b.yaml": text("b", "b")})
        with pytest.warns(UserWarning, match="never closed"):
            manager = watch(root, on_error="skip")
        assert [type(error) for error in manager.reload_errors] == [TemplateSyntaxError]
        in_place(root / "a.yaml", text("fixed"))
        renders(manager, "fixed")

    def test_a_broken_file_at_the_start_is_an_error(self, watch, directory):
        with pytest.raises(StorageReadError, match="a problem in"):
            watch(directory({"a.yaml": BROKEN}))

    def test_a_new_warning_is_logged_once(self, watch, root, caplog):
        manager = watch(root)
        undeclared = "id: greeting\nformat: text\ntemplate:\n  content: '{{name}} {{nme}}'\n  variables: [name]\n"
        in_place(root / "a.yaml", undeclared)
        until(lambda: caplog.records)
        in_place(root / "b.yaml", text("b", "b"))
        renders(manager, "b", "b")
        until(lambda: manager._watch.reloads >= 2)
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "did you mean `name`" in caplog.text

    def test_a_constantly_rewritten_file_is_read_whole(self, watch, root):
        manager = watch(root)
        path, word = root / "a.yaml", "x" * 200_000
        for round_ in range(40):
            in_place(path, text(f"{word}{round_}"))
        renders(manager, f"{word}39")
        until(lambda: not manager.reload_errors)


class TestMany:
    def test_thousands_of_saves_cause_few_reloads(self, watch, root):
        manager = watch(root)
        before = manager._watch.reloads
        for number in range(3000):
            in_place(root / f"p{number}.yaml", text(f"x{number}", f"p{number}"))
        until(lambda: len(ids(manager)) == 3001)
        # One reload, unless the machine stalls in between.
        assert manager._watch.reloads - before < 10
        assert manager.render_sync("p2999") == "x2999"

    def test_readers_never_see_a_partial_reload(self, watch, tmp_path):
        def write(name):
            (tmp_path / name).mkdir()
            for number in range(60):
                described = text("x", f"p{number}") + f"metadata: {{description: {name}}}\n"
                in_place(tmp_path / name / f"p{number}.yaml", described)

        rounds = [f"set{number}" for number in range(6)]
        for name in rounds:
            write(name)
        root = tmp_path / "prompts"
        root.mkdir()
        (root / "set").symlink_to(tmp_path / rounds[0])
        manager = watch(root)
        seen, stop = [], threading.Event()

        def read():
            while not stop.is_set():
                seen.append([prompt.description for prompt in manager.list_prompts_sync()])

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        for name in rounds[1:]:
            (tmp_path / "next").symlink_to(tmp_path / name)
            (tmp_path / "next").replace(root / "set")
            until(lambda name=name: seen and seen[-1][:1] == [name], name)
        stop.set()
        for reader in readers:
            reader.join()
        assert {len(found) for found in seen} == {60}
        assert all(len(set(found)) == 1 for found in seen)


class TestUnchangedFiles:
    """A reload reads only changed files, but still checks the rules between all files."""

    @pytest.fixture
    def many(self, root):
        for number in range(50):
            in_place(root / f"p{number}.yaml", text(f"x{number}", f"p{number}"))
        return root

    def test_one_save_reads_one_file(self, watch, many):
        manager = watch(many)
        assert manager._watch.files_read == 51
        in_place(many / "p7.yaml", text("edited", "p7"))
        renders(manager, "edited", "p7")
        until(lambda: manager._watch.files_read == 1)
        assert manager.render_sync("p8") == "x8"
        assert len(ids(manager)) == 51

    def test_a_save_with_the_same_size_and_time_is_noticed(self, watch, many):
        manager = watch(many)
        about = (many / "p7.yaml").stat()
        in_place(many / "p7.yaml", text("y7", "p7"))
        os.utime(many / "p7.yaml", ns=(about.st_atime_ns, about.st_mtime_ns))
        renders(manager, "y7", "p7")

    def test_a_link_to_a_file_of_equal_size_and_time_is_noticed(self, watch, many, tmp_path):
        for name in ("one", "two"):
            in_place(tmp_path / name, text(name, "linked"))
            os.utime(tmp_path / name, (1_000_000_000, 1_000_000_000))
        (many / "linked.yaml").symlink_to(tmp_path / "one")
        manager = watch(many)
        assert manager.render_sync("linked") == "one"
        (tmp_path / "next").symlink_to(tmp_path / "two")
        (tmp_path / "next").replace(many / "linked.yaml")
        renders(manager, "two", "linked")

    def test_an_id_used_by_an_unchanged_file_is_refused(self, watch, many):
        manager = watch(many)
        in_place(many / "p7.yaml", text("mine", "p8"))
        until(lambda: manager.reload_errors)
        (error,) = manager.reload_errors
        assert "prompt 'p8' has version 1.0.0 twice" in str(error)
        assert str(many / "p8.yaml") in str(error.context) + str(getattr(error, "__notes__", ""))
        assert manager.render_sync("p7") == "x7"
        in_place(many / "p7.yaml", text("again", "p7"))
        renders(manager, "again", "p7")
        until(lambda: not manager.reload_errors)

    def test_a_broken_file_is_read_again_until_it_is_fixed(self, watch, many):
        manager = watch(many)
        in_place(many / "p7.yaml", BROKEN)
        until(lambda: manager.reload_errors)
        in_place(many / "p8.yaml", text("edited", "p8"))
        until(lambda: manager._watch.files_read == 2)
        assert manager.reload_errors
        in_place(many / "p7.yaml", text("fixed", "p7"))
        renders(manager, "fixed", "p7")
        assert manager.render_sync("p8") == "edited"

    def test_a_new_helper_applies_to_unchanged_files(self, watch, many):
        in_place(many / "shout.yaml", "id: shout\nformat: text\ntemplate: '{{shout}}'\n")
        manager = watch(many)
        assert manager.render_sync("shout", {"shout": "a variable"}) == "a variable"
        manager.template_engine.register_helper("shout", lambda: "a helper")
        in_place(many / "p7.yaml", text("edited", "p7"))
        renders(manager, "edited", "p7")
        assert manager.render_sync("shout") == "a helper"

    def test_a_removed_file_can_come_back(self, watch, many):
        manager = watch(many)
        (many / "p7.yaml").unlink()
        until(lambda: "p7" not in ids(manager))
        in_place(many / "p7.yaml", text("x7", "p7"))
        renders(manager, "x7", "p7")
        assert len(ids(manager)) == 51


class TestOtherPrompts:
    def test_prompts_registered_in_code_stay(self, watch, root):
        manager = watch(root)
        manager.registry.register_sync(Prompt(id="own", format="text", template="mine", status="active"))
        in_place(root / "a.yaml", text("second"))
        renders(manager, "second")
        assert manager.render_sync("own") == "mine"
        in_place(root / "own.yaml", text("theirs", "own"))
        until(lambda: manager.reload_errors)
        assert isinstance(manager.reload_errors[0], VersionConflictError)
        assert manager.render_sync("own") == "mine"


def watchers() -> int:
    """Count the threads of this process that watch a directory."""
    count = 0
    for task in Path("/proc/self/task").iterdir():
        # The thread may end in between.
        with contextlib.suppress(OSError):
            count += (task / "comm").read_text().startswith("prompt-manager-")
    return count


on_linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")


class TestEnd:
    def test_is_watching_reflects_the_state(self, watch, root):
        manager = watch(root)
        assert manager.is_watching
        manager.close_sync()
        manager.close_sync()
        assert not manager.is_watching
        assert manager.render_sync("greeting") == "first"
        assert not PromptManager.from_directory_sync(root).is_watching

    @on_linux
    @pytest.mark.parametrize("end", ["close_sync", "close", "with", "async with", "del"])
    def test_the_watching_thread_ends_with_the_manager(self, root, end):
        until(lambda: watchers() == 0)
        manager = PromptManager.from_directory_sync(root, watch=True)
        until(lambda: watchers() == 1)
        if end == "close_sync":
            manager.close_sync()
        elif end == "close":
            asyncio.run(manager.close())
        elif end == "with":
            with manager as same:
                assert same is manager
        elif end == "async with":

            async def use():
                async with manager as same:
                    assert same is manager

            asyncio.run(use())
        else:
            del manager
            gc.collect()
        until(lambda: watchers() == 0)

    def test_a_log_handler_can_close_the_manager_and_fork(self, root):
        code = f"""
import logging, os, time, warnings
from pathlib import Path
from prompt_manager import PromptManager
warnings.simplefilter("ignore")
path = Path({str(root / "a.yaml")!r})
manager = PromptManager.from_directory_sync(path.parent, watch=True)
ended = []

class Handler(logging.Handler):
    def emit(self, record):
        child = os.fork() if hasattr(os, "fork") else 0
        if child == 0 and hasattr(os, "fork"):
            os._exit(0)
        ended.append(os.waitpid(child, 0)[1] if child else 0)
        manager.close_sync()

logging.getLogger("prompt_manager").addHandler(Handler())
path.write_text({BROKEN!r})
while not ended or manager.is_watching:
    time.sleep(0.01)
print(ended)
"""
        assert run_python(code) == "[0]\n"

    def test_closing_without_watching_does_nothing(self, prompt_manager):
        prompt_manager.close_sync()
        asyncio.run(prompt_manager.close())
        assert prompt_manager.reload_errors == ()

    @pytest.mark.parametrize("pause", [0, 0.05, 0.1, 0.15, 0.2, 0.25])
    def test_a_process_exits_cleanly_while_watching(self, root, pause):
        code = f"""
import time
from prompt_manager import PromptManager
manager = PromptManager.from_directory_sync({str(root)!r}, watch=True)
with open({str(root / "a.yaml")!r}, "w") as file:
    file.write({BROKEN!r})
time.sleep({pause})
"""
        run_python(code, "-X", "dev", "-W", "error")

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
    def test_a_forked_child_has_prompts_but_does_not_watch(self, root):
        code = f"""
import os, time, warnings
from pathlib import Path
from prompt_manager import PromptManager
warnings.simplefilter("ignore")
path = Path({str(root / "a.yaml")!r})
manager = PromptManager.from_directory_sync(path.parent, watch=True)
for number in range(40):
    path.write_text("id: greeting\\nformat: text\\ntemplate: 'again {{{{name}}}}'\\n")
    time.sleep(0.02)
    child = os.fork()
    if child == 0:
        fine = not manager.is_watching and manager.render_sync("greeting", {{"name": "x"}}) in ("first", "again x")
        manager.template_engine.register_partial("sign", "Bye")
        manager.close_sync()
        del manager
        os._exit(0 if fine else 1)
    assert os.waitpid(child, 0)[1] == 0
assert manager.is_watching
manager.close_sync()
print("done")
"""
        assert run_python(code) == "done\n"

    def test_watching_imports_no_heavy_module(self, root):
        code = f"""
import sys, time
before = set(sys.modules)
from prompt_manager import PromptManager
manager = PromptManager.from_directory_sync({str(root)!r}, watch=True)
manager.render_sync("greeting")
print(*sorted({{"pydantic", "asyncio", "logging", "inspect"}} & (set(sys.modules) - before)))
"""
        assert run_python(code).split() == []


class TestLoaderWatch:
    def test_watching_a_registry_with_a_storage_is_refused(self, root):
        from prompt_manager.storage import InMemoryStorage, YAMLLoader

        loader = YAMLLoader(PromptRegistry(InMemoryStorage()))
        with pytest.raises(ValueError, match="import the directory instead"):
            loader.watch_directory_sync(root)

    def test_the_loader_can_watch_for_any_registry(self, root):
        from prompt_manager.storage import YAMLLoader

        registry = PromptRegistry()
        watch = YAMLLoader(registry).watch_directory_sync(root)
        in_place(root / "a.yaml", text("second"))
        until(lambda: registry.get_sync("greeting").template.content == "second")
        assert watch.is_running
        assert watch.errors == []
        watch.close_sync()
        assert not watch.is_running


if sys.platform == "win32":
    pytest.skip("links and renames of open files need rights there", allow_module_level=True)
