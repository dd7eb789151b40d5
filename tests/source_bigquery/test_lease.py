"""The lease of an execution, where clocks are wrong."""

from __future__ import annotations

from datetime import timedelta

from rushes.sources.bigquery.elections import Elections
from rushes.sources.bigquery.lease import Lease
from rushes.sources.bigquery.service import Service, Statement
from rushes.tasks import Task

from .conftest import Processor, Site

LENGTH = timedelta(minutes=10)
ANY = Statement("any", "select 1", {})


async def test_a_task_whose_clock_is_ahead_does_not_use_up_the_lease_of_the_others(site: Site, processor: Processor):
    source = site.source(Task("tonight", 0, 2))
    await source.__aenter__()
    await source._loops.end()
    statements = source._entered().parts.statements

    def lease() -> tuple[Service, Lease]:
        service = Service(site.client, {"app": "test"}, max_bytes=2**40)
        service.location = "US"
        return service, Lease(service, Elections(service, "tonight", alone=False), statements, LENGTH)

    service, ahead = lease()
    service.clock._at += 3600
    await ahead.prolong()
    site.server.advance(timedelta(hours=1))
    service, in_time = lease()
    await service.once("tells-the-time", ANY)
    await in_time.prolong()
    assert in_time.held
    (row,) = site.sql("select lease_until from `films.archive.items__executions` where execution = 'tonight'")
    assert row["lease_until"] - site.server.now > LENGTH / 2
    await source._stack.aclose()
