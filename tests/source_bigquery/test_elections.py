"""Statements of which one is enough: whoever comes first runs it, and the others wait. A failed one is no end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from rushes.sources.bigquery.elections import Elections
from rushes.sources.bigquery.faults import Away, Refused
from rushes.sources.bigquery.service import Service, Statement

from .conftest import Site

ADD = Statement("add", "insert into `films.archive.items` (id) values (@id)", {"id": "x"})
COUNT = Statement("count", "select count(*) as number from `films.archive.items`", {})


@pytest.fixture
async def services(site: Site) -> AsyncIterator[list[Service]]:
    """As many tasks' clients."""
    clients = [site.server.client("films") for _ in range(12)]
    found = [Service(client, {"app": "test"}, max_bytes=2**40) for client in clients]
    for service in found:
        service.location = "US"
    yield found
    for client in clients:
        client.close()


async def test_a_statement_runs_once_whoever_asks(site: Site, services: list[Service]):
    ran = await asyncio.gather(*(service.once("the-only-one", ADD) for service in services))
    assert [one.led for one in ran].count(True) == 1
    assert len({one.job.job_id for one in ran}) == 1
    assert {one.affected for one in ran} == {1}
    assert len(site.items()) == 1


async def test_one_that_others_were_in_the_way_of_is_run_anew_by_one_of_them(site: Site, services: list[Service]):
    conflict = "Could not serialize access to table films:archive.items due to concurrent update"
    site.server.fail("insert", times=3, reason="invalidQuery", message=conflict)
    ran = await asyncio.gather(*(service.once("the-only-one", ADD) for service in services))
    assert {one.job.job_id for one in ran} == {"the-only-one-3"}
    assert len(site.items()) == 1


async def test_one_that_can_never_succeed_fails_for_all_at_once(site: Site, services: list[Service]):
    wrong = Statement("wrong", "select nothing from `films.archive.items`", {})
    answers = await asyncio.gather(*(one.once("wrong", wrong) for one in services), return_exceptions=True)
    assert {type(answer) for answer in answers} == {Refused}
    assert len([job for job in site.server.jobs if job.labels.get("purpose") == "wrong"]) == 1


async def test_what_failed_before_this_process_began_may_succeed_now(site: Site, services: list[Service]):
    site.server.fail("insert", reason="accessDenied", message="not yet")
    with pytest.raises(Refused):
        await services[0].once("add", ADD)
    later = Service(site.server.client("films"), {"app": "test"}, max_bytes=2**40)
    later.location = "US"
    later._since += timedelta(seconds=1)  # it began after that
    assert (await later.once("add", ADD)).job.job_id == "add-1"
    later._client.close()


async def test_an_answer_that_was_lost_is_found_by_its_id(site: Site, services: list[Service]):
    site.server.fail("POST .*/jobs", http=503, after=True)
    ran = await services[0].once("add", ADD)
    assert ran.affected == 1
    assert len(site.items()) == 1


async def test_an_error_that_lasts_does_not_hang(site: Site, services: list[Service], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rushes.sources.bigquery.service.AGAIN_SECONDS", 1.0)
    ran = await services[0].once("count", COUNT)
    site.server.fail("GET .*/queries/", times=None, http=500)
    with pytest.raises(Away):
        await services[0].rows(ran)
    site.server.fail("GET .*/jobs/", times=None, http=500)
    with site.server.hold("count"), pytest.raises(Away):
        await services[0].once("count-again", COUNT)
    site.server.heal()
    (row,) = await services[0].rows(await services[0].once("count-again", COUNT))
    assert row.number == 0


async def test_tasks_that_ask_at_one_time_share_a_statement(site: Site, services: list[Service]):
    elections = [Elections(service, "tonight", alone=False) for service in services]
    hour = timedelta(hours=1)
    ran = await asyncio.gather(*(one.shared(COUNT, every=hour) for one in elections))
    assert len({one.job.job_id for one in ran}) == 1


async def test_a_statement_from_before_is_not_taken_for_one_that_knows_what_happened_since(
    site: Site, services: list[Service]
):
    first, second = (Elections(service, "tonight", alone=False) for service in services[:2])
    before = await first.shared(COUNT)
    changed = await services[0].once("add", ADD)
    after = await second.shared(COUNT, after=changed.ended)
    assert after.created > changed.ended >= before.created
    (row,) = await services[1].rows(after)
    assert row.number == 1


async def test_a_single_task_shares_nothing(site: Site, services: list[Service]):
    alone = Elections(services[0], "tonight", alone=True)
    first, second = await alone.shared(COUNT), await alone.shared(COUNT)
    assert first.job.job_id != second.job.job_id


async def test_names_of_any_kind_make_legal_ids(site: Site, services: list[Service]):
    odd = Elections(services[0], "batch/7:ü", alone=False)
    assert (await odd.shared(COUNT)).led
