"""Connecting and closing: in a thread, in a loop, at the end of a program, after a fork, and when somebody interrupts."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import rushes
from rushes.database import Database
from rushes.settings import Settings

PROGRAM = """
import os, signal, sys, threading, time
import rushes

begun = threading.Event()

@rushes.stage("quick")
async def quick(job, context):
    return rushes.Result()

@rushes.stage("endless")
async def endless(job, context):
    import asyncio
    print("begun", flush=True)
    begun.set()
    await asyncio.Event().wait()

"""


@pytest.fixture
def start(server_home: Path, tmp_path: Path):
    """Start a program of the user's own on the tests' server."""
    started: list[subprocess.Popen[str]] = []

    def begin(code: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "RUSHES_HOME": str(server_home), "RUSHES_STORAGE": str(tmp_path / "artifacts")}
        started.append(subprocess.Popen(
            [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM + code], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ))  # fmt: skip
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "rushes"]


def test_nothing_is_opened_before_it_is_needed_and_closing_ends_the_thread(database: Database, settings: Settings):
    db = rushes.connect(settings)
    service = rushes.QueueService(db)
    assert threads() == []
    assert service.get_pending_jobs() == []
    assert len(threads()) == 1
    rushes.QueueService(db).pause()
    assert len(threads()) == 1
    db.close()
    db.close()
    assert threads() == []
    with pytest.raises(rushes.UsageError, match="this connection is closed"):
        service.get_pending_jobs()
    with pytest.raises(rushes.UsageError, match="this connection is closed"), db:
        pass


async def test_a_closed_connection_says_so_to_coroutines(database: Database, settings: Settings):
    async with rushes.connect(settings) as db:
        queue = rushes.Queue(db)
    for attempt in (queue.get_pending_jobs(), queue.enqueue_job("a", "fetch"), db.__aenter__()):
        with pytest.raises(rushes.UsageError, match="this connection is closed"):
            await attempt


def test_a_forgotten_connection_closes_itself(database: Database, settings: Settings):
    rushes.QueueService(rushes.connect(settings)).get_pending_jobs()
    gc.collect()
    assert threads() == []


async def test_in_a_loop_there_is_no_thread(database: Database, settings: Settings):
    async with rushes.connect(settings) as db:
        job = await rushes.Queue(db).enqueue_job("a", "fetch")
        assert threads() == []
        with pytest.raises(rushes.UsageError, match="opened with `async with`"):
            rushes.QueueService(db).get_job(job.id)
        with pytest.raises(rushes.UsageError, match="opened with `async with`"):
            db.close()
        other = await asyncio.to_thread(lambda: asyncio.run(_refused(rushes.Queue(db))))
        assert "opened in another event loop" in other


async def _refused(queue: rushes.Queue) -> str:
    with pytest.raises(rushes.UsageError) as refused:
        await queue.get_pending_jobs()
    return str(refused.value)


async def test_what_a_thread_holds_can_be_used_from_any_loop(database: Database, settings: Settings):
    with rushes.connect(settings) as db:
        job = await rushes.Queue(db).enqueue_job("a", "fetch")
        found = await asyncio.to_thread(lambda: asyncio.run(rushes.Queue(db).get_job(job.id)))
        assert found == job
        assert rushes.QueueService(db).get_job(job.id) == job
    db = rushes.connect(settings)
    assert await rushes.Queue(db).get_job(job.id) == job
    await db.aclose()
    assert threads() == []


async def test_a_call_cancelled_in_one_loop_ends_in_the_other(database: Database, settings: Settings, stage):
    begun = threading.Event()

    async def endless(_job: rushes.Job, _context: rushes.Context) -> rushes.Result:
        begun.set()
        await asyncio.Event().wait()
        return rushes.Result()

    stage("endless", run=endless)
    with rushes.connect(settings) as db:
        queue = rushes.Queue(db)
        job = await queue.enqueue_job("a", "endless")
        call = asyncio.create_task(queue.process_next_job())
        await asyncio.to_thread(begun.wait)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        after = await queue.get_job(job.id)
    assert after is not None
    assert (after.status, after.attempts) == ("queued", 0)


def test_a_stage_that_would_wait_for_itself_is_told(service: rushes.QueueService, stage):
    async def waiting_for_itself(_job: rushes.Job, _context: rushes.Context) -> rushes.Result:
        service.enqueue_job("b", "next")
        return rushes.Result()

    stage("first", run=waiting_for_itself)
    service.enqueue_job("a", "first")
    job = service.process_next_job()
    assert job is not None
    assert "a synchronous call from the event loop that would have to answer it" in (job.error or "")


def test_a_stage_may_enqueue(db: rushes.Connection, service: rushes.QueueService, stage):
    async def leading_on(_job: rushes.Job, _context: rushes.Context) -> rushes.Result:
        await rushes.Queue(db).enqueue_job("b", "next")
        await asyncio.to_thread(service.enqueue_job, "c", "next")
        return rushes.Result()

    stage("first", run=leading_on)
    stage("next")
    service.enqueue_job("a", "first")
    assert [(job.video_id, job.status) for job in service.process_batch(5)] == [
        ("a", "completed"), ("b", "completed"), ("c", "completed"),
    ]  # fmt: skip


def test_closing_gives_back_what_runs_and_tells_who_waits(database: Database, settings: Settings, stage):
    begun = threading.Event()

    async def endless(_job: rushes.Job, _context: rushes.Context) -> rushes.Result:
        begun.set()
        await asyncio.Event().wait()
        return rushes.Result()

    stage("endless", run=endless)
    db = rushes.connect(settings)
    service = rushes.QueueService(db)
    job = service.enqueue_job("a", "endless")
    said: list[str] = []

    def call() -> None:
        try:
            service.process_next_job()
        except rushes.UsageError as error:
            said.append(error.reason)

    thread = threading.Thread(target=call)
    thread.start()
    begun.wait()
    db.close()
    thread.join()
    assert said == ["this connection is closed"]
    with rushes.connect(settings) as again:
        after = rushes.QueueService(again).get_job(job.id)
    assert after is not None
    assert (after.status, after.attempts) == ("queued", 0)


def test_wrong_settings_are_refused_before_anything_is_opened(tmp_path: Path, settings: Settings):
    with pytest.raises(rushes.SettingsError, match="RUSHES_LEASE"):
        rushes.connect(lease="long")
    with pytest.raises(rushes.UsageError, match="settings and home: give either"):
        rushes.connect(settings, home=tmp_path)
    with (
        pytest.raises(rushes.DatabaseError, match="cannot be reached"),
        rushes.connect(database_url="postgresql://127.0.0.1:1/none"),
    ):
        pass
    assert threads() == []


def test_a_session_of_somebody_else_s_is_no_connection():
    with pytest.raises(rushes.UsageError, match=r"db: wanted what rushes.connect\(\) gives, found object"):
        rushes.QueueService(object())  # type: ignore[arg-type]  # what is refused


def test_signals_are_the_program_s_own(service: rushes.QueueService, stage):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    found: list[Any] = []

    async def looking(_job: rushes.Job, _context: rushes.Context) -> rushes.Result:
        found.extend(signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM))
        return rushes.Result()

    stage("looking", run=looking)
    service.enqueue_job("a", "looking")
    service.process_next_job()
    assert found == before


def test_a_fork_is_refused_in_words_and_leaves_its_parent_alone(database: Database, start):
    program = start(
        """
db = rushes.connect()
service = rushes.QueueService(db)
job = service.enqueue_job("a", "quick")
sys.stdout.flush()
child = os.fork()
if not child:
    try:
        service.get_job(job.id)
    except rushes.UsageError as error:
        print(error.reason.replace(str(os.getppid()), "PARENT"), flush=True)
    with rushes.connect() as own:
        print(rushes.QueueService(own).get_job(job.id).status, flush=True)
    sys.exit(0)
os.waitpid(child, 0)
print(service.process_next_job().status)
""".replace("child = os.fork()", "import warnings; warnings.simplefilter('ignore')\nchild = os.fork()")
    )
    out, err = program.communicate(timeout=60)
    assert out.splitlines() == [
        "this connection belongs to process PARENT, of which this one is a fork", "queued", "completed",
    ], err  # fmt: skip


def test_the_end_of_a_program_ends_it_all_in_order(database: Database, start):
    """A thread works through the queue, as a daemon; nothing is closed, nothing is complained about."""
    program = start("""
service = rushes.QueueService(rushes.connect())
service.enqueue_job("a", "endless")
threading.Thread(target=lambda: service.process_next_job(), daemon=True).start()
begun.wait()
""")
    out, err = program.communicate(timeout=60)
    assert (program.returncode, out, err) == (0, "begun\n", "")
    assert asyncio.run(_standing(database)) == [("endless", "queued", 0)]


async def _standing(database: Database) -> list[tuple[Any, ...]]:
    import asyncpg

    connection = await asyncpg.connect(database.url)
    rows = [tuple(row) for row in await connection.fetch("select kind, status, attempts from rushes.jobs order by id")]
    await connection.close()
    return rows


def test_an_interrupted_call_gives_its_job_back_and_the_program_goes_on(database: Database, start):
    program = start("""
with rushes.connect() as db:
    service = rushes.QueueService(db)
    job = service.enqueue_job("a", "endless")
    try:
        service.process_next_job()
    except KeyboardInterrupt:
        job = service.get_job(job.id)
        print(job.status, job.attempts)
""")
    assert program.stdout is not None
    assert program.stdout.readline() == "begun\n"
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=60)
    assert (program.returncode, out, err) == (0, "queued 0\n", "")


def test_both_faces_have_the_same_verbs_arguments_and_words():
    def verbs(face: type) -> dict[str, Any]:
        return {name: verb for name, verb in vars(face).items() if not name.startswith("_")}

    there, here = verbs(rushes.Queue), verbs(rushes.QueueService)
    assert list(there) == list(here)
    for name, verb in there.items():
        assert inspect.signature(verb) == inspect.signature(here[name]), name
        assert verb.__doc__ == here[name].__doc__
        assert inspect.iscoroutinefunction(verb)
