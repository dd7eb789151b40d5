"""The whole command, `rushes worker --source bigquery`, on a BigQuery of this machine: from its start to its exit code."""

from __future__ import annotations

import importlib
import importlib.util
import os
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable
from typing import Any

from bench._programs import RUSHES
from bench.process.contestants import Figures, resident

PROJECT, DATASET = "bench", "archive"
SAMPLE_SECONDS = 0.1
_NEEDED = ("duckdb", "rushes.testing.bigquery", "rushes.sources.bigquery")


def missing() -> str | None:
    """What is not here without which this cannot be measured."""
    return next((name for name in _NEEDED if importlib.util.find_spec(name) is None), None)


def from_a_table(url: str, addresses: Iterable[str], at_once: int) -> Figures:
    """Fill a table, have the command drain it, and see that each row has its result."""
    testing: Any = importlib.import_module("rushes.testing.bigquery")
    with testing.BigQueryServer() as server, tempfile.TemporaryDirectory(prefix="bench-") as home:
        with server.client(PROJECT) as client:
            rows = [{"id": f"id-{n}", "url": address, "status": "PENDING"} for n, address in enumerate(addresses)]
            client.create_dataset(DATASET)
            for name, column in (("items", "url"), ("results", "context")):
                client.query(f"CREATE TABLE {DATASET}.{name} (id STRING, {column} STRING, status STRING)").result()
            client.load_table_from_json(rows, f"{PROJECT}.{DATASET}.items").result()
        figures = _drained(at_once, {
            "RUSHES_HOME": home, "BIGQUERY_EMULATOR_HOST": server.url, "BIGQUERY_PROJECT": PROJECT,
            "BIGQUERY_DATASET": DATASET, "BIGQUERY_TABLE_SOURCE": "items", "BIGQUERY_TABLE_TARGET": "results",
            "URL_PROCESSOR_SERVICE_URL": url,
        })  # fmt: skip
        with server.client(PROJECT) as client:
            results = client.list_rows(f"{PROJECT}.{DATASET}.results")
            done = sum(1 for row in results if row["status"] == "COMPLETED")
    assert done == len(rows), f"{done} of {len(rows)} have a result"
    return figures


def _drained(at_once: int, variables: dict[str, str]) -> Figures:
    command = [*RUSHES, "worker", "--source", "bigquery", "--concurrency", str(at_once)]
    before = _children()
    began = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, **variables}, stderr=subprocess.DEVNULL)
    samples: list[float] = []
    ended = threading.Event()
    sampler = threading.Thread(target=_sample, args=(process.pid, samples, ended))
    sampler.start()
    code = process.wait()
    seconds = time.perf_counter() - began
    ended.set()
    sampler.join()
    assert code == 0, f"it ended with {code}"
    return Figures(seconds, _children() - before, samples[len(samples) // 4], samples[-1])


def _sample(process: int, samples: list[float], ended: threading.Event) -> None:
    while not ended.wait(SAMPLE_SECONDS):
        try:
            samples.append(resident(process))
        except OSError:
            return


def _children() -> float:
    """Seconds of processor time of all processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
