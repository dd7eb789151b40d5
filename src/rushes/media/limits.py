"""Limits that a child sets itself before it opens what strangers made."""

from __future__ import annotations

import resource


def limit(what: int, most: int) -> None:
    """Lower one of this process's limits (`resource.RLIMIT_…`) to `most`, or to what it may have at all if that is less."""
    hard = resource.getrlimit(what)[1]
    allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (allowed, hard))
