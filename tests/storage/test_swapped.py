"""A directory of a store that is swapped for a link while the store works: nothing outside of the store changes."""

from __future__ import annotations

import os
import shutil
import threading

import pytest

from helpers import create_text_prompt
from prompt_manager import VersionStore
from prompt_manager.core.models import PromptVersion
from prompt_manager.exceptions import PromptManagerError
from prompt_manager.storage import FileSystemStorage

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no calls relative to an open directory")

ROUNDS = 120


@pytest.fixture(params=["greeting", "team/greeting"])
def prompt_id(request):
    return request.param


def swap(store, prompt_id, outside, stop):
    """Put a link in the place of the first directory of an id, and the directory back, again and again."""
    there, aside = store / prompt_id.split("/")[0], store.parent / "aside"
    inside = outside / "/".join(prompt_id.split("/")[1:])
    while not stop.is_set():
        try:
            there.rename(aside)
            there.symlink_to(outside, target_is_directory=True)
            inside.mkdir(parents=True, exist_ok=True)
            there.unlink()
            shutil.rmtree(there, ignore_errors=True)
            aside.rename(there)
        except OSError:
            # The store has made the directory anew in the meantime.
            shutil.rmtree(aside, ignore_errors=True)


def race(store, prompt_id, outside, work):
    """Work while the directory is swapped. An error of the store is a good answer to that."""
    stop = threading.Event()
    swapping = threading.Thread(target=swap, args=(store, prompt_id, outside, stop))
    swapping.start()
    try:
        for number in range(ROUNDS):
            try:
                work(number)
            except PromptManagerError:
                continue
    finally:
        stop.set()
        swapping.join()


def files_in(directory):
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if not path.is_dir())


@pytest.fixture
def outside(tmp_path):
    """A directory that is not the store's, with files that the store could take for its own."""
    directory = tmp_path / "outside"
    (directory / "greeting").mkdir(parents=True)
    for at in (directory, directory / "greeting"):
        (at / "0.1.0.json").write_text("{}")
        (at / ".saving-other.tmp").write_text("")
    return directory


def test_saves_and_deletions_stay_within_the_store(tmp_path, outside, prompt_id):
    storage = FileSystemStorage(tmp_path / "store", lock_timeout=0.05)
    storage.save_sync(create_text_prompt(id=prompt_id, status="active"))
    before = files_in(outside)

    def work(number):
        storage.save_sync(create_text_prompt(id=prompt_id, version=f"2.0.{number}", status="active"))
        storage.set_label_sync(prompt_id, "production", f"2.0.{number}")
        if number % 3 == 0:
            storage.delete_sync(prompt_id)

    race(tmp_path / "store", prompt_id, outside, work)
    assert files_in(outside) == before


def test_records_of_versions_stay_within_the_store(tmp_path, outside, prompt_id):
    store = VersionStore(tmp_path / "store")
    store.save_version_sync(PromptVersion(prompt=create_text_prompt(id=prompt_id)))
    before = files_in(outside)

    def work(number):
        prompt = create_text_prompt(id=prompt_id, version=f"2.0.{number}")
        store.save_version_sync(PromptVersion(prompt=prompt))
        if number % 3 == 0:
            store.delete_version_sync(prompt_id)

    race(tmp_path / "store", prompt_id, outside, work)
    assert files_in(outside) == before


@pytest.mark.parametrize("name", ["team", "team/greeting"])
def test_a_link_in_the_place_of_a_directory_is_refused(tmp_path, outside, name):
    place = tmp_path / "store" / name
    place.parent.mkdir(parents=True)
    place.symlink_to(outside, target_is_directory=True)
    before = files_in(outside)
    prompt = create_text_prompt(id="team/greeting")
    with pytest.raises(PromptManagerError, match="it is a link"):
        FileSystemStorage(tmp_path / "store").save_sync(prompt)
    with pytest.raises(PromptManagerError, match="it is a link"):
        VersionStore(tmp_path / "store").save_version_sync(PromptVersion(prompt=prompt))
    assert files_in(outside) == before


def test_the_root_itself_may_be_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "real", target_is_directory=True)
    FileSystemStorage(tmp_path / "root").save_sync(create_text_prompt())
    VersionStore(tmp_path / "root").save_version_sync(PromptVersion(prompt=create_text_prompt()))
    assert {"greeting/1.0.0.json", "greeting/@1.0.0.json"} <= set(files_in(tmp_path / "real"))
