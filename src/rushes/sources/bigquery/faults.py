"""What BigQuery's errors mean: it may pass by waiting, the same statement may be run anew, or somebody must see to it.

Reasons are those of https://cloud.google.com/bigquery/docs/error-messages. The client's own classes are told apart here
and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from rushes.errors import RushesError

_PASSING = frozenset(
    {"backendError", "badGateway", "internalError", "rateLimitExceeded", "resourceInUse", "tableUnavailable", "timeout"}
    | {"jobBackendError", "jobInternalError", "jobRateLimitExceeded"}
)
_CROWDED = re.compile(
    r"could not serialize access|due to concurrent update|too many dml statements outstanding", re.IGNORECASE
)
"""What the client does not try again: two statements changed one table at once, or more than 20 waited for it."""
_REMEDIES = {
    "accessDenied": "the account needs roles/bigquery.dataEditor on the dataset and roles/bigquery.jobUser in the project",
    "bytesBilledLimitExceeded": "raise RUSHES_BIGQUERY_MAX_BYTES, or partition and cluster the tables",
    "notFound": "see whether the tables are still there, then start again",
}
_REASONS = {401: "accessDenied", 403: "accessDenied", 404: "notFound", 409: "duplicate"}
"""What an answer without a reason says by its code."""
_BYTES = "bytes billed"
_STREAMED = (
    "rows were streamed in less than 90 minutes ago and cannot be changed yet: wait, write them by load jobs, or set "
)


class Away(RushesError):
    """BigQuery cannot be reached, or cannot do it now: it may pass."""


class Crowded(Away):
    """The statement failed because of others at the same table. The same one may be run anew, under another number."""


class OverQuota(Away):
    """A quota of many hours is used up; it fills again little by little."""


class Refused(RushesError):
    """BigQuery will not do it, however often it is asked: somebody must see to it."""

    def __init__(self, message: str, *, what: str, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.what = what
        """BigQuery's own word: `accessDenied`, `notFound`, `invalidQuery`, …"""
        self.earlier = False
        """It is about a job that had been begun before this was asked for."""


def of_job(result: Mapping[str, Any]) -> RushesError:
    """What a job's error result means."""
    return _classified(str(result.get("reason", "")), str(result.get("message", "")), ran=True)


def of_call(error: Exception) -> Exception:
    """What an exception out of the client means; itself if it does not come from outside."""
    import requests
    from google.api_core import exceptions
    from google.auth import exceptions as auth

    if isinstance(error, exceptions.RetryError) and isinstance(error.cause, Exception):
        return of_call(error.cause)
    if isinstance(error, exceptions.GoogleAPICallError):
        return _of_answer(error)
    if isinstance(error, auth.RefreshError) and not (error.retryable or _unreached(error)):
        return Refused(str(error), what="credentials", remedy="sign in anew, or see to the service account's key")
    if isinstance(error, auth.GoogleAuthError | requests.RequestException | ConnectionError | TimeoutError):
        return Away(str(error) or type(error).__name__)
    return error


def _unreached(error: Exception) -> bool:
    """Whether credentials could not be renewed since whoever gives them, such as a metadata server, was not to be had.

    The client says that it may not be tried again, although it may.
    """
    from google.auth.exceptions import TransportError

    return isinstance(error.__cause__, TransportError) or any(isinstance(each, TransportError) for each in error.args)


def _of_answer(error: Any) -> RushesError:
    reasons = [str(each.get("reason", "")) for each in error.errors or () if isinstance(each, Mapping)]
    code = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    reason = reasons[0] if reasons else _REASONS.get(code, "")
    if code == HTTPStatus.TOO_MANY_REQUESTS or (
        code >= HTTPStatus.INTERNAL_SERVER_ERROR and not _is_final(error.message)
    ):
        return Away(error.message)
    return _classified(reason, error.message, ran=False)


def _is_final(message: str) -> bool:
    """Too expensive a statement is answered with 500, and will be again."""
    return _BYTES in message


def _classified(reason: str, message: str, *, ran: bool) -> RushesError:
    """`ran`: a job of that name exists now, and has failed for good."""
    if _BYTES in message:
        reason = "bytesBilledLimitExceeded"
    if _CROWDED.search(message) or (ran and reason in _PASSING | {"stopped"}):
        return Crowded(message)
    if reason in _PASSING:
        return Away(message)
    if reason == "quotaExceeded":
        return OverQuota(message)
    if "streaming buffer" in message:
        return Refused(message, what="streaming", remedy=f"{_STREAMED}RUSHES_BIGQUERY_CLAIM=none")
    return Refused(message, what=reason or "invalid", remedy=_REMEDIES.get(reason))
