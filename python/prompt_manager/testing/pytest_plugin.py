"""The pytest plugin: collects ``*.test.yaml`` of directories of prompts, and has the fixture ``prompts``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from prompt_manager._native import file_kind
from prompt_manager.exceptions import PromptManagerError
from prompt_manager.testing.find import prompts_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prompt_manager.core.manager import PromptManager
    from prompt_manager.testing.cases import PromptCase

__all__ = ["PromptCaseItem", "PromptTestFile", "prompts", "pytest_addoption", "pytest_collect_file"]

_MANAGERS = pytest.StashKey[dict[Path, "PromptManager"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting ``prompts_directory``."""
    help_text = "The directory of prompts, for the fixture `prompts` and for *.test.yaml (default: prompts)"
    parser.addini("prompts_directory", help_text, default="prompts")


def _directory(config: pytest.Config) -> Path:
    return config.rootpath / str(config.getini("prompts_directory"))


def _manager(config: pytest.Config, root: Path) -> PromptManager:
    """The manager of a directory, which is loaded once."""
    from prompt_manager.core.manager import PromptManager

    managers = config.stash.setdefault(_MANAGERS, {})
    if root not in managers:
        managers[root] = PromptManager.from_directory_sync(root, unknown_variables="error")
    return managers[root]


@pytest.fixture(scope="session")
def prompts(pytestconfig: pytest.Config) -> PromptManager:
    """The manager of the project's prompts. A variable that a prompt does not declare is an error."""
    return _manager(pytestconfig, _directory(pytestconfig).resolve())


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> PromptTestFile | None:
    """Collect a test file below a directory of prompts."""
    if file_kind(file_path) != "tests" or prompts_root(file_path, _directory(parent.config)) is None:
        return None
    collected: PromptTestFile = PromptTestFile.from_parent(parent, path=file_path)
    return collected


class PromptTestFile(pytest.File):
    """A test file."""

    def collect(self) -> Iterator[PromptCaseItem]:
        """Read the cases."""
        from prompt_manager.testing.cases import read_cases

        root = prompts_root(self.path, _directory(self.config)) or self.path.parent
        try:
            cases = read_cases(self.path.resolve(), root)
        except PromptManagerError as error:
            raise self.CollectError(str(error)) from None
        for case in cases:
            yield PromptCaseItem.from_parent(self, name=case.name, case=case, root=root)


class PromptCaseFailedError(Exception):
    """A case does not give what it expects."""


class PromptCaseItem(pytest.Item):
    """A case of a test file."""

    def __init__(self, *, case: PromptCase, root: Path, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.case = case
        self.root = root

    def runtest(self) -> None:
        """Run the case."""
        from prompt_manager.testing.compare import run_case

        failures = run_case(_manager(self.config, self.root), self.case)
        if failures:
            raise PromptCaseFailedError("\n".join(failure.message for failure in failures))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **kwargs: Any) -> Any:
        """Show what differs, without a traceback."""
        if isinstance(excinfo.value, PromptCaseFailedError):
            return f"{self.path}:{self.case.line}: {self.case.name}\n{excinfo.value}"
        if isinstance(excinfo.value, PromptManagerError):
            # The directory of prompts cannot be loaded.
            return str(excinfo.value)
        return super().repr_failure(excinfo, *args, **kwargs)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The place of the case."""
        return self.path, self.case.line - 1, self.name
