"""What HTTP's statuses and headers say, in words and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

_LONGEST = timedelta(days=3650)
"""Nobody rests longer: more than that is a slip, or no number that a time could hold."""


def answered(host: str, status: int) -> str:
    """`example.org answered 404 (Not Found)`."""
    try:
        return f"{host} answered {status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return f"{host} answered {status}"


def rest_asked(retry_after: str | None, now: datetime) -> timedelta | None:
    """How long a `Retry-After` header asks for: seconds or a date (RFC 9110, section 10.2.3)."""
    text = (retry_after or "").strip()
    if not text.isascii():
        return None
    if text.isdigit():
        return timedelta(seconds=min(int(text[:12]), _LONGEST.total_seconds()))
    try:
        until = parsedate_to_datetime(text)
        return max(timedelta(), (until if until.tzinfo else until.replace(tzinfo=UTC)) - now)
    except (ValueError, OverflowError):
        return None
