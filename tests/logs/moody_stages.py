"""A stage for `--import` that does what its job's payload says."""

from __future__ import annotations

import rushes


@rushes.stage("moody")
async def moody(job: rushes.Job, _context: rushes.Context) -> rushes.Result:
    match job.payload["mood"]:
        case "bug":
            raise ValueError("a \x1b[31mred\nherring")
        case "permanent":
            raise rushes.Permanent("not https://me:secret@example.org/x?token=abc", remedy="take another")
        case "lack":
            raise rushes.NeedsInput("there is no key", remedy="set KEY", scope=rushes.Scope.ENVIRONMENT)
    return rushes.Result()
