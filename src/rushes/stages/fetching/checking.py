"""Is a file media, whole, with the sound or picture that is wanted? Faults of media become faults of the stage here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from rushes.errors import NeedsInput, Permanent, Scope, Transient
from rushes.media.faults import EngineFault, EngineMissing, MediaFault
from rushes.media.probe import Probe, check_decodable
from rushes.stages.fetching.faults import disk_failure, to_error


async def check(path: Path, *, audio: bool, picture: bool, expected: float | None = None) -> Probe:
    """Decode a file's sound to its stated end (a picture's last seconds where there is none), and see what it has.

    `expected` is the duration that the publisher states, in seconds.

    Raises:
        Permanent: it is no media, ends early, or lacks what is wanted.
        Transient, NeedsInput: it could not be looked at.
    """
    with media_faults():
        probed = await check_decodable(path, expected=expected)
    if audio and not probed.has_audio:
        raise Permanent("it has no sound")
    if picture and not probed.has_picture:
        raise Permanent("it has no picture")
    return probed


def discard(path: Path) -> None:
    """Throw away a file of ours, so that nothing goes on from it."""
    path.unlink(missing_ok=True)


@contextlib.contextmanager
def media_faults() -> Iterator[None]:
    """Raise faults of media, of engines and of the disk as what they mean for a job."""
    try:
        yield
    except MediaFault as fault:
        raise Permanent(fault.reason, remedy=fault.remedy) from fault
    except EngineMissing as fault:
        raise NeedsInput(fault.reason, remedy=fault.remedy or "", scope=Scope.ENVIRONMENT) from fault
    except EngineFault as fault:
        raise Transient(fault.reason, remedy=fault.remedy) from fault
    except OSError as error:
        failure = disk_failure(error)
        if failure is None:
            raise
        raise to_error(failure) from error
