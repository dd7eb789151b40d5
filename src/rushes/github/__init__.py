"""GitHub Actions: workflows that do a job, started from here and heard of by webhook."""

from rushes.github.applying import Applied, apply_webhook
from rushes.github.webhook import Refusal, WebhookRefused, WebhookUpdate, handle_webhook

__all__ = ["Applied", "Refusal", "WebhookRefused", "WebhookUpdate", "apply_webhook", "handle_webhook"]
