"""A directory of a store that is swapped for a link while the store works: nothing outside is read or changes."""

from __future__ import annotations

import json
import os
import shutil
import threading
import warnings

import pytest

from helpers import create_text_prompt, run_python
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


@pytest.mark.parametrize("name", ["1.0.0.json", "old.json"])
def test_a_migration_stays_within_the_store(tmp_path, outside, name):
    place = tmp_path / "store" / "my prompt"
    place.mkdir(parents=True)
    for directory, text in ((place, "inside"), (outside, "outside")):
        old = create_text_prompt(template=text).model_dump(mode="json")
        (directory / name).write_text(json.dumps({**old, "id": "my prompt"}))
    before = files_in(outside)

    def rename_and_swap(prompt_id, version):
        place.rename(tmp_path / "aside")
        place.symlink_to(outside, target_is_directory=True)
        return prompt_id.replace(" ", "-"), version

    storage = FileSystemStorage(tmp_path / "store")
    with pytest.raises(PromptManagerError, match="it is a link"):
        storage.migrate_sync(rename_and_swap)
    assert files_in(outside) == before
    assert not storage.exists_sync("my-prompt")


def test_reads_stay_within_the_store(tmp_path, prompt_id):
    storage, history = FileSystemStorage(tmp_path / "store"), VersionStore(tmp_path / "store")
    elsewhere = tmp_path / "elsewhere"
    inside = create_text_prompt(id=prompt_id, status="active", template={"content": "inside"})
    outside = inside.replace(template={"content": "outside"})
    for prompt, root in ((inside, tmp_path / "store"), (outside, elsewhere)):
        FileSystemStorage(root).save_sync(prompt)
        VersionStore(root).save_version_sync(PromptVersion(prompt=prompt))
    found = set()

    def work(number):
        del number
        found.add(storage.load_sync(prompt_id).template.content)
        found.add(history.get_version_sync(prompt_id, "1.0.0").prompt.template.content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.update(prompt.template.content for prompt in storage.list_sync())

    race(tmp_path / "store", prompt_id, elsewhere / prompt_id.split("/")[0], work)
    assert found <= {"inside"}


def test_a_special_file_is_an_error_and_never_waited_for(tmp_path):
    FileSystemStorage(tmp_path).save_sync(create_text_prompt(status="active"))
    (tmp_path / ".generation").unlink()
    for name in ("greeting/2.0.0.json", "greeting/@2.0.0.json", ".generation"):
        os.mkfifo(tmp_path / name)
    code = f"""
import os
import warnings
from prompt_manager import PromptManager, VersionStore
from prompt_manager.exceptions import PromptManagerError
from prompt_manager.storage import FileSystemStorage
warnings.simplefilter("ignore")
root = {str(tmp_path)!r}
storage = FileSystemStorage(root, lock_timeout=0.1)
manager = PromptManager.from_storage_sync(storage)
print(manager.render_sync("greeting", {{"name": "Ada"}}))
storage.save_sync(storage.load_sync("greeting", "1.0.0").replace(version="1.1.0"))
print(len(storage.list_sync()), [str(error).rsplit(": ")[1] for error in storage.check_sync()])
os.mkfifo(root + "/greeting/.labels.json")
for work in (
    lambda: storage.load_sync("greeting", "2.0.0"),
    lambda: storage.get_label_history_sync("greeting"),
    lambda: VersionStore(root).get_version_sync("greeting", "2.0.0"),
):
    try:
        work()
    except PromptManagerError as error:
        print(str(error).rsplit(": ")[1])
"""
    assert run_python(code, timeout=10).splitlines() == [
        "Hello Ada!",
        "2 ['it is a pipe, not a file']",
        *["it is a pipe, not a file"] * 3,
    ]


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
