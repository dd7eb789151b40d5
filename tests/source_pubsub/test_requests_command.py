"""`rushes requests`: a person looks."""

from __future__ import annotations

import json
from uuid import uuid4

from rushes.database import Database
from rushes.requests.stored import StoredLedger
from tests.operate.conftest import Rushes, rushes
from tests.pubsub import Clients

from .conftest import Work, message

__all__ = ["rushes"]


async def test_requests_are_listed_and_shown(
    clients: Clients, topic: str, subscription: str, ledger: StoredLedger, database: Database, work: Work, rushes: Rushes
):  # fmt: skip
    good, bad = str(uuid4()), str(uuid4())
    (malformed,) = clients.publish(topic, "hello")
    clients.publish(topic, message("a", request_id=good, correlation_id="req_1"))
    clients.publish(topic, message("b", request_id=bad, correlation_id="req_2", fail="permanent"))
    await work(subscription, ledger=ledger, slots=1)

    listed = await rushes("requests", "list", "--json")
    assert {(each["request_id"], each["status"]) for each in listed.json} == {
        (good, "completed"), (bad, "failed"), (None, "failed")
    }  # fmt: skip
    said = await rushes("requests", "list")
    assert good in said.out
    assert f"message {malformed}" in said.out
    assert "not this one" in said.out
    failed = await rushes("requests", "list", "--status", "failed", "--correlation", "req_2", "--json")
    assert [each["request_id"] for each in failed.json] == [bad]
    first = await rushes("requests", "list", "--limit", "1", "--json")
    rest = await rushes("requests", "list", "--before", first.json[0]["id"], "--json")
    assert len(rest.json) == 2

    shown = await rushes("requests", "show", good, "--json")
    assert (shown.json["status"], shown.json["percentage"], shown.json["correlation_id"]) == ("completed", 100, "req_1")
    assert shown.json["result"]["value"] == {"played": "a"}
    said = await rushes("requests", "show", good)
    assert json.loads(said.out.split("\n\n")[-1]) == {"played": "a"}
    nameless = await rushes("requests", "show", malformed, "--json")
    assert "Invalid JSON" in nameless.json["error"]


async def test_a_request_that_is_not_there_is_said(database: Database, rushes: Rushes):
    said = await rushes("requests", "show", str(uuid4()))
    assert said.code == 2
    assert "there is no request" in said.err
    assert (await rushes("requests", "list")).out.strip() == "no such requests"
    assert (await rushes("requests", "list", "--status", "odd")).code == 2
