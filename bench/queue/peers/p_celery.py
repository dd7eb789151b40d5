"""Celery on Redis: late acknowledgement (so that nothing is lost), a large prefetch, results ignored."""

from __future__ import annotations

import os

import _tally
import redis
from _driver import REDIS, Peer, main
from celery import Celery

POOL = os.environ.get("BENCH_POOL", "threads")
CONCURRENCY = os.environ.get("BENCH_CONCURRENCY", "16")
app = Celery("bench", broker=REDIS)
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=200,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)


@app.task(name="noop")
def noop(sent: float) -> None:
    _tally.started(sent)


class CeleryPeer(Peer):
    def open(self) -> None:
        self.redis = redis.Redis.from_url(REDIS)

    def add(self, count: int) -> None:
        with app.producer_pool.acquire() as producer:
            for _ in range(count):
                noop.apply_async((0,), producer=producer)

    def send(self, sent: float) -> None:
        noop.delay(sent)

    def settled(self) -> bool:
        return not self.redis.llen("celery") and not self.redis.hlen("unacked")

    def work(self) -> None:
        app.worker_main([
            "worker", "-P", POOL, "-c", CONCURRENCY, "-l", "ERROR", "-n", f"bench-{os.getpid()}@localhost",
            "--without-gossip", "--without-mingle", "--without-heartbeat",
        ])  # fmt: skip


main(CeleryPeer())
