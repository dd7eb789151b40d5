"""A request that gets no chapter: the HTTP status that tells the caller what to do, and the reason in words."""

from __future__ import annotations

from http import HTTPStatus


class Refused(Exception):
    """Ends a request.

    The status is what decides at the caller: 4xx will not get better by itself, 429 and 5xx may.
    """

    def __init__(self, status: HTTPStatus, reason: str, *, retry_after: int | None = None) -> None:
        """`retry_after`: seconds, where it is known when it is worth another try."""
        super().__init__(reason)
        self.status = status
        self.retry_after = retry_after
