"""The storages of the package pass the suite that any storage must pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from prompt_manager.core.protocols import StorageBackendProtocol
from prompt_manager.storage import FileSystemStorage, InMemoryStorage
from prompt_manager.storage.testing import StorageSuite


class TestInMemoryStorage(StorageSuite):
    def make_storage(self):
        return InMemoryStorage()


class _InFiles(StorageSuite):
    format = "json"

    @pytest.fixture(autouse=True)
    def _directory(self, tmp_path):
        self.path = tmp_path / "store"

    def make_storage(self):
        return FileSystemStorage(self.path, format=self.format)

    def reopen(self, _storage):
        return FileSystemStorage(self.path)


class TestJsonFiles(_InFiles):
    pass


class TestYamlFiles(_InFiles):
    format = "yaml"


def test_the_storages_satisfy_the_protocol(tmp_path):
    assert isinstance(InMemoryStorage(), StorageBackendProtocol)
    assert isinstance(FileSystemStorage(tmp_path), StorageBackendProtocol)


#: A storage with a bug, as a user might write it: it forgets prompts. The suite must find that.
FORGETFUL = """
import unittest
from prompt_manager.storage import InMemoryStorage
from prompt_manager.storage.testing import StorageSuite

class Forgetful:
    def __init__(self):
        self._kept = InMemoryStorage()
        self.load, self.delete, self.list, self.exists = (
            self._kept.load, self._kept.delete, self._kept.list, self._kept.exists)

    async def save(self, prompt):
        await self._kept.save(prompt.replace(settings={}))

class TestForgetful(StorageSuite, unittest.TestCase):
    def make_storage(self):
        return Forgetful()

unittest.main()
"""


def test_the_suite_finds_a_broken_storage_under_unittest():
    with TemporaryDirectory() as directory:
        file = Path(directory, "mine.py")
        file.write_text(FORGETFUL, encoding="utf-8")
        finished = subprocess.run([sys.executable, str(file)], check=False, capture_output=True, text=True)
    assert "the loaded prompt: expected" in finished.stderr
    assert "Ran 18 tests" in finished.stderr
    assert "skipped=4" in finished.stderr
