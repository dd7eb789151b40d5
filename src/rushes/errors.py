"""Everything that Rushes raises on purpose.

    RushesError
    ├── UsageError            wrong use or configuration, found before any work: exit 2
    │   ├── SettingsError     a setting is missing or wrong
    │   └── IllegalTransition a job's status does not allow what was asked
    ├── DatabaseError         the database cannot be reached, started or used
    │   └── SchemaError       its schema is missing, older or newer than this program
    └── StageError            a run of a stage failed; its class decides what happens next
        ├── Transient         retried with backoff
        ├── RateLimited       the host is paused, then retried
        ├── Permanent         fails at once
        └── NeedsInput        somebody must supply something

Any other exception out of a stage is a bug: retried up to its attempts, its traceback kept.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import ClassVar


class ErrorClass(StrEnum):
    """What kind of failure it was. It alone decides what happens to the job."""

    TRANSIENT = "transient"
    RATE_LIMITED = "rate_limited"
    PERMANENT = "permanent"
    NEEDS_INPUT = "needs_input"
    BUG = "bug"


class Scope(StrEnum):
    """Whom a lack concerns: one item (it fails), or everything here (the batch is paused)."""

    ITEM = "item"
    ENVIRONMENT = "environment"


class RushesError(Exception):
    """The root. `remedy` says what the reader can do, where there is something."""

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\n  {self.remedy}" if self.remedy else message

    @property
    def reason(self) -> str:
        """The message alone, without the remedy."""
        return super().__str__()


class UsageError(RushesError):
    """Wrong use or configuration, found before any work."""


class SettingsError(UsageError):
    """A setting is missing or wrong: the message names it, what was found and what is wanted."""


class IllegalTransition(UsageError):
    """A job's status does not allow what was asked: the message names the job, its status, and what was asked."""


class DatabaseError(RushesError):
    """The database cannot be reached, started or used."""


class SchemaError(DatabaseError, UsageError):
    """The schema is missing, older or newer than this program."""


class StageError(RushesError):
    """A run of a stage failed. `details` is kept with the job (JSON)."""

    error_class: ClassVar[ErrorClass]
    stage: str | None = None
    """Which of an item's stages raised it, where they run in turn."""

    def __init__(self, message: str, *, remedy: str | None = None, details: dict[str, object] | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.details = details or {}


class Transient(StageError):
    """It may work the next time: retried with backoff."""

    error_class = ErrorClass.TRANSIENT


class RateLimited(StageError):
    """A host asked for rest. `retry_after` is what it asked for, if it said."""

    error_class = ErrorClass.RATE_LIMITED

    def __init__(
        self,
        message: str,
        *,
        retry_after: timedelta | None = None,
        remedy: str | None = None,
        details: dict[str, object] | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy, details=details)
        self.retry_after = retry_after


class Permanent(StageError):
    """No retry can help."""

    error_class = ErrorClass.PERMANENT


class NeedsInput(StageError):
    """Somebody must supply something; `remedy` says what."""

    error_class = ErrorClass.NEEDS_INPUT

    def __init__(
        self, message: str, *, remedy: str, scope: Scope = Scope.ITEM, details: dict[str, object] | None = None
    ) -> None:
        super().__init__(message, remedy=remedy, details=details)
        self.scope = scope
