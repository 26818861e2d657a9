"""The workflows and the documents about releases agree with the rest of the repository."""

from __future__ import annotations

import re

import pytest
import yaml

from helpers import ROOT

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


@by_name
def test_only_the_jobs_of_an_index_can_publish(path):
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    publishing = {name for name, job in jobs.items() if "id-token" in job["permissions"]}
    assert publishing == ({"testpypi", "pypi"} if path.name == "publish.yml" else set())
    for name in publishing:
        assert jobs[name]["environment"] == name


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
