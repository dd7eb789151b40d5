"""Time limits of one length, for many tasks."""

from __future__ import annotations

import asyncio

import pytest

from rushes.stages.processing.deadlines import Deadlines


async def forever() -> None:
    await asyncio.Event().wait()


async def test_what_is_done_in_time_gives_what_it_gives():
    async def quick() -> int:
        await asyncio.sleep(0)
        return 7

    assert await Deadlines(60).within(quick()) == 7


async def test_what_is_too_late_is_cancelled_and_its_task_goes_on():
    with pytest.raises(TimeoutError):
        await Deadlines(0.01).within(forever())
    task = asyncio.current_task()
    assert task
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_each_is_due_in_its_turn():
    deadlines, late = Deadlines(0.05), []

    async def one(name: int) -> None:
        with pytest.raises(TimeoutError):
            await deadlines.within(forever())
        late.append(name)

    tasks = []
    for name in range(5):
        tasks.append(asyncio.create_task(one(name)))
        await asyncio.sleep(0.01)
    await asyncio.gather(*tasks)
    assert late == [0, 1, 2, 3, 4]


async def test_a_cancellation_by_somebody_else_stays_one():
    task = asyncio.create_task(Deadlines(60).within(forever()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_at_the_very_end_is_not_taken_for_lateness():
    deadlines = Deadlines(0.01)

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            assert task
            task.cancel()  # somebody else wants it to end as well
            raise

    task = asyncio.create_task(deadlines.within(stubborn()))
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_ends_in_its_own_way_when_it_is_too_late_leaves_no_trace_on_its_task():
    async def answers_late() -> int:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return 7
        return 0

    assert await Deadlines(0.01).within(answers_late()) == 7
    task = asyncio.current_task()
    assert task
    assert task.cancelling() == 0


async def test_a_failure_comes_out_as_it_is():
    async def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await Deadlines(60).within(fails())
