"""What failed for good, in groups that a person can decide on."""

from __future__ import annotations

from rushes.database import Database
from rushes.queue.statements import sql

from .conftest import History, Rushes


async def test_groups_say_how_many_since_when_and_why(history: History, rushes: Rushes):
    await history.add("failed", 2, error_class="transient", error="no route", days=5)
    newest = (await history.add("failed", 3, error_class="transient", error="timed out", days=1))[-1]
    await history.add("failed", error_class="bug", error="index out of range", kind="transcribe")
    await history.add("cancelled", error_class="transient", error="no route")
    first, second = (await rushes("queue", "dead", "--json")).json
    assert (first["error_class"], first["kind"], first["jobs"]) == ("transient", "download", 5)
    assert (first["example"], first["message"]) == (newest, "timed out")
    assert first["first_seen"] < first["last_seen"]
    assert (second["error_class"], second["jobs"]) == ("bug", 1)
    said = await rushes("queue", "dead", "--kind", "transcribe")
    assert "bug in transcribe: 1 job" in said.out
    assert "index out of range" in said.out
    assert "transient" not in said.out
    assert (await rushes("queue", "dead", "--class", "permanent")).out == "nothing has failed for good\n"


async def test_the_line_that_retries_a_group_does(history: History, rushes: Rushes):
    await history.add("failed", 5, error_class="transient", error="no route")
    await history.add("failed", 2, error_class="bug", error="oh")
    said = await rushes("queue", "dead", "--class", "transient")
    command = next(line.split() for line in said.out.splitlines() if "queue retry" in line)
    assert (await rushes(*command[1:], "--yes")).out == "5 jobs retried\n"
    assert await history.left() == {"queued": 5, "failed": 2}


async def test_finding_them_reads_nothing_else(database: Database, history: History):
    await history.add("completed", 20_000)
    await history.add("failed", 20, error_class="bug", error="oh")
    await database.pool.execute("vacuum analyze rushes.jobs")
    plan = await database.pool.fetch("explain " + sql("dead_letters").replace("$1", "null").replace("$2", "null"))
    text = "\n".join(row[0] for row in plan)
    assert "jobs_failed" in text
    assert "Seq Scan" not in text
