"""What a plan's step comes to is worked out once for a plan, and for no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rushes.errors import Permanent
from rushes.model import BatchId, Job, JobId, JobStatus, Lease, Plan, Step, WorkerId
from rushes.settings import Settings
from rushes.sources.base import Assignment
from rushes.stages.base import Options
from rushes.worker import steps
from rushes.worker.steps import Steps


class Loudness(Options):
    loud: int = 1


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(home=tmp_path, speech_threads=7)


def assignment(plan: Plan, step: int | None = 0, **facts: Any) -> Assignment:
    job = Job(JobId(1), "shout", JobStatus.PROCESSING, 0, 1, 3, {}, datetime.now(UTC), BatchId(1), step=step)
    return Assignment(Lease(JobId(1), 1, WorkerId(1)), job, plan, 0, None, **facts)


def plan(**options: Any) -> Plan:
    return Plan("test", (Step("shout", options),))


def test_jobs_of_one_plan_share_their_options_and_those_of_another_do_not(stage, settings: Settings):
    stage("shout", options=Loudness)
    known, one, other = Steps(settings), plan(loud=2), plan(loud=2)
    first = known.of(assignment(one))
    assert first.options == Loudness(loud=2)
    assert known.of(assignment(one)).options is first.options
    assert known.of(assignment(other)).options is not first.options


def test_an_item_s_own_options_are_its_own(stage, settings: Settings):
    stage("shout", options=Loudness)
    known, one = Steps(settings), plan(loud=2)
    assert known.of(assignment(one, item_options={"shout": {"loud": 3}})).options == Loudness(loud=3)
    assert known.of(assignment(one)).options == Loudness(loud=2)


def test_no_more_plans_are_remembered_than_there_is_room_for(
    stage, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(steps, "KEPT", 3)
    stage("shout", options=Loudness)
    known, plans = Steps(settings), [plan(loud=n) for n in range(10)]
    assert [known.of(assignment(one)).options.model_dump()["loud"] for one in plans * 2] == [*range(10), *range(10)]
    assert len(known._known) == 3


def test_a_job_of_no_batch_follows_the_worker_s_settings_and_a_batch_s_what_was_frozen(stage, settings: Settings):
    stage("shout", options=Loudness, defaults=lambda settings: {"loud": settings.speech_threads})
    known = Steps(settings)
    assert known.of(assignment(plan(), step=None)).options == Loudness(loud=7)
    assert known.of(assignment(plan(loud=2), step=None)).options == Loudness(loud=2)
    assert known.of(assignment(plan(), step=0)).options == Loudness(loud=1)
    assert known.of(replace(assignment(plan(), step=None), rest=True)).options == Loudness(loud=1)


def test_options_that_do_not_fit_fail_the_item_and_are_named(stage, settings: Settings):
    stage("shout", options=Loudness)
    with pytest.raises(Permanent, match=r"shout\.loud"):
        Steps(settings).of(assignment(plan(loud="very")))
