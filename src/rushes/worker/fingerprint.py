"""The identity of a run of a stage: equal identities make equal artifacts, so the second need not run."""

from __future__ import annotations

import hashlib
import json

from rushes.model import Trust
from rushes.sources.base import Assignment
from rushes.stages.base import Options, Stage


def fingerprint(assignment: Assignment, stage: Stage, options: Options, wanted: frozenset[str]) -> str | None:
    """SHA-256 over owner, trust, video, stage, version, options and what it reads: payload, and hashes.

    None for a job without a video: nothing says that two of those are the same.
    """
    source = assignment.source
    if source is None or source.collection:
        return None  # a channel's list of videos is another one tomorrow
    identity = {
        "owner": assignment.owner,
        # What was fetched on a person's own authority is not for those who come over the network.
        "trust": assignment.trust.value if assignment.trust is not Trust.LOCAL else None,
        "video": source.key,
        "stage": stage.name,
        "version": stage.version,
        "options": options.model_dump(mode="json", exclude=set(stage.private_options)),
        "wanted": sorted(wanted),
        "payload": {key: assignment.job.payload.get(key) for key in stage.payload},
        "inputs": sorted(artifact.sha256 for artifact in assignment.inputs if artifact.kind in stage.needs),
    }
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
