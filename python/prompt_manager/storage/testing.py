"""Tests that every storage must pass, including your own.

Subclass :class:`StorageSuite` and override ``make_storage``. Each test gets a new storage. The tests run in pytest and
unittest, without plugins.

>>> from prompt_manager.storage import InMemoryStorage
>>> class TestInMemoryStorage(StorageSuite):
...     def make_storage(self):
...         return InMemoryStorage()
>>> TestInMemoryStorage().test_a_draft_is_replaced()

If your storage is persistent, override :meth:`StorageSuite.reopen` too. If it has no ``set_label``, the tests of labels
are skipped.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, NoReturn
from unittest import SkipTest

from prompt_manager.core.models import Prompt, PromptStatus
from prompt_manager.exceptions import (
    PromptError,
    PromptManagerError,
    PromptNotFoundError,
    VersionConflictError,
    VersionNotFoundError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable

    from prompt_manager.core.models import LabelMove
    from prompt_manager.core.protocols import StorageBackendProtocol

__all__ = ["StorageSuite"]

#: Texts that a careless storage would change.
_TEXTS = (
    "one\ntwo\n",
    "one\n\n\n",
    "  indented\n\ttab\n trailing \t\n",
    "carriage\r\nreturn\rnext\u0085line\u2028separator",
    "no",
    "1.0",
    "# no comment: {{a}}",
    "emoji \U0001f600, Grüße, 你好, \ufeff mark",
    "'\"\\ quotes",
    "--- \n...\n",
)


def _text(**changes: Any) -> Prompt:
    """Return an active text prompt."""
    plain = {"id": "greeting", "format": "text", "template": "Hello {{name}}!", "status": "active"}
    return Prompt(**{**plain, **changes})


def _chat() -> Prompt:
    """Return a chat prompt with every kind of field."""
    return Prompt.model_validate(
        {
            "id": "support/triage",
            "version": "2.0.0-rc.1",
            "format": "chat",
            "status": "active",
            "chat_template": {
                "messages": [
                    {"role": "system", "content": "You triage.\n{{> tone}}\n", "cache": True},
                    {"role": "placeholder", "name": "history", "optional": True},
                    {"role": "user", "content": [{"type": "text", "text": "{{ticket}}"}]},
                ],
                "partials": {"tone": "Be brief.\n"},
                "variables": {"ticket": {"type": "string", "description": "no"}},
            },
            "tools": [{"name": "look", "parameters": {"type": "object", "properties": {"id": {"type": "string"}}}}],
            "tool_choice": "auto",
            "settings": {"model": "m", "temperature": 0.1, "max_tokens": 9, "extra": {"a": [1, 2.5, None, "1.0"]}},
            "input_schema": "triage_input",
            "output_schema": {"type": "object", "properties": {"a": {"type": "number", "minimum": 1e-07}}},
            "metadata": {"author": "Ada", "tags": ["a", "b"], "custom": {"since": "2026-01-31", "deep": {"x": [True]}}},
            "labels": ["production"],
        }
    )


def _fail(message: str) -> NoReturn:
    raise AssertionError(message)


def _same(found: object, expected: object, subject: str) -> None:
    if found != expected:
        _fail(f"{subject}: expected {expected!r}, found {found!r}")


async def _refused(awaitable: Awaitable[object], kind: type[PromptManagerError], subject: str) -> None:
    try:
        await awaitable
    except kind:
        return
    except PromptManagerError as error:
        _fail(f"{subject}: expected {kind.__name__}, but {error!r} was raised")
    _fail(f"{subject}: expected {kind.__name__}, but nothing was raised")


def _keys(prompts: Iterable[Prompt]) -> list[str]:
    return sorted(f"{prompt.id} {prompt.version}" for prompt in prompts)


def _moves(history: Iterable[LabelMove]) -> list[tuple[str, str | None, str | None]]:
    return [(move.label, move.previous, move.version) for move in history]


def _test(check: Callable[[StorageSuite, Any], Coroutine[Any, Any, None]]) -> Callable[[StorageSuite], None]:
    """Turn a coroutine into a test that runs its own event loop."""

    # `functools.wraps` would set `__wrapped__`, and pytest would take `storage` for a fixture.
    def test(self: StorageSuite) -> None:
        asyncio.run(check(self, self.make_storage()))

    test.__name__ = test.__qualname__ = check.__name__
    test.__doc__ = check.__doc__
    return test


def _test_of_labels(check: Callable[[StorageSuite, Any], Coroutine[Any, Any, None]]) -> Callable[[StorageSuite], None]:
    async def with_labels(self: StorageSuite, storage: Any) -> None:
        if not hasattr(storage, "set_label"):
            raise SkipTest(f"{type(storage).__name__} does not support labels")
        await check(self, storage)

    with_labels.__name__, with_labels.__doc__ = check.__name__, check.__doc__
    return _test(with_labels)


class StorageSuite:
    """The tests. Subclass it and override :meth:`make_storage`."""

    def make_storage(self) -> StorageBackendProtocol:
        """Create an empty storage."""
        raise NotImplementedError(f"{type(self).__name__} must override `make_storage` to create a storage")

    def reopen(self, storage: StorageBackendProtocol) -> StorageBackendProtocol:
        """Open the same storage as another process would. By default returns the object itself."""
        return storage

    @_test
    async def test_saved_prompts_can_be_loaded(self, storage: StorageBackendProtocol) -> None:
        """A saved prompt loads unchanged, by version and as the latest."""
        for prompt in (_text(), _chat()):
            await storage.save(prompt)
            for version in (prompt.version, None):
                _same(await self.reopen(storage).load(prompt.id, version), prompt, "the loaded prompt")

    @_test
    async def test_texts_are_kept_exactly(self, storage: StorageBackendProtocol) -> None:
        """Line breaks, blanks and special characters do not change."""
        for number, text in enumerate(_TEXTS):
            prompt = _text(id=f"text-{number}", template=text, metadata={"description": text})
            await storage.save(prompt)
            _same(await self.reopen(storage).load(prompt.id), prompt, f"the prompt with the text {text!r}")

    @_test
    async def test_a_draft_is_replaced(self, storage: StorageBackendProtocol) -> None:
        """A draft can be saved with other content, and then become active."""
        await storage.save(_text(status="draft"))
        await storage.save(_text(status="draft", template="Good morning {{name}}!"))
        final = _text(template="Good evening {{name}}!")
        await storage.save(final)
        _same(await self.reopen(storage).load("greeting"), final, "the prompt saved last")

    @_test
    async def test_a_version_in_use_keeps_its_content(self, storage: StorageBackendProtocol) -> None:
        """Saving other content raises an error and changes nothing."""
        kept = _text()
        await storage.save(kept)
        for other in (
            _text(template="Bye {{name}}!"),
            _text(settings={"temperature": 0.5}),
            _text(status="draft", template=""),
        ):
            await _refused(storage.save(other), VersionConflictError, "other content")
        _same(await self.reopen(storage).load("greeting"), kept, "the version in use")

    @_test
    async def test_a_version_in_use_does_not_become_a_draft_again(self, storage: StorageBackendProtocol) -> None:
        """The same content as a draft is refused, and the version stays in use."""
        for number, status in enumerate(("active", "deprecated", "archived"), start=1):
            kept = _text(version=f"{number}.0.0", status=status)
            await storage.save(kept)
            draft = kept.replace(status="draft")
            await _refused(storage.save(draft), VersionConflictError, f"a draft in place of an {status} version")
            _same(await self.reopen(storage).load("greeting", kept.version), kept, "the version in use")

    @_test
    async def test_saving_the_same_again_changes_nothing(self, storage: StorageBackendProtocol) -> None:
        """Saving the same content is not a conflict, even from a new object or as a draft."""
        kept = _text()
        await storage.save(kept)
        await storage.save(kept)
        await storage.save(_text())
        _same(await self.reopen(storage).load("greeting"), kept, "the prompt")
        _same(_keys(await storage.list()), ["greeting 1.0.0"], "the list")

    @_test
    async def test_status_and_metadata_change(self, storage: StorageBackendProtocol) -> None:
        """Status and metadata of an active version can change. Its uid and creation time stay."""
        before = _text()
        await storage.save(before)
        await storage.save(_text(status="deprecated", metadata={"author": "Ada"}))
        after = await self.reopen(storage).load("greeting", "1.0.0")
        _same((after.status, after.metadata.author), (PromptStatus.DEPRECATED, "Ada"), "status and author")
        _same((after.uid, after.created_at), (before.uid, before.created_at), "uid and creation time")

    @_test
    async def test_a_draft_without_a_template_is_refused(self, storage: StorageBackendProtocol) -> None:
        """Saving it raises an error and stores nothing."""
        await _refused(storage.save(Prompt.model_validate({"id": "a", "format": "text"})), PromptError, "no template")
        _same(await storage.exists("a"), expected=False, subject="whether it exists")

    @_test
    async def test_latest_is_the_highest_active_version(self, storage: StorageBackendProtocol) -> None:
        """Without an active version, the latest is the highest one that is not archived."""
        expected = {"1.9.0": "draft", "1.10.0": "active", "2.0.0-rc.1": "deprecated", "3.0.0": "archived"}
        latest = {"1.9.0": "1.9.0", "1.10.0": "1.10.0", "2.0.0-rc.1": "1.10.0", "3.0.0": "1.10.0"}
        for version, status in expected.items():
            await storage.save(_text(version=version, status=status))
            _same((await self.reopen(storage).load("greeting")).version, latest[version], "the latest")
        await storage.delete("greeting", "1.10.0")
        _same((await storage.load("greeting")).version, "2.0.0-rc.1", "the latest without an active one")
        for version in ("1.9.0", "2.0.0-rc.1"):
            await storage.delete("greeting", version)
        await _refused(storage.load("greeting"), PromptNotFoundError, "all are archived")
        _same((await storage.load("greeting", "3.0.0")).version, "3.0.0", "an archived version by name")

    @_test
    async def test_missing_prompts_and_versions_raise_errors(self, storage: StorageBackendProtocol) -> None:
        """A missing prompt and a missing version raise different errors."""
        for missing in ("greeting", "../greeting", "a/../b", "C:\\a", "", "a\x00b"):
            await _refused(storage.load(missing), PromptNotFoundError, f"load {missing!r}")
            await _refused(storage.delete(missing), PromptNotFoundError, f"delete {missing!r}")
            _same(await storage.exists(missing), expected=False, subject=f"whether {missing!r} exists")
        await storage.save(_text())
        for version in ("2.0.0", "1.0", "../1.0.0"):
            await _refused(storage.load("greeting", version), VersionNotFoundError, f"load version {version!r}")
            await _refused(storage.delete("greeting", version), VersionNotFoundError, f"delete version {version!r}")
            _same(await storage.exists("greeting", version), expected=False, subject=f"whether {version!r} exists")

    @_test
    async def test_one_version_or_all_are_deleted(self, storage: StorageBackendProtocol) -> None:
        """Deleting the last version deletes the prompt. Prompts whose ids begin with its id stay."""
        for version in ("1.0.0", "2.0.0", "3.0.0"):
            await storage.save(_text(version=version))
        await storage.save(_text(id="greeting/formal"))
        await storage.delete("greeting", "2.0.0")
        _same(_keys(await self.reopen(storage).list())[:2], ["greeting 1.0.0", "greeting 3.0.0"], "the remaining list")
        await storage.delete("greeting")
        _same(_keys(await self.reopen(storage).list()), ["greeting/formal 1.0.0"], "the remaining list")
        await storage.delete("greeting/formal", "1.0.0")
        _same((await storage.exists("greeting/formal"), await storage.list()), (False, []), "the remaining list")
        await storage.save(_text(template="anew"))
        _same((await storage.load("greeting")).version, "1.0.0", "a deleted version that was saved again")

    @_test
    async def test_list_filters_by_tags_and_status(self, storage: StorageBackendProtocol) -> None:
        """A version is listed if it matches all filters."""
        await storage.save(_text(metadata={"tags": ["a", "b"]}))
        await storage.save(_text(version="2.0.0", status="archived", metadata={"tags": ["a"]}))
        await storage.save(_text(id="bye"))
        storage = self.reopen(storage)
        everything = ["bye 1.0.0", "greeting 1.0.0", "greeting 2.0.0"]
        _same(_keys(await storage.list()), everything, "no filter")
        _same(_keys(await storage.list(tags=["a"])), everything[1:], "one tag")
        _same(_keys(await storage.list(tags=["b", "a"])), everything[1:2], "two tags")
        _same(_keys(await storage.list(status="active")), everything[:2], "one status")
        _same(_keys(await storage.list(tags=["a"], status=PromptStatus.ARCHIVED)), everything[2:], "a tag and a status")
        _same(_keys(await storage.list(tags=[" B", "A"])), everything[1:2], "two tags in another case")
        _same(_keys(await storage.list(tags=["c"])), [], "a tag that no prompt has")

    @_test
    async def test_changing_a_loaded_prompt_changes_nothing(self, storage: StorageBackendProtocol) -> None:
        """A loaded prompt is independent of the stored one."""
        await storage.save(_text(metadata={"custom": {"a": 1}}))
        with contextlib.suppress(TypeError):  # the dicts of a prompt are read-only
            (await storage.load("greeting")).metadata.custom["a"] = 2
        _same((await storage.load("greeting")).metadata.custom, {"a": 1}, "the stored metadata")

    @_test
    async def test_many_tasks_save_at_once(self, storage: StorageBackendProtocol) -> None:
        """All versions are saved. If tasks save different contents as the same version, one succeeds."""
        await asyncio.gather(*(storage.save(_text(version=f"1.{minor}.0")) for minor in range(20)))
        _same(len(await self.reopen(storage).list()), 20, "the number of versions")
        rivals = [_text(version="2.0.0", template=f"{{{{name}}}} {number}") for number in range(10)]
        outcomes = await asyncio.gather(*(storage.save(rival) for rival in rivals), return_exceptions=True)
        won = [rival for rival, outcome in zip(rivals, outcomes, strict=True) if outcome is None]
        lost = [outcome for outcome in outcomes if isinstance(outcome, VersionConflictError)]
        _same((len(won), len(lost)), (1, 9), "saves that succeeded and that conflicted")
        _same(await self.reopen(storage).load("greeting", "2.0.0"), won[0], "the version")

    @_test_of_labels
    async def test_a_label_moves_and_keeps_its_history(self, storage: Any) -> None:
        """A label points at one version at a time, and its history is in order."""
        for version in ("1.0.0", "2.0.0"):
            await storage.save(_text(version=version))
        await storage.set_label("greeting", "production", "1.0.0", author="Ada")
        await storage.set_label("greeting", "production", "2.0.0")
        await storage.set_label("greeting", "staging", "2.0.0")
        await storage.set_label("greeting", "production", "2.0.0")
        storage = self.reopen(storage)
        _same((await storage.load("greeting", "1.0.0")).labels, (), "the labels of the first")
        second = await storage.load("greeting", "2.0.0")
        _same(sorted(second.labels), ["production", "staging"], "the labels of the second")
        moves = await storage.get_label_history("greeting")
        expected = [("production", None, "1.0.0"), ("production", "1.0.0", "2.0.0"), ("staging", None, "2.0.0")]
        _same(_moves(moves), expected, "the history")
        _same(moves[0].author, "Ada", "the author of the first move")
        _same([move.moved_at for move in moves], sorted(move.moved_at for move in moves), "the times")
        _same(_moves(await storage.get_label_history("greeting", "staging")), expected[2:], "one label's history")

    @_test_of_labels
    async def test_a_label_can_be_removed(self, storage: Any) -> None:
        """A label can be removed alone, and is removed with the version that it points at."""
        for version in ("1.0.0", "2.0.0"):
            await storage.save(_text(version=version))
        for label in ("production", "staging"):
            await storage.set_label("greeting", label, "1.0.0")
        await storage.set_label("greeting", "staging", None)
        _same((await storage.load("greeting", "1.0.0")).labels, ("production",), "the labels")
        await storage.delete("greeting", "1.0.0")
        await storage.save(_text(version="1.0.0"))
        storage = self.reopen(storage)
        _same([prompt.labels for prompt in await storage.list()], [(), ()], "the labels")
        _same(
            _moves(await storage.get_label_history("greeting"))[2:],
            [("staging", "1.0.0", None), ("production", "1.0.0", None)],
            "the history",
        )

    @_test_of_labels
    async def test_labels_of_a_saved_prompt_count_until_moved(self, storage: Any) -> None:
        """After the first move, the labels in a saved prompt are ignored."""
        await storage.save(_text(labels=["production", "stable"]))
        await storage.save(_text(version="2.0.0"))
        _same((await storage.load("greeting", "1.0.0")).labels, ("production", "stable"), "the labels")
        move = await storage.set_label("greeting", "production", "2.0.0")
        _same((move.previous, move.version), ("1.0.0", "2.0.0"), "the move")
        await storage.save(_text(labels=["production", "stable"], status="deprecated"))
        storage = self.reopen(storage)
        _same((await storage.load("greeting", "1.0.0")).labels, ("stable",), "the labels of the first")
        _same((await storage.load("greeting", "2.0.0")).labels, ("production",), "the labels of the second")

    @_test_of_labels
    async def test_a_label_needs_an_existing_version(self, storage: Any) -> None:
        """A missing prompt or version raises an error, and nothing is recorded."""
        await _refused(storage.set_label("greeting", "production", "1.0.0"), PromptNotFoundError, "no prompt")
        await _refused(storage.get_label_history("greeting"), PromptNotFoundError, "no prompt")
        await storage.save(_text())
        for version in ("2.0.0", "latest"):
            await _refused(storage.set_label("greeting", "production", version), VersionNotFoundError, "no version")
        await _refused(storage.set_label("greeting", "production", None), VersionNotFoundError, "no label")
        await _refused(storage.set_label("greeting", " ", "1.0.0"), PromptManagerError, "an empty label")
        _same(await storage.get_label_history("greeting"), [], "the history")
