"""Messages made into items of the queue."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import pytest

from rushes.database import Database
from rushes.into_queue import QueueLedger
from rushes.model import JobStatus, Outcome, Produced
from rushes.queue import Queue, control
from rushes.requests.reading import list_requests
from rushes.testing.pubsub import PubSubServer
from tests.pubsub import Clients

from .conftest import Start, Work, message, until


@pytest.fixture
def into_queue(database: Database, subscription: str) -> QueueLedger:
    return QueueLedger(database.pool, subscription)


async def batches(database: Database) -> list[tuple[str, str, int, str]]:
    rows = await database.pool.fetch("select pipeline, status, total, trust from rushes.batches order by id")
    return [tuple(row) for row in rows]


async def items(database: Database) -> list[str]:
    rows = await database.pool.fetch(
        "select v.location from rushes.items i join rushes.videos v on v.key = video_key order by i.id"
    )
    return [row["location"] for row in rows]


async def test_each_message_becomes_an_item_of_one_batch(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, database: Database, into_queue: QueueLedger,
    work: Work,
):  # fmt: skip
    request = uuid4()
    clients.publish(topic, message("a", request_id=str(request), priority=7), message("b"))
    report = await work(subscription, ledger=into_queue, enqueue=True)
    assert (report.processed, report.completed) == (2, 2)
    clients.publish(topic, message("c"))
    await work(subscription, ledger=into_queue, enqueue=True)

    assert await batches(database) == [("play", "pending", 3, "untrusted")]
    assert await items(database) == [f"https://example.org/{name}?" for name in "abc"]
    row = await database.pool.fetchrow(
        "select r.status, r.batch_id = i.batch_id as there, i.reference, j.priority, j.kind from rushes.requests r"
        " join rushes.items i on i.id = r.item_id join rushes.jobs j on j.item_id = i.id where r.request_id = $1",
        request,
    )
    assert row is not None
    assert tuple(row) == ("queued", True, str(request), 7, "play")
    assert server.inspect(subscription).backlog == 0


async def test_each_pipeline_with_its_options_has_a_batch_of_its_own(
    clients: Clients, topic: str, subscription: str, database: Database, into_queue: QueueLedger, work: Work
):
    clients.publish(topic, message("a"), message("b", pipeline="play+play"), message("c", pipeline="play"))
    await work(subscription, ledger=into_queue, enqueue=True)
    assert sorted((pipeline, total) for pipeline, _, total, _ in await batches(database)) == [
        ("play", 2),
        ("play+play", 1),
    ]


async def test_one_video_asked_for_in_other_words_is_another_item(
    clients: Clients, topic: str, subscription: str, database: Database, into_queue: QueueLedger, work: Work
):
    clients.publish(topic, message("a", audience="children"), message("a", audience="engineers"), message("a"))
    await work(subscription, ledger=into_queue, enqueue=True)
    assert [total for _, _, total, _ in await batches(database)] == [1, 1, 1]


async def test_a_batch_that_has_ended_is_not_joined(
    clients: Clients, topic: str, subscription: str, database: Database, into_queue: QueueLedger, work: Work
):
    clients.publish(topic, message("a"))
    await work(subscription, ledger=into_queue, enqueue=True)
    await finish_all(database)
    clients.publish(topic, message("b"))
    await work(subscription, ledger=into_queue, enqueue=True)
    assert await batches(database) == [("play", "completed", 1, "untrusted"), ("play", "pending", 1, "untrusted")]


async def test_a_paused_batch_is_joined_and_stays_paused(
    clients: Clients, topic: str, subscription: str, database: Database, into_queue: QueueLedger, work: Work
):
    clients.publish(topic, message("a"))
    await work(subscription, ledger=into_queue, enqueue=True)
    async with database.pool.acquire() as connection:
        batch = await connection.fetchval("select id from rushes.batches")
        await control.pause_batch(connection, batch, "a look is wanted")
    clients.publish(topic, message("b"))
    await work(subscription, ledger=into_queue, enqueue=True)
    assert await batches(database) == [("play", "paused", 2, "untrusted")]
    assert await database.pool.fetchval("select count(*) from rushes.jobs where held") == 2


async def test_a_request_that_comes_again_is_acknowledged_and_not_added_twice(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, database: Database, into_queue: QueueLedger,
    work: Work,
):  # fmt: skip
    body = message("a")
    clients.publish(topic, body, body)
    await work(subscription, ledger=into_queue, enqueue=True, empty=2)
    clients.publish(topic, body)
    await work(subscription, ledger=into_queue, enqueue=True)
    assert await items(database) == ["https://example.org/a?"]
    assert server.inspect(subscription).backlog == 0


async def test_two_requests_about_one_video_have_one_item(
    clients: Clients, topic: str, subscription: str, database: Database, into_queue: QueueLedger, work: Work
):
    clients.publish(topic, message("a"), message("a"))
    await work(subscription, ledger=into_queue, enqueue=True)
    assert await items(database) == ["https://example.org/a?"]
    assert await database.pool.fetchval("select count(distinct item_id) from rushes.requests") == 1
    assert await database.pool.fetchval("select count(item_id) from rushes.requests") == 2


async def test_a_request_whose_item_failed_is_added_anew(
    clients: Clients, topic: str, subscription: str, database: Database, into_queue: QueueLedger, work: Work
):
    body = message("a")
    clients.publish(topic, body)
    await work(subscription, ledger=into_queue, enqueue=True)
    await finish_all(database, failed=True)
    clients.publish(topic, body)
    await work(subscription, ledger=into_queue, enqueue=True)
    assert [status for _, status, _, _ in await batches(database)] == ["failed", "pending"]
    (request,) = await list_requests(database.pool)
    assert request.status is JobStatus.QUEUED
    assert request.batch_id == await database.pool.fetchval("select max(id) from rushes.batches")


async def test_a_malformed_message_is_recorded_and_dead_lettered_here_too(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, database: Database, into_queue: QueueLedger,
    work: Work,
):  # fmt: skip
    clients.publish(topic, "hello", message(priority=11), message("a"))
    report = await work(subscription, ledger=into_queue, enqueue=True)
    assert (report.failed, report.completed) == (2, 1)
    rows = await database.pool.fetch("select status from rushes.requests order by status")
    assert [row["status"] for row in rows] == ["failed", "failed", "queued"]
    dead = clients.subscriber.get_subscription(subscription=subscription).dead_letter_policy.dead_letter_topic
    assert len(server.published(dead)) == 2


async def test_words_become_an_item_with_what_is_asked_as_its_options(
    clients: Clients, topic: str, subscription: str, database: Database, into_queue: QueueLedger, work: Work
):
    from rushes.stages import registry
    from rushes.stages.base import Stage

    registry.register(Stage("generate", run=None))  # type: ignore[arg-type]  # it is not run here
    request = str(uuid4())
    clients.publish(topic, json.dumps({"request_id": request, "query": "Why is the sky blue?", "modalities": ["text"]}))
    await work(subscription, ledger=into_queue, enqueue=True)
    row = await database.pool.fetchrow("select given, video_key, options from rushes.items")
    assert row is not None
    assert tuple(row) == (
        "Why is the sky blue?", f"request:{request}",
        {"generate": {"query": "Why is the sky blue?", "modalities": ["text"]}},
    )  # fmt: skip


async def test_two_workers_at_once_add_each_request_once(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, database: Database, work: Work
):
    bodies = [message(f"m{n}") for n in range(40)]
    clients.publish(topic, *bodies, *bodies)
    await asyncio.gather(
        *(
            work(subscription, ledger=QueueLedger(database.pool, subscription), enqueue=True, slots=8, empty=2)
            for _ in range(2)
        )
    )
    assert len(await items(database)) == 40
    assert await batches(database) == [("play", "pending", 40, "untrusted")]
    assert server.inspect(subscription).backlog == 0


async def test_a_message_is_not_acknowledged_before_its_item_is_there(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, database: Database, into_queue: QueueLedger,
    work: Work,
):  # fmt: skip
    clients.publish(topic, message("a"))
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute("lock table rushes.batches in exclusive mode")
        running = asyncio.create_task(work(subscription, ledger=into_queue, enqueue=True))
        await until(lambda: server.inspect(subscription).outstanding)
        await asyncio.sleep(0.2)  # it had time for it, and waits for the commit
        assert server.inspect(subscription).record.acked == []
    await running
    assert len(server.inspect(subscription).record.acked) == 1


async def test_from_the_command_line_into_the_queue_and_out_of_it(
    clients: Clients, topic: str, subscription: str, database: Database, start: Start
):
    clients.publish(topic, *(message(f"m{n}") for n in range(25)))
    code, report = start(subscription, "--into-queue", "--empty-timeout", "0.5", RUSHES_DATABASE_URL=database.url).end()
    assert (code, report["completed"]) == (0, 25)
    assert await batches(database) == [("play", "pending", 25, "untrusted")]
    assert [request.status for request in await list_requests(database.pool)] == [JobStatus.QUEUED] * 25
    await finish_all(database)
    assert {request.status for request in await list_requests(database.pool)} == {JobStatus.COMPLETED}
    assert await list_requests(database.pool, status=JobStatus.QUEUED) == []
    assert len(await list_requests(database.pool, status=JobStatus.COMPLETED)) == 25


async def finish_all(database: Database, *, failed: bool = False) -> None:
    """Let a worker of the queue do what there is."""
    from rushes.errors import ErrorClass
    from rushes.model import Failure

    queue = Queue(database.pool)
    worker = await queue.enter()
    for claimed in await queue.claim(worker, {"play": 1000}, host="here"):
        failure = Failure(ErrorClass.PERMANENT, "not this one") if failed else None
        await queue.settle([Outcome(claimed.lease, None if failed else Produced(), failure)])
    await queue.leave(worker)
