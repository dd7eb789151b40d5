"""Who is believed, and what a delivery says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rushes.errors import UsageError
from rushes.github import Refusal, WebhookRefused, handle_webhook
from rushes.github.webhook import LARGEST_BODY

from .deliveries import REPOSITORY, SECRET, of_job, of_run, packed, signed


def refused(headers: dict[str, str], body: bytes, **given: Any) -> WebhookRefused:
    with pytest.raises(WebhookRefused) as error:
        handle_webhook(headers, body, given.pop("secrets", [SECRET]), **given)
    return error.value


def test_the_signature_is_githubs():
    """The example of GitHub's documentation."""
    body, signature = b"Hello, World!", "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Event": "ping"}
    assert handle_webhook(headers, body, [SECRET]) is None
    headers["X-Hub-Signature-256"] = f"sha256={signature[:-1]}8"
    assert refused(headers, body).why is Refusal.SIGNATURE_WRONG


@pytest.mark.parametrize(
    ("signature", "why"),
    [
        (None, Refusal.SIGNATURE_MISSING),
        ("", Refusal.SIGNATURE_MALFORMED),
        ("sha1=" + "0" * 40, Refusal.SIGNATURE_MALFORMED),
        ("sha256=", Refusal.SIGNATURE_MALFORMED),
        ("sha256=" + "0" * 63, Refusal.SIGNATURE_MALFORMED),
        ("sha256=" + "0" * 64 + "\n", Refusal.SIGNATURE_MALFORMED),
        ("sha256=" + "é" * 64, Refusal.SIGNATURE_MALFORMED),
        ("sha256=" + "٣" * 64, Refusal.SIGNATURE_MALFORMED),
        ("SHA256=" + "0" * 64, Refusal.SIGNATURE_MALFORMED),
        ("sha256=" + "0" * 64, Refusal.SIGNATURE_WRONG),
    ],
)
def test_a_signature_that_is_not_right_is_refused_by_name(signature: str | None, why: Refusal):
    headers, body = packed("workflow_run", of_run("completed", "success"))
    del headers["X-Hub-Signature-256"]
    if signature is not None:
        headers["X-Hub-Signature-256"] = signature
    error = refused(headers, body)
    assert (error.why, error.http_status) == (why, 401)


def test_the_old_sha1_signature_alone_is_not_enough():
    headers, body = packed("workflow_run", of_run("completed", "success"))
    del headers["X-Hub-Signature-256"]
    assert "X-Hub-Signature" in headers
    assert refused(headers, body).why is Refusal.SIGNATURE_MISSING


def test_a_body_changed_on_its_way_is_refused():
    headers, body = packed("workflow_run", of_run("completed", "failure"))
    assert refused(headers, body.replace(b"failure", b"success")).why is Refusal.SIGNATURE_WRONG


def test_while_a_secret_is_changed_both_are_taken():
    for secret in ("the old one", "the new one"):
        headers, body = packed("workflow_run", of_run("completed", "success"), secret)
        assert handle_webhook(headers, body, ["the new one", "the old one"])
    assert refused(headers, body, secrets=["another"]).why is Refusal.SIGNATURE_WRONG


@pytest.mark.parametrize("secrets", [[], [""], ["right", ""], "right"])
def test_no_secret_is_never_a_reason_to_believe(secrets: Any):
    headers, body = packed("workflow_run", of_run("completed", "success"), "")
    with pytest.raises(UsageError, match="needs its secret"):
        handle_webhook(headers, body, secrets)


def test_a_body_larger_than_github_sends_is_refused_before_it_is_read():
    error = refused({}, bytes(LARGEST_BODY + 1))
    assert (error.why, error.http_status) == (Refusal.TOO_LARGE, 413)


def test_names_of_headers_are_read_in_any_case():
    headers, body = packed("workflow_run", of_run("completed", "success"))
    assert handle_webhook({name.lower(): value for name, value in headers.items()}, body, [SECRET])
    assert handle_webhook({name.upper(): value for name, value in headers.items()}, body, [SECRET])


@pytest.mark.parametrize(
    ("conclusion", "status"),
    [
        ("success", "completed"),
        ("neutral", "completed"),
        ("failure", "failed"),
        ("timed_out", "failed"),
        ("startup_failure", "failed"),
        ("stale", "failed"),
        ("skipped", "failed"),
        ("cancelled", "cancelled"),
        ("action_required", "processing"),
        ("something GitHub invents later", "failed"),
    ],
)
def test_the_end_of_a_run_is_a_status(conclusion: str, status: str):
    update = handle_webhook(*packed("workflow_run", of_run("completed", conclusion, attempt=2)), [SECRET])
    assert update
    assert (update.status, update.conclusion, update.repository) == (status, conclusion, REPOSITORY)
    assert (update.run_id, update.run_attempt) == ("30433642", 2)
    assert update.delivery == "72d3162e-cc78-11e3-81ab-4c9367dc0958"


def test_a_failure_says_why():
    update = handle_webhook(*packed("workflow_run", of_run("completed", "timed_out")), [SECRET])
    assert update
    assert update.words == "it took longer than its timeout"


def test_a_run_that_begins_is_at_work():
    update = handle_webhook(*packed("workflow_run", of_run("in_progress")), [SECRET])
    assert update
    assert update.status == "processing"


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("ping", {"zen": "Keep it logically awesome."}),
        ("push", {"ref": "refs/heads/main"}),
        ("workflow_run", of_run("requested")),
        ("workflow_job", of_job("queued")),
        ("workflow_job", of_job("waiting")),
    ],
)
def test_what_says_nothing_of_a_job_is_ignored(event: str, payload: dict[str, Any]):
    assert handle_webhook(*packed(event, payload), [SECRET]) is None


def test_jobs_of_a_workflow_are_notes_on_the_way():
    begun = handle_webhook(*packed("workflow_job", of_job("in_progress", name="cut")), [SECRET])
    ended = handle_webhook(*packed("workflow_job", of_job("completed", "failure", name="cut")), [SECRET])
    assert begun
    assert ended
    assert (begun.status, begun.words) == ("processing", "cut: in_progress")
    assert (ended.status, ended.words) == ("processing", "cut: failure")


def test_one_job_of_the_workflow_may_speak_for_the_run():
    speaks = handle_webhook(*packed("workflow_job", of_job("completed", "failure")), [SECRET], job_name="render")
    other = handle_webhook(*packed("workflow_job", of_job("completed", "failure")), [SECRET], job_name="publish")
    assert speaks
    assert other
    assert (speaks.status, speaks.words) == ("failed", "render: it failed")
    assert other.status == "processing"


def test_only_the_repositories_named_are_believed():
    headers, body = packed("workflow_run", of_run("completed", "success"))
    assert handle_webhook(headers, body, [SECRET], repositories=["Octo/Videos"])
    error = refused(headers, body, repositories=["octo/other"])
    assert (error.why, error.http_status) == (Refusal.FOREIGN_REPOSITORY, 403)
    assert REPOSITORY in str(error)
    assert refused(headers, body, repositories=[]).why is Refusal.FOREIGN_REPOSITORY


def test_a_recording_of_long_ago_is_refused():
    now = datetime.now(UTC)
    delivered_again = packed("workflow_run", of_run("completed", "success", at=now - timedelta(days=3)))
    assert handle_webhook(*delivered_again, [SECRET])
    assert refused(*delivered_again, now=now + timedelta(days=2)).why is Refusal.TOO_OLD


def test_a_form_is_refused_with_what_to_do():
    headers, body = packed("workflow_run", of_run("completed", "success"))
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    error = refused(headers, body)
    assert (error.why, error.http_status) == (Refusal.NOT_JSON, 415)
    assert "webhook's settings" in str(error)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "the body"),
        (b"\xff", "the body"),
        (b"[]", "the body"),
        (b"null", "the body"),
        (b"{}", "action"),
        (json.dumps(of_run("completed") | {"workflow_run": None}).encode(), "workflow_run"),
        (json.dumps(of_run("completed", run=-1)).encode(), "workflow_run.id"),
        (json.dumps(of_run("completed", attempt=0)).encode(), "workflow_run.run_attempt"),
        (json.dumps(of_run("completed", "x" * 101)).encode(), "workflow_run.conclusion"),
        (json.dumps(of_run("completed") | {"repository": {}}).encode(), "repository.full_name"),
    ],
)
def test_a_body_that_is_not_githubs_is_refused_by_field(body: bytes, named: str):
    headers, _ = packed("workflow_run", {})
    headers["X-Hub-Signature-256"] = signed(body)
    error = refused(headers, body)
    assert (error.why, error.http_status) == (Refusal.NOT_UNDERSTOOD, 400)
    assert error.reason.startswith(f"{named}: ")


def test_a_refusal_shows_neither_secret_nor_what_was_expected():
    headers, body = packed("workflow_run", of_run("completed", "success"), "somebody else's")
    told = str(refused(headers, body))
    assert SECRET not in told
    assert signed(body).removeprefix("sha256=") not in told
