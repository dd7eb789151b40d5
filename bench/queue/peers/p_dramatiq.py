"""dramatiq on Redis: no bulk call; one worker with eight threads, as its command line starts it."""

from __future__ import annotations

import os
import threading

import _tally
import dramatiq
from _driver import REDIS, Peer, main
from dramatiq.brokers.redis import RedisBroker

THREADS = int(os.environ.get("BENCH_CONCURRENCY", "8"))
broker = RedisBroker(url=REDIS)
dramatiq.set_broker(broker)


@dramatiq.actor
def noop(sent: float) -> None:
    _tally.started(sent)


class Dramatiq(Peer):
    def add(self, count: int) -> None:
        for _ in range(count):
            noop.send(0)

    def send(self, sent: float) -> None:
        noop.send(sent)

    def settled(self) -> bool:
        """A message's body is deleted when it is acknowledged."""
        return not broker.client.hlen("dramatiq:default.msgs")

    def work(self) -> None:
        dramatiq.Worker(broker, worker_threads=THREADS).start()
        threading.Event().wait()


main(Dramatiq())
