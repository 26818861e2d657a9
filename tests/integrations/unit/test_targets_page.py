"""The page of the targets has what the conversions do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))
import targets_page

pytestmark = pytest.mark.unit


def test_the_page_is_what_the_conversions_do():
    assert targets_page.page() == targets_page.PAGE.read_text(encoding="utf-8"), "run make targets"


def test_a_row_changes_with_the_conversion():
    features = {feature.name: feature for feature in targets_page.FEATURES}
    assert targets_page.outcome("Bedrock", features["an image at an `s3://` address"]) == "sent"
    assert targets_page.outcome("Bedrock", features["an image at an `https://` address"]) == "error, or dropped"
    assert targets_page.outcome("Gemini", features["`cache`"]) == "not sent"
