"""What holds for every test of the integrations."""

from __future__ import annotations

import os

# litellm would fetch a list of prices when it is imported.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
