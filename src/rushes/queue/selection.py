"""Jobs chosen by a filter, to be steered: chosen first, so that a person can be asked about exactly these, and then acted
on in steps, so that no transaction holds many of them.
"""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rushes.queue.reading import Filter
from rushes.queue.statements import sql

if TYPE_CHECKING:
    from rushes.queue.connection import Connection

PAGE = 5000
"""Jobs looked up in one statement."""
STEP = 500
"""Jobs that one transaction acts on."""


async def select(connection: Connection, wanted: Filter, statuses: Sequence[str]) -> Sequence[int]:
    """The jobs of these statuses that a filter means, oldest first: 8 bytes each, however many."""
    chosen = array("q")
    for status in statuses:
        async for page in _pages(connection, replace(wanted, status=status)):
            chosen.extend(page)
    return array("q", sorted(chosen))


async def _pages(connection: Connection, wanted: Filter) -> AsyncIterator[list[int]]:
    before: int | None = None
    while True:
        # A status at a time, because each has an index of its own.
        rows = await connection.fetch(f"select id from ({sql('list_jobs')}) job", *wanted.row(), before, PAGE)  # noqa: S608  (of our own statement)
        page: list[int] = [row["id"] for row in rows]
        yield page
        if len(page) < PAGE:
            return
        before = page[-1]


async def in_steps(jobs: Sequence[int], act: Callable[[Sequence[int]], Awaitable[int]]) -> AsyncIterator[int]:
    """Act on jobs, some at a time. Tells after each step of how many it was true."""
    for start in range(0, len(jobs), STEP):
        yield await act(list(jobs[start : start + STEP]))
