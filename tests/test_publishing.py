"""The workflows and the documents about releases agree with the rest of the repository."""

from __future__ import annotations

import importlib
import re
import shutil
import tomllib

import pytest
import yaml

from helpers import ROOT
from prompt_manager._distribution import DISTRIBUTION

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
RELEASING = (ROOT / "RELEASING.md").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([\w-]+):", MAKEFILE, flags=re.MULTILINE))
DOCUMENTS = [
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "RELEASING.md", *sorted((ROOT / ".github").glob("*.md")), *WORKFLOWS)
]
by_name = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


@by_name
def test_every_action_is_pinned_and_named(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        used = re.match(r"\s*(?:- )?uses: (\S+)(.*)", line)
        if used and not used[1].startswith("./"):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used[1]), line
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", used[2]), line


def test_an_action_has_one_version():
    versions = {}
    for path in WORKFLOWS:
        for repository, version in re.findall(
            r"uses: ([\w-]+/[\w-]+)\S*@(\w+ # \S+)", path.read_text(encoding="utf-8")
        ):
            versions.setdefault(repository, set()).add(version)
    assert versions
    assert all(len(each) == 1 for each in versions.values()), versions


@by_name
def test_a_workflow_has_no_permissions_but_those_of_its_jobs(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert "permissions" in job, name


#: The jobs that publish, each with its environment: an index and GitHub Pages accept no other.
PUBLISHING = {"publish.yml": {"testpypi": "testpypi", "pypi": "pypi"}, "docs.yml": {"deploy": "github-pages"}}


@by_name
def test_only_the_jobs_of_an_index_or_of_pages_can_publish(path):
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    with_identity = {name for name, job in jobs.items() if "id-token" in job["permissions"]}
    publishing = {name for name in with_identity if "environment" in jobs[name]}
    expected = PUBLISHING.get(path.name, {})
    assert publishing == set(expected)
    assert with_identity - publishing == ({"provenance"} if path.name == "publish.yml" else set())
    for name in publishing:
        environment = jobs[name]["environment"]
        assert (environment if isinstance(environment, str) else environment["name"]) == expected[name]


def test_pypi_follows_a_test_of_the_files_on_testpypi():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "publish.yml").read_text(encoding="utf-8"))["jobs"]
    assert [jobs[name]["needs"] for name in ("build", "testpypi", "smoke", "pypi")] == [
        "version",
        "build",
        "testpypi",
        "smoke",
    ]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_make_target_exists(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    for target in re.findall(r"(?:^|`|run: )make ([a-z][\w-]*)", text, flags=re.MULTILINE):
        assert target in TARGETS, target


def test_the_checklist_has_its_marks():
    """``release-checklist.yml`` cuts the list out between them."""
    (checklist,) = re.findall(
        r"^<!-- checklist -->\n(.*?)^<!-- end of checklist -->$", RELEASING, re.MULTILINE | re.DOTALL
    )
    assert all(line.startswith("- [ ] ") for line in checklist.splitlines())
    assert len(checklist.splitlines()) >= 10


def test_the_oldest_rust_and_the_version_are_found_in_cargo_toml():
    """Workflows read both with ``sed``."""
    cargo = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    assert re.search(r'^version = "[\w.+-]+"$', cargo, flags=re.MULTILINE)
    assert re.search(r'^rust-version = "[\d.]+"$', cargo, flags=re.MULTILINE)


def test_each_linked_file_exists():
    for path in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / path).read_text(encoding="utf-8")):
            assert ((ROOT / path).parent / target).exists(), target


@pytest.fixture
def rehearsal(monkeypatch):
    """Return a function that imports a module of the rehearsal."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "rehearsal")
    return importlib.import_module


@pytest.fixture
def copy(tmp_path):
    """Return a folder with the files that a release changes."""
    for name in ("pyproject.toml", "Cargo.toml", "README.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_the_rehearsal_runs_the_commands_of_the_document(rehearsal):
    releasing = rehearsal("releasing")
    found = releasing.commands(RELEASING)
    assert set(releasing.NOT_REHEARSED) <= set(found)
    assert releasing.FIRST_OF_A_RELEASE in found
    assert sum("twine upload" in line for line in found) == 2
    assert set(releasing.variables(RELEASING)) == {"REPOSITORY", "VERSION", "TEST_INDEX"}


def test_the_repository_s_address_makes_all_links_absolute(rehearsal, copy, capsys):
    repository = rehearsal("repository")
    readme, pyproject = copy / "README.md", copy / "pyproject.toml"
    for address in ("https://example.invalid/one/name", "https://example.invalid/other/name"):
        assert repository.main([address], copy) == 0
        text = readme.read_text(encoding="utf-8")
        assert repository.relative_links(text) == []
        assert f"]({address}/blob/main/docs/installation.md)" in text
        urls = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["urls"]
        assert urls == {"Repository": address, "Changelog": f"{address}/blob/main/CHANGELOG.md"}
    assert "/one/" not in readme.read_text(encoding="utf-8") + pyproject.read_text(encoding="utf-8")
    assert repository.main(["name"], copy) == 2
    assert "usage" in capsys.readouterr().err


def test_another_name_reaches_every_install_command_and_nothing_else(rehearsal, tmp_path, capsys):
    rename = rehearsal("rename")
    for place in ("pyproject.toml", *rename.PLACES):
        copy = shutil.copytree if (ROOT / place).is_dir() else shutil.copy
        copy(ROOT / place, tmp_path / place)

    def texts():
        files = [path for path in sorted(tmp_path.rglob("*")) if path.suffix in {*rename.SUFFIXES, ".toml"}]
        return {path.relative_to(tmp_path).as_posix(): path.read_text(encoding="utf-8") for path in files}

    before = texts()
    assert rename.main(["acme.prompts"], tmp_path) == 0
    after = texts()
    assert tomllib.loads(after["pyproject.toml"])["project"]["name"] == "acme.prompts"
    old = re.compile(rf"pip (?:install|download) .*(?<!agentic-){re.escape(DISTRIBUTION)}(?![\w-])")
    assert not [name for name, text in after.items() if old.search(text)]
    assert "$ prompt-manager check prompts" in after["README.md"]
    assert "pip uninstall agentic-prompt-manager" in after["docs/migration.md"]
    assert rename.main([DISTRIBUTION], tmp_path) == 0
    assert texts() == before
    assert rename.main(["no name"], tmp_path) == 2
    assert "usage" in capsys.readouterr().err


def test_a_release_that_is_not_ready_is_refused_with_all_reasons(rehearsal, copy, capsys):
    ready = rehearsal("ready")
    (copy / "README.md").write_text("[changes](CHANGELOG.md)\n", encoding="utf-8")
    (copy / "CHANGELOG.md").write_text("## [Unreleased]\n\n- New.\n", encoding="utf-8")
    assert ready.main(["v0.0.0"], copy) == 1
    errors = capsys.readouterr().err
    assert errors.count("error: ") == 3
    for part in (
        "the tag is v0.0.0",
        "CHANGELOG.md needs entries under a heading `## [",
        "README.md has relative links",
    ):
        assert part in errors


def test_a_release_that_is_ready_prints_its_notes(rehearsal, copy, capsys):
    version = tomllib.loads((copy / "Cargo.toml").read_text(encoding="utf-8"))["package"]["version"]
    changelog = f"## [Unreleased]\n\n## [{version}] - 2026-01-31\n\n- New.\n\n## [0.0.1] - 2026-01-01\n\n- Old.\n"
    (copy / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    rehearsal("repository").main(["https://example.invalid/owner/name"], copy)
    assert rehearsal("ready").main([f"v{version}"], copy) == 0
    assert capsys.readouterr().out == "- New.\n"
