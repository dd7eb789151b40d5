"""RQ: `enqueue_many`; its SimpleWorker, which runs jobs in its own process; results are not kept."""

from __future__ import annotations

import logging

import redis
from _driver import REDIS, Peer, main
from rq import Queue, SimpleWorker
from rq.registry import StartedJobRegistry


class Rq(Peer):
    def open(self) -> None:
        self.redis = redis.Redis.from_url(REDIS)
        self.queue = Queue("bench", connection=self.redis)

    def add(self, count: int) -> None:
        self.queue.enqueue_many([Queue.prepare_data("_tally.started", (0,), result_ttl=0) for _ in range(count)])

    def send(self, sent: float) -> None:
        self.queue.enqueue("_tally.started", sent, result_ttl=0)

    def settled(self) -> bool:
        return not self.queue.count and not StartedJobRegistry(queue=self.queue).get_job_count(cleanup=False)

    def work(self) -> None:
        logging.disable(logging.CRITICAL)
        SimpleWorker([self.queue], connection=self.redis).work(logging_level="CRITICAL")


main(Rq())
