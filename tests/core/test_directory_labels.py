"""Labels of a directory: `labels.yaml` tells where they point, and `set_label` and `rollback` write it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import warnings

import pytest

from prompt_manager import PromptManager, PromptWarning
from prompt_manager.exceptions import StorageReadError, StorageWriteError, VersionNotFoundError
from workers import until, worker

pytestmark = pytest.mark.integration

ADA = {"name": "Ada"}

FILES = {
    "greeting.yaml": 'template: "1.0.0: {{name}}"\nlabels: [stable]\n',
    "new/greeting.yaml": 'id: greeting\nversion: 1.0.1\ntemplate: "1.0.1: {{name}}"\n',
    "other.yaml": "template: x\n",
}

READER = """
from prompt_manager import PromptManager

manager = PromptManager.from_directory_sync(sys.argv[1], refresh=0.05)

def render(**which):
    return manager.render_sync("greeting", {"name": "Ada"}, **which)
"""


@pytest.fixture
def root(directory):
    return directory(FILES)


def load(root, **options):
    return PromptManager.from_directory_sync(root, **options)


def rendered(manager, label="production"):
    return manager.render_sync("greeting", ADA, label=label)


def labels(root, text):
    (root / "labels.yaml").write_text(textwrap.dedent(text), encoding="utf-8")


def test_a_label_moves_and_rolls_back_and_the_file_keeps_it(root):
    manager = load(root)
    manager.set_label_sync("greeting", "production", "1.0.0", author="Ada")
    manager.set_label_sync("greeting", "production", "1.0.1", author="Bo")
    assert rendered(manager) == "1.0.1: Ada"
    assert rendered(load(root)) == "1.0.1: Ada"
    move = load(root).rollback_sync("greeting", "production", author="Cy")
    assert (move.previous, move.version) == ("1.0.1", "1.0.0")
    again = load(root)
    assert rendered(again) == "1.0.0: Ada"
    moves = again.get_label_history_sync("greeting", "production")
    assert [(move.version, move.author) for move in moves] == [("1.0.0", "Ada"), ("1.0.1", "Bo"), ("1.0.0", "Cy")]
    # The manager that made the first moves sees those of others in the history.
    assert manager.get_label_history_sync("greeting") == moves
    # Nothing else stays in a directory that is under version control.
    assert sorted(path.name for path in root.iterdir()) == ["greeting.yaml", "labels.yaml", "new", "other.yaml"]
    text = (root / "labels.yaml").read_text(encoding="utf-8")
    assert "labels:\n  greeting:\n    production: 1.0.0\n" in text
    assert 'author: "Bo"' in text


async def test_the_coroutines_do_the_same(root):
    manager = await PromptManager.from_directory(root)
    await manager.set_label("greeting", "production", "1.0.0")
    await manager.set_label("greeting", "production", "1.0.1")
    await manager.rollback("greeting", "production")
    assert await manager.render("greeting", ADA, label="production") == "1.0.0: Ada"
    assert len(await manager.get_label_history("greeting")) == 3


def test_prompts_stay_read_only(root):
    manager = load(root)
    with pytest.raises(StorageWriteError, match="read-only"):
        manager.update_prompt_sync(manager.get_prompt_sync("greeting"), template="x")


def test_a_label_can_be_taken_off_even_if_a_prompt_file_names_it(root):
    manager = load(root)
    assert rendered(manager, "stable") == "1.0.0: Ada"
    manager.set_label_sync("greeting", "stable", None)
    for each in (manager, load(root)):
        with pytest.raises(VersionNotFoundError):
            rendered(each, "stable")
    assert load(root).rollback_sync("greeting", "stable").version == "1.0.0"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rendered(load(root), "stable") == "1.0.0: Ada"


def test_the_file_wins_and_a_disagreement_is_a_warning_with_its_place(root):
    labels(root, "labels:\n  greeting:\n    stable: 1.0.1\n")
    with pytest.warns(PromptWarning) as caught:
        manager = load(root)
    assert rendered(manager, "stable") == "1.0.1: Ada"
    (finding,) = caught[0].message.findings
    assert (finding.rule, finding.line, finding.column) == ("label-disagreement", 3, 13)
    assert finding.file == str(root / "labels.yaml")
    assert f"at 1.0.0 in {root / 'greeting.yaml'}:1" in finding.message


def test_an_edit_by_hand_counts_and_can_be_rolled_back(root):
    manager = load(root)
    manager.set_label_sync("greeting", "production", "1.0.0")
    path = root / "labels.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("production: 1.0.0\n", "production: 1.0.1\n"), encoding="utf-8"
    )
    edited = load(root)
    assert rendered(edited) == "1.0.1: Ada"
    assert [move.version for move in edited.get_label_history_sync("greeting")] == ["1.0.0", "1.0.1"]
    assert edited.rollback_sync("greeting", "production").version == "1.0.0"
    assert [move.version for move in load(root).get_label_history_sync("greeting")] == ["1.0.0", "1.0.1", "1.0.0"]


def test_comments_at_the_top_stay(root):
    labels(root, "# Ask Ada before you move production.\n\nlabels:\n  greeting: {production: 1.0.0}\n")
    load(root).set_label_sync("greeting", "production", "1.0.1")
    assert (
        (root / "labels.yaml")
        .read_text(encoding="utf-8")
        .startswith("# Ask Ada before you move production.\n\nlabels:")
    )


MISTAKES = [
    ("labels: {greeting: {production: 1.0.0}", (1, 9), None),
    ("labels:\n  greeting:\n    production: 3.0.0\n", (3, 17), "its newest versions are 1.0.1, 1.0.0"),
    ("labels:\n  greeting:\n    production: one\n", (3, 17), None),
    ("labels:\n  greting:\n    production: 1.0.0\n", (3, 17), "did you mean 'greeting'?"),
    ("labels:\n  greeting:\n    1.0.0: 1.0.0\n", (3, 5), "a label is"),
    ("labels:\n  greeting: [production]\n", (2, 13), None),
    ("label:\n  greeting: {}\n", (1, 1), "did you mean `labels`?"),
    ("greeting:\n  production: 1.0.0\n", (1, 1), "labels: {greeting: {production: 1.0.1}}"),
    ("template: y\n", (1, 1), "give a prompt file another name"),
    ("labels: {}\nhistory:\n  greeting:\n    - {label: production, moved_at: yesterday}\n", (4, 37), None),
    ("- x\n", (1, 1), None),
    ("", (1, 1), "delete the file, or write `{}`"),
    ("# Where labels point.\n\n", (1, 1), "delete the file, or write `{}`"),
    ("null\n", (1, 1), "delete the file, or write `{}`"),
    ("labels: !ours {}\n", (1, 9), "without it"),
    ("labels: {}\n---\nlabels: {}\n", (3, 1), None),
]


@pytest.mark.parametrize(("text", "place", "hint"), MISTAKES, ids=[text[:30] for text, *_ in MISTAKES])
def test_a_mistake_in_the_file_has_line_and_column(text, place, hint, root):
    labels(root, text)
    with pytest.raises(StorageReadError) as caught:
        load(root)
    error = caught.value.errors[0]
    assert error.context["path"] == str(root / "labels.yaml") or str(root / "labels.yaml") in str(error)
    assert (error.line, error.column) == place
    assert hint is None or hint in str(error)


@pytest.mark.parametrize("text", [text for text, *_ in MISTAKES])
def test_a_broken_file_keeps_the_last_good_labels(text, root, caplog):
    manager = load(root, refresh=0)
    manager.set_label_sync("greeting", "production", "1.0.0")
    assert rendered(manager) == "1.0.0: Ada"
    good = (root / "labels.yaml").read_bytes()
    labels(root, text)
    for _ in range(3):
        assert rendered(manager) == "1.0.0: Ada"
    assert manager.reload_errors
    assert manager.reload_errors[0].line is not None
    assert caplog.text.count("The last good prompts stay in use") == 1
    (root / "labels.yaml").write_bytes(good.replace(b"production: 1.0.0\n", b"production: 1.0.1\n"))
    assert rendered(manager) == "1.0.1: Ada"
    assert manager.reload_errors == ()


@pytest.mark.parametrize("text", ["{}\n", "labels: {}\n", "labels:\n", None])
def test_labels_end_where_the_file_says_so_or_is_deleted(text, root):
    manager = load(root, refresh=0)
    manager.set_label_sync("greeting", "production", "1.0.0")
    if text is None:
        (root / "labels.yaml").unlink()
    else:
        labels(root, text)
    with pytest.raises(VersionNotFoundError):
        rendered(manager)
    assert manager.reload_errors == ()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in directories")
def test_a_pipe_in_place_of_the_file_keeps_the_last_good_labels(root):
    manager = load(root, refresh=0)
    manager.set_label_sync("greeting", "production", "1.0.0")
    (root / "labels.yaml").unlink()
    os.mkfifo(root / "labels.yaml")
    assert rendered(manager) == "1.0.0: Ada"
    assert "it is a pipe, not a file" in str(manager.reload_errors[0])


def test_a_move_does_not_overwrite_a_broken_file(root):
    manager = load(root)
    labels(root, "labels: [")
    with pytest.raises(StorageReadError) as caught:
        manager.set_label_sync("greeting", "production", "1.0.0")
    assert caught.value.errors[0].line == 1
    assert (root / "labels.yaml").read_text(encoding="utf-8") == "labels: ["


def test_an_edit_counts_whatever_the_case_of_the_name(root):
    path = root / "Labels.YAML"
    path.write_text("labels: {greeting: {production: 1.0.0}}\n", encoding="utf-8")
    manager = load(root, refresh=0)
    for version in ("1.0.0", "1.0.1", "1.0.0"):
        path.write_text(f"labels: {{greeting: {{production: {version}}}}}\n", encoding="utf-8")
        assert rendered(manager) == f"{version}: Ada"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_a_move_goes_through_a_link_to_the_file_that_directories_share(root, tmp_path):
    (tmp_path / "shared").mkdir()
    target = tmp_path / "shared" / "production-labels.yaml"
    target.write_text("labels: {greeting: {production: 1.0.1}}\n", encoding="utf-8")
    roots = [root, shutil.copytree(root, tmp_path / "other")]
    for each in roots:
        (each / "labels.yaml").symlink_to(target)
    one, other = (load(each, refresh=0) for each in roots)
    assert one.set_label_sync("greeting", "production", "1.0.0").previous == "1.0.1"
    assert rendered(one) == rendered(other) == "1.0.0: Ada"
    assert other.rollback_sync("greeting", "production").version == "1.0.1"
    assert rendered(one) == "1.0.1: Ada"
    assert all((each / "labels.yaml").is_symlink() for each in roots)
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    (root / "labels.yaml").unlink()
    (root / "labels.yaml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(StorageWriteError, match="no such file"):
        one.set_label_sync("greeting", "production", "1.0.0")


def test_two_files_of_labels_are_an_error(root):
    for name in ("labels.yaml", "labels.yml"):
        (root / name).write_text("labels: {}\n", encoding="utf-8")
    with pytest.raises(StorageReadError, match="exists too"):
        load(root)


def test_moves_and_edits_reach_other_processes(root):
    with worker(READER, root) as one, worker(READER, root) as other:
        assert one.ask("manager.set_label_sync('greeting', 'production', '1.0.0').version") == "1.0.0"
        assert one.ask("render(label='production')") == "1.0.0: Ada"
        until(lambda: other.ask("render(label='production')"), "1.0.0: Ada")
        assert other.ask("manager.set_label_sync('greeting', 'production', '1.0.1').previous") == "1.0.0"
        until(lambda: one.ask("render(label='production')"), "1.0.1: Ada")
        path = root / "labels.yaml"
        text = path.read_text(encoding="utf-8").replace("production: 1.0.1\n", "production: 1.0.0\n")
        path.write_text(text, encoding="utf-8")
        for each in (one, other):
            until(lambda each=each: each.ask("render(label='production')"), "1.0.0: Ada")
        path.unlink()
        for each in (one, other):
            until(lambda each=each: each.ask("render(label='production')")[:20], "VersionNotFoundError")


def test_a_version_that_arrives_with_its_label_is_loaded(root):
    manager = load(root, refresh=0)
    (root / "newest.yaml").write_text('id: greeting\nversion: 2.0.0\ntemplate: "2.0.0: {{name}}"\n', encoding="utf-8")
    assert manager.render_sync("greeting", ADA) == "1.0.1: Ada"
    labels(root, "labels: {greeting: {production: 2.0.0}}")
    assert rendered(manager) == "2.0.0: Ada"


def test_a_rollback_goes_to_a_version_that_arrived_with_its_label(root):
    manager = load(root, refresh=3600)
    manager.set_label_sync("greeting", "production", "1.0.0")
    for version in ("2.0.0", "3.0.0"):
        text = f'id: greeting\nversion: {version}\ntemplate: "{version}: {{{{name}}}}"\n'
        (root / f"{version}.yaml").write_text(text, encoding="utf-8")
        load(root).set_label_sync("greeting", "production", version)
    assert manager.rollback_sync("greeting", "production").version == "2.0.0"
    assert rendered(manager) == "2.0.0: Ada"


def test_without_refresh_a_manager_keeps_its_labels(root):
    manager = load(root)
    manager.set_label_sync("greeting", "production", "1.0.0")
    load(root).set_label_sync("greeting", "production", "1.0.1")
    assert rendered(manager) == "1.0.0: Ada"


def test_a_directory_that_vanishes_and_comes_back(root):
    manager = load(root, refresh=0)
    manager.set_label_sync("greeting", "production", "1.0.0")
    assert rendered(manager) == "1.0.0: Ada"
    away = root.with_name("away")
    root.rename(away)
    assert rendered(manager) == "1.0.0: Ada"
    assert len(manager.reload_errors) == 1
    away.rename(root)
    load(root).set_label_sync("greeting", "production", "1.0.1")
    assert rendered(manager) == "1.0.1: Ada"
    assert manager.reload_errors == ()


def test_writers_in_many_processes_lose_no_move(root):
    code = (
        "import sys; from prompt_manager import PromptManager\n"
        "manager = PromptManager.from_directory_sync(sys.argv[1])\n"
        "for number in range(10):\n"
        "    manager.set_label_sync('greeting', f'label-{sys.argv[2]}-{number}', '1.0.0')\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(root), str(number)]) for number in range(4)]
    assert [writer.wait(120) for writer in writers] == [0] * 4
    assert len(load(root).get_label_history_sync("greeting")) == 40


@pytest.mark.skipif(sys.platform == "win32", reason="kills processes")
def test_a_killed_writer_leaves_the_old_or_the_new_file(root):
    code = (
        "import sys; from prompt_manager import PromptManager\n"
        "manager = PromptManager.from_directory_sync(sys.argv[1])\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    for version in ('1.0.0', '1.0.1'):\n"
        "        manager.set_label_sync('greeting', 'production', version)\n"
    )
    for _ in range(5):
        writer = subprocess.Popen([sys.executable, "-c", code, str(root)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        writer.stdout.readline()
        until(lambda: (root / "labels.yaml").is_file() or None, expected=True)
        writer.kill()
        writer.communicate()
        assert rendered(load(root)) in {"1.0.0: Ada", "1.0.1: Ada"}
    load(root).set_label_sync("greeting", "stable", "1.0.1")
    assert [path.name for path in root.glob(".saving*")] == []


@pytest.mark.parametrize("id", ["no", "1.5", "null", "a-b/c.d", "greeting"])
def test_ids_and_authors_of_any_kind_are_read_back(id, directory):
    root = directory({"p.yaml": f'id: "{id}"\ntemplate: x\n'})
    author = 'Ada "x": {y} # \n\u2028 \U0001f600'
    load(root).set_label_sync(id, "on", "1.0.0", author=author)
    again = load(root)
    assert again.render_sync(id, label="on") == "x"
    assert again.get_label_history_sync(id)[0].author == author


def test_check_reports_labels_too(root):
    manager = load(root)
    labels(root, "labels:\n  greeting:\n    production: 3.0.0\n")
    assert [finding.rule for finding in manager.check()] == ["unknown-label-target"]
    labels(root, "labels: {")
    assert [finding.line for finding in manager.check()] == [1]


def test_a_watched_directory_follows_the_file_too(root):
    with PromptManager.from_directory_sync(root, watch=True) as manager:
        labels(root, "labels: {greeting: {production: 1.0.1}}")

        def answer():
            try:
                return rendered(manager)
            except VersionNotFoundError:
                return None

        until(answer, "1.0.1: Ada")
