"""Files that change while they are read: a load gives one saved state, or an error that names the file."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from prompt_manager import PromptManager
from prompt_manager.exceptions import StorageReadError

#: A process that saves two states in turn. Each repeats one word in its id and in every line of its template.
WRITER = """
import os, sys, time
path, way, lines, pause = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
states = [
    f"id: {word}\\nformat: text\\ntemplate: |-\\n" + f"  {word}\\n" * (lines + extra)
    for word, extra in (("one", 0), ("two", 3))
]
print("ready", flush=True)
while True:
    for state in states:
        target = path if way == "in place" else path + ".new"
        with open(target, "w") as file:
            file.write(state)
        if way == "by renaming":
            os.replace(target, path)
        time.sleep(pause)
"""


@contextlib.contextmanager
def saving(path, way, *, lines, pause):
    """Run another process that saves without end."""
    command = [sys.executable, "-c", WRITER, str(path), way, str(lines), str(pause)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        try:
            while not path.exists():
                time.sleep(0.001)
            yield
        finally:
            writer.kill()


def loads(root, expected):
    """Load for two seconds, and until all these were seen; return each loaded id and template, or the error.

    On a busy machine the writer may not write twice in two seconds. After a minute, something else is wrong.
    """
    found, start = [], time.monotonic()
    while (passed := time.monotonic() - start) < 2 or (passed < 60 and not expected <= set(found)):
        try:
            manager = PromptManager.from_directory_sync(root)
        except StorageReadError as error:
            found.append(error)
        else:
            (prompt,) = manager.list_prompts_sync()
            found.append((prompt.id, manager.render_sync(prompt.id)))
    return found


def states(lines):
    return {(word, "\n".join([word] * count)) for word, count in (("one", lines), ("two", lines + 3))}


class TestLoads:
    def test_a_file_replaced_during_loads_is_read_whole(self, tmp_path):
        root = tmp_path / "prompts"
        root.mkdir()
        with saving(root / "a.yaml", "by renaming", lines=50_000, pause=0.003):
            found = loads(root, states(50_000))
        assert set(found) == states(50_000)

    def test_a_file_written_in_place_is_read_as_saved(self, tmp_path):
        root = tmp_path / "prompts"
        root.mkdir()
        with saving(root / "a.yaml", "in place", lines=100, pause=0.05):
            found = loads(root, states(100))
        errors = [each for each in found if isinstance(each, StorageReadError)]
        # If the system suspends the writer right after it truncated the file, the file is empty for a while.
        assert all(str(root / "a.yaml") in error.errors[0].context["path"] for error in errors)
        assert {each for each in found if each not in errors} == states(100)

    @pytest.mark.skipif(not Path("/proc/uptime").exists(), reason="needs a file that the system changes")
    def test_a_constantly_changing_file_is_an_error_by_name(self, tmp_path):
        root = tmp_path / "prompts"
        root.mkdir()
        # The system changes this file every hundredth of a second.
        (root / "a.yaml").symlink_to("/proc/uptime")
        with pytest.raises(StorageReadError) as caught:
            PromptManager.from_directory_sync(root)
        (error,) = caught.value.errors
        assert str(error).startswith(f"cannot read the file {root / 'a.yaml'}: it changes while it is read")
        assert "rename it" in str(error) + "".join(getattr(error, "__notes__", ()))


class TestWatch:
    def test_readers_of_a_watched_directory_see_only_saved_states(self, tmp_path):
        root = tmp_path / "prompts"
        root.mkdir()
        path = root / "a.yaml"
        path.write_text("id: one\nformat: text\ntemplate: one\n")
        with (
            PromptManager.from_directory_sync(root, watch=True) as manager,
            saving(path, "by renaming", lines=1, pause=0.15),
        ):
            seen, end = set(), time.monotonic() + 10
            while len(seen) < 2 and time.monotonic() < end:
                (prompt,) = manager.list_prompts_sync()
                seen.add(prompt.id)
            assert seen == {"one", "two"}
