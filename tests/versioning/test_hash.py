"""Content hashes: which fields count as content, and digests that never change."""

from __future__ import annotations

import hashlib

import pytest

from helpers import cases, create_text_prompt
from prompt_manager import PromptRegistry
from prompt_manager._native import content_hash
from prompt_manager.core.models import LabelMove, Prompt

CASES = [pytest.param(case, id=name) for name, case in cases("versions") if "digest" in case]


@pytest.mark.parametrize("case", CASES)
def test_the_digest_is_the_sha256_of_the_canonical_text(case):
    assert case["digest"] == hashlib.sha256(case["canonical"].encode()).hexdigest()
    assert content_hash(case["prompt"], case.get("engine")) == case["digest"]


@pytest.mark.parametrize("case", [case for case in CASES if "engine" not in case.values[0]])
def test_a_prompt_has_the_content_hash_of_its_file(case):
    prompt = Prompt(**case["prompt"])
    assert prompt.content_hash == case["digest"]
    assert prompt.replace(id="other", version="9.0.0", labels=["x"]).content_hash == case["digest"]


def test_a_registry_keeps_the_content_hash():
    registry = PromptRegistry()
    prompt = create_text_prompt(template={"content": "{{a}}", "variables": []}, settings={"temperature": 1})
    registry.register_sync(prompt)
    assert registry.get_sync("greeting").content_hash == prompt.content_hash


def test_naive_times_of_label_moves_are_read_as_utc():
    move = LabelMove(label="production", version="1.0.0", moved_at="2026-01-01T12:00:00")
    assert move.moved_at.isoformat() == "2026-01-01T12:00:00+00:00"
    assert (move.previous, move.author) == (None, None)
