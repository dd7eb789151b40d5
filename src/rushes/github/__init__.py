"""GitHub Actions: workflows that do a job, started from here and heard of by webhook."""

from rushes.github.applying import Applied, apply_webhook
from rushes.github.dispatching import dispatch_workflow, run_workflow
from rushes.github.runs import RunNotFound, WorkflowRun
from rushes.github.webhook import Refusal, WebhookRefused, WebhookUpdate, handle_webhook

__all__ = [
    "Applied",
    "Refusal",
    "RunNotFound",
    "WebhookRefused",
    "WebhookUpdate",
    "WorkflowRun",
    "apply_webhook",
    "dispatch_workflow",
    "handle_webhook",
    "run_workflow",
]
