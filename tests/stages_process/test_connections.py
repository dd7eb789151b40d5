"""Connections to a processor: redirects, races on idle ones, a host that is down, a process that was moved."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import ssl
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rushes.errors import ErrorClass
from rushes.model import Job, Source, Trust, VideoKey
from rushes.settings import Settings
from rushes.sources.whole_items import SLOT, Numbering, WholeItem
from rushes.stages import registry
from rushes.stages.base import Context, Result
from rushes.stages.process import process as run_process
from rushes.stages.processing import breaker, pool
from rushes.stages.processing.processor import SHORTLY
from rushes.worker import Worker, stopping_on_signals
from tests.whole_items.conftest import MemorySource

from .conftest import Process
from .local_processor import LocalProcessor, Talk, Way, usual


def redirects(location: str, status: int = 307) -> Way:
    async def way(talk: Talk) -> None:
        await talk.answer("elsewhere", status, Location=location)

    return way


async def test_a_redirect_to_another_service_is_not_followed(
    process: Process, site: LocalProcessor, elsewhere: LocalProcessor
):
    site.ways = {
        "another port": redirects(f"{elsewhere.url}?token=s3cret"),
        "another scheme": redirects(site.url.replace("http:", "https:"), 301),
        "another name": redirects(site.url.replace("127.0.0.1", "localhost"), 302),
        "no scheme": redirects(f"//127.0.0.1:{elsewhere.port}/"),
        "no address": redirects("javascript:alert(1)"),
    }
    results = await process(*site.ways, "good")
    assert elsewhere.visits == []
    for name in site.ways:
        failure = results.failure(name)
        assert failure.error_class is ErrorClass.PERMANENT
        assert "redirects to another service" in failure.message
        assert "RUSHES_PROCESSOR_URL" in failure.remedy
    assert results.failure("another port").message.endswith(f": {elsewhere.url}?token=***")
    assert results.told("good")[0] == "completed"


async def test_a_redirect_within_the_service_is_followed_with_all_that_was_sent(process: Process, site: LocalProcessor):
    site.paths = {
        "/process": redirects("/process/", 308),
        "/process/": redirects("other?x=1", 302),
        "/process/other?x=1": redirects("/result", 303),
    }

    async def result(talk: Talk) -> None:
        await talk.answer(f"{talk.visit.method} {talk.visit.body}")

    site.paths["/result"] = result
    results = await process("a")
    assert [visit.method for visit in site.visits] == ["POST", "POST", "POST", "GET"]
    assert {visit.headers["idempotency-key"] for visit in site.visits} == {site.visits[0].headers["idempotency-key"]}
    assert site.visits[2].address == "a"
    assert results.made("a").value == "GET "


async def test_redirects_in_a_circle_end(process: Process, site: LocalProcessor):
    site.otherwise = redirects("/process")
    results = await process("a")
    assert results.told("a") == ("permanent", f"127.0.0.1 redirects for ever, at last to {site.url}")
    assert len(site.visits) == 6


def closes_idle_ones(then: Way) -> Way:
    """The first request on a connection is answered; the next meets it just as it closes."""
    seen: set[int] = set()

    async def way(talk: Talk) -> None:
        if talk.visit.connection in seen:
            await then(talk)
        else:
            seen.add(talk.visit.connection)
            await usual(talk)

    return way


async def cut(talk: Talk) -> None:
    talk.cut()


async def test_a_connection_that_was_closed_for_lying_idle_costs_no_item_anything(
    process: Process, site: LocalProcessor
):
    site.otherwise = closes_idle_ones(cut)
    results = await process("a", "b", "c", slots=1)
    assert results.failures() == []
    assert site.posts() == {"a": 1, "b": 2, "c": 2}
    keys: dict[str, set[str]] = {visit.address: set() for visit in site.visits}
    for visit in site.visits:
        keys[visit.address].add(visit.headers["idempotency-key"])
    assert [len(found) for found in keys.values()] == [1, 1, 1]


async def test_a_processor_that_dies_at_work_is_not_set_to_it_again_in_the_same_attempt(
    process: Process, site: LocalProcessor
):
    async def works_and_dies(talk: Talk) -> None:
        await asyncio.sleep(1.5 * SHORTLY)
        talk.cut()

    site.otherwise = closes_idle_ones(works_and_dies)
    results = await process("a", "b", slots=1)
    assert site.posts() == {"a": 1, "b": 1}
    assert len({visit.connection for visit in site.visits}) == 1
    assert results.told("b") == ("transient", "127.0.0.1 closed the connection without an answer")


async def test_a_new_connection_that_breaks_is_not_tried_twice(process: Process, site: LocalProcessor):
    site.otherwise = cut
    results = await process("a", "b", slots=1)
    assert site.posts() == {"a": 1, "b": 1}
    assert {failure.error_class for failure in results.failures()} == {ErrorClass.TRANSIENT}


@pytest.mark.parametrize("reset", [False, True])
async def test_an_answer_that_broke_off_is_not_asked_for_again(process: Process, site: LocalProcessor, reset: bool):  # noqa: FBT001  (a parameter of the test)
    async def half(talk: Talk) -> None:
        await talk.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        if reset:
            talk.writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
        talk.cut()

    site.otherwise = closes_idle_ones(half)
    results = await process("a", "b", slots=1)
    assert site.posts() == {"a": 1, "b": 1}
    assert "broke off" in results.failure("b").message


@pytest.mark.parametrize(("url", "said"), [
    ("http://127.0.0.1:1/", "127.0.0.1 refuses connections"),
    ("http://no-such-host.invalid/", "no-such-host.invalid was not found (DNS)"),
])  # fmt: skip
async def test_who_cannot_be_reached_is_told_in_words(process: Process, url: str, said: str):
    assert (await process("a", processor_url=url)).told("a") == ("transient", said)


async def test_a_certificate_that_nobody_vouches_for_pauses_rather_than_fails(process: Process, tmp_path: Path):
    server = LocalProcessor(tls=self_signed(tmp_path))
    url = server.url.replace("http:", "https:")
    failure = (await process("a", processor_url=url)).failure("a")
    server.close()
    assert (failure.error_class, failure.environment) == (ErrorClass.NEEDS_INPUT, True)
    assert "the TLS certificate of 127.0.0.1 is not valid: " in failure.message
    assert server.visits == []


async def test_a_machine_that_has_no_room_for_connections_pauses_rather_than_fails(
    process: Process, monkeypatch: pytest.MonkeyPatch
):
    def full(_address: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(pool, "_socket", full)
    failure = (await process("a")).failure("a")
    assert (failure.error_class, failure.environment) == (ErrorClass.NEEDS_INPUT, True)
    assert "too many files are open" in failure.message
    assert "ulimit -n" in failure.remedy


def self_signed(folder: Path) -> ssl.SSLContext:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


async def test_a_dead_processor_does_not_use_up_every_item_s_attempts(process: Process, site: LocalProcessor):
    site.stop()
    results = await process(*(f"item {n}" for n in range(300)), slots=5)
    classes = [failure.error_class for failure in results.failures()]
    tried = breaker.STRIKES // 5
    assert classes.count(ErrorClass.TRANSIENT) in range(tried, tried + 5)
    assert classes.count(ErrorClass.RATE_LIMITED) == 300 - classes.count(ErrorClass.TRANSIENT)
    assert results.failure("item 299").retry_after.total_seconds() <= breaker.REST


async def test_a_processor_that_comes_back_is_asked_again(
    process: Process, site: LocalProcessor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(breaker, "STRIKES", 15)
    monkeypatch.setattr(breaker, "REST", 0.0)
    site.stop()
    results = await process("a", "b", "c", "d", slots=1)
    assert len(results.failures()) == 4
    site.start()
    results = await process("a", "b", "c", "d", slots=1)
    assert results.failures() == []


async def test_bad_items_in_a_row_do_not_stop_the_good_ones(process: Process, site: LocalProcessor):
    async def fails(talk: Talk) -> None:
        await talk.answer("no", 500)

    bad = [f"bad {n}" for n in range(40)]
    site.ways = dict.fromkeys(bad, fails)
    results = await process(*bad, "good", slots=1)
    assert results.told("good")[0] == "completed"


async def test_every_request_has_its_own_key_whenever_and_however_often_it_is_sent(
    process: Process, site: LocalProcessor
):
    await process("a", "b")
    await process("a", "b", facts={"attempts": 2})
    await process("a", "b", options=['process.template=["{address}"]'])
    keys = [visit.headers["idempotency-key"] for visit in site.visits]
    of_a = {visit.headers["idempotency-key"] for visit in site.visits[:4] if visit.address == "a"}
    assert len(of_a) == 1
    assert len(set(keys)) == 4
    assert all(len(key) == 32 and key.isalnum() for key in keys)


async def test_a_worker_that_was_moved_to_another_machine_uses_no_old_connection(
    site: LocalProcessor,
    quiet_settings: Settings,
    stage: Callable[..., None],
):
    async def moved_before(job: Job, context: Context) -> Result:
        os.kill(os.getpid(), signal.SIGCONT)
        await asyncio.sleep(0)  # the loop hears of signals
        await asyncio.sleep(0)
        return await run_process(job, context)

    declared = registry.get("process")
    stage(
        "process",
        moved_before,
        options=declared.options,
        defaults=declared.defaults,
        leaves_files=declared.leaves_files,
    )
    plan = registry.resolve("process", settings=quiet_settings)
    items = [WholeItem(f"t/{n}", plan, Source(VideoKey(f"text:{n}"), f"item {n}")) for n in range(3)]
    source = MemorySource(items, quiet_settings.artifacts, numbering=Numbering(Trust.LOCAL))
    worker = Worker(quiet_settings, source, slots={SLOT: 1})
    with stopping_on_signals(worker):
        report = await worker.run()
    assert report.completed == 3
    assert len({visit.connection for visit in site.visits}) == 3
