"""`rushes run`: the main job."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.arguments import (
    Concurrency,
    Inputs,
    Modules,
    Pipeline,
    Set,
    database,
    import_modules,
    parse_concurrency,
    path,
)
from rushes.cli.output import Exit, JsonFlag, print_json
from rushes.cli.output import run as run_coroutine
from rushes.pipelines import DEFAULT

if TYPE_CHECKING:
    from rushes.runs import Request, RunReport


def run(
    inputs: Inputs,
    *,
    pipeline: Pipeline = DEFAULT,
    options: Set = None,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", parser=path, help="Where results go.")] = Path(
        "rushes-out"
    ),
    concurrency: Concurrency = "",
    priority: Annotated[int, typer.Option(metavar="N", min=0, max=10, help="0 to 10, higher first.")] = 0,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="A name for the batch.")] = None,
    names: Annotated[
        str | None,
        typer.Option(metavar="TEMPLATE", help="Names of the items' folders, such as {position:03d}-{slug}."),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Use no results of earlier runs.")] = False,
    modules: Modules = None,
    as_json: JsonFlag = False,
) -> None:
    """Turn videos into transcripts and summaries.

    Interrupted or killed, the same command goes on where it stopped. What an earlier run has made is used again.

    Examples:
      rushes run talk.mp4 https://youtu.be/ID
      rushes run list.csv --out notes --set summarize.length=brief
      rushes run https://example.org/feed.xml --pipeline transcribe
      rushes run notes.md --pipeline generate
      cat urls.txt | rushes run - --json
    """
    from rushes.runs import Request

    import_modules(modules or ())
    request = Request(
        inputs=inputs, pipeline=pipeline, options=options or (), out=out, name=name, names=names,
        concurrency=parse_concurrency(concurrency), priority=priority, reuse=not fresh,
    )  # fmt: skip
    report = run_coroutine(run_request(request, quiet=as_json))
    if as_json:
        print_json(_as_json(report))
    raise typer.Exit(exit_code(report))


async def run_request(request: Request, *, quiet: bool = False) -> RunReport:
    """Run with a live display on stderr, or (quiet) none."""
    from rushes.cli.display import observing
    from rushes.runs import run as run_batch

    async with database() as (settings, opened):
        with observing(quiet=quiet) as observer:
            before = _listed(request.out)
            report = await run_batch(settings, opened, request, observer, stdin=sys.stdin.buffer)
            observer.finish(report)
            observer.left_out(len(before - _listed(request.out)) if before else 0)
    return report


def _listed(out: Path) -> set[str]:
    """The videos that the results folder's index lists."""
    try:
        manifest = json.loads((out / "manifest.json").read_bytes())
        return {str(item["key"]) for item in manifest["items"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()  # there is none, or it is not ours


def exit_code(report: RunReport) -> Exit:
    """3 where an item failed, a line was invalid, or the batch waits for somebody."""
    if report.interrupted:
        return Exit.INTERRUPTED
    return Exit.OK if report.all_well else Exit.SOME_FAILED


def _as_json(report: RunReport) -> dict[str, object]:
    progress, lines = report.progress, report.opened.report
    return {
        "batch": progress.id,
        "status": progress.status,
        "counts": {
            "total": progress.total, "completed": progress.completed, "failed": progress.failed,
            "cancelled": progress.cancelled, "skipped": progress.skipped,
        },
        "lines": {
            "valid": lines.valid, "duplicates": lines.duplicates, "invalid": lines.invalid,
            "first_duplicates": lines.first_duplicates, "first_invalid": lines.first_invalid,
        },
        "continued": report.opened.joined,
        "pause_reason": progress.pause_reason,
        "pause_remedy": progress.pause_remedy,
        "worker": report.worker.as_json(),
        "out": report.out.absolute(),
        "manifest": report.out.absolute() / "manifest.json",
    }  # fmt: skip
