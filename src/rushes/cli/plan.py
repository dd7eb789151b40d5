"""`rushes plan`: what a run would do, without doing it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rushes.cli.arguments import Inputs, Pipeline, Set, path
from rushes.cli.output import JsonFlag, counted, plain, print_json, stderr, stdout
from rushes.cli.output import run as run_coroutine
from rushes.pipelines import DEFAULT

if TYPE_CHECKING:
    from rich.console import Console

    from rushes.batches.estimate import StageEstimate
    from rushes.forecast import Forecast

SHOWN_LINES = 20
LINES_PER_WORD = 100_000
"""Between two words on how far the reading is, where there is no terminal."""


def plan(
    inputs: Inputs,
    *,
    pipeline: Pipeline = DEFAULT,
    options: Set = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", parser=path, help="Where results would go.")
    ] = Path("rushes-out"),
    as_json: JsonFlag = False,
) -> None:
    """Say what `rushes run` with the same arguments would do. Nothing is fetched, made or changed.

    Examples:
      rushes plan list.csv
      rushes plan talks/ --pipeline transcribe --json
    """
    from rushes.forecast import Question, forecast
    from rushes.settings import Settings

    question = Question(inputs, pipeline, options or (), out)
    with _telling() as progress:
        found = run_coroutine(forecast(Settings.load(), question, stdin=sys.stdin.buffer, progress=progress))
    if as_json:
        print_json(_as_json(found))
    else:
        _show(stdout(), found)


@contextlib.contextmanager
def _telling() -> Iterator[Callable[[int], None]]:
    """Say on stderr how many lines were read."""
    console = stderr()
    if console.is_terminal:
        with console.status("reading") as status:
            yield lambda lines: status.update(f"reading: {lines:,} lines")
        return
    told = 0

    def tell(lines: int) -> None:
        nonlocal told
        if lines // LINES_PER_WORD > told:
            told = lines // LINES_PER_WORD
            console.print(f"reading: {lines:,} lines")

    yield tell


def _show(console: Console, found: Forecast) -> None:
    estimate, report = found.estimate, found.report

    def say(text: str) -> None:
        console.print(plain(text), markup=False)  # names and addresses are not ours

    say(f"{found.plan.pipeline}: {' → '.join(step.stage for step in found.plan.steps)}")
    say(f"{counted(report.valid, 'item')}: {_kinds(found)}")
    say(f"{counted(report.duplicates, 'duplicate')}, {report.invalid:,} invalid")
    for invalid in report.first_invalid[:SHOWN_LINES]:
        say(f"  invalid    {invalid.origin}: {invalid.text} — {invalid.reason}")
    for twice in report.first_duplicates[:SHOWN_LINES]:
        say(f"  duplicate  {twice.origin}: {twice.text} — as {twice.repeats}")
    if estimate.of_known_duration:
        unknown = report.valid - estimate.of_known_duration - estimate.collections
        rest = f", {unknown:,} of unknown length" if unknown else ""
        say(f"{_time(estimate.duration)} of video in {counted(estimate.of_known_duration, 'item')}{rest}")
    console.print(_table(list(estimate.stages.values())))
    if found.batch is not None:
        say(f"the same command made batch {found.batch} before: it goes on there if that has not ended well")
    if estimate.all_done:
        say(f"{counted(estimate.all_done, 'item')} done already: nothing runs for them")
    for note in found.notes:
        say(f"note: {note}")


def _kinds(found: Forecast) -> str:
    estimate = found.estimate
    kinds = [(estimate.urls, "address"), (estimate.files, "file"), (estimate.collections, "collection")]
    said = ", ".join(counted(number, kind) for number, kind in kinds if number)
    return f"{said} (whose videos are found when it runs)" if estimate.collections else said


def _table(stages: list[StageEstimate]) -> Any:
    from rich.table import Table

    table = Table("stage", "to do", "done", "work", "an hour of video", "cost", "as", box=None, pad_edge=False)
    for one in stages:
        rate = one.rate
        per_hour = "" if rate.per_hour is None else _time(timedelta(seconds=rate.per_hour))
        row = (_work(one), per_hour, _cost(one), rate.basis) if one.items else ("–", "", "–", "")
        table.add_row(one.stage, f"{one.items:,}", f"{one.done:,}", *row)
    return table


def _work(one: StageEstimate) -> str:
    if one.unknown == one.items:
        return "unknown"
    rest = f" + {one.unknown:,} unknown" if one.unknown else ""
    return f"{_time(timedelta(seconds=one.seconds))}{rest}"


def _cost(one: StageEstimate) -> str:
    if one.unpriced == one.items:
        return "unknown"
    rest = f" + {one.unpriced:,} unknown" if one.unpriced else ""
    return f"${one.cost:,.2f}{rest}" if one.cost else f"none{rest}"


def _time(length: timedelta) -> str:
    seconds = length.total_seconds()
    if seconds < 60:  # noqa: PLR2004  (a minute)
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60:,} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"  # noqa: PLR2004  (an hour)


def _as_json(found: Forecast) -> dict[str, object]:
    estimate, report = found.estimate, found.report
    return {
        "pipeline": found.plan.pipeline,
        "items": report.valid,
        "files": estimate.files, "urls": estimate.urls, "collections": estimate.collections,
        "duplicates": report.duplicates, "invalid": report.invalid,
        "first_duplicates": report.first_duplicates, "first_invalid": report.first_invalid,
        "known_duration": estimate.duration, "of_known_duration": estimate.of_known_duration,
        "stages": list(estimate.stages.values()),
        "done": estimate.all_done,
        "batch": found.batch,
        "notes": found.notes,
    }  # fmt: skip
