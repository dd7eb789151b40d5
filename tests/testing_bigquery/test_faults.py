"""Faults on demand, as the real client sees them."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests
from google.api_core import exceptions
from google.cloud.bigquery import DEFAULT_RETRY

COUNT = "SELECT COUNT(*) FROM d.t"


@pytest.fixture(autouse=True)
def table(run):
    run("CREATE TABLE d.t (x INT64)")


@pytest.mark.parametrize(
    ("http", "error", "reason"),
    [
        (503, exceptions.ServiceUnavailable, "backendError"), (500, exceptions.InternalServerError, "internalError"),
        (502, exceptions.BadGateway, "badGateway"), (403, exceptions.Forbidden, "rateLimitExceeded"),
        (404, exceptions.NotFound, "notFound"), (409, exceptions.Conflict, "duplicate"),
        (400, exceptions.BadRequest, "invalid"), (429, exceptions.TooManyRequests, "rateLimitExceeded"),
    ],
)  # fmt: skip
def test_requests_fail_as_often_as_told(server, client, http, error, reason):
    server.fail("GET .*/tables/t$", http=http, times=2)
    for _ in range(2):
        with pytest.raises(error) as failed:
            client.get_table("d.t", retry=None)
        assert failed.value.errors[0]["reason"] == reason
    assert client.get_table("d.t", retry=None).table_id == "t"


def test_the_client_tries_again_where_it_does_there(server, client, rows):
    server.fail("POST .*/jobs", http=503)
    server.fail("GET .*/queries/", http=500)
    assert [row[0] for row in client.query(COUNT, retry=DEFAULT_RETRY.with_delay(initial=0.01)).result()] == [0]


def test_a_request_is_told_by_what_is_in_it(server, client, run, rows):
    server.fail("POST .*/jobs\n.*INSERT", http=400, reason="quotaExceeded", message="no more")
    assert rows(COUNT) == [(0,)]
    with pytest.raises(exceptions.BadRequest, match="no more"):
        client.query("INSERT INTO d.t VALUES (1)", retry=None)
    run("INSERT INTO d.t VALUES (1)")


def test_the_answer_to_a_request_that_was_done_can_be_lost(server, client, rows):
    server.fail("POST .*/jobs", http=503, after=True)
    with pytest.raises(exceptions.ServiceUnavailable):
        client.query("INSERT INTO d.t VALUES (1)", job_id="done", job_retry=None, retry=None)
    assert client.get_job("done", location="US").result().num_dml_affected_rows == 1
    assert rows(COUNT) == [(1,)]


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        # The client makes 500 of reasons that it does not know.
        ("backendError", exceptions.InternalServerError), ("invalidQuery", exceptions.BadRequest),
        ("quotaExceeded", exceptions.Forbidden), ("jobRateLimitExceeded", exceptions.InternalServerError),
        ("resourcesExceeded", exceptions.BadRequest),
    ],
)  # fmt: skip
def test_jobs_fail_with_a_reason(server, client, rows, reason, error):
    server.fail("^INSERT", reason=reason, message="as told")
    job = client.query("INSERT INTO d.t VALUES (1)", job_retry=None)
    with pytest.raises(error, match="as told"):
        job.result(retry=None)
    job.reload()
    assert job.error_result["reason"] == reason
    assert (server.jobs[-1].reason, server.jobs[-1].error) == (reason, "as told")
    assert rows(COUNT) == [(0,)]


def test_load_jobs_fail_too(server, client, rows):
    server.fail("^LOAD shop:d.t", reason="backendError")
    with pytest.raises(exceptions.InternalServerError):
        client.load_table_from_json([{"x": 1}], "shop.d.t").result()
    client.load_table_from_json([{"x": 1}], "shop.d.t").result()
    assert rows(COUNT) == [(1,)]


def test_connections_break_off_in_the_middle_of_an_answer(server, client):
    server.cut("GET .*/tables/t$")
    with pytest.raises(requests.exceptions.RequestException):
        client.get_table("d.t", retry=None)
    server.cut("GET .*/tables/t$")
    assert client.get_table("d.t", retry=DEFAULT_RETRY.with_delay(initial=0.01)).table_id == "t"


@pytest.mark.parametrize("after", [False, True])
def test_a_job_whose_connection_broke_off_is_there_once(server, client, rows, after):
    """Before anything was done, or in the middle of the answer: the client asks again, under the same id."""
    server.cut("POST .*/jobs\n.*INSERT", after=after)
    client.query("INSERT INTO d.t VALUES (1)").result()
    asked = [request for request in server.requests if request.method == "POST" and b"INSERT" in request.body]
    assert len(asked) == 2
    assert rows(COUNT) == [(1,)]


def test_answers_and_jobs_take_longer(server, client):
    server.delay("GET .*/tables/t$", timedelta(seconds=5), where="request")
    with pytest.raises(requests.exceptions.ReadTimeout):
        client.get_table("d.t", retry=None, timeout=0.1)
    server.delay("^SELECT", timedelta(seconds=0.2))
    job = client.query(COUNT)
    assert job.state == "RUNNING"
    job.result()
    job.reload()
    assert job.ended - job.started >= timedelta(seconds=0.2)
    assert client.query(COUNT).state == "DONE"


def test_a_fault_for_ever_is_healed(server, client, rows):
    server.fail("SELECT", reason="backendError", times=None)
    for _ in range(3):
        with pytest.raises(exceptions.InternalServerError):
            client.query(COUNT, job_retry=None).result(retry=None)
    server.heal()
    assert rows(COUNT) == [(0,)]


def test_a_hold_waits_for_jobs_and_says_who_did_not_come(server, client):
    with (
        server.hold("^SELECT") as hold,
        pytest.raises(TimeoutError, match=r"0 of 1 jobs matching '\^SELECT' came in 0.01 s"),
    ):
        hold.wait(timeout=0.01)
    with server.hold("^SELECT") as hold:
        job = client.query(COUNT)
        hold.wait()
    assert list(job.result())


def test_nonsense_is_refused_at_once(server):
    with pytest.raises(ValueError, match="there is no reason 'backendEror'"):
        server.fail("SELECT", reason="backendEror")
    with pytest.raises(ValueError, match="at least once"):
        server.fail("SELECT", times=0)
