"""huey on SQLite with fsync on: no bulk call; a consumer with two threads that polls every 10 ms.

At most once: a job is deleted when it is taken.
"""

from __future__ import annotations

import os
from pathlib import Path

import _tally
from _driver import Peer, main
from huey import SqliteHuey

THREADS = int(os.environ.get("BENCH_CONCURRENCY", "2"))
huey = SqliteHuey("bench", filename=str(Path(os.environ["BENCH_DATA"]) / "huey.db"), results=False, fsync=True)


@huey.task()
def noop(sent: float) -> None:
    _tally.started(sent)


class HueyPeer(Peer):
    def add(self, count: int) -> None:
        for _ in range(count):
            noop(0)

    def send(self, sent: float) -> None:
        noop(sent)

    def settled(self) -> bool:
        return not huey.pending_count()

    def work(self) -> None:
        huey.create_consumer(workers=THREADS, initial_delay=0.001, max_delay=0.01, backoff=1.0).run()


main(HueyPeer())
