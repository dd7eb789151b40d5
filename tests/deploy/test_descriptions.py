"""The descriptions of jobs: they are what their platforms take, and say what Rushes understands."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from rushes.settings import Settings

from .conftest import CLOUD_RUN, DEPLOY, FILLED, cloud_run_job, environment, of_dockerfile, variables_of_settings

KUBERNETES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
JOBS = sorted(CLOUD_RUN.glob("*.yaml"))
OTHERS = {"GOOGLE_CLOUD_PROJECT"}
"""Variables of Google's own."""


def documents(file: Path) -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load_all(file.read_text())


def job_specs() -> Iterator[tuple[str, dict[str, Any], float]]:
    """Every pod or task: where it is described, its specification, and for how long one attempt may run."""
    for file in JOBS:
        task = cloud_run_job(file)["spec"]["template"]["spec"]["template"]["spec"]
        yield file.name, task, task["timeoutSeconds"]
    for file in KUBERNETES:
        for one in documents(file):
            if one["kind"] in ("CronJob", "ScaledJob"):
                job = one["spec"]["jobTargetRef" if one["kind"] == "ScaledJob" else "jobTemplate"]
                spec = job.get("spec", job)
                attempts = 1 + spec.get("backoffLimitPerIndex", spec.get("backoffLimit", 6))
                yield file.name, spec["template"]["spec"], spec["activeDeadlineSeconds"] / attempts


SPECS = list(job_specs())
each = pytest.mark.parametrize(("spec", "seconds"), [one[1:] for one in SPECS], ids=[one[0] for one in SPECS])


@each
def test_every_variable_is_a_setting_and_every_value_a_right_one(
    spec: dict[str, Any], seconds: float, monkeypatch: pytest.MonkeyPatch
):
    told = environment(spec["containers"][0])
    assert set(told) <= variables_of_settings() | OTHERS
    for name, value in told.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    assert Settings.load().max_runtime


@each
def test_no_item_is_cut_off_by_its_platform(spec: dict[str, Any], seconds: float):
    told = environment(spec["containers"][0])
    longest = float(told["RUSHES_MAX_RUNTIME"]) + float(told["RUSHES_ITEM_TIMEOUT"]) + 10
    assert seconds > longest
    if processor := Settings.load().processor_timeout.total_seconds():
        assert "URL_PROCESSOR_SERVICE_URL" not in told or float(told["RUSHES_ITEM_TIMEOUT"]) > processor


@each
def test_its_arguments_are_the_image_s_command(spec: dict[str, Any], seconds: float):
    (container,) = spec["containers"]
    assert "command" not in container, "the image's entry point is the command"
    assert of_dockerfile("ENTRYPOINT") == ['["rushes"]']
    name, *arguments = container["args"]
    assert name == "worker"
    from rushes.cli.worker import SOURCES

    assert arguments[arguments.index("--source") + 1] in SOURCES


@each
def test_passwords_are_references(spec: dict[str, Any], seconds: float):
    secret = [name for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)]
    variables = {f"RUSHES_{name.upper()}" for name in secret} | {"DATABASE_URL"}
    assert variables >= {"RUSHES_DATABASE_URL", "RUSHES_MODEL_KEY"}
    assert [value for name, value in environment(spec["containers"][0]).items() if name in variables and value] == []


@pytest.mark.parametrize("file", KUBERNETES, ids=lambda file: file.name)
def test_kubernetes_takes_them(file: Path):
    kinds = set()
    for one in documents(file):
        kinds.add(one["kind"])
        if one["apiVersion"].startswith("keda.sh/"):
            if one["kind"] == "TriggerAuthentication":
                continue
            # The schema of KEDA's own object is not at hand; what it makes is a Job.
            spec = one["spec"]["jobTargetRef"]
            one = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "made"}, "spec": spec}  # noqa: PLW2901
        kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)
    assert kinds & {"CronJob", "ScaledJob"}


@pytest.mark.parametrize("file", KUBERNETES, ids=lambda file: file.name)
def test_pods_have_no_rights_they_do_not_need(file: Path):
    for one in documents(file):
        if one["kind"] == "ServiceAccount":
            assert one["automountServiceAccountToken"] is False
    for _, spec, _ in [found for found in SPECS if found[0] == file.name]:
        user = of_dockerfile("USER")[-1].split(":")[0]
        assert str(spec["securityContext"]["runAsUser"]) == user
        assert spec["securityContext"]["runAsNonRoot"] is True
        (container,) = spec["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        written = {mount["mountPath"] for mount in container["volumeMounts"]}
        assert {"/data", "/tmp"} <= written  # noqa: S108  (in the container)
        grace = float(environment(container)["RUSHES_GRACE"])
        assert spec["terminationGracePeriodSeconds"] >= grace + 5


def test_an_indexed_job_says_what_kubernetes_does_not():
    (cron,) = [one for one in documents(DEPLOY / "kubernetes" / "bigquery-cronjob.yaml") if one["kind"] == "CronJob"]
    job = cron["spec"]["jobTemplate"]["spec"]
    told = environment(job["template"]["spec"]["containers"][0])
    assert job["completionMode"] == "Indexed"
    assert int(told["RUSHES_TASK_COUNT"]) == job["completions"] == job["parallelism"]
    assert "RUSHES_EXECUTION" in told


@pytest.mark.parametrize("file", JOBS, ids=lambda file: file.name)
def test_gcloud_takes_them(file: Path, tmp_path: Path):
    """Google's own client reads the description before it asks anybody: it names each field that there is not."""
    if shutil.which("gcloud") is None:
        pytest.skip("gcloud is not installed")
    text = file.read_text()
    for name, value in FILLED.items():
        text = text.replace(f"${{{name}}}", value)
    right, wrong = tmp_path / "right.yaml", tmp_path / "wrong.yaml"
    right.write_text(text)
    wrong.write_text(text.replace("taskCount", "taskNumber"))
    with _refusing() as port:
        assert "you may not" in _replace(right, tmp_path, port)
        assert "taskNumber" in _replace(wrong, tmp_path, port)


@contextlib.contextmanager
def _refusing() -> Iterator[int]:
    """A Cloud Run on loopback that lets nobody do anything."""

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(403)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps({"error": {"code": 403, "message": "you may not"}}).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class names it)
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server.server_port
        server.shutdown()


def _replace(description: Path, folder: Path, port: int) -> str:
    """What gcloud says to a description. It puts the region before the host, so that a proxy must lead it here."""
    (folder / "token").write_text("none")
    told = {
        "API_ENDPOINT_OVERRIDES_RUN": "http://run.example/", "AUTH_ACCESS_TOKEN_FILE": str(folder / "token"),
        "CONFIG": str(folder / "gcloud"), "CORE_DISABLE_PROMPTS": "1", "CORE_DISABLE_USAGE_REPORTING": "1",
        "PROXY_ADDRESS": "127.0.0.1", "PROXY_PORT": str(port), "PROXY_TYPE": "http",
    }  # fmt: skip
    environment = os.environ | {f"CLOUDSDK_{name}": value for name, value in told.items()}
    command = ["gcloud", "run", "jobs", "replace", str(description), "--region", "us-central1", "--project", "films"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode != 0
    return re.sub(r"\s+", " ", ended.stderr)
