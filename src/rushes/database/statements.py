"""SQL by name: one statement a file, read once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib.resources import files


def statements(package: str) -> Callable[[str], str]:
    """Gives the statement in a package's `sql/<name>.sql`."""

    @functools.cache
    def sql(name: str) -> str:
        return (files(package) / "sql" / f"{name}.sql").read_text(encoding="utf-8")

    return sql
