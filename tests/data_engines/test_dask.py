"""Dask: partitions of pandas, in threads, in other processes, and in the workers of a cluster."""

from __future__ import annotations

import dask.dataframe as dd
import pandas as pd
import pytest
from dask.distributed import Client, LocalCluster

from conftest import NAMES, TEXTS

#: Dask tries a function without `meta` on made-up rows, one of which is null, and a null name is an error.
META = {"name": "string", "text": "string"}


@pytest.fixture
def frame():
    return dd.from_pandas(pd.DataFrame({"name": NAMES}), npartitions=8)


def test_partitions_are_rendered(greet, frame):
    assert list(frame.map_partitions(greet, meta=META).compute()["text"]) == TEXTS


def test_other_processes_render(greet, frame):
    assert list(frame.map_partitions(greet, meta=META).compute(scheduler="processes", num_workers=2)["text"]) == TEXTS


def test_workers_of_a_cluster_render(greet, frame):
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        assert list(frame.map_partitions(greet, meta=META).compute()["text"]) == TEXTS
