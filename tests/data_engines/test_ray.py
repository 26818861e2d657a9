"""Ray Data: tasks and actors, also if a worker is killed."""

from __future__ import annotations

import os
import signal

import pyarrow as pa
import pytest
import ray
from ray.data import ActorPoolStrategy

from conftest import NAMES, TEXTS


@pytest.fixture(scope="module", autouse=True)
def cluster():
    # Four processors in name: a pool of two actors leaves some for the tasks that read.
    # A busy machine needs longer than Ray's 30 seconds to start its processes.
    os.environ["RAY_agent_register_timeout_ms"] = "180000"  # noqa: SIM112 - Ray's own spelling
    for attempt in range(3):
        try:
            ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
            break
        except Exception:  # Ray raises no narrower class if the node did not start in time
            ray.shutdown()
            if attempt == 2:
                raise
    yield
    ray.shutdown()


@pytest.fixture
def rows():
    return ray.data.from_arrow(pa.table({"name": NAMES})).repartition(8)


class KillOnce:
    """Kills the worker that runs it, as the system does when memory is short: once, at the first batch."""

    def __init__(self, marker):
        self.marker = marker

    def __call__(self, batch):
        try:
            os.close(os.open(self.marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return batch
        os.kill(os.getpid(), signal.SIGKILL)
        return None


class GreetActor:
    """What an actor keeps: the renderer, which compiles its prompt when the actor starts."""

    def __init__(self, greet):
        self.greet = greet

    def __call__(self, batch):
        return self.greet(batch)


def texts(dataset):
    return sorted(row["text"] for row in dataset.take_all())


def test_tasks_render(greet, rows):
    assert texts(rows.map_batches(greet, batch_format="pyarrow")) == sorted(TEXTS)


def test_a_pool_of_actors_renders(greet, rows):
    pool = ActorPoolStrategy(size=2)
    made = rows.map_batches(GreetActor, fn_constructor_args=(greet,), batch_format="pyarrow", compute=pool)
    assert texts(made) == sorted(TEXTS)


def test_the_job_completes_if_a_worker_is_killed(greet, rows, tmp_path):
    kill = KillOnce(str(tmp_path / "killed"))
    made = rows.map_batches(kill.__call__, batch_format="pyarrow").map_batches(greet, batch_format="pyarrow")
    assert texts(made) == sorted(TEXTS)
    assert (tmp_path / "killed").exists()
