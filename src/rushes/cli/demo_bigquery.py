"""`rushes demo --bigquery`: a table of talks, worked at by two processes, on a BigQuery that this machine plays itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rushes.cli.extras import require
from rushes.cli.output import Exit, print_json, safe, stderr, stdout
from rushes.shortening import shortened

if TYPE_CHECKING:
    from rushes.demo.tables import DemoTables

MEBI = 2**20
AT_LEAST = 10 * MEBI
"""What a statement is billed for each table that it names, however small."""
BATCH = 5
"""The original program's."""
MANY = 1000
WIDTH = 46


def show(*, as_json: bool) -> int:
    """Run it, and say what came of it. Returns the exit code: 0 if that is what was to be expected."""
    require("testing", "the demo's BigQuery")

    from rushes.demo.tables import ITEMS, RESULTS, DemoTables, TalkProcessor
    from rushes.settings import Settings, make_home
    from rushes.testing.bigquery import BigQueryServer

    settings = Settings.load()
    make_home(settings.home)
    with BigQueryServer() as server, TalkProcessor() as processor:
        tables = DemoTables(server, processor)
        tables.fill()
        before = tables.read(ITEMS)
        filled = server.bytes_billed
        say = stderr()
        say.quiet = as_json
        say.print(f"a BigQuery at {server.url}, a processor at {processor.url}\n")
        _table("videos, before", before, ("id", "url", "status"), quiet=as_json)
        codes = tables.work(settings.home)
        after, results = tables.read(ITEMS), tables.read(RESULTS)
        billed = server.bytes_billed - filled
        as_expected = codes == [0] * len(codes) and _as_expected(tables, after, results)
    if as_json:
        told = {"bytes_billed": billed, "bytes_billed_the_originals_way": _by_the_original(len(after))}
        print_json({"items": after, "results": results, **told, "as_expected": as_expected})
    else:
        _table("videos, after", after, ("id", "url", "status", "attempt", "error"))
        _table("summaries, after", results, ("id", "status", "context"))
        _tell_costs(billed, len(after))
    return Exit.OK if as_expected else Exit.ERROR


def _as_expected(tables: DemoTables, after: Sequence[dict[str, Any]], results: Sequence[dict[str, Any]]) -> bool:
    """Every talk has its summary, and was asked for once; the row whose address leads nowhere has failed, and says so."""
    known = tables.processor.talks
    asked_once = set(tables.processor.asked.values()) == {1}
    statuses = {row["url"]: row["status"] for row in after}
    right = {url: "DONE" if url in known else "FAILED" for url in statuses}
    contexts = {row["id"]: row["context"] or "" for row in results}
    told = all(contexts[row["id"]].startswith("ERROR:") == (row["status"] == "FAILED") for row in after)
    return asked_once and statuses == right and len(results) == len(after) and told


def _table(title: str, rows: Sequence[dict[str, Any]], columns: Sequence[str], *, quiet: bool = False) -> None:
    if quiet:
        return
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=None)
    for column in columns:
        table.add_column(column, no_wrap=True, header_style="dim")
    for row in rows:
        table.add_row(*(safe(_short(row[column])) for column in columns))
    console = stdout()
    console.print(table)
    console.print()


def _short(value: Any) -> str:
    return "" if value is None else shortened(" ".join(str(value).split()), WIDTH)


def _tell_costs(billed: int, rows: int) -> None:
    """Ours is what the server counted; the original program's is what its statements come to, if no two tasks collide."""
    console = stdout()
    console.print(f"Billed:              {billed / MEBI:,.0f} MiB, and hardly more for a thousand rows")
    original, for_many = _by_the_original(rows) / MEBI, _by_the_original(MANY) / MEBI
    console.print(f"The original's way:  {original:,.0f} MiB, and {for_many:,.0f} MiB for a thousand")


def _by_the_original(rows: int) -> int:
    """For each batch a SELECT and an UPDATE, and for each row one more."""
    return (-(-rows // BATCH) * 2 + rows) * AT_LEAST
