"""Results that cannot be written are never passed over: a batch that goes on is paused, one that has ended is an error."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rushes.batches.export.folder import ResultsFolder
from rushes.database import Database
from rushes.errors import RushesError
from rushes.model import Job
from rushes.runs import Observer, Request, run
from rushes.settings import Settings
from rushes.stages import registry
from rushes.stages.base import Context, Made, Result, Stage


@pytest.fixture
def toy() -> Iterator[None]:
    async def write(_job: Job, context: Context) -> Result:
        path = context.scratch / "text.txt"
        path.write_text("made")
        return Result(made=[Made("text", path, "text/plain")])

    before = dict(registry._decorated)
    registry.register(Stage("toy", write))
    yield
    registry._decorated.clear()
    registry._decorated.update(before)


@pytest.mark.parametrize("method", ["write_item", "write_index"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.ENOTDIR])
@pytest.mark.usefixtures("toy")
async def test_a_full_disk_under_the_results_of_an_ended_batch_is_an_error(
    database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, number: int
):
    def full(*_: Any) -> Any:
        raise OSError(number, "it cannot be written")

    monkeypatch.setattr(ResultsFolder, method, full)
    request = Request(inputs=["https://example.org/a.mp4"], pipeline="toy", out=tmp_path / "out")
    with pytest.raises(RushesError, match=r"--out: .*it cannot be written"):
        await run(settings, database, request, Observer())
