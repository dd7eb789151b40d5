"""`rushes doctor`: is everything here that work needs? Each thing found, with where, or what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.arguments import path
from rushes.cli.output import Exit, JsonFlag, print_json, run, stdout

if TYPE_CHECKING:
    from rushes.cli.checks import Finding
    from rushes.settings import Settings

MARKS = {"found": "[green]✓[/]", "warning": "[yellow]![/]", "missing": "[red]✗[/]"}


def doctor(
    *,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="FOLDER", parser=path, help="Where results will go: its disk is looked at."
        ),
    ] = Path("rushes-out"),
    online: Annotated[
        bool, typer.Option("--online", help="Also ask the network and the language model's key.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Check that everything needed is here, or say what to do. Exit code 1 if something required is missing.

    Examples:
      rushes doctor
      rushes doctor --online --json
    """
    from rushes.settings import Settings

    missing = run(_report(Settings.load(), out.absolute(), online=online, as_json=as_json))
    raise typer.Exit(Exit.ERROR if missing else Exit.OK)


async def _report(settings: Settings, out: Path, *, online: bool, as_json: bool) -> bool:
    findings: list[Finding] = []
    async for finding in _examine(settings, out, online=online):
        findings.append(finding)
        if not as_json:
            _show(finding)
    missing = [finding.name for finding in findings if finding.state == "missing"]
    if as_json:
        print_json({"ok": not missing, "findings": findings})
    else:
        stdout().print(f"\nMissing: {', '.join(missing)}." if missing else "\nEverything that is needed is here.")
    return bool(missing)


async def _examine(settings: Settings, out: Path, *, online: bool) -> AsyncIterator[Finding]:
    from rushes.cli import checks

    yield checks.check_python()
    yield checks.check_ffmpeg(settings)
    yield checks.check_font()
    yield checks.check_speech(settings)
    yield checks.check_narration()
    yield await checks.check_database(settings)
    yield checks.check_disk("data", settings.home)
    yield checks.check_disk("results", out)
    yield checks.check_model(settings)
    yield checks.check_ytdlp(checks.today())
    yield checks.check_javascript()
    for finding in checks.check_extras():
        yield finding
    if online:
        from rushes.cli.online import check_key, check_network

        yield await check_network(settings)
        yield await check_key(settings)


def _show(finding: Finding) -> None:
    stdout().print(f"{MARKS[finding.state]} {finding.name:18} ", end="")
    stdout().print(finding.what, markup=False)
    if finding.remedy:
        stdout().print(f"{'':21}{finding.remedy}", style="dim", markup=False)
