"""Who takes part: which driver, on which interpreter, with how many jobs, and what to say about its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


class UnavailableError(Exception):
    """What a contestant needs is not on this machine: it is left out, and the reason named."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One row of the table."""

    name: str
    driver: str
    """`peers/p_<driver>.py`."""
    jobs: int
    """Drained in one measurement: seconds of work for the slowest as for the fastest."""
    singles: int
    """Enqueued one call at a time."""
    settings: str
    """The peer's own words for how it was run."""
    ours: bool = False
    """Runs on this program's interpreter, beside its packages."""
    newer: bool = False
    """Needs Python 3.12 or later."""
    redis: bool = False
    sqlite: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    latency: bool = True
    """The bare driver has nothing that would wake it."""
    prepared_by: str | None = None
    """Another driver whose `setup` makes the tables."""

    @property
    def relational(self) -> bool:
        """Whether PostgreSQL's counters say anything about it."""
        return not (self.redis or self.sqlite)


CONTESTANTS = (
    Contestant(
        "rushes", "rushes", 100_000, 500, ours=True,
        settings="`Queue.enqueue_jobs`, all in one call; `rushes worker --concurrency noop=3000`",
    ),
    Contestant(
        "limit, our table", "limit", 100_000, 500, latency=False, prepared_by="rushes",
        settings="bare asyncpg, uvloop: COPY; claims of 500 beside fenced settlements, on rushes.jobs and its indexes",
    ),
    Contestant(
        "limit, narrow", "limit", 100_000, 500, latency=False, environment={"BENCH_LAYOUT": "narrow"},
        settings="the same on a table of 15 columns with one partial index",
    ),
    Contestant(
        "pgqueuer", "pgqueuer", 40_000, 500,
        settings="asyncpg, uvloop, `pgq autovac`; enqueue in lists of 1,000; batch_size 100, its default is 10",
    ),
    Contestant(
        "pgqueuer, 1,000", "pgqueuer", 40_000, 500, environment={"BENCH_BATCH": "1000"},
        settings="the same with batch_size 1,000",
    ),
    Contestant("awa", "awa", 20_000, 500, settings="queue_storage engine; enqueue_many_copy of 5,000; claims of 512"),
    Contestant("procrastinate", "procrastinate", 1500, 300, settings="batch_defer_async of 1,000; concurrency 50"),
    Contestant("saq", "saq", 2000, 300, settings="PostgreSQL; 100 enqueues at once; concurrency 300"),
    Contestant(
        "oban-py", "oban", 6000, 300, newer=True, settings="enqueue_many of 1,000; limit 500, debounce 5 ms",
    ),
    Contestant("dbos", "dbos", 800, 200, settings="100 enqueues a transaction; polls every 20 ms"),
    Contestant("celery", "celery", 3000, 500, redis=True, settings="16 threads; acks_late, prefetch 200, no results"),
    Contestant("rq", "rq", 800, 300, redis=True, settings="enqueue_many of 1,000; SimpleWorker, no results"),
    Contestant("dramatiq", "dramatiq", 5000, 500, redis=True, settings="8 threads"),
    Contestant("huey", "huey", 5000, 500, sqlite=True, settings="SQLite with fsync; 2 threads; at most once"),
)  # fmt: skip
BY_NAME = {one.name: one for one in CONTESTANTS}
ALIASES = {"limit": ("limit, our table", "limit, narrow"), "pgqueuer": ("pgqueuer", "pgqueuer, 1,000")}


def chosen(names: str) -> list[Contestant]:
    """Those named, separated by commas; all if none is. Raises: SystemExit."""
    if not names:
        return list(CONTESTANTS)
    wanted: list[Contestant] = []
    for name in (part.strip() for part in names.split(",")):
        for full in ALIASES.get(name, (name,)):
            if full not in BY_NAME:
                raise SystemExit(f"--peers: there is no {name!r}; known: {', '.join([*ALIASES, *BY_NAME])}")
            wanted.append(BY_NAME[full])
    return wanted
