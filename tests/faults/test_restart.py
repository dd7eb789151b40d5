"""The database server is restarted under a running `rushes run`: it waits, goes on, and repeats nothing that was settled."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rushes.database import open_database
from rushes.database.embedded import embedded_server
from rushes.settings import Settings
from tests.places import home_of_a_server
from tests.programs import Program

from .conftest import runs
from .test_kills import finished

Start = Callable[..., Program]
ITEMS = 30


@pytest.fixture
def own_home() -> Iterator[Path]:
    """A data folder whose server no other test uses."""
    with home_of_a_server() as home:
        yield home


def server_of(home: Path) -> int:
    return int(embedded_server(home).cluster.pid_file.read_text().split()[0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])  # fast and immediate shutdown
async def test_a_restart_of_the_server_loses_nothing_and_settles_nothing_twice(
    start: Start, own_home: Path, log: Path, tmp_path: Path, number: signal.Signals
):
    listing = tmp_path / "list.txt"
    listing.write_text("".join(f"https://example.org/{n}\n" for n in range(ITEMS)))
    out = str(tmp_path / "out")
    program = start("run", str(listing), "--pipeline", "alpha+beta", "--out", out, "-c", "3", RUSHES_HOME=str(own_home))
    program.wait_for(lambda: len(runs(log)) >= ITEMS // 2)
    first = server_of(own_home)
    os.kill(first, number)
    program.wait_for(lambda: len(runs(log)) >= ITEMS)
    assert server_of(own_home) != first
    code, report = program.end()
    assert (code, report["status"], report["counts"]["completed"]) == (0, "completed", ITEMS)
    async with open_database(Settings.load(home=own_home)) as database:
        assert set((await finished(database)).values()) == {1}
        assert await database.pool.fetchval("select max(attempts) from rushes.jobs") == 1
    repeated = set(Counter((key, kind) for kind, key, _ in runs(log)).values()) - {1}
    # A claim may be forgotten by a server that is stopped without a word: what it began is then run once more.
    assert repeated <= ({2} if number is signal.SIGQUIT else set())
    assert len(list((tmp_path / "out").glob("*/item.json"))) == ITEMS
