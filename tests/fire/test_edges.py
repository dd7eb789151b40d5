"""What the state machines found once, each by itself, so that it stays found."""

from __future__ import annotations

from rushes.errors import ErrorClass
from rushes.model import Failure, Outcome, Produced
from rushes.queue import NewJob, control

from .world import World


def test_a_job_whose_key_lives_again_stays_ended(world: World):
    (first,) = world.run(world.queue.enqueue([NewJob("alpha", dedup_key="one")]))
    world.control(control.cancel_jobs, [first])
    (second,) = world.run(world.queue.enqueue([NewJob("alpha", dedup_key="one")]))
    assert world.control(control.retry_jobs, [first]) == 0
    world.control(control.cancel_jobs, [second])
    assert world.control(control.retry_jobs, [first, second]) == 1
    rows = world.fetch("select id, status from rushes.jobs order by id")
    assert list(map(tuple, rows)) == [(first, "cancelled"), (second, "queued")]


def test_an_outcome_that_is_too_late_is_refused_beside_the_one_that_counts(world: World):
    """Both in one settlement: the late one is named as stale, and nothing of it is written."""
    one, two = (world.run(world.queue.enter()) for _ in range(2))
    world.run(world.queue.enqueue([NewJob("alpha")]))
    (early,) = world.run(world.queue.claim(one, {"alpha": 1}, host="here"))
    world.execute("update rushes.jobs set lease_until = now() - interval '1 second'")
    world.run(world.queue.tick())
    (now,) = world.run(world.queue.claim(two, {"alpha": 1}, host="here"))
    late = Outcome(early.lease, failure=Failure(ErrorClass.PERMANENT, "too late"))
    settled = world.run(world.queue.settle([Outcome(now.lease, produced=Produced(value="made")), late]))
    assert (settled.applied, settled.stale) == ({now.job.id: "completed"}, (early.lease,))
    (row,) = world.fetch("select status, error, result is not null as made from rushes.jobs")
    assert tuple(row) == ("completed", None, True)
