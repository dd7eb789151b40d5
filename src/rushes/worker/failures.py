"""What an exception out of a stage means for its job."""

from __future__ import annotations

import errno
import traceback
from dataclasses import replace

from rushes.errors import ErrorClass, NeedsInput, RateLimited, Scope, StageError
from rushes.masking import masked
from rushes.model import Failure
from rushes.settings import Settings

_LOCAL = {
    errno.ENOSPC: "free some space, then run the same command again",
    errno.EDQUOT: "free some space or raise the quota, then run the same command again",
    errno.EROFS: "make the file system writable, then run the same command again",
    errno.EACCES: "give this user the right to it, then run the same command again",
    errno.EPERM: "give this user the right to it, then run the same command again",
}
TRACEBACK_KEPT = 20_000
"""Characters of a bug's traceback, from its end."""


def classify(error: Exception, settings: Settings) -> Failure:
    """The failure that an exception amounts to. What is no `StageError` and no lack of this machine is a bug.

    Secrets in addresses are blotted out here, before anything is stored.
    """
    failure = _classify(error, settings)
    details = {name: masked(value) if isinstance(value, str) else value for name, value in failure.details.items()}
    return replace(failure, message=masked(failure.message), details=details)


def _classify(error: Exception, settings: Settings) -> Failure:
    if isinstance(error, StageError):
        return _from_stage(error, settings)
    if isinstance(error, OSError) and error.errno in _LOCAL:
        where = f" ({error.filename})" if error.filename else ""
        message = f"{error.strerror}{where}"
        return Failure(ErrorClass.NEEDS_INPUT, message, remedy=_LOCAL[error.errno], environment=True)
    trace = "".join(traceback.format_exception(error))[-TRACEBACK_KEPT:]
    return Failure(ErrorClass.BUG, f"{type(error).__name__}: {error}", details={"traceback": trace})


def _from_stage(error: StageError, settings: Settings) -> Failure:
    return Failure(
        error.error_class,
        error.reason,
        remedy=error.remedy,
        environment=isinstance(error, NeedsInput) and error.scope is Scope.ENVIRONMENT,
        retry_after=(error.retry_after or settings.rate_limit_pause) if isinstance(error, RateLimited) else None,
        details=error.details,
        stage=error.stage,
    )
