"""Settings for all tests of the integrations."""

from __future__ import annotations

import os

# Without it, importing litellm downloads a list of prices.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
