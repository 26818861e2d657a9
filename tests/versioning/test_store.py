"""The history of versions, in memory and in files."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest

from helpers import ROOT, create_chat_prompt, create_text_prompt
from prompt_manager.core.models import PromptVersion
from prompt_manager.core.protocols import VersionStoreProtocol
from prompt_manager.exceptions import (
    PromptNotFoundError,
    PromptValidationError,
    StorageReadError,
    StorageWriteError,
    VersionConflictError,
    VersionNotFoundError,
)
from prompt_manager.versioning import VersionStore

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def record(version="1.0.0", day=0, *, changelog=None, author=None, parent=None, **changes):
    return PromptVersion(
        prompt=create_text_prompt(**{"version": version, "status": "active", **changes}),
        created_at=NEW_YEAR + timedelta(days=day),
        changelog=changelog,
        created_by=author,
        parent_version=parent,
    )


@pytest.fixture(params=["memory", "files"])
def store(request, tmp_path):
    return VersionStore() if request.param == "memory" else VersionStore(tmp_path / "history")


@pytest.fixture(params=["await", "sync"])
def call(request, store):
    async def run(name, *arguments, **options):
        if request.param == "await":
            return await getattr(store, name)(*arguments, **options)
        return getattr(store, f"{name}_sync")(*arguments, **options)

    return run


def test_the_version_store_satisfies_the_protocol(store):
    assert isinstance(store, VersionStoreProtocol)


class TestRecords:
    async def test_records_are_loaded_as_saved(self, call):
        saved = record(changelog="First", author="Ada", parent="0.9.0", metadata={"custom": {"a": [1, None]}})
        await call("save_version", saved)
        assert await call("get_version", "greeting", "1.0.0") == saved
        assert await call("get_latest", "greeting") == saved
        chat = PromptVersion(prompt=create_chat_prompt(id="a/b.c", status="active"))
        await call("save_version", chat)
        assert await call("list_versions", "a/b.c") == [chat]

    async def test_records_are_listed_highest_version_first(self, call):
        for version in ("1.9.0", "1.10.0", "2.0.0-rc.1", "1.0.0", "2.0.0"):
            await call("save_version", record(version))
        assert [each.version for each in await call("list_versions", "greeting")] == [
            "2.0.0",
            "2.0.0-rc.1",
            "1.10.0",
            "1.9.0",
            "1.0.0",
        ]
        assert (await call("get_latest", "greeting")).version == "2.0.0"

    async def test_the_record_of_a_draft_is_replaced(self, call):
        await call("save_version", record(status="draft", parent="0.9.0"))
        await call("save_version", record(template="other", changelog="Rewritten"))
        (saved,) = await call("list_versions", "greeting")
        assert (saved.prompt.template.content, saved.changelog, saved.parent_version) == ("other", "Rewritten", "0.9.0")

    async def test_a_record_with_other_content_is_refused(self, call):
        await call("save_version", record())
        with pytest.raises(VersionConflictError, match="active and its content cannot change"):
            await call("save_version", record(template="other"))
        assert (await call("get_latest", "greeting")).prompt.template.content == "Hello {{name}}!"

    async def test_saving_a_record_again_updates_only_the_status(self, call):
        await call("save_version", record(author="Ada", changelog="First"))
        await call("save_version", record(day=5, status="deprecated", author="Bo"))
        (saved,) = await call("list_versions", "greeting")
        assert (saved.created_at, saved.created_by, saved.changelog) == (NEW_YEAR, "Ada", "First")
        assert saved.prompt.status == "deprecated"

    async def test_missing_records_raise_errors(self, call):
        await call("save_version", record())
        for name, arguments in (("list_versions", ()), ("get_latest", ()), ("get_history", ()), ("delete_version", ())):
            with pytest.raises(PromptNotFoundError, match="greting") as caught:
                await call(name, "greting", *arguments)
            assert "did you mean 'greeting'" in str(caught.value)
        for version in ("9.0.0", "1.0", ""):
            with pytest.raises(VersionNotFoundError) as caught:
                await call("get_version", "greeting", version)
            assert "its only version is 1.0.0" in str(caught.value)
        with pytest.raises(PromptNotFoundError):
            await call("list_versions", "../greeting")

    async def test_one_record_or_all_can_be_deleted(self, call):
        for version in ("1.0.0", "2.0.0", "3.0.0"):
            await call("save_version", record(version))
        await call("save_version", record(id="greeting/deep"))
        await call("delete_version", "greeting", "2.0.0")
        assert [each.version for each in await call("list_versions", "greeting")] == ["3.0.0", "1.0.0"]
        with pytest.raises(VersionNotFoundError):
            await call("delete_version", "greeting", "2.0.0")
        await call("delete_version", "greeting")
        with pytest.raises(PromptNotFoundError):
            await call("list_versions", "greeting")
        assert len(await call("list_versions", "greeting/deep")) == 1
        assert await call("load_from_storage") == 1

    def test_a_record_has_the_version_and_hash_of_its_prompt(self):
        prompt = create_text_prompt(version="2.0.0")
        made = PromptVersion(prompt=prompt)
        assert (made.version, made.checksum) == ("2.0.0", prompt.content_hash)
        with pytest.raises(ValueError, match="version is not that of the prompt"):
            PromptVersion(prompt=prompt, version="1.0.0")
        with pytest.raises(ValueError, match="checksum is not that of the prompt"):
            PromptVersion(prompt=prompt, checksum="0" * 64)


class TestHistory:
    @pytest.fixture(autouse=True)
    def filled(self, store):
        for day, version in enumerate(("1.0.0", "1.1.0", "2.0.0", "1.1.1")):
            store.save_version_sync(record(version, day, changelog=None if version == "1.1.0" else f"to {version}"))

    LIMITS = (
        ({}, ["2.0.0", "1.1.1", "1.1.0", "1.0.0"]),
        ({"since": NEW_YEAR + timedelta(days=1)}, ["2.0.0", "1.1.1", "1.1.0"]),
        ({"until": NEW_YEAR + timedelta(days=1)}, ["1.1.0", "1.0.0"]),
        ({"since": NEW_YEAR + timedelta(days=1), "until": NEW_YEAR + timedelta(days=1)}, ["1.1.0"]),
        ({"since": datetime(2026, 1, 3)}, ["2.0.0", "1.1.1"]),  # noqa: DTZ001 - read as UTC
        ({"since": datetime(2026, 1, 3, 5, tzinfo=timezone(timedelta(hours=5)))}, ["2.0.0", "1.1.1"]),
        ({"limit": 2}, ["2.0.0", "1.1.1"]),
        ({"limit": 0}, []),
        ({"since": NEW_YEAR + timedelta(days=9)}, []),
    )

    @pytest.mark.parametrize(("limits", "expected"), LIMITS, ids=str)
    async def test_history_can_be_limited_by_time(self, call, limits, expected):
        assert [each.version for each in await call("get_history", "greeting", **limits)] == expected

    @pytest.mark.parametrize(
        ("limits", "why"),
        [
            ({"limit": -1}, "must not be negative"),
            ({"since": NEW_YEAR, "until": NEW_YEAR - timedelta(days=1)}, "since is after until"),
        ],
    )
    async def test_impossible_history_limits_are_refused(self, call, limits, why):
        with pytest.raises(ValueError, match=why):
            await call("get_history", "greeting", **limits)

    CHANGELOGS = (
        ((), ["2.0.0", "1.1.1", "1.0.0"]),
        (("1.0.0", "2.0.0"), ["2.0.0", "1.1.1"]),
        (("1.1.0", "1.1.1"), ["1.1.1"]),
        (("1.1.0",), ["2.0.0", "1.1.1"]),
        ((None, "1.1.1"), ["1.1.1", "1.0.0"]),
        (("1.1.1", "1.1.1"), []),
    )

    @pytest.mark.parametrize(("between", "expected"), CHANGELOGS, ids=str)
    async def test_history_shows_changes_between_versions(self, call, between, expected):
        found = await call("get_changelog", "greeting", *between)
        assert [(each.version, each.changelog) for each in found] == [(each, f"to {each}") for each in expected]

    async def test_changelog_refuses_missing_or_swapped_versions(self, call):
        with pytest.raises(VersionNotFoundError):
            await call("get_changelog", "greeting", "0.1.0")
        with pytest.raises(PromptValidationError, match=r"2\.0\.0 is after 1\.0\.0"):
            await call("get_changelog", "greeting", "2.0.0", "1.0.0")

    async def test_two_versions_can_be_compared(self, call):
        found = await call("compare_versions", "greeting", "1.0.0", "2.0.0")
        assert (found.old_version, found.new_version, found.bump) == ("1.0.0", "2.0.0", "none")


class TestFiles:
    @pytest.fixture
    def root(self, tmp_path):
        return tmp_path / "history"

    def test_another_store_sees_new_files_at_once(self, root):
        first, second = VersionStore(root), VersionStore(str(root))
        first.save_version_sync(record())
        assert second.get_latest_sync("greeting").version == "1.0.0"
        second.delete_version_sync("greeting")
        with pytest.raises(PromptNotFoundError):
            first.get_latest_sync("greeting")

    @pytest.mark.parametrize(
        ("damage", "why"),
        [
            (lambda path: path.write_text(path.read_text()[:50]), "contains no record"),
            (
                lambda path: path.write_text(path.read_text().replace("Hello", "Hallo")),
                "something else has changed the record",
            ),
            (lambda path: path.write_text("[]"), "contains no record"),
            (lambda path: path.write_bytes(b"\xff\xfe"), "contains no record"),
            (lambda path: os.truncate(path, 17 * 2**20), "more than the limit"),
            (lambda path: (path.unlink(), path.mkdir()), "it is a directory, not a file"),
            (lambda path: (path.rename(path.parent / "x"), path.symlink_to("x")), "a store does not follow links"),
        ],
    )
    def test_damaged_files_are_named_and_hide_no_other(self, root, damage, why):
        store = VersionStore(root)
        for version in ("1.0.0", "2.0.0"):
            store.save_version_sync(record(version))
        damaged = root / "greeting" / "@1.0.0.json"
        damage(damaged)
        with pytest.warns(UserWarning, match=why) as warned:
            assert [each.version for each in store.list_versions_sync("greeting")] == ["2.0.0"]
        assert str(damaged) in str(warned[0].message)
        with pytest.raises(StorageReadError, match=why) as caught:
            store.get_version_sync("greeting", "1.0.0")
        assert caught.value.path == str(damaged)
        assert store.get_version_sync("greeting", "2.0.0").version == "2.0.0"
        with pytest.raises(StorageReadError) as caught:
            store.load_from_storage_sync()
        assert [each.path for each in caught.value.errors] == [str(damaged)]

    def test_files_stay_in_their_directory(self, root, tmp_path):
        outside = tmp_path / "outside"
        outside.mkdir()
        root.mkdir()
        (root / "greeting").symlink_to(outside)
        store = VersionStore(root)
        for use in (store.save_version_sync, lambda each: store.list_versions_sync(each.prompt.id)):
            with pytest.raises(StorageReadError, match="it is a link"):
                use(record())
        assert list(outside.iterdir()) == []

    @pytest.mark.parametrize("prompt_id", ["a/1.0.0.json", "x" * 255, "/".join(["ab"] * 85), "a/@".replace("@", "b")])
    def test_every_valid_id_can_be_saved(self, root, prompt_id):
        store = VersionStore(root)
        store.save_version_sync(record(id="a"))
        store.save_version_sync(record(id=prompt_id))
        assert store.get_latest_sync(prompt_id).prompt.id == prompt_id
        assert store.load_from_storage_sync() == 2

    def test_ids_differing_only_in_case_do_not_collide(self, root):
        store = VersionStore(root)
        store.save_version_sync(record(id="greeting"))
        # As a case-insensitive file system shows them.
        (root / "greeting").rename(root / "Greeting")
        with pytest.raises(StorageReadError, match="differ only in case"):
            store.save_version_sync(record(id="Greeting"))

    def test_failed_writes_raise_errors(self, tmp_path):
        (tmp_path / "history").write_text("")
        with pytest.raises(StorageWriteError, match="history"):
            VersionStore(tmp_path / "history").save_version_sync(record())

    async def test_a_cancelled_save_writes_a_whole_record_or_none(self, root):
        store = VersionStore(root)
        task = asyncio.ensure_future(store.save_version(record()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.2)
        assert await store.load_from_storage() in {0, 1}

    def test_eight_threads_and_eight_processes_lose_nothing(self, root):
        program = """
import sys
from prompt_manager.core.models import Prompt, PromptVersion
from prompt_manager.versioning import VersionStore
store, number = VersionStore(sys.argv[1]), sys.argv[2]
for n in range(10):
    prompt = Prompt(id="greeting", version=f"{number}.{n}.0", format="text", template=f"{number} {n}", status="active")
    store.save_version_sync(PromptVersion(prompt=prompt))
"""
        running = [
            subprocess.Popen([sys.executable, "-c", program, str(root), str(number)], cwd=ROOT)
            for number in range(1, 9)
        ]
        store = VersionStore(root)

        def work(number):
            for n in range(10):
                store.save_version_sync(record(f"{number}.{n}.0", template=f"{number} {n}"))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(9, 17)))
        assert [process.wait(60) for process in running] == [0] * 8
        versions = {each.version: each.prompt.template.content for each in store.list_versions_sync("greeting")}
        assert versions == {f"{number}.{n}.0": f"{number} {n}" for number in range(1, 17) for n in range(10)}

    def test_a_killed_process_leaves_only_whole_files(self, root):
        program = """
import sys, itertools
from prompt_manager.core.models import Prompt, PromptVersion
from prompt_manager.versioning import VersionStore
store = VersionStore(sys.argv[1])
for n in itertools.count(int(sys.argv[2])):
    prompt = Prompt(id="greeting", version=f"1.{n}.0", format="text", template="x" * 50_000, status="active")
    store.save_version_sync(PromptVersion(prompt=prompt))
    print(n, flush=True)
"""
        store, printed = VersionStore(root), set()
        for attempt in range(6):
            process = subprocess.Popen(
                [sys.executable, "-c", program, str(root), str(attempt * 1000)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
            )
            printed.add(int(process.stdout.readline()))
            time.sleep(0.003 * attempt)
            process.send_signal(signal.SIGKILL)
            printed |= {int(line) for line in process.communicate(timeout=60)[0].split()}
        assert {f"1.{n}.0" for n in printed} <= {each.version for each in store.list_versions_sync("greeting")}
        store.save_version_sync(record("2.0.0"))
        names = {path.name for path in (root / "greeting").iterdir()}
        assert all(name == ".lock" or name.startswith("@") for name in names)
        assert json.loads((root / "greeting" / "@2.0.0.json").read_text())["version"] == "2.0.0"
