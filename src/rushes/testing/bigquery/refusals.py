"""What the service refuses, as it says it: a reason, a message, and the HTTP code that goes with the reason."""

from __future__ import annotations

import traceback
from typing import Any

CODES = {
    "accessDenied": 403,
    "authError": 401,
    "backendError": 503,
    "badGateway": 502,
    "bytesBilledLimitExceeded": 500,
    "conditionNotMet": 412,
    "duplicate": 409,
    "internalError": 500,
    "invalid": 400,
    "invalidQuery": 400,
    "jobBackendError": 400,
    "jobInternalError": 400,
    "jobRateLimitExceeded": 400,
    "notFound": 404,
    "notImplemented": 501,
    "quotaExceeded": 403,
    "rateLimitExceeded": 403,
    "resourceInUse": 400,
    "resourcesExceeded": 400,
    "responseTooLarge": 403,
    "stopped": 400,
    "tableUnavailable": 400,
    "timeout": 400,
}
"""Reasons and codes of https://cloud.google.com/bigquery/docs/error-messages. Its clients tell reasons apart by them."""
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}


class Refusal(Exception):
    """A request or a job that the service turns down.

    Args:
        reason: one of `CODES`, or one that only a test knows.
        message: as the service words it.
        location: which part of what was sent it is about.
        code: the HTTP code, by default that of the reason.
        others: more errors of the same job, such as one for each bad row.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        location: str | None = None,
        code: int | None = None,
        others: tuple[Refusal, ...] = (),
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.location = location
        self.code = code or CODES.get(reason, 400)
        self.others = others

    def as_error(self) -> dict[str, Any]:
        """An ErrorProto of the REST API."""
        error = {"reason": self.reason, "message": self.message}
        return error | ({"location": self.location} if self.location else {})

    def as_errors(self) -> list[dict[str, Any]]:
        return [one.as_error() for one in (self, *self.others)]

    def as_answer(self) -> dict[str, Any]:
        """The body of the HTTP answer."""
        errors = [error | {"domain": "global"} for error in self.as_errors()]
        status = _STATUSES.get(self.code, "INTERNAL" if self.code >= 500 else "INVALID_ARGUMENT")  # noqa: PLR2004
        return {"error": {"code": self.code, "message": self.message, "errors": errors, "status": status}}


def unsupported(what: str) -> Refusal:
    """What the service can do and this server cannot. A wrong answer would be worse than none."""
    return Refusal("notImplemented", f"rushes.testing.bigquery does not do this: {what}")


def broken(error: Exception) -> Refusal:
    """A mistake of this server's own. Its reason is one that no client tries again."""
    told = "".join(traceback.format_exception(error))
    return Refusal("notImplemented", f"rushes.testing.bigquery failed:\n{told}")


def not_found(kind: str, name: str) -> Refusal:
    return Refusal("notFound", f"Not found: {kind} {name}")


def duplicate(kind: str, name: str) -> Refusal:
    return Refusal("duplicate", f"Already Exists: {kind} {name}")
