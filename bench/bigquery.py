"""A table of addresses through a processor and back: the original program's way beside ours, on a BigQuery of this machine.

The original's way is its statements (SELECT … LIMIT 5, one UPDATE to claim, one UPDATE a result) and its five threads,
repeated until the table is empty, by as many tasks at once. Its target has a row for each item beforehand: it only updates.
Ours is `rushes worker --source bigquery`, one process a task. Both ask one processor, which counts.
"""
# ruff: noqa: S608  (the names in the statements are ours)

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests
from google.cloud import bigquery

from bench._programs import RUSHES, table
from rushes.testing.bigquery import BigQueryServer, Limits

PROJECT, DATASET = "bench", "archive"
BATCH = THREADS = 5
"""The original program's."""
DOLLARS_A_TEBIBYTE = 6.25
TAKES = 0.05
"""Seconds that the processor takes."""


class Processor(ThreadingHTTPServer):
    """Answers `POST {"name": address}` after a moment, and counts."""

    daemon_threads = True
    request_queue_size = 1000

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: Counter[str] = Counter()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Processor

    def do_POST(self) -> None:
        address = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["name"]
        self.server.asked[address] += 1
        time.sleep(TAKES)
        body = f"about {address}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Figures:
    """What one way came to."""

    posts: int
    duplicates: int
    statements: int
    loads: int
    bytes_billed: int
    results: int
    seconds: float

    def row(self, name: str) -> list[str]:
        dollars = self.bytes_billed / 2**40 * DOLLARS_A_TEBIBYTE
        return [
            name, f"{self.posts:,}", f"{self.duplicates:,}", f"{self.statements:,}", f"{self.loads:,}",
            f"{self.bytes_billed / 2**20:,.0f} MiB", f"${dollars:.4f}", f"{self.results:,}", f"{self.seconds:.1f} s",
        ]  # fmt: skip


HEADER = ["", "posts", "twice", "statements", "loads", "billed", "cost", "results", "wall"]


Way = Callable[[BigQueryServer, Processor], None]


def measure(rows: int, latency: float, way: Way, *, original: bool) -> Figures:
    """Fill the tables, go one way, and count."""
    processor = Processor()
    # The service runs two changes of a table at once and lets twenty wait; the original's way would end there.
    limits = Limits(dml_running=None, dml_queued=None, dml_reruns=None) if original else Limits()
    with BigQueryServer(limits=limits) as server:
        _fill(server, rows, prefilled=original)
        before = len(server.jobs)
        server.latency = timedelta(seconds=latency)
        began = time.perf_counter()
        way(server, processor)
        seconds = time.perf_counter() - began
        server.latency = timedelta(0)
        jobs = server.jobs[before:]
        with server.client(PROJECT) as client:
            (count,) = client.query(f"SELECT COUNTIF(status IS NOT NULL) AS n FROM {DATASET}.results").result()
    processor.shutdown()
    loads = sum(job.kind == "LOAD" for job in jobs)
    posts = processor.asked.total()
    billed = sum(job.bytes_billed for job in jobs)
    return Figures(posts, posts - len(processor.asked), len(jobs) - loads, loads, billed, count.n, seconds)


def _fill(server: BigQueryServer, rows: int, *, prefilled: bool) -> None:
    with server.client(PROJECT) as client:
        client.create_dataset(DATASET)
        client.query(f"CREATE TABLE {DATASET}.items (id STRING, url STRING, status STRING)").result()
        client.query(f"CREATE TABLE {DATASET}.results (id STRING, context STRING, status STRING)").result()
        items = [{"id": f"id-{n}", "url": f"https://talks.example.org/{n}", "status": "PENDING"} for n in range(rows)]
        client.load_table_from_json(items, f"{PROJECT}.{DATASET}.items").result()
        if prefilled:
            empty = [{"id": item["id"]} for item in items]
            client.load_table_from_json(empty, f"{PROJECT}.{DATASET}.results").result()


def originals_way(tasks: int) -> Way:
    def go(server: BigQueryServer, processor: Processor) -> None:
        threads = [threading.Thread(target=_original, args=(server, processor)) for _ in range(tasks)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return go


def _original(server: BigQueryServer, processor: Processor) -> None:
    """One task: the original's run, again and again until it finds nothing."""
    with server.client(PROJECT) as client, requests.Session() as session, ThreadPoolExecutor(THREADS) as pool:
        while True:
            wanted = client.query(
                f"SELECT url, id FROM {DATASET}.items WHERE status = 'PENDING' LIMIT {BATCH}"
            ).result()
            batch = [(row.id, row.url) for row in wanted]
            if not batch:
                return
            ids = bigquery.ArrayQueryParameter("ids", "STRING", [id_ for id_, _ in batch])
            claim = f"UPDATE {DATASET}.items SET status = 'PROCESSING' WHERE id IN UNNEST(@ids)"
            client.query(claim, job_config=bigquery.QueryJobConfig(query_parameters=[ids])).result()
            answers = list(pool.map(lambda item: session.post(processor.url, json={"name": item[1]}).text, batch))
            for (id_, _), answer in zip(batch, answers, strict=True):
                _update(client, id_, answer)


def _update(client: bigquery.Client, id_: str, answer: str) -> None:
    values = {
        "context": answer,
        "status": "FAILED_PROCESSING" if answer.startswith("ERROR:") else "COMPLETED",
        "id": id_,
    }
    parameters = [bigquery.ScalarQueryParameter(name, "STRING", value) for name, value in values.items()]
    statement = f"UPDATE {DATASET}.results SET context = @context, status = @status WHERE id = @id"
    client.query(statement, job_config=bigquery.QueryJobConfig(query_parameters=parameters)).result()


def our_way(tasks: int) -> Way:
    def go(server: BigQueryServer, processor: Processor) -> None:
        with tempfile.TemporaryDirectory(prefix="bench-") as home:
            environment = {
                **os.environ, "RUSHES_HOME": home, "BIGQUERY_EMULATOR_HOST": server.url, "BIGQUERY_PROJECT": PROJECT,
                "BIGQUERY_DATASET": DATASET, "BIGQUERY_TABLE_SOURCE": "items", "BIGQUERY_TABLE_TARGET": "results",
                "URL_PROCESSOR_SERVICE_URL": processor.url, "CLOUD_RUN_EXECUTION": "bench",
                "CLOUD_RUN_TASK_COUNT": str(tasks),
            }  # fmt: skip
            command = [*RUSHES, "worker", "--source", "bigquery", "--json"]
            running = [
                subprocess.Popen(
                    command, env={**environment, "CLOUD_RUN_TASK_INDEX": str(index)}, stdout=subprocess.DEVNULL
                )
                for index in range(tasks)
            ]
            for one in running:
                assert one.wait() == 0

    return go


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--tasks", type=int, default=8)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds that each job of BigQuery takes at least")
    asked = parser.parse_args()
    ours = measure(asked.rows, asked.latency, our_way(asked.tasks), original=False)
    original = measure(asked.rows, asked.latency, originals_way(asked.tasks), original=True)
    print(table(HEADER, [original.row("the original's way"), ours.row("rushes worker")]))
    print(f"billed: {original.bytes_billed / ours.bytes_billed:,.0f} times less")


if __name__ == "__main__":
    main()
