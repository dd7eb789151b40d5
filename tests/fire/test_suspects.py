"""Who is to blame for a worker's death: judged from what it held, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rushes.queue.suspects import Held, Judged, judge

START = datetime(2026, 1, 1, tzinfo=UTC)
TEN_SECONDS = timedelta(seconds=10)


def held(job: int, *, worker: int = 1, crashes: int = 2, began: float = 0) -> Held:
    started = START + timedelta(seconds=began)
    return Held(job, 1, worker, 1, crashes, started, START + TEN_SECONDS)


def judged(*jobs: Held) -> dict[int, tuple[str, timedelta | None]]:
    found: list[Judged] = list(judge(jobs, "orphaned", lambda job: job.crashes))
    assert sorted(one.job.id for one in found) == sorted(job.id for job in jobs)
    return {one.job.id: (one.verdict, one.pause) for one in found}


BLAMED = ("orphaned", None)
AT_ONCE = ("deferred", timedelta(0))
PAUSED = ("deferred", TEN_SECONDS)


def test_two_deaths_together_are_forgiven():
    assert judged(held(1, crashes=0), held(2, crashes=1), held(3, crashes=0)) == dict.fromkeys((1, 2, 3), BLAMED)


def test_who_was_alone_is_to_blame():
    assert judged(held(1)) == {1: BLAMED}
    assert judged(held(1), held(2, worker=2)) == {1: BLAMED, 2: BLAMED}


def test_who_began_last_is_to_blame_and_the_others_wait_as_long_as_they_had_run():
    assert judged(held(1), held(2, began=3), held(3)) == {1: PAUSED, 2: BLAMED, 3: PAUSED}


def test_of_those_that_began_together_half_come_back_at_once():
    assert judged(held(1), held(2), held(3), held(4)) == {1: AT_ONCE, 2: AT_ONCE, 3: PAUSED, 4: PAUSED}
    assert judged(held(1), held(2, began=1), held(3, began=1)) == {1: PAUSED, 2: AT_ONCE, 3: PAUSED}


def test_newcomers_are_no_suspects():
    assert judged(held(1), held(2, crashes=0, began=5)) == {1: BLAMED, 2: BLAMED}


def test_a_pause_is_bounded_and_grows_with_the_deaths():
    def pause(crashes: int) -> timedelta | None:
        long = [held(job, crashes=crashes)._replace(lease_until=START + timedelta(hours=3)) for job in (1, 2)]
        return judged(*long)[2][1]

    assert [pause(2), pause(3), pause(4)] == [timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=8)]


def test_who_is_alone_in_the_end_is_found_in_as_many_deaths_as_halving_takes():
    """Eight began together and one of them kills: halves of what is left die with it until it is alone."""
    together = [held(job) for job in range(8)]
    deaths = 0
    while len(together) > 1:
        fate = judged(*together)
        halves = [[job for job in together if fate[job.id] == one] for one in (AT_ONCE, PAUSED)]
        together = next(half for half in halves if any(job.id == 5 for job in half))
        deaths += 1
    assert (deaths, [job.id for job in together]) == (3, [5])
