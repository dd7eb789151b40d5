"""Batches of two stages under everything that may befall them: what a batch counts and tells equals a recount."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from asyncpg import Record
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

from rushes.batches.creating import Order, open_batch
from rushes.batches.intake import Valid
from rushes.errors import ErrorClass
from rushes.model import BatchId, Facts, Failure, JobId, Lease, NewItem, Outcome, Plan, Produced, Source, Step, VideoKey
from rushes.queue import control

from .recount import LIVE, disagreements
from .world import World

STAGES = ("alpha", "beta")
PLAN = Plan("alpha+beta", tuple(Step(stage, fetches=stage == "alpha") for stage in STAGES))
VERDICTS = ("completed", "completed", "found", "same", "released", "environment", *(each.value for each in ErrorClass))
index = st.integers(0, 999)
picks = st.lists(index, min_size=1, max_size=4)


class BatchMachine(RuleBasedStateMachine):
    """Two workers at up to four batches. Nothing is predicted: the rows themselves must agree with each other."""

    world: ClassVar[World]

    @initialize()
    def begin(self) -> None:
        self.world.empty()
        self.queue = self.world.queue
        self.workers = [self.world.run(self.queue.enter()) for _ in range(2)]
        self.leases: list[Lease] = []
        self.batches: list[BatchId] = []
        self.videos = itertools.count()
        self.open(4)
        self.open(2)

    def _new_items(self, count: int) -> list[NewItem]:
        numbers = itertools.islice(self.videos, count)
        return [NewItem(Source(VideoKey(f"url:{n}"), f"https://example.org/{n}"), f"line {n}") for n in numbers]

    def _batch(self, pick: int) -> BatchId:
        return self.batches[pick % len(self.batches)]

    def _any(self, condition: str) -> bool:
        found = self.world.fetch(
            "select true from rushes.jobs job join rushes.items item on item.id = job.item_id"
            f" join rushes.batches batch on batch.id = job.batch_id where {condition} limit 1"
        )
        return bool(found)

    # What people do.

    @precondition(lambda self: len(self.batches) < 4)
    @rule(count=st.integers(1, 4))
    def open(self, count: int) -> None:
        lines = [Valid(n, item) for n, item in enumerate(self._new_items(count), 1)]
        self.batches.append(self.world.run(open_batch(self.world.pool, Order("test", PLAN), lines)).id)

    @precondition(lambda self: not self._any("batch.status = 'paused'"))
    @rule(pick=index)
    def pause(self, pick: int) -> None:
        self.world.control(control.pause_batch, self._batch(pick))

    @precondition(lambda self: self._any("batch.status = 'paused'"))
    @rule()
    def resume(self) -> None:
        for batch in self.batches:
            self.world.control(control.resume_batch, batch)

    @precondition(lambda self: self._any("item.status = 'failed'"))
    @rule()
    def retry(self) -> None:
        for batch in self.batches:
            self.world.control(control.retry_items, batch)

    @precondition(lambda self: len(self.batches) > 2)
    @rule(pick=index)
    def cancel_batch(self, pick: int) -> None:
        batch = self._batch(pick)
        self.world.control(control.cancel_batch, batch)
        live = self.world.fetch(
            "select id from rushes.jobs where batch_id = $1 and status = any($2::text[])", batch, LIVE
        )
        assert live == []

    @rule(picks=picks, verb=st.sampled_from([control.cancel_jobs, control.retry_jobs]))
    def steer_jobs(self, picks: list[int], verb: Any) -> None:
        jobs = self.world.fetch("select id from rushes.jobs order by id")
        self.world.control(verb, [JobId(jobs[pick % len(jobs)]["id"]) for pick in picks] if jobs else [])

    # What workers do.

    @precondition(lambda self: self._any("job.status = 'queued' and not job.held"))
    @rule(who=index, most=st.integers(1, 4), pick=st.none() | index)
    def claim(self, who: int, most: int, pick: int | None) -> None:
        batch = None if pick is None else self._batch(pick)
        worker = self.workers[who % 2]
        paused = {row["id"] for row in self.world.fetch("select id from rushes.batches where status = 'paused'")}
        claimed = self.world.run(self.queue.claim(worker, dict.fromkeys(STAGES, most), host="here", batch=batch))
        assert not paused & {one.job.batch_id for one in claimed}
        assert {one.job.batch_id for one in claimed} <= ({batch} if batch else set(self.batches))
        self.leases += [one.lease for one in claimed]

    @precondition(lambda self: self.leases)
    @rule(picks=st.lists(st.tuples(index, st.sampled_from(VERDICTS)), min_size=1, max_size=4))
    def settle(self, picks: list[tuple[int, str]]) -> None:
        """Of leases that hold and of such as were lost long ago, the latter mostly not."""
        late = self.leases[-6:]
        chosen = {(lease := late[pick % len(late)]).job_id: (lease, verdict) for pick, verdict in picks}
        held = {
            (row["id"], row["token"], row["worker_id"])
            for row in self.world.fetch("select id, token, worker_id from rushes.jobs where status = 'processing'")
        }
        outcomes = [self._outcome(lease, verdict) for lease, verdict in chosen.values()]
        settled = self.world.run(self.queue.settle(outcomes))
        valid = {lease for lease, _ in chosen.values() if (lease.job_id, lease.token, lease.worker_id) in held}
        assert set(settled.applied) == {lease.job_id for lease in valid}
        assert set(settled.stale) == {lease for lease, _ in chosen.values()} - valid

    def _outcome(self, lease: Lease, verdict: str) -> Outcome:
        if verdict == "completed":
            return Outcome(lease, produced=Produced(facts=Facts(title="a talk"), search_text=((0.0, "words"),)))
        if verdict == "found":
            return Outcome(lease, produced=Produced(items=tuple(self._new_items(2))))
        if verdict == "same":
            return Outcome(lease, produced=Produced(facts=Facts(aliases=(VideoKey("youtube:same"),))))
        if verdict == "released":
            return Outcome(lease)
        environment = verdict == "environment"
        name = ErrorClass.NEEDS_INPUT if environment else ErrorClass(verdict)
        return Outcome(lease, failure=Failure(name, verdict, environment=environment))

    # What befalls them.

    @precondition(lambda self: self._any("job.status in ('retrying', 'processing')"))
    @rule()
    def time_passes(self) -> None:
        self.world.execute(
            "update rushes.jobs set run_at = run_at - interval '10 days', lease_until = lease_until - interval '1 hour'"
            " where status in ('retrying', 'processing')"
        )
        self.world.run(self.queue.tick())

    @precondition(lambda self: self._any("job.status = 'processing'"))
    @rule(who=index)
    def crash(self, who: int) -> None:
        self.workers[who % 2] = self.world.kill(self.workers[who % 2])

    # What must be true after each step.

    @invariant()
    def the_rows_agree_with_each_other(self) -> None:
        assert self.world.run(disagreements(self.world.pool)) == []

    def teardown(self) -> None:
        """Every batch can be brought to its end."""
        for batch in getattr(self, "batches", []):
            self.world.control(control.resume_batch, batch)
        for _ in range(len(STAGES) + 1):
            self.time_passes()
            self.time_passes()
            while claimed := self.world.run(self.queue.claim(self.workers[0], dict.fromkeys(STAGES, 100), host="here")):
                self.world.run(self.queue.settle([Outcome(one.lease, produced=Produced()) for one in claimed]))
        left: list[Record] = list(self.world.fetch("select id, status from rushes.batches where finished_at is null"))
        assert left == []


@pytest.mark.timeout(1800)  # at full size a failure takes its time to become a short one
def test_what_a_batch_counts_and_tells_equals_a_recount(world: World, *, full: bool):
    machine: Any = type("Machine", (BatchMachine,), {"world": world})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=300 if full else 25, stateful_step_count=30, deadline=timedelta(minutes=1), derandomize=not full,
            phases=(Phase.generate, Phase.shrink) if full else (Phase.generate,), database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
