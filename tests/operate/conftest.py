"""The queue as its operator has it: commands called in this process, and rows with a past of their own."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rushes.cli.app import main
from rushes.database import Database


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Rushes = Callable[..., Awaitable[Said]]


@pytest.fixture
def rushes(server_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rushes:
    """Call `rushes …` on the tests' server. Nobody sits at a terminal."""
    monkeypatch.setenv("RUSHES_HOME", str(server_home))
    monkeypatch.setenv("RUSHES_STORAGE", str(tmp_path / "artifacts"))

    def call(arguments: list[str]) -> Said:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main(arguments)
        return Said(int(ended.value.code or 0), out.getvalue(), err.getvalue())

    async def run(*arguments: object) -> Said:
        return await asyncio.to_thread(call, [str(argument) for argument in arguments])

    return run


@pytest.fixture
async def history(database: Database) -> History:
    return History(database)


class History:
    """Writes jobs as if they had ended long ago."""

    def __init__(self, database: Database) -> None:
        self._pool = database.pool

    async def add(self, status: str, count: int = 1, **columns: Any) -> list[int]:
        """Jobs of a status, of kind `download` and made and ended `days` ago, if nothing else is said."""
        days = columns.pop("days", 0)
        values = {"kind": "download", "status": status, **columns}
        given = ", ".join(f"${place}" for place in range(4, len(values) + 4))
        rows = await self._pool.fetch(
            f"insert into rushes.jobs ({', '.join(values)}, created_at, started_at, finished_at)"
            f" select {given}, made, made, case when $1 then made end"
            " from generate_series(1, $2::integer), (select now() - make_interval(days => $3) as made) ago returning id",
            status in ("completed", "failed", "cancelled"), count, days, *values.values(),
        )  # fmt: skip
        return sorted(row["id"] for row in rows)

    async def left(self) -> dict[str, int]:
        """How many jobs of each status there are."""
        rows = await self._pool.fetch("select status, count(*) from rushes.jobs group by status")
        return {row["status"]: row["count"] for row in rows}
