"""Merges into one target follow each other, whoever begins them: an id has one row, and no item is done without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from rushes.model import Outcome, Produced
from rushes.sources.base import Assignment
from rushes.sources.bigquery import BigQuerySource
from rushes.sources.bigquery.parts import Parts
from rushes.sources.bigquery.service import Service, Statement
from rushes.sources.bigquery.tables import Tables
from rushes.sources.bigquery.turns import NOTHING, PERIOD, Turns
from rushes.sources.whole_items import SLOT
from rushes.tasks import Task

from .conftest import Processor, Site

INTO_TARGET = "(?i)merge `films.archive.results`"
TURN = Statement("batches", "select @owner", {"owner": "tonight"})
Enter = Callable[..., Awaitable[Parts]]


@pytest.fixture
async def enter(site: Site, processor: Processor) -> AsyncIterator[Enter]:
    """Have a task do so many items and stage their results. Nothing goes on beside the test then."""
    entered: list[BigQuerySource] = []

    async def enter(task: Task, items: int = 0, **given: Any) -> Parts:
        source = site.source(task, **given)
        await source.__aenter__()
        entered.append(source)
        claimed: list[Assignment] = []
        while len(claimed) < items:
            claimed += await source.claim({SLOT: items - len(claimed)})
            await source.wait(1)
        await source.settle([Outcome(one.lease, produced=Produced(value="done")) for one in claimed])
        await source._loops.end()
        parts = source._entered().parts
        await parts.staging.flush()
        return parts

    yield enter
    for source in entered:
        await source._stack.aclose()


async def side_by_side(site: Site, first: Awaitable[None], second: Awaitable[None], *, given_up: bool = False) -> None:
    """Begin the second when the first one's statement runs, and end that when the second waits for it, or runs beside it."""
    with site.server.hold(INTO_TARGET) as hold:
        beginning = asyncio.ensure_future(first)
        await asyncio.to_thread(hold.wait)
        if given_up:
            beginning.cancel()
            await asyncio.gather(beginning, return_exceptions=True)
        before = len(site.server.requests)
        following = asyncio.ensure_future(second)
        while hold.held < 2 and not _is_waited_for(site, since=before):
            await asyncio.sleep(0.02)
    await asyncio.gather(following, *([] if given_up else [beginning]))


def _is_waited_for(site: Site, *, since: int) -> bool:
    target = next(job.id for job in site.asked("target"))
    refused = [one for one in site.server.requests[since:] if one.method == "POST" and target in str(one.body)]
    return bool(refused)


async def test_a_merge_that_was_given_up_is_waited_for(site: Site, enter: Enter):
    site.add("a", "b")
    parts = await enter(Task("tonight"), 2)
    await side_by_side(site, parts.merging.own(), parts.merging.own(), given_up=True)
    assert len(site.results()) == 2
    assert site.statuses() == {"DONE": 2}


async def test_two_that_take_over_what_a_dead_one_left_do_so_once(site: Site, enter: Enter):
    site.add("a", "b")
    await enter(Task("dead"), 2)
    heirs = [await enter(Task(name)) for name in ("second", "third")]
    site.server.advance(timedelta(minutes=11))
    await side_by_side(site, *(heir.merging.of_dead("dead") for heir in heirs))
    assert len(site.results()) == 2
    assert site.statuses() == {"DONE": 2}


async def test_two_executions_that_do_the_same_items_have_one_result_of_each(site: Site, enter: Enter):
    site.add("a", "b")
    both = [await enter(Task(name), 2, bigquery_claim="none") for name in ("first", "second")]
    await side_by_side(site, *(parts.merging.own() for parts in both))
    assert len(site.results()) == 2


async def test_tasks_share_a_merge(site: Site, enter: Enter):
    site.add(*map(str, range(12)))
    first = await enter(Task("tonight", 0, 2))
    second = await enter(Task("tonight", 1, 2))
    hour = timedelta(hours=1)
    await first.merging.own(every=hour)
    await second.merging.own(every=hour)
    assert len(site.asked("batches")) == 1


async def test_a_clock_that_is_wrong_does_no_harm(site: Site, enter: Enter):
    site.add("a")
    parts = await enter(Task("tonight"), 1)
    parts.service.clock._at += 3600
    async with asyncio.timeout(20):
        await parts.merging.own()
    assert len(site.results()) == 1
    assert len(site.asked("batches")) == 1


async def test_a_merge_whose_batches_nobody_knows_any_more_marks_nothing_as_done(site: Site, enter: Enter):
    site.add("a", "b")
    frozen = await enter(Task("tonight"), 2)
    other = await enter(Task("second"))
    await other.merging.own()
    looking = frozen.statements.batches("tonight", dead=False)
    await frozen.merging._turn(looking)  # the other one's
    name, statement = await frozen.merging._turns.next(looking)
    looked = await frozen.service.once(name, statement)
    site.server.fail("GET .*/queries/", times=1, http=404)
    await other.merging.own()

    await frozen.merging._carry_out(name, looked)
    assert site.results() == {}
    assert site.statuses() == {"PROCESSING": 2}
    await frozen.merging.own()
    assert len(site.results()) == 2
    assert site.statuses() == {"DONE": 2}


async def test_a_merge_that_was_refused_is_over_and_the_next_one_may_succeed(site: Site, enter: Enter, caplog):
    site.add("a")
    first = await enter(Task("tonight"), 1)
    site.server.fail(INTO_TARGET, reason="accessDenied", message="not yet")
    with pytest.raises(Exception, match="not yet"):
        await first.merging.own()
    second = await enter(Task("second"))
    await second.merging.own()
    await first.merging.own()
    assert len(site.results()) == 1
    assert site.statuses() == {"DONE": 1}


class TestTurns:
    @pytest.fixture
    def service(self, site: Site) -> Service:
        made = Service(site.client, {"app": "test"}, max_bytes=2**40)
        made.location = "US"
        return made

    @pytest.fixture
    def turns(self, site: Site, service: Service) -> Callable[[], Turns]:
        return lambda: Turns(service, Tables.of(site.settings()))

    async def take(self, turns: Turns, service: Service, count: int = 1) -> list[str]:
        """Take so many turns. Returns their names."""
        taken: list[str] = []
        while len(taken) < count:
            name, statement = await turns.next(TURN)
            ran = await service.once(name, statement, again=False)
            if ran.parameters == TURN.parameters:
                taken.append(name)
                turns.over()
            else:
                turns.closed()
        return taken

    @pytest.mark.parametrize("count", [1, 2, 3, 7])
    async def test_whoever_comes_later_finds_the_last_one(self, turns, service: Service, count: int):
        taken = await self.take(turns(), service, count)
        assert len(set(taken)) == count
        assert await turns().next(TURN) == (taken[-1], TURN)

    async def test_a_period_is_closed_before_the_next_one_begins(self, turns, service: Service):
        early, late = turns(), turns()
        (first,) = await self.take(early, service)
        await self.take(late, service)
        now = service.clock.now()
        service.clock = SimpleNamespace(now=lambda: now + PERIOD, observe=lambda *_: None)  # type: ignore[assignment]
        (third,) = await self.take(early, service)
        assert int(third.split("-")[3]) == int(first.split("-")[3]) + 1

        # Somebody whose clock is slow has no turn in the period that is over.
        service.clock = SimpleNamespace(now=lambda: now, observe=lambda *_: None)  # type: ignore[assignment]
        name, _ = await late.next(TURN)
        assert (await service.once(name, TURN)).parameters == NOTHING.parameters
        taken = await self.take(late, service, 2)
        assert third in taken

    async def test_who_was_away_for_long_finds_the_way(self, turns, service: Service):
        early = turns()
        await self.take(early, service, 2)
        now = service.clock.now()
        service.clock = SimpleNamespace(now=lambda: now + 4 * PERIOD, observe=lambda *_: None)  # type: ignore[assignment]
        (later,) = await self.take(turns(), service)
        assert (await self.take(early, service))[0] == later
