"""A worker that freezes, and comes back when somebody else has its jobs."""

from __future__ import annotations

import signal
from pathlib import Path

from .site import Site, Worker


def frozen(worker: Worker) -> bool:
    """Whether the kernel has stopped it (proc(5), field 3 of stat)."""
    return Path(f"/proc/{worker.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


async def test_the_outcome_of_a_worker_that_was_frozen_beyond_its_lease_is_refused_and_counted(site: Site):
    """The stage stops its own process just before it returns, so that its outcome is the first thing said on waking up."""
    (job,) = await site.enqueue([{"fate": "freezes"}])
    sleeper = site.start()
    await site.until(lambda: frozen(sleeper))
    other = site.start()
    await site.until_ended(1)
    (before,) = await site.fetch("select * from rushes.jobs")
    sleeper.signal(signal.SIGCONT)
    await site.until(lambda: any(line["event"] == "success" for line in sleeper.lines()))
    for worker in (sleeper, other):
        worker.signal(signal.SIGTERM)
    late, good = await sleeper.report(), await other.report()
    assert (late["completed"], late["stale"]) == (0, 1)
    assert (good["completed"], good["stale"]) == (1, 0)
    (after,) = await site.fetch("select * from rushes.jobs")
    assert after == before
    assert (after["id"], after["status"], after["attempts"]) == (job, "completed", 2)


async def test_who_wakes_up_within_the_lease_goes_on_as_if_nothing_had_been(site: Site):
    await site.enqueue([{"fate": "freezes"}])
    sleeper = site.start(RUSHES_LEASE="60")
    await site.until(lambda: frozen(sleeper))
    sleeper.signal(signal.SIGCONT)
    await site.until_ended(1)
    sleeper.signal(signal.SIGTERM)
    report = await sleeper.report()
    assert (report["completed"], report["stale"]) == (1, 0)
    (row,) = await site.fetch("select status, attempts from rushes.jobs")
    assert tuple(row) == ("completed", 1)
