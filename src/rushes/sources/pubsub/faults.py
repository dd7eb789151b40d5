"""What an error of Pub/Sub means: it will pass by itself, or somebody must do something."""

from __future__ import annotations

from rushes.errors import RushesError, SettingsError
from rushes.sources.postgres import is_outage as is_database_outage


class Unavailable(RushesError):
    """A call did not count for some messages, and may be made again."""


def is_outage(error: Exception) -> bool:
    """Whether it may pass: the service, the way to it or the database is away, or asks for patience."""
    from google.api_core import exceptions
    from google.auth.exceptions import RefreshError, TransportError

    if isinstance(error, exceptions.MethodNotImplemented):
        return False
    if isinstance(error, RefreshError):
        return bool(error.retryable)
    passing = (
        exceptions.ServerError, exceptions.TooManyRequests, exceptions.Aborted, exceptions.Cancelled, TransportError,
        Unavailable,
    )  # fmt: skip
    return isinstance(error, passing) or is_database_outage(error)


def is_refusal(error: Exception) -> bool:
    """Whether Pub/Sub said no: something is missing, not allowed or wrong, and stays so until somebody mends it."""
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError

    return isinstance(error, (GoogleAPICallError, GoogleAuthError)) and not is_outage(error)


def explained(error: Exception, what: str, variable: str) -> SettingsError:
    """A refusal, for the person who can mend it. `what` is a subscription or topic, `variable` the setting that names it."""
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError

    kind = "subscriber" if "/subscriptions/" in what else "publisher"
    said = getattr(error, "message", None) or str(error)
    match error:
        case exceptions.NotFound():
            return SettingsError(f"{what} does not exist", remedy=f"Create it, or correct {variable}.")
        case exceptions.PermissionDenied():
            remedy = f"Grant roles/pubsub.{kind} on it to the account that the worker runs as."
            return SettingsError(f"{what} may not be used: {said}", remedy=remedy)
        case GoogleAuthError() | exceptions.Unauthenticated():
            remedy = (
                "Run it under a service account, `gcloud auth application-default login`, or set PUBSUB_EMULATOR_HOST."
            )
            return SettingsError(f"there are no credentials for Pub/Sub: {said}", remedy=remedy)
    return SettingsError(f"{what}: Pub/Sub refuses: {said}", remedy=f"Correct {variable}.")
