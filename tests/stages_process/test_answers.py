"""What a processor answers, and what that means for the item, as a source sees it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from rushes.errors import ErrorClass
from rushes.model import Engine

from .conftest import Process
from .local_processor import LocalProcessor, Talk, Way

GOOD = tuple(f"good {n}" for n in range(20))


def answers(body: str | bytes, status: int = 200, **headers: str) -> Way:
    async def way(talk: Talk) -> None:
        await talk.answer(body, status, **headers)

    return way


def sends(*parts: bytes, pause: float = 0.0, then_waits: bool = False) -> Way:
    """Send bytes as they are, and then close the connection or leave it open."""

    async def way(talk: Talk) -> None:
        for part in parts:
            await talk.raw(part)
            await asyncio.sleep(pause)
        if then_waits:
            await asyncio.Event().wait()
        talk.cut()

    return way


async def hangs(_talk: Talk) -> None:
    await asyncio.Event().wait()


async def drips(talk: Talk) -> None:
    """A byte now and then: no single read takes long."""
    await talk.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        await talk.raw(b"x")
        await asyncio.sleep(0.02)


async def pours(talk: Talk) -> None:
    """Chunks without end."""
    await talk.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await talk.raw(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")


async def fifty_megabytes(talk: Talk) -> None:
    await talk.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n")
    for _ in range(50):
        await talk.raw(b"x" * 1_048_576)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
MISBEHAVIOUR: dict[str, tuple[Way, str, str]] = {
    "hangs": (hangs, "transient", "did not answer whole within 1 s"),
    "drips": (drips, "transient", "did not answer whole within 1 s"),
    "stops in the middle": (
        sends(HEAD + b"Content-Length: 100\r\n\r\nhalf", then_waits=True),
        "transient", "did not answer whole within 1 s",
    ),
    "breaks off": (sends(HEAD + b"Content-Length: 100\r\n\r\nhalf"), "transient", "broke off in the middle"),
    "breaks off in chunks": (
        sends(HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"), "transient", "broke off in the middle",
    ),
    "says nothing": (sends(), "transient", "closed the connection without an answer"),
    "speaks no HTTP": (sends(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "transient", "something that is no HTTP"),
    "500": (answers("Traceback: boom", 500), "transient", "answered 500 (Internal Server Error): Traceback: boom"),
    "502": (answers("", 502), "transient", "answered 502 (Bad Gateway)"),
    "503": (answers("starting", 503), "transient", "answered 503 (Service Unavailable): starting"),
    "504": (answers("", 504), "transient", "answered 504"),
    "408": (answers("", 408), "transient", "answered 408"),
    "425": (answers("", 425), "transient", "answered 425"),
    "400": (answers("<html><p>no <b>name</b></p>", 400), "permanent", "answered 400 (Bad Request): no name"),
    "404": (answers("", 404), "permanent", "answered 404 (Not Found)"),
    "422": (answers("x" * 5000, 422), "permanent", "x" * 200),
    "413, at length": (answers("y" * 5_000_000, 413), "permanent", "y" * 200),
    "304": (answers("", 304, Content_Length="0"), "permanent", "answered 304"),
    "an error in words": (answers("ERROR: Timeout while asking"), "transient", "says that it failed: ERROR: Timeout"),
    "an error in small letters": (answers("\n error: no"), "transient", "says that it failed: error: no"),
    "the seed's error": (
        answers("Error processing video: 429"), "transient", "says that it failed: Error processing video: 429",
    ),
    "an error in JSON": (
        answers('"ERROR: as a text"', Content_Type="application/json"), "transient", "failed: ERROR: as a text",
    ),
    "empty": (answers(""), "transient", "gave an empty answer"),
    "blank": (answers(" \r\n\t\u00a0"), "transient", "gave an empty answer"),
    "204": (sends(b"HTTP/1.1 204 No Content\r\n\r\n"), "transient", "gave an empty answer"),
    "null": (answers("null", Content_Type="application/json"), "transient", "gave an empty answer"),
    "an empty object": (answers("{}", Content_Type="application/problem+json"), "transient", "gave an empty answer"),
    "half an object": (answers('{"a": ', Content_Type="application/json"), "transient", "JSON that is none"),
    "no number": (answers('{"a": 1e999}', Content_Type="application/json"), "transient", "1e999 is no number"),
    "too deep": (answers("[" * 100_000, Content_Type="application/json"), "transient", "JSON that is none"),
    "50 MB": (fifty_megabytes, "permanent", "more than 10,000,000 bytes"),
    "without end": (pours, "permanent", "more than 10,000,000 bytes"),
}  # fmt: skip


async def test_what_is_posted_and_what_comes_of_the_answer(process: Process, site: LocalProcessor, tmp_path: Path):
    results = await process("https://example.org/1")
    (visit,) = site.visits
    assert (visit.method, visit.path, visit.body) == ("POST", "/process", {"name": "https://example.org/1"})
    assert visit.headers["content-type"] == "application/json"
    assert "authorization" not in visit.headers
    made = results.made("https://example.org/1")
    assert made.value == "about https://example.org/1"
    assert (made.engine, made.artifacts, made.notes) == (Engine("127.0.0.1"), (), ())
    assert not (tmp_path / "home" / "scratch").exists()


async def test_each_misbehaviour_is_classified_and_nobody_else_is_touched(process: Process, site: LocalProcessor):
    site.ways = {name: way for name, (way, _, _) in MISBEHAVIOUR.items()}
    mixed = [one for pair in zip(MISBEHAVIOUR, GOOD * 3, strict=False) for one in pair]
    results = await process(*dict.fromkeys(mixed), processor_timeout=1)
    for name, (_, error_class, said) in MISBEHAVIOUR.items():
        told = results.told(name)
        assert told[0] == error_class, (name, told)
        assert said in told[1], (name, told)
        assert told[1].startswith("127.0.0.1 "), (name, told)
        assert len(told[1]) < 450
    assert all(results.made(name).value == f"about {name}" for name in GOOD)
    assert set(site.posts().values()) == {1}


@pytest.mark.parametrize(("status", "header", "rest"), [
    (429, "7", 7), (503, "7", 7), (429, "0", 1), (429, "999999999999999999999999", 3600),
    (429, "Wed, 21 Oct 2015 07:28:00 GMT", 1), (429, "soon", 30), (429, "²", 30), (429, None, 30),
])  # fmt: skip
async def test_a_processor_that_asks_for_rest_gets_it(
    process: Process, site: LocalProcessor, status: int, header: str | None, rest: float
):
    site.otherwise = answers("busy", status, **({"Retry_After": header} if header else {}))
    failure = (await process("a")).failure("a")
    assert failure.error_class is ErrorClass.RATE_LIMITED
    assert f"answered {status} (" in failure.message
    assert failure.retry_after == timedelta(seconds=rest)


async def test_a_processor_may_name_the_time_at_which_to_come_back(process: Process, site: LocalProcessor):
    until = datetime.now(UTC) + timedelta(minutes=5)
    site.otherwise = answers("busy", 503, Retry_After=format_datetime(until, usegmt=True))
    failure = (await process("a")).failure("a")
    assert timedelta(minutes=3) < failure.retry_after <= timedelta(minutes=5)


@pytest.mark.parametrize("headers", [{"Retry_After": "20"}, {}], ids=["a time", "no time"])
async def test_the_rest_that_it_asked_for_is_kept_by_all_items(
    process: Process, site: LocalProcessor, headers: dict[str, str]
):
    site.ways["first"] = answers("busy", 429, **headers)
    results = await process("first", *GOOD, slots=1)
    assert site.posts() == {"first": 1}
    assert {failure.error_class for failure in results.failures()} == {ErrorClass.RATE_LIMITED}
    left = results.failure(GOOD[-1])
    assert "left alone" in left.message
    assert 10 < left.retry_after.total_seconds() <= (20 if headers else 30)


JSON_ANSWERS: dict[str, tuple[str, Any]] = {
    "an object": ('{"b": [1, 2.50, null], "a": "ä"}', {"b": [1, 2.5, None], "a": "ä"}),
    "a text": ('"a text"', "a text"),
    "zero": ("0", 0),
    "half a character": ('{"a": "\\ud83d!"}', {"a": "?!"}),
    "a whole one": ('{"a": "\\ud83d\\ude00"}', {"a": "\N{GRINNING FACE}"}),
}


@pytest.mark.parametrize("name", JSON_ANSWERS)
async def test_json_is_taken_as_what_it_says(process: Process, site: LocalProcessor, name: str):
    body, value = JSON_ANSWERS[name]
    site.otherwise = answers(body, Content_Type="application/json; charset=utf-8")
    assert (await process("a")).made("a").value == value


async def test_json_that_is_called_text_stays_text(process: Process, site: LocalProcessor):
    site.otherwise = answers('```json\n{"a": 1}\n```')
    assert (await process("a")).made("a").value == '```json\n{"a": 1}\n```'


TEXTS: dict[str, tuple[bytes, str, str, bool]] = {
    "latin-1": ("Übung".encode("latin-1"), "text/plain; charset=ISO-8859-1", "Übung", False),
    "utf-8 that is called ascii": ("Übung".encode(), "text/plain; charset=us-ascii", "Übung", False),
    "utf-8 that is called utf-16": (b"odd", 'text/plain; charset="utf-16"', "odd", False),
    "utf-8 with a mark": (b"\xef\xbb\xbf\xc3\x9cbung", "text/plain", "Übung", False),
    "an encoding that there is not": ("Übung".encode(), "text/plain; charset=klingon", "Übung", False),
    "an encoding for other things": ("Übung".encode(), "text/plain; charset=zlib_codec", "Übung", False),
    "no text at all": (b"a\xff\xfeb", "text/plain; charset=utf-8", "a\ufffd\ufffdb", True),
    "no content type": ("Übung".encode(), "", "Übung", False),
}


@pytest.mark.parametrize("name", TEXTS)
async def test_text_is_read_in_its_encoding_or_what_it_must_be(process: Process, site: LocalProcessor, name: str):
    body, content_type, text, replaced = TEXTS[name]
    site.otherwise = answers(body, Content_Type=content_type)
    made = (await process("a")).made("a")
    assert made.value == text
    assert bool(made.notes) == replaced


async def test_failures_are_what_the_user_says_they_are(process: Process, site: LocalProcessor):
    site.ways = {"a": answers("Leider nicht: x"), "b": answers("ERROR: but fine here"), "c": answers("SORRY, c")}
    results = await process("a", "b", "c", options=['process.failures=["leider (nicht|nie)", "sorry"]'])
    assert [results.told(name)[0] for name in "abc"] == ["transient", "completed", "transient"]
    assert (await process("b", options=["process.failures=[]"])).told("b")[0] == "completed"


async def test_a_pattern_that_would_run_for_hours_elsewhere_takes_no_time(process: Process, site: LocalProcessor):
    site.otherwise = answers("a" * 100_000 + "!")
    assert (await process("a", options=["process.failures=(a+)+$"])).told("a")[0] == "completed"


async def test_any_text_goes_as_an_address_and_comes_as_it_was(process: Process, site: LocalProcessor):
    odd = ["plain words", 'a "quote" \\ {brace}', "zeile\nzeile", "日本語", "gs://bucket/x.mp4", "file:///etc/passwd"]
    results = await process(*odd)
    assert {visit.address for visit in site.visits} == set(odd)
    assert [results.told(text)[0] for text in odd] == ["completed"] * len(odd)
    assert (await process(" ")).told(" ") == ("permanent", "there is no address")


async def test_what_is_posted_is_the_user_s_template(process: Process, site: LocalProcessor):
    template = (
        '{"video": {"url": "{address}", "row": "{id}"}, "say": "Sum up {title}, {payload.tags}!", "n": "{payload.n}"}'
    )
    facts = {
        "reference": "row-7", "title": 'A "talk" {address}', "payload": {"n": 5, "tags": ["a", "b"], "secret": "no"},
    }  # fmt: skip
    await process("https://example.org/?a=1&b=2", options=[f"process.template={template}"], facts=facts)
    assert site.visits[0].body == {
        "video": {"url": "https://example.org/?a=1&b=2", "row": "row-7"},
        "say": 'Sum up A "talk" {address}, ["a", "b"]!',
        "n": 5,
    }


async def test_headers_come_from_where_they_are_said_to_be(
    process: Process, site: LocalProcessor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PROCESSOR_KEY", "s3cret-key")
    (tmp_path / "token").write_text("from a file\n")
    headers = {"X-Key": "env:PROCESSOR_KEY", "X-Token": f"file:{tmp_path / 'token'}"}
    site.ways["b"] = answers("you said s3cret-key", 500)
    site.ways["c"] = answers("ERROR: s3cret-key is over its quota")
    results = await process("a", "b", "c", processor_headers=headers)
    assert {visit.headers["x-key"] for visit in site.visits} == {"s3cret-key"}
    assert site.visits[0].headers["x-token"] == "from a file"
    assert "you said ***" in results.failure("b").message
    assert "ERROR: *** is over its quota" in results.failure("c").message


@pytest.mark.parametrize(("reference", "value", "said"), [
    ("env:NOT_THERE", None, "env:NOT_THERE is not set"),
    ("file:/not/there", None, "file:/not/there cannot be read"),
    ("env:BROKEN", "a\nb: c", "more than printable ASCII"),
    ("env:BROKEN", "日本", "more than printable ASCII"),
])  # fmt: skip
async def test_a_header_that_cannot_be_sent_pauses_rather_than_fails(
    process: Process,
    site: LocalProcessor,
    monkeypatch: pytest.MonkeyPatch,
    reference: str,
    value: str | None,
    said: str,
):
    if value:
        monkeypatch.setenv("BROKEN", value)
    failure = (await process("a", processor_headers={"X-Key": reference})).failure("a")
    assert (failure.error_class, failure.environment) == (ErrorClass.NEEDS_INPUT, True)
    assert said in failure.message
    assert failure.remedy
    assert (value or "?") not in failure.message
    assert site.visits == []
