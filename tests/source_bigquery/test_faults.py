"""What BigQuery's errors mean, in the words in which it says them."""

from __future__ import annotations

import pytest
import requests
from google.api_core import exceptions
from google.auth.exceptions import RefreshError, TransportError

from rushes.sources.bigquery.faults import Away, Crowded, OverQuota, Refused, of_call, of_job

CONFLICT = "Could not serialize access to table p:d.items due to concurrent update"
QUEUE = "Resources exceeded during query execution: Too many DML statements outstanding against table p:d.items, limit is 20"


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def answer(kind: type[exceptions.GoogleAPICallError], reason: str, message: str = "it says why") -> Exception:
    return kind(message, errors=[{"reason": reason, "message": message}])


@pytest.mark.parametrize(
    "error",
    [
        answer(exceptions.ServiceUnavailable, "backendError"),
        answer(exceptions.InternalServerError, "internalError"),
        answer(exceptions.Forbidden, "rateLimitExceeded"),
        answer(exceptions.TooManyRequests, "rateLimitExceeded"),
        requests.ConnectionError("refused"),
        requests.ReadTimeout("slow"),
        TransportError("no route"),
        ConnectionResetError("reset"),
        RefreshError("later", retryable=True),
        RefreshError(TransportError("the metadata server is away")),
        caused(RefreshError("no token"), TransportError("the metadata server is away")),
    ],
)
def test_what_may_pass_is_an_outage(error: Exception):
    meaning = of_call(error)
    assert isinstance(meaning, Away)
    assert not isinstance(meaning, Crowded)


def test_a_client_that_gave_up_says_what_it_met():
    error = exceptions.RetryError(
        "Timeout of 8 s exceeded", cause=answer(exceptions.ServiceUnavailable, "backendError", "busy")
    )
    meaning = of_call(error)
    assert isinstance(meaning, Away)
    assert meaning.reason == "busy"


@pytest.mark.parametrize(
    ("reason", "message"), [("invalidQuery", CONFLICT), ("resourcesExceeded", QUEUE), ("backendError", "try again")]
)
def test_a_job_that_others_were_in_the_way_of_may_run_anew(reason: str, message: str):
    assert isinstance(of_job({"reason": reason, "message": message}), Crowded)


@pytest.mark.parametrize(
    ("error", "what", "remedy"),
    [
        (answer(exceptions.Forbidden, "accessDenied"), "accessDenied", "roles/bigquery.dataEditor"),
        (answer(exceptions.NotFound, "notFound"), "notFound", "still there"),
        (
            answer(exceptions.BadRequest, "invalid", "Query exceeded limit for bytes billed: 10485760."),
            "bytesBilledLimitExceeded",
            "RUSHES_BIGQUERY_MAX_BYTES",
        ),
        (
            answer(
                exceptions.InternalServerError, "bytesBilledLimitExceeded", "Query exceeded limit for bytes billed: 10."
            ),
            "bytesBilledLimitExceeded",
            "RUSHES_BIGQUERY_MAX_BYTES",
        ),
        (answer(exceptions.Unauthorized, "authError"), "authError", None),
        (RefreshError("revoked"), "credentials", "sign in"),
        (RefreshError("invalid_grant: Bad Request", {"error": "invalid_grant"}), "credentials", "sign in"),
    ],
)
def test_what_will_not_pass_says_what_to_do(error: Exception, what: str, remedy: str | None):
    meaning = of_call(error)
    assert isinstance(meaning, Refused)
    assert meaning.what == what
    assert (remedy or "") in (meaning.remedy or "")


def test_rows_just_streamed_in_are_told_apart():
    message = "UPDATE or DELETE statement over table p.d.items would affect rows in the streaming buffer"
    meaning = of_job({"reason": "invalidQuery", "message": message})
    assert isinstance(meaning, Refused)
    assert "90 minutes" in (meaning.remedy or "")


def test_a_days_quota_is_told_apart():
    assert isinstance(of_job({"reason": "quotaExceeded", "message": "too many imports"}), OverQuota)


def test_a_bug_stays_one():
    error = ValueError("ours")
    assert of_call(error) is error
