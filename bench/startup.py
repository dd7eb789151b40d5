"""How long commands take to begin: help, a bare interpreter beside it, and a question to a running database."""

from __future__ import annotations

import asyncio
import functools
import sys
import tempfile
from pathlib import Path

from bench._programs import RUSHES, Run, interleaved, run, table
from rushes.database import open_database
from rushes.settings import Settings

TIMES = 9


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        async with open_database(Settings.load(home=Path(home))):  # the server is up meanwhile
            figures = await asyncio.to_thread(_measure, home)
    rows = [[name, f"{one.seconds * 1000:.0f} ms"] for name, one in figures.items()]
    print(table(["", f"median of {TIMES}"], rows))


def _measure(home: str) -> dict[str, Run]:
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "rushes --help": [*RUSHES, "--help"],
        "rushes run --help": [*RUSHES, "run", "--help"],
        "rushes queue stats, server up": [*RUSHES, "queue", "stats"],
        "rushes worker, nothing to do": [*RUSHES, "worker", "--empty-timeout", "0", "--json"],
    }
    environment = {"RUSHES_HOME": home}
    programs = {name: functools.partial(run, command, environment) for name, command in commands.items()}
    for program in programs.values():
        program()  # warm
    return interleaved(programs, TIMES)


if __name__ == "__main__":
    asyncio.run(main())
