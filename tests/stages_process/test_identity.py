"""Who we are to a processor: identity tokens, from where they come and where they go."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from rushes.errors import ErrorClass, StageError, Transient
from rushes.model import Trust
from rushes.sources.whole_items import Numbering
from rushes.stages.process import ProcessOptions
from rushes.stages.processing import metadata as metadata_server
from rushes.stages.processing.identity import Identity

from .conftest import Metadata, Process, token
from .local_processor import LocalProcessor, Talk

MANY = tuple(f"item {n}" for n in range(200))


def bearers(site: LocalProcessor) -> set[str]:
    return {visit.headers.get("authorization", "none") for visit in site.visits}


async def refuses(talk: Talk) -> None:
    await talk.answer("<h1>Error: Forbidden</h1>", 403)


def _payload(bearer: str) -> str:
    part = bearer.removeprefix("Bearer ").split(".")
    return base64.urlsafe_b64decode(part[1] + "==").decode() if len(part) == 3 else ""


async def test_one_fetch_serves_all_who_wait_for_it(process: Process, site: LocalProcessor, metadata: Metadata):
    metadata.slow = True
    results = await process(*MANY, slots=200)
    assert results.failures() == []
    assert metadata.hits == 1
    assert metadata.audiences == [site.origin]
    assert len(bearers(site)) == 1
    assert '"n": 1' in _payload(bearers(site).pop())


async def test_the_audience_is_the_one_that_is_set(process: Process, metadata: Metadata):
    await process("a", processor_audience="https://service-abc.a.run.app")
    assert metadata.audiences == ["https://service-abc.a.run.app"]


async def test_a_token_is_renewed_before_it_runs_out(process: Process, site: LocalProcessor, metadata: Metadata):
    metadata.lasts = 299
    await process("a", "b", slots=1)
    assert metadata.hits == 2
    assert len(bearers(site)) == 2


async def test_a_token_that_was_refused_though_it_was_new_is_not_fetched_again_for_each_item(
    process: Process, site: LocalProcessor, metadata: Metadata
):
    site.otherwise = refuses
    results = await process(*MANY[:50])
    assert metadata.hits == 1
    failure = results.failure(MANY[0])
    assert (failure.error_class, failure.environment) == (ErrorClass.NEEDS_INPUT, True)
    assert failure.message == "127.0.0.1 answered 403 (Forbidden): Error: Forbidden"
    assert "roles/run.invoker" in failure.remedy
    assert "RUSHES_PROCESSOR_AUDIENCE" in failure.remedy
    assert len(results.failures()) == 50


async def test_without_a_token_the_remedy_says_how_one_would_be_sent(process: Process, site: LocalProcessor):
    site.otherwise = refuses
    failure = (await process("a")).failure("a")
    assert (failure.error_class, failure.environment) == (ErrorClass.NEEDS_INPUT, True)
    assert "RUSHES_PROCESSOR_IDENTITY=google" in failure.remedy
    assert bearers(site) == {"none"}


async def test_none_is_sent_where_there_is_no_identity_or_none_is_wanted(
    process: Process, site: LocalProcessor, metadata: Metadata, monkeypatch: pytest.MonkeyPatch
):
    await process("a", processor_identity="none")
    monkeypatch.delenv("GCE_METADATA_HOST")
    await process("b")
    assert bearers(site) == {"none"}
    assert metadata.hits == 0


async def test_the_user_s_own_authorization_comes_first(
    process: Process, site: LocalProcessor, metadata: Metadata, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AUTHORIZATION", "Basic dTpw")
    monkeypatch.setenv("AGENT", "nightly")
    await process("a", processor_headers={"authorization": "env:AUTHORIZATION", "user-agent": "env:AGENT"})
    assert bearers(site) == {"Basic dTpw"}
    assert site.visits[0].headers["user-agent"] == "nightly"
    assert metadata.hits == 0


@pytest.mark.parametrize(("url", "may"), [
    ("https://service.a.run.app/x", True), ("http://localhost:8080", True), ("http://127.9.9.9/", True),
    ("http://[::1]:8080/", True), ("http://service.a.run.app", False), ("http://10.0.0.1/", False),
    ("http://localhost.evil.example/", False), ("http://127.0.0.1.nip.io/", False),
])  # fmt: skip
def test_a_token_goes_over_no_open_line(url: str, may: bool):  # noqa: FBT001  (a parameter of the test)
    assert ProcessOptions(url=url).wanted.may_have_token == may
    if not may:
        with pytest.raises(ValueError, match="needs an https:// address"):
            ProcessOptions(url=url, identity="google")


async def test_a_metadata_server_in_trouble_is_asked_again(
    process: Process, metadata: Metadata, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(metadata_server, "_PAUSE", 0.0)
    metadata.faults = [500, 503]
    assert (await process("a")).failures() == []
    metadata.faults = [500, 429, 503]
    error_class, said = (await process("a")).told("a")
    assert error_class == "transient"
    assert "the metadata server 127.0.0.1:" in said
    assert "answered 503" in said


async def test_a_machine_without_an_account_is_told_what_it_lacks(
    process: Process, site: LocalProcessor, metadata: Metadata
):
    metadata.faults = [404]
    failure = (await process("a")).failure("a")
    assert (failure.error_class, failure.environment) == (ErrorClass.NEEDS_INPUT, True)
    assert "answered 404 (Not Found): not now" in failure.message
    assert "RUSHES_PROCESSOR_IDENTITY=none" in failure.remedy
    assert site.visits == []


async def test_who_is_no_metadata_server_is_not_believed(process: Process, site: LocalProcessor, metadata: Metadata):
    async def somebody_else(talk: Talk) -> None:
        await talk.answer("<html>Welcome to the hotel's network</html>")

    metadata.server.otherwise = somebody_else
    assert (await process("a")).failure("a").error_class is ErrorClass.NEEDS_INPUT
    assert site.visits == []


def test_google_s_machines_are_known_by_their_variables_and_their_name(tmp_path: Path):
    product = tmp_path / "product_name"
    assert not metadata_server.is_here({}, product)
    product.write_text("Google Compute Engine\n")
    assert metadata_server.is_here({}, product)
    product.write_text("Standard PC (Q35)\n")
    assert not metadata_server.is_here({}, product)
    for name in ("CLOUD_RUN_JOB", "K_SERVICE", "GCE_METADATA_HOST"):
        assert metadata_server.is_here({name: "x"}, product)


class Fetches:
    """A source of tokens under a clock of the test's own."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.count = 0
        self.down = False
        self.identity = Identity(self._fetch, now=lambda: self.now)

    async def _fetch(self) -> str:
        self.count += 1
        await asyncio.sleep(0)
        if self.down:
            raise Transient("the metadata server does not answer")
        return token(self.count, self.now + 3600)

    async def current(self) -> int:
        return int(json.loads(_payload(f"Bearer {await self.identity.token()}"))["n"])


async def test_a_token_serves_until_five_minutes_before_its_end():
    fetches = Fetches()
    assert [await fetches.current(), await fetches.current()] == [1, 1]
    fetches.now += 3299
    assert await fetches.current() == 1
    fetches.now += 2
    assert await fetches.current() == 2


async def test_a_token_that_is_still_good_serves_while_no_new_one_can_be_had():
    fetches = Fetches()
    await fetches.current()
    fetches.down = True
    fetches.now += 3599
    assert await fetches.current() == 1
    fetches.now += 2
    with pytest.raises(Transient, match="does not answer"):
        await fetches.current()


async def test_an_old_token_that_is_refused_is_renewed_once_for_all():
    fetches = Fetches()
    first = await fetches.identity.token()
    fetches.now += 61
    assert fetches.identity.refused(first)
    second, again = await asyncio.gather(fetches.identity.token(), fetches.identity.token())
    assert second == again != first
    assert fetches.identity.refused(first), "whoever comes later with the first may take the second"
    assert not fetches.identity.refused(second)
    assert fetches.count == 2


async def test_whoever_stops_waiting_does_not_stop_the_others():
    fetches = Fetches()
    first, second = asyncio.create_task(fetches.current()), asyncio.create_task(fetches.current())
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 1
    assert first.cancelled()


@pytest.mark.parametrize("text", ["", "a.b", "a.e30.c", "a.!!.c", "<html>", "a.W10.c"])
async def test_what_is_no_token_is_not_taken_for_one(text: str):
    async def fetch() -> str:
        return text

    with pytest.raises(StageError, match="does not say when it runs out"):
        await Identity(fetch).token()


@pytest.fixture
def key_file(tmp_path: Path, elsewhere: LocalProcessor) -> dict[str, Any]:
    """A service account's key, whose tokens come from a server on loopback."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account", "project_id": "p", "private_key_id": "1", "private_key": private.decode(),
        "client_email": "worker@p.iam.gserviceaccount.com", "client_id": "1", "token_uri": f"{elsewhere.origin}/token",
    }  # fmt: skip


async def test_on_a_laptop_a_service_account_s_key_serves(
    process: Process, site: LocalProcessor, elsewhere: LocalProcessor, key_file: dict[str, Any], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    asked: list[str] = []

    async def gives(talk: Talk) -> None:
        asked.append(talk.visit.path)
        await talk.answer(json.dumps({"id_token": token(9, time.time() + 3600)}), Content_Type="application/json")

    elsewhere.otherwise = gives
    (tmp_path / "key.json").write_text(json.dumps(key_file))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    assert (await process("a", "b", "c")).failures() == []
    assert asked == ["/token"]
    assert '"n": 9' in _payload(bearers(site).pop())
    assert parse_qs(elsewhere.visits[0].body)["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]


async def test_a_key_that_google_refuses_pauses_with_the_reason(
    process: Process, site: LocalProcessor, elsewhere: LocalProcessor, key_file: dict[str, Any], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    async def finds_fault(talk: Talk) -> None:
        told = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        await talk.answer(json.dumps(told), 400, Content_Type="application/json")

    elsewhere.otherwise = finds_fault
    (tmp_path / "key.json").write_text(json.dumps(key_file))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    failure = (await process("a")).failure("a")
    assert (failure.error_class, failure.environment) == (ErrorClass.NEEDS_INPUT, True)
    assert "Invalid JWT Signature" in failure.message
    assert site.visits == []


async def test_a_person_s_own_login_is_no_identity(
    process: Process, site: LocalProcessor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    login = {"type": "authorized_user", "client_id": "x", "client_secret": "y", "refresh_token": "z"}
    (tmp_path / "login.json").write_text(json.dumps(login))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "login.json"))
    assert (await process("a")).failures() == []
    assert bearers(site) == {"none"}


async def test_what_a_stranger_asks_for_sends_nothing_of_ours(
    process: Process,
    site: LocalProcessor,
    elsewhere: LocalProcessor,
    metadata: Metadata,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("DATABASE_PASSWORD", "s3cret")
    theirs: list[dict[str, Any]] = [
        {"url": elsewhere.url}, {"headers": {"X-Mine": "env:DATABASE_PASSWORD"}}, {"audience": "https://bank.example"},
        {"identity": "none"}, {"timeout": timedelta(days=1).total_seconds()}, {"largest": 900_000_000},
    ]  # fmt: skip
    for options in theirs:
        results = await process("a", numbering=Numbering(Trust.UNTRUSTED), facts={"item_options": {"process": options}})
        error_class, said = results.told("a")
        assert error_class == "permanent"
        assert f"process.{next(iter(options))} is not what is set up here" in said
    harmless = {"item_options": {"process": {"failures": ["no"]}}}
    results = await process("a", numbering=Numbering(Trust.UNTRUSTED), facts=harmless)
    assert results.failures() == []
    assert elsewhere.visits == []
    assert len(site.visits) == 1


async def test_a_stranger_s_item_is_processed_as_the_operator_says(
    process: Process, site: LocalProcessor, elsewhere: LocalProcessor
):
    of_theirs = Numbering(Trust.UNTRUSTED, chosen_by=Trust.LOCAL)
    options = [f"process.url={elsewhere.url}"]
    assert (await process("a", numbering=of_theirs, options=options)).failures() == []
    assert (elsewhere.posts(), site.visits) == ({"a": 1}, [])
    results = await process("a", numbering=Numbering(Trust.UNTRUSTED), options=options)
    assert results.told("a")[0] == "permanent"
