"""Where the queue is: a pool of asyncpg's, or a program's `rushes.connect()`, whichever the caller has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    import asyncpg

    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]

T = TypeVar("T")


class Connected(Protocol):
    """What `rushes.connect()` gives, as far as it is needed here."""

    async def ask(self, work: Callable[[Any], Awaitable[T]]) -> T: ...


async def on_pool(place: Pool | Connected, work: Callable[[Pool], Awaitable[T]]) -> T:
    """Work with the pool, in the event loop that it belongs to."""
    ask = getattr(place, "ask", None)
    if ask is None:
        return await work(place)  # type: ignore[arg-type]  # what cannot be asked is a pool
    answer: T = await ask(lambda resources: work(resources.database.pool))
    return answer
