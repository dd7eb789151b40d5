"""SQL by name: one statement a file, read once."""

from __future__ import annotations

import functools
from importlib.resources import files


@functools.cache
def sql(name: str) -> str:
    """The statement in `sql/<name>.sql`."""
    return (files("rushes.queue") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
