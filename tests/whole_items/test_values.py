"""What sources of whole items are made of, each by itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from rushes.errors import ErrorClass, SettingsError
from rushes.model import Artifact, Engine, Facts, Failure, Produced, Retries
from rushes.settings import Settings
from rushes.sources.whole_items import again_in
from rushes.storage import Manifests
from rushes.tasks import Task, find_task

RETRIES = Retries(max_attempts=3, base=timedelta(seconds=1), cap=timedelta(seconds=10), jitter=0.5)
MADE = Produced(
    artifacts=(Artifact("text", "a/b.txt", 3, "00ff", "text/plain", {"language": "en"}),),
    fingerprint="ab12",
    facts=Facts("a title", timedelta(seconds=1.5)),
    engine=Engine("an engine", "a model", 1, 2, 0.5),
    notes=("a note",),
)


@pytest.mark.parametrize(
    ("failure", "attempts", "delay"),
    [
        (Failure(ErrorClass.TRANSIENT, ""), 1, 1),
        (Failure(ErrorClass.BUG, ""), 2, 2),
        (Failure(ErrorClass.TRANSIENT, ""), 3, None),
        (Failure(ErrorClass.PERMANENT, ""), 1, None),
        (Failure(ErrorClass.NEEDS_INPUT, ""), 1, None),
        (Failure(ErrorClass.RATE_LIMITED, "", retry_after=timedelta(seconds=90)), 7, 90),
        (Failure(ErrorClass.RATE_LIMITED, ""), 1, 10),
    ],
)
def test_when_an_item_is_tried_again(failure: Failure, attempts: int, delay: float | None):
    found = again_in(failure, attempts, RETRIES)
    assert found == (None if delay is None else timedelta(seconds=delay))


def test_a_host_cannot_ask_for_rest_for_ever():
    asked = Failure(ErrorClass.RATE_LIMITED, "", retry_after=timedelta(seconds=90))
    assert again_in(asked, 1, RETRIES, deferred=timedelta(hours=23))
    assert again_in(asked, 1, RETRIES, deferred=timedelta(hours=25)) is None


def test_chance_shortens_the_wait_by_at_most_its_share():
    assert again_in(Failure(ErrorClass.TRANSIENT, ""), 2, RETRIES, chance=1.0) == timedelta(seconds=1)


def test_a_manifest_is_found_as_it_was_written(tmp_path: Path):
    manifests = Manifests(tmp_path)
    assert manifests.find("ab12") is None
    manifests.add(MADE)
    manifests.add(MADE)
    assert Manifests(tmp_path).find("ab12") == MADE
    assert len(list(tmp_path.rglob("*.*"))) == 1


def test_a_manifest_that_cannot_be_read_counts_for_nothing(tmp_path: Path):
    Manifests(tmp_path).add(MADE)
    (path,) = tmp_path.rglob("*.json")
    path.write_text('{"artifacts": 7')
    assert Manifests(tmp_path).find("ab12") is None


@pytest.mark.parametrize(
    ("variables", "task"),
    [
        ({}, Task(None)),
        (
            {
                "CLOUD_RUN_TASK_INDEX": "2", "CLOUD_RUN_TASK_COUNT": "8", "CLOUD_RUN_TASK_ATTEMPT": "1",
                "CLOUD_RUN_EXECUTION": "nightly-x7k2",
            },
            Task("nightly-x7k2", 2, 8, 1, "Cloud Run"),
        ),
        (
            {
                "AWS_BATCH_JOB_ARRAY_INDEX": "3", "AWS_BATCH_JOB_ARRAY_SIZE": "4", "AWS_BATCH_JOB_ATTEMPT": "1",
                "AWS_BATCH_JOB_ID": "6c7d:3",
            },
            Task("6c7d", 3, 4, 0, "AWS Batch"),
        ),
        (
            {
                "BATCH_TASK_INDEX": "0", "BATCH_TASK_COUNT": "2", "BATCH_TASK_RETRY_ATTEMPT": "2",
                "BATCH_JOB_UID": "j-1",
            },
            Task("j-1", 0, 2, 2, "GCP Batch"),
        ),
        (
            {
                "SLURM_ARRAY_TASK_ID": "5", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "3",
                "SLURM_ARRAY_JOB_ID": "77",
            },
            Task("77", 2, 4, 0, "Slurm"),
        ),
    ],
)  # fmt: skip
def test_the_platform_says_which_task_this_is(variables: dict[str, str], task: Task):
    assert find_task(Settings.load(), variables) == task


def test_settings_say_what_the_platform_does_not():
    settings = Settings.load(task_count=4, execution="e1")
    assert find_task(settings, {"JOB_COMPLETION_INDEX": "3"}) == Task("e1", 3, 4, 0, "Kubernetes")


def test_a_task_beyond_the_last_is_refused():
    with pytest.raises(SettingsError, match="task 3 of 1: tasks are counted from 0"):
        find_task(Settings.load(), {"JOB_COMPLETION_INDEX": "3"})
    with pytest.raises(SettingsError, match="CLOUD_RUN_TASK_COUNT: wanted a number, found 'eight'"):
        find_task(Settings.load(), {"CLOUD_RUN_TASK_INDEX": "1", "CLOUD_RUN_TASK_COUNT": "eight"})
