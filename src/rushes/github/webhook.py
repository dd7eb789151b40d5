"""GitHub's webhooks: is it GitHub who calls, and what does it say of a run. Pure: any web framework can call it.

The signature is the only thing that tells GitHub from everybody else, so nothing of a body is read before it has been
checked (GitHub docs, "Validating webhook deliveries").
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from rushes.errors import RushesError, UsageError
from rushes.github.conclusions import meaning
from rushes.model import JobStatus

LARGEST_BODY = 25 * 1024 * 1024
"""GitHub's own limit: it delivers nothing larger."""

OLDEST = timedelta(days=4)
"""GitHub delivers again for three days. What is older is somebody's recording."""

T = TypeVar("T", bound=BaseModel)
_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})", re.ASCII)


class Refusal(StrEnum):
    """Why a delivery was refused."""

    TOO_LARGE = "too_large"
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_MALFORMED = "signature_malformed"
    SIGNATURE_WRONG = "signature_wrong"
    NOT_JSON = "not_json"
    NOT_UNDERSTOOD = "not_understood"
    TOO_OLD = "too_old"
    FOREIGN_REPOSITORY = "foreign_repository"


_ANSWERS = {Refusal.TOO_LARGE: 413, Refusal.NOT_JSON: 415, Refusal.FOREIGN_REPOSITORY: 403} | dict.fromkeys(
    (Refusal.SIGNATURE_MISSING, Refusal.SIGNATURE_MALFORMED, Refusal.SIGNATURE_WRONG), 401
)


class WebhookRefused(RushesError):
    """A delivery was refused, and nothing was changed. `why` says which check it failed."""

    def __init__(self, why: Refusal, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.why = why

    @property
    def http_status(self) -> int:
        """What the endpoint should answer."""
        return _ANSWERS.get(self.why, 400)


@dataclass(frozen=True, slots=True)
class WebhookUpdate:
    """What a delivery says of a run."""

    repository: str
    """`owner/name`."""
    run_id: str
    run_attempt: int
    status: JobStatus
    """What the run's job is to become."""
    words: str | None = None
    """Why it failed, or what it does now."""
    conclusion: str | None = None
    delivery: str | None = None
    """GitHub's number of the delivery (`X-GitHub-Delivery`); the same again when it is delivered again."""


class _Repository(BaseModel):
    full_name: str = Field(max_length=200)


class _Run(BaseModel):
    id: int = Field(gt=0)
    run_attempt: int = Field(gt=0)
    conclusion: str | None = Field(default=None, max_length=100)
    updated_at: AwareDatetime


class _Job(BaseModel):
    run_id: int = Field(gt=0)
    run_attempt: int = Field(gt=0)
    name: str = Field(max_length=1000)
    conclusion: str | None = Field(default=None, max_length=100)
    created_at: AwareDatetime
    completed_at: AwareDatetime | None = None


class _RunEvent(BaseModel):
    action: str
    repository: _Repository
    workflow_run: _Run


class _JobEvent(BaseModel):
    action: str
    repository: _Repository
    workflow_job: _Job


def handle_webhook(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    *,
    repositories: Collection[str] | None = None,
    job_name: str | None = None,
    now: datetime | None = None,
) -> WebhookUpdate | None:
    """Check a delivery and read what it says; None if it says nothing of a job (`ping`, other events, a run that waits).

    Args:
        headers: the request's; upper and lower case do not matter.
        body: exactly as it came: the signature is over these bytes.
        secrets: the webhook's secret, and while it is being changed the old one too.
        repositories: whom to believe, as `owner/name`; None: every repository that has the secret.
        job_name: the one job of the workflow whose end is the run's end, from `workflow_job` events. By default the
            run's own end counts (`workflow_run`), and its jobs are notes on the way; with it, whichever comes first.
        now: the time, for the check of a delivery's age.

    Raises:
        WebhookRefused: a check failed; `http_status` is the answer to give.
        UsageError: no secret was given.
    """
    said = {name.lower(): value for name, value in headers.items()}
    _check_size(body)
    _check_signature(said.get("x-hub-signature-256"), body, secrets)
    event = said.get("x-github-event")
    if event not in ("workflow_run", "workflow_job"):
        return None
    _check_type(said.get("content-type", ""))
    delivery = said.get("x-github-delivery")
    if event == "workflow_run":
        told = _parse(_RunEvent, body)
        _check_age(told.workflow_run.updated_at, now)
        _check_repository(told.repository.full_name, repositories)
        return _of_run(told, delivery)
    of_job = _parse(_JobEvent, body)
    _check_age(of_job.workflow_job.completed_at or of_job.workflow_job.created_at, now)
    _check_repository(of_job.repository.full_name, repositories)
    return _of_job(of_job, delivery, job_name)


def _sign(body: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _check_size(body: bytes) -> None:
    if len(body) > LARGEST_BODY:
        raise WebhookRefused(
            Refusal.TOO_LARGE, f"the body has {len(body):,} bytes; GitHub sends at most {LARGEST_BODY:,}"
        )


def _check_signature(signature: str | None, body: bytes, secrets: Sequence[str]) -> None:
    if isinstance(secrets, str) or not secrets or not all(secrets):
        raise UsageError("a webhook needs its secret", remedy="give the secrets as a list; none of them may be empty")
    if signature is None:
        raise WebhookRefused(
            Refusal.SIGNATURE_MISSING,
            "there is no X-Hub-Signature-256",
            remedy="give the webhook a secret in the repository's settings",
        )
    if not _SIGNATURE.fullmatch(signature):
        raise WebhookRefused(
            Refusal.SIGNATURE_MALFORMED, "X-Hub-Signature-256 is not `sha256=` and 64 hexadecimal digits"
        )
    # Every secret is tried, so that the time taken does not tell which one fits.
    if not any([hmac.compare_digest(_sign(body, secret), signature) for secret in secrets]):  # noqa: C419  (all of them, in the same time)
        raise WebhookRefused(
            Refusal.SIGNATURE_WRONG,
            "X-Hub-Signature-256 does not fit the body",
            remedy="the secret here is not the webhook's, or something on the way has changed the body",
        )


def _check_type(content_type: str) -> None:
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise WebhookRefused(
            Refusal.NOT_JSON,
            f"the body is {content_type or 'of no type'}; wanted application/json",
            remedy="choose the content type application/json in the webhook's settings",
        )


def _parse(model: type[T], body: bytes) -> T:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise WebhookRefused(Refusal.NOT_UNDERSTOOD, f"{where}: {first['msg']}") from None


def _check_age(at: datetime, now: datetime | None) -> None:
    age = (now or datetime.now(UTC)) - at
    if age > OLDEST:
        raise WebhookRefused(
            Refusal.TOO_OLD, f"it tells of {at:%Y-%m-%d %H:%M} UTC; at most {OLDEST.days} days are taken"
        )


def _check_repository(name: str, repositories: Collection[str] | None) -> None:
    if repositories is not None and name.lower() not in {one.lower() for one in repositories}:
        raise WebhookRefused(Refusal.FOREIGN_REPOSITORY, f"{name} is none of the repositories that are believed here")


def _of_run(told: _RunEvent, delivery: str | None) -> WebhookUpdate | None:
    run = told.workflow_run
    if told.action == "in_progress":
        status, words, conclusion = JobStatus.PROCESSING, None, None
    elif told.action == "completed":
        meant = meaning(run.conclusion)
        status, words, conclusion = meant.status, meant.words, run.conclusion
    else:
        return None
    return WebhookUpdate(told.repository.full_name, str(run.id), run.run_attempt, status, words, conclusion, delivery)


def _of_job(told: _JobEvent, delivery: str | None, speaks: str | None) -> WebhookUpdate | None:
    job = told.workflow_job
    if told.action not in ("in_progress", "completed"):
        return None
    status, words = JobStatus.PROCESSING, f"{job.name}: {job.conclusion or told.action}"
    if told.action == "completed" and job.name == speaks:
        meant = meaning(job.conclusion)
        status, words = meant.status, f"{job.name}: {meant.words or meant.status}"
    return WebhookUpdate(
        told.repository.full_name, str(job.run_id), job.run_attempt, status, words, job.conclusion, delivery
    )
