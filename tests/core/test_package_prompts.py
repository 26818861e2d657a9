"""``PromptManager.from_package``: prompts of a package in a folder, in a wheel on the path, and in a zip file."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
import warnings
import zipfile
from importlib import invalidate_caches
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prompt_manager import Prompt, PromptManager, PromptWarning, TemplateEngine
from prompt_manager.exceptions import StorageReadError, StorageWriteError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Install = Callable[[str, Mapping[str, str]], None]

FILES = {
    "__init__.py": "",
    "prompts/hi.yaml": "template: '{{> tone}} Hi {{name}}!'\n",
    "prompts/support/triage.yaml": "template: '{{n}}'\nvariables: {n: integer}\ninput_schema: count\n",
    "prompts/partials/tone.hbs": "Well.",
    "prompts/schemas/count.yaml": "schemas: [{name: count, fields: [{name: n, type: integer}]}]\n",
    "prompts/labels.yaml": "labels: {hi: {production: 1.0.0}}\n",
    "rules/count.yaml": "schemas: [{name: count, fields: [{name: n, type: integer, validators: [RULE]}]}]\n".replace(
        "RULE", "{type: max_value, max_value: 3}"
    ),
    "plain.py": "",
}


@pytest.fixture(params=["folder", "wheel", "zip"])
def install(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a package with these files in one of three ways."""

    def installed(name: str, files: Mapping[str, str]) -> None:
        if request.param == "folder":
            place = tmp_path / "site"
            for path, text in files.items():
                (place / name / path).parent.mkdir(parents=True, exist_ok=True)
                (place / name / path).write_text(text, encoding="utf-8")
        else:
            place = tmp_path / ("library.zip" if request.param == "zip" else f"{name}-1.0-py3-none-any.whl")
            with zipfile.ZipFile(place, "w") as archive:
                for path, text in files.items():
                    archive.writestr(f"{name}/{path}", text)
        monkeypatch.syspath_prepend(str(place))
        invalidate_caches()

    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return installed


def test_prompts_partials_schemas_and_labels_load(install):
    install("shipped", FILES)
    manager = PromptManager.from_package_sync("shipped", "prompts")
    assert manager.render_sync("hi", {"name": "Ada"}) == "Well. Hi Ada!"
    assert manager.render_sync("hi", {"name": "Ada"}, label="production") == "Well. Hi Ada!"
    assert manager.render_sync("support/triage", {"n": "7"}) == "7"
    assert [summary.id for summary in manager.list_prompts_sync()] == ["hi", "support/triage"]


async def test_the_coroutine_does_the_same(install):
    install("shipped", FILES)
    manager = await PromptManager.from_package("shipped", unknown_variables="error")
    assert await manager.render("hi", {"name": "Ada"}) == "Well. Hi Ada!"


def test_the_schemas_may_be_in_another_folder(install):
    install("shipped", {path: text for path, text in FILES.items() if "schemas" not in path})
    manager = PromptManager.from_package_sync("shipped", schema_dir="rules")
    with pytest.raises(Exception, match="must be at most 3"):
        manager.render_sync("support/triage", {"n": 7})


def test_the_package_may_be_a_part_of_another(install):
    nested = {f"inner/{path}": text for path, text in FILES.items()}
    install("outer", {"__init__.py": "", **nested})
    manager = PromptManager.from_package_sync("outer.inner", "./prompts/")
    assert manager.render_sync("hi", {"name": "Ada"}) == "Well. Hi Ada!"


@pytest.mark.parametrize("install", ["folder"], indirect=True)
def test_a_package_without_init_works_too(install):
    """Python finds no such package in a wheel or zip file."""
    install("bare", {path: text for path, text in FILES.items() if path != "__init__.py"})
    assert PromptManager.from_package_sync("bare").render_sync("hi", {"name": "Ada"}) == "Well. Hi Ada!"


def test_a_copy_loads_the_package_by_its_name(install):
    install("shipped", FILES)
    manager = PromptManager.from_package_sync("shipped", unknown_variables="error")
    data = pickle.dumps(manager)
    assert b"prompt_manager_" not in data.replace(b"prompt_manager_native", b"")
    copy = pickle.loads(data)
    assert copy.render_sync("hi", {"name": "Ada"}) == "Well. Hi Ada!"
    with pytest.raises(StorageWriteError):
        copy.set_label_sync("hi", "production", "1.0.0")


def test_nothing_in_a_package_can_be_changed(install):
    install("shipped", FILES)
    manager = PromptManager.from_package_sync("shipped")
    with pytest.raises(StorageWriteError, match="cannot be moved: the prompts are part of the package 'shipped'"):
        manager.set_label_sync("hi", "production", None)
    with pytest.raises(StorageWriteError, match="read-only here"):
        manager.create_prompt_sync(Prompt(id="new", template="Hi"))
    assert manager.get_label_history_sync("hi") is not None


def test_errors_name_the_file_in_the_package(install):
    install(
        "broken", {"__init__.py": "", "prompts/a.yaml": "template: '{{#if x}}'\n", "prompts/b.yaml": "tempalte: Hi\n"}
    )
    with pytest.raises(StorageReadError) as caught:
        PromptManager.from_package_sync("broken")
    place = Path(next(path for path in sys.path if "broken" in path or "site" in path or "library" in path))
    shown = str(place / "broken" / "prompts")
    assert str(caught.value).startswith(f"2 problems in {shown}")
    assert [error.context["path"] for error in caught.value.errors] == [f"{shown}/a.yaml", f"{shown}/b.yaml"]
    assert "prompt_manager_" not in str(caught.value) + repr(caught.value.context)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        manager = PromptManager.from_package_sync("broken", on_error="skip")
    (warning,) = [each.message for each in found if isinstance(each.message, PromptWarning)]
    assert {finding.file for finding in warning.findings} == {f"{shown}/a.yaml", f"{shown}/b.yaml"}
    assert {finding.file for finding in manager.check()} == {f"{shown}/a.yaml", f"{shown}/b.yaml"}
    assert "prompt_manager_" not in str(warning)


@pytest.mark.parametrize(
    ("package", "path", "message"),
    [
        ("no_such_package", "prompts", "there is no package 'no_such_package'"),
        ("shipped.nothing", "prompts", "there is no package 'shipped.nothing'"),
        ("shipped.plain", "prompts", "'shipped.plain' is a module and no package"),
        ("shipped", "promps", "the folder 'promps' of the package 'shipped' is missing"),
        ("shipped", "plain.py", "the folder 'plain.py' of the package 'shipped' is a file, not a folder"),
        ("shipped", "prompts/hi.yaml", "is a file, not a folder"),
    ],
)
def test_what_is_missing_is_named(package, path, message, install):
    install("shipped", FILES)
    with pytest.raises(StorageReadError) as caught:
        PromptManager.from_package_sync(package, path)
    assert message in str(caught.value)
    assert "hint:" in str(caught.value)


@pytest.mark.parametrize("path", ["../other", "/etc", "a/../../b", "C:/x", "a\\b"])
def test_a_path_stays_in_the_package(path, install):
    install("shipped", FILES)
    with pytest.raises(ValueError, match="must be a folder in the package"):
        PromptManager.from_package_sync("shipped", path)


def test_an_error_of_the_package_itself_is_not_hidden(install):
    install("needy", {**FILES, "__init__.py": "import a_package_that_is_not_there\n"})
    with pytest.raises(ModuleNotFoundError, match="a_package_that_is_not_there"):
        PromptManager.from_package_sync("needy")


def test_the_helpers_of_an_engine_are_used(install):
    install("shipped", {"__init__.py": "", "prompts/a.yaml": "template: '{{shout name}}'\n"})
    engine = TemplateEngine()
    engine.register_helper("shout", str.upper)
    assert PromptManager.from_package_sync("shipped", template_engine=engine).render_sync("a", {"name": "x"}) == "X"


def test_no_copy_stays_behind(install, tmp_path, monkeypatch):
    install("shipped", FILES)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "tmp").mkdir()
    PromptManager.from_package_sync("shipped")
    assert list((tmp_path / "tmp").iterdir()) == []


def test_no_file_stays_open(install):
    install("shipped", FILES)
    manager = PromptManager.from_package_sync("shipped")
    assert manager.check() == []
    with pytest.raises(StorageReadError):
        PromptManager.from_package_sync("shipped", "promps")
    archives = [each for each in gc.get_objects() if isinstance(each, zipfile.ZipFile)]
    assert [archive.filename for archive in archives if archive.fp is not None] == []


def test_another_process_loads_a_pickled_manager(install, tmp_path):
    install("shipped", FILES)
    data = tmp_path / "manager.pickle"
    data.write_bytes(pickle.dumps(PromptManager.from_package_sync("shipped")))
    code = f"""
import pickle, sys
sys.path[:0] = {sys.path!r}
print(pickle.load(open({str(data)!r}, "rb")).render_sync("hi", {{"name": "Ada"}}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True, timeout=60)
    assert done.stdout == "Well. Hi Ada!\n"
