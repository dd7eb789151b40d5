"""Whatever happens in whatever order, the queue does what the model does: row by row, number by number."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from rushes.errors import ErrorClass
from rushes.model import Failure, JobId, JobStatus, Lease, Outcome, Produced, Retries, Verdict
from rushes.queue import NewJob, control
from rushes.queue.reading import statistics

from .model import LIVE, Model, Row
from .world import World

KINDS = ("alpha", "beta")
STATUSES = tuple(each.value for each in JobStatus)
LATER = timedelta(days=1)
VERDICTS = ("completed", "released", "environment", *(each.value for each in ErrorClass))
index = st.integers(0, 999)
kinds = st.sampled_from(KINDS)
slots = st.dictionaries(kinds, st.integers(1, 4), min_size=1)


def outcome(lease: Lease, verdict: str) -> Outcome:
    if verdict == "completed":
        return Outcome(lease, produced=Produced())
    if verdict == "released":
        return Outcome(lease)
    environment = verdict == "environment"
    name = ErrorClass.NEEDS_INPUT if environment else ErrorClass(verdict)
    return Outcome(lease, failure=Failure(name, f"it was {verdict}", environment=environment))


class QueueMachine(RuleBasedStateMachine):
    """Two workers, two kinds of jobs, and everything that may befall them."""

    world: ClassVar[World]

    @initialize()
    def begin(self) -> None:
        self.world.empty()
        self.queue = self.world.queue
        self.model = Model()
        self.workers = [self.world.run(self.queue.enter()) for _ in range(2)]
        self.leases: list[Lease] = []
        """Every lease that was ever given out."""
        self.ends: dict[int, tuple[str, datetime]] = {}
        self.turns = itertools.cycle((None, *KINDS))

        self._add([NewJob(kind, priority) for kind in KINDS for priority in (0, 5, 5)])

    # What callers do.

    @precondition(lambda self: len(self.model.having(*LIVE)) < 12)
    @rule(
        kind=kinds, priority=st.integers(0, 10), attempts=st.integers(1, 3), later=st.booleans(),
        keys=st.lists(st.sampled_from([None, None, "red", "blue"]), min_size=1, max_size=3),
    )  # fmt: skip
    def enqueue(self, kind: str, priority: int, attempts: int, *, later: bool, keys: list[str | None]) -> None:
        run_at = datetime.now(UTC) + LATER if later else None
        retries = Retries(max_attempts=attempts)
        jobs = [NewJob(kind, priority, retries=retries, run_at=run_at, dedup_key=key) for key in keys]
        self._add(jobs)

    def _add(self, jobs: list[NewJob]) -> None:
        for job, number in zip(jobs, self.world.run(self.queue.enqueue(jobs)), strict=True):
            status = "retrying" if job.run_at else "queued"
            row = Row(number, job.kind, job.priority, job.retries.max_attempts, job.dedup_key, status)
            expected = self.model.keeper(job.dedup_key) or row
            assert (number, number in self.model.rows) == (expected.id, expected.id in self.model.rows)
            self.model.rows[number] = expected

    @precondition(lambda self: self.model.rows)
    @rule(picks=st.lists(index, min_size=1, max_size=3), priority=st.integers(0, 10))
    def prioritize(self, picks: list[int], priority: int) -> None:
        rows = self._rows(picks)
        waiting = [row for row in rows if row.status in ("queued", "retrying")]
        assert self.world.control(control.prioritize_jobs, [row.id for row in rows], priority) == len(waiting)
        for row in waiting:
            row.priority = priority

    @precondition(lambda self: not self.model.paused)
    @rule(names=st.lists(st.sampled_from([*KINDS, control.WHOLE_QUEUE]), min_size=1, max_size=2))
    def pause(self, names: list[str]) -> None:
        for name in names:
            self.world.control(control.pause, name)
            self.model.paused.add(name)

    @precondition(lambda self: self.model.paused)
    @rule()
    def resume(self) -> None:
        for name in self.model.paused:
            self.world.control(control.resume, name)
        self.model.paused.clear()

    @precondition(lambda self: len(self.model.having(*LIVE)) > 4)
    @rule(picks=st.lists(index, min_size=1, max_size=3))
    def cancel(self, picks: list[int]) -> None:
        rows = self._rows(picks)
        live = [row for row in rows if row.status in LIVE]
        assert self.world.control(control.cancel_jobs, [row.id for row in rows]) == len(live)
        for row in live:
            row.leave("cancelled")
            row.token += 1

    @precondition(lambda self: self.model.having("failed", "cancelled"))
    @rule(picks=st.lists(index, min_size=1, max_size=3))
    def retry_by_hand(self, picks: list[int]) -> None:
        """A key that lives again is not for a second job: of several with one key, the newest runs."""
        rows = self._rows(picks)
        expected = self.model.retry(rows)
        assert self.world.control(control.retry_jobs, [JobId(row.id) for row in rows]) == len(expected)
        for row in expected:
            self.ends.pop(row.id)

    # What workers do.

    @precondition(lambda self: self.model.having("queued"))
    @rule(who=index, slots=slots)
    def claim(self, who: int, slots: dict[str, int]) -> None:
        worker = self.workers[who % 2]
        claimed = self.world.run(self.queue.claim(worker, slots, host="here"))
        expected = self.model.claim(worker, slots)
        assert [one.job.id for one in claimed] == [row.id for row in expected]
        assert [one.job.attempts for one in claimed] == [row.attempts for row in expected]
        assert [one.lease for one in claimed] == [Lease(JobId(row.id), row.token, worker) for row in expected]
        self.leases += [one.lease for one in claimed]

    @precondition(lambda self: self.model.having("processing"))
    @rule(picks=st.lists(st.tuples(index, st.sampled_from(VERDICTS)), min_size=1, max_size=4))
    def settle(self, picks: list[tuple[int, str]]) -> None:
        running = self.model.having("processing")
        chosen = {running[pick % len(running)].id: verdict for pick, verdict in picks}
        outcomes = [outcome(self._lease(self.model.rows[number]), verdict) for number, verdict in chosen.items()]
        settled = self.world.run(self.queue.settle(outcomes))
        for number, verdict in chosen.items():
            self.model.settle(self.model.rows[number], verdict)
        assert settled.applied == {number: self.model.rows[number].status for number in chosen}
        assert settled.stale == ()

    @precondition(lambda self: self._lost_leases())
    @rule(picks=st.lists(index, min_size=1, max_size=3), verdict=st.sampled_from(VERDICTS), beside=st.booleans())
    def settle_too_late(self, picks: list[int], verdict: str, *, beside: bool) -> None:
        """Alone, and in one settlement with the outcome of whoever has the job now."""
        lost = self._lost_leases()
        late = [outcome(lease, verdict) for lease in {lost[pick % len(lost)]: None for pick in picks}]
        now = [self.model.rows[one.lease.job_id] for one in late]
        valid = {row.id: row for row in now if row.status == "processing"} if beside else {}
        settled = self.world.run(
            self.queue.settle([*late, *(outcome(self._lease(row), "completed") for row in valid.values())])
        )
        for row in valid.values():
            self.model.settle(row, "completed")
        assert settled.applied == dict.fromkeys(valid, "completed")
        assert Counter(settled.stale) == Counter(one.lease for one in late)

    @precondition(lambda self: self.leases)
    @rule(picks=st.lists(index, min_size=1, max_size=6))
    def extend(self, picks: list[int]) -> None:
        leases = [self.leases[pick % len(self.leases)] for pick in dict.fromkeys(picks)]
        beats = [(lease, 0.5, "at work") for lease in {lease.job_id: lease for lease in leases}.values()]
        verdicts = self.world.run(self.queue.extend(beats))
        assert verdicts == [self._verdict(lease) for lease, *_ in beats]
        for (lease, *_), verdict in zip(beats, verdicts, strict=True):
            if verdict is Verdict.GO_ON:
                self.model.rows[lease.job_id].due = False

    # What befalls them.

    @precondition(lambda self: self.model.having("processing", "retrying"))
    @rule(picks=st.lists(index, min_size=1, max_size=5))
    def time_passes(self, picks: list[int]) -> None:
        """Leases run out, and what waits for its time has waited long enough."""
        rows = self._rows(picks, "processing", "retrying")
        self.world.execute(
            "update rushes.jobs set run_at = run_at - interval '10 days', lease_until = lease_until - interval '1 hour'"
            " where id = any($1::bigint[])",
            [row.id for row in rows],
        )
        for row in rows:
            row.due = True

    @precondition(lambda self: any(row.due for row in self.model.rows.values()))
    @rule()
    def tick(self) -> None:
        self.world.run(self.queue.tick())
        self.model.tick()

    @precondition(lambda self: self.model.having("processing"))
    @rule(who=index)
    def crash(self, who: int) -> None:
        dead = self.workers[who % 2]
        self.workers[who % 2] = self.world.kill(dead)
        self.model.die(dead, "died", among=self.model.having("processing"))

    # What must be true after each step.

    @invariant()
    def the_rows_are_those_of_the_model(self) -> None:
        found = self.world.fetch("select * from rushes.jobs order by id")
        shown = [
            (row["id"], row["status"], row["attempts"], row["crashes"], row["token"], row["worker_id"]) for row in found
        ]
        assert shown == [
            (row.id, row.status, row.attempts, row.crashes, row.token, row.worker)
            for row in sorted(self.model.rows.values(), key=lambda row: row.id)
        ]
        for row in found:
            assert (row["lease_until"] is not None) == (row["status"] == "processing")
            if row["status"] in LIVE:
                assert (row["run_at"] is not None) == (row["status"] == "retrying")
            assert (row["finished_at"] is not None) == (row["status"] not in LIVE)
            if row["finished_at"]:
                end = (row["status"], row["finished_at"])
                assert self.ends.setdefault(row["id"], end) == end, "a job ends once in a life"

    @invariant()
    def no_job_has_two_valid_leases(self) -> None:
        beats = [(lease, 0.5, "at work") for lease in self.leases if self._verdict(lease) is Verdict.GO_ON]
        assert max(Counter(lease.job_id for lease, *_ in beats).values(), default=1) == 1

    @invariant()
    def statistics_equal_a_recount(self) -> None:
        kind = next(self.turns)
        found = self.world.run(statistics(self.world.pool, kind))
        rows = [row for row in self.model.rows.values() if kind in (None, row.kind)]
        count = Counter(row.status for row in rows)
        assert {name: found[name] for name in STATUSES} == {name: count[name] for name in STATUSES}
        assert (found["total_jobs"], found["queue_length"]) == (len(rows), count["queued"])
        ended = count["completed"] + count["failed"]
        assert found["success_rate"] == (round(100 * count["completed"] / ended, 2) if ended else None)
        assert set(found["paused"]) == self.model.paused

    def teardown(self) -> None:
        """What is still alive at the end can be brought to its end: nothing is stuck."""
        if not hasattr(self, "model"):
            return
        for name in self.model.paused:
            self.world.control(control.resume, name)
        self.world.execute(
            "update rushes.jobs set lease_until = lease_until - interval '1 hour', run_at = now() - interval '1 hour'"
            " where status in ('processing', 'retrying')"
        )
        for _ in range(2):  # what comes back set apart is due at the next
            self.world.run(self.queue.tick())
        claimed = self.world.run(self.queue.claim(self.workers[0], dict.fromkeys(KINDS, 1000), host="here"))
        self.world.run(self.queue.settle([outcome(one.lease, "completed") for one in claimed]))
        left = self.world.fetch("select count(*) as jobs, count(finished_at) as ended from rushes.jobs")[0]
        assert left["jobs"] == left["ended"] == len(self.model.rows)

    def _rows(self, picks: list[int], *statuses: str) -> list[Row]:
        found = self.model.having(*statuses) if statuses else list(self.model.rows.values())
        return list({(row := found[pick % len(found)]).id: row for pick in picks}.values())

    def _lease(self, row: Row) -> Lease:
        assert row.worker is not None
        return next(lease for lease in self.leases if (lease.job_id, lease.token) == (row.id, row.token))

    def _verdict(self, lease: Lease) -> Verdict:
        row = self.model.rows[lease.job_id]
        if row.status == "processing" and (row.token, row.worker) == (lease.token, lease.worker_id):
            return Verdict.GO_ON
        return Verdict.CANCELLED if row.status == "cancelled" else Verdict.LOST

    def _lost_leases(self) -> list[Lease]:
        return [lease for lease in self.leases if self._verdict(lease) is not Verdict.GO_ON]


@pytest.mark.timeout(1800)  # at full size a failure takes its time to become a short one
def test_the_queue_does_what_its_model_does(world: World, *, full: bool):
    machine: Any = type("Machine", (QueueMachine,), {"world": world})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=500 if full else 40, stateful_step_count=30, deadline=None, derandomize=not full,
            phases=(Phase.generate, Phase.shrink) if full else (Phase.generate,), database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
