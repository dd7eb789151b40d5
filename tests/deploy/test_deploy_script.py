"""`deploy.sh`, run as its user would, with a gcloud that only writes down what it is told."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import CLOUD_RUN, FILLED, ROOT

SCRIPT = CLOUD_RUN / "deploy.sh"
GCLOUD = """#!{python} -SE
import json, os, sys
arguments = sys.argv[1:]
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps([os.path.basename(sys.argv[0]), *arguments]) + "\\n")
print("talk", file=sys.stdout if arguments[0] == "run" and "describe" not in arguments else sys.stderr)
if "describe" in arguments:
    if "value(projectNumber)" in arguments:
        print("1234")
    elif "value(status.url)" in arguments:
        print("https://processor.example.run.app")
    elif arguments[0] not in os.environ["THERE"].split():
        sys.exit(1)
if arguments[:3] == ["run", "jobs", "replace"]:
    with open(arguments[3]) as description, open(os.environ["DESCRIPTION"], "w") as kept:
        kept.write(description.read())
"""
BIGQUERY = {name: FILLED[name] for name in ("PROJECT", "DATASET", "SOURCE", "TARGET", "PROCESSOR_URL")}
PUBSUB = {"TOPIC": "asked", **{name: FILLED[name] for name in ("PROJECT", "SUBSCRIPTION", "BUCKET", "DATABASE_SECRET")}}


@dataclass(frozen=True)
class Deployed:
    """What a run of the script came to."""

    code: int
    out: str
    err: str
    calls: list[list[str]]
    job: Any

    def commands(self) -> list[str]:
        return [" ".join(call) for call in self.calls if "describe" not in call]

    def roles(self) -> dict[str, set[str]]:
        """What each member may, and where: `ROLE on WHAT`."""
        given: dict[str, set[str]] = {}
        for call in self.calls:
            if "add-iam-policy-binding" in call:
                at = call.index("add-iam-policy-binding")
                member = call[call.index("--member") + 1].removeprefix("serviceAccount:")
                role = call[call.index("--role") + 1]
                given.setdefault(member, set()).add(f"{role} on {call[at - 1]} {call[at + 1]}")
        return given


Deploy = Callable[..., Deployed]
SERVICES = {
    "artifacts": "artifactregistry", "builds": "cloudbuild", "iam": "iam", "pubsub": "pubsub", "run": "run",
    "scheduler": "cloudscheduler", "secrets": "secretmanager", "storage": "storage",
}  # fmt: skip
"""What gcloud's groups of commands speak to."""
ALL = "artifacts iam pubsub scheduler secrets storage"
"""What is there already, by gcloud's groups of commands."""


@pytest.fixture
def deploy(tmp_path: Path) -> Deploy:
    for name in ("gcloud", "bq"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(GCLOUD.format(python=sys.executable))
        program.chmod(0o755)
    calls, description = tmp_path / "calls", tmp_path / "job.yaml"

    def run(*arguments: str, there: str = "secrets", **variables: str) -> Deployed:
        calls.write_text("")
        description.write_text("")
        environment = {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "CALLS": str(calls), "DESCRIPTION": str(description),
            "THERE": there, **variables,
        }  # fmt: skip
        ended = subprocess.run([SCRIPT, *arguments], env=environment, capture_output=True, text=True, check=False)
        told = [json.loads(line) for line in calls.read_text().splitlines()]
        return Deployed(ended.returncode, ended.stdout, ended.stderr, told, yaml.safe_load(description.read_text()))

    return run


@pytest.mark.parametrize("script", [SCRIPT, ROOT / "dev", ROOT / ".ci" / "run"], ids=lambda script: script.name)
def test_shellcheck_finds_nothing(script: Path):
    checker = Path(sys.executable).with_name("shellcheck")
    ended = subprocess.run([checker, script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")


@pytest.mark.parametrize(
    ("command", "missing"),
    [("bigquery", "PROJECT DATASET SOURCE TARGET PROCESSOR_URL"), ("processor", "PROJECT"), ("nonsense", "")],
)
def test_what_is_missing_is_named_before_anything_is_done(deploy: Deploy, command: str, missing: str):
    ended = deploy(command)
    assert (ended.code, ended.calls) == (2, [])
    assert missing in ended.err


def test_the_job_at_bigquery_has_the_rights_it_needs_and_no_others(deploy: Deploy):
    ended = deploy("bigquery", PROCESSOR_SERVICE="url-processor", SCHEDULE="*/15 * * * *", **BIGQUERY)
    assert ended.code == 0, ended.err
    accounts = {f"rushes-{name}@films.iam.gserviceaccount.com" for name in ("bigquery", "builder", "scheduler")}
    roles = ended.roles()
    assert set(roles) == accounts
    assert roles["rushes-bigquery@films.iam.gserviceaccount.com"] == {
        "roles/bigquery.jobUser on projects films", "roles/run.invoker on services url-processor",
    }  # fmt: skip
    (grant,) = [call for call in ended.calls if call[0] == "bq"]
    assert grant[-1] == (
        "GRANT `roles/bigquery.dataEditor` ON SCHEMA `films.videos` "
        "TO 'serviceAccount:rushes-bigquery@films.iam.gserviceaccount.com'"
    )
    assert roles["rushes-scheduler@films.iam.gserviceaccount.com"] == {"roles/run.invoker on jobs rushes-bigquery"}
    assert roles["rushes-builder@films.iam.gserviceaccount.com"] == {
        "roles/artifactregistry.writer on repositories rushes", "roles/logging.logWriter on projects films",
        "roles/storage.objectViewer on buckets gs://films-rushes-builds",
    }  # fmt: skip


def test_the_job_at_bigquery_is_the_one_described(deploy: Deploy):
    ended = deploy("bigquery", IMAGE="an/image:1", **BIGQUERY)
    task = ended.job["spec"]["template"]["spec"]["template"]["spec"]
    assert task["serviceAccountName"] == "rushes-bigquery@films.iam.gserviceaccount.com"
    assert task["containers"][0]["image"] == "an/image:1"
    told = {one["name"]: one["value"] for one in task["containers"][0]["env"]}
    assert told["BIGQUERY_TABLE_SOURCE"] == "urls"
    assert told["URL_PROCESSOR_SERVICE_URL"] == FILLED["PROCESSOR_URL"]
    commands = ended.commands()
    assert not any("builds submit" in one or "scheduler jobs" in one for one in commands), "nothing was asked for"


def test_the_image_is_built_from_this_checkout_before_the_job_is_made(deploy: Deploy):
    commands = deploy("bigquery", **BIGQUERY).commands()
    (build,) = [at for at, one in enumerate(commands) if "builds submit" in one]
    (made,) = [at for at, one in enumerate(commands) if "run jobs replace" in one]
    assert build < made
    (uploads,) = [at for at, one in enumerate(commands) if "buckets create gs://films-rushes-builds" in one]
    assert uploads < build
    assert "--gcs-source-staging-dir gs://films-rushes-builds/source" in commands[build]
    assert "_SET=process" in commands[build]


def test_dead_letters_get_there_and_are_kept(deploy: Deploy):
    ended = deploy("pubsub", IMAGE="an/image:1", **PUBSUB)
    assert ended.code == 0, ended.err
    agent = "service-1234@gcp-sa-pubsub.iam.gserviceaccount.com"
    assert ended.roles()[agent] == {
        "roles/pubsub.publisher on topics asked-dead-letters", "roles/pubsub.subscriber on subscriptions requests",
    }  # fmt: skip
    assert ended.roles()["rushes-pubsub@films.iam.gserviceaccount.com"] == {
        "roles/pubsub.subscriber on subscriptions requests", "roles/pubsub.viewer on subscriptions requests",
        "roles/pubsub.publisher on topics asked-dead-letters", "roles/storage.objectUser on buckets gs://films-artifacts",
        "roles/secretmanager.secretAccessor on secrets database-url",
    }  # fmt: skip


def test_without_the_database_s_secret_nothing_is_made(deploy: Deploy):
    ended = deploy("pubsub", there="", **PUBSUB)
    assert ended.code == 2
    assert "there is no secret database-url" in ended.err
    assert [one for one in ended.commands() if "services enable" not in one] == []


def test_a_new_subscription_has_its_dead_letters_and_its_backoff(deploy: Deploy):
    commands = deploy("pubsub", IMAGE="an/image:1", **PUBSUB).commands()
    (made,) = [one for one in commands if "subscriptions create requests" in one]
    assert "--dead-letter-topic asked-dead-letters --max-delivery-attempts 5" in made
    assert "--min-retry-delay 10s --max-retry-delay 600s" in made
    assert any("subscriptions create asked-dead-letters" in one for one in commands)


def test_a_second_run_makes_nothing_twice(deploy: Deploy):
    ended = deploy("bigquery", there=ALL, SCHEDULE="0 * * * *", **BIGQUERY)
    assert ended.code == 0
    assert not any(re.search(r"\b(create)\b", one) for one in ended.commands())
    assert any("scheduler jobs update http" in one for one in ended.commands())


def test_the_processor_is_for_those_who_may_call_it(deploy: Deploy):
    ended = deploy("processor", PROJECT="films")
    (made,) = [one for one in ended.commands() if "run deploy" in one]
    assert "--no-allow-unauthenticated" in made
    assert "--function process_url" in made
    assert ended.out == "https://processor.example.run.app\n"
    assert ended.roles() == {"url-processor@films.iam.gserviceaccount.com": {"roles/aiplatform.user on projects films"}}


@pytest.mark.parametrize(
    ("command", "variables"), [("processor", {"PROJECT": "films"}), ("bigquery", BIGQUERY), ("pubsub", PUBSUB)]
)
def test_the_services_that_its_commands_use_are_enabled_first(deploy: Deploy, command: str, variables: dict[str, str]):
    first, *others = deploy(command, SCHEDULE="0 * * * *", **variables).calls
    assert first[1:3] == ["services", "enable"]
    used = {SERVICES[call[1]] for call in others if call[1] in SERVICES}
    assert {f"{service}.googleapis.com" for service in used} <= set(first)


def test_gcloud_has_every_command_and_flag(deploy: Deploy):
    """As the tree says that gcloud completes words by."""
    tree = _gcloud_tree()
    asked = {**BIGQUERY, "SCHEDULE": "0 * * * *", "PROCESSOR_SERVICE": "url-processor"}
    runs = [deploy(one, there=there, **asked | PUBSUB) for one in ("bigquery", "pubsub") for there in (ALL, "secrets")]
    runs.append(deploy("processor", PROJECT="films"))
    calls = {tuple(call) for run in runs for call in run.calls if call[0] == "gcloud"}
    assert len(calls) > 40
    for call in calls:
        assert _unknown(list(call[1:]), tree) == [], " ".join(call)


def _gcloud_tree() -> dict[str, Any]:
    found = shutil.which("gcloud")
    if found is None:
        pytest.skip("gcloud is not installed")
    path = Path(found).resolve().parents[1] / "data" / "cli" / "gcloud_completions.py"
    spec = importlib.util.spec_from_file_location("gcloud_completions", path)
    if spec is None or spec.loader is None or not path.is_file():
        pytest.skip(f"this gcloud has no {path.name}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tree: dict[str, Any] = module.STATIC_COMPLETION_CLI_TREE
    return tree


def _unknown(words: list[str], tree: dict[str, Any]) -> list[str]:
    """Flags that the command does not have, or the words where no command is."""
    flags = set(tree.get("flags", {}))
    while words and words[0] in tree.get("commands", {}):
        tree = tree["commands"][words.pop(0)]
        flags |= set(tree.get("flags", {}))
    if tree.get("commands"):
        return words[:1]
    given = [word for word in words if word.startswith("--")]
    return [word for word in given if word not in flags and word.replace("--no-", "--", 1) not in flags]
