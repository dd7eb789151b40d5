"""`rushes search`: full text over all transcripts and summaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.arguments import Limit, database
from rushes.cli.output import Exit, JsonFlag, print_json, run, safe, stdout
from rushes.clock import clock

if TYPE_CHECKING:
    from rushes.batches.search import Hit


def search(
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help='Words, "a phrase", or, -without.')],
    *,
    limit: Limit = 20,
    as_json: JsonFlag = False,
) -> None:
    """Find words in everything that was said and summed up: title, time, passage. Exits 1 if nothing matches.

    Examples:
      rushes search sourdough
      rushes search '"lease token" -redis' --json
    """
    hits = run(_search(" ".join(words), limit))
    if as_json:
        print_json(hits)
    else:
        _print(hits)
    raise typer.Exit(Exit.OK if hits else Exit.ERROR)


async def _search(words: str, limit: int) -> list[Hit]:
    from rushes.batches.search import search as find

    async with database() as (_, opened):
        return await find(opened.pool, words, limit=limit)


def _print(hits: list[Hit]) -> None:
    console = stdout()
    for hit in hits:
        text = safe(hit.text).replace("«", "[bold yellow]").replace("»", "[/]")
        console.print(f"[bold]{safe(hit.title)}[/]  [cyan]{clock(hit.start)}[/]  [dim]{safe(hit.location)}[/]")
        console.print(f"  {text}")
    if not hits:
        console.print("nothing found")
