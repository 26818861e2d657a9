"""What other repositories use of this one: the hooks for pre-commit, and the action for GitHub's workflows."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from helpers import ROOT

if TYPE_CHECKING:
    from pathlib import Path

HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}

GOOD = {
    "prompts/hi.yaml": "template: Hi {{name}}!\n",
    "prompts/hi.test.yaml": "- {name: a, variables: {name: Ada}, text: Hi Ada!}\n",
}
WRONG = {**GOOD, "prompts/hi.yaml": "template: Hi {{who}}!\nvariables: [name]\n"}


@pytest.fixture
def tools(tmp_path: Path) -> dict[str, str]:
    """An environment whose ``prompt-manager`` is that of this repository."""
    program = tmp_path / "bin" / "prompt-manager"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m prompt_manager "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "python"), "PRE_COMMIT_HOME": str(tmp_path / "cache")}


def project(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def run(arguments: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=120
    )


needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="the action runs in bash")


def step(name: str, folder: Path, tools: dict[str, str], **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run a step of the action as GitHub does, with these inputs and the defaults of the others."""
    values: dict[str, Any] = {key: inputs.get(key, about["default"]) for key, about in ACTION["inputs"].items()}
    given = {
        variable: values[expression.removeprefix("${{ inputs.").removesuffix(" }}")]
        for variable, expression in STEPS[name]["env"].items()
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[name]["run"]]
    return run(command, folder, {**tools, **given})


@needs_bash
def test_the_action_passes_for_good_prompts(tools, tmp_path):
    folder = project(tmp_path / "app", GOOD)
    assert step("Check", folder, tools).returncode == 0
    done = step("Test", folder, tools, junit="results.xml")
    assert (done.returncode, done.stdout) == (0, "1 passed\n")
    assert (folder / "results.xml").is_file()


@needs_bash
def test_the_action_annotates_findings_and_failures(tools, tmp_path):
    folder = project(tmp_path / "app", WRONG)
    done = step("Check", folder, tools)
    assert done.returncode == 1
    assert done.stdout.startswith("::warning file=prompts/hi.yaml,line=1,col=16,title=PM009 undeclared-variable::")
    assert step("Test", folder, tools).returncode == 1


@needs_bash
def test_paths_and_arguments_of_the_action_are_lines(tools, tmp_path):
    folder = project(tmp_path / "app", {**WRONG, "other prompts/b.yaml": "template: Ho\n", "-x.yaml": "template: Ho\n"})
    assert step("Check", folder, tools, paths="other prompts\n").returncode == 0
    assert step("Check", folder, tools, paths="-x.yaml").returncode == 0
    assert step("Check", folder, tools, arguments="--ignore=PM009\n--ignore\nPM010\n").returncode == 0
    assert step("Check", folder, tools, paths='"; echo hacked; "').returncode == 2


def test_each_input_of_the_action_is_used_and_described():
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    for name, about in ACTION["inputs"].items():
        assert f"inputs.{name}" in text
        assert about["description"]


def test_the_action_fits_its_schema():
    if importlib.util.find_spec("check_jsonschema") is None:
        pytest.skip("check-jsonschema is not installed: `make check-workflows` checks it")
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"]
    done = run(checker, ROOT, dict(os.environ))
    assert done.returncode == 0, done.stdout


@pytest.fixture
def pre_commit() -> list[str]:
    if importlib.util.find_spec("pre_commit") is None or shutil.which("git") is None:
        pytest.skip("pre-commit or git is not installed")
    return [sys.executable, "-m", "pre_commit"]


def test_the_hooks_are_a_valid_manifest(pre_commit, tools):
    done = run([*pre_commit, "validate-manifest", ".pre-commit-hooks.yaml"], ROOT, tools)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("hook", "files", "passes"),
    [
        ("prompt-manager-check", GOOD, True),
        ("prompt-manager-check", WRONG, False),
        ("prompt-manager-stubs", GOOD, False),
    ],
)
def test_pre_commit_runs_the_hooks(hook, files, passes, pre_commit, tools, tmp_path):  # noqa: PLR0917 - fixtures
    hooks = project(
        tmp_path / "hooks", {".pre-commit-hooks.yaml": (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")}
    )
    table = '[tool.prompt-manager]\nstubs = "typed_prompts.py"\n'
    folder = project(tmp_path / "app", {**files, "pyproject.toml": table})
    for repository in (hooks, folder):
        commit = ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "Begin", "--no-verify"]
        for arguments in (["init", "-q"], ["add", "-A"], commit):
            assert run(["git", *arguments], repository, tools).returncode == 0
    done = run([*pre_commit, "try-repo", str(hooks), hook, "--all-files"], folder, tools)
    assert (done.returncode == 0) is passes, done.stdout + done.stderr
    if hook == "prompt-manager-stubs":
        assert "typed_prompts.py is not up to date" in done.stdout
        run(["prompt-manager", "stubs"], folder, tools)
        run(["git", "add", "-A"], folder, tools)
        assert run([*pre_commit, "try-repo", str(hooks), hook, "--all-files"], folder, tools).returncode == 0
