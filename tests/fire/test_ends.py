"""How workers end: asked to, with their hands full, and by a job that takes its process with it."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter

from .site import Site


async def settled_or_given_back(site: Site) -> Counter[tuple[str, int]]:
    return Counter(
        (row["status"], row["attempts"]) for row in await site.fetch("select status, attempts from rushes.jobs")
    )


async def test_sigterm_with_a_full_buffer_loses_no_outcome_and_gives_the_rest_back_uncounted(site: Site):
    """Outcomes cannot be written, since the test holds their rows, until the worker has been told to end."""
    done, running = 30, 20
    await site.enqueue([{}] * done + [{"fate": "stays"}] * running)
    async with site.pool.acquire() as connection:
        holding = connection.transaction()
        worker = site.start("--concurrency", f"burn={done + running}", "--grace", "3", RUSHES_LEASE="30")
        await site.until_started(worker, done + running)
        await holding.start()
        await connection.execute("select id from rushes.jobs for update")
        await site.until(lambda: sum(line["event"] == "success" for line in worker.lines()) >= done)
        worker.signal(signal.SIGTERM)
        await holding.commit()
    report = await worker.report(within=10)  # seconds: Cloud Run's
    assert (report["exit_reason"], report["completed"], report["released"]) == ("terminated", done, running)
    assert await settled_or_given_back(site) == {("completed", 1): done, ("queued", 0): running}


async def test_what_ends_within_the_grace_counts(site: Site):
    await site.enqueue([{"seconds": 1.0}] * 10)
    worker = site.start("--concurrency", "burn=10", "--grace", "6")
    await site.until_started(worker, 10)
    worker.signal(signal.SIGTERM)
    report = await worker.report(within=10)
    assert (report["completed"], report["released"]) == (10, 0)
    assert await settled_or_given_back(site) == {("completed", 1): 10}


async def supervised(site: Site, *arguments: str, jobs: int) -> int:
    """Start a worker again whenever it dies, as a supervisor would, until everything has ended. Returns its deaths."""
    deaths = 0
    worker = site.start(*arguments)
    while await site.count("completed", "failed") < jobs:
        if not worker.alive:
            assert worker.process.returncode == -signal.SIGKILL
            deaths += 1
            worker = site.start(*arguments)
        await asyncio.sleep(0.02)
    worker.signal(signal.SIGTERM)
    await worker.report()
    return deaths


async def test_a_job_that_kills_its_worker_fails_in_the_end_and_takes_no_other_with_it(site: Site, *, full: bool):
    """It is claimed first, and beside it jobs that take longer than it needs to kill: they die with it, and are innocent."""
    jobs = await site.enqueue([{"fate": "poison", "seconds": 0.2}, *[{"seconds": 0.4}] * 20])
    deaths = await supervised(site, "--concurrency", "burn=4" if full else "burn=2", jobs=len(jobs))
    rows = await site.fetch("select id, status, error, attempts, crashes from rushes.jobs order by id")
    assert [row["id"] for row in rows if row["status"] != "completed"] == [jobs[0]]
    assert (rows[0]["status"], rows[0]["error"]) == ("failed", "the process that ran it died again and again")
    assert rows[0]["crashes"] == 5
    assert 5 <= deaths < 10
    assert max(row["attempts"] for row in rows) == 1


async def test_a_job_whose_workers_cannot_be_seen_dying_fails_after_its_attempts(site: Site):
    """As in containers: the next worker cannot know that the last one is dead, and waits for the lease."""
    jobs = await site.enqueue([{"fate": "poison", "seconds": 0.2}, *[{"seconds": 0.4}] * 10])
    await site.pool.execute(
        "create function elsewhere() returns trigger language plpgsql as"
        " $$ begin new.host := 'elsewhere'; return new; end $$;"
        "create trigger elsewhere before insert on rushes.workers for each row execute function elsewhere()"
    )
    await supervised(site, "--concurrency", "burn=2", jobs=len(jobs))
    rows = await site.fetch("select id, status, error, attempts from rushes.jobs order by id")
    assert [row["id"] for row in rows if row["status"] != "completed"] == [jobs[0]]
    assert (rows[0]["attempts"], rows[0]["error"]) == (3, "its worker fell silent: the lease ran out 3 times")
