"""Thousands of jobs, and meanwhile workers are killed and frozen and the server is stopped: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from rushes.model import JobId

from .history import READ, RECORD, Change, Finding, History, Run, check, table
from .site import Site, Worker

FATES = {"": "completed", "stumbles": "completed", "fails": "failed"}
WORKERS = 4
SLOTS = "burn=32"
FROZEN_SECONDS = 3.0
"""Longer than the lease of two seconds."""


class Chaos:
    """Kills a worker every second and starts another, freezes one again and again, and stops the server three times."""

    def __init__(self, site: Site, jobs: int, seed: int) -> None:
        self._site = site
        self._random = random.Random(seed)
        self._mortal = [self.start() for _ in range(WORKERS)]
        self._sleeper = self.start()
        self._frozen_until = 0.0
        self._stops = [(jobs * 1 // 5, "fast"), (jobs * 2 // 5, "immediate"), (jobs * 3 // 5, "fast")]
        self.hard_stop = 0.0
        self.did: Counter[str] = Counter()

    def start(self) -> Worker:
        return self._site.start("--concurrency", SLOTS, "--grace", "5")

    async def rage(self) -> None:
        """Until everything has ended."""
        strike = time.monotonic() + 2
        while await self._site.count("queued", "processing", "retrying"):
            if time.monotonic() > strike:
                strike = time.monotonic() + 1
                self._kill()
                self._freeze_or_thaw()
            await self._stop_server()
            await asyncio.sleep(0.05)
        self._sleeper.signal(signal.SIGCONT)

    def _kill(self) -> None:
        victim = self._random.choice(self._mortal)
        self._mortal.remove(victim)
        victim.signal(signal.SIGKILL)
        self.did["killed"] += 1
        self._mortal.append(self.start())

    def _freeze_or_thaw(self) -> None:
        now = time.monotonic()
        if now > self._frozen_until + 1:
            self._sleeper.signal(signal.SIGSTOP)
            self._frozen_until = now + FROZEN_SECONDS
            self.did["frozen"] += 1
        elif now > self._frozen_until:
            self._sleeper.signal(signal.SIGCONT)

    async def _stop_server(self) -> None:
        if self._stops and await self._site.count("completed", "failed") > self._stops[0][0]:
            _, mode = self._stops.pop(0)
            await asyncio.to_thread(self._site.server.control, "restart", "-m", mode)
            self.did[f"server stopped, {mode}"] += 1
            self.hard_stop = time.time() if mode == "immediate" else self.hard_stop


async def burn(site: Site, jobs: int, seed: int) -> tuple[History, Chaos]:
    """Run so many jobs through the fire, and collect what was recorded of it."""
    await site.pool.execute(RECORD)
    chance = random.Random(seed)
    fates = chance.choices(list(FATES), [8, 1, 1], k=jobs)
    accepted = await site.enqueue([{"fate": fate, "seconds": chance.uniform(0, 0.2)} for fate in fates], attempts=20)
    chaos = Chaos(site, jobs, seed)
    await chaos.rage()
    survivors = [worker for worker in site.workers if worker.alive and worker.lines()]
    for worker in survivors:  # but for those that have only just been started
        worker.signal(signal.SIGTERM)
    reports = {worker: await worker.report() for worker in survivors}
    runs = {worker: list(map(_run, worker.lines())) for worker in site.workers}
    history = History(
        accepted={job: FATES[fate] for job, fate in zip(accepted, fates, strict=True)},
        rows={row["id"]: row["status"] for row in await site.fetch("select id, status from rushes.jobs")},
        changes=[Change(**dict(row)) for row in await site.fetch(READ)],
        runs=[run for each in runs.values() for run in each],
        reports={runs[worker][0].lease[2]: report for worker, report in reports.items() if runs[worker]},
        hard_stop=chaos.hard_stop,
    )
    return history, chaos


def _run(line: dict[str, object]) -> Run:
    return Run(str(line["event"]), (line["job"], line["token"], line["worker"]), line["claimed"])  # type: ignore[arg-type]  # our own JSON


@pytest.mark.timeout(900)
async def test_nothing_is_lost_and_nothing_settled_twice_under_fire(site: Site, *, full: bool):
    history, chaos = await burn(site, 20_000 if full else 3_000, seed=3)
    findings = check(history)
    print(f"\n{len(history.accepted)} jobs, {len(history.runs)} notes, {dict(chaos.did)}\n{table(findings)}")  # noqa: T201
    assert all(finding.checked for finding in findings)
    assert [broken for finding in findings for broken in finding.broken] == []
    assert sum(report["stale"] for report in history.reports.values()) > 0


# A checker that cannot fail shows nothing: what it must object to, each in an otherwise sound history.

JOB = JobId(1)


def sound() -> History:
    """A run that is frozen, another that does the job, and the first one's outcome refused."""
    lost, held = (JOB, 1, 7), (JOB, 2, 8)
    return History(
        accepted={JOB: "completed"},
        rows={JOB: "completed"},
        changes=[
            Change(JOB, "queued", "processing", 0, 1, None, 7),
            Change(JOB, "processing", "queued", 1, 1, 7, None),
            Change(JOB, "queued", "processing", 1, 2, None, 8),
            Change(JOB, "processing", "completed", 2, 2, 8, None),
        ],
        runs=[Run(event, lease, 100.0) for lease in (lost, held) for event in ("start", "success")],
        reports={7: {"processed": 0, "stale": 1}, 8: {"processed": 1, "stale": 0}},
    )


def broken_rules(history: History) -> set[str]:
    findings: Sequence[Finding] = check(history)
    return {finding.rule for finding in findings if finding.broken}


def test_a_sound_history_passes():
    assert broken_rules(sound()) == set()
    assert next(finding.checked for finding in check(sound()) if "stale" in finding.rule) == 1


def test_a_lost_job_is_found():
    assert "none lost" in broken_rules(replace(sound(), rows={}))
    assert "none lost" in broken_rules(replace(sound(), rows={JOB: "processing"}))


def test_an_end_that_was_not_to_be_is_found():
    assert "each ended as it had to" in broken_rules(replace(sound(), accepted={JOB: "failed"}))


def test_a_second_settlement_is_found():
    good = sound()
    again = [Change(JOB, "completed", "completed", 2, 2, None, None)]
    assert "none settled twice" in broken_rules(replace(good, changes=[*good.changes, *again]))
    beside = [*good.changes, Change(JOB, "processing", "completed", 1, 1, 7, None)]
    assert {"none settled twice", "one valid lease at a time"} <= broken_rules(replace(good, changes=beside))


def test_a_lease_given_out_beside_another_is_found():
    good = sound()
    without_return = [change for change in good.changes if change.status != "queued"]
    assert "one valid lease at a time" in broken_rules(replace(good, changes=without_return))


def test_a_run_without_a_lease_or_twice_under_one_is_found():
    good = sound()
    stray = Run("start", (JOB, 9, 9), 100.0)
    assert "each run under a lease of its own" in broken_rules(replace(good, runs=[*good.runs, stray]))
    assert "each run under a lease of its own" in broken_rules(replace(good, runs=[*good.runs, good.runs[0]]))
    assert broken_rules(replace(good, runs=[*good.runs, stray], hard_stop=101.0)) == set()


def test_a_stale_outcome_that_counted_is_found():
    good = sound()
    changes = [*good.changes[:3], Change(JOB, "processing", "failed", 2, 2, 8, None)]
    assert "each outcome by the run under that lease" in broken_rules(replace(good, changes=changes))


@pytest.mark.parametrize("told", [{"processed": 1, "stale": 0}, {"processed": 0, "stale": 2}])
def test_a_worker_that_miscounts_what_was_refused_is_found(told: dict[str, int]):
    assert "every stale outcome refused and counted" in broken_rules(replace(sound(), reports={7: told}))


def test_a_worker_that_forgets_an_outcome_is_found():
    forgetful = {8: {"processed": 0, "stale": 0}}
    assert "every stale outcome refused and counted" in broken_rules(replace(sound(), reports=forgetful))
