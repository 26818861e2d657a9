"""docs/checks.md is that of the rules. Each bad example breaks its rule, and no good one breaks any."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from helpers import ROOT
from prompt_manager._native import rules as codes_of_the_core
from prompt_manager.cli.app import app

sys.path.insert(0, str(ROOT / "tests"))

import checks_page

RULES = checks_page.rules()
IDS = [rule.name for rule in RULES]


def test_the_page_is_up_to_date():
    assert checks_page.page() == checks_page.PAGE.read_text(encoding="utf-8"), "run make format"


def test_every_rule_of_the_core_is_on_the_page():
    assert [(rule.code, rule.name, rule.severity) for rule in RULES] == codes_of_the_core()


def git(*arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments], check=True)


def findings(rule: checks_page.Rule, title: str) -> list[str]:
    """The codes that a check of an example finds, with the options that its comments name."""
    files = checks_page.files_of(rule.examples(title))
    assert files
    options = ["--json", "--extend-select", rule.code]
    Path("prompts").mkdir()
    for path, language, text in files:
        head = text.partition("\n")[0]
        if "--provider" in head:
            options += ["--provider", head.split("--provider ")[1]]
        if language == "sh":
            subprocess.run(["sh", "-c", text], check=True)
            continue
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
        if "in the last commit" in head:
            git("init", "-q")
            git("add", ".")
            git("commit", "-q", "-m", "Add a prompt")
    return [finding["code"] for finding in json.loads(CliRunner().invoke(app, ["check", *options]).stdout)]


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_the_bad_example_breaks_its_rule_only(rule, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert {*findings(rule, "Bad")} == {rule.code}


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_the_good_example_has_no_finding(rule, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert findings(rule, "Good") == []
