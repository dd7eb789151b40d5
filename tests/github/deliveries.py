"""Deliveries as GitHub makes them: the fields that are read, among some of the many that are not."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

SECRET = "It's a Secret to Everybody"  # noqa: S105  (the one of GitHub's documentation)
REPOSITORY = "octo/videos"


def signed(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def packed(event: str, payload: dict[str, Any], secret: str = SECRET) -> tuple[dict[str, str], bytes]:
    """Headers and body."""
    body = json.dumps(payload).encode()
    headers = {
        "User-Agent": "GitHub-Hookshot/044aadd",
        "Content-Type": "application/json",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": "292430182",
        "X-Hub-Signature": "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest(),
        "X-Hub-Signature-256": signed(body, secret),
    }
    return headers, body


def of_run(
    action: str, conclusion: str | None = None, *, run: int = 30433642, attempt: int = 1, at: datetime | None = None
) -> dict[str, Any]:
    """A `workflow_run` event."""
    time = (at or datetime.now(UTC)).isoformat().replace("+00:00", "Z")
    return {
        "action": action,
        "workflow_run": {
            "id": run, "name": "render", "node_id": "WFR_1", "head_branch": "main", "path": ".github/workflows/render.yml",
            "display_title": "rushes job 1", "run_number": 562, "event": "workflow_dispatch", "status": action,
            "conclusion": conclusion, "workflow_id": 159038, "run_attempt": attempt, "created_at": time,
            "updated_at": time, "run_started_at": time, "head_commit": None,
        },
        "workflow": {"id": 159038, "name": "render"},
        "repository": {"id": 186853002, "name": "videos", "full_name": REPOSITORY, "private": True},
        "sender": {"login": "octocat", "id": 1},
    }  # fmt: skip


def of_job(
    action: str, conclusion: str | None = None, *, name: str = "render", run: int = 30433642, attempt: int = 1
) -> dict[str, Any]:
    """A `workflow_job` event."""
    time = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {
        "action": action,
        "workflow_job": {
            "id": 2832853555, "run_id": run, "run_attempt": attempt, "workflow_name": "render", "name": name,
            "status": action, "conclusion": conclusion, "created_at": time, "started_at": time,
            "completed_at": time if action == "completed" else None, "labels": ["ubuntu-latest"], "steps": [],
        },
        "repository": {"id": 186853002, "name": "videos", "full_name": REPOSITORY, "private": True},
        "sender": {"login": "octocat", "id": 1},
    }  # fmt: skip
