"""Real processes: bounds, signals, kills, wrong configuration, and an outage."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from rushes.database import Database
from rushes.testing.pubsub import PubSubServer
from tests.programs import Program
from tests.pubsub import Clients

from .conftest import AT_ONCE, Start, message, plays

NOWHERE = "127.0.0.1:9"
"""Nobody listens there: a call would be noticed."""


@pytest.mark.parametrize(
    ("variables", "arguments", "named"),
    [
        ({"RUSHES_PUBSUB_SUBSCRIPTION": ""}, [], "RUSHES_PUBSUB_SUBSCRIPTION (or PUBSUB_SUBSCRIPTION) is not set"),
        ({}, [], "RUSHES_PUBSUB_PROJECT (or GCP_PROJECT_ID) is not set"),
        ({"GCP_PROJECT_ID": "p", "RUSHES_STORAGE": ""}, [], "nor RUSHES_PUBSUB_RESULTS nor RUSHES_STORAGE is set"),
        ({"GCP_PROJECT_ID": "p"}, ["--into-queue"], "RUSHES_DATABASE_URL (or DATABASE_URL) is not set"),
        ({"GCP_PROJECT_ID": "p", "RUSHES_PUBSUB_RESULTS": "a b"}, [], "RUSHES_PUBSUB_RESULTS"),
        ({"GCP_PROJECT_ID": "p", "WORKER_MAX_RUNTIME": "soon"}, [], "WORKER_MAX_RUNTIME"),
        ({"GCP_PROJECT_ID": "p", "WORKER_EMPTY_QUEUE_TIMEOUT": "-1"}, [], "WORKER_EMPTY_QUEUE_TIMEOUT"),
        ({"GCP_PROJECT_ID": "p", "HEALTH_CHECK_PORT": "http"}, [], "HEALTH_CHECK_PORT"),
        ({"GCP_PROJECT_ID": "p"}, ["--pipeline", "nonsense"], "there is no pipeline 'nonsense'"),
        ({"GCP_PROJECT_ID": "p"}, ["--set", "play.tempo=7"], "there is no option 'play.tempo'"),
        ({"GCP_PROJECT_ID": "p"}, ["--kinds", "play"], "--kinds"),
        ({"GCP_PROJECT_ID": "p"}, ["--concurrency", "play=2"], "--concurrency"),
        ({"GCP_PROJECT_ID": "p", "DATABASE_URL": "mysql://x"}, [], "RUSHES_DATABASE_URL"),
    ],
)  # fmt: skip
def test_wrong_configuration_ends_before_any_call_and_names_the_variable(
    start: Start, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], arguments: list[str], named: str
):
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", NOWHERE)
    program = start("sub-1", *arguments, **variables)
    out, err = program.process.communicate()
    assert (program.process.returncode, out) == (2, "")
    assert named in err
    assert "Traceback" not in err


def test_what_does_not_exist_is_named(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, start: Start
):
    missing = subscription + "x"
    code, err = start(missing).ended()
    assert code == 2
    assert f"{missing.rpartition('/')[2]} does not exist" in err
    code, err = start(subscription, RUSHES_PUBSUB_RESULTS=topic + "x").ended()
    assert code == 2
    assert "RUSHES_PUBSUB_RESULTS" in err


def test_without_credentials_that_is_said(start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name, value in (("HOME", str(tmp_path)), ("CLOUDSDK_CONFIG", str(tmp_path)), ("NO_GCE_CHECK", "true")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    code, err = start("projects/p/subscriptions/sub-1").ended()
    assert code == 2
    assert "there are no credentials for Pub/Sub" in err
    assert "Traceback" not in err


def test_an_empty_subscription_ends_the_worker(server: PubSubServer, subscription: str, start: Start, *, full: bool):
    began = time.monotonic()
    code, report = start(subscription, "--empty-timeout", "5" if full else "0.5").end()
    took = time.monotonic() - began
    assert (code, report["exit_reason"], report["processed"]) == (0, "empty", 0)
    assert server.calls["Pull"] >= 2
    if full:  # on a machine that has nothing else to do
        assert took <= 6


def test_the_seed_s_variables_work_as_they_stand(server: PubSubServer, clients: Clients, topic: str, start: Start):
    clients.subscriber.create_subscription(name="projects/school/subscriptions/content-worker-sub-dev", topic=topic)
    clients.publish(topic, message("a"))
    code, report = start(
        "", GCP_PROJECT_ID="school", ENVIRONMENT="dev", WORKER_EMPTY_QUEUE_TIMEOUT="1", WORKER_MAX_RUNTIME="60"
    ).end()
    assert (code, report["completed"], report["exit_reason"]) == (0, 1, "empty")


@pytest.mark.timeout(300)
def test_long_messages_are_delivered_once_and_not_taken_for_an_empty_queue(
    server: PubSubServer, clients: Clients, topic: str, start: Start, *, full: bool
):
    if not full:
        pytest.skip("takes two minutes: tests of delivery show it with a clock that is set forward")
    subscription = clients.subscription(topic, ack_deadline_seconds=10)
    clients.publish(topic, message("long", sleep=25), message("longer", sleep=70), message("behind"))
    code, report = start(subscription, "--empty-timeout", "5", "--concurrency", "1").end()
    assert (code, report["completed"], report["exit_reason"]) == (0, 3, "empty")
    assert len(server.inspect(subscription).record.delivered) == 3


@pytest.mark.parametrize("ack_deadline", [10, 600])
def test_sigterm_gives_back_what_is_not_done_at_once(
    server: PubSubServer, clients: Clients, topic: str, start: Start, played: Path, ack_deadline: int
):
    subscription = clients.subscription(topic, ack_deadline_seconds=ack_deadline)
    clients.publish(topic, *(message(f"m{n}", sleep=600) for n in range(10)))
    worker = start(subscription, "--concurrency", "3", "--grace", "1")
    worker.wait_for(lambda: len(plays(played, "began")) == 3)
    worker.signal(signal.SIGTERM)
    code, report = worker.end()
    assert (code, report["exit_reason"], report["released"]) == (0, "terminated", 3)
    assert len(clients.pull_now(subscription)) == 10


def test_sigterm_lets_running_work_end_within_the_grace(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, start: Start, played: Path, *, full: bool
):
    clients.publish(topic, message("short", sleep=1), message("long", sleep=600), message("later", sleep=600))
    worker = start(subscription, "--concurrency", "2")
    worker.wait_for(lambda: set(plays(played, "began")) >= {"short", "long"} or len(plays(played, "began")) == 2)
    began = time.monotonic()
    worker.signal(signal.SIGTERM)
    code, report = worker.end()
    assert (code, report["exit_reason"]) == (0, "terminated")
    assert report["completed"] + report["released"] == 2
    assert len(clients.pull_now(subscription)) == 3 - report["completed"]
    if full:
        assert time.monotonic() - began < 9


def test_sigterm_ends_an_idle_worker(server: PubSubServer, subscription: str, start: Start):
    worker = start(subscription)
    worker.wait_for(lambda: server.calls["Pull"] == 1)
    worker.signal(signal.SIGTERM)
    code, report = worker.end()
    assert (code, report["exit_reason"]) == (0, "terminated")


def test_a_worker_stops_at_its_bounds(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, start: Start
):
    clients.publish(topic, *(message(f"m{n}", sleep=0.3) for n in range(60)))
    code, report = start(subscription, "--max-jobs", "3").end()
    assert (code, report["exit_reason"], report["processed"]) == (0, "max_jobs", 3)
    code, report = start(subscription, "--max-runtime", "1", "--concurrency", "1").end()
    assert (code, report["exit_reason"]) == (0, "max_runtime")
    assert server.inspect(subscription).outstanding == ()
    assert server.inspect(subscription).backlog == 57 - report["processed"]


def test_a_probe_is_answered_while_it_works(server: PubSubServer, subscription: str, start: Start):
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    worker = start(subscription, HEALTH_CHECK_PORT=str(port))
    worker.wait_for(lambda: server.calls["Pull"] == 1)
    assert httpx.get(f"http://127.0.0.1:{port}/health").json() == {"status": "alive"}
    assert httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200
    with server.away():
        worker.wait_for(lambda: httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 503)
    worker.signal(signal.SIGTERM)
    assert worker.end()[0] == 0


@pytest.mark.timeout(600)
async def test_workers_that_are_killed_lose_nothing(
    server: PubSubServer, clients: Clients, topic: str, database: Database, start: Start, played: Path, *, full: bool
):
    count, kills = (5000, 40) if full else (240, 4)
    subscription = clients.subscription(topic, ack_deadline_seconds=10, retry_policy=AT_ONCE)
    clients.publish(topic, *(message(f"m{n}", sleep=0.05) for n in range(count)))
    lasting = {"RUSHES_DATABASE_URL": database.url, "RUSHES_LEASE": "10"}

    def begin() -> Program:
        return start(subscription, "--concurrency", "16", "--empty-timeout", "2", **lasting)

    workers = [begin() for _ in range(4)]
    chance = random.Random(7)
    for number in range(1, kills + 1):
        before = len(plays(played, "began"))
        while len(plays(played, "began")) < before + chance.randint(5, max(6, count // (2 * kills))):
            if all(worker.process.poll() is not None for worker in workers):
                break
            time.sleep(0.02)
        victim = chance.choice(workers)
        victim.signal(signal.SIGKILL)
        victim.process.wait()
        workers[workers.index(victim)] = begin()
        server.advance(6 if number % 2 else 12)  # leases of the dead run out, and of the living are prolonged
    while server.inspect(subscription).backlog:
        if all(worker.process.poll() is not None for worker in workers):
            workers.append(begin())
        server.advance(1)
        time.sleep(0.1)
    for worker in workers:
        if worker.process.poll() is None:
            worker.signal(signal.SIGTERM)
        worker.process.wait()
    rows = await database.pool.fetch("select status, count(*) from rushes.requests group by status")
    assert {row["status"]: row["count"] for row in rows} == {"completed": count}
    assert set(plays(played)) == {f"m{n}" for n in range(count)}
    assert server.inspect(subscription).backlog == 0


@pytest.mark.parametrize("counted", [False, True])
async def test_a_message_that_kills_its_worker_ends_failed_and_takes_no_other_with_it(
    server: PubSubServer, clients: Clients, topic: str, database: Database, start: Start, played: Path, *, counted: bool
):
    """Where Pub/Sub counts deliveries, too: the last one is not run, but recorded."""
    dead = clients.topic()
    policy = {"dead_letter_policy": {"dead_letter_topic": dead, "max_delivery_attempts": 5}} if counted else {}
    subscription = clients.subscription(topic, **policy)
    clients.publish(topic, message("poison", kill=1), *(message(f"good{n}", sleep=0.3) for n in range(4)))
    lives: list[int] = []
    while 0 not in lives:
        worker = start(
            subscription, "--concurrency", "3", "--empty-timeout", "1", RUSHES_ITEM_ATTEMPTS="9" if counted else "2",
            RUSHES_DATABASE_URL=database.url, RUSHES_PUBSUB_DEAD_LETTERS=dead,
        )  # fmt: skip
        worker.process.communicate()
        lives.append(worker.process.returncode)
        assert len(lives) < 8, lives
        server.advance(600)  # leases of the dead run out
        await database.pool.execute("update rushes.requests set lease_until = now() where status = 'processing'")
    assert lives == [-signal.SIGKILL] * 4 + [0]
    began = Counter(plays(played, "began"))
    assert began.pop("poison") == 4
    assert max(began.values()) <= 3  # twice beside it, once by itself
    assert Counter(plays(played)).keys() == {"good0", "good1", "good2", "good3"}
    failed = await database.pool.fetch(
        "select about, error, error_class from rushes.requests where status <> 'completed'"
    )
    assert [(row["error_class"], row["error"]) for row in failed] == [("bug", "its worker ended while it ran, 4 times")]
    assert "poison" in failed[0]["about"]
    assert [letter.attributes["rushes_error_class"] for letter in server.published(dead)] == ["bug"]


def test_several_workers_share_a_subscription(
    server: PubSubServer, clients: Clients, topic: str, subscription: str, start: Start, played: Path
):
    clients.publish(topic, *(message(f"m{n}", sleep=0.05) for n in range(60)))
    workers = [start(subscription, "--empty-timeout", "1", "--concurrency", "2") for _ in range(2)]
    reports = [worker.end()[1] for worker in workers]
    assert sum(report["completed"] for report in reports) == 60
    assert set(Counter(plays(played)).values()) == {1}
    assert len({line.split()[2] for line in played.read_text().splitlines()}) == 2


def test_a_server_that_is_killed_and_comes_back_is_waited_for(
    start: Start, played: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def serve(port: int) -> subprocess.Popen[str]:
        program = [sys.executable, "-m", "rushes.testing.pubsub", "--port", str(port)]
        return subprocess.Popen(program, stdout=subprocess.PIPE, text=True)

    def publish(address: str, name: str) -> None:
        clients = Clients(address)
        clients.publisher.create_topic(name="projects/p/topics/in-1")
        clients.subscriber.create_subscription(name="projects/p/subscriptions/sub-1", topic="projects/p/topics/in-1")
        clients.publish("projects/p/topics/in-1", message(name))
        clients.close()

    first = serve(0)
    assert first.stdout
    address = first.stdout.readline().strip()
    publish(address, "before")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
    worker = start("projects/p/subscriptions/sub-1", "--max-jobs", "2")
    worker.wait_for(lambda: plays(played) == ["before"])
    first.kill()
    first.communicate()
    second = serve(int(address.rpartition(":")[2]))
    assert second.stdout
    assert second.stdout.readline().strip() == address
    publish(address, "after")
    code, report = worker.end()
    second.terminate()
    second.communicate()
    assert (code, report["completed"]) == (0, 2)
    assert plays(played) == ["before", "after"]


def test_without_a_database_no_embedded_one_is_started(
    clients: Clients, topic: str, subscription: str, start: Start, tmp_path: Path
):
    clients.publish(topic, message("a"))
    code, report = start(subscription, "--max-jobs", "1").end()
    assert (code, report["completed"]) == (0, 1)
    assert not (tmp_path / "home" / "postgres").exists()
    found: list[Any] = [path.name for path in (tmp_path / "home").iterdir()] if (tmp_path / "home").exists() else []
    assert "scratch" in found or not found
