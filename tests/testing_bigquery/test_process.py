"""The server as a process of its own, and how programs are pointed at it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from rushes.testing.bigquery import BigQueryServer

COMMAND = [sys.executable, "-m", "rushes.testing.bigquery"]
PROGRAM = """
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
with bigquery.Client(project="shop", credentials=AnonymousCredentials()) as client:
    print(list(client.query_and_wait("SELECT 6 * 7 AS answer"))[0].answer)
"""


def test_the_client_honours_the_emulator_s_variable(server):
    environment = {**os.environ, "BIGQUERY_EMULATOR_HOST": server.url}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr
    assert [job.text for job in server.jobs] == ["SELECT 6 * 7 AS answer"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_process_serves_until_it_is_stopped(number):
    with subprocess.Popen([*COMMAND, "--port", "0", "--latency", "0.01"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        name, _, url = process.stdout.readline().strip().partition("=")
        assert name == "BIGQUERY_EMULATOR_HOST"
        options = {"api_endpoint": url}
        with bigquery.Client("shop", credentials=AnonymousCredentials(), client_options=options) as client:
            client.create_dataset("d")
            client.query_and_wait("CREATE TABLE d.t AS SELECT 1 AS x")
            assert [row.x for row in client.list_rows("d.t")] == [1]
        process.send_signal(number)
        assert process.wait(10) == 0


def test_a_port_that_is_taken_is_told(server):
    port = server.url.rpartition(":")[2]
    done = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"port {port}:" in done.stderr
    with pytest.raises(OSError, match="in use"):
        BigQueryServer(port=int(port))


def test_it_needs_nothing_else_of_rushes():
    program = (
        "import sys, rushes.testing.bigquery; print(*(name for name in sys.modules if name.startswith('rushes.')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {name for name in done.stdout.split() if not name.startswith("rushes.testing")} <= {"rushes.errors"}


def test_it_listens_on_loopback_alone(server):
    assert server.url.startswith("http://127.0.0.1:")


def test_servers_share_nothing():
    with BigQueryServer() as one, BigQueryServer() as other, one.client() as client, other.client() as stranger:
        client.create_dataset("d")
        assert list(stranger.list_datasets()) == []


def test_it_ends_while_jobs_are_held_and_leaves_no_thread():
    before = threading.active_count()
    with BigQueryServer() as server, server.client() as client, server.hold("SELECT") as hold:
        client.query("SELECT 1", job_retry=None)
        hold.wait()
        server.close()
        jobs = [thread for thread in threading.enumerate() if thread.name.startswith("bigquery-")]
        assert jobs == []
    assert threading.active_count() <= before + 2


def test_what_it_does_not_know_it_says():
    import requests

    with BigQueryServer() as server:
        answer = requests.get(f"{server.url}/bigquery/v2/projects/p/datasets/d/routines", timeout=5)
        assert answer.status_code == 404
        assert "rushes.testing.bigquery has nothing at GET /bigquery/v2/projects/p/datasets/d/routines" in answer.text
        answer = requests.post(f"{server.url}/bigquery/v2/projects/p/jobs", data="{", timeout=5)
        assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (400, "invalid")
