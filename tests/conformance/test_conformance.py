"""What every source of work promises the worker: one suite for all of them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from rushes.errors import ErrorClass
from rushes.model import Failure, Lease, Outcome, Produced, Verdict
from rushes.sources.base import Assignment, Standing, WorkSource

from .doors import DURABLE_LATER, TAKES_ALL, Door

DONE = Produced(value="through")
BAD = Failure(ErrorClass.PERMANENT, "it was to fail")
UNLUCKY = Failure(ErrorClass.TRANSIENT, "the line went dead")


async def take(source: WorkSource, door: Door, most: int, *, least: int = 1) -> list[Assignment]:
    """Claim up to so many, waiting for at least so many as a worker would; the test's own time limit bounds it."""
    taken: list[Assignment] = []
    while len(taken) < least:
        await source.tick()
        claimed = await source.claim({door.slot: most - len(taken)})
        taken += claimed
        if not claimed:
            await source.wait(0.05)
    return taken


async def nothing(source: WorkSource, door: Door) -> Standing:
    """Look until the source knows what its emptiness means, as a worker does that has nothing to run."""
    while True:
        await source.tick()
        assert not await source.claim({door.slot: 10})
        standing = await source.standing()
        if standing is not Standing.WORK_LEFT:
            return standing
        await source.wait(0.05)


async def until(door: Door, **wanted: int) -> None:
    """Wait until the items are in these states; the test's own time limit bounds it."""
    while +await door.states() != Counter(wanted):
        await asyncio.sleep(0.02)


def outcomes(assignments: Sequence[Assignment], **came_to: Any) -> list[Outcome]:
    return [Outcome(one.lease, **came_to) for one in assignments]


def ids(assignments: Sequence[Assignment]) -> set[str]:
    return {one.source.location for one in assignments if one.source}


async def test_an_empty_door_says_that_it_is_empty(door: Door):
    async with door.source() as source:
        assert await nothing(source, door) is Standing.EMPTY


async def test_a_burst_is_handed_out_in_portions_each_item_once(door: Door):
    await door.put(60)
    async with door.source() as source:
        taken: list[Assignment] = []
        while len(taken) < 60:
            portion = await take(source, door, 25)
            assert len(portion) <= 25
            taken += portion
        assert len(ids(taken)) == len({one.lease for one in taken}) == 60
        assert not await source.settle(outcomes(taken, produced=DONE))
    await until(door, done=60)


async def test_two_workers_never_get_the_same(door: Door):
    await door.put(40)
    async with door.source() as one, door.source() as other:
        if TAKES_ALL in door.differences:
            mine = await take(one, door, 40, least=40)
            assert await nothing(other, door) is Standing.LEASED
            await one.settle(outcomes(mine, produced=DONE))
            return
        mine, theirs = await asyncio.gather(take(one, door, 20, least=20), take(other, door, 20, least=20))
        assert not ids(mine) & ids(theirs)
        await asyncio.gather(one.settle(outcomes(mine, produced=DONE)), other.settle(outcomes(theirs, produced=DONE)))
    await until(door, done=40)


async def test_what_is_held_is_not_handed_out_again(door: Door):
    await door.put(3)
    async with door.source() as one, door.source() as other:
        held = await take(one, door, 3, least=3)
        assert await one.extend([(each.lease, 0.5, "half of it") for each in held]) == [Verdict.GO_ON] * 3
        await other.tick()
        assert not await other.claim({door.slot: 10})
        await one.settle(outcomes(held, produced=DONE))


async def test_what_failed_for_good_does_not_come_again(door: Door):
    await door.put(2)
    async with door.source() as source:
        first, second = await take(source, door, 2, least=2)
        await source.settle([Outcome(first.lease, failure=BAD), Outcome(second.lease, produced=DONE)])
        assert await nothing(source, door) is Standing.EMPTY
    await until(door, done=1, failed=1)


async def test_what_failed_for_now_comes_again_as_another_attempt_until_there_are_no_more(door: Door):
    await door.put(1)
    async with door.source() as source:
        for attempt in (1, 2, 3):
            (again,) = await take(source, door, 1)
            assert (again.job.attempts, again.job.max_attempts) == (attempt, 3)
            await source.settle([Outcome(again.lease, failure=UNLUCKY)])
        assert await nothing(source, door) is Standing.EMPTY
    await until(door, failed=1)


async def test_what_is_given_back_is_there_for_others_at_once_and_uncounted(door: Door):
    await door.put(2)
    async with door.source() as source:
        await source.settle(outcomes(await take(source, door, 2, least=2)))
    async with door.source() as other:
        again = await take(other, door, 2, least=2)
        assert [one.job.attempts for one in again] == [1, 1]
        await other.settle(outcomes(again, produced=DONE))
    await until(door, done=2)


async def test_what_fell_silent_is_given_to_another_and_its_late_outcome_changes_nothing(door: Door):
    await door.put(1)
    async with door.source() as silent:
        (lost,) = await take(silent, door, 1)
        await door.expire()
        async with door.source() as other:
            (again,) = await take(other, door, 1)
            assert ids([again]) == ids([lost])
            stale: Sequence[Lease] = await silent.settle([Outcome(lost.lease, failure=BAD)])
            if DURABLE_LATER not in door.differences:
                assert list(stale) == [lost.lease]
            assert not await other.settle([Outcome(again.lease, produced=DONE)])
    await until(door, done=1)


async def test_the_work_of_a_killed_worker_is_done_by_others_and_recorded_once(
    door: Door, start: Callable[..., Any], runs: Callable[[], list[str]]
):
    await door.put(12)
    doomed = start(seconds=600)
    while len(runs()) < 2:
        assert doomed.poll() is None, doomed.communicate()
        await asyncio.sleep(0.02)
    os.killpg(doomed.pid, signal.SIGKILL)
    doomed.wait()
    await door.expire()
    out, err = await asyncio.to_thread(start("--empty-timeout", "1").communicate, timeout=60)
    assert json.loads(out)["completed"] == 12, err
    assert await door.states() == Counter(done=12)
    assert set(Counter(runs()).values()) <= {1, 2}


async def test_a_worker_ends_when_there_is_no_more_and_says_why(door: Door, start: Callable[..., Any]):
    await door.put(5)
    process = start("--empty-timeout", "0.5")
    out, err = await asyncio.to_thread(process.communicate, timeout=60)
    report = json.loads(out)
    assert (process.returncode, report["completed"], report["exit_reason"]) == (0, 5, "empty"), err


async def test_sigterm_gives_back_what_cannot_be_finished(
    door: Door, start: Callable[..., Any], runs: Callable[[], list[str]]
):
    await door.put(8)
    process = start("--grace", "0.2", seconds=600)
    while len(runs()) < 2:
        assert process.poll() is None, process.communicate()
        await asyncio.sleep(0.02)
    os.killpg(process.pid, signal.SIGTERM)
    out, err = await asyncio.to_thread(process.communicate, timeout=60)
    assert (process.returncode, json.loads(out)["exit_reason"]) == (0, "terminated"), err
    await until(door, waiting=8)
