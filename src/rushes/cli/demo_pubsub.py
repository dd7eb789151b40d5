"""`rushes demo --pubsub`: a dozen messages and a worker, on a Pub/Sub that this machine plays itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rushes.cli.extras import require
from rushes.cli.output import Exit, print_json, run, safe, stderr, stdout
from rushes.shortening import shortened

if TYPE_CHECKING:
    from rushes.demo.messages import DemoMessages

WIDTH = 60


def show(*, as_json: bool) -> int:
    """Run it, and say what came of it. Returns the exit code: 0 if that is what was to be expected."""
    require("testing", "the demo's Pub/Sub")
    return run(_show(as_json=as_json))


async def _show(*, as_json: bool) -> int:
    import asyncio

    from rushes.cli.arguments import database
    from rushes.demo import demo_channel
    from rushes.demo.messages import BOUNDS, SUBSCRIPTION, DemoMessages
    from rushes.settings import Settings, make_home
    from rushes.testing.pubsub import PubSubServer

    settings = Settings.load()
    make_home(settings.home)
    say = stderr()
    say.quiet = as_json
    folder = settings.home / "demo-channel"
    recorded = demo_channel(settings, folder, tell=lambda talk: say.print(f"recorded: {safe(talk.title)}"))
    async with recorded as channel, database() as (_, opened):
        with PubSubServer() as server:
            messages = DemoMessages(server, channel)
            messages.publish()
            say.print(f"{len(messages.sent)} messages wait at {SUBSCRIPTION}, on a Pub/Sub at {server.address}")
            say.print(f"[dim]rushes worker --source pubsub {' '.join(BOUNDS)}[/]")
            code = await asyncio.to_thread(messages.work, opened.url)
            as_expected = messages.as_expected() and code == 0
            rows = _rows(messages)
    if as_json:
        print_json({"messages": rows, "exit_code": code, "left": messages.left, "as_expected": as_expected})
    else:
        _tell(rows)
    return Exit.OK if as_expected else Exit.ERROR


def _rows(messages: DemoMessages) -> list[dict[str, Any]]:
    results = messages.results()
    reasons = {letter.data: letter.attributes.get("rushes_error", "") for letter in messages.dead_letters()}
    rows = []
    for sent in messages.sent:
        result = results.get(sent.request_id or "", {})
        rows.append({
            "about": sent.about, "request_id": sent.request_id, "status": result.get("status"),
            "dead_letter": sent.data in reasons, "reason": reasons.get(sent.data),
            "text": (result.get("text") or "")[:WIDTH], "expected": sent.expected,
        })  # fmt: skip
    return rows


def _tell(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(title="What became of the messages", title_justify="left", title_style="bold", box=None)
    for column in ("message", "outcome", "what was made, or why not"):
        table.add_column(column, no_wrap=True, header_style="dim")
    for row in rows:
        outcome = "[red]dead letter[/]" if row["dead_letter"] else f"[green]{row['status']}[/]"
        told = " ".join((row["reason"] or row["text"]).split())
        table.add_row(safe(shortened(row["about"], WIDTH)), outcome, safe(shortened(told, WIDTH)))
    console = stdout()
    console.print()
    console.print(table)
    console.print("\nLook at them: [bold]rushes requests list[/]")
