"""The history of versions, and the differences between them."""

from prompt_manager.versioning.compare import diff
from prompt_manager.versioning.store import VersionStore

__all__ = ["VersionStore", "diff"]
